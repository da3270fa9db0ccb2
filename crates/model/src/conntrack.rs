use std::hash::{Hash, Hasher};
use std::net::IpAddr;

/// A tracked connection (IPCTNL_MSG_CT_GET).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conntrack {
    /// As the first packet came.
    pub original: Tuple,
    /// As an answer is expected: differs from the reverse of `original` where addresses are
    /// translated.
    pub reply: Tuple,
    /// Conntrack zone.
    pub zone: u16,
    /// ct mark.
    pub mark: u32,
    /// What has been seen.
    pub status: ConntrackStatus,
}

bitflags::bitflags! {
    /// IPS_*.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct ConntrackStatus: u32 {
        /// Expected by another one.
        const EXPECTED = 1;
        /// Packets seen both ways.
        const SEEN_REPLY = 1 << 1;
        /// Will not be dropped early.
        const ASSURED = 1 << 2;
        /// Its first packet has left.
        const CONFIRMED = 1 << 3;
        /// Source is translated.
        const SRC_NAT = 1 << 4;
        /// Destination is translated.
        const DST_NAT = 1 << 5;
        /// Bits without a name here are kept.
        const _ = !0;
    }
}

/// One direction of a connection. For ICMP, the ports hold the echo id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuple {
    /// From.
    pub src: IpAddr,
    /// To.
    pub dst: IpAddr,
    /// IP protocol number.
    pub protocol: u8,
    /// Source port, or ICMP id.
    pub sport: u16,
    /// Destination port, or ICMP id.
    pub dport: u16,
}

/// In few words: connections are looked up for every packet.
impl Hash for Tuple {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match (self.src, self.dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                state.write_u64(u64::from(src.to_bits()) << 32 | u64::from(dst.to_bits()));
            }
            addresses => addresses.hash(state),
        }
        let ports = u64::from(self.sport) << 16 | u64::from(self.dport);
        state.write_u64(u64::from(self.protocol) << 32 | ports);
    }
}

impl Tuple {
    /// The same connection from the other side.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self {
            src: self.dst,
            dst: self.src,
            protocol: self.protocol,
            sport: self.dport,
            dport: self.sport,
        }
    }
}
