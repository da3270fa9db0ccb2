//! What the kernel changes without telling anybody is told all the same.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the message")]

mod space;
mod watching;

use kernel::watch::Options;
use trial::{Needs, test};
use watching::{Bench, pair};

const WIREGUARD: &[Needs] = &[
    Needs::Tool("wg"),
    Needs::Trying("wireguard", |kind| match kernel::has_link_kind(kind) {
        Ok(true) => None,
        _ => Some(format!("no links of kind {kind}")),
    }),
];
const VLANS: &[Needs] = &[
    Needs::Tool("bridge"),
    Needs::Trying("vlan_filtering", |_| match kernel::bridges_filter_vlans() {
        Ok(true) => None,
        _ => Some("bridges of this kernel do not filter VLANs".into()),
    }),
];

fn main() -> std::process::ExitCode {
    trial::main(vec![
        test("sets_of_ipset", &[Needs::Tool("ipset")], sets_of_ipset),
        test("peers_of_wireguard", WIREGUARD, peers_of_wireguard),
        test("vlans_of_bridges", VLANS, vlans_of_bridges),
    ])
}

fn sets_of_ipset() {
    let (a, _b) = pair();
    a.run_net("ipset create s hash:ip");
    let mut bench = Bench::new(&[(&a, "u1")], &Options::default());
    a.run_net("ipset add s 10.0.0.1");
    bench.tells(&["~ u1: ipset changed: s + 10.0.0.1"]);
    a.run_net("ipset create other hash:net");
    bench.until("+ u1: ipset appeared: other hash:net");
    a.run_net("ipset destroy");
    bench.until("- u1: ipset vanished: s");
}

fn peers_of_wireguard() {
    let (a, _b) = pair();
    a.run_net("ip link add wg0 type wireguard; ip link set wg0 up");
    let mut bench = Bench::new(&[(&a, "u2")], &Options::default());
    let key = "cXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXE=";
    a.run_net(&format!("wg set wg0 peer {key} endpoint 192.0.2.1:9 allowed-ips 10.9.0.0/24"));
    let peer = format!("peer {key}, endpoint 192.0.2.1:9, allowed ips 10.9.0.0/24");
    bench.tells(&[&format!("~ u2:wg0 has other peers or settings now; new: {peer}")]);
    a.run_net(&format!("wg set wg0 peer {key} remove"));
    bench.tells(&[&format!("~ u2:wg0 has other peers or settings now; gone: {peer}")]);
}

/// These the kernel does tell of, where it has them.
fn vlans_of_bridges() {
    let (a, _b) = pair();
    a.run_net(
        "ip link add br0 type bridge vlan_filtering 1; ip link add v0 type veth peer name v1
         ip link set v0 master br0",
    );
    let mut bench = Bench::new(&[(&a, "u3")], &Options::default());
    a.run_net("bridge vlan add dev v0 vid 10");
    bench.tells(&["+ u3: VLAN appeared: v0: 10"]);
    a.run_net("bridge vlan del dev v0 vid 10");
    bench.tells(&["- u3: VLAN vanished: v0: 10"]);
}
