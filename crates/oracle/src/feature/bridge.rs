//! Features of bridges and of ARP.

use model::{BridgePort, LinkKind, PortOption, PortState, Snapshot};

use super::{Without, all, conf, each};

/// Those that are counted.
pub(super) const FEATURES: &[(&str, Without)] = &[
    ("packet: broadcast", |_, q| {
        let to: &mut std::net::IpAddr = &mut q.packet.dst;
        let many = matches!(to, std::net::IpAddr::V4(ip) if ip.octets()[3] == 255);
        if many {
            *to = std::net::Ipv4Addr::new(192, 0, 2, 1).into();
        }
        many
    }),
    ("packet: multicast", |_, q| {
        let many = q.packet.dst.is_multicast();
        if many {
            q.packet.dst = std::net::Ipv4Addr::new(192, 0, 2, 1).into();
        }
        many
    }),
    ("icmp_echo_ignore_broadcasts", |s, _| {
        each(s, |n| !std::mem::replace(&mut n.sysctls.icmp_echo_ignore_broadcasts, true))
    }),
    ("port: isolated", |s, _| option(s, PortOption::Isolated)),
    ("port: hairpin", |s, _| option(s, PortOption::Hairpin)),
    ("port: learning off", |s, _| option(s, PortOption::Learning)),
    ("port: flood off", |s, _| option(s, PortOption::Flood)),
    ("port: bcast_flood off", |s, _| option(s, PortOption::BcastFlood)),
    ("port: neigh_suppress", |s, q| q.packet.dst.is_ipv4() && option(s, PortOption::NeighSuppress)),
    ("ipv6: port: neigh_suppress", |s, q| {
        q.packet.dst.is_ipv6() && option(s, PortOption::NeighSuppress)
    }),
    ("port: proxy_arp", |s, _| option(s, PortOption::ProxyArp)),
    ("port: proxy_arp_wifi", |s, _| option(s, PortOption::ProxyArpWifi)),
    ("port: locked", |s, _| option(s, PortOption::Locked)),
    ("port: backup_port", |s, _| ports(s, |p| p.backup_port.take().is_some())),
    ("port: mcast_router", |s, _| each(s, |n| !std::mem::take(&mut n.router_ports).is_empty())),
    ("group_fwd_mask", |s, _| {
        let of_ports = ports(s, |p| std::mem::take(&mut p.group_fwd_mask) != 0);
        bridges(s, |b| std::mem::take(&mut b.group_fwd_mask) != 0) || of_ports
    }),
    ("bridge: entry by hand", |s, _| {
        each(s, |n| {
            let before = n.fdb.len();
            n.fdb.retain(|e| !e.is_static || e.own);
            n.fdb.len() != before
        })
    }),
    ("bridge: querier", |s, _| bridges(s, |b| std::mem::take(&mut b.multicast_querier))),
    ("bridge: mdb", |s, _| each(s, |n| !std::mem::take(&mut n.mdb).is_empty())),
    ("bridge: no_linklocal_learn", |s, _| {
        bridges(s, |b| std::mem::take(&mut b.no_linklocal_learn))
    }),
    ("bridge: fdb_max_learned", |s, _| bridges(s, |b| std::mem::take(&mut b.fdb_max_learned) != 0)),
    ("bridge: ageing_time 0", |s, _| {
        bridges(s, |b| std::mem::replace(&mut b.ageing_time, 30_000) == 0)
    }),
    ("neighbour: proxy", |s, _| {
        each(s, |n| {
            let before = n.neighbours.len();
            n.neighbours.retain(|x| !x.proxy);
            n.neighbours.len() != before
        })
    }),
    ("port: state", |s, _| ports(s, |p| std::mem::take(&mut p.state) != PortState::Forwarding)),
    ("bridge: nf_call_iptables of its own", |s, _| {
        bridges(s, |b| std::mem::take(&mut b.nf_call_iptables))
    }),
    ("bridge-nf-call-iptables", |s, _| {
        each(s, |n| n.sysctls.bridge_nf_call_iptables.replace(false) == Some(true))
    }),
    ("arp_ignore", |s, _| conf(s, |c| std::mem::take(&mut c.arp_ignore) != 0)),
    ("arp_announce", |s, _| conf(s, |c| std::mem::take(&mut c.arp_announce) != 0)),
    ("arp_filter", |s, _| conf(s, |c| std::mem::take(&mut c.arp_filter))),
    ("proxy_arp", |s, _| conf(s, |c| std::mem::take(&mut c.proxy_arp))),
    ("proxy_arp_pvlan", |s, _| conf(s, |c| std::mem::take(&mut c.proxy_arp_pvlan))),
];

/// Gives all ports the usual value of an option.
fn option(snapshot: &mut Snapshot, option: PortOption) -> bool {
    let usual = option.usual();
    ports(snapshot, |port| {
        let had = option.of(port);
        option.give(port, usual);
        had != usual
    })
}

fn ports(snapshot: &mut Snapshot, change: impl Fn(&mut BridgePort) -> bool) -> bool {
    each(snapshot, |n| all(n.links.values_mut().filter_map(|l| l.port.as_mut()), &change))
}

fn bridges(snapshot: &mut Snapshot, change: impl Fn(&mut model::Bridge) -> bool) -> bool {
    each(snapshot, |n| {
        let kinds = n.links.values_mut().filter_map(|l| match &mut l.kind {
            LinkKind::Bridge(bridge) => Some(bridge),
            _ => None,
        });
        all(kinds, &change)
    })
}
