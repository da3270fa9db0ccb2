use model::Snapshot;
use walk::{Loss, Packet, Place, Reason, Unknown};

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
    let link = loss.link.map_or_else(|| "the link".to_owned(), |l| w::link(snapshot, l));
    let in_ns = |r: &model::Route| match snapshot.namespaces.get(&loss.ns) {
        Some(ns) => w::route_short(ns, r),
        None => w::prefix(&r.dst),
    };
    match &loss.reason {
        Reason::NoRoute(ip) => format!("no route leads to {ip}"),
        Reason::RoutingRule(r) => format!("a routing rule refuses it: {}", w::ip_rule(r)),
        Reason::RouteRefuses(r) => format!("a route refuses it: {}", in_ns(r)),
        Reason::ForwardingOff => {
            format!(
                "{} is not an address of this namespace, and it does not forward ({} 0)",
                packet.dst,
                w::forwarding(packet)
            )
        }
        Reason::ReversePath { rp_filter, route } => {
            let way = match route {
                Some(r) => format!("is by {}", in_ns(r)),
                None => "does not exist".to_owned(),
            };
            format!(
                "it came in by {link}, but the way back to {} {way} (rp_filter {rp_filter})",
                packet.src
            )
        }
        Reason::OwnSource => {
            format!("its source {} is an address of this namespace itself", packet.src)
        }
        Reason::Martian => {
            format!("{} → {} may not pass here (martian address)", packet.src, packet.dst)
        }
        Reason::RuleDrop(r) => format!("a rule drops it: {}", w::rule_ref(snapshot, r)),
        Reason::RuleReject(r, _) => format!("a rule refuses it: {}", w::rule_ref(snapshot, r)),
        Reason::PolicyDrop(c) => {
            let (family, table, chain) = (c.family.as_str(), &c.table, &c.chain);
            format!("no rule of {family} {table} {chain} accepts it, and the policy is drop")
        }
        Reason::DeadEnd { ip } => {
            let what = match loss.link.and_then(|l| snapshot.link(l)) {
                Some(l) if l.master.is_none() && !w::has_address(snapshot, loss) => {
                    ", which has no address and is no port of a bridge"
                }
                _ => "",
            };
            format!("the question who has {ip} ends at {link}{what}")
        }
        Reason::NoWayBack { src } => format!(
            "it leaves with the source {src}, which nobody beyond {link} can answer: no translation \
             and no route back"
        ),
        Reason::LinkDown => format!("{link} is down"),
        Reason::NoCarrier => format!("{link} is up but has no carrier"),
        Reason::PeerDown(peer) => format!("its other end {} is down", snapshot.link_name(*peer)),
        Reason::NoNeighbour { ip, entry, because: asked } => {
            let entry = entry.as_ref().map(|e| format!(" (entry {})", e.state.as_str()));
            let text = format!("nobody on {link} answers for {ip}{}", entry.unwrap_or_default());
            match asked {
                Some(inner) => {
                    let (at, why) = (place(snapshot, inner), because(snapshot, inner, packet));
                    format!("{text}: the request or its answer is lost at {at}: {why}")
                }
                None => text,
            }
        }
        Reason::DuplicateAddress { ip, owners } => {
            let list: Vec<String> = owners
                .iter()
                .map(|(l, mac)| format!("{} ({mac})", snapshot.link_name(*l)))
                .collect();
            format!("{ip} is given twice: {}", list.join(" and "))
        }
        Reason::TooBig { mtu, told } => {
            let told = if *told { "the sender is told" } else { "the sender is not told" };
            let df = if packet.df { " and must not be broken up" } else { "" };
            format!("{} bytes are too many for an MTU of {mtu}{df}; {told}", packet.len)
        }
        Reason::TtlExpired => "its time to live has run out".to_owned(),
        Reason::PortBlocked(port) => {
            let state = snapshot.link(*port).and_then(w::trouble).unwrap_or("not forwarding");
            format!("the port {} does not forward ({state})", w::link(snapshot, *port))
        }
        Reason::PortLocked(port) => {
            let port = w::link(snapshot, *port);
            format!("the port {port} is locked, and no entry says that the sender is behind it")
        }
        Reason::NoHairpin(port) => {
            let port = w::link(snapshot, *port);
            format!("it would have to go back out of {port}, and hairpin is off there")
        }
        Reason::Isolated(port) => {
            format!("{} is isolated, as is the port that it came in by", w::link(snapshot, *port))
        }
        Reason::NotInVlan { port, id } => {
            let port = w::link(snapshot, *port);
            match id {
                Some(id) => format!("{port} is not in VLAN {id}, which the frame belongs to"),
                None => format!("the frame has no tag, and {port} has no VLAN for such (PVID)"),
            }
        }
        Reason::NoVlanLink { id } => {
            format!("the frame has the tag of VLAN {id}, and no link on {link} takes that")
        }
        Reason::NotWanted(group) => {
            format!("nobody on {link} has asked for {group}, and somebody asks for members there")
        }
        Reason::NoPort => format!("{link} has no other port that could take it"),
        Reason::NotMember(group) => format!("nobody at {link} is in the group {group}"),
        Reason::NotOurMac(mac) => format!("the frame is for {mac}, which is not {link}'s address"),
        Reason::WrongPlace { expected } => {
            format!("the answer ends here, but it was meant for {}", whose(snapshot, *expected))
        }
        Reason::AnswerMismatch { expected, got } => {
            let (expected, got) = (w::tuple(expected), w::tuple(got));
            format!("the sender waits for {expected}, and {got} came")
        }
        Reason::NoSource => {
            format!("it comes from {}: its sender had no address to send it from", packet.src)
        }
        Reason::MasqueradeMoved { from } => format!(
            "its connection is masqueraded going out by {}, and ends as it goes out by {link}",
            w::link(snapshot, *from)
        ),
        Reason::RedirectPastNat => {
            "it redirects a connection that is translated here, past the translation".to_owned()
        }
        Reason::NoMasqueradeAddress => format!("{link} has no address to translate to"),
        Reason::Swallowed => format!("{link} throws away what it is given"),
        Reason::NotFromTheLink { hop_limit } => format!(
            "its hop limit is {hop_limit}: neighbour discovery believes only what comes with 255"
        ),
        Reason::StandsBy => format!("{link} is a port of a bond that stands by"),
        Reason::NoRemote => {
            let mac = packet.dst_mac.map_or_else(|| "it".to_owned(), |mac| mac.to_string());
            format!("{link} does not know where {mac} is, and has no remote for such")
        }
        Reason::NoTunnelRoute { remote, because: why } => {
            let (at, why) = (place(snapshot, why), because(snapshot, why, packet));
            format!("{link} does not get it to its other end {remote}: {at}: {why}")
        }
        Reason::TunnelLoop => format!("{link} would have to carry what it has sent itself"),
        Reason::NoTunnelEnd { id, port, .. } => {
            format!("no tunnel here that is up takes packets of {id} on UDP port {port}")
        }
        Reason::NoPeer(ip) => format!("no peer of {link} has {ip} among its allowed ips"),
        Reason::NoEndpoint { peer } => {
            let whom = w::peer(snapshot, *peer);
            format!(
                "{link} does not know where {whom} is: it has no endpoint, and was not heard yet"
            )
        }
        Reason::NoPrivateKey => format!("{link} has no private key"),
        Reason::NoHandshake { peer, because: why } => {
            let whom = w::peer(snapshot, *peer);
            let why = why.as_ref().map_or_else(String::new, |why| {
                let (at, why) = (place(snapshot, why), because(snapshot, why, packet));
                format!(": {at}: {why}")
            });
            format!("{link} comes to no handshake with {whom}{why}")
        }
        Reason::NoWireguard { port } => {
            format!("no WireGuard link that is up waits here on UDP port {port}")
        }
        Reason::OtherKey { expected, key } => {
            let expected = w::peer(snapshot, *expected);
            let own = key.map_or_else(|| "none".to_owned(), |key| format!("{}…", key.short()));
            format!("the message is for {expected}, and the key of {link} is another: {own}")
        }
        Reason::StrangePeer { peer } => {
            format!("{} is no peer of {link}", w::peer(snapshot, *peer))
        }
        Reason::PresharedKey { peer } => {
            let whom = w::peer(snapshot, *peer);
            format!("of {link} and {whom} only one has a preshared key for the other")
        }
        Reason::SourceNotAllowed { peer, src, owner } => {
            let whom = w::peer(snapshot, *peer);
            let owner = owner.map_or_else(String::new, |owner| {
                format!(", but among those of {}", w::peer(snapshot, owner))
            });
            format!("{src} is not among the allowed ips of {whom} on {link}{owner}")
        }
        Reason::RemoteFixed { mac } => {
            format!("by an entry of {link}'s, {mac} is behind another remote")
        }
        Reason::Ipv6Disabled => {
            let small = loss.link.and_then(|l| snapshot.link(l)).is_some_and(|l| l.mtu < 1280);
            let why = if small { "its MTU is under 1280" } else { "disable_ipv6 1" };
            format!("{link} carries no IPv6 ({why})")
        }
        Reason::BeyondScope => {
            format!(
                "its source {} is an address of its link alone, and it would leave it",
                packet.src
            )
        }
        Reason::NoLinkLocal => {
            format!("{link} has no link-local address that is ready to ask from")
        }
        Reason::EchoIgnored if packet.is_ipv6() => {
            "echo requests are not answered here (ipv6 icmp.echo_ignore_all 1)".into()
        }
        Reason::EchoIgnored => {
            "echo requests are not answered here (icmp_echo_ignore_all 1)".into()
        }
    }
}

fn whose(snapshot: &Snapshot, place: Place) -> String {
    match place {
        Place::Namespace(ns) => snapshot.name_of(ns),
        Place::Outside(link) => format!("outside, by {}", snapshot.link_name(link)),
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
        Unknown::Netfilter { ns, what } | Unknown::Routing { ns, what } => {
            (snapshot.name_of(*ns), format!("{what}: not modelled"))
        }
        Unknown::Gap { ns, what } => (snapshot.name_of(*ns), format!("not read: {what}")),
        Unknown::Packet(what) => ("the packet itself".to_owned(), format!("{what}: not modelled")),
    }
}
