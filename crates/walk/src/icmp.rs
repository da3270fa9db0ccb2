//! ICMP errors: a refused packet's sender is told, by a packet of its own.

use std::net::{IpAddr, Ipv4Addr};

use model::{Hook, LinkId, RouteKind, RuleAction, Scope};

use crate::group::cast;
use crate::indexed::Place;
use crate::overlay::Membership;
use crate::question::TTL;
use crate::route::Flow;
use crate::skb::{Next, Skb, Stop};
use crate::vrf::is_unrouted_by_vrf;
use crate::walker::Walker;
use crate::{Cause, Disposition, IcmpKind, Packet, Payload, Reason, RejectWith, Sink, Stage};

/// IP and ICMP header of an error; the refused packet follows.
const HEADERS: u32 = 28;
/// An error is never longer than this.
const MAX: u32 = 576;

/// `icmp_send`: the error of that kind about a packet, before its source is chosen.
pub(crate) fn message(about: &Packet, kind: IcmpKind, ttl: u8) -> Packet {
    Packet {
        src_mac: None,
        dst_mac: None,
        src: Ipv4Addr::UNSPECIFIED.into(),
        // What has no source is answered to this host itself, as if it had asked for 0.0.0.0.
        dst: if about.src.is_unspecified() { Ipv4Addr::LOCALHOST.into() } else { about.src },
        ttl,
        tos: 0xc0 | about.tos & 0x1e,
        df: false,
        len: (about.len + HEADERS).min(MAX),
        payload: Payload::Icmp { kind, id: 0 },
        mss: None,
    }
}

/// Whether a sender is told by a packet: one of this host is told by its own call, but for what
/// turns out later. `replies`: the kernel itself sends it, and holds its only socket meanwhile; but
/// not any more when a neighbour has not answered.
pub(crate) fn hears(skb: &Skb, stop: &Stop, reason: &Reason, replies: bool) -> bool {
    let later = match stop.stage {
        Stage::Hook(_) => matches!(reason, Reason::RuleReject(..)),
        Stage::Transmit => {
            matches!(reason, Reason::TooBig { .. } | Reason::NoPeer(_) | Reason::NoEndpoint { .. })
        }
        _ => false,
    };
    // A bridged packet has no link that it came in by but its port.
    let came = skb.iif.is_some() || skb.physin.is_some();
    came || stop.stage == Stage::Neighbour || later && !replies
}

/// No error is sent about messages of ICMP that are no echoes.
pub(crate) const fn is_told_of(packet: &Packet) -> bool {
    match packet.payload {
        Payload::Icmp { kind, .. } => kind.is_echo(),
        _ => true,
    }
}

/// The kernel itself sends it, and holds its only ICMP socket meanwhile (`icmp_xmit_lock`): while it
/// is being sent no error about it can be.
const fn is_echo_reply(packet: &Packet) -> bool {
    matches!(packet.payload, Payload::Icmp { kind: IcmpKind::EchoReply, .. })
}

impl Place<'_> {
    /// IP4_REPLY_MARK, IP6_REPLY_MARK: the mark of what the kernel itself answers to a packet.
    pub(crate) const fn reply_mark(&self, skb: &Skb) -> u32 {
        let sysctls = &self.ns.sysctls;
        let reflects = match skb.packet.is_ipv6() {
            false => sysctls.fwmark_reflect,
            true => sysctls.ipv6_fwmark_reflect,
        };
        if reflects { skb.mark } else { 0 }
    }
}

impl<S: Sink> Walker<'_, '_, S> {
    /// The ICMP error about a packet that was refused just now.
    pub(crate) fn refuse(&mut self, skb: &Skb, stop: &Stop) {
        self.reset(skb, stop);
        if skb.packet.is_ipv6() {
            return self.refuse6(skb, stop);
        }
        let Some(kind) = self.error(skb, stop) else { return };
        let mut error = self.error_about4(skb, kind);
        // About what was for this host itself, it speaks as whom it was for. What a bridge passes on
        // is for nobody here, whatever its address.
        let own = self.known_place(skb.ns).and_then(|place| place.owner(skb.packet.dst));
        let bridged = skb.physin.is_some() && skb.iif.is_none();
        if own.is_some() && (!bridged || stop.stage == Stage::Hook(Hook::Prerouting)) {
            error.packet.src = skb.packet.dst;
        }
        error.vrf = self.error_vrf(skb, stop);
        self.send_error(error);
    }

    /// `ip_rt_send_redirect`: the sender is told that it could have sent the packet to the next hop
    /// itself.
    pub(crate) fn redirect4(&self, skb: &Skb, out: LinkId) -> Option<Skb> {
        let vrf = self.known_place(skb.ns)?.vrf_of(out.index);
        let redirect = || Skb { vrf, ..self.error_about4(skb, IcmpKind::Redirect) };
        is_told_of(&skb.packet).then(redirect)
    }

    /// `icmp_send`, of a packet that was not for this host itself.
    fn error_about4(&self, skb: &Skb, kind: IcmpKind) -> Skb {
        let mark = self.reply_mark(skb);
        let mut packet = message(&skb.packet, kind, 0);
        packet.src = self.inbound_address(skb).unwrap_or(packet.src);
        packet.ttl = self.hop_limit(skb.ns, &Flow::of(&packet, mark, None));
        let mut error = Skb::new(skb.ns, packet).at(skb.moment).about(&skb.packet);
        error.mark = mark;
        error.ct = skb.ct.map(Membership::of_consequence);
        error
    }

    /// A packet goes on; a redirect about it is told behind what becomes of it, as child of the last
    /// step before.
    pub(crate) fn redirecting<T>(
        &mut self,
        redirect: Option<Skb>,
        go_on: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let step = self.sink.last();
        let moved = go_on(self);
        if let Some(redirect) = redirect {
            self.send_error_of(step, redirect);
        }
        moved
    }

    /// An error goes its own way, as child of the last step told.
    pub(crate) fn send_error(&mut self, error: Skb) {
        self.send_error_of(self.sink.last(), error);
    }

    /// The same, as child of that step.
    pub(crate) fn send_error_of(&mut self, step: (usize, usize), error: Skb) {
        let packet = error.packet.clone();
        let (end, way) = match self.withheld(&error) {
            Some(why) => self.beside(|walker| walker.end_at_once(error, why)),
            None => self.aside(error, Next::Socket),
        };
        self.sink.child_of(step, Cause::IcmpError, &packet, way, &end.disposition);
    }

    /// Which error is due, if one is.
    fn error(&self, skb: &Skb, stop: &Stop) -> Option<IcmpKind> {
        let Disposition::Lost(loss) = &stop.disposition else { return None };
        let heard = hears(skb, stop, &loss.reason, is_echo_reply(&skb.packet));
        let many = skb.is_to_many();
        if many || cast(skb.packet.dst).is_some() || self.is_to_subnet(skb) {
            return None;
        }
        if is_unrouted_by_vrf(stop, &loss.reason)
            || skb.arp.is_some()
            || skb.about.is_some()
            || !heard
            || !is_told_of(&skb.packet)
        {
            return None;
        }
        match &loss.reason {
            Reason::NoRoute(_) if self.forwards(skb) => Some(IcmpKind::Unreachable(0)),
            // `ip_error`: where nothing is forwarded, nobody is told either.
            Reason::RouteRefuses(_) | Reason::RoutingRule(_) if !self.forwards(skb) => None,
            Reason::RoutingRule(rule) => match rule.action {
                RuleAction::Unreachable => Some(IcmpKind::Unreachable(0)),
                RuleAction::Prohibit => Some(IcmpKind::Unreachable(13)),
                _ => None,
            },
            Reason::RouteRefuses(route) => match route.kind {
                RouteKind::Unreachable => Some(IcmpKind::Unreachable(1)),
                RouteKind::Prohibit => Some(IcmpKind::Unreachable(13)),
                _ => None,
            },
            // Where two answer, and neither answer comes, there is none either.
            Reason::NoNeighbour { .. }
            | Reason::DuplicateAddress { .. }
            | Reason::NoCarrier
            | Reason::PeerDown(_)
                if stop.stage == Stage::Neighbour =>
            {
                Some(IcmpKind::Unreachable(1))
            }
            Reason::TooBig { told: true, .. } => Some(IcmpKind::Unreachable(4)),
            Reason::NoPeer(_) | Reason::NoEndpoint { .. } => Some(IcmpKind::Unreachable(1)),
            Reason::NoTunnelEnd { open: false, .. } | Reason::NoWireguard { .. } => {
                Some(IcmpKind::Unreachable(3))
            }
            Reason::TtlExpired => Some(IcmpKind::TimeExceeded),
            Reason::RuleReject(_, RejectWith::Icmp(code)) => Some(IcmpKind::Unreachable(*code)),
            _ => None,
        }
    }

    /// The address that errors have of the link that the packet came in by, where that is set.
    fn inbound_address(&self, skb: &Skb) -> Option<IpAddr> {
        let place = self.known_place(skb.ns)?;
        let came = skb.member.or(skb.iif)?;
        let set = place.ns.sysctls.icmp_errors_use_inbound_ifaddr;
        let src = skb.packet.src;
        set.then(|| place.select_address(came, Some(src), Scope::Link)).flatten()
    }

    /// [`Place::reply_mark`].
    pub(crate) fn reply_mark(&self, skb: &Skb) -> u32 {
        self.known_place(skb.ns).map_or(0, |place| place.reply_mark(skb))
    }

    /// For all of a subnet: nobody is told of such a packet (`icmp_send`).
    pub(crate) fn is_to_subnet(&self, skb: &Skb) -> bool {
        let place = self.known_place(skb.ns);
        place.is_some_and(|place| {
            place.ns.links.keys().any(|link| place.broadcasts_to(*link, skb.packet.dst))
        })
    }

    /// Time to live of what the kernel itself sends from there.
    pub(crate) fn hop_limit(&self, ns: model::NsId, flow: &Flow) -> u8 {
        self.known_place(ns).map_or(TTL, |place| place.hop_limit(flow))
    }

    fn forwards(&self, skb: &Skb) -> bool {
        let place = self.known_place(skb.ns);
        // `ip_error`: of a VRF, by the member that it came by.
        place.zip(skb.member.or(skb.iif)).is_some_and(|(place, iif)| place.conf(iif).forwarding)
    }
}
