//! Filters of tc, and links that give back what filters hand to them.

use crate::{ends, net, tell};

/// `a` and `b` with the router `r` between them, which has an ifb and a third link.
const NET: &str = "
ns a
ns r forward
ns b
ns c
veth a:e r:pa
veth b:e r:pb
veth c:e r:pc
link r:i ifb
addr a:e 10.0.1.2/24
addr r:pa 10.0.1.1/24
addr b:e 10.0.2.2/24
addr r:pb 10.0.2.1/24
addr c:e 10.0.3.2/24
addr r:pc 10.0.3.1/24
route a default via 10.0.1.1 dev e
route b default via 10.0.2.1 dev e
route c default via 10.0.3.1 dev e
";

/// What tc does on the way from `a` to `b`, and how that ends.
fn told(filters: &str) -> String {
    let snapshot = net::net(&format!("{NET}{filters}"));
    let trace = crate::ask(&snapshot, "a", "10.0.2.2");
    let all = tell::trace(&snapshot, &trace);
    let words = ["filter r:", "hand ", "copy ", "back ", "out r:", "in r:"];
    let there = all.split("\nback").next().unwrap_or_default();
    let lines = there.lines().map(str::trim).filter(|l| words.iter().any(|w| l.starts_with(w)));
    let ends = tell::ends(&snapshot, &trace);
    lines.chain(ends.lines()).map(|l| format!("{l}\n")).collect()
}

#[test]
fn what_an_ifb_is_given_it_gives_back() {
    insta::assert_snapshot!(told("tc r:pa ingress protocol ip u32 match ip dst 10.0.2.2 action mirred egress redirect dev i"), @r"
    back 10.0.1.1 > 10.0.1.2 → delivered to a
    in r:pa 10.0.1.2 > 10.0.2.2
    filter r:pa#ingress#1 u32
    hand egress r:i
    out r:i 10.0.1.2 > 10.0.2.2
    back ingress r:pa
    back 10.0.2.2 > 10.0.2.1 → delivered to r
    out r:pb 10.0.1.2 > 10.0.2.2
    there: delivered to b
    back: delivered to a
    ");
    insta::assert_snapshot!(told("tc r:pb egress protocol ip matchall action mirred egress redirect dev i"), @r"
    back 10.0.1.1 > 10.0.1.2 → delivered to a
    in r:pa 10.0.1.2 > 10.0.2.2
    back 10.0.2.2 > 10.0.2.1 → delivered to r
    filter r:pb#egress#1 matchall
    hand egress r:i
    out r:i 10.0.1.2 > 10.0.2.2
    back egress r:pb
    out r:pb 10.0.1.2 > 10.0.2.2
    there: delivered to b
    back: delivered to a
    ");
}

#[test]
fn copies() {
    insta::assert_snapshot!(told("tc r:pa ingress protocol ip matchall action mirred egress mirror dev i"), @r"
    back 10.0.1.1 > 10.0.1.2 → delivered to a
    in r:pa 10.0.1.2 > 10.0.2.2
    filter r:pa#ingress#1 matchall
    copy egress r:i
    copy by r:i 10.0.1.2 > 10.0.2.2 → LOST at r:i: Swallowed
    back 10.0.2.2 > 10.0.2.1 → delivered to r
    out r:pb 10.0.1.2 > 10.0.2.2
    there: delivered to b
    back: delivered to a
    ");
    insta::assert_snapshot!(told("tc r:pa ingress protocol ip matchall action mirred egress mirror dev pc action drop"), @r"
    back 10.0.1.1 > 10.0.1.2 → delivered to a
    in r:pa 10.0.1.2 > 10.0.2.2
    filter r:pa#ingress#1 matchall
    copy egress r:pc
    copy by r:pc 10.0.1.2 > 10.0.2.2 → ignored
    there: LOST at r:pa: dropped by r:pa#ingress#1 matchall
    back: -
    ");
}

#[test]
fn elsewhere() {
    insta::assert_snapshot!(told("tc r:pa ingress protocol ip matchall action mirred egress redirect dev pc"), @r"
    back 10.0.1.1 > 10.0.1.2 → delivered to a
    in r:pa 10.0.1.2 > 10.0.2.2
    filter r:pa#ingress#1 matchall
    hand egress r:pc
    out r:pc 10.0.1.2 > 10.0.2.2
    there: LOST at c:e: frame for 02:00:00:00:00:06
    back: -
    ");
    insta::assert_snapshot!(told("tc r:pa ingress protocol ip matchall action mirred ingress redirect dev pc"), @r"
    back 10.0.1.1 > 10.0.1.2 → delivered to a
    in r:pa 10.0.1.2 > 10.0.2.2
    filter r:pa#ingress#1 matchall
    hand ingress r:pc
    in r:pc 10.0.1.2 > 10.0.2.2
    back 10.0.2.2 > 10.0.2.1 → delivered to r
    out r:pb 10.0.1.2 > 10.0.2.2
    there: delivered to b
    back: delivered to a
    ");
    // Round and round, forwarded each time.
    let round = "tc r:pb egress protocol ip matchall action mirred ingress redirect dev pb";
    let end = ends(&format!("{NET}{round}"), "a", "10.0.2.2");
    assert_eq!(end, "there: LOST at r:pb: TtlExpired\nback: -");
    insta::assert_snapshot!(told("set r:i up 0\ntc r:pa ingress protocol ip matchall action mirred egress redirect dev i"), @r"
    back 10.0.1.1 > 10.0.1.2 → delivered to a
    in r:pa 10.0.1.2 > 10.0.2.2
    filter r:pa#ingress#1 matchall
    there: LOST at r:pa: dropped by r:pa#ingress#1 matchall
    back: -
    ");
}

#[track_caller]
fn ends_with(filters: &[&str], expected: &str) {
    let text: String =
        filters.iter().map(|f| format!("tc r:pa ingress protocol ip {f}\n")).collect();
    let got = ends(&format!("{NET}{text}"), "a", "10.0.2.2");
    assert!(got.starts_with(expected), "{filters:?}: {got}");
}

#[test]
fn which_filter_decides() {
    let (passes, dropped) =
        ("there: delivered to b", "there: LOST at r:pa: dropped by r:pa#ingress#");
    ends_with(&["protocol ipv6 matchall action drop"], passes);
    ends_with(&["matchall action ok", "matchall action drop"], passes);
    ends_with(
        &["matchall action continue", "matchall action drop"],
        &format!("{dropped}2 matchall"),
    );
    ends_with(&["matchall action pipe action drop"], dropped);
    ends_with(&["matchall action pipe", "matchall action drop"], passes);
    ends_with(&["u32 match ip dst 10.0.2.3 action drop"], passes);
    ends_with(&["u32 match ip dst 10.0.0.0/8 match ip src 10.0.1.0/30 action drop"], dropped);
    ends_with(&["u32 match mark 7 0xff action drop"], passes);
    ends_with(
        &["matchall action skbedit mark 7 action continue", "u32 match mark 7 0xff action drop"],
        dropped,
    );
    ends_with(&["matchall action goto chain 4", "chain 4 matchall action drop"], dropped);
    ends_with(&["chain 4 matchall action drop"], passes);
    ends_with(&["matchall action jump 2 action drop action ok"], passes);
    ends_with(&["matchall action stolen"], "there: LOST at r:pa: taken by r:pa#ingress#1 matchall");
    ends_with(&["matchall action reclassify"], dropped);
    // Behind its end nothing of that pref is looked at.
    ends_with(
        &["pref 5 u32 match u32 0 0 at 4096 action drop", "pref 5 matchall action drop"],
        passes,
    );
    // The checksum is not known.
    ends_with(
        &["u32 match u32 0 0xffff at 8 action drop"],
        "there: UNKNOWN at r:pa#ingress#1 u32: the packet's byte at 10",
    );
}

#[test]
fn what_is_not_known_may_not_matter() {
    // ICMP's checksum, of a packet that is not for this filter anyway.
    let first = "u32 match u32 7 0xffff at 20 match ip protocol 17 action drop";
    ends_with(&[first], "there: delivered to b");
}

#[test]
fn headers() {
    let dropped = "there: LOST at r:pa: dropped";
    // ICMP, its type; Ethernet's destination, of which the walk made up the address.
    ends_with(&["u32 match ip protocol 1 action drop"], dropped);
    ends_with(&["u32 match u32 0x08000000 0xff000000 at 20 action drop"], dropped);
    ends_with(&["u32 match u32 0 0x01000000 at -14 action drop"], dropped);
    ends_with(&["u32 match u32 0x01000000 0x01000000 at -14 action drop"], "there: delivered");
    ends_with(&["u32 match u32 0x00000800 0xffff at -4 action drop"], dropped);
}
