//! Rule sets in the form in which programs write them: read without one unknown
//! expression, walked, and tried.
//!
//! `br0` stands for the program's bridge with 10.0.0.0/24, eth1 for the way out.

use trial::{Needs, Test};

use crate::bench::Bench;

const TOOLS: &[Needs] = &[Needs::Tool("nft"), Needs::Tool("iptables"), Needs::Tool("ip6tables")];

macro_rules! written {
    ($name:literal, $command:literal, $file:literal, $packets:literal) => {
        trial::test($name, TOOLS, || {
            let bench = Bench::new();
            bench.load($command, include_str!(concat!("written/", $file)));
            assert_eq!(bench.untyped(), Vec::<String>::new());
            bench.each($name, $packets);
        })
    };
}

pub(crate) fn tests() -> Vec<Test> {
    vec![
        written!(
            "docker_20_10",
            "iptables-restore",
            "docker.rules",
            "+tcp:1 +icmp +b>10.1.0.1/tcp:8080 +b>10.1.0.1/udp:5353 -b>a/tcp:81 +r>10.1.0.1/tcp:8080 -b>c/tcp:9"
        ),
        written!(
            "podman_netavark",
            "iptables-restore",
            "netavark.rules",
            "+tcp:1 +icmp +b>10.1.0.1/tcp:8080 +a>c/tcp:1"
        ),
        written!(
            "lxc_net",
            "iptables-restore",
            "lxc-net.rules",
            "+tcp:1 +icmp +a>r/udp:67 +b>a/tcp:22"
        ),
        written!("lxc_net_nft", "nft -f -", "lxc-net.nft", "+tcp:1 +icmp +a>r/udp:67 +b>a/tcp:22"),
        written!(
            "ufw",
            "iptables-restore",
            "ufw.rules",
            "+b>10.1.0.1/icmp +b>10.1.0.1/tcp:22 -b>10.1.0.1/tcp:23 -tcp:80 -a>r/udp:137"
        ),
        written!(
            "firewalld",
            "nft -f -",
            "firewalld.nft",
            "+a>r/tcp:22 -a>r/tcp:23 +a>r/icmp -b>r/udp:1 +tcp:1 -b>a/tcp:1"
        ),
        trial::test("kube_proxy", TOOLS, kube_proxy),
        written!(
            "legacy_docker",
            "iptables-legacy-restore",
            "docker.rules",
            "+tcp:1 +icmp +b>10.1.0.1/tcp:8080 -b>a/tcp:81"
        ),
    ]
}

/// Either endpoint is reached: by br_netfilter and hairpin ports, which Kubernetes asks for, also
/// that on the same bridge and oneself.
fn kube_proxy() {
    let bench = Bench::new();
    bench.r.run_net(
        "sysctl -qw net.bridge.bridge-nf-call-iptables=1
        for port in pa pc; do bridge link set dev $port hairpin on; done",
    );
    bench.load("iptables-restore", include_str!("written/kube-proxy.rules"));
    assert_eq!(bench.untyped(), Vec::<String>::new());
    bench.each(
        "kube-proxy",
        "+a>10.96.0.10/tcp:80 -a>10.96.0.11/tcp:80 +b>10.1.0.1/tcp:30080 +c>10.96.0.10/tcp:80",
    );
}

impl Bench {
    fn load(&self, command: &str, rules: &str) {
        self.r.run_net(&format!("{command} <<'RULES'\n{rules}\nRULES"));
    }
}
