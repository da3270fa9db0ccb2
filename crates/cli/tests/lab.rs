//! Labs on the real kernel: made, made again, changed, broken off, removed.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test program of its own")]

mod support;

use support::{Bench, alive};
use trial::{Needs, test};

fn main() -> std::process::ExitCode {
    trial::main(vec![
        test("up_is_idempotent_and_down_leaves_nothing", &[], up_is_idempotent),
        test("a_changed_file_converges_with_the_fewest_changes", &[], a_changed_file_converges),
        test("what_a_person_broke_is_mended", &[], what_a_person_broke_is_mended),
        test("a_line_that_goes_takes_its_effect_along", &[], a_line_that_goes),
        test("links_of_every_kind", &[Needs::Tap], links_of_every_kind),
        test("two_labs_stand_side_by_side", &[], two_labs_stand_side_by_side),
        test("killed_after_any_change_up_converges_and_down_restores", &[], killed_anywhere),
        test("killed_in_the_seed_up_converges", &[Needs::Tap, Needs::Ids], killed_in_the_seed),
        test("any_failing_change_leaves_the_host_as_it_was", &[], failing_anywhere),
        test("a_failing_change_to_a_standing_lab_is_undone", &[], failing_in_a_standing_lab),
        test("ipsets_are_made_changed_and_removed", &[Needs::Tool("ipset")], ipsets),
        test("tables_of_iptables_legacy_are_made_changed_and_emptied", LEGACY, legacy_tables),
        test("exec_joins_and_ends_with_the_command_s_status", &[], exec_joins),
    ])
}

/// Every kind of fact that needs no card: a router between a Docker-like bridge and a far host.
const SMALL: &str = r#"
name: small
namespaces:
  far:
    links:
      eth0: {addresses: [10.1.0.2/24]}
    routes:
      - {to: default, via: 10.1.0.1}
    services: {tcp: [80], udp_echo: [7]}
  router:
    links:
      up0: {kind: veth, peer: "far:eth0", addresses: [10.1.0.1/24]}
      br0: {kind: bridge, addresses: [10.2.0.1/24]}
      p0: {kind: veth, peer: "web:eth0", bridge: br0}
    sysctls: {net.ipv4.ip_forward: 1}
    iptables:
      nat:
        POSTROUTING:
          - "-s 10.2.0.0/24 ! -o br0 -j MASQUERADE"
  web:
    inside: router
    links:
      eth0: {addresses: [10.2.0.2/24]}
    routes:
      - {to: default, via: 10.2.0.1}
"#;

/// What of the host a lab may not change for good.
fn host() -> String {
    let run = |program: &str, args: &[&str]| {
        let out = std::process::Command::new(program).args(args).output().unwrap();
        String::from_utf8(out.stdout).unwrap()
    };
    let links = run("ip", &["-o", "link"]);
    let routes = run("ip", &["route"]);
    let nsids = run("ip", &["netns", "list-id"]);
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    format!("{links}{routes}{nsids}{mounts}")
}

fn up_is_idempotent() {
    let before = host();
    let bench = Bench::new();
    let file = bench.up(SMALL);
    let file = file.to_str().unwrap();
    assert_eq!(bench.ok(&["up", file]), "small is up; nothing to change\n");
    assert_eq!(bench.expect(0, &["plan", "--exit-code", file]).status, 0);
    bench.ok(&["trace", "web", "10.1.0.2", "--live"]);
    let labs = bench.ok(&["labs"]);
    assert!(labs.contains("small") && labs.contains(" 3 ") && labs.contains(file), "{labs}");

    let pids = bench.pids();
    assert_eq!(alive(&pids).len(), 4, "three containers and a service");
    for pid in &pids {
        let open = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
        assert!(open <= 6, "{pid} holds {open} descriptors: its own, and no caller's");
    }
    assert_eq!(bench.ok(&["down", file]), "small is down\n");
    assert_eq!(alive(&pids), [0; 0]);
    assert!(!bench.state().exists(), "the state folder goes with the last lab");
    assert_eq!(host(), before);
}

fn a_changed_file_converges() {
    let bench = Bench::new();
    bench.up(SMALL);
    let changed = SMALL.replace("10.2.0.2/24", "10.2.0.3/24").replace(
        "net.ipv4.ip_forward: 1",
        "net.ipv4.ip_forward: 1, net.ipv4.conf.all.rp_filter: 1",
    );
    let file = bench.file("lab.yaml", &changed);
    let file = file.to_str().unwrap();
    let plan = bench.expect(1, &["plan", "--exit-code", file]).out;
    let lines: Vec<&str> = plan.lines().collect();
    assert!(lines.iter().any(|l| l.contains("10.2.0.3/24")), "{plan}");
    assert!(lines.iter().any(|l| l.contains("rp_filter")), "{plan}");
    // An address that goes takes its routes with it: the default route follows.
    assert!(lines.len() <= 5, "only what is needed: {plan}");
    bench.ok(&["up", file]);
    assert_eq!(bench.ok(&["up", file]), "small is up; nothing to change\n");
    let addresses = bench.exec("web", "ip -br -4 addr");
    assert!(addresses.contains("10.2.0.3/24") && !addresses.contains("10.2.0.2/24"));
    bench.ok(&["trace", "web", "10.1.0.2", "--live"]);
}

const KINDS: &str = r#"
name: kinds
namespaces:
  one:
    links:
      br0: {kind: bridge, snooping: false, addresses: [10.0.0.1/24]}
      t0: {kind: tap, mtu: 1400, up: false, altnames: [tzero]}
      v0: {kind: veth, peer: "two:eth0", bridge: br0, hairpin: true, isolated: true}
      v1: {kind: veth, peer: "two:eth1", bridge: br0, backup_port: v0, mcast_router: 2, mcast_to_unicast: true, group_fwd_mask: 8}
      vx0: {kind: vxlan, vni: 42, local: 10.0.0.1, remote: 10.0.0.2, port: 4789, dev: br0, addresses: [10.9.0.1/24]}
    routes:
      - {to: 10.7.0.0/16, type: blackhole}
      - {to: 10.8.0.0/16, via: 10.0.0.2, metric: 50, table: 100}
  two:
    links:
      eth0: {addresses: [10.0.0.2/24]}
  three:
    inside: two
    links:
      m0: {kind: macvlan, lower: "two:eth0", mode: bridge, addresses: [10.0.0.3/24]}
"#;

fn links_of_every_kind() {
    let bench = Bench::new();
    let file = bench.up(KINDS);
    assert_eq!(bench.ok(&["up", file.to_str().unwrap()]), "kinds is up; nothing to change\n");
    let links = bench.exec("one", "ip -d link");
    for word in [
        "vxlan id 42 ",
        "mcast_snooping 0 ",
        "hairpin on",
        "isolated on",
        "altname tzero",
        "mtu 1400 ",
    ] {
        assert!(links.contains(word), "{word}\n{links}");
    }
    let port = || bench.exec("one", "bridge -d link show dev v1");
    for word in ["backup_port v0", "mcast_router 2", "mcast_to_unicast on"] {
        assert!(port().contains(word), "{word}\n{}", port());
    }
    assert!(bench.exec("three", "ip -d link").contains("macvlan mode bridge"));
    assert!(bench.exec("one", "ip route").contains("blackhole 10.7.0.0/16"));
    assert!(bench.exec("one", "ip route show table 100").contains("metric 50"));
    assert!(bench.ok(&["trace", "three", "10.0.0.1"]).contains("out      m0"));
    let other = KINDS.replace("mode: bridge", "mode: private").replace("1400", "1300");
    let told = ", backup_port: v0, mcast_router: 2, mcast_to_unicast: true, group_fwd_mask: 8";
    let file = bench.up(&other.replace(told, ""));
    assert!(!port().contains("backup_port") && port().contains("mcast_router 1"), "{}", port());
    assert!(bench.exec("three", "ip -d link").contains("macvlan mode private"));
    assert_eq!(bench.ok(&["up", file.to_str().unwrap()]), "kinds is up; nothing to change\n");
}

/// Sysctls go back to what a fresh namespace, or a fresh link, has.
fn a_line_that_goes() {
    let bench = Bench::new();
    let set =
        "{net.ipv4.ip_forward: 1, net.ipv4.conf.br0.rp_filter: 1, net.ipv4.ip_default_ttl: 32}";
    let more = SMALL
        .replace("{net.ipv4.ip_forward: 1}", set)
        .replace("br0: {kind: bridge,", "br0: {kind: bridge, forward_delay: 500,");
    bench.up(&more);
    let sysctl = |key: &str| bench.exec("router", &format!("sysctl -n {key}"));
    assert_eq!(
        sysctl("net.ipv4.conf.br0.rp_filter") + &sysctl("net.ipv4.ip_default_ttl"),
        "1\n32\n"
    );
    let file = bench.up(SMALL);
    assert_eq!(
        sysctl("net.ipv4.conf.br0.rp_filter") + &sysctl("net.ipv4.ip_default_ttl"),
        "0\n64\n"
    );
    assert_eq!(bench.ok(&["up", file.to_str().unwrap()]), "small is up; nothing to change\n");
    let slower = SMALL.replace("br0: {kind: bridge,", "br0: {kind: bridge, forward_delay: 700,");
    let file = bench.up(&slower);
    assert!(bench.exec("router", "ip -d link show br0").contains("forward_delay 700 "));
    assert_eq!(bench.ok(&["up", file.to_str().unwrap()]), "small is up; nothing to change\n");
}

fn what_a_person_broke_is_mended() {
    let bench = Bench::new();
    let file = bench.up(SMALL);
    let file = file.to_str().unwrap();
    bench.exec("router", "ip link del p0");
    bench.exec("router", "sysctl -qw net.ipv4.ip_forward=0");
    bench.exec("router", "iptables -t nat -F POSTROUTING");
    assert_ne!(bench.ok(&["plan", file]), "nothing to do: all is as the file says\n");
    bench.ok(&["up", file]);
    assert_eq!(bench.ok(&["up", file]), "small is up; nothing to change\n");
    bench.ok(&["trace", "web", "10.1.0.2", "--live"]);
}

fn two_labs_stand_side_by_side() {
    let bench = Bench::new();
    bench.up(SMALL);
    let other = SMALL.replace("name: small", "name: other");
    let other = bench.file("other.yaml", &other);
    bench.ok(&["up", other.to_str().unwrap()]);
    let ambiguous = bench.expect(2, &["exec", "web", "true"]).err;
    assert!(ambiguous.contains("small/router/web") && ambiguous.contains("other/router/web"));
    bench.ok(&["exec", "other/router/web", "true"]);
    bench.ok(&["down", "small"]);
    bench.ok(&["exec", "web", "true"]);
}

/// The number of changes that a fresh `up` of a file makes.
fn changes(bench: &Bench, file: &str) -> usize {
    let plan = bench.ok(&["plan", file]);
    plan.lines().filter(|l| l.starts_with(['+', '~', '-'])).count()
}

#[track_caller]
fn up_with_fault(bench: &Bench, file: &str, fault: &str) -> support::Ran {
    let mut command = bench.command(&["up", file]);
    support::Ran::from(command.env("NESTWORK_FAULT", fault).output().unwrap())
}

fn killed_anywhere() {
    let before = host();
    let bench = Bench::new();
    let file = bench.file("lab.yaml", SMALL);
    let file = file.to_str().unwrap();
    for n in 0..changes(&bench, file) {
        assert_eq!(up_with_fault(&bench, file, &format!("kill:{n}")).status, -1, "killed");
        bench.ok(&["up", file]);
        assert_eq!(bench.ok(&["up", file]), "small is up; nothing to change\n", "after kill:{n}");
        bench.ok(&["down", "small"]);

        up_with_fault(&bench, file, &format!("kill:{n}"));
        let pids = bench.pids();
        // A run that fails after that leaves it as unfinished as it was, and known.
        assert_eq!(up_with_fault(&bench, file, "fail:0").status, 3);
        assert!(bench.ok(&["labs"]).contains("unfinished"), "after kill:{n}");
        bench.ok(&["down", "small"]);
        assert_eq!(alive(&pids), [0; 0], "after kill:{n}");
    }
    assert_eq!(host(), before);
}

fn killed_in_the_seed() {
    let bench = Bench::new();
    let file = support::example("proxmox-docker.yaml");
    let file = file.to_str().unwrap();
    for n in 0..changes(&bench, file) {
        assert_eq!(up_with_fault(&bench, file, &format!("kill:{n}")).status, -1, "killed");
        bench.ok(&["up", file]);
        let again = bench.ok(&["up", file]);
        assert_eq!(again, "proxmox-docker is up; nothing to change\n", "after kill:{n}");
        bench.ok(&["down", "proxmox-docker"]);
    }
}

fn failing_anywhere() {
    let before = host();
    let bench = Bench::new();
    let file = bench.file("lab.yaml", SMALL);
    let file = file.to_str().unwrap();
    for n in 0..changes(&bench, file) {
        let ran = up_with_fault(&bench, file, &format!("fail:{n}"));
        assert_eq!(ran.status, 3, "fail:{n}\n{}", ran.err);
        assert!(ran.err.starts_with("error: cannot make this change: + "), "{}", ran.err);
        assert!(!bench.state().exists(), "nothing is remembered after fail:{n}");
    }
    assert_eq!(host(), before);
}

/// All that a lab's namespaces show, as the tools tell it.
fn inside(bench: &Bench) -> String {
    ["far", "router", "web"]
        .map(|ns| {
            [
                "ip -4 addr",
                "ip route",
                "ip link",
                "iptables-save -t nat",
                "sysctl net.ipv4.ip_forward",
            ]
            .map(|command| {
                let text = bench.exec(ns, command);
                let steady = |l: &&str| !l.starts_with('#') && !l.starts_with(':');
                text.lines().filter(steady).collect::<Vec<_>>().join("\n")
            })
            .join("\n")
        })
        .join("\n")
}

fn failing_in_a_standing_lab() {
    let bench = Bench::new();
    bench.up(SMALL);
    // Drift that the run would mend, and must leave as it was when it fails.
    bench.exec("router", "sysctl -qw net.ipv4.ip_forward=0");
    let before = inside(&bench);
    let changed = SMALL
        .replace("10.2.0.2/24", "10.2.0.3/24")
        .replace("br0: {kind: bridge,", "br0: {kind: bridge, mtu: 1400,")
        .replace("! -o br0 -j", "-o up0 -j")
        .replace("  web:\n", "  new: {inside: router}\n  web:\n");
    let file = bench.file("lab.yaml", &changed);
    let file = file.to_str().unwrap();
    let count = changes(&bench, file);
    assert!(count >= 5, "{count}");
    for n in 0..count {
        let ran = up_with_fault(&bench, file, &format!("fail:{n}"));
        assert_eq!(ran.status, 3, "fail:{n}\n{}", ran.err);
        assert!(!ran.err.contains("undoing it failed"), "fail:{n}\n{}", ran.err);
        let after = inside(&bench);
        let differs = after.lines().zip(before.lines()).find(|(a, b)| a != b);
        assert_eq!(differs, None, "after fail:{n}");
        assert_eq!(after.len(), before.len(), "after fail:{n}");
    }
    bench.ok(&["up", file]);
    assert_eq!(bench.ok(&["up", file]), "small is up; nothing to change\n");
}

fn exec_joins() {
    let bench = Bench::new();
    bench.up(SMALL);
    assert_eq!(bench.exec("web", "hostname"), "web\n");
    assert_ne!(bench.ok(&["exec", "web", "hostname"]), "web\n", "only the network is joined");
    assert!(bench.ok(&["exec", "web", "ip", "-br", "addr"]).contains("10.2.0.2/24"));
    bench.expect(7, &["exec", "-a", "web", "--", "sh", "-c", "exit 7"]);
    bench.expect(7, &["exec", "web", "sh", "-c", "exit 7"]);
    bench.expect(137, &["exec", "-a", "web", "sh", "-c", "kill -9 $$"]);
    bench.expect(127, &["exec", "web", "no-such-command"]);
    bench.expect(127, &["exec", "-a", "web", "no-such-command"]);
    let unknown = bench.expect(2, &["exec", "wep", "true"]).err;
    assert!(unknown.contains("did you mean web?"), "{unknown}");
}

/// A router that lets through by sets, of which `SETS` is what the file says.
const FILTERED: &str = r#"
name: sets
namespaces:
  r:
    links:
      a0: {kind: veth, peer: "a:eth0", addresses: [10.0.0.1/24]}
      b0: {kind: veth, peer: "b:eth0", addresses: [10.1.0.1/24]}
    sysctls: {net.ipv4.ip_forward: 1}
SETS
  a:
    links: {eth0: {addresses: [10.0.0.2/24]}}
    routes: [{to: default, via: 10.0.0.1}]
  b:
    links: {eth0: {addresses: [10.1.0.2/24]}}
    routes: [{to: default, via: 10.1.0.1}]
    services: {tcp: [80, 81]}
"#;

/// Sets are there before the rules and lists that name them, keep their numbers when what they hold
/// changes, are made anew with what names them when their type changes, and go last.
fn ipsets() {
    let bench = Bench::new();
    let sets = |lines: &[&str]| {
        let lines: Vec<String> = lines.iter().map(|line| format!("    {line}")).collect();
        FILTERED.replace("SETS", &lines.join("\n"))
    };
    let rules = |rule: &str| {
        format!(
            "iptables: {{filter: {{FORWARD: {{policy: DROP, rules: [{rule:?}, \"-m conntrack --ctstate ESTABLISHED -j ACCEPT\"]}}}}}}"
        )
    };
    let both = rules("-m set --match-set guests src -m set --match-set web dst,dst -j ACCEPT");
    let web = "  web: {type: \"hash:ip,port\", timeout: 600, entries: [\"10.1.0.2,tcp:80\", \"10.1.0.3,udp:1-3 timeout 0\"]}";
    let first = [
        "ipsets:",
        "  all: {type: \"list:set\", entries: [guests]}",
        "  guests: {type: \"hash:net\", comment: true, entries: ['10.0.0.0/24 comment \"all of them\"', 10.0.0.7 nomatch]}",
        web,
        &both,
    ];
    let file = bench.up(&sets(&first));
    let file = file.to_str().unwrap().to_owned();
    assert_eq!(bench.ok(&["up", &file]), "sets is up; nothing to change\n");
    bench.ok(&["trace", "a", "10.1.0.2:80", "--live"]);
    bench.expect(1, &["trace", "a", "10.1.0.2:81", "--live"]);
    let saved = bench.exec("r", "ipset save");
    for entry in ["guests 10.0.0.0/24 comment \"all of them\"", "guests 10.0.0.7 nomatch"] {
        assert!(saved.contains(&format!("add {entry}\n")), "{saved}");
    }

    // Other entries: nothing but the set is touched.
    let other = [
        first[0],
        first[1],
        "  guests: {type: \"hash:net\", comment: true, entries: [10.0.0.2 nomatch, 10.0.0.0/24]}",
        web,
        &both,
    ];
    bench.file("lab.yaml", &sets(&other));
    let plan = bench.ok(&["plan", &file]);
    assert!(plan.contains("0 to make, 1 to alter, 0 to remove"), "{plan}");
    bench.ok(&["up", &file]);
    assert_eq!(bench.ok(&["up", &file]), "sets is up; nothing to change\n");
    bench.expect(1, &["trace", "a", "10.1.0.2:80", "--live"]);

    // Another type: what names it is taken away and made again.
    let typed =
        [first[0], first[1], "  guests: {type: \"hash:ip\", entries: [10.0.0.2]}", web, &both];
    bench.file("lab.yaml", &sets(&typed));
    let plan = bench.ok(&["plan", &file]);
    assert!(plan.contains("2 to make, 1 to alter, 2 to remove"), "{plan}");
    let all = || bench.exec("r", "iptables -S") + &bench.exec("r", "ipset list -t");
    let steady = || {
        let text = all();
        let lines = text.lines().filter(|line| !line.contains("initval"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let before = steady();
    for n in 0..changes(&bench, &file) {
        let ran = up_with_fault(&bench, &file, &format!("fail:{n}"));
        assert_eq!(ran.status, 3, "fail:{n}\n{}", ran.err);
        assert!(!ran.err.contains("undoing it failed"), "fail:{n}\n{}", ran.err);
        assert_eq!(steady(), before, "after fail:{n}");
    }
    bench.ok(&["up", &file]);
    assert_eq!(bench.ok(&["up", &file]), "sets is up; nothing to change\n");
    bench.ok(&["trace", "a", "10.1.0.2:80", "--live"]);

    // No rule names it any more.
    let fewer = rules("-m set --match-set web dst,dst -j ACCEPT");
    bench.file("lab.yaml", &sets(&["ipsets:", web, &fewer]));
    bench.ok(&["up", &file]);
    assert_eq!(bench.exec("r", "ipset list -n"), "web\n");
    assert_eq!(bench.ok(&["up", &file]), "sets is up; nothing to change\n");
    bench.ok(&["down", "sets"]);
}

const LEGACY: &[Needs] = &[Needs::Tool("iptables-legacy"), Needs::Tool("ip6tables-legacy")];

/// A router, what it says itself put in the place of `RULES`.
const ROUTER: &str = r#"
name: legacy
namespaces:
  la:
    links: {eth0: {addresses: [10.0.0.2/24]}}
    routes: [{to: default, via: 10.0.0.1}]
  lb:
    links: {eth0: {addresses: [10.1.0.2/24]}}
    services: {tcp: [80]}
  lr:
    links:
      e1: {kind: veth, peer: "la:eth0", addresses: [10.0.0.1/24]}
      e2: {kind: veth, peer: "lb:eth0", addresses: [10.1.0.1/24]}
    sysctls: {net.ipv4.ip_forward: 1}
    RULES
"#;

/// Beside those of nftables and of iptables-nft, of IPv4 and IPv6.
fn legacy_tables() {
    let bench = Bench::new();
    let beside = r#"iptables: {filter: {FORWARD: ["-p udp -j DROP"]}}
    nft: {inet t: {chains: {f: {hook: "type filter hook forward priority 0", rules: ["tcp dport 81 drop"]}}}}"#;
    let of = |rules: &str| ROUTER.replace("RULES", &format!("{beside}\n    {rules}"));
    let first = of(
        r#"ip6tables_legacy: {raw: {OUTPUT: {policy: DROP, rules: ["-o lo -j ACCEPT"]}}}
    iptables_legacy:
      filter: {FORWARD: {policy: DROP, rules: ["-p tcp -m tcp --dport 80 -j here", "-m conntrack --ctstate ESTABLISHED -j ACCEPT"]}, here: ["-i e1 -j ACCEPT"]}
      nat: {POSTROUTING: ["-s 10.0.0.0/24 -o e2 -j MASQUERADE"]}"#,
    );
    let file = bench.up(&first);
    let file = file.to_str().unwrap().to_owned();
    let unchanged = || assert_eq!(bench.ok(&["up", &file]), "legacy is up; nothing to change\n");
    unchanged();
    // No file of the host is locked for it.
    let told = |command: &str| {
        bench.exec("lr", &format!("env XTABLES_LOCKFILE=/proc/self/comm {command}"))
    };
    assert_eq!(
        told("iptables-legacy -S"),
        "-P INPUT ACCEPT\n-P FORWARD DROP\n-P OUTPUT ACCEPT\n-N here\n\
         -A FORWARD -p tcp -m tcp --dport 80 -j here\n\
         -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n-A here -i e1 -j ACCEPT\n"
    );
    let six = told("ip6tables-legacy -t raw -S OUTPUT");
    assert_eq!(six, "-P OUTPUT DROP\n-A OUTPUT -o lo -j ACCEPT\n");
    // lb has no way back to la but through the translation.
    bench.ok(&["trace", "la", "10.1.0.2:80", "--live"]);
    bench.expect(1, &["trace", "la", "10.1.0.2:82", "--live"]);
    bench.expect(1, &["trace", "la", "10.1.0.2:81", "--live"]);

    // One table otherwise; a change that fails leaves all as it was.
    bench.file("lab.yaml", &first.replace("--dport 80 -j", "--dport 80:82 -j"));
    let plan = bench.ok(&["plan", &file]);
    assert!(plan.contains("0 to make, 1 to alter, 0 to remove"), "{plan}");
    let all = || told("iptables-legacy-save") + &told("ip6tables-legacy-save");
    let steady = || {
        let text = all();
        let lines = text.lines().filter(|l| !l.starts_with(['#', ':']));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let before = steady();
    let ran = up_with_fault(&bench, &file, "fail:0");
    assert_eq!(ran.status, 3, "{}", ran.err);
    assert_eq!(steady(), before);
    bench.ok(&["up", &file]);
    unchanged();
    assert!(told("iptables-legacy -S FORWARD").contains("--dport 80:82 -j here"));

    // What a person changed is mended.
    told("iptables-legacy -t nat -F");
    let plan = bench.ok(&["plan", &file]);
    assert!(plan.contains("0 to make, 1 to alter, 0 to remove"), "{plan}");
    bench.ok(&["up", &file]);
    unchanged();

    // The kernel keeps a table as long as its namespace: nothing is left in it.
    bench.file("lab.yaml", &of(""));
    let plan = bench.ok(&["plan", &file]);
    assert!(plan.contains("0 to make, 0 to alter, 3 to remove"), "{plan}");
    bench.ok(&["up", &file]);
    unchanged();
    assert_eq!(told("iptables-legacy -S FORWARD"), "-P FORWARD ACCEPT\n");
    assert_eq!(told("iptables-legacy -t nat -S POSTROUTING"), "-P POSTROUTING ACCEPT\n");
    assert_eq!(told("ip6tables-legacy -t raw -S OUTPUT"), "-P OUTPUT ACCEPT\n");
    bench.ok(&["down", "legacy"]);
}
