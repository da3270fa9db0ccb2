//! Networks that hold a surprise each. What is foretold is tried on the kernel too.

use crate::kernel::agree;

/// A router with two subnets.
pub(crate) const ROUTER: &str = "
ns a
ns r forward
ns b
veth a:eth0 r:eth0
veth b:eth0 r:eth1
addr a:eth0 10.0.0.2/24
addr r:eth0 10.0.0.1/24
addr r:eth1 10.1.0.1/24
addr b:eth0 10.1.0.2/24
route a default via 10.0.0.1 dev eth0
route b default via 10.1.0.1 dev eth0
";

fn router(more: &str) -> String {
    agree(&format!("{ROUTER}{more}"), "a", "10.1.0.2:80")
}

#[test]
fn routed() {
    insta::assert_snapshot!(router(""), @r"
    there: delivered to b
    back: delivered to a
    ");
}

#[test]
fn filtered() {
    insta::assert_snapshot!(router("iptables r -P FORWARD DROP"), @r"
    there: LOST at r: policy of filter FORWARD
    back: -
    ");
    insta::assert_snapshot!(router("iptables r -A FORWARD -p tcp -m tcp --dport 80 -j DROP"), @r"
    there: LOST at r: dropped by filter FORWARD#1
    back: -
    ");
    insta::assert_snapshot!(router("iptables r -A FORWARD -s 10.1.0.0/24 -j REJECT"), @r"
    there: delivered to b
    back: LOST at r: rejected by filter FORWARD#1
    ");
    insta::assert_snapshot!(router("iptables r -A INPUT -j DROP"), @r"
    there: delivered to b
    back: delivered to a
    ");
    insta::assert_snapshot!(router("iptables b -A OUTPUT -j DROP"), @r"
    there: delivered to b
    back: LOST at b: dropped by filter OUTPUT#1
    ");
    insta::assert_snapshot!(router("
        iptables r -P FORWARD DROP
        iptables r -A FORWARD -i eth0 -j ACCEPT
        iptables r -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT"), @r"
    there: delivered to b
    back: delivered to a
    ");
    insta::assert_snapshot!(router("
        iptables r -P FORWARD DROP
        iptables r -A FORWARD ! -i eth1 -j ACCEPT"), @r"
    there: delivered to b
    back: LOST at r: policy of filter FORWARD
    ");
}

#[test]
fn filtered_by_port_and_type() {
    insta::assert_snapshot!(router("iptables r -A FORWARD -p tcp -m multiport --dports 22,79:81 -j DROP"), @r"
    there: LOST at r: dropped by filter FORWARD#1
    back: -
    ");
    insta::assert_snapshot!(router("iptables r -A FORWARD -p tcp -m multiport ! --ports 80,443 -j DROP"), @r"
    there: delivered to b
    back: delivered to a
    ");
    let ping = |rule: &str| {
        let text = format!("{ROUTER}\niptables r -A FORWARD -p icmp -m icmp {rule} -j DROP");
        crate::ends(&text, "a", "10.1.0.2")
    };
    insta::assert_snapshot!(ping("--icmp-type 0"), @r"
    there: delivered to b
    back: LOST at r: dropped by filter FORWARD#1
    ");
    insta::assert_snapshot!(ping("--icmp-type 8"), @r"
    there: LOST at r: dropped by filter FORWARD#1
    back: -
    ");
}

#[test]
fn without_tracking() {
    insta::assert_snapshot!(router("
        iptables r -t raw -A PREROUTING -j NOTRACK
        iptables r -P FORWARD DROP
        iptables r -A FORWARD -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT"), @r"
    there: LOST at r: policy of filter FORWARD
    back: -
    ");
}

#[test]
fn translated() {
    let nat = |rule: &str| router(&format!("iptables r -t nat {rule}"));
    insta::assert_snapshot!(nat("-A POSTROUTING -o eth1 -j MASQUERADE"), @r"
    there: delivered to b
    back: delivered to a
    ");
    insta::assert_snapshot!(nat("-A POSTROUTING -o eth1 -j SNAT --to-source 10.1.0.77"), @r"
    there: delivered to b
    back: LOST at b:eth0: no neighbour 10.1.0.77
    ");
    insta::assert_snapshot!(nat("-A PREROUTING -d 10.1.0.2/32 -j DNAT --to-destination 10.0.0.1"), @r"
    there: delivered to r
    back: delivered to a
    ");
    insta::assert_snapshot!(nat("-A PREROUTING -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 99"), @r"
    there: delivered to r
    back: delivered to a
    ");
    insta::assert_snapshot!(nat("-A INPUT -j SNAT --to-source 10.9.9.9"), @r"
    there: delivered to b
    back: delivered to a
    ");
}

#[test]
fn the_answer_must_pass_the_translator() {
    // b answers past the router that translated, straight to a.
    let text = "
        ns a
        ns r forward
        ns b
        ns l2
        link l2:br0 bridge
        veth a:eth0 l2:pa
        veth b:eth0 l2:pb
        veth r:eth0 l2:pr
        port l2:pa br0
        port l2:pb br0
        port l2:pr br0
        addr a:eth0 10.0.0.2/24
        addr b:eth0 10.0.0.3/24
        addr r:eth0 10.0.0.1/24
        iptables r -t nat -A PREROUTING -d 10.0.0.1/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.3";
    insta::assert_snapshot!(agree(text, "a", "10.0.0.1:80"), @r"
    there: delivered to b
    back: LOST at a: waits for 10.0.0.1:80 > 10.0.0.2:32768, got 10.0.0.3:80 > 10.0.0.2:32768
    ");
    let both = format!("{text}\niptables r -t nat -A POSTROUTING -d 10.0.0.3/32 -j MASQUERADE");
    insta::assert_snapshot!(agree(&both, "a", "10.0.0.1:80"), @r"
    there: delivered to b
    back: delivered to a
    ");
}

/// Bridged guests on a host whose Docker drops in FORWARD.
#[test]
fn forward_drop_meets_bridged_guests() {
    let text = "
        ns h forward brnf
        link h:br0 bridge
        ns a
        ns b
        veth h:pa a:eth0
        veth h:pb b:eth0
        port h:pa br0
        port h:pb br0
        addr a:eth0 10.0.0.2/24
        addr b:eth0 10.0.0.3/24
        iptables h -P FORWARD DROP";
    insta::assert_snapshot!(agree(text, "a", "10.0.0.3:80"), @r"
    there: LOST at h: policy of filter FORWARD
    back: -
    ");
    insta::assert_snapshot!(agree(&text.replace(" brnf", ""), "a", "10.0.0.3:80"), @r"
    there: delivered to b
    back: delivered to a
    ");
    let physdev = format!(
        "{text}
        iptables h -A FORWARD -m physdev --physdev-in pa -j ACCEPT"
    );
    insta::assert_snapshot!(agree(&physdev, "a", "10.0.0.3:80"), @r"
    there: delivered to b
    back: LOST at h: policy of filter FORWARD
    ");
    let both = format!(
        "{physdev}
        iptables h -A FORWARD -m physdev --physdev-in pb -j ACCEPT"
    );
    insta::assert_snapshot!(agree(&both, "a", "10.0.0.3:80"), @r"
    there: delivered to b
    back: delivered to a
    ");
}

#[test]
fn reverse_path() {
    let asymmetric = "
        ns a
        ns r forward
        ns b
        veth a:e0 r:a0
        veth a:e1 r:a1
        veth b:eth0 r:eth1
        addr a:e0 10.0.0.2/24
        addr r:a0 10.0.0.1/24
        addr a:e1 10.0.1.2/24
        addr r:a1 10.0.1.1/24
        addr r:eth1 10.1.0.1/24
        addr b:eth0 10.1.0.2/24
        route a 10.1.0.0/24 via 10.0.0.1 dev e0 src 10.0.1.2
        route b default via 10.1.0.1 dev eth0";
    insta::assert_snapshot!(agree(asymmetric, "a", "10.1.0.2:80"), @r"
    there: delivered to b
    back: delivered to a
    ");
    let strict = format!("{asymmetric}\nset r rp_filter 1");
    insta::assert_snapshot!(agree(&strict, "a", "10.1.0.2:80"), @r"
    there: LOST at a:e0: no neighbour 10.0.0.1 because LOST at r:a0: rp_filter 1, way back 10.0.1.0/24
    back: -
    ");
    let loose = format!("{asymmetric}\nset r rp_filter 2");
    insta::assert_snapshot!(agree(&loose, "a", "10.1.0.2:80"), @r"
    there: delivered to b
    back: delivered to a
    ");
}

#[test]
fn own_address_as_source() {
    let more = "addr r:lo 10.0.0.2/32";
    insta::assert_snapshot!(router(more), @r"
    there: LOST at a:eth0: no neighbour 10.0.0.1 because LOST at r:eth0: OwnSource
    back: -
    ");
}

#[test]
fn refused_by_routes() {
    for kind in ["blackhole", "unreachable", "prohibit", "throw"] {
        let got = router(&format!("route r {kind} 10.1.0.2/32"));
        assert!(got.starts_with("there: LOST at r:eth0"), "{kind}: {got}");
    }
    insta::assert_snapshot!(router("rule r 100 from 10.0.0.0/24 prohibit"), @r"
    there: LOST at r:eth0: rule 100 Prohibit
    back: -
    ");
}

#[test]
fn policy_routing() {
    insta::assert_snapshot!(router("
        route r unreachable default table 100
        rule r 100 from 10.0.0.0/24 lookup 100"), @r"
    there: LOST at r:eth0: route 0.0.0.0/0 Unreachable
    back: -
    ");
    insta::assert_snapshot!(router("
        iptables r -t mangle -A PREROUTING -j MARK --set-mark 7
        rule r 100 fwmark 7 lookup 100
        route r blackhole 10.1.0.0/24 table 100"), @r"
    there: LOST at r:eth0: route 10.1.0.0/24 Blackhole
    back: -
    ");
    insta::assert_snapshot!(router("
        route r blackhole 10.1.0.0/24 table 100
        rule r 100 not from 10.0.0.0/24 lookup 100"), @r"
    there: delivered to b
    back: delivered to a
    ");
}

#[test]
fn local_and_main_are_one_until_there_is_a_rule() {
    let text = "
        ns a
        ns b
        veth a:eth0 b:eth0
        addr a:eth0 10.0.0.1/24
        addr b:eth0 10.0.0.2/24
        addr b:lo 10.1.0.1/32
        route a local 10.0.0.0/8 dev lo table 255
        route a 10.1.0.0/16 via 10.0.0.2 dev eth0";
    insta::assert_snapshot!(agree(text, "a", "10.1.0.1:80"), @r"
    there: delivered to b
    back: delivered to a
    ");
    let split = format!("{text}\nrule a 100 from 9.9.9.9/32 lookup 100");
    insta::assert_snapshot!(agree(&split, "a", "10.1.0.1:80"), @r"
    there: delivered to a
    back: delivered to a
    ");
}

#[test]
fn weak_hosts_answer_for_all_their_addresses() {
    let text = "
        ns a
        ns b
        veth a:eth0 b:eth0
        addr a:eth0 10.0.0.1/24
        addr b:eth0 192.168.0.1/24
        addr b:lo 10.0.0.2/32
        route b 10.0.0.0/24 dev eth0";
    insta::assert_snapshot!(agree(text, "a", "10.0.0.2:80"), @r"
    there: delivered to b
    back: delivered to a
    ");
    let ignores = format!("{text}\nset b:eth0 arp_ignore 1");
    insta::assert_snapshot!(agree(&ignores, "a", "10.0.0.2:80"), @r"
    there: LOST at a:eth0: no neighbour 10.0.0.2
    back: -
    ");
}

#[test]
fn proxy_arp() {
    let text = ROUTER
        .replace("addr a:eth0 10.0.0.2/24", "addr a:eth0 10.0.0.2/8")
        .replace("route a default via 10.0.0.1 dev eth0", "");
    insta::assert_snapshot!(agree(&text, "a", "10.1.0.2:80"), @r"
    there: LOST at a:eth0: no neighbour 10.1.0.2
    back: -
    ");
    let proxy = format!("{text}\nset r:eth0 proxy_arp 1");
    insta::assert_snapshot!(agree(&proxy, "a", "10.1.0.2:80"), @r"
    there: delivered to b
    back: delivered to a
    ");
}

#[test]
fn to_oneself() {
    insta::assert_snapshot!(agree(ROUTER, "r", "10.1.0.1:80"), @r"
    there: delivered to r
    back: delivered to r
    ");
    insta::assert_snapshot!(agree(ROUTER, "r", "127.0.0.1:80"), @r"
    there: delivered to r
    back: delivered to r
    ");
    let drop = format!("{ROUTER}\niptables r -A INPUT -i lo -j DROP");
    insta::assert_snapshot!(agree(&drop, "r", "10.1.0.1:80"), @r"
    there: LOST at r: dropped by filter INPUT#1
    back: -
    ");
    let redirect = format!(
        "{ROUTER}\niptables a -t nat -A OUTPUT -d 10.1.0.2/32 -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 99"
    );
    insta::assert_snapshot!(agree(&redirect, "a", "10.1.0.2:80"), @r"
    there: delivered to a
    back: delivered to a
    ");
}

#[test]
fn two_bridges_in_a_row() {
    let text = "
        ns h
        link h:br0 bridge
        link h:br1 bridge
        ns a
        ns b
        ns c
        veth h:pa a:eth0
        veth h:pb b:eth0
        veth h:pc c:eth0
        veth h:x h:y
        port h:pa br0
        port h:pc br0
        port h:x br0
        port h:y br1
        port h:pb br1
        addr a:eth0 10.0.0.2/24
        addr b:eth0 10.0.0.3/24
        addr c:eth0 10.0.0.4/24";
    insta::assert_snapshot!(agree(text, "a", "10.0.0.3:80"), @r"
    there: delivered to b
    back: delivered to a
    ");
    let blocked = text.replace("port h:x br0", "port h:x br0 disabled");
    insta::assert_snapshot!(agree(&blocked, "a", "10.0.0.3:80"), @r"
    there: LOST at a:eth0: no neighbour 10.0.0.3 because LOST at h:x: port h:x blocked
    back: -
    ");
    let silent = text.replace("port h:pb br1", "port h:pb br1 noflood");
    insta::assert_snapshot!(agree(&silent, "a", "10.0.0.3:80"), @r"
    there: delivered to b
    back: delivered to a
    ");
}

/// A bridged pass makes the connection's entry first: the host's own MASQUERADE is not asked.
#[test]
fn bridged_then_routed_by_one_host() {
    let text = "
        ns h forward brnf
        link h:fwbr bridge
        link h:br0 bridge
        ns g
        ns out
        veth h:tap g:eth0
        veth h:fwln h:fwpr
        port h:tap fwbr
        port h:fwln fwbr
        port h:fwpr br0
        addr h:br0 10.0.0.1/24
        addr g:eth0 10.0.0.2/24
        route g default via 10.0.0.1 dev eth0
        veth h:eth0 out:eth0
        addr h:eth0 192.168.1.2/24
        addr out:eth0 192.168.1.1/24
        iptables h -t nat -A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE";
    // The first bridge answers for the second one's address, and routes by itself.
    insta::assert_snapshot!(agree(text, "g", "192.168.1.1:80"), @r"
    there: delivered to out
    back: delivered to g
    ");
    let once = format!("{text}\nset h:fwbr arp_ignore 1");
    insta::assert_snapshot!(agree(&once, "g", "192.168.1.1:80"), @r"
    there: delivered to out
    back: LOST at out: NoRoute(10.0.0.2)
    ");
    insta::assert_snapshot!(agree(&once.replace(" brnf", ""), "g", "192.168.1.1:80"), @r"
    there: delivered to out
    back: delivered to g
    ");
}

#[test]
fn frames_for_another() {
    let wrong = "neigh a:eth0 10.0.0.1 02:00:00:00:00:77";
    insta::assert_snapshot!(router(wrong), @r"
    there: LOST at r:eth0: frame for 02:00:00:00:00:77
    back: -
    ");
}
