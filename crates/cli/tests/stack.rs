//! The real thing: an LXC container with Docker in it, Podman beside it, and the corner cases, on a
//! machine of its own; what nestwork says of it against what the engines and `ip` say.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test program of its own")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use support::stack::{NEEDS, Stack};
use trial::test;

fn main() -> std::process::ExitCode {
    let code = trial::main(vec![
        test("every_container_by_its_engine_s_name", NEEDS, names),
        test("names_from_files_alone", NEEDS, names_from_files),
        test("a_stopped_docker_stays_stopped", NEEDS, stopped_docker),
        test("addresses_as_ip_prints_them", NEEDS, addresses),
        test("the_map_draws_every_wire", NEEDS, map),
        test("networks_and_published_ports", NEEDS, networks),
        test("find_says_where_things_are", NEEDS, find),
        test("traces_agree_with_packets", NEEDS, traces),
        test("the_doctor_finds_nothing_wrong", NEEDS, doctor),
        test("every_corner_case_is_there", NEEDS, corners),
        test("seen_from_one_level_further_out", NEEDS, from_outside),
        test("where_other_tools_give_up", NEEDS, other_tools),
    ]);
    drop(shared().take());
    code
}

/// One machine for all tests that only look.
static SHARED: Mutex<Option<Stack>> = Mutex::new(None);

fn look(work: impl FnOnce(&Stack)) {
    work(shared().get_or_insert_with(Stack::start));
}

fn shared() -> MutexGuard<'static, Option<Stack>> {
    // A test that failed leaves the machine as it was: the others go on with it.
    SHARED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// LXC and Docker in it as they are when all is well. Podman beside them makes ports without hairpin,
/// and br_netfilter is on: its container does not reach its own published port, as a packet shows.
fn doctor() {
    look(|stack| {
        let (_, json) = stack.run(&["doctor", "--json"]);
        let view: Value = serde_json::from_str(&json).unwrap();
        let findings = view["findings"].as_array().unwrap();
        let podman = |f: &&Value| f["fault"] == "hairpin" && f["hits"][0]["name"] == "cache";
        let others: Vec<&Value> = findings.iter().filter(|f| !podman(f)).collect();
        assert!(others.is_empty(), "{others:?}");
        if findings.iter().any(|f| podman(&f)) {
            let (status, text) = stack.run(&["trace", "cache", "10.0.3.1:9090", "--live"]);
            assert_eq!(status, 1, "{text}");
            assert!(text.contains("as foretold"), "{text}");
        }
        let (status, text) = stack.run(&["doctor", "dockerbox", "alpinebox", "web"]);
        assert!(text.starts_with("no known fault was found"), "{status}: {text}");
    });
}

/// What containers are called by what is said there, with the inodes of their namespaces.
fn told(stack: &Stack, args: &[&str]) -> BTreeMap<String, u64> {
    let mut all = vec!["ls", "--json"];
    all.extend(args);
    let json: Value = serde_json::from_str(&stack.nestwork(&all)).unwrap();
    let one = |n: &Value| Some((n["path"].as_str()?.to_owned(), n["inode"].as_u64()?));
    json["namespaces"].as_array().unwrap().iter().filter_map(one).collect()
}

/// What the engines themselves say.
fn wanted(stack: &Stack) -> BTreeMap<String, u64> {
    let mut wanted = BTreeMap::new();
    let inode = |shell: &dyn Fn(&str) -> String, pid: &str| {
        shell(&format!("stat -Lc %i /proc/{pid}/ns/net")).parse::<u64>().unwrap()
    };
    let host = |command: &str| stack.host(command);
    let guest = |command: &str| stack.guest(command);
    for name in host("lxc-ls -1 --running").lines().map(str::trim) {
        wanted.insert(name.to_owned(), inode(&host, &host(&format!("lxc-info -pHn {name}"))));
    }
    for name in host("podman ps --format {{.Names}}").lines() {
        let pid = host(&format!("podman inspect -f {{{{.State.Pid}}}} {name}"));
        wanted.insert(name.to_owned(), inode(&host, &pid));
    }
    for name in guest("docker ps --format {{.Names}}").lines() {
        let pid = guest(&format!("docker inspect -f {{{{.State.Pid}}}} {name}"));
        wanted.insert(format!("dockerbox/{name}"), inode(&guest, &pid));
    }
    assert!(wanted.len() >= 5, "{wanted:?}");
    wanted
}

/// All but one of those that share a namespace are names of it beside the first.
fn assert_named(stack: &Stack, args: &[&str], wanted: &BTreeMap<String, u64>) {
    let told = told(stack, args);
    let text = stack.nestwork(&[&["ls", "--width", "200"], args].concat());
    for inode in wanted.values().collect::<BTreeSet<_>>() {
        let names: Vec<_> = wanted.iter().filter(|(_, i)| *i == inode).map(|(n, _)| n).collect();
        let called = |n: &&&String| told.get(**n) == Some(inode);
        assert!(names.iter().any(|n| called(&n)), "{names:?} is {inode}\n{told:?}\n{text}");
        for name in names {
            let shown = stack.nestwork(&[&["show", name.as_str()], args].concat());
            assert!(shown.contains(&inode.to_string()), "show {name} is of {inode}\n{shown}");
        }
    }
}

fn names() {
    look(|stack| assert_named(stack, &[], &wanted(stack)));
}

fn names_from_files() {
    look(|stack| assert_named(stack, &["--no-api"], &wanted(stack)));
}

/// Its containers run on, and are still named; nobody wakes it.
fn stopped_docker() {
    let stack = Stack::start();
    let wanted = wanted(&stack);
    stack.stop_docker();
    assert_named(&stack, &[], &wanted);
    assert_eq!(stack.guest("pgrep -x dockerd || true"), "");
}

fn addresses() {
    look(|stack| {
        for (ns, text) in [
            ("dockerbox", stack.guest("ip -j addr")),
            ("alpinebox", stack.inside("alpinebox", "ip -j addr")),
            ("cache", stack.in_podman("cache", "ip -j addr")),
        ] {
            let shown = stack.nestwork(&["show", ns, "--width", "200"]);
            let links: Value = serde_json::from_str(&text).unwrap();
            for link in links.as_array().unwrap() {
                let name = link["ifname"].as_str().unwrap();
                assert!(shown.contains(name), "{ns} has {name}\n{shown}");
                for address in link["addr_info"].as_array().unwrap() {
                    let prefix =
                        format!("{}/{}", address["local"].as_str().unwrap(), address["prefixlen"]);
                    assert!(shown.contains(&prefix), "{ns} has {prefix}\n{shown}");
                }
            }
        }
    });
}

fn map() {
    look(|stack| {
        let drawn = stack.nestwork(&["map", "--width", "160", "--expand"]);
        for text in
            ["dockerbox", "alpinebox", "web", "cache", "lxcbr0", "podman0", "docker0", "vethlxc0"]
        {
            assert!(drawn.contains(text), "{text}\n{drawn}");
        }
        let json: Value = serde_json::from_str(&stack.nestwork(&["map", "--json"])).unwrap();
        let text = json.to_string();
        // Both ends of the wire to each container, and of the one to the guest.
        let far = stack.guest("ip -j link show docker0");
        assert!(text.contains("vethlxc0") && !far.is_empty(), "{text}");
    });
}

fn networks() {
    look(|stack| {
        let guest = stack.nestwork(&["show", "dockerbox", "--width", "200"]);
        let id = stack.guest("docker network inspect -f {{.Id}} shop");
        let bridge = format!("br-{}", &id[..12]);
        let line = guest.lines().find(|l| l.contains(&bridge) && l.contains("shop"));
        assert!(line.is_some(), "{bridge} is Docker's network shop\n{guest}");
        let alpine = stack.nestwork(&["show", "alpinebox", "--width", "200"]);
        assert!(alpine.contains("8080"), "port 8080 is published for alpinebox\n{alpine}");
        let cache = stack.nestwork(&["show", "cache", "--width", "200"]);
        assert!(cache.contains("9090"), "port 9090 is published for cache\n{cache}");
    });
}

fn find() {
    look(|stack| {
        let address = stack.guest(
            "docker inspect -f {{range.NetworkSettings.Networks}}{{.IPAddress}}{{end}} alpinebox",
        );
        let mac = stack.guest(
            "docker inspect -f {{range.NetworkSettings.Networks}}{{.MacAddress}}{{end}} alpinebox",
        );
        let id = stack.guest("docker inspect -f {{.Id}} alpinebox");
        for what in [address.as_str(), &mac, "alpinebox", &id, &id[..12]] {
            let found = stack.nestwork(&["find", what]);
            assert!(found.contains("alpinebox"), "find {what}\n{found}");
        }
        let port = stack.nestwork(&["find", ":8080"]);
        assert!(port.contains("dockerbox") && port.contains("alpinebox"), "{port}");
        let bridge = stack.nestwork(&["find", "shop"]);
        assert!(bridge.contains("br-"), "{bridge}");
    });
}

fn traces() {
    look(|stack| {
        for (from, to) in [
            ("alpinebox", "10.0.3.1"),
            ("alpinebox", "web"),
            ("cache", "10.88.0.1"),
            ("cache", "dockerbox"),
            ("web", "10.0.3.1"),
        ] {
            let (status, out) = stack.run(&["trace", from, to, "--live"]);
            assert!(out.contains("as foretold"), "{from} → {to}: {status}\n{out}");
            assert!(!out.contains("disagree"), "{from} → {to}: {status}\n{out}");
        }
        // Docker keeps its networks apart; the published port is open all the same.
        let (status, out) = stack.run(&["trace", "alpinebox", "web"]);
        assert_eq!(status, 1, "{out}");
        assert!(out.contains("DOCKER-ISOLATION-STAGE-2"), "{out}");
        let (status, out) = stack.run(&["trace", "cache", "10.0.3.10:8080", "--live"]);
        assert!(status == 0 && out.contains("as foretold"), "{out}");
    });
}

fn corners() {
    look(|stack| {
        let corners: Value = serde_json::from_str(&stack.host("cat /run/corners.ready")).unwrap();
        let listed = stack.nestwork(&["ls", "--json"]);
        for (case, inode) in corners.as_object().unwrap() {
            // In flight, nothing tells an inode: those are seen through their links only.
            if matches!(case.as_str(), "flight" | "chain") {
                continue;
            }
            assert!(listed.contains(&inode.to_string()), "{case}: {inode}\n{listed}");
        }
        let drawn = stack.nestwork(&["map", "--width", "200", "--expand"]);
        for link in
            ["chain0", "back0", "chain1", "back1", "chain2", "back2", "same0", "same1", "vx0"]
        {
            assert!(drawn.contains(link), "{link}\n{drawn}");
        }
        assert!(!listed.contains("\"stale\""), "a file is no namespace\n{listed}");
    });
}

/// From the machine that this runs on, the whole stack is one container deeper.
fn from_outside() {
    look(|stack| {
        let bench = support::Bench::new();
        let json: Value = serde_json::from_str(&bench.ok(&["ls", "--json"])).unwrap();
        let inodes: BTreeMap<u64, &str> = json["namespaces"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|n| Some((n["inode"].as_u64()?, n["path"].as_str()?)))
            .collect();
        for (name, inode) in wanted(stack).iter().filter(|(n, _)| *n != "dockerbox/sidecar") {
            let path = inodes.get(inode).copied().unwrap_or_default();
            let ends = path.ends_with(name) || name == "dockerbox/web";
            assert!(ends, "{name} is {inode}, called {path:?}");
        }
    });
}

fn other_tools() {
    look(|stack| {
        let named = stack.host("ip netns 2>/dev/null | wc -l").parse::<usize>().unwrap();
        let all = told(stack, &[]).len();
        assert!(all >= named + 8, "`ip netns` knows {named}, nestwork {all}");
        if stack.host("command -v plotnetcfg || true").is_empty() {
            return; // nothing to compare with; the map is tested above
        }
        assert_eq!(stack.host("plotnetcfg >/dev/null 2>&1; echo $?"), "1");
    });
}
