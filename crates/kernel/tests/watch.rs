//! What happens in namespaces is told as it happens.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the message")]

mod space;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::{Duration, Instant};

use kernel::read::{Parts, ReadOptions, read};
use kernel::watch::{Options, Told, Watch};
use model::{Name, NameSource, NsId, Snapshot};
use render::Style;
use space::{Space, privileged};

type Names = Rc<RefCell<BTreeMap<NsId, String>>>;
type Error = Box<dyn std::error::Error>;
type Look = Box<dyn FnMut(Parts) -> Result<Snapshot, Error>>;

/// A watch that tells of the namespaces that the test has named, and of nobody else's.
struct Bench {
    watch: Watch<Look>,
    names: Names,
}

impl Bench {
    fn new(spaces: &[(&Space, &str)], options: &Options) -> Self {
        let names = Names::default();
        names.borrow_mut().extend(spaces.iter().map(|(s, name)| (s.id(), (*name).to_owned())));
        let known = names.clone();
        let look = move |parts| {
            let mut snapshot = read(&ReadOptions { parts, ..ReadOptions::default() })?;
            for (id, name) in known.borrow().iter() {
                if let Some(ns) = snapshot.namespaces.get_mut(id) {
                    ns.names = vec![Name { text: name.clone(), source: NameSource::File }];
                    ns.parent = None;
                }
            }
            Ok(snapshot)
        };
        Self { watch: Watch::open(Box::new(look) as Look, options).unwrap(), names }
    }

    /// What is told until a line holds these words.
    #[track_caller]
    fn until(&mut self, words: &str) -> Vec<String> {
        let names: Vec<String> = self.names.borrow().values().cloned().collect();
        let mut lines = Vec::new();
        let mut found = false;
        let mut tell = |told: Told<'_>| {
            let line = match told {
                Told::Note(text) => text,
                Told::Difference { difference, .. } if difference.noise => {
                    return ControlFlow::Continue(());
                }
                Told::Difference { before, after, difference } => {
                    let line = render::event("", before, after, difference, &Style::default());
                    line.trim().to_owned()
                }
            };
            let ours = |n: &String| {
                line.get(2..).is_some_and(|l| {
                    l.strip_prefix(n.as_str()).is_some_and(|l| l.starts_with([':', ' ']))
                })
            };
            if names.iter().any(ours) || line.contains("some were lost") {
                found = line.contains(words);
                lines.push(line);
            }
            if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        self.watch.run(Some(Instant::now() + Duration::from_secs(20)), &mut tell).unwrap();
        assert!(found, "{words:?} was not told, but\n{}", lines.join("\n"));
        lines
    }

    #[track_caller]
    fn tells(&mut self, lines: &[&str]) {
        assert_eq!(self.until(lines.last().unwrap()), lines);
    }
}

fn pair() -> (Space, Space) {
    let (a, b) = (Space::new(&["--net"]), Space::new(&["--net"]));
    for space in [&a, &b] {
        space.run_net("echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6; ip link set lo up");
    }
    (a, b)
}

fn wire(a: &Space, b: &Space) {
    a.run_net(&format!(
        "ip link add v0 type veth peer name eth0 netns {}; ip addr add 10.0.0.1/24 dev v0",
        b.pid
    ));
    b.run_net("ip addr add 10.0.0.2/24 dev eth0; ip link set eth0 up");
    a.run_net("ip link set v0 up");
}

#[test]
fn links_addresses_routes_and_rules() {
    privileged("links_addresses_routes_and_rules", || {
        let (a, b) = pair();
        wire(&a, &b);
        let mut bench = Bench::new(&[(&a, "h1"), (&b, "w1")], &Options::default());

        a.run_net("ip link set v0 down");
        let mut lines = bench.until("w1:eth0 lost its carrier");
        lines.sort();
        // The route of its subnet goes with it, of which the kernel says nothing.
        assert!(lines.contains(&"~ h1:v0 went down; peer w1:eth0".to_owned()), "{lines:?}");
        assert!(
            lines.contains(&"~ w1:eth0 lost its carrier; peer h1:v0 is down".to_owned()),
            "{lines:?}"
        );
        a.run_net("ip link set v0 up");
        bench.until("~ w1:eth0 got its carrier; peer h1:v0");
        b.run_net("ip addr add 10.0.0.3/24 dev eth0");
        bench.until("+ w1:eth0 got the address 10.0.0.3/24 secondary");
        b.run_net("ip addr del 10.0.0.3/24 dev eth0");
        bench.until("- w1:eth0 lost the address 10.0.0.3/24 secondary");
        b.run_net("ip route add default via 10.0.0.1");
        bench.until("+ w1: route appeared: default via 10.0.0.1 dev eth0");
        b.run_net("ip route replace default via 10.0.0.9");
        bench.tells(&[
            "~ w1: route changed: default via 10.0.0.1 dev eth0 → default via 10.0.0.9 dev eth0",
        ]);
        b.run_net("ip rule add from 10.0.0.2 lookup 7");
        bench.tells(&["+ w1: routing rule appeared: 32765: from 10.0.0.2 lookup 7"]);
        b.run_net("ip neigh add 10.0.0.77 lladdr 02:00:00:00:00:77 dev eth0");
        bench.tells(&[
            "+ w1: neighbour appeared: 10.0.0.77 is 02:00:00:00:00:77 (PERMANENT) on eth0",
        ]);
        b.run_net("echo 1 > /proc/sys/net/ipv4/ip_forward");
        bench.tells(&["~ w1: net.ipv4.ip_forward is 1, was 0"]);
        b.run_net("ip link set eth0 mtu 1400");
        bench.tells(&["~ w1:eth0 has mtu 1400, was 1500"]);
        a.run_net("ip link del v0");
        bench.until("- w1:eth0 vanished (veth, down)");
        bench.until("- w1: route vanished: 10.0.0.0/24 dev eth0");
    });
}

#[test]
fn rules_of_netfilter() {
    privileged("rules_of_netfilter", || {
        let (a, _b) = pair();
        // Whoever opens a watch before nf_tables is there hears nothing of it.
        a.run_net(
            "nft add table ip t; nft add chain ip t c '{ type filter hook input priority 0; }'",
        );
        let mut bench = Bench::new(&[(&a, "h2")], &Options::default());
        a.run_net("nft add rule ip t c ip saddr 10.0.0.1 drop");
        bench.tells(&["+ h2: rule appeared in ip t c: ip saddr 10.0.0.1 drop"]);
        a.run_net("nft flush chain ip t c");
        bench.tells(&["- h2: rule vanished in ip t c: ip saddr 10.0.0.1 drop"]);
        a.run_net("nft delete table ip t");
        bench.tells(&["- h2: table vanished: ip t, with 1 chain and 0 rules"]);
    });
}

#[test]
fn a_namespace_is_born_gets_a_link_and_dies() {
    privileged("a_namespace_is_born_gets_a_link_and_dies", || {
        let (a, b) = pair();
        wire(&a, &b);
        let mut bench = Bench::new(&[(&a, "h3"), (&b, "w3")], &Options::default());
        let c = Space::new(&["--net"]);
        bench.names.borrow_mut().insert(c.id(), "c3".into());
        bench.until("+ c3 appeared (");

        b.run_net(&format!("ip link set eth0 netns {}", c.pid));
        let lines = bench.until("came from");
        assert_eq!(lines.last().unwrap(), "~ c3:eth0 came from w3:eth0 (veth, down); peer h3:v0");
        c.run_net("ip link set eth0 name inner up");
        bench.until("~ c3:inner is called so now; before, eth0");
        drop(c);
        // Its link is a pair's: it ends both.
        let mut lines = bench.until("- c3 is gone, with inner (veth)");
        if !lines.iter().any(|l| l.starts_with("- h3:v0 vanished")) {
            lines.extend(bench.until("- h3:v0 vanished"));
        }
    });
}

#[test]
fn what_was_lost_is_looked_up_anew() {
    privileged("what_was_lost_is_looked_up_anew", || {
        let (a, b) = pair();
        wire(&a, &b);
        let options = Options { buffer: Some(2048) };
        let mut bench = Bench::new(&[(&a, "h4"), (&b, "w4")], &options);
        let many: String = (0..200).map(|n| format!("addr add 10.4.{n}.1/24 dev eth0\n")).collect();
        b.run_net(&format!("ip -batch - <<X\n{many}X\n"));
        let lines = bench.until("+ w4:eth0 got the address 10.4.199.1/24");
        assert!(lines.iter().any(|l| l.contains("some were lost")), "{lines:?}");
        let held = |b: &Bench, s: &Space| b.watch.snapshot().namespaces[&s.id()].addresses.len();
        assert_eq!(held(&bench, &b), 202);
    });
}

#[test]
fn watching_allots_no_numbers() {
    privileged("watching_allots_no_numbers", || {
        let (a, b) = pair();
        wire(&a, &b);
        let numbers = || (a.run_net("ip netns list-id"), b.run_net("ip netns list-id"));
        let before = numbers();
        let mut bench = Bench::new(&[(&a, "h5"), (&b, "w5")], &Options::default());
        a.run_net("ip addr add 10.0.5.1/24 dev v0");
        bench.tells(&["+ h5:v0 got the address 10.0.5.1/24"]);
        assert_eq!(before, numbers());
    });
}
