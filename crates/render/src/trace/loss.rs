//! Why a packet is lost, and what is to be done about it: the words of each reason, by what it is
//! about.

mod answer;
mod bridge;
mod case;
mod link;
mod neighbour;
mod netfilter;
mod routing;
mod tunnel;
mod wireguard;

use case::{Case, Said};
use model::Snapshot;
use walk::{Loss, Packet, Reason, Unknown};

use crate::words as w;

/// Where a packet was lost: `docker01, on eth0`.
pub(crate) fn place(snapshot: &Snapshot, loss: &Loss) -> String {
    let ns = snapshot.name_of(loss.ns);
    match loss.link {
        Some(link) => format!("{ns}, on {}", w::link(snapshot, link)),
        None => ns,
    }
}

/// Why a packet was lost, in a sentence.
pub(crate) fn because(snapshot: &Snapshot, loss: &Loss, packet: &Packet) -> String {
    told(Case { snapshot, loss, packet }).because
}

/// What a person has to do about it, where no change is known that could be tried.
pub(crate) fn advice(snapshot: &Snapshot, loss: &Loss, packet: &Packet) -> Option<String> {
    told(Case { snapshot, loss, packet }).advice
}

fn told(c: Case<'_>) -> Said {
    match &c.loss.reason {
        Reason::NoRoute(ip) => routing::none(c, *ip),
        Reason::RouteRefuses(route) => routing::refuses(c, route),
        Reason::RoutingRule(rule) => routing::rule(rule),
        Reason::ForwardingOff => routing::forwarding_off(c),
        Reason::ReversePath { rp_filter, route } => {
            routing::reverse_path(c, *rp_filter, route.as_deref())
        }
        Reason::OwnSource => routing::own_source(c),
        Reason::Martian => routing::martian(c),
        Reason::OneHostToMany => routing::one_host_to_many(c),
        Reason::TtlExpired => routing::ttl_expired(),
        Reason::NoSource => routing::no_source(c),
        Reason::BeyondScope => routing::beyond_scope(c),
        Reason::NoRouteForGroups(group) => routing::no_route_for_groups(c, *group),
        Reason::HostGroup(group) => routing::host_group(*group),
        Reason::NotMember(group) => routing::not_member(c, *group),
        Reason::EchoIgnored => routing::echo_ignored(c),
        Reason::ErrorWithheld => routing::error_withheld(c),
        Reason::RuleDrop(rule) => netfilter::rule_drop(c, rule),
        Reason::RuleReject(rule, _) => netfilter::rule_reject(c, rule),
        Reason::FilterDrop(filter) => netfilter::filter_drop(c, filter),
        Reason::FilterSteals(filter) => netfilter::filter_steals(c, filter),
        Reason::PolicyDrop(chain) => netfilter::policy_drop(chain),
        Reason::NoWayBack { src } => netfilter::no_way_back(c, *src),
        Reason::MasqueradeMoved { from } => netfilter::masquerade_moved(c, *from),
        Reason::AnswersTaken { by } => netfilter::answers_taken(by),
        Reason::RedirectPastNat => netfilter::redirect_past_nat(),
        Reason::NoMasqueradeAddress => netfilter::no_masquerade_address(c),
        Reason::DeadEnd { ip } => neighbour::dead_end(c, *ip),
        Reason::NoNeighbour { ip, entry, because } => {
            neighbour::none(c, *ip, entry.as_ref(), because.as_deref())
        }
        Reason::DuplicateAddress { ip, owners } => neighbour::duplicate(c, *ip, owners),
        Reason::NotFromTheLink { hop_limit } => neighbour::not_from_the_link(*hop_limit),
        Reason::NoLinkLocal => neighbour::no_link_local(c),
        Reason::LinkDown => link::down(c),
        Reason::NoCarrier => link::no_carrier(c),
        Reason::PeerDown(peer) => link::peer_down(c, *peer),
        Reason::TooBig { mtu, told } => link::too_big(c, *mtu, *told),
        Reason::Swallowed => link::swallowed(c),
        Reason::Queue { kind, most } => link::queue(c, kind, *most),
        Reason::StandsBy => link::stands_by(c),
        Reason::NoVlanLink { id } => link::no_vlan_link(c, *id),
        Reason::Ipv6Disabled => link::ipv6_disabled(c),
        Reason::PortBlocked(port) => bridge::blocked(c, *port),
        Reason::PortLocked(port) => bridge::locked(c, *port),
        Reason::NoHairpin(port) => bridge::no_hairpin(c, *port),
        Reason::Isolated(port) => bridge::isolated(c, *port),
        Reason::NotInVlan { port, id } => bridge::not_in_vlan(c, *port, *id),
        Reason::NotWanted(group) => bridge::not_wanted(c, *group),
        Reason::Pause => bridge::pause(c),
        Reason::NoPort => bridge::no_port(c),
        Reason::NotOurMac(mac) => bridge::not_our_mac(c, *mac),
        Reason::WrongPlace { expected } => answer::wrong_place(c, *expected),
        Reason::AnswerMismatch { expected, got } => answer::mismatch(expected, got),
        Reason::NoRemote => tunnel::no_remote(c),
        Reason::NoTunnelRoute { remote, because } => tunnel::no_route(c, *remote, because),
        Reason::TunnelLoop => tunnel::goes_round(c),
        Reason::NoTunnelEnd { id, port, .. } => tunnel::no_end(c, *id, *port),
        Reason::RemoteFixed { mac } => tunnel::remote_fixed(c, *mac),
        Reason::NoPeer(ip) => wireguard::no_peer(c, *ip),
        Reason::NoEndpoint { peer } => wireguard::no_endpoint(c, *peer),
        Reason::NoPrivateKey => wireguard::no_private_key(c),
        Reason::NoHandshake { peer, because } => {
            wireguard::no_handshake(c, *peer, because.as_deref())
        }
        Reason::NoWireguard { port } => wireguard::nobody(c, *port),
        Reason::OtherKey { expected, key } => wireguard::other_key(c, *expected, *key),
        Reason::StrangePeer { peer } => wireguard::stranger(c, *peer),
        Reason::PresharedKey { peer } => wireguard::preshared_key(c, *peer),
        Reason::SourceNotAllowed { peer, src, owner } => {
            wireguard::not_allowed(c, *peer, *src, *owner)
        }
    }
}

/// Where it becomes unknown, and because of what.
pub(crate) fn unknown(snapshot: &Snapshot, u: &Unknown) -> (String, String) {
    match u {
        Unknown::Opaque { ns, what } => (snapshot.name_of(*ns), format!("{what}: not modelled")),
        Unknown::Link { link, what } => {
            (snapshot.link_name(*link), format!("{what}: not modelled"))
        }
        Unknown::Rule { rule, what } => (
            snapshot.name_of(rule.chain.ns),
            format!("{} (not modelled: {what})", w::rule_ref(snapshot, rule)),
        ),
        Unknown::Filter { filter, what } => (
            snapshot.link_name(filter.link),
            format!("{} (not modelled: {what})", w::filter_ref(snapshot, filter)),
        ),
        Unknown::Netfilter { ns, what } | Unknown::Routing { ns, what } => {
            (snapshot.name_of(*ns), format!("{what}: not modelled"))
        }
        Unknown::Gap { ns, what } => (snapshot.name_of(*ns), format!("not read: {what}")),
        Unknown::Packet(what) => ("the packet itself".to_owned(), format!("{what}: not modelled")),
    }
}
