//! The kernel and Debian's own tools as judges, each test in a fresh network namespace.

#[path = "support/netns.rs"]
mod netns;
mod support;

use model::{Family, Ruleset, Table};
use netns::{feed, inside, ruleset, run, send};
use support::{Captured, captured};
use wire::iptables::{self, ChainSpec, parse_rule};
use wire::nft::{delete_table, replace_table};

/// The captured rules that the parser takes, by table and chain. iptables prints three of them
/// otherwise than it was told, which the capture knows.
fn rules_of(table: &str) -> Vec<(&'static str, Vec<Captured>)> {
    let mut chains: Vec<(&str, Vec<Captured>)> = vec![("USER1", Vec::new())];
    for rule in captured() {
        if rule.table != table || parse_rule(table, rule.chain, rule.args).is_err() {
            continue;
        }
        match chains.iter_mut().find(|(name, _)| *name == rule.chain) {
            Some((_, rules)) => rules.push(rule),
            None => chains.push((rule.chain, vec![rule])),
        }
    }
    chains
}

fn ours(table: &str) -> Table {
    let chain = |(name, rules): (&str, Vec<Captured>)| ChainSpec {
        name: name.to_owned(),
        policy: None,
        rules: rules.iter().map(|r| r.args.to_owned()).collect(),
    };
    let specs: Vec<ChainSpec> = rules_of(table).into_iter().map(chain).collect();
    iptables::table(table, &specs).expect("iptables takes them")
}

#[test]
fn iptables_writes_the_same_rules() {
    if !inside("iptables_writes_the_same_rules") {
        return;
    }
    for name in ["raw", "mangle", "nat", "filter"] {
        let mut input = format!("*{name}\n");
        for chain in iptables::base_chains(name).expect("a table of iptables") {
            input += &format!(":{} ACCEPT\n", chain.name);
        }
        input += ":USER1 -\n";
        for (chain, rules) in rules_of(name) {
            rules.iter().for_each(|r| input += &format!("-A {chain} {}\n", r.args));
        }
        feed(&["iptables-restore"], &format!("{input}COMMIT\n"));
        let (theirs, ours) = (ruleset(), ours(name).normalised());
        let theirs = theirs.table(Family::Ip, name).expect("restored").normalised();
        for (theirs, ours) in theirs.chains.iter().zip(&ours.chains) {
            assert_eq!(theirs, ours, "{name}");
        }
        assert_eq!(theirs.chains.len(), ours.chains.len());
    }
}

#[test]
fn iptables_prints_the_rules_that_we_write() {
    if !inside("iptables_prints_the_rules_that_we_write") {
        return;
    }
    for name in ["raw", "mangle", "nat", "filter"] {
        assert_eq!(send(&replace_table(false, &ours(name))), [], "{name}");
        for (chain, rules) in rules_of(name) {
            let printed = run(&["iptables", "-t", name, "-S", chain]);
            let wanted: Vec<String> = rules
                .iter()
                .map(|r| format!("-A {chain} {}", r.print).trim_end().to_owned())
                .collect();
            let printed: Vec<&str> = printed.lines().filter(|l| l.starts_with("-A")).collect();
            assert_eq!(printed, wanted);
        }
    }
}

#[test]
fn what_is_written_is_read() {
    if !inside("what_is_written_is_read") {
        return;
    }
    let mut old = false;
    for name in ["filter", "nat", "mangle", "raw", "filter"] {
        let table = ours(name);
        assert_eq!(send(&replace_table(old && name == "filter", &table)), []);
        old = true;
        let read = ruleset();
        assert_eq!(read.table(Family::Ip, name).expect("made").normalised(), table.normalised());
        assert!(read.generation > 0);
    }
    assert_eq!(send(&delete_table(Family::Ip, "nat")), []);
    let left: Vec<String> = ruleset().tables.into_iter().map(|t| t.name).collect();
    assert_eq!(left, ["mangle", "raw", "filter"]);
}

#[test]
fn iptables_lists_dockers_chains() {
    if !inside("iptables_lists_dockers_chains") {
        return;
    }
    let chain = |name: &str, rule: &str| ChainSpec {
        name: name.to_owned(),
        policy: None,
        rules: vec![rule.to_owned()],
    };
    let table = iptables::table(
        "nat",
        &[
            chain("PREROUTING", "-m addrtype --dst-type LOCAL -j DOCKER"),
            chain("OUTPUT", "! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER"),
            chain("POSTROUTING", "-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE"),
            chain("DOCKER", "-i docker0 -j RETURN"),
        ],
    );
    assert_eq!(send(&replace_table(false, &table.expect("Docker's own"))), []);
    let listed = run(&["iptables", "-t", "nat", "-L", "-n"]);
    let listed: Vec<&str> = listed.lines().map(str::trim_end).collect();
    insta::assert_snapshot!(listed.join("\n"), @r#"
    Chain PREROUTING (policy ACCEPT)
    target     prot opt source               destination
    DOCKER     0    --  0.0.0.0/0            0.0.0.0/0            ADDRTYPE match dst-type LOCAL

    Chain INPUT (policy ACCEPT)
    target     prot opt source               destination

    Chain OUTPUT (policy ACCEPT)
    target     prot opt source               destination
    DOCKER     0    --  0.0.0.0/0           !127.0.0.0/8          ADDRTYPE match dst-type LOCAL

    Chain POSTROUTING (policy ACCEPT)
    target     prot opt source               destination
    MASQUERADE  0    --  172.17.0.0/16        0.0.0.0/0

    Chain DOCKER (2 references)
    target     prot opt source               destination
    RETURN     0    --  0.0.0.0/0            0.0.0.0/0
    "#);
}

#[test]
fn a_refusal_names_its_rule() {
    if !inside("a_refusal_names_its_rule") {
        return;
    }
    let mut table = ours("nat");
    let chain = table.chains.iter_mut().find(|c| c.name == "POSTROUTING").expect("a base chain");
    let lost = parse_rule("nat", "POSTROUTING", "-j NOWHERE").expect("a jump");
    chain.rules.insert(1, lost);
    assert_eq!(
        send(&replace_table(false, &table)),
        [("rule 2 of chain POSTROUTING".to_owned(), -2)]
    );
    assert_eq!(ruleset().tables, [], "nothing of a refused transaction is done");
    let gone = send(&delete_table(Family::Ip, "nat"));
    assert_eq!(gone, [("removing table nat".to_owned(), -2)]);
}

/// Everything that `nft` writes and the model has a type for, and some that it has not.
const NATIVE: &str = r#"
table inet fw {
  set bad { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 192.168.1.1-192.168.1.9 } }
  set pairs { type ipv4_addr . inet_service; elements = { 10.1.1.1 . 80, 10.1.1.2 . 443 } }
  set nets { type ipv4_addr . inet_service; flags interval; elements = { 10.0.0.0/8 . 1-9 comment "low" } }
  map to { type inet_service : ipv4_addr; elements = { 80 : 10.0.0.2, 8080 : 10.0.0.3 } }
  map where { type ifname : verdict; elements = { "lo" : accept, "eth0" : jump other } }
  chain other {
    tcp dport { 22, 80, 8000-8100 } accept
    udp dport != 53 drop
  }
  chain in {
    type filter hook input priority 0; policy drop;
    ct state vmap { invalid : drop, established : accept, related : accept }
    iifname vmap @where
    ip saddr @bad counter drop
    ip daddr . tcp dport @pairs accept
    meta mark set 0x12
    meta l4proto { tcp, udp } th dport 53 accept
    ip protocol icmp limit rate 5/second accept
    ip6 saddr fe80::/10 accept
    ether saddr 02:42:ac:11:00:02 log prefix "x" accept
    fib daddr type local accept
    reject with icmpx admin-prohibited
  }
}
table ip nt {
  chain pre {
    type nat hook prerouting priority -100;
    tcp dport 80 dnat to 10.0.0.2:8080
    udp dport 53 redirect to :5353
    dnat to 10.0.0.2-10.0.0.9
  }
  chain post {
    type nat hook postrouting priority 100;
    oifname "eth0" masquerade random
    ip saddr 10.0.0.0/8 snat to 1.2.3.4
  }
}
table inet more {
  set recent { type ipv4_addr; size 128; flags dynamic,timeout; timeout 1m; gc-interval 10s; }
  set slow { type ipv4_addr; size 64; flags dynamic; limit rate 5/minute; }
  set gone { type ipv4_addr; flags timeout; elements = { 10.0.0.1 timeout 1h, 10.0.0.2 } }
  map marks { type inet_service : mark; flags interval; elements = { 80-90 : 0x1, 100 : 0x2 } }
  chain raw {
    type filter hook prerouting priority -300;
    tcp dport 9 notrack
    socket transparent 1 accept
    ct zone set 7
    ct original zone set 8
  }
  chain f {
    type filter hook forward priority 0;
    meta mark set meta mark << 4
    meta mark set meta mark >> 2
    meta mark { 0x80-0x1ff } drop
    meta mark set tcp dport map @marks
    ct mark set 0x7
    ct original ip saddr 10.0.0.1 ct count over 10 drop
    quota over 1 mbytes drop
    limit rate over 10 mbytes/second burst 20 kbytes drop
    numgen inc mod 2 vmap { 0 : accept, 1 : drop }
    meta mark set jhash ip saddr mod 4 seed 0x5 offset 3
    meta mark set symhash mod 2
    ip ttl set 5
    tcp option maxseg size set 1400
    tcp option timestamp exists accept
    log prefix "y" group 3 snaplen 64 queue-threshold 2
    rt ip nexthop 10.0.0.1 accept
    fib saddr . iif oif missing drop
    update @recent { ip saddr timeout 30s }
    add @slow { ip saddr limit rate 5/minute } accept
    meta skuid 0 meta cgroup 1 meta cpu 0 accept
    iifgroup 3 meta day "Monday" accept
    ct expiration > 1m ct helper "ftp" accept
    meta l4proto tcp ct original proto-dst 80 accept
  }
}
table ip d {
  chain p { type filter hook prerouting priority -300; dup to 10.0.0.1 device "lo"; }
}
table netdev nd {
  chain ing {
    type filter hook ingress device "lo" priority 0;
    ip saddr 1.2.3.4 drop
  }
}
table bridge br {
  chain fw {
    type filter hook forward priority 0;
    ether type arp accept
  }
}
table arp ar {
  chain in {
    type filter hook input priority 0;
    arp operation request accept
  }
}
"#;

#[test]
fn a_native_ruleset_survives() {
    if !inside("a_native_ruleset_survives") {
        return;
    }
    feed(&["nft", "-f", "-"], NATIVE);
    let (listed, before) = (run(&["nft", "-s", "list", "ruleset"]), ruleset());
    for table in &before.tables {
        assert_eq!(send(&replace_table(true, table)), [], "{}", table.name);
    }
    assert_eq!(normal(&ruleset()), normal(&before));
    assert_eq!(run(&["nft", "-s", "list", "ruleset"]), listed);
}

fn normal(ruleset: &Ruleset) -> Vec<Table> {
    let mut tables: Vec<Table> = ruleset.tables.iter().map(Table::normalised).collect();
    tables.iter_mut().flat_map(|t| &mut t.sets).for_each(|s| {
        // Hashed sets come in any order.
        s.elements.sort_by(|a, b| (&a.key, a.flags).cmp(&(&b.key, b.flags)));
    });
    tables
}
