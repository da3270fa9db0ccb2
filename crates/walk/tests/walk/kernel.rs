//! The kernel as oracle: the same text builds a real network in fresh namespaces, a real TCP SYN
//! is sent, and what comes of it must be what was foretold.
//!
//! A closed port answers with RST, so nothing needs to listen.

use std::fmt::Write;
use std::process::Command;

use walk::Verdict;

use crate::{ask, net, tell};

/// Foretells and tries one connection: `to` is `ADDRESS:PORT`. Gives how both ways end.
pub(crate) fn agree(text: &str, from: &str, to: &str) -> String {
    let snapshot = net::net(text);
    let trace = ask(&snapshot, from, to);
    let foretold = match trace.verdict() {
        Verdict::Yes => true,
        Verdict::No(_) => false,
        Verdict::Unknown(unknown) => panic!("unknown: {unknown:?}"),
        Verdict::Assumed => panic!("assumed: {:?}", trace.assumptions()),
    };
    let (answered, log) = connect(text, from, to);
    let told = tell::trace(&snapshot, &trace);
    assert_eq!(foretold, answered, "foretold, and seen on the kernel\n{told}\n{log}");
    tell::ends(&snapshot, &trace)
}

/// Builds the network in namespaces of its own (they end with the shell) and connects.
fn connect(text: &str, from: &str, to: &str) -> (bool, String) {
    let (ip, port) = to.split_once(':').expect("ADDRESS:PORT");
    let mut script = String::from("set -e\nmount -t tmpfs none /run\nmkdir /run/netns\n");
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        command(&mut script, &words);
    }
    let on = format!("nsenter --net=/run/netns/{from}");
    let connect = format!("exec 3<>/dev/tcp/{ip}/{port}");
    writeln!(script, "sleep 0.05\nset +e\n{on} timeout 1 bash -c '{connect}'\necho \"code $?\"")
        .unwrap();
    let mut unshare = Command::new("unshare");
    let uid = Command::new("id").arg("-u").output().expect("id").stdout;
    if uid.trim_ascii() != b"0" {
        unshare.arg("--map-root-user");
    }
    let output = unshare.args(["--net", "--mount", "bash", "-c", &script]).output();
    let output = output.expect("unshare of util-linux runs");
    let log = [output.stdout, output.stderr].concat();
    let log = String::from_utf8_lossy(&log).into_owned();
    assert!(log.contains("code "), "the network could not be built:\n{script}\n{log}");
    (log.contains("code 0") || log.contains("Connection refused"), log)
}

fn command(script: &mut String, words: &[&str]) {
    let on = |ns: &str| format!("nsenter --net=/run/netns/{ns}");
    let split = |link: &str| {
        let (ns, name) = link.split_once(':').expect("NS:LINK");
        (format!("ip -n {ns}"), name.to_owned(), on(ns))
    };
    let line = match words {
        ["ns", ns, flags @ ..] => {
            let forward = u8::from(flags.contains(&"forward"));
            let brnf = u8::from(flags.contains(&"brnf"));
            let proc = "/proc/sys/net";
            format!(
                "ip netns add {ns}; ip -n {ns} link set lo up
                {} sh -c 'for f in {proc}/ipv4/conf/*/rp_filter; do echo 0 >$f; done
                echo {forward} >{proc}/ipv4/ip_forward
                if [ -e {proc}/bridge ]; then echo {brnf} >{proc}/bridge/bridge-nf-call-iptables; else test {brnf} = 0; fi'",
                on(ns)
            )
        }
        ["link", link, "bridge", rest @ ..] => {
            let (ip, name, _) = split(link);
            let mac = rest.iter().position(|w| *w == "mac").map(|i| rest[i + 1]);
            let mac = mac.map_or(String::new(), |m| format!("address {m}"));
            format!("{ip} link add {name} {mac} type bridge; {ip} link set {name} up")
        }
        ["veth", a, b, ..] => {
            let ((ip_a, a, _), (ip_b, b_name, _)) = (split(a), split(b));
            let b_ns = b.split_once(':').expect("NS:LINK").0;
            format!(
                "{ip_a} link add {a} type veth peer name {b_name} netns {b_ns}
                {ip_a} link set {a} up; {ip_b} link set {b_name} up"
            )
        }
        ["port", port, bridge, flags @ ..] => {
            let (ip, name, on) = split(port);
            let mut line = format!("{ip} link set {name} master {bridge}");
            if flags.contains(&"disabled") {
                // The state is set anew when the carrier comes.
                line.push_str("; sleep 0.3");
            }
            for flag in flags {
                let flag = match *flag {
                    "hairpin" => "hairpin on",
                    "isolated" => "isolated on",
                    "noflood" => "flood off",
                    "nolearning" => "learning off",
                    "disabled" => "state 0",
                    other => panic!("{other}"),
                };
                write!(line, "; {on} bridge link set dev {name} {flag}").unwrap();
            }
            line
        }
        ["addr", link, net] => {
            let (ip, name, _) = split(link);
            format!("{ip} addr add {net} dev {name}")
        }
        ["route", ns, rest @ ..] => format!("ip -n {ns} route add {}", rest.join(" ")),
        ["rule", ns, pref, rest @ ..] => {
            format!("ip -n {ns} rule add pref {pref} {}", rest.join(" "))
        }
        ["neigh", link, whom, mac] => {
            let (ip, name, _) = split(link);
            format!("{ip} neigh replace {whom} lladdr {mac} dev {name}")
        }
        ["fdb", port, mac] => {
            let (_, name, on) = split(port);
            format!("{on} bridge fdb replace {mac} dev {name} master dynamic")
        }
        ["set", link, key @ ("up" | "mtu"), value] => {
            let (ip, name, _) = split(link);
            match (*key, *value) {
                ("mtu", mtu) => format!("{ip} link set {name} mtu {mtu}"),
                (_, "0") => format!("{ip} link set {name} down"),
                _ => format!("{ip} link set {name} up"),
            }
        }
        ["set", _, "carrier", _] => String::new(),
        ["set", link, key, value] if link.contains(':') => {
            let (_, name, on) = split(link);
            format!("{on} sh -c 'echo {value} >/proc/sys/net/ipv4/conf/{name}/{key}'")
        }
        ["set", ns, key, value] => {
            format!("{} sh -c 'echo {value} >/proc/sys/net/ipv4/conf/all/{key}'", on(ns))
        }
        ["iptables", ns, rest @ ..] => iptables(&on(ns), rest),
        other => panic!("{other:?} cannot be built on the kernel"),
    };
    script.push_str(&line);
    script.push('\n');
}

/// Chains are made where they are first named.
fn iptables(on: &str, words: &[&str]) -> String {
    let table = if words[0] == "-t" { format!("-t {}", words[1]) } else { String::new() };
    let named = words.windows(2).filter(|w| matches!(w[0], "-A" | "-j" | "-N"));
    let own = |n: &str| n.starts_with("DOCKER") || n.chars().all(|c| c.is_lowercase());
    let mut line = String::new();
    for chain in named.map(|w| w[1]).filter(|n| own(n)) {
        write!(line, "{on} iptables {table} -N {chain} 2>/dev/null || :; ").unwrap();
    }
    if !words.contains(&"-N") {
        write!(line, "{on} iptables {}", words.join(" ")).unwrap();
    }
    line
}
