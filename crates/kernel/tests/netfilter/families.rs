//! The families beside ip and inet, and the order of their hooks.

use trial::{Needs, Test};

use crate::bench::{Bench, tables};

const NFT: &[Needs] = &[Needs::Tool("nft")];

macro_rules! whole {
    ($name:literal, $($rules:literal => $packets:literal),+ $(,)?) => {
        trial::test($name, NFT, || tables(&[$(($rules, $packets)),+]))
    };
}

pub(crate) fn tests() -> Vec<Test> {
    vec![
        whole!("bridge_family",
            "table bridge t { chain f { type filter hook forward priority -200;
                iifname pa oifname pc tcp dport 1 drop; ether saddr 02:00:00:00:00:0a udp dport 1 drop;
                ether type ip meta pkttype other icmp type echo-request drop; } }"
                => "-a>c/tcp:1 +a>c/tcp:2 +tcp:1 -a>c/udp:1 -a>c/icmp +icmp",
            "table bridge t { chain p { type filter hook prerouting priority -300;
                iifname pa tcp dport 1 drop; meta pkttype host tcp dport 2 drop; } }"
                => "-a>c/tcp:1 -tcp:1 +a>c/tcp:2 -tcp:2",
            "table bridge t { chain i { type filter hook input priority -200; iifname pa tcp dport 1 drop; } }"
                => "+a>c/tcp:1 -tcp:1",
            "table bridge t { chain o { type filter hook output priority -200; oifname pa tcp dport 1 drop; } 
                chain q { type filter hook postrouting priority -200; oifname pc tcp dport 2 drop; } }"
                => "-r>a/tcp:1 +r>c/tcp:1 -a>c/tcp:2 -r>c/tcp:2 +a>c/tcp:1"),
        whole!("bridge_arp",
            "table bridge t { chain f { type filter hook forward priority -200; ether type arp drop; } }"
                => "-a>c/icmp +icmp",
            "table bridge t { chain f { type filter hook forward priority -200;
                arp operation request arp daddr ip 10.0.0.3 drop; }
            }" => "-a>c/icmp"),
        whole!("arp_family",
            "table arp t { chain i { type filter hook input priority 0; arp saddr ip 10.0.0.2 drop; } }"
                => "-icmp +b>r/icmp",
            "table arp t { chain o { type filter hook output priority 0; arp operation reply drop; } }"
                => "-icmp"),
        whole!("netdev_ingress",
            "table netdev t { chain i { type filter hook ingress device eth1 priority 0;
                tcp sport 80 drop; udp dport 1 drop; }
            }" => "-tcp:80 +tcp:81 +udp:1 -b>a/udp:1",
            "table netdev t { chain i { type filter hook ingress device pa priority 0;
                meta length 84 drop; ether type arp accept; ether saddr 02:00:00:00:00:0a tcp dport 2 drop; } }"
                => "-icmp +tcp:1 -tcp:2 -a>c/tcp:2",
            "table netdev t { chain i { type filter hook ingress device br0 priority 0; tcp dport 1 drop; } }"
                => "-tcp:1 +a>c/tcp:1"),
        whole!("netdev_egress",
            "table netdev t { chain e { type filter hook egress device eth1 priority 0;
                tcp dport 80 drop; meta length 98 drop; }
            }" => "-tcp:80 +tcp:81 -icmp",
            "table netdev t { chain e { type filter hook egress device pc priority 0; tcp dport 80 drop; } }"
                => "-a>c/tcp:80 +tcp:80"),
        whole!("inet_ingress",
            "table inet t { chain i { type filter hook ingress device eth1 priority 0;
                ip saddr 10.1.0.2 tcp sport 80 drop; }
            }" => "-tcp:80 +tcp:81"),
        whole!("order_of_families",
            // The mark that the link's hook sets is seen by the bridge's, and that by IP's.
            "table netdev t { chain i { type filter hook ingress device pa priority 0; meta mark set 1; } }
             table bridge t { chain p { type filter hook prerouting priority 0; meta mark 1 meta mark set 2; } }
             table ip t { chain p { type filter hook prerouting priority 0; meta mark 2 drop; } }"
                => "-tcp:1 +a>c/tcp:1"),
        whole!("dormant_table",
            "table ip t { flags dormant; chain f { type filter hook forward priority 0; drop; } }"
                => "+tcp:1"),
        trial::test("rewritten_on_a_bridge", NFT, rewritten_on_a_bridge),
    ]
}

/// To another on the same bridge: by way of the bridge where its Ethernet header is not ready.
fn rewritten_on_a_bridge() {
    let bench = Bench::new();
    bench.r.run_net("sysctl -qw net.bridge.bridge-nf-call-iptables=1");
    bench.nft(
        "table ip t { chain p { type nat hook prerouting priority -100;
        ip daddr 10.9.9.9 dnat to 10.0.0.3; }
        }",
    );
    let to_c = "ip neigh replace 10.0.0.3 lladdr 02:00:00:00:00:0c dev br0 nud";
    let known = ["", "", "stale", "reachable", "permanent"];
    for state in known.into_iter().chain(["del"]).chain(known) {
        match state {
            "" => String::new(),
            "del" => bench.r.run_net("ip neigh del 10.0.0.3 dev br0"),
            state => bench.r.run_net(&format!("{to_c} {state}")),
        };
        bench.each(state, "+a>10.9.9.9/tcp:80");
    }
    bench.r.run_net(&format!("ip neigh del 10.0.0.3 dev br0; {to_c} permanent"));
    bench.each("a header that is not ready", "+a>10.9.9.9/tcp:80");
}
