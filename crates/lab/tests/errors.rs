//! What is wrong with a file is said in one sentence, with line and column, cause and remedy.

/// The errors of a file, one a line.
fn check(text: &str) -> String {
    match lab::parse(text, "lab.yaml") {
        Ok(_) => "good".to_owned(),
        Err(errors) => errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    }
}

/// The errors of a file with that one namespace beside `b`.
fn check_in(space: &str) -> String {
    let indented: String = space.lines().map(|l| format!("    {l}\n")).collect();
    check(&format!(
        "name: x\nnamespaces:\n  b: {{links: {{br0: {{kind: bridge}}}}}}\n  a:\n{indented}"
    ))
}

#[test]
fn filters_of_tc() {
    let of = |filters: &str| {
        check_in(&format!("links: {{i: {{kind: ifb, tc: {{ingress: [{filters}]}}}}}}"))
    };
    insta::assert_snapshot!(of("matchall action fly"), @r"
    lab.yaml:5:43: tc: `fly` is not an action (mirred, skbedit mark, ok, drop, pipe, continue, …)
    ");
    insta::assert_snapshot!(of("matchall action mirred egress redirect dev j"), @r#"
    lab.yaml:5:28: a has no link "j": declare it under its `links:` or correct the name
    "#);
    insta::assert_snapshot!(of("pref 4 matchall, pref 4 matchall"), @r"
    lab.yaml:5:60: tc: pref 4 is given already
    ");
}

#[test]
fn queues() {
    let of = |queue: &str| check_in(&format!("links: {{i: {{kind: tap, queue: {queue}}}}}"));
    insta::assert_snapshot!(of("bfifo limit 600"), @"good");
    insta::assert_snapshot!(of("tbf rate 1mbit burst 10kb latency 50ms"), @"lab.yaml:5:35: tc: \"tbf rate 1mbit burst 10kb latency 50ms\" cannot be made: say `blackhole` or `pfifo limit 0` (all is thrown away), or `bfifo limit BYTES` (what is larger)");
    insta::assert_snapshot!(of("bfifo limit few"), @"lab.yaml:5:35: tc: \"few\" is no number of bytes");
}

#[test]
fn not_yaml() {
    insta::assert_snapshot!(check("name: [x\nnamespaces: {}"), @"lab.yaml:2:11: not valid YAML: illegal placement of ':' indicator");
    insta::assert_snapshot!(check(""), @"lab.yaml: the file is empty: a lab has at least `name:` and `namespaces:`");
    insta::assert_snapshot!(check("just a word"), @"lab.yaml:1:1: a lab file must be a map, but this is a word");
    insta::assert_snapshot!(check("a: *b"), @"lab.yaml:1:4: not valid YAML: alias references unknown anchor");
    insta::assert_snapshot!(check("- \u{7}"), @r"lab.yaml:1:3: not valid YAML: unexpected character: `\u{7}'");
}

#[test]
fn a_remote_that_is_given_twice() {
    let space =
        r#"links: {vx: {kind: vxlan, vni: 1, remotes: ["default 10.0.0.1", "default 10.0.0.1"]}}"#;
    insta::assert_snapshot!(check_in(space), @r#"lab.yaml:5:69: "10.0.0.1" is no remote: it is given already: leave it out"#);
}

/// No message has a key in it that is secret.
#[test]
fn wireguard() {
    let with = |own: &str| check_in(&format!("links: {{wg: {{kind: wireguard, {own}}}}}"));
    insta::assert_snapshot!(with("private_key: hunter2, mac: 02:00:00:00:00:01"), @r#"
    lab.yaml:5:48: "what stands there" is no key: 44 characters of base64 are wanted, as `wg genkey` and `wg pubkey` print
    lab.yaml:5:57: "mac" does not fit a link of kind wireguard: remove it
    "#);
    insta::assert_snapshot!(with("listen_port: 0, peers: [{endpoint: 10.0.0.1, allowed_ips: [10.0.0.0/33]}]"), @r#"
    lab.yaml:5:48: port 0 is out of range: it must be between 1 and 65535
    lab.yaml:5:59: a peer needs the key "peer": it says who that is, NAMESPACE:LINK; or `public_key:` does
    "#);
    insta::assert_snapshot!(with("peers: [{peer: 'b:br0', public_key: x}]"), @"lab.yaml:5:71: a peer must be named by `peer:` or by `public_key:`, not both, but this is a word");
    insta::assert_snapshot!(with("peers: [{peer: 'b:br0'}, {peer: 'c:wg'}]"), @r#"
    lab.yaml:5:50: b:br0 is no wireguard link of this lab: name one, or give its `public_key:`
    lab.yaml:5:67: no namespace is called "c": add it under `namespaces:` or correct the name
    "#);
    insta::assert_snapshot!(with("peers: [{peer: b:wg, endpoint: here}]"), @r#"
    lab.yaml:5:66: "here" is no endpoint: ADDRESS:PORT is wanted, as in 192.0.2.1:51820 or [2001:db8::1]:51820
    "#);
    insta::assert_snapshot!(with("peers: [{peer: 'a:wg', allowed_ips: [10.0.0.1, 10.0.0.9/24]}]"), @"good");
}

#[test]
fn bonds() {
    let with = |said: &str| {
        check_in(&format!("links: {{p: {{kind: tap, bond: o}}, o: {{kind: bond, {said}}}}}"))
    };
    insta::assert_snapshot!(with("mode: active-backup, primary: p, miimon: 100"), @"good");
    insta::assert_snapshot!(with("mode: balance"), @r#"
    lab.yaml:5:60: "balance" is no mode: there are balance-rr, active-backup, balance-xor, broadcast, 802.3ad, balance-tlb, balance-alb
    "#);
    insta::assert_snapshot!(with("miimon: often"), @r#"
    lab.yaml:5:62: "often" is no miimon: a number between 0 and 2147483647 is wanted
    "#);
    insta::assert_snapshot!(with("all_slaves_active: 2"), @"lab.yaml:5:73: `all_slaves_active:` must be true or false, but this is a word");
    insta::assert_snapshot!(with("arp_ip_target: [10.0.0.1, x]"), @r#"
    lab.yaml:5:80: "x" is no address: an address of IPv4 is wanted, as in 192.0.2.1
    "#);
    insta::assert_snapshot!(with("active_slave: lo"), @r#"
    lab.yaml:5:68: a:o is said to choose "lo", which is no port of it: say `bond: o` there
    "#);
    insta::assert_snapshot!(with("flag: vepa"), @r#"
    lab.yaml:5:54: "flag" does not fit a link of kind bond: remove it
    "#);
    insta::assert_snapshot!(check_in("links: {e: {kind: tap, bond: f}, f: {kind: tap}}"), @r#"
    lab.yaml:5:34: a:e is said to be a port of bond "f", but "f" is a tap, not a bond
    "#);
    insta::assert_snapshot!(check_in("links: {e: {kind: tap, bond: f, vrf: v}, f: {kind: bond}, v: {kind: vrf, table: 5}}"), @r#"
    lab.yaml:5:34: a:e is a port of "v" and of "f": a link has one bridge; remove one
    "#);
}

#[test]
fn keys() {
    insta::assert_snapshot!(check("nam: x\nnamespaces: {}"), @r#"
    lab.yaml:1:1: unknown key "nam" in a lab file: did you mean "name"?
    lab.yaml:1:1: a lab file needs the key "name": it is what `down` and `labs` call it
    "#);
    insta::assert_snapshot!(check("name: x\nname: y\nnamespaces: {}"), @r#"lab.yaml:2:1: the key "name" is given twice in this map (first on line 1): keep one of them"#);
    insta::assert_snapshot!(check_in("adresses: []"), @r#"lab.yaml:5:5: unknown key "adresses" in a namespace: did you mean "addrlabels"?"#);
    insta::assert_snapshot!(check_in("links:\n  e:\n    kind: tap\n    adress: 10.0.0.1/8"), @r#"lab.yaml:8:9: unknown key "adress" in a link: did you mean "addresses"?"#);
    insta::assert_snapshot!(check_in("links: {e: {kind: tap, vni: 5}}"), @r#"lab.yaml:5:28: "vni" does not fit a link of kind tap: remove it"#);
    insta::assert_snapshot!(check_in("links: {e: {kind: vath, peer: b:x}}"), @r#"lab.yaml:5:23: "vath" is no kind of link: did you mean "veth"? There are veth, bridge, tap, nic, macvlan, vlan, ipvlan, bond, vrf, dummy, ifb, vxlan, wireguard"#);
    insta::assert_snapshot!(check_in("links: [e]"), @"lab.yaml:5:12: `links:` must be a map, but this is a list");
    insta::assert_snapshot!(check_in("unprivileged: maybe"), @"lab.yaml:5:19: `unprivileged:` must be true or false, but this is a word");
}

#[test]
fn names() {
    insta::assert_snapshot!(check("name: x\nnamespaces:\n  a: {}\n  b: {}\n  a: {}"), @r#"lab.yaml:5:3: the key "a" is given twice in this map (first on line 3): keep one of them"#);
    insta::assert_snapshot!(check("name: x\nnamespaces: {w1: {}, w: {count: 2}}"), @r#"lab.yaml:2:22: there are two namespaces "w1" (the first on line 2): rename one"#);
    insta::assert_snapshot!(check("name: ../x\nnamespaces: {a b: {}}"), @r#"
    lab.yaml:1:7: "../x" cannot name a lab: 1 to 63 letters, digits, `-`, `_` or `.`, starting with a letter or digit
    lab.yaml:2:14: "a b" cannot name a namespace: 1 to 63 letters, digits, `-`, `_` or `.`, starting with a letter or digit
    "#);
    insta::assert_snapshot!(check_in("links: {this-is-too-long: {kind: tap}}"), @r#"lab.yaml:5:13: the link name "this-is-too-long" has 16 bytes: the kernel allows 15; choose a shorter one"#);
    insta::assert_snapshot!(check_in("links: {'a b': {kind: tap}, 'c/d': {kind: tap}}"), @r#"
    lab.yaml:5:13: "a b" cannot name a link: blanks and control characters are not allowed
    lab.yaml:5:33: "c/d" cannot name a link: `/` and `:` are not allowed
    "#);
    insta::assert_snapshot!(check_in("links: {e: {kind: tap}, f: {kind: tap, altnames: [e]}}"), @r#"lab.yaml:5:29: a has two links called "e" (the other comes from line 5): rename one"#);
    insta::assert_snapshot!(check_in("links: {e: {kind: veth, peer: 'b:br0'}}"), @r#"lab.yaml:5:13: b has two links called "br0" (the other comes from line 3): rename one"#);
    insta::assert_snapshot!(check_in("links: {lo: {kind: tap}}"), @"lab.yaml:5:13: a:lo is there by itself: leave out `kind:` to say more about it");
}

#[test]
fn references() {
    insta::assert_snapshot!(check("name: x\nnamespaces: {docker01: {}, c: {inside: doker01}}"), @r#"lab.yaml:2:40: no namespace is called "doker01" (did you mean "docker01"?): add it under `namespaces:` or correct the name"#);
    insta::assert_snapshot!(check("name: x\nnamespaces:\n  a: {inside: b}\n  b: {inside: c}\n  c: {inside: a}"), @"lab.yaml:3:15: `inside` runs in a circle: a is inside b is inside c is inside a; one of them must be on the host");
    insta::assert_snapshot!(check("name: x\nnamespaces: {a: {inside: a}}"), @"lab.yaml:2:26: `inside` runs in a circle: a is inside a; one of them must be on the host");
    insta::assert_snapshot!(check_in("links: {br: {kind: bridge, ports: [eth7]}}"), @r#"lab.yaml:5:40: a has no link "eth7": declare it under its `links:` or correct the name"#);
    insta::assert_snapshot!(check_in("links: {e: {kind: tap, bridge: br9}}"), @r#"lab.yaml:5:36: a has no link "br9": declare it under its `links:` or correct the name"#);
    insta::assert_snapshot!(check_in("links: {e: {kind: tap, bridge: f}, f: {kind: tap}}"), @r#"lab.yaml:5:36: a:e is said to be a port of "f", but "f" is a tap, not a bridge"#);
    insta::assert_snapshot!(check_in("links: {e: {kind: tap, bridge: x}, x: {kind: bridge}, y: {kind: bridge, ports: [e]}}"), @r#"lab.yaml:5:36: a:e is a port of "y" and of "x": a link has one bridge; remove one"#);
    insta::assert_snapshot!(check_in("links: {e: {kind: veth, peer: 'nowhere:e'}}"), @r#"lab.yaml:5:35: no namespace is called "nowhere": add it under `namespaces:` or correct the name"#);
    insta::assert_snapshot!(check_in("links: {e: {kind: veth, peer: 'a:e'}}"), @"lab.yaml:5:35: a:e cannot be joined to itself: name the link at the other end");
    insta::assert_snapshot!(check_in("links: {eth0: {addresses: [10.0.0.1/8]}}"), @"lab.yaml:5:13: a:eth0 says no kind, and nothing else makes it: add `kind:`");
    insta::assert_snapshot!(check_in("links: {m: {kind: macvlan, lower: eth5}}"), @r#"lab.yaml:5:13: a has no link "eth5": declare it under its `links:` or correct the name"#);
    insta::assert_snapshot!(check_in("nsids: {0: b, 1: b}"), @"lab.yaml:5:19: the nsid of b is pinned twice in a (also on line 5): choose another");
    insta::assert_snapshot!(check_in("nsids: {0: z}"), @r#"lab.yaml:5:16: no namespace is called "z": add it under `namespaces:` or correct the name"#);
    insta::assert_snapshot!(check_in("netns_files: {/etc/passwd: b}"), @r#"lab.yaml:5:19: "/etc/passwd" is no namespace file: it must be below /run, which is the namespace's own"#);
    insta::assert_snapshot!(check_in("sysctls: {net.ipv4.conf.eth9.rp_filter: 1}"), @r#"lab.yaml:5:15: a has no link "eth9": declare it under its `links:` or correct the name"#);
    insta::assert_snapshot!(check_in("sysctls: {kernel.panic: 1, net.../x: 2}"), @r#"
    lab.yaml:5:15: "kernel.panic" is no sysctl of a namespace: it must be below `net.`, as in net.ipv4.ip_forward
    lab.yaml:5:32: "net.../x" is no sysctl of a namespace: it must be below `net.`, as in net.ipv4.ip_forward
    "#);
}

#[test]
fn values() {
    insta::assert_snapshot!(check_in("links: {e: {kind: tap, mac: 02:42:zz:11:00:02}}"), @r#"lab.yaml:5:33: "02:42:zz:11:00:02" is no MAC address: six pairs of hexadecimal digits are wanted, as in 02:42:ac:11:00:02"#);
    insta::assert_snapshot!(check_in("links: {e: {kind: tap, mac: 01:00:5e:00:00:01}}"), @r#"lab.yaml:5:33: "01:00:5e:00:00:01" is no MAC address of a link: a link's own address is neither zero nor a group (its first byte is even)"#);
    insta::assert_snapshot!(check_in("links: {e: {kind: tap, addresses: [10.0.0.256/24]}}"), @r#"lab.yaml:5:40: "10.0.0.256/24" is no address: ADDRESS/LENGTH is wanted, as in 192.0.2.10/24, with numbers up to 255 and a length up to 32 (IPv6: 128)"#);
    insta::assert_snapshot!(check_in("links: {e: {kind: tap, addresses: [10.0.0.1/33]}}"), @r#"lab.yaml:5:40: "10.0.0.1/33" is no address: ADDRESS/LENGTH is wanted, as in 192.0.2.10/24, with numbers up to 255 and a length up to 32 (IPv6: 128)"#);
    insta::assert_snapshot!(check_in("links: {e: {kind: tap, addresses: [10.0.0.1]}}"), @r#"lab.yaml:5:40: "10.0.0.1" is no address: ADDRESS/LENGTH is wanted, as in 192.0.2.10/24, with numbers up to 255 and a length up to 32 (IPv6: 128)"#);
    insta::assert_snapshot!(check_in("links: {e: {kind: tap, addresses: [224.0.0.1/24, '10.0.0.1/24 scop link']}}"), @r#"
    lab.yaml:5:40: "224.0.0.1/24" is no address of a link: a link's address is that of one machine
    lab.yaml:5:54: "10.0.0.1/24 scop link" is no address: after ADDRESS/LENGTH may stand `brd +` or `brd ADDRESS`, `scope NAME`, `noprefixroute`
    "#);
    insta::assert_snapshot!(check_in("links: {e: {kind: tap, mtu: 70000, index: 0}}"), @"
    lab.yaml:5:33: mtu 70000 is out of range: it must be between 68 and 65535
    lab.yaml:5:47: index 0 is out of range: it must be between 1 and 2147483647
    ");
    insta::assert_snapshot!(check_in("links: {e: {kind: tap, mtu: many}}"), @r#"lab.yaml:5:33: "many" is no mtu: a number between 68 and 65535 is wanted"#);
    insta::assert_snapshot!(check_in("services: {tcp: [99999]}"), @"lab.yaml:5:22: port 99999 is out of range: it must be between 1 and 65535");
    insta::assert_snapshot!(check_in("links: {e: {kind: tap, index: 5}, f: {kind: tap, index: 5}}"), @"lab.yaml:5:39: the ifindex 5 is pinned twice in a (also on line 5): choose another");
    insta::assert_snapshot!(check_in("links: {e: {kind: tap, addresses: [10.0.0.1/24]}, f: {kind: tap, addresses: [10.0.0.1/8]}}"), @"lab.yaml:5:82: 10.0.0.1 is on a:f and, by line 5, on a:e: give it to one of them");
}

#[test]
fn routes() {
    insta::assert_snapshot!(check_in("links: {e: {kind: tap, addresses: [10.0.0.1/24]}}\nroutes: [{to: default, via: 10.0.1.1}]"), @"lab.yaml:6:14: no address of a makes the gateway 10.0.1.1 reachable: give a link an address in its subnet, or add `onlink: true`");
    insta::assert_snapshot!(check_in("links: {e: {kind: tap, addresses: [10.0.0.1/24]}}\nroutes: [{to: default, via: 10.0.1.1, dev: e}]"), @"lab.yaml:6:14: no address of a makes the gateway 10.0.1.1 reachable by e: give a link an address in its subnet, or add `onlink: true`");
    insta::assert_snapshot!(check_in("links: {e: {kind: tap}}\nroutes: [{to: default, via: 10.0.1.1, dev: e, onlink: true}]"), @"good");
    insta::assert_snapshot!(check_in("links: {e: {kind: tap, up: false, addresses: [10.0.0.1/24]}}\nroutes: [{to: default, via: 10.0.0.9}]"), @"lab.yaml:6:14: the route to default in a goes by e, which has `up: false`: bring it up or remove the route");
    insta::assert_snapshot!(check_in("links: {e: {kind: tap}}\nroutes: [{to: 10.0.0.1/8, dev: e}]"), @r#"lab.yaml:6:19: "10.0.0.1/8" is no destination: bits are set behind its length: did you mean 10.0.0.0/8?"#);
    insta::assert_snapshot!(check_in("links: {e: {kind: tap}}\nroutes: [{to: 10.0.0.0/8, dev: e}, {to: 10.0.0.0/8, dev: e}]"), @"lab.yaml:6:40: the route to 10.0.0.0/8 with metric 0 is there twice in a (also line 6): remove one or give it another metric");
    insta::assert_snapshot!(check_in("routes: [{to: 10.0.0.0/8}, {dev: e}, {to: default, dev: e, proto: kernl}]"), @r#"
    lab.yaml:5:14: a route needs the key "dev": without a gateway (`via:`) it must say by which link
    lab.yaml:5:32: a route needs the key "to": it is where the route leads, `default` or a network
    lab.yaml:5:71: "kernl" is no route protocol: there are kernel, boot, static, dhcp, ra, redirect and numbers to 255
    "#);
    insta::assert_snapshot!(check_in("links: {e: {kind: tap}}\nroutes: [{to: 10.0.0.0/8, dev: e, src: 10.0.0.4}]"), @"lab.yaml:6:14: a route's `src` needs the address 10.0.0.4 in a, which nothing in the lab makes: give it to a link, or remove `src:`");
    insta::assert_snapshot!(check_in("neighbours: [{ip: 10.0.0.4, dev: e}]"), @r#"lab.yaml:5:18: a has no link "e": declare it under its `links:` or correct the name"#);
}

#[test]
fn proxmox() {
    let guest = |net: &str| check_in(&format!("inside: b\nproxmox:\n  vmid: 100\n  net0: {net}"));
    insta::assert_snapshot!(guest("name=eth0,bridge=br0,hwaddr=BC:24:11:BF:EE:9"), @r#"lab.yaml:8:13: "BC:24:11:BF:EE:9" is no MAC address: six pairs of hexadecimal digits are wanted, as in 02:42:ac:11:00:02"#);
    insta::assert_snapshot!(guest("name=eth0,bridge=br0,tag=5,rate=3"), @r#"
    lab.yaml:8:13: net0: the key "tag" works in Proxmox but not here yet: VLANs are not built yet; put the guest on a bridge of its own
    lab.yaml:8:13: net0: the key "rate" works in Proxmox but not here yet: rate limits are not built yet; remove it
    "#);
    insta::assert_snapshot!(guest("name=eth0,bridge=br0,firewal=1"), @r#"lab.yaml:8:13: unknown key "firewal" in a net line: did you mean "firewall"?"#);
    insta::assert_snapshot!(guest("name=eth0,bridge=br0,ip=dhcp"), @r#"lab.yaml:8:13: net0: the key "ip=dhcp" works in Proxmox but not here yet: nothing here hands out addresses; write ip=ADDRESS/LENGTH, or ip=manual for none"#);
    insta::assert_snapshot!(guest("name=eth0,bridge=br0,ip=10.0.0.300/24,gw=10.0.0.1"), @r#"lab.yaml:8:13: "10.0.0.300/24" is no address: ADDRESS/LENGTH is wanted, as in 192.0.2.10/24, with numbers up to 255 and a length up to 32 (IPv6: 128)"#);
    insta::assert_snapshot!(guest("name=eth0,bridge=br0,mtu=9000"), @"lab.yaml:8:13: net0: its mtu 9000 is larger than br0's 1500: Proxmox refuses that; lower it");
    insta::assert_snapshot!(guest("name=eth0,bridge=vmbr0"), @r#"lab.yaml:8:13: b has no link "vmbr0": declare it under its `links:` or correct the name"#);
    insta::assert_snapshot!(guest("bridge=br0"), @r#"lab.yaml:8:13: net0 needs the key "name": it is the link's name in the guest"#);
    insta::assert_snapshot!(check_in("inside: b\nproxmox: {vmid: 99, nt0: x}"), @r#"
    lab.yaml:6:21: vmid 99 is out of range: it must be between 100 and 999999999
    lab.yaml:6:25: unknown key "nt0" in `proxmox:`: did you mean "net0"?
    "#);
    insta::assert_snapshot!(check_in("proxmox: {vmid: 100, net0: 'name=eth0,bridge=br0'}"), @"lab.yaml:4:3: `proxmox:` is for a guest, but a is not inside of another namespace: add `inside:` with the Proxmox host");
}

#[test]
fn docker() {
    let in_a = |more: &str| {
        check(&format!(
            "name: x\nnamespaces:\n  a: {{docker: {{networks: {{front: {{subnet: 10.5.0.0/29}}}}}}}}\n{more}"
        ))
    };
    insta::assert_snapshot!(in_a("  c: {inside: a, docker: {}}"), @r#"lab.yaml:4:18: `docker:` needs the key "networks": `networks: {}` makes this a Docker host, `network: bridge` a container of one"#);
    insta::assert_snapshot!(in_a("  c: {inside: a, docker: {network: fromt}}"), @r#"lab.yaml:4:36: a has no Docker network "fromt" (did you mean "front"?): declare it under its `docker: networks:`"#);
    insta::assert_snapshot!(in_a("  c: {docker: {network: front}}"), @r#"lab.yaml:4:7: the container c needs the key "inside": it names the Docker host"#);
    insta::assert_snapshot!(in_a("  b: {}\n  c: {inside: b, docker: {network: front}}"), @"lab.yaml:5:18: c is attached to a Docker network, but b is no Docker host: give b `docker: {networks: {}}`");
    insta::assert_snapshot!(in_a("  c: {count: 6, inside: a, docker: {network: front}}"), @r#"lab.yaml:4:46: the network "front" (10.5.0.0/29) has no free address left: make it larger"#);
    insta::assert_snapshot!(in_a("  c: {inside: a, docker: {network: front, ip: 10.6.0.2}}"), @r#"lab.yaml:4:47: 10.6.0.2 does not lie in 10.5.0.0/29, the subnet of "front": choose one that does"#);
    insta::assert_snapshot!(in_a("  c: {inside: a, docker: {network: front, ip: 10.5.0.1}}"), @r#"lab.yaml:4:47: 10.5.0.1 is the gateway of "front" already: choose another"#);
    insta::assert_snapshot!(in_a("  c: {inside: a, docker: {publish: [80, '0:80', '8080:80/sctp']}}"), @r#"
    lab.yaml:4:37: "80" is no published port: [ADDRESS:]PORT:PORT[/udp] is wanted, first the host's port, as in 8080:80
    lab.yaml:4:41: "0:80" is no published port: [ADDRESS:]PORT:PORT[/udp] is wanted, first the host's port, as in 8080:80
    lab.yaml:4:49: "8080:80/sctp" is no published port: [ADDRESS:]PORT:PORT[/udp] is wanted, first the host's port, as in 8080:80
    "#);
    insta::assert_snapshot!(in_a("  c: {count: 2, inside: a, docker: {publish: ['8080:80']}}"), @"lab.yaml:4:47: c2 publishes 8080/tcp, which line 4 publishes already on a: choose another");
    insta::assert_snapshot!(check_in("docker: {networks: {x: {subnet: 10.0.0.0/24}, y: {subnet: 10.0.0.0/16}}}"), @r#"lab.yaml:5:63: the network "y" (10.0.0.0/16) overlaps the network "x" in a: choose another subnet"#);
    insta::assert_snapshot!(check_in("docker: {networks: {x: {subnet: 10.0.0.1/24}}}"), @r#"lab.yaml:5:37: "10.0.0.1/24" is no subnet: no bits may be set behind its length, which is at most 29"#);
}

#[test]
fn nft() {
    insta::assert_snapshot!(check_in("nft: {filter: {}}"), @r#"lab.yaml:5:11: "filter" is no nft table: a family (inet, ip, ip6, arp, bridge, netdev) and a name are wanted"#);
    insta::assert_snapshot!(check_in("nft:\n  inet t:\n    chains:\n      c: [accept, tcp dprt 5 drop]"), @"lab.yaml:8:23: nft: `dprt` is no part of `tcp` that is known here");
    insta::assert_snapshot!(check_in("nft:\n  inet t:\n    sets: {s: {type: port}}"), @"lab.yaml:7:16: nft: `port` is no type that is known here");
    insta::assert_snapshot!(check_in("nft:\n  inet t:\n    chains: {c: {hook: type filter hook forwards priority 0}}"), @"lab.yaml:7:18: nft: `forwards` is no hook");
}

#[test]
fn iptables() {
    insta::assert_snapshot!(check_in("iptables: {filtr: {}}"), @r#"lab.yaml:5:16: "filtr" is no iptables table: did you mean "filter"? There are filter, nat, mangle and raw"#);
    insta::assert_snapshot!(check_in("iptables:\n  filter:\n    FORWARD: [-j ACCEPT, -p tcp --dprt 5 -j DROP]"), @"lab.yaml:7:30: iptables: table filter, chain FORWARD, rule 2: column 8: `--dprt`: no such option here; did you mean `--dport`?");
    insta::assert_snapshot!(check_in("iptables:\n  filter:\n    FORWARD:\n      policy: DENY\n      rules: [-j NOWHERE]"), @r#"lab.yaml:8:19: "DENY" is no policy: ACCEPT or DROP is wanted"#);
    insta::assert_snapshot!(check_in("iptables:\n  filter:\n    FORWARD:\n      rules: [-j NOWHERE]"), @"lab.yaml:8:19: iptables: table filter, chain FORWARD, rule 1: there is no chain or target `NOWHERE`");
    insta::assert_snapshot!(check_in("iptables_legacy: {filter: {FORWARD: [-j ACCEPT, -j NOWHERE]}}"), @"lab.yaml:5:53: iptables-legacy: table filter, chain FORWARD, rule 2: there is no chain or target `NOWHERE`");
    insta::assert_snapshot!(check_in("ip6tables_legacy: {raw: {OUTPUT: [-s 10.0.0.1 -j DROP]}}"), @"lab.yaml:5:39: ip6tables-legacy: table raw, chain OUTPUT, rule 1: column 4: `10.0.0.1`: is not an IPv6 address (with /length or /mask; names are not looked up)");
    insta::assert_snapshot!(check_in("iptables_legasy: {}"), @r#"lab.yaml:5:5: unknown key "iptables_legasy" in a namespace: did you mean "iptables_legacy"?"#);
    insta::assert_snapshot!(check_in("iptables: {nat: {FORWARD: [-j ACCEPT]}}"), @r#"lab.yaml:5:22: "FORWARD" is no chain here: the table nat has no such chain of its own"#);
}

#[test]
fn all_errors_of_a_file_at_once() {
    insta::assert_snapshot!(check_in("links:\n  e: {kind: tap, mac: x, mtu: y}\n  f: {knd: tap}\nroutes: [{to: x}]"), @r#"
    lab.yaml:6:27: "x" is no MAC address: six pairs of hexadecimal digits are wanted, as in 02:42:ac:11:00:02
    lab.yaml:6:35: "y" is no mtu: a number between 68 and 65535 is wanted
    lab.yaml:7:11: unknown key "knd" in a link: did you mean "kind"?
    lab.yaml:8:19: "x" is no destination: `default` or NETWORK/LENGTH is wanted, as in 10.0.0.0/8
    "#);
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut text = String::from("name: x\nnamespaces:\n  a0: &a0 {sysctls: {net.a: 1}}\n");
    for n in 1..12 {
        let before = format!("*a{}", n - 1);
        text += &format!("  a{n}: &a{n} [{}]\n", [before.as_str(); 9].join(", "));
    }
    let said = check(&text);
    assert!(said.lines().count() < 20 && !said.contains("good"), "{said}");
}

#[test]
fn words_of_the_command_line_are_no_names() {
    let errors = lab::parse("name: x\nnamespaces:\n  outside: {}\n", "lab.yaml").unwrap_err();
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"lab.yaml:3:3: "outside" cannot name a namespace: on the command line it means something else; choose another"#);
}

#[test]
fn ipsets() {
    let of = |sets: &str| check_in(&format!("ipsets:\n{sets}"));
    insta::assert_snapshot!(of("  s: {type: \"hash:ip\", entries: [10.0.0.1, 10.0.0.4/30]}"), @"good");
    insta::assert_snapshot!(of("  s: {entries: [10.0.0.1]}"), @r#"lab.yaml:6:10: an ipset needs the key "type": it says what the ipset holds"#);
    insta::assert_snapshot!(of("  s: {type: \"hash:ipx\"}"), @r#"lab.yaml:6:7: `hash:ipx` is not a type of ipsets (bitmap:ip, bitmap:ip,mac, bitmap:port, hash:ip, hash:ip,mac, hash:ip,mark, hash:ip,port, hash:ip,port,ip, hash:ip,port,net, hash:mac, hash:net, hash:net,iface, hash:net,net, hash:net,port, hash:net,port,net, list:set)"#);
    insta::assert_snapshot!(of("  s: {type: \"hash:ip\", entries: [10.0.0.1, \"10.0.0.2,80\", 10.0.0.0/31]}"), @r"
    lab.yaml:6:48: `10.0.0.2,80` is not an entry of hash:ip (1 parts)
    lab.yaml:6:63: `10.0.0.1` is given already: leave it out
    ");
    insta::assert_snapshot!(of("  s: {type: \"bitmap:port\"}"), @r#"lab.yaml:6:7: `bitmap:port` is not a type that does without a `range`"#);
    insta::assert_snapshot!(of("  s: {type: \"hash:ip\", family: ipv6, netmask: 64}"), @r#"lab.yaml:6:36: "ipv6" is no family of an ipset: inet or inet6 is wanted"#);
    insta::assert_snapshot!(of("  s: {type: \"hash:net\"}\n  l: {type: \"list:set\", entries: [t]}"), @r#"lab.yaml:7:7: a has no ipset "t": declare it under its `ipsets:` or correct the name"#);
    insta::assert_snapshot!(check_in("ipsets: {gate: {type: \"hash:ip\"}}\niptables: {filter: {INPUT: [\"-m set --match-set gat src -j DROP\"]}}"), @r#"lab.yaml:6:16: a has no ipset "gat" (did you mean "gate"?): declare it under its `ipsets:` or correct the name"#);
    insta::assert_snapshot!(check_in("iptables: {filter: {INPUT: [\"-m set --match-set s src,any -j DROP\"]}}"), @r#"lab.yaml:5:33: iptables: table filter, chain INPUT, rule 1: column 22: `src,any`: is not a list of at most six `src` and `dst`"#);
}

#[test]
fn what_is_set_on_ports() {
    let with = |links: &str| check_in(&format!("links: {{br: {{kind: bridge}}, {links}}}"));
    insta::assert_snapshot!(with("t: {kind: tap, bridge: br, backup_port: u}, u: {kind: tap}"), @r#"lab.yaml:5:73: a:t and "u" are no ports of one bridge: another port of the same bridge can stand in"#);
    insta::assert_snapshot!(with("t: {kind: tap, bridge: br, backup_port: t}"), @r#"lab.yaml:5:73: a:t and "t" are no ports of one bridge: another port of the same bridge can stand in"#);
    insta::assert_snapshot!(with("t: {kind: tap, bridge: br, backup_port: x}"), @r#"lab.yaml:5:73: a has no link "x": declare it under its `links:` or correct the name"#);
    insta::assert_snapshot!(with("t: {kind: tap, bridge: br, group_fwd_mask: 2, mcast_router: 3}"), @r#"
    lab.yaml:5:76: "2" is no mask of reserved addresses: the kernel forwards those of bit 1 (value 2) never: leave them out
    lab.yaml:5:93: mcast_router 3 is out of range: it must be between 0 and 2
    "#);
    insta::assert_snapshot!(with("c: {kind: bridge, group_fwd_mask: 4}"), @r#"lab.yaml:5:67: "4" is no mask of reserved addresses: the kernel forwards those of bits 0 to 2 (values 1, 2, 4) never: leave them out"#);
    insta::assert_snapshot!(with("c: {kind: bridge, mcast_router: 2, mcast_to_unicast: true}"), @r#"lab.yaml:5:33: a:c is no port of a bridge, so that "mcast_to_unicast" says nothing: add `bridge:` or remove it"#);
    insta::assert_snapshot!(with("t: {kind: tap, bridge: br, backup_port: u, mcast_router: 2, group_fwd_mask: 16388}, u: {kind: tap, bridge: br}"), @"good");
}
