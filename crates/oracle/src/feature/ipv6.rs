//! Features of IPv6, where the packet is one of its own.

use std::net::{IpAddr, Ipv6Addr};

use model::{
    AddressLabels, Family, Namespace, NeighbourState, Route, RouteKind, Rule, RuleAction, Snapshot,
    TABLE_MAIN,
};
use walk::{Payload, Question};

use super::{Without, all, each};

/// Those that are counted.
pub(super) const FEATURES: &[(&str, Without)] = &[
    ("ipv6: icmp", |_, q| six(q) && matches!(q.packet.payload, Payload::Icmp { .. })),
    ("ipv6: tcp", |_, q| six(q) && matches!(q.packet.payload, Payload::Tcp { .. })),
    ("ipv6: udp", |_, q| six(q) && matches!(q.packet.payload, Payload::Udp { .. })),
    ("ipv6: multicast", |_, q| {
        let many = six(q) && q.packet.dst.is_multicast();
        if many {
            q.packet.dst = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0xdead));
        }
        many
    }),
    ("ipv6: echo_ignore_multicast", |s, q| {
        six(q) && each(s, |n| std::mem::take(&mut n.sysctls.ipv6_echo_ignore_multicast))
    }),
    ("ipv6: hop limit", |_, q| six(q) && std::mem::replace(&mut q.packet.ttl, 64) < 64),
    ("ipv6: traffic class", |_, q| six(q) && std::mem::take(&mut q.packet.tos) != 0),
    ("ipv6: source", |_, q| {
        let none = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        six(q) && std::mem::replace(&mut q.packet.src, none) != none
    }),
    ("ipv6: address label", |s, q| {
        six(q) && each(s, |n| std::mem::take(&mut n.address_labels) != AddressLabels::default())
    }),
    ("ipv6: forwarding off", |s, q| {
        six(q) && each(s, |n| !std::mem::replace(&mut n.sysctls.ipv6_forwarding, true))
    }),
    ("ipv6: forwarding on", |s, q| {
        six(q) && each(s, |n| std::mem::take(&mut n.sysctls.ipv6_forwarding))
    }),
    ("ipv6: mtu", |s, q| {
        six(q)
            && each(s, |n| {
                let links = n.links.values_mut().filter(|l| l.name != "lo" && l.mtu < 9000);
                all(links, |l| {
                    l.inet6.iter_mut().for_each(|conf| conf.mtu = 9000);
                    l.mtu = 9000;
                    true
                })
            })
    }),
    ("ipv6: route: gateway", |s, q| routes(s, q, |r| gateway(r).is_some())),
    ("ipv6: route: link-local gateway", |s, q| {
        routes(s, q, |r| gateway(r).is_some_and(|ip| ip.is_unicast_link_local()))
    }),
    ("ipv6: route: default", |s, q| {
        routes(s, q, |r| r.dst.prefix_len() == 0 && r.table == TABLE_MAIN)
    }),
    ("ipv6: route: host", |s, q| {
        routes(s, q, |r| r.dst.prefix_len() == 128 && r.table == TABLE_MAIN)
    }),
    ("ipv6: route: metric", |s, q| routes(s, q, |r| ![0, 256, 1024].contains(&r.metric))),
    ("ipv6: route: src", |s, q| {
        six(q)
            && each(s, |n| {
                let routes = n.routes.iter_mut().filter(|r| r.dst.addr().is_ipv6());
                all(routes, |r| r.prefsrc.take().is_some())
            })
    }),
    ("ipv6: route: blackhole", |s, q| routes(s, q, |r| r.kind == RouteKind::Blackhole)),
    ("ipv6: route: unreachable", |s, q| routes(s, q, |r| r.kind == RouteKind::Unreachable)),
    ("ipv6: route: prohibit", |s, q| routes(s, q, |r| r.kind == RouteKind::Prohibit)),
    ("ipv6: route: throw", |s, q| routes(s, q, |r| r.kind == RouteKind::Throw)),
    ("ipv6: rule: from", |s, q| rules(s, q, |r| r.src.take().is_some())),
    ("ipv6: rule: to", |s, q| rules(s, q, |r| r.dst.take().is_some())),
    ("ipv6: rule: fwmark", |s, q| rules(s, q, |r| r.mark.take().is_some())),
    ("ipv6: rule: iif", |s, q| rules(s, q, |r| r.iif.take().is_some())),
    ("ipv6: rule: ipproto", |s, q| rules(s, q, |r| r.protocol.take().is_some())),
    ("ipv6: rule: ports", |s, q| {
        rules(s, q, |r| r.sport.take().is_some() | r.dport.take().is_some())
    }),
    ("ipv6: rule: not", |s, q| rules(s, q, |r| std::mem::take(&mut r.invert))),
    ("ipv6: rule: suppress_prefixlength", |s, q| {
        rules(s, q, |r| r.suppress_prefixlength.take().is_some())
    }),
    ("ipv6: rule: suppress_ifgroup", |s, q| rules(s, q, |r| r.suppress_ifgroup.take().is_some())),
    ("ipv6: rule: from", |s, q| asking(s, q, |r| r.src.is_some())),
    ("ipv6: rule: to", |s, q| asking(s, q, |r| r.dst.is_some())),
    ("ipv6: rule: fwmark", |s, q| asking(s, q, |r| r.mark.is_some())),
    ("ipv6: rule: iif", |s, q| asking(s, q, |r| r.iif.is_some())),
    ("ipv6: rule: ipproto", |s, q| asking(s, q, |r| r.protocol.is_some())),
    ("ipv6: rule: ports", |s, q| asking(s, q, |r| r.sport.is_some() || r.dport.is_some())),
    ("ipv6: rule: suppress_prefixlength", |s, q| {
        asking(s, q, |r| r.suppress_prefixlength.is_some())
    }),
    ("ipv6: rule: prohibit", |s, q| action(s, q, &RuleAction::Prohibit)),
    ("ipv6: rule: unreachable", |s, q| action(s, q, &RuleAction::Unreachable)),
    ("ipv6: rule: blackhole", |s, q| action(s, q, &RuleAction::Blackhole)),
    ("ipv6: rule: table", |s, q| routes(s, q, |r| r.table < 200)),
    ("ipv6: ip6tables filter", |s, q| table(s, q, "filter")),
    ("ipv6: ip6tables nat", |s, q| table(s, q, "nat")),
    ("ipv6: ip6tables mangle", |s, q| table(s, q, "mangle")),
    ("ipv6: neighbour: proxy", |s, q| {
        six(q)
            && each(s, |n| {
                let before = n.neighbours.len();
                n.neighbours.retain(|x| x.ip.is_ipv4() || !x.proxy);
                n.neighbours.len() != before
            })
    }),
    ("ipv6: neighbour: known", |s, q| {
        six(q)
            && each(s, |n| {
                let before = n.neighbours.len();
                let stays =
                    |x: &model::Neighbour| x.ip.is_ipv4() || x.state == NeighbourState::Permanent;
                n.neighbours.retain(stays);
                n.neighbours.len() != before
            })
    }),
];

/// The packet is one of IPv6.
const fn six(question: &Question) -> bool {
    question.packet.dst.is_ipv6()
}

fn gateway(route: &Route) -> Option<Ipv6Addr> {
    match route.nexthops.first()?.gateway? {
        IpAddr::V6(ip) => Some(ip),
        IpAddr::V4(_) => None,
    }
}

fn routes(snapshot: &mut Snapshot, q: &Question, gone: impl Fn(&Route) -> bool) -> bool {
    let gone = |r: &Route| r.dst.addr().is_ipv6() && gone(r);
    six(q) && each(snapshot, |n| super::routes(n, gone))
}

fn rules(snapshot: &mut Snapshot, q: &Question, change: impl Fn(&mut Rule) -> bool) -> bool {
    six(q)
        && each(snapshot, |n| {
            let own = n.rules.iter_mut().filter(|r| r.ipv6 && (1..32766).contains(&r.priority));
            all(own, &change)
        })
}

fn asking(snapshot: &mut Snapshot, q: &Question, asks: impl Fn(&Rule) -> bool) -> bool {
    six(q) && super::asking(snapshot, |r| r.ipv6 && asks(r))
}

fn action(snapshot: &mut Snapshot, q: &Question, action: &RuleAction) -> bool {
    six(q)
        && each(snapshot, |n| {
            let before = n.rules.len();
            n.rules.retain(|r| !r.ipv6 || r.action != *action);
            n.rules.len() != before
        })
}

fn table(snapshot: &mut Snapshot, q: &Question, name: &str) -> bool {
    let gone = |n: &mut Namespace| {
        let before = n.ruleset.tables.len();
        n.ruleset.tables.retain(|t| t.family != Family::Ip6 || t.name != name);
        n.ruleset.tables.len() != before
    };
    six(q) && each(snapshot, gone)
}
