//! Verdicts alone, of many packets through one bridge: what was asked before is remembered, and ends
//! that have nothing to say are not walked to. It is always what the trace by itself tells.

use proptest::prelude::*;
use walk::{Indexed, Known, Outcome, Overlay, Place, Protocol, Question, Quiet};

use crate::net::{id, ip, net};

/// A bridge with four containers, and one with two more, in a host that leads out.
const CROWD: &str = "
ns host forward
link host:br0 bridge mac 02:00:00:00:00:01
addr host:br0 10.0.0.1/24
link host:br1 bridge mac 02:00:00:00:01:01
addr host:br1 10.1.0.1/24
link host:eth0 nic
addr host:eth0 192.0.2.2/24
route host default via 192.0.2.1 dev eth0
iptables host -t nat -A POSTROUTING -o eth0 -j MASQUERADE
";

const ENDS: [(&str, &str); 6] = [
    ("c0", "10.0.0.2"),
    ("c1", "10.0.0.3"),
    ("c2", "10.0.0.4"),
    ("c3", "10.0.0.5"),
    ("d0", "10.1.0.2"),
    ("d1", "10.1.0.3"),
];

/// What makes an end, its port or its bridge one that has something to say.
const DISTURBED: [&str; 37] = [
    "set host:pd0 up 0",
    "set d0:eth0 up 0\nset host:pd0 carrier 0",
    "link c1:y nic\naddr c1:y 10.9.0.9/16\nset c1:eth0 proxy_arp 1\nset c1:eth0 forwarding 1",
    "link x:m macvlan\non x:m c1:eth0\naddr x:m 10.0.0.200/24",
    "set c1:eth0 arp_ignore 1\nlink c1:x nic\naddr c1:x 10.0.0.4/32",
    "addr c2:eth0 10.0.0.5/24",
    "addr c1:lo 10.0.0.77/32",
    "set c2:eth0 rp_filter 1",
    "set c2 rp_filter 1",
    "set c2:eth0 up 0",
    "set host:pc2 up 0",
    "set c3:eth0 carrier 0",
    "set c1:eth0 mtu 20",
    "set host:pc1 mtu 20",
    "set c1:eth0 xdp 1",
    "set host:pc1 tc 1",
    "rule c1 100 from 10.0.0.0/24 unknown l4",
    "rule c2 100 prohibit",
    "route c3 10.0.0.4/32 nhid 7",
    "route c1 local 10.0.0.128/25 dev lo",
    "gap c2 routes",
    "gap host fdb",
    "assume c3 sysctls",
    "link c1:m macvlan\non c1:m c1:eth0",
    "port host:pc1 br0 isolated\nport host:pc2 br0 isolated",
    "port host:pc0 br0 hairpin",
    "port host:pc3 br0 nobcast",
    "port host:pc2 br0 suppress\nneigh host:br0 10.0.0.4 02:00:00:00:00:99",
    "port host:pc1 br0 blocking",
    "port host:pc0 br0 nolearning",
    "set host:br0 nf_call 1",
    "neigh c0:eth0 10.0.0.3",
    "neigh host:br0 10.0.0.3 02:00:00:00:00:98",
    "veth host:loop0 host:loop1\nport host:loop0 br0\nport host:loop1 br1",
    "veth x:eth0 host:px\nport host:px br0\naddr x:eth0 10.0.0.3/24",
    "opaque c1 xfrm",
    "iptables host -A FORWARD -i br0 -j DROP",
];

fn text(disturbed: &[&str]) -> String {
    let mut text = String::from(CROWD);
    for (name, address) in ENDS {
        let bridge = if name.starts_with('c') { 0 } else { 1 };
        text +=
            &format!("ns {name}\nveth {name}:eth0 host:p{name}\nport host:p{name} br{bridge}\n");
        text += &format!("addr {name}:eth0 {address}/24\n");
        text += &format!("route {name} default via 10.{bridge}.0.1 dev eth0\n");
    }
    text += "ns x\nroute c0 10.9.0.0/16 dev eth0\n";
    disturbed.iter().for_each(|line| text += &format!("{line}\n"));
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_verdict_is_that_of_its_trace(
        disturbed in prop::sample::subsequence(DISTURBED.to_vec(), 0..4),
        questions in prop::collection::vec(
            (0_usize..7, prop::sample::select(vec![
                "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.1.0.2", "10.1.0.3",
                "10.0.0.77", "10.0.0.200", "10.9.0.1", "192.0.2.9", "203.0.113.1", "10.0.0.255",
            ]), any::<bool>(), any::<bool>()),
            1..32,
        ),
    ) {
        let snapshot = net(&text(&disturbed));
        let (shared, mut overlay) = (Indexed::new(&snapshot), Overlay::new());
        for (from, to, tcp, again) in questions {
            let from = ENDS.get(from).map_or("host", |(name, _)| *name);
            let from = Place::Namespace(id(&snapshot, from));
            let protocol = if tcp { Protocol::Tcp(80) } else { Protocol::Icmp };
            let known = if again { Known::AsRead } else { Known::Nothing };
            let question = Question::new(from, ip(to), protocol).connection(known);
            let trace = Indexed::new(&snapshot).trace(question.clone());
            let (there, back) = (trace.there.disposition.clone(), trace.back.as_ref());
            let told = Outcome {
                there: there.clone(),
                back: back.map(|way| way.disposition.clone()),
                assumed: !trace.assumptions().is_empty(),
            };
            overlay.clear();
            let packet = question.packet.clone();
            let end = walk::walk(&shared, &mut overlay, from, packet, &mut Quiet);
            prop_assert_eq!(end, there);
            prop_assert_eq!(shared.outcome(&question), told, "{:?}", question);
        }
    }
}
