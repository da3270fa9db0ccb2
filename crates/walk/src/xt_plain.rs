//! xtables' smaller matches, and the targets that change a packet or its connection.

use std::net::{IpAddr, Ipv4Addr};

use model::{PayloadBase, RouteKind, XtInfo, XtNatRange};

use crate::chain::{Chains, Changes};
use crate::nat::{Request, To};
use crate::route::{Flow, NotFound};
use crate::rule::Effect;

/// Places in the IPv4 header.
const TOS: u32 = 1;
const TTL: u32 = 8;
/// The hop limit's place in that of IPv6.
const HOP_LIMIT: u32 = 7;

/// XT_OWNER_*: a user or a group is asked for, or a socket at all.
const OWNER_IDS: u8 = 1 | 2;
const OWNER_SOCKET: u8 = 4;

impl Chains<'_, '_> {
    /// None: it asks for something that is not modelled.
    pub(crate) fn plain_match(&self, info: &XtInfo, changes: &Changes) -> Option<bool> {
        let packet = &self.skb.packet;
        Some(match info {
            XtInfo::Connmark { mark, mask, invert } => {
                let Some(entry) = self.connection else { return Some(false) };
                let is = changes.ct_mark.unwrap_or(entry.mark);
                (is & mask == *mark) != *invert
            }
            XtInfo::IpRange { src, dst, flags } => {
                within(packet.src, *src, flags & 1 != 0, flags & 16 != 0)
                    && within(packet.dst, *dst, flags & 2 != 0, flags & 32 != 0)
            }
            XtInfo::Owner { asked, invert, .. } if self.has_no_socket() => asked ^ invert == 0,
            // `owner_mt` of a socket without a file: no user's, and a socket all the same.
            XtInfo::Owner { asked, invert, .. } if self.is_of_the_kernel() => {
                asked & invert & OWNER_SOCKET == 0 && (asked ^ invert) & OWNER_IDS == 0
            }
            XtInfo::PktType { kind, invert } => (u32::from(self.packet_type()) == *kind) != *invert,
            XtInfo::Length { min, max, invert } => {
                (u32::from(*min) <= packet.len && packet.len <= u32::from(*max)) != *invert
            }
            XtInfo::Ttl { mode, ttl } => match mode {
                0 => packet.ttl == *ttl,
                1 => packet.ttl != *ttl,
                2 => packet.ttl < *ttl,
                3 => packet.ttl > *ttl,
                _ => return None,
            },
            XtInfo::Dscp { dscp, invert } => (packet.tos >> 2 == *dscp) != *invert,
            XtInfo::Tos { mask, value, invert } => (packet.tos & mask == *value) != *invert,
            XtInfo::RpFilter(flags) => return self.rpfilter(*flags, changes),
            // A packet that is asked about has no such header, and then neither ! matches.
            XtInfo::RoutingHeader(_) => false,
            // Where there are policies, the walk has ended before.
            XtInfo::Policy { flags, .. } => flags & 4 != 0,
            _ => return None,
        })
    }

    /// `rpfilter_mt`.
    fn rpfilter(&self, flags: u8, changes: &Changes) -> Option<bool> {
        if self.skb.packet.is_ipv6() {
            return self.rpfilter6(flags, changes);
        }
        let invert = flags & 8 != 0;
        if self.iif == Some(self.place.loopback()) {
            return Some(!invert);
        }
        let flow = Flow {
            src: self.skb.packet.dst,
            dst: self.skb.packet.src,
            tos: self.skb.packet.tos,
            mark: if flags & 2 != 0 { changes.mark } else { 0 },
            iif: Some(self.place.loopback()),
            received: false,
            oif: None,
            bound: false,
            vrf_out: false,
            vrf: self.iif.and_then(|iif| self.place.vrf_of(iif)),
            protocol: 0,
            ports: None,
        };
        let found = match self.place.lookup(&flow) {
            Ok(found) => found,
            Err(NotFound::Nothing | NotFound::Refused(_) | NotFound::ByRule(_)) => {
                return Some(invert);
            }
            Err(NotFound::Unknown(_)) => return None,
        };
        let kind = match found.route.kind {
            RouteKind::Unicast => true,
            RouteKind::Local => flags & 4 != 0,
            _ => false,
        };
        let by_iif =
            |hop: &model::Nexthop| self.iif.is_some_and(|iif| self.place.leads_by(hop.link, iif));
        let uses = found.route.nexthops.iter().any(by_iif);
        Some((kind && (uses || flags & 1 != 0)) != invert)
    }

    pub(crate) fn altering_target(
        &self,
        info: &XtInfo,
        name: &str,
        changes: &mut Changes,
    ) -> Effect {
        match info {
            XtInfo::SetMark { mark, mask } => changes.mark = (changes.mark & !mask) ^ mark,
            XtInfo::SetConnmark { mode, ctmark, ctmask, nfmask, shift } => {
                return self.connmark(*mode, (*ctmark, *ctmask, *nfmask), *shift, changes);
            }
            XtInfo::Ct { flags, zone, .. } => self.ct_target(*flags, *zone, changes),
            XtInfo::SetDscp(dscp) => {
                self.write_tos(self.skb.packet.tos & 3 | dscp << 2, changes);
            }
            XtInfo::SetTos { value, mask } => {
                self.write_tos((self.skb.packet.tos & !mask) ^ value, changes);
            }
            XtInfo::SetTtl { mode, ttl } => {
                let now = self.skb.packet.ttl;
                let ttl = match mode {
                    0 => *ttl,
                    1 => now.saturating_add(*ttl),
                    _ => now.saturating_sub(*ttl),
                };
                let at = if self.skb.packet.is_ipv6() { HOP_LIMIT } else { TTL };
                changes.headers.write(self.skb, PayloadBase::Network, at, &[ttl]);
            }
            _ => return Effect::NotKnown(format!("target {name}")),
        }
        Effect::Goes
    }

    fn write_tos(&self, tos: u8, changes: &mut Changes) {
        let base = PayloadBase::Network;
        match self.skb.packet.is_ipv6() {
            false => changes.headers.write(self.skb, base, TOS, &[tos]),
            true => changes.headers.write(self.skb, base, 0, &[0x60 | tos >> 4, tos << 4]),
        };
    }

    /// `connmark_tg`.
    fn connmark(
        &self,
        mode: u8,
        (ctmark, ctmask, nfmask): (u32, u32, u32),
        shift: Option<(u8, u8)>,
        changes: &mut Changes,
    ) -> Effect {
        let Some(entry) = self.connection else { return Effect::Goes };
        let now = changes.ct_mark.unwrap_or(entry.mark);
        let (right, bits) = shift.unwrap_or((0, 0));
        let shifted = |n: u32| {
            let moved = match right {
                1 => n.checked_shr(u32::from(bits)),
                _ => n.checked_shl(u32::from(bits)),
            };
            moved.unwrap_or(0)
        };
        match mode {
            0 => changes.ct_mark = Some(shifted((now & !ctmask) ^ ctmark)),
            1 => changes.ct_mark = Some((now & !ctmask) ^ shifted(changes.mark & nfmask)),
            2 => changes.mark = (changes.mark & !nfmask) ^ shifted(now & ctmask),
            _ => return Effect::NotKnown("target CONNMARK".to_owned()),
        }
        Effect::Goes
    }

    /// Before the packet is tracked: in which zone, or not at all.
    fn ct_target(&self, flags: u16, zone: u16, changes: &mut Changes) {
        if self.skb.ct.is_some() {
            return;
        }
        changes.untracked |= flags & 1 != 0;
        let zone = if flags & 16 != 0 { (changes.mark & 0xffff) as u16 } else { zone };
        changes.zone = Some(match (flags & 4 != 0, flags & 8 != 0) {
            (true, false) => (zone, 0),
            (false, true) => (0, zone),
            _ => (zone, zone),
        });
    }

    /// The network's part of an address is replaced, the host's stays.
    pub(crate) fn netmap(&self, range: &XtNatRange) -> Effect {
        let Some((IpAddr::V4(first), IpAddr::V4(last))) = range.addr else {
            return Effect::NotKnown("target NETMAP".to_owned());
        };
        let source = matches!(self.hook, model::Hook::Postrouting | model::Hook::Input);
        let (to, old) = match source {
            true => (To::Source, self.skb.packet.src),
            false => (To::Destination, self.skb.packet.dst),
        };
        let IpAddr::V4(old) = old else { return Effect::NotKnown("target NETMAP".to_owned()) };
        let mask = !(first.to_bits() ^ last.to_bits());
        let new = Ipv4Addr::from_bits(old.to_bits() & !mask | first.to_bits() & mask).into();
        Effect::Nat(Request { to, addresses: Some((new, new)), ports: None, flags: 0 })
    }
}

fn within(ip: IpAddr, (first, last): ([u8; 16], [u8; 16]), asked: bool, invert: bool) -> bool {
    let address = |b: [u8; 16]| match ip {
        IpAddr::V4(_) => IpAddr::from([b[0], b[1], b[2], b[3]]),
        IpAddr::V6(_) => IpAddr::from(b),
    };
    !asked || (address(first) <= ip && ip <= address(last)) != invert
}
