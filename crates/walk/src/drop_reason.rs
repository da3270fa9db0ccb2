//! What the kernel calls the losses that are foretold, and whether what it says fits them.

use model::Hook;

use crate::trace::Way;
use crate::{
    Cause, Checked, Disposition, IcmpKind, KernelDrop, Leg, Loss, Payload, Reason, Trace, Verdict,
};

/// The reason of a kernel that gives none.
const UNSAID: &str = "NOT_SPECIFIED";

impl Reason {
    /// What the kernel may call it (`enum skb_drop_reason`, without its prefix): newer kernels tell
    /// more of them apart, and where they do not, say `NOT_SPECIFIED`. Empty: it throws no packet
    /// away for it.
    #[must_use]
    pub const fn kernel_names(&self) -> &'static [&'static str] {
        match self {
            // ip_error
            Self::Ipv6Disabled => &["IPV6DISABLED", "NOT_SPECIFIED"],
            // ip6_forward; and who cannot ask gets no answer.
            Self::BeyondScope => &["IP_INADDRERRORS"],
            // ip6_finish_output2
            Self::HostGroup(_) => &["NOT_SPECIFIED"],
            // ip6_forward
            Self::NoRouteForGroups(_) => &["IP_INADDRERRORS", "NOT_SPECIFIED"],
            Self::NoLinkLocal => &["NEIGH_FAILED"],
            Self::NoRoute(_) => &["IP_INNOROUTES", "IP_INADDRERRORS", "IP_OUTNOROUTES"],
            Self::RouteRefuses(_) | Self::RoutingRule(_) => {
                &["NOT_SPECIFIED", "IP_INNOROUTES", "IP_INADDRERRORS", "IP_OUTNOROUTES"]
            }
            Self::ForwardingOff => &["IP_INADDRERRORS"],
            // fib_validate_source, ip_route_input_slow
            Self::ReversePath { .. } => &["IP_RPFILTER"],
            Self::OwnSource => &["IP_LOCAL_SOURCE"],
            Self::Martian => &[
                "IP_LOCALNET",
                "IP_INVALID_SOURCE",
                "IP_INVALID_DEST",
                "IP_INHDR",
                "IP_INADDRERRORS",
            ],
            // ip_rcv_finish_core, ip6_rcv_core
            Self::OneHostToMany => &["UNICAST_IN_L2_MULTICAST", "NOT_SPECIFIED"],
            Self::RuleDrop(_)
            | Self::RuleReject(..)
            | Self::PolicyDrop(_)
            | Self::NoMasqueradeAddress
            | Self::MasqueradeMoved { .. }
            | Self::AnswersTaken { .. }
            | Self::RedirectPastNat => &["NETFILTER_DROP"],
            // sch_handle_ingress, sch_handle_egress; what is taken is no loss to them.
            Self::FilterDrop(filter) => match filter.hook {
                Hook::Ingress => &["TC_INGRESS", "TC_RECLASSIFY_LOOP", "TC_CHAIN_NOTFOUND"],
                _ => &["TC_EGRESS", "TC_RECLASSIFY_LOOP", "TC_CHAIN_NOTFOUND"],
            },
            Self::FilterSteals(_) => &[],
            // br_forward, __dev_forward_skb, dev_queue_xmit; and nobody answers behind such a link.
            Self::LinkDown | Self::NoCarrier | Self::PeerDown(_) => &[
                "NOT_SPECIFIED",
                "NO_TX_TARGET",
                "DEV_READY",
                "QDISC_DROP",
                "BRIDGE_INGRESS_STP_STATE",
                "NEIGH_FAILED",
            ],
            Self::NoNeighbour { .. } | Self::DeadEnd { .. } => &["NEIGH_FAILED"],
            // Nobody answers any more, or the wrong one takes it.
            Self::DuplicateAddress { .. } => &["NEIGH_FAILED", "NO_SOCKET"],
            Self::TooBig { told: true, .. } => &["PKT_TOO_BIG"],
            Self::TooBig { told: false, .. } => &["NOT_SPECIFIED"],
            Self::TtlExpired => &["IP_INHDR"],
            Self::PortBlocked(_) => &["BRIDGE_INGRESS_STP_STATE", "NO_TX_TARGET", "NOT_SPECIFIED"],
            // br_handle_frame_finish
            Self::PortLocked(_) => &["MAC_INVALID_SOURCE", "NOT_SPECIFIED"],
            // br_handle_frame
            Self::Pause => &["MAC_IEEE_MAC_CONTROL", "NOT_SPECIFIED"],
            Self::NoHairpin(_) | Self::Isolated(_) | Self::NoPort | Self::NotWanted(_) => {
                &["NO_TX_TARGET", "NOT_SPECIFIED"]
            }
            // __allowed_ingress, br_forward, br_flood; ip_rcv_core
            Self::NotInVlan { .. } => &["NOT_SPECIFIED", "NO_TX_TARGET", "VLAN_FILTER"],
            Self::NoVlanLink { .. } => &["OTHERHOST"],
            // ip_route_input_rcu
            Self::NotMember(_) => &["IP_INADDRERRORS", "NOT_SPECIFIED"],
            // What is for all on a link is not forwarded (ip_forward).
            Self::NotOurMac(mac) if mac.is_group() => &["NOT_SPECIFIED"],
            Self::NotOurMac(_) => &["OTHERHOST"],
            // What comes where nobody waits for it, and what never was on its way.
            Self::WrongPlace { .. } | Self::AnswerMismatch { .. } => &["NO_SOCKET"],
            Self::NoSource => &["IP_INVALID_SOURCE"],
            // vxlan_xmit, vxlan_xmit_one, vxlan_rcv
            // dummy_xmit frees without saying why; a bond's port takes it for nobody.
            Self::Swallowed => &[],
            // __dev_xmit_skb
            Self::Queue { .. } => &["QDISC_DROP"],
            // ndisc_rcv
            Self::NotFromTheLink { .. } => &["IPV6_NDISC_HOP_LIMIT", "NOT_SPECIFIED"],
            Self::StandsBy => &["NOT_SPECIFIED", "UNHANDLED_PROTO"],
            Self::NoRemote => &["NO_TX_TARGET", "VXLAN_NO_REMOTE"],
            Self::NoTunnelRoute { .. } => &["IP_OUTNOROUTES", "NOT_SPECIFIED"],
            Self::TunnelLoop => &["LOCAL_MAC"],
            Self::NoTunnelEnd { open: true, .. } => &["VXLAN_VNI_NOT_FOUND", "TUNNEL_TXINFO"],
            Self::NoTunnelEnd { open: false, .. } => &["NO_SOCKET"],
            // wg_xmit; what waits for a handshake is kept, and nobody can see into what is encrypted.
            Self::NoPeer(_) | Self::NoEndpoint { .. } => &["NOT_SPECIFIED"],
            Self::NoPrivateKey
            | Self::NoHandshake { .. }
            | Self::NoWireguard { .. }
            | Self::OtherKey { .. }
            | Self::StrangePeer { .. }
            | Self::PresharedKey { .. }
            // Let go as if it had been taken (consume_skb).
            | Self::SourceNotAllowed { .. } => &[],
            Self::RemoteFixed { .. } => &["VXLAN_ENTRY_EXISTS"],
            Self::EchoIgnored | Self::ErrorWithheld | Self::NoWayBack { .. } => &[],
        }
    }
}

impl KernelDrop {
    /// It had come to where sockets are looked for: what is thrown away there was not lost on its
    /// way.
    #[must_use]
    pub fn is_at_socket(&self) -> bool {
        let socket = ["NO_SOCKET", "SOCKET_", "TCP_", "PROTO_MEM", "QUEUE_PURGE"];
        // What was for many, and nobody waits for or answers; what asks for a connection again.
        let unheard = |f: &str| {
            let tcp = ["tcp_v4_rcv", "tcp_v6_rcv", "tcp_v4_do_rcv", "tcp_v6_do_rcv"];
            let group6 = f == "icmpv6_rcv" && self.packet.dst.is_multicast();
            f.starts_with("__udp") || f == "icmp_rcv" || group6 || tcp.contains(&f)
        };
        self.function.as_deref().is_some_and(unheard)
            || socket.iter().any(|s| self.reason.starts_with(s))
    }

    /// What only ends, and is told of as if it were lost. `named`: whether this kernel has a reason
    /// of that name.
    fn is_no_loss(&self, named: impl Fn(&str) -> bool) -> bool {
        // A process of ours that is being started still holds a copy of a socket that is closed.
        // Kernels that have no such reason give none.
        let queue = ["inet_sock_destruct", "skb_queue_purge", "skb_queue_purge_reason"];
        // Older ones end every message of ICMPv6 like this, answered or not.
        let message = self.function.as_deref() == Some("icmpv6_rcv");
        let of_queue = self.function.as_deref().is_some_and(|f| queue.contains(&f));
        self.reason == "QUEUE_PURGE"
            || self.reason == UNSAID
                && (of_queue && !named("QUEUE_PURGE") || message && !named("IPV6_NDISC_BAD_CODE"))
    }
}

impl Checked {
    /// Takes in what the kernel says that it threw away: what does not fit the trace, and what
    /// tells why the packet did not arrive. `named`: whether this kernel has a reason of that name.
    pub fn heed(&mut self, trace: &Trace, drops: Vec<KernelDrop>, named: impl Fn(&str) -> bool) {
        let open = matches!(trace.verdict(), Verdict::Unknown(_));
        for drop in drops.into_iter().filter(|drop| !drop.is_no_loss(&named)) {
            let fits = open || trace.foretells(&drop, &named);
            self.agrees &= fits;
            if !fits || !self.arrived && !drop.is_at_socket() {
                self.drops.push(drop);
            }
        }
    }
}

impl Trace {
    /// Whether what the kernel says of a packet that it threw away fits what was foretold.
    /// `named`: whether this kernel has a reason of that name.
    #[must_use]
    pub fn accounts_for(&self, drop: &KernelDrop, named: impl Fn(&str) -> bool) -> bool {
        drop.is_no_loss(&named) || self.foretells(drop, named)
    }

    /// Whether a loss is one that was foretold.
    fn foretells(&self, drop: &KernelDrop, named: impl Fn(&str) -> bool) -> bool {
        let ways = self.ways();
        let mut ends = Vec::new();
        ways.for_each(|way| ends_of(way, Leg::There, &mut ends));
        let mut of_leg = ends.iter().filter(|(leg, _)| *leg == drop.leg).peekable();
        // A packet that was not foretold at all is told of by where it was seen.
        of_leg.peek().is_none()
            || of_leg.any(|(_, end)| accounts(end, drop, &named))
            || self.is_unanswered_echo(drop)
    }

    /// An echo request of IPv6 to which no answer could be sent (`icmpv6_rcv`).
    fn is_unanswered_echo(&self, drop: &KernelDrop) -> bool {
        let (Disposition::Delivered(ns), Some(back)) = (&self.there.disposition, &self.back) else {
            return false;
        };
        let unsent = matches!(&back.disposition, Disposition::Lost(loss) if loss.ns == *ns);
        let asked =
            matches!(drop.packet.payload, Payload::Icmp { kind: IcmpKind::EchoRequest, .. });
        let here = drop.leg == Leg::There && drop.ns.is_none_or(|at| at == *ns);
        drop.packet.is_ipv6() && asked && here && unsent && drop.reason == "NOT_SPECIFIED"
    }
}

fn ends_of<'t>(way: &'t Way, inherited: Leg, ends: &mut Vec<(Leg, &'t Disposition)>) {
    let leg = way.leg(inherited);
    ends.push((leg, &way.disposition));
    for child in way.hops.iter().flat_map(|h| &h.steps).flat_map(|s| &s.children) {
        // ARP carries no tag, nor do handshakes.
        if !matches!(child.cause, Cause::ArpRequest | Cause::Handshake) {
            ends_of(child, leg, ends);
        }
    }
}

fn accounts(end: &Disposition, drop: &KernelDrop, named: impl Fn(&str) -> bool) -> bool {
    match end {
        // Lost for no reason that the kernel would give, such as out of this host's sight.
        Disposition::Lost(loss) if loss.reason.kernel_names().is_empty() => true,
        Disposition::Lost(loss) => {
            names_fit(loss, drop, named) && place_fits(loss, drop) && function_fits(loss, drop)
        }
        // Behind the last step there is still a socket, or none.
        Disposition::Delivered(ns) => drop.is_at_socket() && drop.ns.is_none_or(|at| at == *ns),
        Disposition::Ignored | Disposition::Left(_) | Disposition::Unknown(_) => true,
    }
}

fn names_fit(loss: &Loss, drop: &KernelDrop, named: impl Fn(&str) -> bool) -> bool {
    let names = loss.reason.kernel_names();
    // Rewritten by a rule and routed anew without success: the hook throws it away
    // (`ip_route_me_harder`), on a bridge what comes behind it.
    let rerouted = matches!(
        loss.reason,
        Reason::NoRoute(_) | Reason::RouteRefuses(_) | Reason::RoutingRule(_) | Reason::Martian
    ) && matches!(
        drop.function.as_deref(),
        Some("nf_hook_slow" | "br_nf_pre_routing_finish_ipv6")
    );
    // ndisc_error_report gives no reason, arp_error_report does. A gateway of IPv4 may be of IPv6.
    let by_nd = drop.packet.is_ipv6()
        || matches!(loss.reason, Reason::NoNeighbour { ip, .. } if ip.is_ipv6())
        || matches!(loss.reason, Reason::NoLinkLocal);
    let unsaid = by_nd && drop.reason == UNSAID && names.contains(&"NEIGH_FAILED");
    let big = matches!(loss.reason, Reason::TooBig { told: true, .. });
    // ip_fragment and ip6_fragment give none.
    let fragment =
        |function: &str| function.starts_with("ip_fragment") || function == "ip6_fragment";
    let unbroken = big && drop.reason == UNSAID && drop.function.as_deref().is_some_and(fragment);
    // `vrf_tx_error`.
    let of_vrf = drop.reason == UNSAID
        && drop.function.as_deref().is_some_and(|f| f.contains("vrf_") || f == "is_ip_tx_frame");
    names.contains(&drop.reason.as_str())
        || rerouted
        || of_vrf
        || unbroken
        || unsaid
        || drop.reason == UNSAID && !names.iter().all(|name| named(name))
}

/// A pair's sender throws away what the other end would not take.
fn place_fits(loss: &Loss, drop: &KernelDrop) -> bool {
    let across = matches!(
        loss.reason,
        Reason::PeerDown(_) | Reason::LinkDown | Reason::TooBig { told: false, .. }
    );
    across || drop.ns.is_none_or(|ns| ns == loss.ns)
}

/// What a rule throws away is gone within its chain (`nft_do_chain`), also for want of an address to
/// translate to; what translation or routing behind it does, only where the hook ends (`nf_hook_slow`, which older kernels and iptables-legacy
/// have for both).
fn function_fits(loss: &Loss, drop: &KernelDrop) -> bool {
    let behind = matches!(
        loss.reason,
        Reason::MasqueradeMoved { .. } | Reason::RedirectPastNat | Reason::AnswersTaken { .. }
    );
    !behind || drop.function.as_deref() != Some("nft_do_chain")
}

#[cfg(test)]
mod tests {
    use model::{HostId, NsId, NsKey};

    use super::*;

    const fn ns(ino: u64) -> NsId {
        NsId { host: HostId(0), key: NsKey::Inode { dev: 4, ino } }
    }

    fn drop(at: u64, reason: &str) -> KernelDrop {
        let place = crate::Place::Namespace(ns(1));
        let to = std::net::Ipv4Addr::new(192, 0, 2, 2);
        let packet = crate::Question::new(place, to, crate::Protocol::Icmp).packet;
        let reason = reason.to_owned();
        KernelDrop { ns: Some(ns(at)), link: None, reason, function: None, packet, leg: Leg::There }
    }

    #[track_caller]
    fn check(end: &Disposition, at: u64, reason: &str, fits: bool) {
        let named = |name: &str| name != "IP_LOCAL_SOURCE";
        assert_eq!(accounts(end, &drop(at, reason), named), fits, "{end:?}: {reason}");
    }

    fn lost(reason: Reason) -> Disposition {
        Disposition::Lost(Loss { ns: ns(1), link: None, reason })
    }

    #[test]
    fn what_the_kernel_says_of_a_loss() {
        check(&lost(Reason::ForwardingOff), 1, "IP_INADDRERRORS", true);
        check(&lost(Reason::ForwardingOff), 2, "IP_INADDRERRORS", false);
        check(&lost(Reason::ForwardingOff), 1, "IP_RPFILTER", false);
        check(&lost(Reason::ForwardingOff), 1, "NOT_SPECIFIED", false);
        // A kernel without that name.
        check(&lost(Reason::OwnSource), 1, "NOT_SPECIFIED", true);
        let big = Reason::TooBig { mtu: 600, told: false };
        check(&lost(big), 2, "NOT_SPECIFIED", true);
        check(&Disposition::Delivered(ns(1)), 1, "NO_SOCKET", true);
        check(&Disposition::Delivered(ns(1)), 1, "NETFILTER_DROP", false);
        check(&Disposition::Ignored, 3, "OTHERHOST", true);
    }

    #[test]
    fn what_translation_ends_no_chain_has_thrown_away() {
        let end = lost(Reason::RedirectPastNat);
        for (function, fits) in [("nf_hook_slow", true), ("nft_do_chain", false)] {
            let function = Some(function.to_owned());
            let drop = KernelDrop { function, ..drop(1, "NETFILTER_DROP") };
            assert_eq!(accounts(&end, &drop, |_| true), fits);
        }
    }
}
