mod link;

use std::collections::BTreeMap;

use model::{
    Container, FdbEntry, Gap, Link, Namespace, Network, NsFile, Process, Rule, Snapshot, Target,
};

use crate::page::Page;
use crate::style::{Style, Tone};
use crate::{rule_text, words};

/// All facts of one namespace, or of one link.
#[must_use]
pub fn show(snapshot: &Snapshot, target: Target, style: &Style) -> String {
    let mut page = Page::new(style);
    match target {
        Target::Namespace(id) => match snapshot.namespaces.get(&id) {
            Some(ns) => namespace(&mut page, snapshot, ns),
            None => _ = page.item(0, &format!("{id}: not in this view")),
        },
        Target::Link(id) => match (snapshot.namespaces.get(&id.ns), snapshot.link(id)) {
            (Some(ns), Some(l)) => link::one_link(&mut page, snapshot, ns, l),
            _ => _ = page.item(0, &format!("{}: not in this view", snapshot.link_name(id))),
        },
    }
    page.finish()
}

fn namespace(page: &mut Page, snapshot: &Snapshot, ns: &Namespace) {
    page.wrapped(Tone::Title, &snapshot.path_of(ns.id));
    page.hanging(Tone::Plain, &format!("  {}", ns.id), 2).end();
    page.pairs(2, &identity(snapshot, ns));
    section_if(page, "containers", &containers(ns));
    section_if(page, "networks of engines", &networks(ns));
    section(page, "links", &[]);
    for l in ns.links.values() {
        link::link(page, snapshot, ns, l);
    }
    for (table, lines) in routes_by_table(ns) {
        section(page, &format!("routes, table {}", words::table(table)), &lines);
    }
    section_if(page, "rules", &rules(ns, false));
    section_if(page, "rules, IPv6", &rules(ns, true));
    section_if(page, "neighbours", &neighbours(ns));
    section_if(page, "forwarding database", &fdb(ns));
    section_if(page, "VLANs of bridges", &words::vlans(ns, |_| true));
    section_if(page, "multicast database", &mdb(ns, |_| true));
    netfilter(page, ns);
    let listeners: Vec<String> = ns.listeners.iter().map(words::listener).collect();
    section_if(page, "listening", &listeners);
    section_if(page, "connections", &connections(ns));
    section_if(page, "settings", &sysctls(ns, None));
    doubts(page, snapshot, ns);
}

/// Routing rules of one family; of IPv6, only where they are not those of every namespace.
pub(crate) fn rules(ns: &Namespace, ipv6: bool) -> Vec<String> {
    let all: Vec<&Rule> = ns.rules.iter().filter(|r| r.ipv6 == ipv6).collect();
    if ipv6 && all.iter().copied().eq(&Rule::defaults_ipv6()) {
        return Vec::new();
    }
    all.into_iter().map(words::ip_rule).collect()
}

fn identity(snapshot: &Snapshot, ns: &Namespace) -> Vec<[String; 2]> {
    let names: Vec<String> = ns.names.iter().map(words::name).collect();
    let process = |p: &Process| match p.inner_pid == p.pid {
        true => format!("{} {}", p.pid, p.comm),
        false => format!("{} {} ({} inside)", p.pid, p.comm, p.inner_pid),
    };
    let file = |f: &NsFile| match f.seen_in {
        Some(id) => format!("{} (in {})", f.path, snapshot.name_of(id)),
        None => f.path.clone(),
    };
    let pid_ns = ns.pid_ns.map(|p| format!("pid:[{}]", p.ino)).unwrap_or_default();
    [
        ("names", names.join(", ")),
        ("inside", ns.parent.map(|p| snapshot.name_of(p)).unwrap_or_default()),
        ("owner", words::owner(ns)),
        ("shown by", words::found(ns)),
        ("PID ns", pid_ns),
        ("processes", words::some(4, ns.processes.iter().map(process))),
        ("files", words::some(8, ns.files.iter().map(file))),
        ("nsids", words::nsid_list(snapshot, ns).join(", ")),
        ("known as", words::known_as(snapshot, ns.id, 8)),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(key, value)| [key.to_owned(), value])
    .collect()
}

/// The containers in a namespace, and by whom that is known.
fn containers(ns: &Namespace) -> Vec<String> {
    let line = |c: &Container| {
        let tellers: Vec<&str> = c.told_by.iter().map(|t| t.as_str()).collect();
        format!("{} (by {})", words::container(c), tellers.join(", "))
    };
    ns.containers.iter().map(line).collect()
}

/// Networks of engines that run in a namespace, and by whom they are known.
fn networks(ns: &Namespace) -> Vec<String> {
    let line = |n: &Network| format!("{} (by {})", words::network(n), n.told_by.as_str());
    ns.networks.iter().map(line).collect()
}

fn section(page: &mut Page, title: &str, lines: &[String]) {
    page.hanging(Tone::Title, title, 2).end();
    for l in lines {
        page.item(2, l);
    }
}

fn section_if(page: &mut Page, title: &str, lines: &[String]) {
    if !lines.is_empty() {
        section(page, title, lines);
    }
}

fn routes_by_table(ns: &Namespace) -> BTreeMap<u32, Vec<String>> {
    let mut tables: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for r in &ns.routes {
        tables.entry(r.table).or_default().push(words::route(ns, r));
    }
    tables
}

fn neighbours(ns: &Namespace) -> Vec<String> {
    ns.neighbours
        .iter()
        .map(|n| {
            let proxy = if n.proxy { ", this host answers for it" } else { "" };
            format!("{} on {}{proxy}", words::neighbour(n), words::dev(ns, n.link))
        })
        .collect()
}

fn fdb(ns: &Namespace) -> Vec<String> {
    ns.fdb.iter().filter(|e| !e.own).map(|e| fdb_line(ns, e)).collect()
}

pub(crate) fn fdb_line(ns: &Namespace, e: &FdbEntry) -> String {
    let at = e.master.map_or_else(String::new, |m| format!("{}: ", words::dev(ns, m)));
    let vlan = e.vlan.map_or_else(String::new, |v| format!(" vlan {v}"));
    let remote = e.remote.as_ref().map_or_else(String::new, |r| remote_words(ns, r));
    let (mac, port) = (e.mac, words::dev(ns, e.link));
    format!("{at}{mac}{vlan} is behind {port}{remote} ({})", words::fdb_origin(e))
}

/// What is wanted behind those links, and by those bridges.
fn mdb(ns: &Namespace, wanted: impl Fn(u32) -> bool) -> Vec<String> {
    let entries = ns.mdb.iter().filter(|e| wanted(e.bridge) || wanted(e.port));
    entries.map(|e| words::mdb(ns, e)).collect()
}

fn remote_words(ns: &Namespace, remote: &model::Remote) -> String {
    let port = remote.port.map_or_else(String::new, |p| format!(" port {p}"));
    let vni = remote.vni.map_or_else(String::new, |v| format!(" vni {v}"));
    let by = remote.link.map_or_else(String::new, |l| format!(" by {}", words::dev(ns, l)));
    format!(" at {}{port}{vni}{by}", remote.ip)
}

fn netfilter(page: &mut Page, ns: &Namespace) {
    for table in &ns.ruleset.tables {
        let dormant = if table.flags & 1 == 1 { ", dormant" } else { "" };
        let title = format!("netfilter, table {} {}{dormant}", table.family.as_str(), table.name);
        section(page, &title, &[]);
        for chain in &table.chains {
            page.item(2, &rule_text::chain_header(table.family, &table.name, chain));
            for rule in &chain.rules {
                page.item(4, &rule_text::rule_in(table, rule));
            }
        }
        for set in &table.sets {
            page.item(2, &format!("set {}, {} elements", set.name, set.elements.len()));
        }
    }
    section_if(page, "ipsets", &ns.ipsets.iter().map(words::ipset).collect::<Vec<_>>());
}

fn connections(ns: &Namespace) -> Vec<String> {
    ns.conntrack
        .iter()
        .map(|c| {
            let protocol = words::ip_protocol(c.original.protocol);
            let (there, back) = (words::tuple(&c.original), words::tuple(&c.reply));
            format!("{protocol} {there}, answers {back}")
        })
        .collect()
}

/// Settings that matter, as `sysctl` prints them; of one device, or of all and the namespace.
pub(crate) fn sysctls(ns: &Namespace, only: Option<u32>) -> Vec<String> {
    if ns.gap("sysctls").is_some() {
        return Vec::new();
    }
    let mut lines = if only.is_none() { own_sysctls(ns) } else { Vec::new() };
    for l in ns.links.values().filter(|l| only.is_none_or(|o| o == l.index)) {
        lines.extend(device_sysctls(ns, l));
    }
    lines
}

fn own_sysctls(ns: &Namespace) -> Vec<String> {
    let s = &ns.sysctls;
    let number = u8::from;
    let mut lines = vec![
        format!("net.ipv4.ip_forward = {}", number(s.ip_forward)),
        format!("net.ipv4.conf.all.rp_filter = {}", s.all.rp_filter),
        format!("net.ipv4.ip_default_ttl = {}", s.default_ttl),
    ];
    for (name, value) in [
        ("bridge-nf-call-iptables", s.bridge_nf_call_iptables),
        ("bridge-nf-call-arptables", s.bridge_nf_call_arptables),
        ("bridge-nf-call-ip6tables", s.bridge_nf_call_ip6tables),
    ] {
        lines.extend(value.map(|v| format!("net.bridge.{name} = {}", number(v))));
    }
    if s.icmp_echo_ignore_all {
        lines.push("net.ipv4.icmp_echo_ignore_all = 1".to_owned());
    }
    lines
}

/// What a device has otherwise than its namespace.
fn device_sysctls(ns: &Namespace, l: &Link) -> Vec<String> {
    let Some(conf) = &l.inet else {
        return vec![format!("{} has no IPv4 part", l.name)];
    };
    let key = |name: &str, value: u8| format!("net.ipv4.conf.{}.{name} = {value}", l.name);
    let s = &ns.sysctls;
    let mut lines = Vec::new();
    if conf.forwarding != s.ip_forward {
        lines.push(key("forwarding", conf.forwarding.into()));
    }
    for (name, value, usual) in [
        ("rp_filter", conf.rp_filter, 0),
        ("arp_ignore", conf.arp_ignore, 0),
        ("arp_announce", conf.arp_announce, 0),
        ("proxy_arp", conf.proxy_arp.into(), 0),
        ("accept_local", conf.accept_local.into(), 0),
        ("route_localnet", conf.route_localnet.into(), 0),
    ] {
        if value != usual {
            lines.push(key(name, value));
        }
    }
    lines
}

fn doubts(page: &mut Page, snapshot: &Snapshot, ns: &Namespace) {
    let opaque: Vec<String> = ns.opaque.iter().map(ToString::to_string).collect();
    section_if(page, "not modelled, so that packets here have an unknown fate", &opaque);
    let gaps: Vec<String> = ns.gaps.iter().map(gap).collect();
    section_if(page, "not read", &gaps);
    let warnings: Vec<String> =
        snapshot.warnings.iter().filter(|w| w.ns == Some(ns.id)).map(|w| w.text.clone()).collect();
    section_if(page, "warnings", &warnings);
}

/// `netfilter: no file shows it; assumed: nothing there`.
fn gap(gap: &Gap) -> String {
    let assumed = gap.assumed.as_ref().map(|a| format!("; assumed: {a}")).unwrap_or_default();
    format!("{}: {}{assumed}", gap.part, gap.cause)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use model::{
        Ipvlan, LinkKind, Netkit, NetkitPolicy, Tunnel, Wireguard, WireguardKey, WireguardPeer,
    };

    use super::*;
    use crate::fixtures::{SEED, id, network};

    #[test]
    fn a_namespace() {
        let s = network(SEED);
        let target = Target::Namespace(id(&s, "docker01"));
        assert_snapshot!(show(&s, target, &Style::default()), @r"
    test/pve1/docker01  net:[4026532001]
      names      docker01 (lab test)
      inside     pve1
      owner      100000, in a user namespace of its own
      shown by   a process
      processes  1329130 sh (1 inside)
      nsids      0 = pve1, 1 = alpine01
      known as   0 in pve1, 0 in alpine01
    links
      1: lo
         up, loopback, mtu 65536, state UP, qdisc noqueue
      57: eth0 ⇄ pve1:veth111i0, a port of fwbr111i0
         up, veth, 02:00:00:00:00:39, mtu 1500, state UP, qdisc noqueue
         192.168.10.103/24
      65: docker0
         up, bridge, ports vethc52438e, 02:00:00:00:00:41, mtu 1500, state UP, qdisc
         noqueue
         L3: routes and translates 172.17.0.0/16
         172.17.0.1/16
      67: vethc52438e ⇄ alpine01:eth0
         up, veth, port of docker0, 02:00:00:00:00:43, mtu 1500, state UP, qdisc
         noqueue
    routes, table main
      default via 192.168.10.1 dev eth0
      172.17.0.0/16 dev docker0 proto kernel scope link src 172.17.0.1
      192.168.10.0/24 dev eth0 proto kernel scope link src 192.168.10.103
    rules
      0: from all lookup local
      32766: from all lookup main
      32767: from all lookup default
    netfilter, table ip nat
      Chain POSTROUTING (policy ACCEPT)
        -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
    settings
      net.ipv4.ip_forward = 1
      net.ipv4.conf.all.rp_filter = 0
      net.ipv4.ip_default_ttl = 64
      net.bridge.bridge-nf-call-iptables = 1
    ");
    }

    #[test]
    fn a_link() {
        let s = network(SEED);
        let target = Target::Link(crate::fixtures::link(&s, "pve1:fwln111i0"));
        assert_snapshot!(show(&s, target, &Style::default()), @r"
        pve1:fwln111i0
          56: fwln111i0 ⇄ pve1:fwpr111p0, a port of vmbr0
             up, veth, port of fwbr111i0, 02:00:00:00:00:38, mtu 1500, state UP, qdisc
             noqueue
        ");
    }

    const SWITCH: &str = "ns sw\nbridge sw:br0\nfilter sw:br0\nnic sw:p1 @br0\nnic sw:p2 @br0\n\
         bridge sw:plain\nnic sw:p3 @plain\n\
         in-vlan sw:br0 1 pvid untagged\nin-vlan sw:p1 10 pvid untagged\n\
         in-vlan sw:p1 20\nin-vlan sw:p2 20\nin-vlan sw:p3 1 pvid untagged\n\
         wants sw:p1 239.1.1.1 permanent\nwants sw:br0 239.1.1.1";

    #[test]
    fn vlans_and_groups_of_bridges() {
        let s = network(SWITCH);
        let shown = |target| {
            let text = show(&s, target, &Style { width: 100, ..Style::default() });
            let from = text.find("VLANs").unwrap();
            let to = text.find("settings").unwrap_or(text.len());
            text[from..to].to_owned()
        };
        assert_snapshot!(shown(Target::Namespace(id(&s, "sw"))), @r"
        VLANs of bridges
          br0: 1 PVID untagged
          p1: 10 PVID untagged, 20
          p2: 20
        multicast database
          br0: 239.1.1.1 is wanted behind p1 (permanent)
          br0: 239.1.1.1 is wanted by this host itself (as long as it is asked for)
        ");
        assert_snapshot!(shown(Target::Link(crate::fixtures::link(&s, "sw:p1"))), @r"
        VLANs
          p1: 10 PVID untagged, 20
        multicast database
          br0: 239.1.1.1 is wanted behind p1 (permanent)
        ");
        let view =
            crate::json::show(&s, Target::Link(crate::fixtures::link(&s, "sw:br0"))).unwrap();
        let view = serde_json::to_value(&view).unwrap();
        assert_snapshot!(view["vlans"], @r#"[{"dev":"br0","id":1,"pvid":true,"untagged":true},{"dev":"p1","id":10,"pvid":true,"untagged":true},{"dev":"p1","id":20,"pvid":false,"untagged":false},{"dev":"p2","id":20,"pvid":false,"untagged":false}]"#);
        assert_snapshot!(view["mdb"], @r#"[{"bridge":"br0","group":"239.1.1.1","permanent":true,"port":"p1"},{"bridge":"br0","group":"239.1.1.1","permanent":false,"port":"br0"}]"#);
        // What a bridge does not heed is told as JSON alone.
        let plain =
            crate::json::show(&s, Target::Link(crate::fixtures::link(&s, "sw:p3"))).unwrap();
        assert_eq!(plain.vlans.len(), 1);
    }

    #[test]
    fn peers() {
        let mut s = network("ns far\nns host\nwireguard host:wg0\naddr host:wg0 10.9.0.1/24");
        s.taken = 1_000_060;
        let (far, wg) = (id(&s, "far"), crate::fixtures::link(&s, "host:wg0"));
        let net = |text: &str| text.parse().unwrap();
        let peers = vec![
            WireguardPeer {
                endpoint: Some("192.0.2.2:51821".parse().unwrap()),
                keepalive: 25,
                preshared: true,
                handshake: Some(1_000_000),
                allowed_ips: vec![net("10.9.0.2/32"), net("fd09::2/128")],
                ..WireguardPeer::new(WireguardKey([2; 32]))
            },
            WireguardPeer::new(WireguardKey([3; 32])),
        ];
        let public_key = Some(WireguardKey([1; 32]));
        let own =
            Wireguard { public_key, listen_port: 51820, fwmark: 42, socket: Some(far), peers };
        let ns = s.namespaces.get_mut(&wg.ns).unwrap();
        ns.links.get_mut(&wg.index).unwrap().kind = LinkKind::Wireguard(Some(Box::new(own)));
        let text = show(&s, Target::Link(wg), &Style::default());
        assert_snapshot!(text, @r"
        host:wg0
          2: wg0
             up, wireguard port 51820 fwmark 0x2a, 02:00:00:00:00:02, mtu 1500, state
             UP, qdisc noqueue
             public key AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=
             sends from test/far
             peer AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=, endpoint
               192.0.2.2:51821, allowed ips 10.9.0.2/32 fd09::2/128, latest handshake 60
               s ago, preshared key, keepalive every 25 s
             peer AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=, no endpoint, no allowed
               ips, no handshake yet
             10.9.0.1/24
        ");
    }

    #[test]
    fn links_of_many_kinds() {
        let mut s = network(
            "ns host\nns guest\nbond host:bond0\nnic host:eno1 @bond0\nnic host:eno2 @bond0\n\
             vlan host:bond0.5 host:bond0 5\nmacvlan guest:mv host:bond0\nvrf host:blue 10\n\
             nic host:eth1 @blue\nwireguard host:wg0\nkind host:gre1 gre\nkind host:nk0 netkit\n\
             kind guest:iv ipvlan",
        );
        let mut set = |name, kind| {
            let id = crate::fixtures::link(&s, name);
            let ns = s.namespaces.get_mut(&id.ns).unwrap();
            ns.links.get_mut(&id.index).unwrap().kind = kind;
        };
        let remote = Some("10.0.0.2".parse().unwrap());
        let gre = Tunnel { kind: "gre".into(), remote, id: Some(42), ..Tunnel::default() };
        set("host:gre1", LinkKind::Tunnel(gre));
        let policy = NetkitPolicy::Blackhole;
        set("host:nk0", LinkKind::Netkit(Netkit { layer3: true, policy, ..Netkit::default() }));
        set("guest:iv", LinkKind::Ipvlan(Ipvlan::default()));
        let links = |name| {
            let text = show(
                &s,
                Target::Namespace(id(&s, name)),
                &Style { width: 200, ..Style::default() },
            );
            let kept = text.lines().skip_while(|l| *l != "links").skip(1);
            let kept = kept.take_while(|l| l.starts_with(' ')).filter(|l| !l.contains("loopback"));
            kept.map(|l| l.split(", 02:").next().unwrap().to_owned()).collect::<Vec<_>>().join("\n")
        };
        assert_snapshot!(links("host"), @r"
        1: lo
        2: bond0
           up, bond mode active-backup miimon 100, ports eno1 eno2
        3: eno1 ⇄ outside
           up, physical, port of bond0, ACTIVE
        4: eno2 ⇄ outside
           up, physical, port of bond0, BACKUP
        5: bond0.5 on host:bond0
           up, vlan protocol 802.1Q id 5
        7: blue
           up, vrf table 10, members eth1
        8: eth1 ⇄ outside
           up, physical, in VRF blue
        9: wg0
           up, wireguard, its peers were not read
        10: gre1
           up, gre key 42 remote 10.0.0.2
        11: nk0
           up, netkit mode l3 type peer policy blackhole peer policy forward
        ");
        assert_snapshot!(links("guest"), @r"
        1: lo
        6: mv on host:bond0
           up, macvlan, mode vepa
        12: iv
           up, ipvlan, mode l3 bridge
        ");
    }
}
