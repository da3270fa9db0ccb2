//! How large segments may be by what each end says, and rules that make that less.

use model::{Expr, Exthdr, Reg, RtKey};
use walk::{Indexed, Leg, Place, Protocol, Question};

use crate::net::id;
use crate::scenarios::ROUTER;
use crate::{ask, net};

/// What is said on each link, there and back.
fn said(text: &str) -> String {
    said_on(&net::net(&format!("{ROUTER}{text}")), "10.1.0.2:80")
}

fn said_on(snapshot: &model::Snapshot, to: &str) -> String {
    let trace = ask(snapshot, "a", to);
    let expected = trace.expected();
    let said = |leg: Leg| {
        let seen = expected.iter().filter(|seen| seen.leg == leg);
        let said = seen.map(|s| s.packet.mss.map_or("-".to_owned(), |mss| mss.to_string()));
        said.collect::<Vec<_>>().join(" ")
    };
    format!("{}; {}", said(Leg::There), said(Leg::Back))
}

/// Each end says what fits its own link, or its route.
#[test]
fn as_each_end_says() {
    insta::assert_snapshot!(said(""), @"1460 1460 1460 1460; 1460 1460 1460 1460");
    insta::assert_snapshot!(said("set a:eth0 mtu 9000\nset r:eth0 mtu 9000"), @"8960 8960 8960 8960; 1460 1460 1460 1460");
    insta::assert_snapshot!(said("route b 10.0.0.0/24 via 10.1.0.1 dev eth0 mtu 1300"), @"1460 1460 1460 1460; 1260 1260 1260 1260");
    insta::assert_snapshot!(said("route b 10.0.0.0/24 via 10.1.0.1 dev eth0 mtu 1300 advmss 1301"), @"1460 1460 1460 1460; 1301 1301 1301 1301");
    insta::assert_snapshot!(said("set b:eth0 mtu 200\nset r:eth1 mtu 200"), @"1460 1460 1460 1460; 256 256 256 256");
}

/// A route says how far what goes by it goes, and that nobody is to find out what fits.
#[test]
fn as_a_route_says() {
    let back = |to: &str, route: &str| {
        let text = format!("{ROUTER}route b 10.0.0.0/24 via 10.1.0.1 dev eth0 {route}");
        let trace = ask(&net::net(&text), "a", to);
        let expected = trace.expected();
        let first = expected.iter().find(|seen| seen.leg == Leg::Back).map(|seen| &seen.packet);
        first.map(|packet| format!("ttl {} df {}", packet.ttl, packet.df)).unwrap_or_default()
    };
    insta::assert_snapshot!(back("10.1.0.2:80", "hoplimit 9"), @"ttl 9 df true");
    insta::assert_snapshot!(back("10.1.0.2:80", "mtu 1300 lock"), @"ttl 64 df true");
    insta::assert_snapshot!(back("10.1.0.2:53/udp", "mtu 1300 lock"), @"ttl 64 df false");
    insta::assert_snapshot!(back("10.1.0.2:53/udp", "mtu 1300"), @"ttl 64 df true");
}

/// Only a smaller one is written.
#[test]
fn set_by_a_rule() {
    let forward = |mss: &str| {
        said(&format!("iptables r -t mangle -A FORWARD -p tcp -j TCPMSS --set-mss {mss}"))
    };
    insta::assert_snapshot!(forward("500"), @"1460 1460 500 500; 1460 1460 500 500");
    insta::assert_snapshot!(forward("1460"), @"1460 1460 1460 1460; 1460 1460 1460 1460");
    insta::assert_snapshot!(forward("2000"), @"1460 1460 1460 1460; 1460 1460 1460 1460");
    insta::assert_snapshot!(said("
        iptables r -t mangle -A FORWARD -p tcp -j TCPMSS --set-mss 700
        iptables r -t mangle -A FORWARD -o eth1 -p tcp -j TCPMSS --set-mss 600
        iptables r -t mangle -A FORWARD -o eth1 -p tcp -j TCPMSS --set-mss 800"), @"1460 1460 600 600; 1460 1460 700 700");
}

/// The smaller of the ways on and back.
#[test]
fn by_the_path() {
    let clamp = "iptables r -t mangle -A FORWARD -o eth1 -p tcp -j TCPMSS --clamp-mss-to-pmtu";
    let with = |more: &str| said(&format!("{clamp}\n{more}"));
    insta::assert_snapshot!(with(""), @"1460 1460 1460 1460; 1460 1460 1460 1460");
    insta::assert_snapshot!(with("set r:eth1 mtu 600\nset b:eth0 mtu 600"), @"1460 1460 560 560; 560 560 560 560");
    insta::assert_snapshot!(with("set r:eth0 mtu 700"), @"1460 1460 660 660; 1460 1460 1460 1460");
    insta::assert_snapshot!(with("route r 10.1.0.2/32 dev eth1 mtu 800"), @"1460 1460 760 760; 1460 1460 1460 1460");
    insta::assert_snapshot!(with("route r 10.0.0.2/32 dev eth0 mtu 900"), @"1460 1460 860 860; 1460 1460 1460 1460");
}

/// nft's `tcp option maxseg size set`, by a number and by `rt mtu`.
#[test]
fn in_nft_s_words() {
    let size = Exthdr { kind: 2, offset: 2, len: 2, op: 1, present: false };
    let set = Expr::ExthdrSet { field: size, sreg: Some(Reg(1)) };
    let with = |load: Vec<Expr>, more: &str| {
        let rule = "iptables r -A FORWARD -p tcp -j ACCEPT";
        let mut snapshot = net::net(&format!("{ROUTER}{rule}\n{more}"));
        let r = id(&snapshot, "r");
        let ruleset = &mut snapshot.namespaces.get_mut(&r).unwrap().ruleset;
        let chain = ruleset.tables[0].chains.iter_mut().find(|c| c.name == "FORWARD").unwrap();
        chain.rules[0].exprs.splice(2..2, load.into_iter().chain([set.clone()]));
        said_on(&snapshot, "10.1.0.2:80")
    };
    let value = |mss: u16| {
        let data = model::Data::Value(mss.to_be_bytes().to_vec());
        vec![Expr::Immediate { dreg: Reg(1), data }]
    };
    insta::assert_snapshot!(with(value(500), ""), @"1460 1460 500 500; 1460 1460 500 500");
    insta::assert_snapshot!(with(value(1500), ""), @"1460 1460 1460 1460; 1460 1460 1460 1460");
    // The path's is a number in the host's order.
    let (sreg, dreg) = (Reg(1), Reg(1));
    let path = Expr::Rt { key: RtKey::TcpMss, dreg };
    let swap = Expr::Byteorder { sreg, dreg, to_host: false, len: 2, size: 2 };
    let small = "set r:eth1 mtu 600\nset b:eth0 mtu 600";
    insta::assert_snapshot!(with(vec![path, swap], small), @"1460 1460 560 560; 560 560 560 560");
}

/// What a process's packet begins with, unless it asks for another.
#[test]
fn the_usual_ttl() {
    let usual = |more: &str, to: &str| {
        let snapshot = net::net(&format!("{ROUTER}{more}"));
        let from = Place::Namespace(id(&snapshot, "a"));
        let question = Question::new(from, net::ip(to), Protocol::Icmp);
        Indexed::new(&snapshot).usual_ttl(&question)
    };
    assert_eq!(usual("", "10.1.0.2"), 64);
    assert_eq!(usual("", "239.1.2.3"), 1);
    assert_eq!(usual("", "ff15::1"), 1);
    assert_eq!(usual("route a 10.1.0.0/24 via 10.0.0.1 dev eth0 hoplimit 7", "10.1.0.2"), 7);
    assert_eq!(usual("route a 10.2.0.0/24 via 10.0.0.1 dev eth0 hoplimit 7", "10.1.0.2"), 64);
}
