//! Connection tracking: states, zones, translation of answers and of errors.

use trial::{Needs, Test};

use walk::Known;

use crate::bench::{Bench, tables};

const NFT: &[Needs] = &[Needs::Tool("nft")];

pub(crate) fn tests() -> Vec<Test> {
    vec![
        trial::test("zones", NFT, || {
            tables(&[(
                "table ip t {
                    chain p { type filter hook prerouting priority raw;
                        iifname br0 tcp dport 1 ct zone set 5
                        iifname eth1 tcp sport 1 ct zone set 5
                        iifname br0 tcp dport 2 ct zone set 5; }
                    chain f { type filter hook forward priority 0;
                        ct zone 5 tcp dport 3 drop
                        iifname eth1 ct state new,invalid drop; } }",
                "+tcp:1 -tcp:2 +tcp:3",
            )]);
        }),
        trial::test("existing_connections", NFT, existing_connections),
        trial::test("errors_are_translated_back", NFT, errors_are_translated_back),
    ]
}

/// A connection of before a rule is known, and goes on past it.
fn existing_connections() {
    let bench = Bench::new();
    bench.nft(
        "table ip t { chain f { type filter hook forward priority 0;
            ct state established accept; tcp dport 80 accept; icmp type echo-request accept; } }",
    );
    assert!(bench.send("a icmp 10.1.0.2"));
    let snapshot = bench.read();
    assert!(!bench.r.of(&snapshot).conntrack.is_empty());
    bench.nft(
        "table ip t { chain f { type filter hook forward priority 0;
            ct state established accept; drop; } }",
    );
    let (ping, web) = ("a icmp 10.1.0.2", "a tcp 10.1.0.2:80");
    assert!(!bench.foretold(ping, Known::Nothing));
    assert!(!bench.send(web));
    assert!(!bench.foretold(web, Known::Established), "its first packet does not come through");
    bench.nft(
        "table ip t { chain f { type filter hook forward priority 0;
            ct state new tcp flags syn accept; ct state established accept; drop; } }",
    );
    assert!(bench.foretold(web, Known::Established));
}

/// A refusal from behind the translation comes back to whom it concerns.
fn errors_are_translated_back() {
    let bench = Bench::new();
    bench.nft(
        "table ip t {
            chain d { type nat hook prerouting priority dstnat; ip daddr 10.0.0.1 udp dport 53 dnat to 10.1.0.2:5353; }
            chain s { type nat hook postrouting priority srcnat; oifname eth1 masquerade; }
            chain f { type filter hook forward priority 0; ct state established,related accept;
                udp dport 5353 accept; udp dport 7 accept; drop; } }",
    );
    // Nobody listens there: the answer is an ICMP error about the translated packet.
    bench.each("related errors", "+a>r/udp:53 +udp:7 -udp:8");
}
