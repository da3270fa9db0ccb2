//! Wires between namespaces: what the kernel says of the other end misleads.

use model::Found;
use model::{LinkId, LinkKind, MacvlanMode, Namespace, NsId, NsKey, Relation, Snapshot, Target};
use trial::{Needs, Test, test};

use crate::space::Space;
use crate::tool::{Stays, flight_of, meanwhile, snapshot, snapshot_when};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test("equal_ifindex_on_both_sides", &[], equal_ifindex_on_both_sides),
        test("a_moved_macvlan_and_its_lower_link", &[], a_moved_macvlan_and_its_lower_link),
        test("a_vxlan_without_a_lower_device", &[], a_vxlan_without_a_lower_device),
        test("a_moved_vxlan_with_a_lower_device", &[], a_moved_vxlan_with_a_lower_device),
        test("wireguard", &[Needs::Tool("wg"), NO_WIREGUARD], wireguard),
        test("a_veth_moves_while_read", &[], a_veth_moves_while_read),
        test("a_hidden_peer", &[], a_hidden_peer),
        test("groups_of_bridges", &[Needs::Tool("bridge")], groups_of_bridges),
        test("vlans_of_bridges", &[Needs::Tool("bridge"), NO_VLANS], vlans_of_bridges),
        test("a_chain_of_which_the_first_has_a_process", &[], a_chain),
    ]
}

/// Two that are joined have the same ifindex, and so has the end of a pair elsewhere.
fn equal_ifindex_on_both_sides() {
    let all: Vec<Space> = (0..3).map(|_| Space::new(&["--net"])).collect();
    let [a, b, c] = all.as_slice() else { panic!() };
    a.run_net(&format!(
        "ip link add twin index 7 type veth peer name twin index 7 netns {}
         ip link add under type veth peer name other",
        b.pid
    ));
    c.run_net("ip link add twin index 7 type veth peer name other");
    let snapshot = snapshot();
    let peer = |ns: &Space, name| ns.of(&snapshot).link_named(name).unwrap().peer();
    assert_eq!(peer(a, "twin"), Some(LinkId { ns: b.id(), index: 7 }));
    assert_eq!(peer(b, "twin"), Some(LinkId { ns: a.id(), index: 7 }));
    assert_eq!(peer(a, "under"), Some(link(&snapshot, a, "other")));
    assert_eq!(peer(c, "twin"), Some(link(&snapshot, c, "other")));
}

fn a_moved_macvlan_and_its_lower_link() {
    let (a, b) = (Space::new(&["--net"]), Space::new(&["--net"]));
    a.run_net(&format!(
        "ip link add under type veth peer name other
         ip link add link under name mv type macvlan mode bridge; ip link set mv netns {}
         ip link add link under name mt type macvtap mode private",
        b.pid
    ));
    let snapshot = snapshot();
    let under = Relation::Lower(link(&snapshot, &a, "under"));
    assert_eq!(b.of(&snapshot).link_named("mv").unwrap().relation, under);
    let mt = a.of(&snapshot).link_named("mt").unwrap();
    let LinkKind::Macvlan(macvlan) = &mt.kind else { panic!("no macvtap") };
    assert_eq!((mt.relation, macvlan.tap), (under, true));
    assert_eq!(macvlan.mode, MacvlanMode::Private);
}

/// Moved, it names its own ifindex as what it stands on: no edge.
fn a_vxlan_without_a_lower_device() {
    let (a, b) = (Space::new(&["--net"]), Space::new(&["--net"]));
    a.run_net(&format!(
        "ip link add vx0 type vxlan id 5 dstport 4789 remote 10.0.0.9; ip link set vx0 netns {}
         ip link add vx1 type vxlan id 6 dstport 4790 remote 10.0.0.9",
        b.pid
    ));
    let snapshot = snapshot();
    let vx0 = b.of(&snapshot).link_named("vx0").unwrap();
    assert_eq!(vx0.relation, Relation::Underlay(a.id()));
    assert_eq!(a.of(&snapshot).link_named("vx1").unwrap().relation, Relation::None);
    let LinkKind::Vxlan(vxlan) = &vx0.kind else { panic!("no vxlan") };
    assert_eq!((vxlan.vni, vxlan.port), (5, 4789));
    assert_eq!(vxlan.remote.unwrap().to_string(), "10.0.0.9");
}

const NO_WIREGUARD: Needs = Needs::Trying("wireguard", |kind| match kernel::has_link_kind(kind) {
    Ok(true) => None,
    _ => Some(format!("no links of kind {kind}")),
});

/// Made in one namespace and moved to another, it still sends from the former; and what is gathered
/// of it has no key that is secret.
fn wireguard() {
    // The letter s, 32 times, and p; of the former, WireGuard itself sets some bits.
    let (private, preshared) = ([b's'; 24], [b'p'; 32]);
    let (a, b) = (Space::new(&["--net"]), Space::new(&["--net"]));
    a.run_net(&format!(
        "ip link add home type wireguard; ip link add moved type wireguard
         key() {{ printf '%032d' 0 | tr 0 $1 | base64; }}
         f=$(mktemp -d); key s > $f/s; key p > $f/p
         wg set home listen-port 7001 private-key $f/s peer $(key q) preshared-key $f/p endpoint 192.0.2.1:9 allowed-ips 10.9.0.0/24
         wg set moved listen-port 7002
         rm -r $f
         ip link set moved netns {}; ip link set home up",
        b.pid
    ));
    b.run_net("ip link set moved up");
    let gathered = kernel::read::gather(&kernel::read::ReadOptions::default()).unwrap();
    for answers in gathered.answers.values() {
        for question in answers.by_question.keys() {
            let bytes = answers.bytes(*question);
            for secret in [&private[..], &preshared[..]] {
                assert!(!bytes.windows(16).any(|w| secret.starts_with(w)), "{question:?}");
            }
        }
    }
    let snapshot = gathered.snapshot();
    let own =
        |ns: &Space, name| ns.of(&snapshot).link_named(name).unwrap().wireguard().cloned().unwrap();
    let (home, moved) = (own(&a, "home"), own(&b, "moved"));
    assert_eq!((home.socket, moved.socket), (Some(a.id()), Some(a.id())));
    assert_eq!((home.listen_port, moved.listen_port), (7001, 7002));
    assert_eq!((home.public_key.is_some(), moved.public_key), (true, None));
    let [peer] = home.peers.as_slice() else { panic!("{home:?}") };
    assert_eq!(peer.public_key, model::WireguardKey([b'q'; 32]));
    assert_eq!((peer.preshared, peer.handshake), (true, None));
    assert_eq!(peer.endpoint, "192.0.2.1:9".parse().ok());
    assert_eq!(peer.allowed_ips, ["10.9.0.0/24".parse().unwrap()]);
}

fn a_moved_vxlan_with_a_lower_device() {
    let (a, b) = (Space::new(&["--net"]), Space::new(&["--net"]));
    a.run_net(&format!(
        "ip link add under type veth peer name other
         ip link add vx0 type vxlan id 5 dstport 4789 dev under; ip link set vx0 netns {}
         ip link add vx1 type vxlan id 6 dstport 4789 dev under",
        b.pid
    ));
    let snapshot = snapshot();
    let under = Relation::Lower(link(&snapshot, &a, "under"));
    assert_eq!(b.of(&snapshot).link_named("vx0").unwrap().relation, under);
    assert_eq!(a.of(&snapshot).link_named("vx1").unwrap().relation, under);
}

/// Whatever is told of a wire that is on its way, it is no wire to something else.
fn a_veth_moves_while_read() {
    let (near, there) = (Space::new(&["--net"]), Space::new(&["--net"]));
    let other = Space::new(&["--net"]);
    near.run_net(&format!("ip link add near type veth peer name far netns {}", there.pid));
    // What has the ifindex that the moved one had.
    let index = link(&snapshot(), &there, "far").index;
    other.run_net(&format!("ip link add bait index {index} type dummy 2>/dev/null || ip link add bait index {index} type bridge"));
    let mut at = (&there, &other);
    let move_on = || {
        at.0.run_net(&format!("ip link set far netns {}", at.1.pid));
        at = (at.1, at.0);
    };
    let look = || {
        let snapshot = snapshot();
        let near = link(&snapshot, &near, "near");
        let Some(peer) = snapshot.link(near).unwrap().peer() else { return };
        let back = snapshot.link(peer).map(|l| (l.name.as_str(), l.peer()));
        assert_eq!(back, Some(("far", Some(near))), "{:?}", snapshot.warnings);
    };
    meanwhile(move_on, look);
}

/// Nothing leads to where the other end is, and it is walked on from there.
fn a_hidden_peer() {
    let (a, b, c) = (Space::new(&["--net"]), Space::new(&["--net"]), Space::new(&["--net"]));
    a.run_net(&format!("ip link add ab type veth peer name ba netns {}", b.pid));
    b.run_net(&format!(
        "ip link add bc type veth peer name cb netns {}; ip addr add 10.1.2.3/24 dev bc",
        c.pid
    ));
    let _flight = flight_of(&b.file());
    let gone = b.id();
    drop(b);
    let snapshot = snapshot_when(|s| !s.namespaces.contains_key(&gone));
    let ab = a.of(&snapshot).link_named("ab").unwrap().peer().unwrap();
    let unseen = &snapshot.namespaces[&ab.ns];
    assert!(matches!(unseen.id.key, NsKey::Unseen(_)));
    assert_eq!((unseen.found.as_slice(), unseen.parent), ([Found::Peer].as_slice(), None));
    assert_eq!(unseen.links[&ab.index].name, "ba");
    assert_eq!(unseen.addresses[0].net.to_string(), "10.1.2.3/24");
    assert!(unseen.gap("routes").is_some());
    let cb = unseen.link_named("bc").unwrap().peer().unwrap();
    assert_eq!(cb.ns, c.id());
    assert_eq!(snapshot.link(cb).unwrap().peer().unwrap().ns, unseen.id);
}

/// Of four in a row only the first has a process; the second and fourth have nothing but links,
/// and the third a descriptor.
fn a_chain() {
    let spaces: Vec<Space> = (0..4).map(|_| Space::new(&["--net"])).collect();
    for (nth, pair) in spaces.windows(2).enumerate() {
        let far = pair[1].pid;
        pair[0].run_net(&format!("ip link add down{nth} type veth peer name up{nth} netns {far}"));
    }
    let ids: Vec<NsId> = spaces.iter().map(Space::id).collect();
    let _flights = [flight_of(&spaces[1].file()), flight_of(&spaces[3].file())];
    let holder = Stays::holding(spaces[2].file());
    let mut spaces = spaces.into_iter();
    let first = spaces.next().unwrap();
    drop(spaces);
    let snapshot = snapshot_when(|s| {
        let known = |id| s.namespaces.contains_key(&id);
        !known(ids[1]) && !known(ids[3]) && s.namespaces[&ids[2]].found.len() == 1
    });
    let next = |ns: &Namespace, nth: usize| {
        let peer = ns.link_named(&format!("down{nth}")).unwrap().peer().unwrap();
        assert_eq!(snapshot.link(peer).unwrap().name, format!("up{nth}"));
        snapshot.namespaces[&peer.ns].clone()
    };
    let second = next(first.of(&snapshot), 0);
    assert_eq!(second.found, [Found::Peer]);
    let third = next(&second, 1);
    assert_eq!(
        (third.id, third.found.as_slice()),
        (ids[2], [Found::Descriptor(holder.pid())].as_slice())
    );
    let fourth = next(&third, 2);
    assert_eq!((fourth.found.as_slice(), fourth.links.len()), ([Found::Peer].as_slice(), 2));
    assert_eq!(fourth.link_named("up2").unwrap().peer().unwrap().ns, third.id);
}

fn link(snapshot: &Snapshot, ns: &Space, name: &str) -> LinkId {
    LinkId { ns: ns.id(), index: ns.of(snapshot).link_named(name).unwrap().index }
}

const NO_VLANS: Needs = Needs::Trying("vlan_filtering", |_| match kernel::bridges_filter_vlans() {
    Ok(true) => None,
    _ => Some("bridges of this kernel do not filter VLANs".to_owned()),
});

/// A bridge with a port, what `show` lists of it in that section, and what `diff` tells of a change.
fn shown_and_differing(bridge: &str, section: &str, change: &str) -> (Vec<String>, String) {
    let space = Space::new(&["--net"]);
    space.run_net(&format!(
        "ip link add br0 type bridge {bridge}; ip link add v0 type veth peer name v1
         ip link set v0 master br0; ip link set br0 up; ip link set v0 up"
    ));
    let before = snapshot();
    space.run_net(change);
    let after = snapshot();
    let style = render::Style::default();
    let text = render::show(&after, Target::Namespace(space.id()), &style);
    let lines = text.lines().skip_while(|line| line.trim() != section).skip(1);
    let shown = lines.take_while(|line| line.starts_with("  ")).map(|l| l.trim().to_owned());
    let mut differences = model::diff(&before, &after);
    differences.retain(|d| d.after == Some(space.id()));
    (shown.collect(), render::diff(&before, &after, &differences, false, &style))
}

fn groups_of_bridges() {
    let change = "bridge mdb add dev br0 port v0 grp 239.1.1.1 permanent";
    let (shown, differing) = shown_and_differing("mcast_snooping 1", "multicast database", change);
    assert_eq!(shown, ["br0: 239.1.1.1 is wanted behind v0 (permanent)"]);
    let line = "+ MDB entry appeared: br0: 239.1.1.1 is wanted behind v0 (permanent)";
    assert!(differing.contains(line), "{differing}");
}

fn vlans_of_bridges() {
    let change = "bridge vlan add dev v0 vid 10 pvid untagged";
    let (shown, differing) = shown_and_differing("vlan_filtering 1", "VLANs of bridges", change);
    assert!(shown.iter().any(|l| l.contains("v0") && l.contains("10 PVID untagged")), "{shown:?}");
    assert!(differing.contains("+ VLAN appeared: v0: 10 PVID untagged"), "{differing}");
}
