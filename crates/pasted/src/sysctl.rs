//! Settings: files of /proc/sys, and `sysctl`.

use std::collections::BTreeMap;

use model::{IcmpLimit, InetConf, Room, Sysctls};

use crate::report::Report;

/// Settings by their path below /proc/sys, with slashes.
pub(crate) type Settings = BTreeMap<String, String>;

/// `net.ipv4.ip_forward = 1` or `/proc/sys/net/ipv4/ip_forward:1`.
pub(crate) fn parse(text: &str, report: &mut Report<'_>) -> Settings {
    let mut settings = Settings::new();
    for (number, line) in report.lines(text) {
        let parts = line.split_once('=').or_else(|| line.split_once(':'));
        match parts {
            Some((key, value)) => _ = settings.insert(path(key.trim()), value.trim().to_owned()),
            None if line.starts_with(['$', '#', '*']) || line.starts_with("sysctl:") => {}
            None => report.line(number, "not KEY = VALUE"),
        }
    }
    settings
}

/// `net.ipv4.conf.eth0/5.rp_filter` (a dot in a link's name is written as a slash) as a path.
fn path(key: &str) -> String {
    match key.strip_prefix("/proc/sys/") {
        Some(path) => path.to_owned(),
        None if key.contains('.') => key
            .chars()
            .map(|c| {
                if c == '.' {
                    '/'
                } else if c == '/' {
                    '.'
                } else {
                    c
                }
            })
            .collect(),
        None => key.to_owned(),
    }
}

/// A namespace's settings, and whether all were shown that a packet's way can hang on. What is not
/// shown is as the kernel starts with.
pub(crate) fn of_namespace(settings: &Settings) -> (Sysctls, bool) {
    let number = |path: &str| settings.get(path)?.split_whitespace().next()?.parse::<u32>().ok();
    let small = |path: &str| number(path).map(|n| u8::try_from(n).unwrap_or(u8::MAX));
    let flag = |path: &str| number(path).map(|n| n != 0);
    let forward = flag("net/ipv4/ip_forward").or_else(|| flag("net/ipv4/conf/all/forwarding"));
    // What the kernel starts with: all off, but what is about redirects.
    let usual = InetConf {
        forwarding: forward.unwrap_or(false),
        send_redirects: true,
        shared_media: true,
        ..InetConf::default()
    };
    let (all, default) = (conf(settings, "all", usual), conf(settings, "default", usual));
    // What is not shown is not said to be limited.
    let limit = |of: &str, types: Option<[u128; 2]>| IcmpLimit {
        interval: number(&format!("net/{of}ratelimit")).unwrap_or(0),
        types: types.unwrap_or_default(),
    };
    let sysctls = Sysctls {
        ip_forward: forward.unwrap_or(false),
        all: all.0,
        default: default.0,
        default_ttl: small("net/ipv4/ip_default_ttl").unwrap_or(64),
        multipath_hash_policy: small("net/ipv4/fib_multipath_hash_policy").unwrap_or(0),
        bridge_nf_call_iptables: flag("net/bridge/bridge-nf-call-iptables"),
        bridge_nf_call_arptables: flag("net/bridge/bridge-nf-call-arptables"),
        icmp_echo_ignore_all: flag("net/ipv4/icmp_echo_ignore_all").unwrap_or(false),
        icmp_echo_ignore_broadcasts: flag("net/ipv4/icmp_echo_ignore_broadcasts").unwrap_or(true),
        icmp_limit: limit(
            "ipv4/icmp_",
            number("net/ipv4/icmp_ratemask").map(|mask| [mask.into(), 0]),
        ),
        ipv6_icmp_limit: limit(
            "ipv6/icmp/",
            settings.get("net/ipv6/icmp/ratemask").map(|list| IcmpLimit::types_of(list)),
        ),
        icmp_messages: number("net/ipv4/icmp_msgs_per_sec"),
        ip_forward_use_pmtu: flag("net/ipv4/ip_forward_use_pmtu").unwrap_or(false),
        icmp_errors_use_inbound_ifaddr: flag("net/ipv4/icmp_errors_use_inbound_ifaddr")
            .unwrap_or(false),
        fwmark_reflect: flag("net/ipv4/fwmark_reflect").unwrap_or(false),
        ipv6_fwmark_reflect: flag("net/ipv6/fwmark_reflect").unwrap_or(false),
        tcp_fwmark_accept: flag("net/ipv4/tcp_fwmark_accept").unwrap_or(false),
        tcp_reflect_tos: flag("net/ipv4/tcp_reflect_tos").unwrap_or(false),
        no_pmtu_discovery: flag("net/ipv4/ip_no_pmtu_disc").unwrap_or(false),
        tracks_from_syn: flag("net/netfilter/nf_conntrack_tcp_loose") == Some(false),
        connections: number("net/netfilter/nf_conntrack_count")
            .zip(number("net/netfilter/nf_conntrack_max"))
            .map(|(taken, most)| Room { taken, most }),
        ipv6_forwarding: flag("net/ipv6/conf/all/forwarding").unwrap_or(false),
        ipv6_proxy_ndp: flag("net/ipv6/conf/all/proxy_ndp").unwrap_or(false),
        ipv6_multipath_hash_policy: small("net/ipv6/fib_multipath_hash_policy").unwrap_or(0),
        ipv6_echo_ignore_all: flag("net/ipv6/icmp/echo_ignore_all").unwrap_or(false),
        ipv6_echo_ignore_anycast: flag("net/ipv6/icmp/echo_ignore_anycast").unwrap_or(false),
        ipv6_echo_ignore_multicast: flag("net/ipv6/icmp/echo_ignore_multicast").unwrap_or(false),
        ipv6_anycast_src_echo_reply: flag("net/ipv6/anycast_src_echo_reply").unwrap_or(false),
        bridge_nf_filter_vlan_tagged: flag("net/bridge/bridge-nf-filter-vlan-tagged")
            .unwrap_or(false),
        bridge_nf_call_ip6tables: flag("net/bridge/bridge-nf-call-ip6tables"),
    };
    (sysctls, forward.is_some() && all.1)
}

/// Whether a link's settings are shown.
pub(crate) fn shows(settings: &Settings, link: &str) -> bool {
    conf(settings, link, InetConf::default()).1
}

/// The settings of a link (or `all`, `default`), and whether they are shown.
pub(crate) fn conf(settings: &Settings, link: &str, usual: InetConf) -> (InetConf, bool) {
    let number = |name: &str| {
        let value = settings.get(&format!("net/ipv4/conf/{link}/{name}"))?;
        value.trim().parse::<u32>().ok().map(|n| u8::try_from(n).unwrap_or(u8::MAX))
    };
    let small = |name, usual| number(name).unwrap_or(usual);
    let flag = |name, usual| number(name).map_or(usual, |n| n != 0);
    let conf = InetConf {
        forwarding: flag("forwarding", usual.forwarding),
        rp_filter: small("rp_filter", usual.rp_filter),
        accept_local: flag("accept_local", usual.accept_local),
        route_localnet: flag("route_localnet", usual.route_localnet),
        arp_ignore: small("arp_ignore", usual.arp_ignore),
        arp_announce: small("arp_announce", usual.arp_announce),
        arp_filter: flag("arp_filter", usual.arp_filter),
        proxy_arp: flag("proxy_arp", usual.proxy_arp),
        proxy_arp_pvlan: flag("proxy_arp_pvlan", usual.proxy_arp_pvlan),
        src_valid_mark: flag("src_valid_mark", usual.src_valid_mark),
        ignore_routes_with_linkdown: flag(
            "ignore_routes_with_linkdown",
            usual.ignore_routes_with_linkdown,
        ),
        send_redirects: flag("send_redirects", usual.send_redirects),
        shared_media: flag("shared_media", usual.shared_media),
        drop_unicast_in_l2_multicast: flag(
            "drop_unicast_in_l2_multicast",
            usual.drop_unicast_in_l2_multicast,
        ),
        bc_forwarding: flag("bc_forwarding", usual.bc_forwarding),
    };
    (conf, number("rp_filter").is_some())
}
