//! Netlink messages with nfnetlink's four-byte header.

use super::SUBSYSTEM;
use super::attr::Writer;

pub(super) const NLM_F_REQUEST: u16 = 0x1;
pub(super) const NLM_F_DUMP: u16 = 0x300;
pub(super) const NLM_F_CREATE: u16 = 0x400;
pub(super) const NLM_F_APPEND: u16 = 0x800;

const HEADER: usize = 16;
const NFGEN: usize = 4;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;

/// NFT_MSG_*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(super) enum Kind {
    NewTable = 0,
    GetTable = 1,
    DelTable = 2,
    NewChain = 3,
    GetChain = 4,
    NewRule = 6,
    GetRule = 7,
    NewSet = 9,
    GetSet = 10,
    NewSetElem = 12,
    GetSetElem = 13,
    NewGen = 15,
    GetGen = 16,
    NewFlowtable = 22,
    GetFlowtable = 23,
}

impl Kind {
    pub(super) const fn number(self) -> u16 {
        SUBSYSTEM << 8 | self as u16
    }
}

/// One message of a reply.
pub(super) struct Message<'a> {
    pub(super) kind: u16,
    /// NFPROTO_*.
    pub(super) family: u8,
    /// The attributes.
    pub(super) body: &'a [u8],
}

/// What a reply says.
pub(super) enum Item<'a> {
    Message(Message<'a>),
    /// The kernel refused with this errno (positive).
    Error(i32),
    /// The bytes end within a message.
    Cut,
}

/// The messages of a raw reply. Control messages that say nothing are left out.
pub(super) fn messages(mut raw: &[u8]) -> impl Iterator<Item = Item<'_>> {
    std::iter::from_fn(move || {
        loop {
            if raw.is_empty() {
                return None;
            }
            let Some((kind, payload, rest)) = split(raw) else {
                raw = &[];
                return Some(Item::Cut);
            };
            raw = rest;
            if let Some(item) = item(kind, payload) {
                return Some(item);
            }
        }
    })
}

fn split(raw: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let (head, _) = raw.split_first_chunk::<HEADER>()?;
    let len = usize::try_from(u32::from_ne_bytes([head[0], head[1], head[2], head[3]])).ok()?;
    let kind = u16::from_ne_bytes([head[4], head[5]]);
    let payload = raw.get(HEADER..len)?;
    Some((kind, payload, raw.get(len.next_multiple_of(4)..).unwrap_or_default()))
}

fn item(kind: u16, payload: &[u8]) -> Option<Item<'_>> {
    if kind == NLMSG_ERROR || kind == NLMSG_DONE {
        // DONE carries the dump's result in the same place; 0 is success, and short ones have none.
        let code = payload.first_chunk::<4>().map_or(0, |c| i32::from_ne_bytes(*c));
        return (code != 0).then(|| Item::Error(code.wrapping_neg()));
    }
    if kind < 16 {
        return None;
    }
    let (nfgen, body) = payload.split_first_chunk::<NFGEN>()?;
    Some(Item::Message(Message { kind, family: nfgen[0], body }))
}

/// A request without the parts of its header that the socket fills in: length, sequence, port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `nlmsg_type`.
    pub kind: u16,
    /// `nlmsg_flags`, NLM_F_REQUEST among them.
    pub flags: u16,
    /// What follows the netlink header.
    pub body: Vec<u8>,
}

impl Request {
    /// `resource` is nfgenmsg's res_id.
    pub(super) fn new(kind: u16, flags: u16, family: u8, resource: u16, attrs: Writer) -> Self {
        let mut body = vec![family, 0];
        body.extend_from_slice(&resource.to_be_bytes());
        body.extend_from_slice(&attrs.finish());
        Self { kind, flags: flags | NLM_F_REQUEST, body }
    }

    /// The whole message.
    #[must_use]
    pub fn bytes(&self, seq: u32) -> Vec<u8> {
        // Nothing here comes near 4 GiB; a length of 0 would be refused.
        let len = u32::try_from(HEADER + self.body.len()).unwrap_or(0);
        let mut out = Vec::with_capacity(HEADER + self.body.len());
        out.extend_from_slice(&len.to_ne_bytes());
        out.extend_from_slice(&self.kind.to_ne_bytes());
        out.extend_from_slice(&self.flags.to_ne_bytes());
        out.extend_from_slice(&seq.to_ne_bytes());
        out.extend_from_slice(&0u32.to_ne_bytes());
        out.extend_from_slice(&self.body);
        out
    }
}
