//! Reading the running kernel, compared with what iproute2 says in the same namespaces.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the message")]

mod space;

use std::os::unix::fs::MetadataExt;

use kernel::read::{KnownName, Parts, ReadOptions, gather, read, read_one};
use model::{LinkKind, NameSource, NsKey, Opaque, RouteMetrics, Snapshot};
use serde_json::Value;
use space::{Space, privileged};

fn snapshot() -> Snapshot {
    read(&ReadOptions::default()).unwrap()
}

fn json(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap()
}

/// The flags of a container with its own PID, mount and UTS namespaces.
const CONTAINER: [&str; 6] = ["--net", "--pid", "--mount", "--uts", "--fork", "--kill-child"];

#[test]
fn containers_in_containers_with_their_wires() {
    privileged("containers_in_containers_with_their_wires", || {
        let outer = Space::new(&CONTAINER);
        let inner = outer.inside(&CONTAINER);
        outer.run_net(&format!(
            "ip link add br0 type bridge; ip link add v0 type veth peer name eth0 netns {}
             ip link set v0 master br0 up; ip link set br0 up",
            inner.pid
        ));
        let before = (outer.run("ip netns list-id"), inner.run("ip netns list-id"));

        let snapshot = snapshot();
        let (o, i) = (outer.of(&snapshot), inner.of(&snapshot));
        assert!(o.parent.is_some_and(|p| p != i.id));
        assert_eq!(i.parent, Some(o.id));
        let init =
            |ns: &model::Namespace| ns.processes.iter().find(|p| p.inner_pid == 1).unwrap().pid;
        assert_eq!((init(o), init(i)), (outer.pid, inner.pid));
        let v0 = o.link_named("v0").unwrap();
        let eth0 = i.link_named("eth0").unwrap();
        assert_eq!(v0.peer().map(|l| (l.ns, l.index)), Some((i.id, eth0.index)));
        assert_eq!(eth0.peer().map(|l| (l.ns, l.index)), Some((o.id, v0.index)));
        assert_eq!(o.ports(v0.master.unwrap()).count(), 1);
        assert_eq!(o.nsids.values().copied().collect::<Vec<_>>(), [i.id]);
        assert_eq!((i.nsids.len(), before.1.as_str()), (0, ""), "eth0 is not yet told of there");
        assert_eq!((&o.gaps, &i.gaps), (&vec![], &vec![]));
        // Reading has given nobody a number.
        assert_eq!(before, (outer.run("ip netns list-id"), inner.run("ip netns list-id")));
    });
}

#[test]
fn links_and_addresses_are_those_that_ip_shows() {
    privileged("links_and_addresses_are_those_that_ip_shows", || {
        let space = Space::new(&["--net"]);
        space.run_net(
            "ip link add br0 type bridge ageing_time 1200 forward_delay 200
             ip link add name a type veth peer name b; ip link set dev a master br0 up; ip link set dev b up
             ip link set dev a type bridge_slave hairpin on isolated on learning off
             ip link set dev b mtu 1400 alias 'the far end' txqueuelen 7
             ip link property add dev b altname anothername
             ip link set br0 up
             ip addr add 10.0.0.1/24 brd + dev b; ip addr add 10.0.0.2/24 dev b
             ip addr add 10.0.9.1 peer 10.0.9.2/32 dev b; ip addr add fd00::1/64 dev b nodad",
        );
        // A bridge takes a moment to notice that its port has carrier.
        while !space.run_net("ip link show dev br0").contains("state UP") {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let snapshot = snapshot();
        let ns = space.of(&snapshot);
        let all = json(&space.run_net("ip -j -d link"));
        assert_eq!(ns.links.len(), all.len());
        for shown in &all {
            let link = &ns.links[&u32::try_from(shown["ifindex"].as_u64().unwrap()).unwrap()];
            assert_eq!(shown["ifname"], link.name);
            assert_eq!(shown["mtu"], link.mtu);
            assert_eq!(shown["operstate"], link.state.as_str());
            assert_eq!(shown["qdisc"], *link.qdisc);
            assert_eq!(shown["txqlen"].as_u64().unwrap_or_default(), u64::from(link.txqlen));
            assert_eq!(shown["ifalias"].as_str(), link.alias.as_deref());
            let mac = link.mac.map(|m| m.to_string());
            assert_eq!(shown["address"].as_str().filter(|_| mac.is_some()), mac.as_deref());
            let kind = shown["linkinfo"]["info_data"]["type"].as_str().filter(|t| *t != "bridge");
            let kind = kind.or(shown["linkinfo"]["info_kind"].as_str()).unwrap_or("loopback");
            assert_eq!(kind, link.kind.as_str());
            let master = link.master.map(|m| ns.links[&m].name.as_str());
            assert_eq!(shown["master"].as_str(), master);
        }
        let b = ns.link_named("anothername").unwrap();
        assert_eq!(b.name, "b");
        let port = ns.link_named("a").unwrap().port.clone().unwrap();
        assert_eq!((port.hairpin, port.isolated, port.learning), (true, true, false));
        let LinkKind::Bridge(bridge) = &ns.link_named("br0").unwrap().kind else { panic!() };
        assert_eq!((bridge.ageing_time, bridge.forward_delay), (1200, 200));

        let of_b: Vec<String> = ns.addresses_of(b.index).map(|a| a.net.to_string()).collect();
        assert_eq!(of_b[..4], ["10.0.0.1/24", "10.0.9.1/32", "10.0.0.2/24", "fd00::1/64"]);
        let all: Vec<_> = ns.addresses_of(b.index).collect();
        assert_eq!(all[0].broadcast.unwrap().to_string(), "10.0.0.255");
        assert_eq!(all[1].peer.unwrap().to_string(), "10.0.9.2");
        assert!(all[2].secondary && !all[0].secondary && !all[3].secondary);
    });
}

#[test]
fn tun_and_tap() {
    privileged("tun_and_tap", || {
        if let Err(error) = std::fs::File::options().write(true).open("/dev/net/tun") {
            eprintln!("not tested here: tun and tap (/dev/net/tun: {error})");
            return;
        }
        let space = Space::new(&["--net"]);
        space.run_net("ip tuntap add t0 mode tap; ip tuntap add n0 mode tun");
        let snapshot = snapshot();
        let kind = |name| space.of(&snapshot).link_named(name).unwrap().kind.clone();
        let (LinkKind::Tap(tap), LinkKind::Tap(tun)) = (kind("t0"), kind("n0")) else { panic!() };
        assert!(tap.persist && !tap.layer3 && tun.layer3);
    });
}

#[test]
fn routes_rules_and_neighbours_are_those_that_ip_shows() {
    privileged("routes_rules_and_neighbours_are_those_that_ip_shows", || {
        let space = Space::new(&["--net"]);
        space.run_net(
            "ip link add name a type veth peer name b; ip link set dev a up; ip link set dev b up
             ip addr add 10.0.0.1/24 dev a; ip addr add 10.0.1.1/24 dev b
             ip route add default via 10.0.0.254 metric 50 mtu lock 1300 advmss 1200 hoplimit 9
             ip route add 10.9.0.0/16 nexthop via 10.0.0.2 weight 3 nexthop via 10.0.1.2
             ip route add 10.8.0.0/16 via 192.0.2.1 dev a onlink proto static src 10.0.0.1
             ip route add blackhole 10.7.0.0/16; ip route add 10.6.0.0/16 dev a table 77
             ip nexthop add id 9 via 10.0.0.5 dev a; ip route add 10.5.0.0/16 nhid 9
             ip rule add from 10.0.0.0/8 to 10.6.0.0/16 iif a fwmark 0x10/0xf0 table 77 pref 100
             ip rule add not ipproto tcp dport 80-90 pref 101 lookup main suppress_prefixlength 0
             ip rule add uidrange 0-0 pref 102 blackhole
             ip neigh add 10.0.0.7 lladdr 02:00:00:00:00:07 dev a
             ip neigh add proxy 10.0.0.8 dev a",
        );
        let snapshot = snapshot();
        let ns = space.of(&snapshot);
        let shown = json(&space.run_net("ip -j -4 route show table all"));
        let mut ours: Vec<String> = ns
            .routes
            .iter()
            .filter(|r| r.dst.addr().is_ipv4())
            .map(|r| r.dst.to_string())
            .collect();
        let mut theirs: Vec<String> = shown.iter().map(destination).collect();
        ours.sort();
        theirs.sort();
        assert_eq!(ours, theirs);
        let route = |dst: &str| ns.routes.iter().find(|r| r.dst.to_string() == dst).unwrap();
        let metrics = RouteMetrics {
            mtu: Some(1300),
            mtu_locked: true,
            hop_limit: Some(9),
            advmss: Some(1200),
        };
        assert_eq!((route("0.0.0.0/0").metric, route("0.0.0.0/0").metrics), (50, metrics));
        let hops = &route("10.9.0.0/16").nexthops;
        assert_eq!(hops.iter().map(|h| h.weight).collect::<Vec<_>>(), [3, 1]);
        assert_eq!(hops[1].gateway.unwrap().to_string(), "10.0.1.2");
        assert!(route("10.8.0.0/16").nexthops[0].onlink);
        assert_eq!(route("10.8.0.0/16").prefsrc.unwrap().to_string(), "10.0.0.1");
        assert_eq!(route("10.7.0.0/16").kind, model::RouteKind::Blackhole);
        assert_eq!(route("10.7.0.0/16").nexthops, []);
        assert_eq!(route("10.6.0.0/16").table, 77);
        assert_eq!(route("10.5.0.0/16").nexthop_id, Some(9));

        let (v6, v4): (Vec<_>, Vec<_>) = ns.rules.iter().partition(|r| r.ipv6);
        let priorities =
            |rules: &[&model::Rule]| -> Vec<u32> { rules.iter().map(|r| r.priority).collect() };
        assert_eq!(priorities(&v4), [0, 100, 101, 102, 32766, 32767]);
        assert_eq!(priorities(&v6), [0, 32766]);
        let [_, first, second, third, ..] = v4.as_slice() else { panic!() };
        assert_eq!(first.src.unwrap().to_string(), "10.0.0.0/8");
        assert_eq!((first.iif.as_deref(), first.mark), (Some("a"), Some((0x10, 0xf0))));
        assert_eq!(first.action, model::RuleAction::Table(77));
        assert!(second.invert);
        assert_eq!((second.protocol, second.dport), (Some(6), Some((80, 90))));
        assert_eq!(second.suppress_prefixlength, Some(1));
        assert_eq!((third.uids, third.unknown.as_slice()), (Some((0, 0)), [].as_slice()));
        assert_eq!(third.action, model::RuleAction::Blackhole);

        let neighbour = |ip: &str| ns.neighbours.iter().find(|n| n.ip.to_string() == ip).unwrap();
        assert_eq!(neighbour("10.0.0.7").mac.unwrap().to_string(), "02:00:00:00:00:07");
        assert_eq!(neighbour("10.0.0.7").state, model::NeighbourState::Permanent);
        assert!(neighbour("10.0.0.8").proxy);
    });
}

fn destination(route: &Value) -> String {
    match route["dst"].as_str().unwrap() {
        "default" => "0.0.0.0/0".to_owned(),
        host if !host.contains('/') => format!("{host}/32"),
        net => net.to_owned(),
    }
}

#[test]
fn sysctls_are_those_of_the_namespace() {
    privileged("sysctls_are_those_of_the_namespace", || {
        let space = Space::new(&["--net"]);
        space.run_net(
            "ip link add name a type veth peer name b; cd /proc/sys/net
             echo 1 > ipv4/ip_forward; echo 2 > ipv4/conf/all/rp_filter
             echo 1 > ipv4/conf/all/arp_ignore; echo 1 > ipv4/conf/default/accept_local
             echo 1 > ipv4/conf/a/proxy_arp; echo 1 > ipv6/conf/a/disable_ipv6
             echo 33 > ipv4/ip_default_ttl; echo 1 > ipv6/conf/all/forwarding",
        );
        let snapshot = snapshot();
        let ns = space.of(&snapshot);
        assert!(ns.sysctls.ip_forward && ns.sysctls.ipv6_forwarding);
        assert_eq!((ns.sysctls.all.rp_filter, ns.sysctls.all.arp_ignore), (2, 1));
        assert!(ns.sysctls.default.accept_local && !ns.sysctls.all.accept_local);
        assert_eq!(ns.sysctls.default_ttl, 33);
        let a = ns.link_named("a").unwrap();
        assert!(a.inet.unwrap().proxy_arp && a.inet.unwrap().forwarding);
        assert_eq!(a.ipv6_disabled(), Some(true));
        assert_eq!(ns.link_named("b").unwrap().ipv6_disabled(), Some(false));
    });
}

#[test]
fn the_ruleset_its_hooks_and_tracked_connections() {
    privileged("the_ruleset_its_hooks_and_tracked_connections", || {
        let space = Space::new(&["--net"]);
        space.run_net(
            "ip link set dev lo up; ip link add name a type veth peer name b
             nft -f - <<'END'
             table ip filter {
                 set ports { type inet_service; elements = { 80, 443 } }
                 chain in { type filter hook input priority 0; policy drop
                     ct state established,related accept; iif lo accept; tcp dport @ports accept;
                 }
             }
             table netdev early { chain a { type filter hook ingress device a priority 0; }; }\nEND",
        );
        // A datagram to itself, which is tracked since a rule asks for the state.
        space.enter(|| {
            let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.send_to(b"x", "127.0.0.1:9").unwrap();
        });
        let snapshot = snapshot();
        let ns = space.of(&snapshot);
        assert_eq!(ns.gaps, []);
        let table = ns.ruleset.table(model::Family::Ip, "filter").unwrap();
        assert_eq!(table.chain("in").unwrap().rules.len(), 3);
        assert_eq!(table.sets.iter().find(|s| s.name == "ports").unwrap().elements.len(), 2);
        let early = &ns.ruleset.table(model::Family::Netdev, "early").unwrap().chains[0];
        assert_eq!(early.base.as_ref().unwrap().devices, ["a"]);
        assert!(
            ns.links.values().all(|l| l.tc.is_none()) && ns.opaque.is_empty(),
            "{:?}",
            ns.opaque
        );
        let flow = ns.conntrack.iter().find(|c| c.original.dport == 9).unwrap();
        assert_eq!((flow.original.protocol, flow.original.reversed()), (17, flow.reply));
        let other =
            snapshot.namespaces.values().find(|n| n.id != ns.id && n.conntrack == ns.conntrack);
        assert!(other.is_none_or(|o| o.conntrack.is_empty()));
    });
}

#[test]
fn names_from_files_and_labs() {
    privileged("names_from_files_and_labs", || {
        let holder = Space::new(&CONTAINER);
        // Files in a mount namespace of its own; nobody is in the namespace that they hold.
        holder
            .run("mount -t tmpfs none /run; ip netns add 'by-file'; ip -n by-file link set lo up");
        let child = Space::new(&["--net"]);
        let NsKey::Inode { dev, ino } = child.id().key else { panic!() };
        let name = |name: &str, parent: Option<&str>, ino| KnownName {
            lab: "lab1".into(),
            name: name.into(),
            dev,
            ino,
            parent: parent.map(str::to_owned),
        };
        let NsKey::Inode { ino: outer, .. } = holder.id().key else { panic!() };
        let names = vec![name("web", Some("box"), ino), name("box", None, outer)];
        let snapshot = read(&ReadOptions { names, ..ReadOptions::default() }).unwrap();
        assert_eq!(snapshot.path_of(child.id()), "lab1/box/web");
        assert_eq!(child.of(&snapshot).parent, Some(holder.id()));
        let by_file = snapshot
            .namespaces
            .values()
            .find(|n| n.files.iter().any(|f| f.seen_in == Some(holder.id())))
            .unwrap();
        assert_eq!((by_file.name().as_str(), by_file.parent), ("by-file", Some(holder.id())));
        assert_eq!((&by_file.names[0].source, &by_file.gaps), (&NameSource::File, &vec![]));
        assert_eq!(by_file.files[0].path, "/run/netns/by-file");
        assert!(by_file.links[&1].is_up());
    });
}

#[test]
fn parts_that_were_not_asked_for_leave_no_gap() {
    privileged("parts_that_were_not_asked_for_leave_no_gap", || {
        let space = Space::new(&["--net"]);
        let options = ReadOptions { parts: Parts::empty(), ..ReadOptions::default() };
        let snapshot = read(&options).unwrap();
        let ns = space.of(&snapshot);
        assert_eq!((&ns.gaps, ns.links.len(), ns.routes.len()), (&vec![], 1, 0));
    });
}

#[test]
fn each_part_takes_its_own_questions_and_no_others() {
    privileged("each_part_takes_its_own_questions_and_no_others", || {
        let space = Space::new(&["--net"]);
        space.run_net("ip link add br0 type bridge");
        let asked = |parts| {
            let gathered = gather(&ReadOptions { parts, ..ReadOptions::default() }).unwrap();
            // Nobody was left to be read from afar.
            let texts: Vec<&str> =
                gathered.found.warnings.iter().map(|w| w.text.as_str()).collect();
            assert!(!texts.concat().contains("CAP_SYS_ADMIN"), "{texts:?}");
            let answers = &gathered.answers[&space.id()];
            answers.by_question.keys().map(|q| q.as_str()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(asked(Parts::empty()), "links");
        // What `ls` reads.
        assert_eq!(asked(Parts::NSIDS | Parts::DESCRIPTORS), "links nsids");
        // What `find` reads for a name, a MAC, and most of what it reads for an address.
        assert_eq!(asked(Parts::ADDRESSES), "links addresses-ipv4 addresses-ipv6");
        assert_eq!(asked(Parts::NEIGHBOURS), "links neighbours neighbours-proxy fdb mdb");
        let routes = "links routes-ipv4 routes-ipv6 rules route-to-loopback \
                      address-labels learned-ipv4 learned-ipv6";
        assert_eq!(asked(Parts::ROUTES), routes);
        let settings = "links netconf-all netconf-all-ipv6 sysctls groups-ipv4";
        assert_eq!(asked(Parts::SETTINGS), settings);
        let all = asked(Parts::all());
        assert!(all.contains("netconf-default"), "{all}");
    });
}

#[test]
fn one_namespace_is_read_and_the_others_as_far_as_it_is_joined_to_them() {
    privileged("one_namespace_is_read_and_the_others_as_far_as_it_is_joined_to_them", || {
        let (a, b) = (Space::new(&["--net"]), Space::new(&["--net"]));
        a.run_net(&format!(
            "ip link add name a type veth peer name b netns {}; ip addr add 10.0.0.1/24 dev a",
            b.pid
        ));
        b.run_net("ip link set dev b up; ip addr add 10.0.0.2/24 dev b");
        let options = ReadOptions::default();
        let word = format!("pid:{}", a.pid);
        for word in [&word, &format!("{word}:a")] {
            let (snapshot, only) = read_one(&options, word).unwrap();
            let (one, other) = (a.of(&snapshot), b.of(&snapshot));
            assert_eq!(only, Some(one.id));
            assert_eq!((one.addresses.len(), one.sysctls.default_ttl), (1, 64));
            assert_eq!((other.addresses.len(), other.routes.len()), (0, 0));
            assert_eq!((&other.gaps, other.sysctls.default_ttl), (&vec![], 0));
            assert_eq!(other.link_named("b").unwrap().peer().map(|l| l.ns), Some(one.id));
            assert_eq!(one.nsids.values().next(), Some(&other.id));
        }
        let (snapshot, only) = read_one(&options, "nobody is called that").unwrap();
        assert_eq!((only, b.of(&snapshot).addresses.len()), (None, 1));
    });
}

#[test]
fn what_new_links_begin_with_is_read_where_it_counts() {
    privileged("what_new_links_begin_with_is_read_where_it_counts", || {
        let space = Space::new(&["--net"]);
        space.run_net("echo 1 > /proc/sys/net/ipv4/conf/default/accept_local");
        let options = ReadOptions { parts: Parts::SETTINGS, ..ReadOptions::default() };
        let accepts = || space.of(&read(&options).unwrap()).sysctls.default.accept_local;
        assert!(!accepts());
        // A link with so small an MTU has no IPv4, and no settings of its own.
        space.run_net("ip link set dev lo mtu 67");
        assert!(accepts());
    });
}

#[test]
fn xfrm_policies_are_noticed() {
    privileged("xfrm_policies_are_noticed", || {
        let space = Space::new(&["--net"]);
        let added = std::panic::catch_unwind(|| {
            space.run_net("ip xfrm policy add src 10.0.0.0/8 dst 10.1.0.0/16 dir out");
        });
        assert!(added.is_ok(), "this kernel has no IPsec");
        assert_eq!(space.of(&snapshot()).opaque, [Opaque::Xfrm]);
    });
}

#[test]
fn an_ordinary_user_is_told_that_the_view_is_partial() {
    use std::os::unix::process::CommandExt;
    const NAME: &str = "an_ordinary_user_is_told_that_the_view_is_partial";
    if rustix::process::geteuid().is_root() {
        let space = Space::new(&["--net"]);
        space.run_net(
            "ip link add name left type veth peer name right; ip addr add 10.1.2.3/24 dev left
             ip link set dev left up; ip link set dev right up; ip neigh add 10.1.2.4 lladdr 02:00:00:00:00:04 dev left",
        );
        // Once more as nobody, from a place where nobody may run it.
        let exe = format!("/tmp/read-as-nobody-{}", std::process::id());
        // Not copied by this process: a child of another test would hold it open for writing.
        let mut copy = std::process::Command::new("cp");
        assert!(copy.arg(std::env::current_exe().unwrap()).arg(&exe).status().unwrap().success());
        let mut again = std::process::Command::new(&exe);
        let status = again
            .args([NAME, "--exact"])
            .uid(65534)
            .gid(65534)
            .current_dir("/")
            .env("OTHER", space.pid.to_string())
            .status();
        std::fs::remove_file(&exe).unwrap();
        assert!(status.unwrap().success());
        return;
    }
    let snapshot = read(&ReadOptions::default()).unwrap();
    assert!(snapshot.warnings.iter().any(|w| w.text.contains("partial")), "{snapshot:?}");
    let own = &snapshot.namespaces[&snapshot.viewer.unwrap()];
    assert!(own.links.values().any(|l| l.name == "lo"));
    assert_ne!(own.rules, []);
    assert_ne!(own.sysctls.default_ttl, 0);
    // What it may not see is a gap, and not nothing.
    assert!(own.gap("netfilter").is_some());
    if let Ok(pid) = std::env::var("OTHER") {
        what_anybody_is_told(&snapshot, pid.parse().unwrap());
    }
}

/// Of the namespace of a process of somebody else's.
fn what_anybody_is_told(snapshot: &Snapshot, pid: u32) {
    let ns =
        snapshot.namespaces.values().find(|n| n.processes.iter().any(|p| p.pid == pid)).unwrap();
    assert!(matches!(ns.id.key, NsKey::Net(_)), "{:?}", ns.id);
    let left = ns.link_named("left").unwrap();
    assert!(left.is_up() && ns.link_named("right").is_some());
    assert!(ns.addresses_of(left.index).any(|a| a.net.to_string() == "10.1.2.3/24"));
    let hop = ns.routes.iter().find(|r| r.dst.to_string() == "10.1.2.0/24").unwrap().nexthops[0];
    assert_eq!((hop.gateway, hop.link), (None, left.index));
    assert_eq!(ns.neighbours[0].ip.to_string(), "10.1.2.4");
    for part in ["links", "addresses", "routes", "rules", "netfilter", "sysctls"] {
        assert!(ns.gap(part).is_some(), "{part}");
    }
    // Where the machine's own daemons are in the reader's namespace, that is known.
    let mark = |of| std::fs::metadata(format!("/proc/{of}/net/dev")).unwrap().ino();
    let first = snapshot.namespaces.values().find(|n| n.processes.iter().any(|p| p.pid == 1));
    let here = first.is_some_and(|n| Some(n.id) == snapshot.viewer);
    assert_eq!(here, mark("1") == mark("thread-self"));
}
