//! Kinds of links, as `-d` tells them.

use std::net::{IpAddr, Ipv4Addr};

use model::{
    Bond, BondOption, BondOptions, BondPort, Bridge, Ipvlan, IpvlanFlag, IpvlanMode, LinkKind,
    Macvlan, MacvlanMode, Member, MiiStatus, Netkit, NetkitPolicy, StpState, Tap, Tunnel, TunnelDf,
    Vlan, Vrf, Vxlan,
};

use crate::link::PartLink;
use crate::route::table;
use crate::words::{after, flag, number};

/// Kinds that carry packets within packets, beside vxlan.
const TUNNELS: [&str; 13] = [
    "gre",
    "gretap",
    "erspan",
    "ip6gre",
    "ip6gretap",
    "ip6erspan",
    "ipip",
    "ip6tnl",
    "sit",
    "vti",
    "vti6",
    "geneve",
    "gtp",
];

/// A kind that `-d` tells, with what only that kind has. `index_of`: the link of that name.
pub(crate) fn told(
    kind: &str,
    words: &[String],
    index_of: impl Fn(&str) -> Option<u32>,
) -> LinkKind {
    match kind {
        "veth" => LinkKind::Veth,
        "bridge" => LinkKind::Bridge(bridge(words)),
        "tun" => LinkKind::Tap(Tap {
            layer3: after(words, "type") == Some("tun"),
            persist: flag(words, "persist").unwrap_or(false),
            holder: None,
        }),
        "macvlan" | "macvtap" => {
            let mode = one_of(MACVLAN_MODES, words, "mode", MacvlanMode::as_str);
            LinkKind::Macvlan(Macvlan { mode, tap: kind == "macvtap", ..Macvlan::default() })
        }
        "ipvlan" | "ipvtap" => LinkKind::Ipvlan(ipvlan(words, kind == "ipvtap")),
        "vlan" => LinkKind::Vlan(vlan(words)),
        "vxlan" => LinkKind::Vxlan(vxlan(words)),
        "bond" => LinkKind::Bond(Bond {
            options: bond_options(words),
            active: after(words, "active_slave").and_then(&index_of),
            primary: after(words, "primary").and_then(&index_of),
            ports: Vec::new(),
            arp_targets: after(words, "arp_ip_target").map(ip_list).unwrap_or_default(),
        }),
        "vrf" => LinkKind::Vrf(Vrf { table: after(words, "table").and_then(table).unwrap_or(0) }),
        "netkit" => LinkKind::Netkit(netkit(words)),
        // `ip` tells nothing of its own.
        "wireguard" => LinkKind::Wireguard(None),
        name if TUNNELS.contains(&name) => LinkKind::Tunnel(Tunnel {
            kind: name.to_owned(),
            local: address(words, "local"),
            remote: address(words, "remote"),
            id: number(words, "id"),
            port: number(words, "dstport").or_else(|| number(words, "port")),
        }),
        other => LinkKind::Other(other.to_owned()),
    }
}

/// What a link has as member of a master that is no bridge.
pub(crate) fn member(part: &PartLink) -> Option<Member> {
    let (kind, words) = part.slave.as_ref().filter(|(kind, _)| kind != "bridge")?;
    Some(match kind.as_str() {
        "bond" => Member::Bond(BondPort {
            backup: after(words, "state") == Some("BACKUP"),
            mii: one_of(MII, words, "mii_status", MiiStatus::as_str),
            own_mac: number(words, "perm_hwaddr"),
        }),
        "vrf" => Member::Vrf { table: after(words, "table").and_then(table).unwrap_or(0) },
        other => Member::Other(other.to_owned()),
    })
}

const MACVLAN_MODES: &[MacvlanMode] = &[
    MacvlanMode::Private,
    MacvlanMode::Vepa,
    MacvlanMode::Bridge,
    MacvlanMode::Passthru,
    MacvlanMode::Source,
];
const MII: &[MiiStatus] =
    &[MiiStatus::Up, MiiStatus::GoingDown, MiiStatus::Down, MiiStatus::GoingBack];

/// The value that `ip` names behind a key, else what the kernel starts with.
fn one_of<T: Copy + Default>(
    all: &[T],
    words: &[String],
    key: &str,
    name: impl Fn(T) -> &'static str,
) -> T {
    let named = after(words, key);
    all.iter().copied().find(|one| named == Some(name(*one))).unwrap_or_default()
}

/// An address, unless it is `any`.
fn address(words: &[String], key: &str) -> Option<IpAddr> {
    number(words, key)
}

fn bond_options(words: &[String]) -> BondOptions {
    let mut options = BondOptions::default();
    for option in BondOption::ALL {
        if let Some(value) = after(words, option.as_str()).and_then(|word| option.parse(word)) {
            options.set(option, value);
        }
    }
    options
}

/// Addresses with commas between them.
fn ip_list(words: &str) -> Vec<Ipv4Addr> {
    words.split(',').filter_map(|word| word.parse().ok()).collect()
}

fn bridge(words: &[String]) -> Bridge {
    Bridge {
        ageing_time: number(words, "ageing_time").unwrap_or(30000),
        stp: match after(words, "stp_state") {
            Some("1") => StpState::Kernel,
            Some("2") => StpState::User,
            _ => StpState::Off,
        },
        forward_delay: number(words, "forward_delay").unwrap_or(1500),
        vlan_filtering: flag(words, "vlan_filtering").unwrap_or(false),
        multicast_snooping: flag(words, "mcast_snooping").unwrap_or(false),
        group_fwd_mask: after(words, "group_fwd_mask").and_then(crate::route::number).unwrap_or(0),
        no_linklocal_learn: flag(words, "no_linklocal_learn").unwrap_or(false),
        fdb_max_learned: number(words, "fdb_max_learned").unwrap_or(0),
        nf_call_iptables: flag(words, "nf_call_iptables").unwrap_or(false),
        nf_call_arptables: flag(words, "nf_call_arptables").unwrap_or(false),
        default_pvid: number(words, "vlan_default_pvid").unwrap_or(1),
        vlan_protocol: match after(words, "vlan_protocol") {
            Some("802.1ad") => 0x88a8,
            _ => 0x8100,
        },
        query_response_interval: number(words, "mcast_query_response_interval").unwrap_or(1000),
        igmp_version: number(words, "mcast_igmp_version").unwrap_or(2),
        mld_version: number(words, "mcast_mld_version").unwrap_or(1),
        multicast_querier: flag(words, "mcast_querier").unwrap_or(false),
        multicast_router: number(words, "mcast_router").unwrap_or(1),
        nf_call_ip6tables: flag(words, "nf_call_ip6tables").unwrap_or(false),
        ..Bridge::default()
    }
}

/// `ipvlan mode l2 bridge`, or as JSON `mode l2 mode_flag bridge`.
fn ipvlan(words: &[String], tap: bool) -> Ipvlan {
    let modes = &[IpvlanMode::L2, IpvlanMode::L3, IpvlanMode::L3S];
    let flags = [IpvlanFlag::Bridge, IpvlanFlag::Private, IpvlanFlag::Vepa];
    let flag = flags.into_iter().find(|f| words.iter().any(|w| w == f.as_str()));
    let mode = one_of(modes, words, "mode", IpvlanMode::as_str);
    Ipvlan { mode, flag: flag.unwrap_or_default(), tap }
}

fn vlan(words: &[String]) -> Vlan {
    let protocol = match after(words, "protocol") {
        Some("802.1ad") => 0x88a8,
        Some("802.1Q") | None => 0x8100,
        Some(other) => crate::route::number(other).unwrap_or(0),
    };
    Vlan { id: number(words, "id").unwrap_or(0), protocol }
}

fn vxlan(words: &[String]) -> Vxlan {
    let learns = flag(words, "learning").unwrap_or(true);
    Vxlan {
        vni: number(words, "id").unwrap_or(0),
        local: address(words, "local"),
        remote: address(words, "remote").or_else(|| address(words, "group")),
        port: number(words, "dstport").or_else(|| number(words, "port")).unwrap_or(0),
        learning: learns && !words.iter().any(|w| w == "nolearning"),
        ttl: number(words, "ttl").unwrap_or(0),
        tos: after(words, "tos").map_or(0, |tos| if tos == "inherit" { 1 } else { hex(tos) }),
        df: match after(words, "df") {
            Some("set") => TunnelDf::Set,
            Some("inherit") => TunnelDf::Inherit,
            _ => TunnelDf::Unset,
        },
        source_ports: source_ports(words),
        local_bypass: flag(words, "localbypass").unwrap_or(true)
            && !words.iter().any(|w| w == "nolocalbypass"),
        special: SPECIAL
            .iter()
            .filter(|s| words.iter().any(|w| w == *s))
            .map(|s| (*s).to_owned())
            .collect(),
    }
}

/// Features of a vxlan that its fields do not tell of.
const SPECIAL: [&str; 6] = ["external", "vnifilter", "proxy", "rsc", "gbp", "gpe"];

/// `0x10`.
fn hex(word: &str) -> u8 {
    u8::from_str_radix(word.trim_start_matches("0x"), 16).unwrap_or(0)
}

/// `srcport 0 0`.
fn source_ports(words: &[String]) -> (u16, u16) {
    let Some(at) = words.iter().position(|w| w == "srcport") else { return (0, 0) };
    let port = |n: usize| words.get(at + n).and_then(|w| w.parse().ok()).unwrap_or(0);
    (port(1), port(2))
}

/// `netkit mode l3 type primary policy forward peer policy blackhole`.
fn netkit(words: &[String]) -> Netkit {
    let policy = |words: &[String]| match after(words, "policy") {
        Some("blackhole") => NetkitPolicy::Blackhole,
        _ => NetkitPolicy::Forward,
    };
    let peer = words.iter().position(|w| w == "peer").unwrap_or(words.len());
    Netkit {
        layer3: after(words, "mode") != Some("l2"),
        primary: after(words, "type") != Some("peer"),
        policy: policy(&words[..peer]),
        peer_policy: policy(&words[peer..]),
    }
}
