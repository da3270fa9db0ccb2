//! Check files as text, against small networks.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a failed unwrap fails the test")]

use check::{Cause, Finding, parse};
use insta::assert_snapshot;
use model::Snapshot;
use walk::Indexed;

#[path = "../../walk/tests/walk/iptables.rs"]
#[allow(dead_code, reason = "the walk's own tests use all of it")]
mod iptables;
#[path = "../../walk/tests/walk/net.rs"]
#[allow(dead_code, reason = "the walk's own tests use all of it")]
mod net;

#[track_caller]
fn wrong(text: &str) -> String {
    let errors = parse(text, "f").unwrap_err();
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn rules(text: &str) -> String {
    let file = parse(text, "f").unwrap();
    file.rules().collect::<Vec<_>>().join("\n")
}

#[test]
fn rules_in_every_form() {
    assert_snapshot!(rules("
web -> db: 5432
* -> internet: deny
  # a comment -> here: 1
'web, api ->  db': [80/tcp, udp/53, icmp, deny 22]
rules:
  - web -> x: 1
  - *, outside -> db: deny, 80
  - y -> *: deny icmp
"), @r"
    web -> db: 5432/tcp
    * -> internet: deny
    web, api -> db: 80/tcp, 53/udp, icmp, deny 22/tcp
    web -> x: 1/tcp
    *, outside -> db: deny, 80/tcp
    y -> *: deny icmp
    ");
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    assert_snapshot!(wrong(""), @"f: no rule is in it: write at least one, as in `web -> db: 5432`");
    assert_snapshot!(wrong("a -> b: 1\nweb - db: 80"), @r#"f:2:1: "web - db" is no rule and no part of a check file: a rule has an arrow, as in `web -> db: 5432`; the parts are `groups:` and `rules:`"#);
    let text = "a -> b: 70000\na -> c: http\na -> d:\na -> e: 80/sctp\n-> f: 1\na -> g: {x: 1}";
    assert_snapshot!(wrong(text), @r#"
    f:1:9: "70000" is no port: ports are 1 to 65535
    f:2:9: "http" is nothing that a packet can be sent to: write a TCP port (5432), `53/udp`, `icmp`, or `deny` alone or before one of these
    f:3:7: the rule says nothing: write a port that must be reached, or `deny`
    f:4:9: "80/sctp" is nothing that a packet can be sent to: write a TCP port (5432), `53/udp`, `icmp`, or `deny` alone or before one of these
    f:5:1: "-> f" names nobody before or behind the arrow: write it as in `web -> db: 5432`
    f:6:9: what a rule says must be a port, `icmp` or `deny`, but this is a map
    "#);
    assert_snapshot!(wrong("groups: {g: {nettwork: x}, outside: a, h: []}\na -> b: 1"), @r#"
    f:1:14: unknown key "nettwork" in a group (did you mean "network"?): there are name, network, image, engine, pod, pod_namespace, lab, inside, address
    f:1:28: "outside" cannot name a group: it stands for something else in a rule; choose another name
    f:1:40: the group "h" has nobody in it: write names, addresses, or `network:` and the like
    "#);
    assert_snapshot!(wrong("a -> b: 1\na -> b: 2"), @r#"f:2:1: "a -> b" is given twice in this map (first on line 1): put both into one list, as in [80, 443]"#);
    assert_snapshot!(wrong("a -> b: [1"), @"f:1:9: not valid YAML: unclosed bracket '['");
}

/// Two networks behind one router, whose rules speak of some ports.
const NET: &str = "
ns r forward
ns web1
ns web2
ns db
ns lonely
veth web1:eth0 r:w1
veth web2:eth0 r:w2
veth db:eth0 r:d
addr r:w1 10.0.1.1/24
addr r:w2 10.0.2.1/24
addr r:d 10.0.3.1/24
addr web1:eth0 10.0.1.2/24
addr web2:eth0 10.0.2.2/24
addr db:eth0 10.0.3.2/24
route web1 default via 10.0.1.1 dev eth0
route web2 default via 10.0.2.1 dev eth0
route db default via 10.0.3.1 dev eth0
iptables r -A FORWARD -s 10.0.1.2 -d 10.0.3.2 -p tcp -m tcp --dport 5432 -j ACCEPT
iptables r -A FORWARD -s 10.0.3.2 -d 10.0.1.2 -p tcp -m tcp --sport 5432 -j ACCEPT
iptables r -A FORWARD -d 10.0.3.2 -j DROP
";

/// Each rule: how many pairs it was asked of, and what was found of them.
#[track_caller]
fn judged(snapshot: &Snapshot, text: &str) -> String {
    let file = parse(text, "f").unwrap();
    let plan = file.plan(snapshot).unwrap();
    let net = Indexed::new(snapshot);
    let blocks = plan.blocks(2).into_iter().rev();
    let rows = blocks.flat_map(|rows| plan.judge(&net, rows)).collect();
    let mut told = Vec::new();
    for rule in plan.report(&net, rows).rules {
        told.push(format!("{} ({})", rule.text, rule.pairs));
        for case in rule.cases {
            let what = match &case.finding {
                Finding::Fails(Cause::Lost { loss, back }) => format!("{:?} {back}", loss.reason),
                other => format!("{other:?}"),
            };
            let sent = case.trace.map(|t| format!(" to {:?}", t.there.packet.payload));
            let what = what.split(['(', ' ', '{']).next().unwrap_or_default().to_owned();
            let what = if what == "Fails" { format!("{:?}", case.finding) } else { what };
            told.push(format!(
                "  {} x{}: {what}{}",
                case.want,
                case.pairs.len(),
                sent.unwrap_or_default()
            ));
        }
    }
    told.join("\n")
}

#[test]
fn the_first_rule_that_speaks_of_a_pair_counts() {
    assert_snapshot!(judged(&net::net(NET), "
web1 -> db: 5432
web*, lonely -> db: deny
web* -> db: 5432
"), @r"
    web1 -> db: 5432/tcp (1)
    web*, lonely -> db: deny (3)
    web* -> db: 5432/tcp (0)
    ");
}

#[test]
fn a_denied_pair_is_tried_with_every_port_that_rules_name() {
    let s = net::net(NET);
    assert_snapshot!(judged(&s, "web1 -> db: deny"), @r"
    web1 -> db: deny (1)
      deny x1: Fails(Arrives { answered: true }) to Tcp { sport: 32768, dport: 5432, flags: 2 }
    ");
    assert_snapshot!(judged(&s, "web1 -> db: [deny 5431, deny 5432]"), @r"
    web1 -> db: deny 5431/tcp, deny 5432/tcp (1)
      deny 5432/tcp x1: Fails(Arrives { answered: true }) to Tcp { sport: 32768, dport: 5432, flags: 2 }
    ");
    assert_snapshot!(judged(&s, "web2 -> web1: deny"), @r"
    web2 -> web1: deny (1)
      deny x1: Fails(Arrives { answered: true }) to Icmp { kind: EchoRequest, id: 1 }
    ");
}

#[test]
fn who_cannot_be_asked() {
    let mut s = net::net(NET);
    assert_snapshot!(judged(&s, "web1 -> lonely: [80, deny 81]\n10.0.1.2 -> 10.0.3.2: 5432"), @r"
    web1 -> lonely: 80/tcp, deny 81/tcp (1)
      80/tcp x1: Fails(NoAddress)
    10.0.1.2 -> 10.0.3.2: 5432/tcp (1)
    ");
    let db = net::id(&s, "db");
    s.namespaces.get_mut(&db).unwrap().gaps.push(model::Gap::new("netfilter", "EPERM"));
    assert_snapshot!(judged(&s, "web1 -> db: [5432, deny 22]"), @r"
    web1 -> db: 5432/tcp, deny 22/tcp (1)
      5432/tcp x1: Open to Tcp { sport: 32768, dport: 5432, flags: 2 }
    ");
    let unfit = |text: &str| {
        let errors = parse(text, "f").unwrap().plan(&s).unwrap_err();
        errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(unfit("webb1 -> db: 1\noutside -> db: 1\n10.9.0.0/16 -> db: 1\ngroups: {x: {pod: y}}\nx -> db: 2"), @r#"
        f:1:1: nothing here fits "webb1" (did you mean "web1"?): a rule about nobody would always hold; correct it or remove it
        f:2:1: nothing comes in from outside: no card or tap is up here; remove `outside` before the arrow
        f:3:1: no namespace has an address in 10.9.0.0/16: name one address out there, as in 10.9.0.1, to ask about it
        f:4:13: nothing here fits "y": a rule about nobody would always hold; correct it or remove it
        "#);
}
