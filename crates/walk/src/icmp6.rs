//! ICMPv6 errors and redirects: packets of their own.

use std::net::{IpAddr, Ipv6Addr};

use model::{AddressFlags, LinkId, RouteKind, RuleAction};

use crate::icmp::{hears, is_told_of};
use crate::ip6::HEADER;
use crate::overlay::Membership;
use crate::route::{Flow, Found};
use crate::route6::{MIN_MTU, is_link_local, is_scoped};
use crate::skb::{Skb, Stop};
use crate::vrf::is_unrouted_by_vrf;
use crate::walker::Walker;
use crate::{Disposition, IcmpKind, Packet, Payload, Reason, RejectWith, Sink, Stage};

/// Codes of destination unreachable.
mod code {
    pub(super) const NO_ROUTE: u8 = 0;
    pub(super) const PROHIBITED: u8 = 1;
    pub(super) const BEYOND_SCOPE: u8 = 2;
    pub(super) const ADDRESS: u8 = 3;
}
/// Nobody waits on the port.
pub(crate) const PORT_UNREACHABLE: u8 = 4;
/// Bytes of an ICMPv6 header.
const ICMP: u32 = 8;
/// Of a redirect: with its two addresses.
const REDIRECT: u32 = 40;

/// `icmp6_send`: the error of that kind about a packet, before its source is chosen.
pub(crate) fn message(about: &Packet, kind: IcmpKind, hop_limit: u8) -> Packet {
    Packet {
        src_mac: None,
        dst_mac: None,
        src: Ipv6Addr::UNSPECIFIED.into(),
        dst: about.src,
        ttl: hop_limit,
        tos: 0,
        df: false,
        len: about.len.min(MIN_MTU - HEADER - ICMP) + HEADER + ICMP,
        payload: Payload::Icmp { kind, id: 0 },
        mss: None,
    }
}

/// The link that a packet was to go out by, and was lost at.
fn link_out(stop: &Stop) -> Option<u32> {
    match &stop.disposition {
        Disposition::Lost(loss) => loss.link.map(|link| link.index),
        _ => None,
    }
}

impl<S: Sink> Walker<'_, '_, S> {
    /// The error about a packet that was refused just now goes its own way.
    pub(crate) fn refuse6(&mut self, skb: &Skb, stop: &Stop) {
        let Some(kind) = self.error6(skb, stop) else { return };
        let Some(mut error) = self.error_about(skb, kind, stop) else { return };
        error.ct = skb.ct.map(Membership::of_consequence);
        self.send_error(error.about(&skb.packet));
    }

    /// `icmp6_send`: whom it comes from, and by which link.
    fn error_about(&self, skb: &Skb, kind: IcmpKind, stop: &Stop) -> Option<Skb> {
        let place = self.known_place(skb.ns)?;
        let (IpAddr::V6(src), IpAddr::V6(dst)) = (skb.packet.src, skb.packet.dst) else {
            return None;
        };
        let to_group = dst.is_multicast() && kind != IcmpKind::TooBig;
        if src.is_unspecified() || src.is_multicast() || to_group {
            return None;
        }
        // A bridged frame is not for this host (PACKET_OTHERHOST), nor is it known any more by which
        // link it came (`br_validate_ipv6`): what counts is the port that it is to go out by.
        let bridged = stop.stage == Stage::Bridge;
        let came = skb.iif.unwrap_or_default();
        let mut packet = message(&skb.packet, kind, 0);
        let member = skb.member.or(skb.iif).filter(|_| !bridged);
        // `icmp6_iif`: of what nobody has sent here, that is the link out.
        let at = if bridged { skb.physout } else { member.or_else(|| link_out(stop)) };
        let scoped = at.filter(|_| is_scoped(src.into()));
        let vrf = self.error_vrf(skb, stop);
        let oif = scoped.or(vrf);
        let mark = place.reply_mark(skb);
        let flow = Flow { oif, ..Flow::of(&packet, mark, None) };
        let to_this_host = !bridged && !skb.is_to_many() && !dst.is_multicast();
        if to_this_host && (place.owns6(dst, came) || place.anycast(dst.into(), came)) {
            packet.src = dst.into();
        } else if !place.output6(&flow).is_ok_and(|f| f.route.prefsrc.is_some()) {
            // That of the link by which the packet came.
            let own = member.and_then(|iif| place.select6_source(Some(iif), src));
            packet.src = own.map_or(packet.src, IpAddr::V6);
        }
        packet.ttl = place.hop_limit(&Flow { src: packet.src, ..flow });
        Some(Skb { oif: scoped, vrf, mark, ..Skb::new(skb.ns, packet).at(skb.moment) })
    }

    /// Which error is due, if one is.
    fn error6(&self, skb: &Skb, stop: &Stop) -> Option<IcmpKind> {
        let Disposition::Lost(loss) = &stop.disposition else { return None };
        let kind = match skb.packet.payload {
            Payload::Icmp { kind, .. } => Some(kind),
            _ => None,
        };
        let replies = kind == Some(IcmpKind::EchoReply) && skb.iif.is_none();
        let heard = hears(skb, stop, &loss.reason, replies);
        if is_unrouted_by_vrf(stop, &loss.reason)
            || skb.about.is_some()
            || !heard
            || !is_told_of(&skb.packet)
        {
            return None;
        }
        // Of what came in a frame to many (`icmp6_send`), or has no route on a bridge
        // (`br_nf_pre_routing_finish_ipv6`), nobody is told but that it is too large.
        let untold = skb.is_to_many() || stop.stage == Stage::Bridge;
        if untold && !matches!(loss.reason, Reason::TooBig { .. }) {
            return None;
        }
        let unreachable = |code| Some(IcmpKind::Unreachable(code));
        match &loss.reason {
            Reason::NoRoute(_) => unreachable(code::NO_ROUTE),
            Reason::RoutingRule(rule) => match rule.action {
                RuleAction::Unreachable => unreachable(code::NO_ROUTE),
                RuleAction::Prohibit => unreachable(code::PROHIBITED),
                _ => None,
            },
            Reason::RouteRefuses(route) => match route.kind {
                RouteKind::Unreachable => unreachable(code::NO_ROUTE),
                RouteKind::Prohibit => unreachable(code::PROHIBITED),
                _ => None,
            },
            Reason::BeyondScope => unreachable(code::BEYOND_SCOPE),
            Reason::NoNeighbour { .. }
            | Reason::DuplicateAddress { .. }
            | Reason::NoLinkLocal
            | Reason::NoCarrier
            | Reason::PeerDown(_)
                if stop.stage == Stage::Neighbour =>
            {
                unreachable(code::ADDRESS)
            }
            Reason::NoPeer(_) | Reason::NoEndpoint { .. } => unreachable(code::ADDRESS),
            Reason::TooBig { told: true, .. } => Some(IcmpKind::TooBig),
            Reason::TtlExpired => Some(IcmpKind::TimeExceeded),
            Reason::RuleReject(_, RejectWith::Icmp(code)) => unreachable(*code),
            _ => None,
        }
    }

    /// `ndisc_send_redirect`: a packet that is to go out where it came from could have gone there
    /// at once, and its sender is told so.
    /// It is sent before the packet goes on, and comes anywhere when that has left the last hook: so
    /// its own connection is looked for here.
    pub(crate) fn redirect6(&mut self, skb: &Skb, link: LinkId, found: &Found<'_>) -> Option<Skb> {
        let mut error = self.redirect_about(skb, link, found)?;
        self.track_ahead(&mut error);
        Some(error)
    }

    fn redirect_about(&self, skb: &Skb, link: LinkId, found: &Found<'_>) -> Option<Skb> {
        let place = self.known_place(skb.ns)?;
        let near = |ip: IpAddr| matches!(ip, IpAddr::V6(ip) if is_link_local(ip));
        // Only a router that is named by an address of this link.
        let nearer = found.gateway().is_none_or(near);
        let own = place.ns.addresses_of(link.index);
        let ready =
            |a: &&model::Address| near(a.ip()) && !a.flags.contains(AddressFlags::TENTATIVE);
        // ipv6_get_lladdr: the oldest, which is told last.
        let src = own.filter(ready).last()?.ip();
        let mut packet = message(&skb.packet, IcmpKind::Redirect, 255);
        packet.src = src;
        let flow = Flow { oif: Some(link.index), ..Flow::of(&packet, 0, None) };
        // Only to a sender that is reached without a router.
        let neighbour = place.output6(&flow).is_ok_and(|f| f.gateway().is_none());
        if !nearer || !neighbour || skb.is_discovery() {
            return None;
        }
        let target = found.gateway().unwrap_or(skb.packet.dst);
        let known = self.known(link, target).is_some_and(|n| n.state.is_valid());
        let options = if known { 8 } else { 0 };
        let quoted = (skb.packet.len + 8).min(MIN_MTU - HEADER - REDIRECT - options) & !7;
        packet.len = HEADER + REDIRECT + options + quoted;
        let error = Skb { oif: Some(link.index), ..Skb::new(skb.ns, packet).at(skb.moment) };
        // `nf_conntrack_icmpv6_redirect` finds what it quotes in its first option alone.
        Some(if known { error } else { error.about(&skb.packet) })
    }
}
