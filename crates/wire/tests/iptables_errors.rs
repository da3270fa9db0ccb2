//! What is wrong with a rule is said with its word, its place, and what was probably meant.

use wire::iptables::{ChainSpec, base_chains, parse_rule, table};

fn check(rules: &str) -> String {
    let mut out = String::new();
    for rule in rules.lines().map(str::trim).filter(|r| !r.is_empty()) {
        let said = match parse_rule("filter", "FORWARD", rule) {
            Ok(rule) => format!("{} expressions", rule.exprs.len()),
            Err(error) => error.to_string(),
        };
        out += &format!("{rule}\n    {said}\n");
    }
    out
}

#[test]
fn words_that_are_not_known() {
    insta::assert_snapshot!(check(
        "-p tcp --dprot 80 -j ACCEPT
        -m conntrak --ctstate NEW
        -m conntrack --ctstate ESTABLISHD,NEW
        --ctstate NEW
        --dport 80
        -p tpc
        -j SYNPROXY
        -p tcp --d 80
        -p tcp --dest 80
        -j REJECT --reject-with icmp-port-unreachible
        ACCEPT"
    ), @r#"
    -p tcp --dprot 80 -j ACCEPT
        column 8: `--dprot`: no such option here; did you mean `--dport`?
    -m conntrak --ctstate NEW
        column 4: `conntrak`: no such match is supported; did you mean `conntrack`?
    -m conntrack --ctstate ESTABLISHD,NEW
        column 24: `ESTABLISHD`: is not a state of a connection; did you mean `ESTABLISHED`?
    --ctstate NEW
        column 1: `--ctstate`: belongs to `-m conntrack`, which is not asked for
    --dport 80
        column 1: `--dport`: belongs to `-m tcp`, which is not asked for
    -p tpc
        column 4: `tpc`: is not a protocol's name or number; did you mean `tcp`?
    -j SYNPROXY
        column 4: `SYNPROXY`: this target is not supported
    -p tcp --d 80
        column 8: `--d`: no such option here; did you mean `-d`?
    -p tcp --dest 80
        5 expressions
    -j REJECT --reject-with icmp-port-unreachible
        column 25: `icmp-port-unreachible`: is not a way to reject; did you mean `icmp-port-unreachable`?
    ACCEPT
        column 1: `ACCEPT`: an option should be here
    "#);
}

#[test]
fn values_that_do_not_fit() {
    insta::assert_snapshot!(check(
        r#"-s 10.0.0.256
        -s 10.0.0.0/33
        -s 10.0.0.1,10.0.0.2
        -s router
        -p tcp --dport 90:80
        -p tcp --dport 65536
        -p tcp --dport http
        -p tcp ! --dport 0:65535
        -i averyveryverylongname
        -m comment --comment "no end
        -m mark --mark 0xzz
        -m mac --mac-source 02:42
        -p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16
        -m addrtype --dst-type LOCALE
        -p icmp --icmp-type echo-requst"#
    ), @r#"
    -s 10.0.0.256
        column 4: `10.0.0.256`: is not an IPv4 address (with /length or /mask; names are not looked up)
    -s 10.0.0.0/33
        column 4: `10.0.0.0/33`: is not an IPv4 address (with /length or /mask; names are not looked up)
    -s 10.0.0.1,10.0.0.2
        column 4: `10.0.0.1,10.0.0.2`: several addresses make several rules: write them one by one
    -s router
        column 4: `router`: is not an IPv4 address (with /length or /mask; names are not looked up)
    -p tcp --dport 90:80
        column 16: `90:80`: is not a port number, or a range of them
    -p tcp --dport 65536
        column 16: `65536`: is not a port number (names of services are not known here)
    -p tcp --dport http
        column 16: `http`: is not a port number (names of services are not known here)
    -p tcp ! --dport 0:65535
        column 18: `0:65535`: can never match
    -i averyveryverylongname
        column 4: `averyveryverylongname`: is not the name of a link (1 to 15 bytes)
    -m comment --comment "no end
        column 22: `no end`: this quote has no end
    -m mark --mark 0xzz
        column 16: `0xzz`: is not a number, or number/mask
    -m mac --mac-source 02:42
        column 21: `02:42`: is not an Ethernet address
    -p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16
        column 30: `1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16`: is not a list of at most 15 ports (a range counts as two)
    -m addrtype --dst-type LOCALE
        column 24: `LOCALE`: is not a type of address; did you mean `LOCAL`?
    -p icmp --icmp-type echo-requst
        column 21: `echo-requst`: is not an ICMP type: a name, TYPE or TYPE/CODE; did you mean `echo-request`?
    "#);
}

#[test]
fn words_in_the_wrong_place() {
    insta::assert_snapshot!(check(
        "-s
        !
        ! -m comment
        -s 10.0.0.1 -s 10.0.0.2
        -j ACCEPT -j DROP
        -j MASQUERADE
        -m tcp --dport 80
        -m multiport --dports 80
        -j REJECT --reject-with tcp-reset
        -m addrtype
        -p ! tcp
        -g"
    ), @r#"
    -s
        column 1: `-s`: needs a value after it
    !
        column 1: `!`: `!` has no meaning here
    ! -m comment
        column 3: `-m`: `!` has no meaning here
    -s 10.0.0.1 -s 10.0.0.2
        column 13: `-s`: is given twice
    -j ACCEPT -j DROP
        column 11: `-j`: is given twice
    -j MASQUERADE
        column 4: `MASQUERADE`: works only in table nat, chain POSTROUTING (and chains jumped to from there)
    -m tcp --dport 80
        column 4: `tcp`: needs `-p` with tcp
    -m multiport --dports 80
        column 4: `multiport`: needs `-p` with tcp, udp, udplite, sctp or dccp
    -j REJECT --reject-with tcp-reset
        column 4: `REJECT`: needs `-p` with tcp, for a TCP reset
    -m addrtype
        column 4: `addrtype`: needs --src-type or --dst-type
    -p ! tcp
        column 4: `!`: is not a protocol's name or number
    -g
        column 1: `-g`: needs a value after it
    "#);
}

#[test]
fn tables_that_cannot_be() {
    let chain = |name: &str, rules: &[&str]| ChainSpec {
        name: name.to_owned(),
        policy: None,
        rules: rules.iter().map(|r| (*r).to_owned()).collect(),
    };
    let drop = ChainSpec { policy: Some(model::Policy::Drop), ..chain("MINE", &[]) };
    let all = [
        table("natt", &[]),
        table("nat", &[chain("PREROUTING", &["-j ACCEPT", "-j DOKCER"]), chain("DOCKER", &[])]),
        table("nat", &[chain("POSTROUTING", &["-s 10.0.0.0/8 -j MASKERADE"])]),
        table("nat", &[chain("OUTPUT", &["-j POSTROUTING"])]),
        table("nat", &[chain("OUTPUT", &["-j SNAT --to-source 1.2.3.4"])]),
        table("nat", &[chain("PREROUTING", &["-o eth0 -j ACCEPT"])]),
        table("filter", &[drop]),
        table("filter", &[chain("A", &[]), chain("A", &[])]),
        table("filter", &[chain("ACCEPT", &[])]),
    ];
    let said: Vec<String> =
        all.iter().map(|t| t.as_ref().expect_err("it is wrong").to_string()).collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
    iptables has no table `natt` (it has raw, mangle, nat and filter)
    table nat, chain PREROUTING, rule 2: there is no chain or target `DOKCER`; did you mean `DOCKER`?
    table nat, chain POSTROUTING, rule 1: there is no chain or target `MASKERADE`; did you mean `MASQUERADE`?
    table nat, chain OUTPUT, rule 1: there is no chain or target `POSTROUTING`
    table nat, chain OUTPUT, rule 1: column 4: `SNAT`: works only in table nat, chains POSTROUTING and INPUT (and chains jumped to from there)
    table nat, chain PREROUTING, rule 1: column 1: `-o`: works only in FORWARD, OUTPUT, POSTROUTING and chains of one's own
    table filter: chain MINE is no base chain, and so has no policy
    table filter: chain A is given twice
    table filter: `ACCEPT` cannot be the name of a chain
    "#);
}

#[test]
fn base_chains_of_each_table() {
    let mut out = String::new();
    for name in ["raw", "mangle", "nat", "filter"] {
        for chain in base_chains(name).expect("a table of iptables") {
            let base = chain.base.expect("a base chain");
            let hook = base.hook.as_str();
            out += &format!("{name} {} {} {hook} {}\n", chain.name, base.kind, base.priority);
        }
    }
    insta::assert_snapshot!(out, @r#"
    raw PREROUTING filter prerouting -300
    raw OUTPUT filter output -300
    mangle PREROUTING filter prerouting -150
    mangle INPUT filter input -150
    mangle FORWARD filter forward -150
    mangle OUTPUT route output -150
    mangle POSTROUTING filter postrouting -150
    nat PREROUTING nat prerouting -100
    nat INPUT nat input 100
    nat OUTPUT nat output -100
    nat POSTROUTING nat postrouting 100
    filter INPUT filter input 0
    filter FORWARD filter forward 0
    filter OUTPUT filter output 0
    "#);
    assert_eq!(base_chains("broute"), None);
}
