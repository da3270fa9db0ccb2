//! One tagged packet, and what becomes of it.
//!
//! The tag is eight random bytes: payload of an ICMP echo or UDP datagram, or (its first half) the
//! sequence number of a TCP SYN. It survives every translation of addresses, comes back in the
//! answer, and is quoted in ICMP errors. A socket filter on it keeps all other traffic out.

mod barrier;
mod filter;
mod frame;
mod post;
mod send;
mod tap;

pub use barrier::Barrier;
pub use frame::sighting;
pub use post::Posts;
pub use send::{Sent, is_port_free, reset, send};
pub use tap::{Taps, answered};

pub(crate) use filter::places;

use std::collections::BTreeSet;
use std::net::IpAddr;

use model::Snapshot;

/// What to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Source address; None: the kernel chooses.
    pub src: Option<IpAddr>,
    /// Destination, of the same family.
    pub dst: IpAddr,
    /// What kind of packet.
    pub kind: Kind,
    /// Length of the IP packet in bytes, where the kind leaves room (ICMP, UDP).
    pub len: u32,
    /// Don't fragment. (Of IPv6: not its sender either.)
    pub df: bool,
    /// Time to live, or hop limit; None: the namespace's default.
    pub ttl: Option<u8>,
    /// Type of service, or traffic class.
    pub tos: u8,
    /// Mark of the socket (SO_MARK).
    pub mark: u32,
    /// ifindex of the link that the socket is bound to.
    pub bound: Option<u32>,
    /// Flags of a TCP segment. One that acknowledges something has the tag as that number, too, so
    /// that what answers it has it.
    pub flags: u8,
    /// It is a broadcast or multicast: whoever answers, answers as itself.
    pub to_many: bool,
    /// What it is known by.
    pub tag: Tag,
}

/// Kinds of probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// ICMP (ICMPv6) echo request with this id.
    Icmp(u16),
    /// UDP datagram from and to these ports.
    Udp(u16, u16),
    /// TCP segment from and to these ports: its flags are [`Probe::flags`].
    Tcp(u16, u16),
}

/// The flag of a TCP connection's first segment.
pub const SYN: u8 = 2;
/// How large segments may be, as its first segment of TCP says.
pub const MSS: u16 = 1460;

/// Eight random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag(pub [u8; 8]);

impl Tag {
    /// A new one.
    ///
    /// # Errors
    /// If the kernel has no randomness yet.
    pub fn random() -> std::io::Result<Self> {
        let mut bytes = [0; 8];
        rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
        Ok(Self(bytes))
    }

    /// A tag of the same family: the first three bytes are shared, the fourth is `n`, which is to
    /// be below 255.
    #[must_use]
    pub const fn member(self, n: u8) -> Self {
        let [a, b, c, _, rest @ ..] = self.0;
        let [e, f, g, h] = rest;
        Self([a, b, c, n, e, f, g, h])
    }

    /// A port above the kernel's ephemeral range, by this tag: the next one from which no connection was
    /// tracked, so that the packet begins a connection of its own, and translations find its port free.
    #[must_use]
    pub fn port(self, snapshot: &Snapshot) -> u16 {
        const FIRST: u16 = 61_000;
        const ALL: u16 = 4_500;
        let all = snapshot.namespaces.values().flat_map(|ns| &ns.conntrack);
        let taken: BTreeSet<u16> =
            all.flat_map(|entry| [entry.original.sport, entry.reply.dport]).collect();
        let start = u16::from_be_bytes([self.0[6], self.0[7]]) % ALL;
        let mut ports = (0..ALL).map(|n| FIRST + (start + n) % ALL);
        ports.find(|port| !taken.contains(port)).unwrap_or(FIRST + start)
    }

    /// Its first half: the sequence number.
    pub(crate) const fn number(self) -> u32 {
        let [a, b, c, d, ..] = self.0;
        u32::from_be_bytes([a, b, c, d])
    }
}

#[cfg(test)]
mod tests {
    use model::{Conntrack, ConntrackStatus, HostId, Namespace, NsId, NsKey, Tuple};

    use super::*;

    #[test]
    fn a_port_from_which_nothing_was_tracked() {
        let tag = Tag([0, 0, 0, 0, 0, 0, 0, 5]);
        let mut snapshot = Snapshot::default();
        assert_eq!(tag.port(&snapshot), 61_005);
        let id = NsId { host: HostId(0), key: NsKey::Unseen(1) };
        let ip = IpAddr::from([10, 0, 0, 1]);
        let original = Tuple { src: ip, dst: ip, protocol: 6, sport: 61_005, dport: 80 };
        let reply = Tuple { dport: 61_006, ..original.reversed() };
        let mut ns = Namespace::new(id);
        let status = ConntrackStatus::empty();
        ns.conntrack = vec![Conntrack { original, reply, zone: 0, mark: 0, status }];
        snapshot.namespaces.insert(id, ns);
        assert_eq!(tag.port(&snapshot), 61_007);
    }
}
