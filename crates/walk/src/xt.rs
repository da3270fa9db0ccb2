//! xtables' matches and targets.

use std::net::IpAddr;

use model::{AddrTypes, Xt, XtAddrtype, XtConntrack, XtInfo, XtRecent};

use crate::chain::{Chains, Changes};
use crate::conntrack::{state, state_of};
use crate::nat::To;
use crate::rule::{Effect, pass};
use crate::{Payload, RejectWith};

/// XT_ADDRTYPE_*.
mod addrtype {
    pub(super) const INVERT_SOURCE: u32 = 1;
    pub(super) const INVERT_DEST: u32 = 2;
    pub(super) const LIMIT_IN: u32 = 4;
    pub(super) const LIMIT_OUT: u32 = 8;
}

/// XT_PHYSDEV_OP_*.
mod physdev {
    pub(super) const IN: u8 = 1;
    pub(super) const OUT: u8 = 2;
    pub(super) const BRIDGED: u8 = 4;
    pub(super) const IS_IN: u8 = 8;
    pub(super) const IS_OUT: u8 = 16;
}

/// XT_CONNTRACK_*.
mod ct {
    pub(super) const STATE: u16 = 1;
    pub(super) const PROTO: u16 = 1 << 1;
    pub(super) const ADDRESSES: [u16; 4] = [1 << 2, 1 << 3, 1 << 4, 1 << 5];
    pub(super) const STATUS: u16 = 1 << 6;
    pub(super) const EXPIRES: u16 = 1 << 7;
    pub(super) const PORTS: [u16; 4] = [1 << 8, 1 << 9, 1 << 10, 1 << 11];
    pub(super) const DIRECTION: u16 = 1 << 12;
    /// Bits of `state_mask` beyond those of the packet's state.
    pub(super) const STATE_SNAT: u16 = 1 << 6;
    pub(super) const STATE_DNAT: u16 = 1 << 7;
    pub(super) const STATE_UNTRACKED: u16 = 1 << 8;
}

/// Targets that do nothing to a packet's way.
const HARMLESS: [&str; 15] = [
    "LOG",
    "NFLOG",
    "ULOG",
    "TRACE",
    "AUDIT",
    "CHECKSUM",
    "CLASSIFY",
    "TEE",
    "ECN",
    "SECMARK",
    "CONNSECMARK",
    "RATEEST",
    "IDLETIMER",
    "LED",
    "nfacct",
];

/// The code of destination unreachable, by IPT_ICMP_*.
const fn reject_code(with: u32) -> Option<u8> {
    Some(match with {
        0 => 0,
        1 => 1,
        2 => 2,
        3 => 3,
        5 => 9,
        6 => 10,
        8 => 13,
        _ => return None,
    })
}

/// By IP6T_ICMP6_* and IP6T_TCP_RESET.
fn reject6(with: u32) -> Effect {
    let code = match with {
        0..=4 => with,
        6 => return Effect::Reject(RejectWith::TcpReset),
        7 => 5,
        8 => 6,
        _ => return Effect::NotKnown(format!("REJECT with {with}")),
    };
    Effect::Reject(RejectWith::Icmp(u8::try_from(code).unwrap_or_default()))
}

impl<'a> Chains<'a, '_> {
    pub(crate) fn xt_match(&self, xt: &'a Xt, changes: &Changes) -> Effect {
        let mark = changes.mark;
        let matches = match &xt.info {
            XtInfo::Addrtype(info) => self.addrtype(info),
            XtInfo::Conntrack(info) => self.conntrack(info, changes),
            XtInfo::State { mask } => Some(mask & u32::from(self.xt_state(changes)) != 0),
            XtInfo::Comment(_) => Some(true),
            XtInfo::Ports { sport, dport, invert, tcp } => {
                self.ports(&xt.name, *sport, *dport, *invert, *tcp)
            }
            XtInfo::Icmp { kind, codes, invert } => {
                self.icmp(&xt.name, *kind, *codes).map(|is| is != *invert)
            }
            XtInfo::Multiport { which, ports, invert } => {
                self.multiport(*which, ports).map(|is| is != *invert)
            }
            XtInfo::Physdev { .. } => Some(self.physdev(&xt.info)),
            XtInfo::MacSource { mac, invert } => match self.skb.packet.src_mac {
                Some(is) => Some((is == *mac) != *invert),
                // What is sent from here has no frame yet, and so no source.
                None => self.skb.iif.is_none().then_some(false),
            },
            XtInfo::Mark { mark: value, mask, invert } => Some((mark & mask == *value) != *invert),
            XtInfo::Limit { .. } => {
                let cause = "a limit whose state is not told, taken as not reached";
                return Effect::Assumes(cause.to_owned(), true);
            }
            XtInfo::Recent(recent) => return recently(recent),
            XtInfo::HashLimit { mode, .. } => return hash_limit(*mode),
            XtInfo::Set(info) => return self.ip_set_match(info, xt.revision, changes),
            XtInfo::Statistic { nth, probability, invert } => {
                self.statistic(*nth, *probability).map(|is| is != *invert)
            }
            other => self.plain_match(other, changes),
        };
        match matches {
            Some(true) => Effect::Goes,
            Some(false) => Effect::Fails,
            None => Effect::Doubts(format!("match {}", xt.name)),
        }
    }

    pub(crate) fn xt_target(&self, xt: &'a Xt, changes: &mut Changes) -> Effect {
        match (&xt.info, xt.name.as_str()) {
            (XtInfo::Nat(range), "SNAT") => Self::xt_nat(To::Source, range),
            (XtInfo::Nat(range), "DNAT") => Self::xt_nat(To::Destination, range),
            (XtInfo::Nat(range), "MASQUERADE") => Self::xt_nat(To::Masquerade, range),
            (XtInfo::Nat(range), "REDIRECT") => Self::xt_nat(To::Redirect, range),
            (XtInfo::Nat(range), "NETMAP") => self.netmap(range),
            (XtInfo::Reject(with), _) if self.skb.packet.is_ipv6() => reject6(*with),
            (XtInfo::Reject(7), _) => Effect::Reject(RejectWith::TcpReset),
            (XtInfo::Reject(with), _) => match reject_code(*with) {
                Some(code) => Effect::Reject(RejectWith::Icmp(code)),
                None => Effect::NotKnown(format!("REJECT with {with}")),
            },
            (_, "NOTRACK") => {
                changes.untracked |= self.skb.ct.is_none();
                Effect::Goes
            }
            (XtInfo::SetTarget(info), _) => self.ip_set_target(info, changes),
            (XtInfo::TcpMss(mss), _) => self.limit_segments(*mss, changes),
            (_, "TCPOPTSTRIP" | "TCPMSS") => {
                changes.headers.set_mss(self.skb, None);
                Effect::Goes
            }
            (_, "SET") => Effect::NotKnown(format!("target SET revision {}", xt.revision)),
            (_, name) if HARMLESS.contains(&name) => Effect::Goes,
            (info, name) => self.altering_target(info, name, changes),
        }
    }

    /// By chance, or each so many: which it is, is walked both ways.
    fn statistic(&self, nth: Option<(u32, u32)>, probability: u32) -> Option<bool> {
        /// What is always.
        const CERTAIN: u32 = 1 << 31;
        match nth {
            None if probability >= CERTAIN => Some(true),
            Some((0, _)) => Some(true),
            _ => None,
        }
    }

    /// None: it is not known.
    fn addrtype(&self, info: &XtAddrtype) -> Option<bool> {
        let device = if info.flags & addrtype::LIMIT_IN != 0 {
            self.iif
        } else if info.flags & addrtype::LIMIT_OUT != 0 {
            self.oif
        } else {
            None
        };
        let is = |types: AddrTypes, ip, invert| {
            if types == AddrTypes::default() {
                return Some(true);
            }
            let holds = match ip {
                IpAddr::V4(_) => types.contains(self.address_type(ip, device)),
                IpAddr::V6(ip) => self.types6(types, ip, device)?,
            };
            Some(holds != (info.flags & invert != 0))
        };
        Some(
            is(info.src, self.skb.packet.src, addrtype::INVERT_SOURCE)?
                && is(info.dst, self.skb.packet.dst, addrtype::INVERT_DEST)?,
        )
    }

    /// None: it hangs on an option.
    fn ports(
        &self,
        name: &str,
        sport: (u16, u16),
        dport: (u16, u16),
        invert: u8,
        tcp: Option<(u8, u8, u8)>,
    ) -> Option<bool> {
        let (source, dest, flags) = match (self.skb.packet.payload, name) {
            (Payload::Tcp { sport, dport, flags }, "tcp") => (sport, dport, Some(flags)),
            (Payload::Udp { sport, dport }, "udp") => (sport, dport, None),
            _ => return Some(false),
        };
        let within = |range: (u16, u16), port: u16, bit: u8| {
            (range.0 <= port && port <= range.1) != (invert & bit != 0)
        };
        if source == 0 && sport != (0, u16::MAX) && within(dport, dest, 2) {
            return None; // a tunnel's, which is not known
        }
        if !within(sport, source, 1) || !within(dport, dest, 2) {
            return Some(false);
        }
        let Some((option, mask, compare)) = tcp else { return Some(true) };
        if flags.is_some_and(|flags| (flags & mask == compare) == (invert & 4 != 0)) {
            return Some(false);
        }
        (option == 0).then_some(true)
    }

    fn icmp(&self, name: &str, kind: u8, codes: (u8, u8)) -> Option<bool> {
        let ipv6 = self.skb.packet.is_ipv6();
        if (name == "icmp6") != ipv6 {
            return Some(false);
        }
        let Payload::Icmp { kind: is, .. } = self.skb.packet.payload else { return Some(false) };
        let (is, code) = is.numbers(ipv6);
        // Of ICMPv6 there is no type that stands for any.
        Some(!ipv6 && kind == u8::MAX || (kind == is && codes.0 <= code && code <= codes.1))
    }

    /// XT_MULTIPORT_*: 0 asks for the source port, 1 for the destination port, 2 for either.
    fn multiport(&self, which: u8, ports: &[(u16, Option<u16>)]) -> Option<bool> {
        let (Payload::Tcp { sport, dport, .. } | Payload::Udp { sport, dport }) =
            self.skb.packet.payload
        else {
            return Some(false);
        };
        let named = |port: u16| {
            ports.iter().any(|(first, last)| *first <= port && port <= last.unwrap_or(*first))
        };
        if sport == 0 && (which == 0 || which != 1 && !named(dport)) {
            return None; // a tunnel's, which is not known
        }
        Some(match which {
            0 => named(sport),
            1 => named(dport),
            _ => named(sport) || named(dport),
        })
    }

    fn physdev(&self, info: &XtInfo) -> bool {
        let XtInfo::Physdev { physin, physout, wildcard, invert, bitmask } = info else {
            return false;
        };
        let name = |index: Option<u32>| {
            index.and_then(|i| self.place.ns.links.get(&i)).map_or("", |l| l.name.as_str())
        };
        let (came, goes) = (name(self.skb.physin), name(self.skb.physout));
        let named = |wanted: &Option<String>, is: &str, wild: bool| {
            wanted.as_deref().is_none_or(|w| if wild { is.starts_with(w) } else { is == w })
        };
        let asked = |op: u8, holds: bool| bitmask & op == 0 || holds != (invert & op != 0);
        asked(physdev::BRIDGED, !came.is_empty() && !goes.is_empty())
            && asked(physdev::IS_IN, !came.is_empty())
            && asked(physdev::IS_OUT, !goes.is_empty())
            && asked(physdev::IN, !came.is_empty() && named(physin, came, wildcard.0))
            && asked(physdev::OUT, !goes.is_empty() && named(physout, goes, wildcard.1))
    }

    /// None: it asks for something that is not modelled.
    fn conntrack(&self, info: &XtConntrack, changes: &Changes) -> Option<bool> {
        let asked = |bit: u16| info.match_flags & bit != 0;
        let inverted = |bit: u16| info.invert_flags & bit != 0;
        let entry = self.connection.zip(self.skb.ct);
        if asked(ct::STATE) {
            let is = info.state_mask & self.xt_state(changes) != 0;
            if is == inverted(ct::STATE) {
                return Some(false);
            }
        }
        let rest = info.match_flags & !ct::STATE & 0x1fff;
        let Some((entry, member)) = entry else { return Some(rest == 0) };
        if asked(ct::DIRECTION) && member.reply != inverted(ct::DIRECTION) {
            return Some(false);
        }
        if asked(ct::PROTO)
            && (info.l4proto == u16::from(entry.original.protocol)) == inverted(ct::PROTO)
        {
            return Some(false);
        }
        let tuples = [entry.original, entry.original, entry.reply, entry.reply];
        for (i, tuple) in tuples.into_iter().enumerate() {
            let source = i % 2 == 0;
            let (ip, port) =
                if source { (tuple.src, tuple.sport) } else { (tuple.dst, tuple.dport) };
            let (want, mask) = info.addresses[i];
            let bit = ct::ADDRESSES[i];
            if asked(bit) && masked(ip, want, mask) == inverted(bit) {
                return Some(false);
            }
            let bit = ct::PORTS[i];
            let within = info.ports[i] <= port && port <= info.ports_high[i];
            if asked(bit) && within == inverted(bit) {
                return Some(false);
            }
        }
        if asked(ct::STATUS) {
            let holds = u32::from(info.status_mask) & entry.status.bits() != 0;
            if holds == inverted(ct::STATUS) {
                return Some(false);
            }
        }
        (!asked(ct::EXPIRES)).then_some(true)
    }

    /// The packet's state, as bits of `state_mask`.
    pub(crate) fn xt_state(&self, changes: &Changes) -> u16 {
        let bits = match self.skb.ct {
            None if changes.untracked => state::UNTRACKED,
            _ => state_of(self.skb, self.connection),
        };
        let translated = self.connection.map_or(0, |c| {
            let has = |bit, to: u16| if c.status.contains(bit) { to } else { 0 };
            has(model::ConntrackStatus::SRC_NAT, ct::STATE_SNAT)
                | has(model::ConntrackStatus::DST_NAT, ct::STATE_DNAT)
        });
        let own = match bits {
            state::INVALID => 1,
            state::ESTABLISHED => 2,
            state::RELATED => 4,
            state::NEW => 8,
            _ => ct::STATE_UNTRACKED,
        };
        own | translated
    }
}

/// `recent_mt`: who puts an address into the list matches always. How often it is in it is not told;
/// where it takes several hits, these are taken as not reached.
fn recently(recent: &XtRecent) -> Effect {
    /// XT_RECENT_*.
    const SET: u8 = 2;
    const REMOVE: u8 = 8;
    if recent.check_set & SET != 0 {
        return pass(!recent.invert);
    }
    if recent.check_set & REMOVE != 0 || recent.hits < 2 {
        return Effect::Doubts("match recent".to_owned());
    }
    let cause = "how often an address came of late is not told, taken as not too often";
    Effect::Assumes(cause.to_owned(), recent.invert)
}

/// `hashlimit_mt_common`.
fn hash_limit(mode: u32) -> Effect {
    /// XT_HASHLIMIT_*.
    const INVERT: u32 = 16;
    const RATE_MATCH: u32 = 64;
    if mode & RATE_MATCH != 0 {
        return Effect::Doubts("match hashlimit".to_owned());
    }
    let cause = "a limit whose state is not told, taken as not reached";
    Effect::Assumes(cause.to_owned(), mode & INVERT == 0)
}

fn masked(ip: IpAddr, want: [u8; 16], mask: [u8; 16]) -> bool {
    let masked =
        |octets: &[u8]| octets.iter().zip(want).zip(mask).all(|((a, b), m)| a & m == b & m);
    match ip {
        IpAddr::V4(ip) => masked(&ip.octets()),
        IpAddr::V6(ip) => masked(&ip.octets()),
    }
}
