//! What is wrong, and what shows it.

use doctor::{Fault, Finding, From, Overlapped, Published};
use model::{Link, LinkId, NsId, Snapshot};
use walk::{ChainRef, Protocol};

use crate::trace::because;
use crate::words as w;

/// The fault's name for programs.
pub(crate) const fn kind(fault: &Fault) -> &'static str {
    match fault {
        Fault::ForwardingOff { .. } => "forwarding-off",
        Fault::BridgedDrop { .. } => "bridged-drop",
        Fault::RoutedDrop { .. } => "routed-drop",
        Fault::BlindRule { .. } => "blind-rule",
        Fault::HiddenPort { .. } => "hidden-port",
        Fault::MacFilter { .. } => "mac-filter",
        Fault::SkippedNat { .. } => "skipped-nat",
        Fault::NarrowUplink { .. } => "narrow-uplink",
        Fault::Overlap { .. } => "overlap",
        Fault::Hairpin { .. } => "hairpin",
        Fault::OtherSource { .. } => "other-source",
        Fault::UnequalPorts { .. } => "unequal-ports",
        Fault::CutOff { .. } => "cut-off",
    }
}

/// The fault in a sentence.
pub(crate) fn title(s: &Snapshot, finding: &Finding) -> String {
    let ns = s.name_of(finding.ns);
    match &finding.fault {
        Fault::ForwardingOff { .. } => format!("{ns} is a gateway and does not forward"),
        Fault::BridgedDrop { bridge, .. } => format!(
            "{ns} drops what only passes its bridge {}: br_netfilter hands it to FORWARD",
            w::link(s, *bridge)
        ),
        Fault::RoutedDrop { link, .. } => format!(
            "{ns} drops what it should route for {}: Docker's FORWARD policy",
            w::link(s, *link)
        ),
        Fault::BlindRule { bridge, .. } => format!(
            "a rule in {ns} is to keep ports of {} apart, and never sees what passes it",
            w::link(s, *bridge)
        ),
        Fault::HiddenPort { port, .. } => format!(
            "{} publishes {}, and the guest's firewall on {ns} lets nobody reach it",
            s.name_of(port.rule.chain.ns),
            port_name(port)
        ),
        Fault::MacFilter { child, .. } => format!(
            "{} has an Ethernet address that the MAC filter on {ns} drops",
            s.link_name(*child)
        ),
        Fault::SkippedNat { bridge, .. } => format!(
            "{ns} does not translate what came over its bridge {}: the connection began there",
            w::link(s, *bridge)
        ),
        Fault::NarrowUplink { out, .. } => {
            format!("large packets do not fit {}, and small ones pass", s.link_name(*out))
        }
        Fault::Overlap { link, net, .. } => {
            format!("{net} on {} is in use further out", s.link_name(*link))
        }
        Fault::Hairpin { port, from, .. } => {
            let who = match from {
                From::Itself => "its own container",
                From::Neighbour => "containers beside it",
                From::Loopback => "the host itself at 127.0.0.1",
            };
            format!("{ns} publishes {}, and {who} cannot reach it", port_name(port))
        }
        Fault::OtherSource { link, .. } => format!(
            "{ns} masquerades on {} with another source than its route says",
            w::link(s, *link)
        ),
        Fault::UnequalPorts { bridge, .. } => format!(
            "links on {} take packets of different sizes, and large ones vanish",
            s.link_name(*bridge)
        ),
        Fault::CutOff { link, .. } => {
            format!("{} is down, and its end at the bridge is up", s.link_name(*link))
        }
    }
}

/// What was read that shows it.
pub(crate) fn evidence(s: &Snapshot, finding: &Finding) -> Vec<String> {
    let ns = s.name_of(finding.ns);
    match &finding.fault {
        Fault::ForwardingOff { link } => vec![
            format!("{ns}: net.ipv4.conf.{}.forwarding = 0", w::link(s, *link)),
            format!("its address {} is the gateway of others", addresses(s, *link)),
        ],
        Fault::BridgedDrop { bridge, chain } => {
            vec![calls_iptables(s, *bridge), policy(chain)]
        }
        Fault::RoutedDrop { link, chain } => vec![
            policy(chain),
            format!("no rule of that table asks for what comes in by {}", w::link(s, *link)),
        ],
        Fault::BlindRule { bridge, rule, loaded } => vec![
            w::rule_ref(s, rule),
            if *loaded {
                format!("{ns}: net.bridge.bridge-nf-call-iptables = 0, {} too", w::link(s, *bridge))
            } else {
                "br_netfilter is not loaded".to_owned()
            },
        ],
        Fault::HiddenPort { port, loss, .. } => vec![
            w::rule_ref(s, &port.rule),
            because(s, loss, &packet(finding).unwrap_or_else(any_packet)),
        ],
        Fault::MacFilter { port, rule, child } => vec![
            format!("{}: {}", s.link_name(*port), w::rule_ref(s, rule)),
            format!("{} has {}", s.link_name(*child), mac(s, *child)),
        ],
        Fault::SkippedNat { rule, bridge } => vec![
            w::rule_ref(s, rule),
            calls_iptables(s, *bridge),
            "without br_netfilter it would be translated (walked again so)".to_owned(),
        ],
        Fault::NarrowUplink { link, out, told, .. } => vec![
            format!("{} has mtu {}", s.link_name(*link), mtu(s, *link)),
            format!("{} has mtu {}", s.link_name(*out), mtu(s, *out)),
            if *told {
                "the sender is told by ICMP, if that reaches it; no rule clamps TCP's segments"
                    .to_owned()
            } else {
                "nobody is told: they vanish".to_owned()
            },
        ],
        Fault::Overlap { link, other, .. } => vec![
            format!("{} has {}", s.link_name(*link), addresses(s, *link)),
            match other {
                Overlapped::Link(there, net) => {
                    format!("{} has {} in {net}", s.link_name(*there), addresses(s, *there))
                }
                Overlapped::Route(at, route) => {
                    let text = s.namespaces.get(at).map(|n| w::route_short(n, route));
                    format!("{}: route {}", s.name_of(*at), text.unwrap_or_default())
                }
            },
        ],
        Fault::Hairpin { port, loss, .. } => vec![
            w::rule_ref(s, &port.rule),
            because(s, loss, &packet(finding).unwrap_or_else(any_packet)),
        ],
        Fault::OtherSource { rule, route, source, .. } => {
            let text = s.namespaces.get(&finding.ns).map(|n| w::route_short(n, route));
            let wanted = route.prefsrc.map_or_else(String::new, |ip| ip.to_string());
            vec![
                format!("{ns}: route {} src {wanted}", text.unwrap_or_default()),
                format!("{} takes {source}", w::rule_ref(s, rule)),
            ]
        }
        Fault::UnequalPorts { bridge, large, small } => vec![
            format!("{} has mtu {}", s.link_name(*large), mtu(s, *large)),
            format!("{} has mtu {}", s.link_name(*small), mtu(s, *small)),
            format!("{} has mtu {}", s.link_name(*bridge), mtu(s, *bridge)),
        ],
        Fault::CutOff { link, port } => vec![
            format!("{} is down and has {}", s.link_name(*link), addresses(s, *link)),
            format!("{} is up, a port of {}", s.link_name(*port), bridge_of(s, *port)),
        ],
    }
}

/// `8080/tcp for 172.17.0.2`.
pub(crate) fn port_name(port: &Published) -> String {
    let at = port.at.map_or_else(String::new, |ip| format!("{ip}:"));
    let number = match port.protocol {
        Protocol::Tcp(n) => format!("{n}/tcp"),
        Protocol::Udp(n) => format!("{n}/udp"),
        Protocol::Icmp => "icmp".to_owned(),
    };
    format!("{at}{number} for {}", port.to)
}

fn policy(chain: &ChainRef) -> String {
    let (family, table, chain) = (chain.family.as_str(), &chain.table, &chain.chain);
    format!("{family} {table} {chain}: policy drop, and no rule accepts it")
}

fn calls_iptables(s: &Snapshot, bridge: LinkId) -> String {
    let of_ns = s.namespaces.get(&bridge.ns).and_then(|n| n.sysctls.bridge_nf_call_iptables);
    match of_ns {
        Some(true) => format!("{}: net.bridge.bridge-nf-call-iptables = 1", ns_name(s, bridge.ns)),
        _ => format!("{}: nf_call_iptables 1", s.link_name(bridge)),
    }
}

fn ns_name(s: &Snapshot, ns: NsId) -> String {
    s.name_of(ns)
}

pub(crate) fn mtu(s: &Snapshot, link: LinkId) -> u32 {
    s.link(link).map_or(0, |l: &Link| l.mtu)
}

pub(crate) fn mac(s: &Snapshot, link: LinkId) -> String {
    s.link(link).and_then(|l| l.mac).map_or_else(String::new, |mac| mac.to_string())
}

fn addresses(s: &Snapshot, link: LinkId) -> String {
    let ns = s.namespaces.get(&link.ns);
    let all = ns.into_iter().flat_map(|ns| ns.addresses_of(link.index));
    let texts: Vec<String> = all.filter(|a| a.ip().is_ipv4()).map(|a| a.net.to_string()).collect();
    texts.join(", ")
}

fn bridge_of(s: &Snapshot, port: LinkId) -> String {
    let master = s.link(port).and_then(|l| l.master);
    master.map_or_else(String::new, |index| w::link(s, LinkId { ns: port.ns, index }))
}

/// The packet that shows it, as it was when it was lost.
fn packet(finding: &Finding) -> Option<walk::Packet> {
    let trace = finding.trace.as_ref()?;
    let way = trace.back.as_ref().unwrap_or(&trace.there);
    let steps = way.hops.iter().flat_map(|hop| &hop.steps);
    Some(steps.last().map_or_else(|| way.packet.clone(), |step| step.packet.clone()))
}

fn any_packet() -> walk::Packet {
    let nowhere = walk::Place::Namespace(NsId::inode(0));
    let to = std::net::Ipv4Addr::UNSPECIFIED;
    walk::Question::new(nowhere, to, Protocol::Icmp).packet
}
