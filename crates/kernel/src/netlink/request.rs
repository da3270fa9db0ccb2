use netlink_packet_core::{Emitable, NetlinkSerializable};
use netlink_packet_route::RouteNetlinkMessage;

const NLM_F_REQUEST: u16 = 1;
const NLM_F_REPLACE: u16 = 0x100;
const NLM_F_EXCL: u16 = 0x200;
const NLM_F_CREATE: u16 = 0x400;
const NLM_F_APPEND: u16 = 0x800;

/// A request without the parts of its header that the socket fills in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    kind: u16,
    flags: u16,
    body: Vec<u8>,
}

impl Request {
    /// A request of that `nlmsg_type`; `body` is what follows the header.
    #[must_use]
    pub const fn new(kind: u16, body: Vec<u8>) -> Self {
        Self { kind, flags: NLM_F_REQUEST, body }
    }

    /// With further flags (`NLM_F_*`).
    #[must_use]
    pub const fn with(mut self, flags: u16) -> Self {
        self.flags |= flags;
        self
    }

    /// Makes something that must not exist yet (NLM_F_CREATE | NLM_F_EXCL).
    #[must_use]
    pub const fn create(self) -> Self {
        self.with(NLM_F_CREATE | NLM_F_EXCL)
    }

    /// Makes something, or adds to what is there (NLM_F_CREATE | NLM_F_APPEND).
    #[must_use]
    pub const fn append(self) -> Self {
        self.with(NLM_F_CREATE | NLM_F_APPEND)
    }

    /// Makes something, or replaces what is there (NLM_F_CREATE | NLM_F_REPLACE).
    #[must_use]
    pub const fn replace(self) -> Self {
        self.with(NLM_F_CREATE | NLM_F_REPLACE)
    }

    /// Appends the whole message to `out`, aligned as the next one needs it.
    pub(super) fn emit(&self, flags: u16, sequence: u32, out: &mut Vec<u8>) {
        let length = u32::try_from(16 + self.body.len()).expect("a request of 4 GiB fits nowhere");
        out.extend(length.to_ne_bytes());
        out.extend(self.kind.to_ne_bytes());
        out.extend((self.flags | flags).to_ne_bytes());
        out.extend(sequence.to_ne_bytes());
        out.extend([0; 4]);
        out.extend_from_slice(&self.body);
        out.resize(out.len().next_multiple_of(4), 0);
    }
}

impl From<RouteNetlinkMessage> for Request {
    fn from(message: RouteNetlinkMessage) -> Self {
        let mut body = vec![0; Emitable::buffer_len(&message)];
        Emitable::emit(&message, &mut body);
        Self::new(NetlinkSerializable::message_type(&message), body)
    }
}

impl From<wire::nft::Request> for Request {
    fn from(request: wire::nft::Request) -> Self {
        Self { kind: request.kind, flags: request.flags, body: request.body }
    }
}

impl From<&Self> for Request {
    fn from(request: &Self) -> Self {
        request.clone()
    }
}
