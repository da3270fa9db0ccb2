//! IPv6: what scenarios on the kernel (`crates/oracle/scenarios/ipv6-*`) do not show.

use model::{AddressFlags, Neighbour, NeighbourState, Preference, Snapshot};
use walk::{Place, Protocol, Question};

use crate::net::{id, net};
use crate::{ends, tell, whole};

/// A router with two subnets.
const ROUTER: &str = "
ns a
ns r forward6
ns b
veth a:eth0 r:eth0
veth b:eth0 r:eth1
addr a:eth0 fe80::a/64
addr a:eth0 2001:db8:1::2/64
addr r:eth0 fe80::1/64
addr r:eth0 2001:db8:1::1/64
addr r:eth1 fe80::2/64
addr r:eth1 2001:db8:2::1/64
addr b:eth0 fe80::b/64
addr b:eth0 2001:db8:2::2/64
route a ::/0 via 2001:db8:1::1 dev eth0
route b ::/0 via 2001:db8:2::1 dev eth0
";

/// How both ways end, after something of the Snapshot was changed by hand.
fn changed(text: &str, to: &str, change: impl FnOnce(&mut Snapshot)) -> String {
    let mut snapshot = net(text);
    change(&mut snapshot);
    let trace = crate::ask(&snapshot, "a", to);
    tell::ends(&snapshot, &trace)
}

fn flag(ns: &'static str, ip: &'static str, flags: AddressFlags) -> impl FnOnce(&mut Snapshot) {
    move |snapshot| {
        let ns = id(snapshot, ns);
        let addresses = &mut snapshot.namespaces.get_mut(&ns).unwrap().addresses;
        let address = addresses.iter_mut().find(|a| a.ip().to_string() == ip);
        address.unwrap().flags = flags;
    }
}

#[test]
fn there_and_back() {
    insta::assert_snapshot!(whole(ROUTER, "a", "2001:db8:2::2"), @r"
    there 2001:db8:1::2 > 2001:db8:2::2 → delivered to b
     a
      send
      route ::/0 via 2001:db8:1::1 dev a:eth0 src 2001:db8:1::2
      arp 2001:db8:1::1: 02:00:00:00:00:05 by r:eth0
        arp 2001:db8:1::2 > ff02::1:ff00:1 → delivered to r
        back 2001:db8:1::1 > 2001:db8:1::2 → delivered to a
      out a:eth0 2001:db8:1::2:1 > 2001:db8:2::2:1
     r
      in r:eth0 2001:db8:1::2:1 > 2001:db8:2::2:1
      route 2001:db8:2::/64 dev r:eth1
      forward ttl 64
      arp 2001:db8:2::2: 02:00:00:00:00:06 by b:eth0
        arp fe80::2 > ff02::1:ff00:2 → delivered to b
        back 2001:db8:2::2 > fe80::2 → delivered to r
      out r:eth1 2001:db8:1::2:1 > 2001:db8:2::2:1
     b
      in b:eth0 2001:db8:1::2:1 > 2001:db8:2::2:1
      route 2001:db8:2::2/128 dev b:eth0 local
      delivered (b:eth0)
    back 2001:db8:2::2 > 2001:db8:1::2 → delivered to a
     b
      send
      route ::/0 via 2001:db8:2::1 dev b:eth0
      arp 2001:db8:2::1: 02:00:00:00:00:07 by r:eth1
        arp 2001:db8:2::2 > ff02::1:ff00:1 → delivered to r
        back 2001:db8:2::1 > 2001:db8:2::2 → delivered to b
      out b:eth0 2001:db8:2::2:1 > 2001:db8:1::2:1
     r
      in r:eth1 2001:db8:2::2:1 > 2001:db8:1::2:1
      route 2001:db8:1::/64 dev r:eth0
      forward ttl 64
      neigh 2001:db8:1::2 is 02:00:00:00:00:04 (STALE)
      out r:eth0 2001:db8:2::2:1 > 2001:db8:1::2:1
     a
      in a:eth0 2001:db8:2::2:1 > 2001:db8:1::2:1
      route 2001:db8:1::2/128 dev a:eth0 local
      delivered (a:eth0)
    ");
}

#[test]
fn an_address_that_is_not_ready_is_not_used_and_not_answered_for() {
    let tentative = AddressFlags::TENTATIVE;
    let to = "[2001:db8:2::2]:80";
    insta::assert_snapshot!(changed(ROUTER, to, flag("b", "2001:db8:2::2", tentative)), @r"
    there: LOST at r:eth1: no neighbour 2001:db8:2::2
    back: -
    ");
    insta::assert_snapshot!(changed(ROUTER, to, flag("a", "2001:db8:1::2", tentative)), @r"
    there: LOST at r:eth0: BeyondScope
    back: -
    ");
    // Without an address of its link's own that is ready nobody can be asked.
    insta::assert_snapshot!(changed(ROUTER, to, flag("r", "fe80::2", tentative)), @r"
    there: LOST at r:eth1: NoLinkLocal
    back: -
    ");
}

/// From which of these two addresses of a it is sent.
fn source(flags: AddressFlags, more: &str) -> String {
    let mut snapshot = net(&format!("{ROUTER}\naddr a:eth0 2001:db8:1::9/64\n{more}"));
    flag("a", "2001:db8:1::2", flags)(&mut snapshot);
    let trace = crate::ask(&snapshot, "a", "2001:db8:2::2");
    trace.there.hops[0].steps[1].packet.src.to_string()
}

#[test]
fn sources_by_their_flags() {
    assert_eq!(source(AddressFlags::empty(), ""), "2001:db8:1::2", "the first of equals");
    assert_eq!(source(AddressFlags::DEPRECATED, ""), "2001:db8:1::9");
    assert_eq!(source(AddressFlags::TENTATIVE, ""), "2001:db8:1::9");
    assert_eq!(source(AddressFlags::OPTIMISTIC | AddressFlags::TENTATIVE, ""), "2001:db8:1::9");
    assert_eq!(source(AddressFlags::TEMPORARY, ""), "2001:db8:1::9", "use_tempaddr 0");
    // The link out goes before the longer prefix.
    assert_eq!(source(AddressFlags::empty(), "addr a:lo 2001:db8:2::9/128"), "2001:db8:1::2");
}

#[test]
fn sources_by_their_labels() {
    let source = |labels: &[(&str, Option<u32>, u32)]| {
        let mut snapshot = net(&format!("{ROUTER}\naddr a:eth0 2001:db8:1::9/64"));
        let at = id(&snapshot, "a");
        let space = snapshot.namespaces.get_mut(&at).unwrap();
        for (net, link, label) in labels {
            let (net, link) = (net.parse().unwrap(), *link);
            space.address_labels.set(model::AddressLabel { net, link, label: *label });
        }
        let trace = crate::ask(&snapshot, "a", "2001:db8:2::2");
        trace.there.hops[0].steps[1].packet.src.to_string()
    };
    let to = ("2001:db8:2::/64", None, 7);
    assert_eq!(source(&[to]), "2001:db8:1::2", "neither has it");
    assert_eq!(source(&[to, ("2001:db8:1::9/128", None, 7)]), "2001:db8:1::9");
    assert_eq!(source(&[to, ("2001:db8:1::9/128", Some(99), 7)]), "2001:db8:1::2", "elsewhere");
}

#[test]
fn a_link_local_source_stays_on_its_link() {
    let snapshot = net(ROUTER);
    let place = Place::Namespace(id(&snapshot, "a"));
    let to: std::net::IpAddr = "2001:db8:2::2".parse().unwrap();
    let from: std::net::IpAddr = "fe80::a".parse().unwrap();
    let question = Question::new(place, to, Protocol::Udp(7)).source(from);
    insta::assert_snapshot!(tell::trace(&snapshot, &walk::trace(&snapshot, question)), @r"
    there fe80::a > 2001:db8:2::2 → LOST at r:eth0: BeyondScope
     a
      send
      route ::/0 via 2001:db8:1::1 dev a:eth0
      arp 2001:db8:1::1: 02:00:00:00:00:05 by r:eth0
        arp fe80::a > ff02::1:ff00:1 → delivered to r
        back 2001:db8:1::1 > fe80::a → delivered to a
      out a:eth0 fe80::a:32768 > 2001:db8:2::2:7
     r
      in r:eth0 fe80::a:32768 > 2001:db8:2::2:7
      route 2001:db8:2::/64 dev r:eth1
      LOST at r:eth0: BeyondScope
        error fe80::1 > fe80::a → delivered to a
         r
          send
          route fe80::/64 dev r:eth0
          neigh fe80::a is 02:00:00:00:00:04 (STALE)
          out r:eth0 fe80::1:0 > fe80::a:0
         a
          in a:eth0 fe80::1:0 > fe80::a:0
          route fe80::a/128 dev a:eth0 local
          delivered (a:eth0)
    ");
}

/// Another gateway beside the first.
const TWO_WAYS: &str = "
ns r2 forward6
veth a:eth1 r2:eth0
veth b:eth1 r2:eth1
addr a:eth1 fe80::c/64
addr a:eth1 2001:db8:3::2/64
addr r2:eth0 2001:db8:3::1/64
addr r2:eth0 fe80::3/64
addr r2:eth1 fe80::4/64
addr b:eth1 fe80::d/64
addr b:eth1 2001:db8:4::2/64
route r2 2001:db8:2::/64 via 2001:db8:4::2 dev eth1
addr r2:eth1 2001:db8:4::1/64
route b 2001:db8:3::/64 via 2001:db8:4::1 dev eth1
route a ::/0 via 2001:db8:3::1 dev eth1
";

/// By which link it goes.
fn out(change: impl FnOnce(&mut Snapshot)) -> String {
    let mut snapshot = net(&format!("{ROUTER}{TWO_WAYS}"));
    change(&mut snapshot);
    let trace = crate::ask(&snapshot, "a", "2001:db8:2::2");
    let links = trace.there.places();
    tell::link_name(&snapshot, links[0].link)
}

fn default_routes(snapshot: &mut Snapshot) -> impl Iterator<Item = &mut model::Route> {
    let a = id(snapshot, "a");
    let routes = &mut snapshot.namespaces.get_mut(&a).unwrap().routes;
    routes.iter_mut().filter(|r| r.dst.prefix_len() == 0 && r.dst.addr().is_ipv6())
}

#[test]
fn which_of_several_routes() {
    assert_eq!(out(|_| {}), "a:eth0", "the first of equals");
    let metric = |s: &mut Snapshot| default_routes(s).next().unwrap().metric = 10;
    assert_eq!(out(metric), "a:eth1", "the lower metric");
    let high = |s: &mut Snapshot| {
        default_routes(s).last().unwrap().preference = Preference::High;
    };
    assert_eq!(out(high), "a:eth1", "the preferred one");
    let failed = |s: &mut Snapshot| {
        let a = id(s, "a");
        let ns = s.namespaces.get_mut(&a).unwrap();
        let link = ns.link_named("eth0").unwrap().index;
        let ip = "2001:db8:1::1".parse().unwrap();
        let state = NeighbourState::Failed;
        ns.neighbours.push(Neighbour { link, ip, mac: None, state, proxy: false });
    };
    assert_eq!(out(failed), "a:eth1", "a host passes over a gateway that did not answer");
    let router = |s: &mut Snapshot| {
        failed(s);
        let a = id(s, "a");
        s.namespaces.get_mut(&a).unwrap().sysctls.ipv6_forwarding = true;
    };
    assert_eq!(out(router), "a:eth0", "a router does not");
}

#[test]
fn of_several_next_hops_each_is_walked() {
    let both = |s: &mut Snapshot| {
        let other = default_routes(s).last().unwrap().nexthops[0];
        default_routes(s).next().unwrap().nexthops.push(other);
    };
    let mut snapshot = net(&format!("{ROUTER}{TWO_WAYS}"));
    both(&mut snapshot);
    let trace = walk::trace(&snapshot, crate::question(&snapshot, "a", "2001:db8:2::2"));
    let first = |t: &walk::Trace| tell::link_name(&snapshot, t.there.places()[0].link);
    let ways: Vec<String> = trace.branches.iter().map(|b| first(&b.trace)).collect();
    assert_eq!(ways, ["a:eth0", "a:eth1"]);
    assert_eq!(tell::ends(&snapshot, &trace), "there: delivered to b\nback: delivered to a");
}

#[test]
fn larger_than_the_next_link() {
    let small = |mtu| {
        move |s: &mut Snapshot| {
            let r = id(s, "r");
            let links = &mut s.namespaces.get_mut(&r).unwrap().links;
            links.values_mut().find(|l| l.name == "eth1").unwrap().mtu = mtu;
        }
    };
    let question = |s: &Snapshot| {
        let place = Place::Namespace(id(s, "a"));
        let to: std::net::IpAddr = "2001:db8:2::2".parse().unwrap();
        Question::new(place, to, Protocol::Udp(7)).size(1300)
    };
    let mut snapshot = net(ROUTER);
    small(1280)(&mut snapshot);
    let trace = walk::trace(&snapshot, question(&snapshot));
    insta::assert_snapshot!(tell::trace(&snapshot, &trace), @r"
    there 2001:db8:1::2 > 2001:db8:2::2 → LOST at r:eth1: TooBig { mtu: 1280, told: true }
     a
      send
      route ::/0 via 2001:db8:1::1 dev a:eth0 src 2001:db8:1::2
      arp 2001:db8:1::1: 02:00:00:00:00:05 by r:eth0
        arp 2001:db8:1::2 > ff02::1:ff00:1 → delivered to r
        back 2001:db8:1::1 > 2001:db8:1::2 → delivered to a
      out a:eth0 2001:db8:1::2:32768 > 2001:db8:2::2:7
     r
      in r:eth0 2001:db8:1::2:32768 > 2001:db8:2::2:7
      route 2001:db8:2::/64 dev r:eth1
      LOST at r:eth1: TooBig { mtu: 1280, told: true }
        error 2001:db8:1::1 > 2001:db8:1::2 → delivered to a
         r
          send
          route 2001:db8:1::/64 dev r:eth0
          neigh 2001:db8:1::2 is 02:00:00:00:00:04 (STALE)
          out r:eth0 2001:db8:1::1:0 > 2001:db8:1::2:0
         a
          in a:eth0 2001:db8:1::1:0 > 2001:db8:1::2:0
          route 2001:db8:1::2/128 dev a:eth0 local
          delivered (a:eth0)
    ");
}

#[test]
fn outside_asks_and_is_asked() {
    let text = "
    ns r forward6
    ns b
    link r:wan nic
    veth b:eth0 r:eth1
    addr r:wan fe80::1/64
    addr r:wan 2001:db8:1::1/64
    addr r:eth1 fe80::2/64
    addr r:eth1 2001:db8:2::1/64
    addr b:eth0 fe80::b/64
    addr b:eth0 2001:db8:2::2/64
    route r ::/0 via 2001:db8:1::fe dev wan
    route b ::/0 via 2001:db8:2::1 dev eth0
    ";
    insta::assert_snapshot!(ends(text, "b", "2001:db8:7::7"), @r"
    there: left by r:wan
    back: LOST at r:wan: NoWayBack { src: 2001:db8:2::2 }
    ");
    insta::assert_snapshot!(ends(text, "r:wan", "[2001:db8:2::2]:80"), @r"
    there: delivered to b
    back: left by r:wan
    ");
}

#[test]
fn groups() {
    let to = |more: &str| {
        changed(&format!("{ROUTER}route a ff00::/8 dev eth0\n{more}"), "ff05::5", |_| {})
    };
    assert_eq!(to("group r:eth0 ff05::5"), "there: delivered to r\nback: delivered to a");
    assert_eq!(to("group r:eth0 ff05::6"), "there: LOST at r:eth0: NotMember(ff05::5)\nback: -");
    assert_eq!(to(""), "there: UNKNOWN in r: the groups of IPv6 that its links are in\nback: -");
}
