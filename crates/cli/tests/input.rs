//! Bad input: one clear error with line and cause, exit 2, and nothing is changed.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test program of its own")]

mod support;

use support::{Bench, Ran};
use trial::test;

fn main() -> std::process::ExitCode {
    trial::main(vec![
        test("what_is_wrong_with_a_file_is_said", &[], wrong_files),
        test("what_is_no_file_is_said", &[], no_files),
        test("a_lab_that_is_up_from_another_file", &[], up_from_another_file),
        test("bad_questions", &[], bad_questions),
        test("an_address_that_is_good_on_one_link", &[], on_one_link),
        test("a_name_in_the_sender_s_own_hosts_file", &[], hosts),
        test("what_cannot_be_printed_is_an_error", &[], full),
        test("labs_that_cannot_be_read_do_not_hide_the_rest", &[], strange_state),
    ])
}

/// `up`, `plan` of a file that cannot be: the same error from both, and nothing changed.
#[track_caller]
fn refused(bench: &Bench, path: &str) -> String {
    let [plan, up]: [Ran; 2] = ["plan", "up"].map(|command| bench.expect(2, &[command, path]));
    assert_eq!((plan.out.as_str(), up.out.as_str()), ("", ""));
    assert_eq!(plan.err, up.err);
    assert!(!bench.state().exists(), "no state is made");
    assert_eq!(bench.pids(), [0; 0]);
    up.err
}

/// The error for that text begins with place and cause.
#[track_caller]
fn wrong(text: &str, place: &str, cause: &str) {
    let bench = Bench::new();
    let path = bench.file("lab.yaml", text);
    let path = path.to_str().unwrap();
    let error = refused(&bench, path);
    let first = error.lines().next().unwrap_or_default();
    assert!(first.starts_with(&format!("error: {path}:{place}")), "{error}");
    assert!(first.contains(cause), "{error}");
    assert_eq!(error.matches("error: ").count(), 1, "{error}");
    assert!(error.chars().all(|c| c == '\n' || !c.is_control()), "{error:?}");
}

fn wrong_files() {
    wrong("name: x\nnamespaces: [\n", "", "");
    wrong("", "", "");
    wrong("just words\n", "1", "");
    wrong("name: x\nnamespaces:\n  a: {}\n  b:\n    linsk: {}\n", "5", "linsk");
    wrong(
        "name: x\nnamespaces:\n  a:\n    links:\n      br0: {kind: bridge, ports: [p9]}\n",
        "5",
        "p9",
    );
    wrong("name: x\nnamespaces:\n  a: {}\n  a: {}\n", "4", "a");
    wrong(
        "name: x\nnamespaces:\n  h:\n    links:\n      vmbr0: {kind: bridge}\n  g:\n    inside: h\n    \
         proxmox:\n      vmid: 100\n      net0: name=eth0,bridge=vmbr0,hwaddr=BC:24:11:zz:00:01\n",
        "10",
        "BC:24:11:zz:00:01",
    );
    let link = |text: &str| format!("name: x\nnamespaces:\n  a:\n    links:\n      {text}\n");
    wrong(&link("br0: {kind: bridge, addresses: [10.0.0.300/24]}"), "5", "10.0.0.300/24");
    wrong(&link("br0: {kind: bridge, addresses: [10.0.0.1/33]}"), "5", "10.0.0.1/33");
    wrong(&link("sixteen-letters-: {kind: bridge}"), "5", "sixteen-letters-");
    wrong(&link("br0: {kind: bridge, mtu: -1}"), "5", "-1");
    wrong(&link("br0: {kind: bridge, mac: 01:00:5e:00:00:01}"), "5", "01:00:5e:00:00:01");
    wrong(&link("\"b\\e[31mr\": {kind: bridge}"), "5", "");
    wrong(&link("eth0: {kind: veth, peer: \"b:eth0\"}"), "5", "b");
    wrong(&link("e0: {kind: macvlan, lower: nix}"), "5", "nix");
    wrong("name: x\nnamespaces:\n  a: {inside: b}\n  b: {inside: a}\n", "3", "inside");
    wrong("name: x\nnamespaces:\n  a: {inside: a}\n", "3", "inside");
    wrong("name: ../../etc\nnamespaces:\n  a: {}\n", "1", "../../etc");
    wrong("name: x\nnamespaces:\n  \"a\\e[31m\": {}\n", "3", "");
    let deep = format!("name: x\nnamespaces: {}", "[".repeat(100_000));
    wrong(&deep, "2", "");
    let deep = format!("name: x\nnamespaces: {}{}", "{a: ".repeat(20_000), "}".repeat(20_000));
    wrong(&deep, "2", "");
    let bomb: String = (1..30).fold("a0: &a0 [x, x]\n".to_owned(), |text, n| {
        let m = n - 1;
        text + &format!("a{n}: &a{n} [*a{m}, *a{m}, *a{m}, *a{m}, *a{m}, *a{m}, *a{m}, *a{m}]\n")
    });
    wrong(&bomb, "", "");
}

fn no_files() {
    let bench = Bench::new();
    let missing = refused(&bench, "/nonexistent/lab.yaml");
    assert!(missing.contains("cannot read /nonexistent/lab.yaml"), "{missing}");
    assert!(missing.contains("hint: "), "{missing}");
    let folder = refused(&bench, "/tmp");
    assert!(folder.contains("cannot read /tmp"), "{folder}");
    let device = refused(&bench, "/dev/zero");
    assert!(device.contains("/dev/zero"), "{device}");
    let binary = bench.file("binary", "");
    std::fs::write(&binary, [0x7f, b'E', b'L', b'F', 2, 1, 0, 0, 0xff, 0xfe]).unwrap();
    let binary = refused(&bench, binary.to_str().unwrap());
    assert!(binary.contains("binary"), "{binary}");
}

fn up_from_another_file() {
    let bench = Bench::new();
    let text = "name: one\nnamespaces:\n  single: {}\n";
    bench.up(text);
    let before = bench.pids();
    let other = bench.file("other.yaml", &format!("{text}  b: {{}}\n"));
    let other = other.to_str().unwrap();
    for command in ["up", "plan"] {
        let error = bench.expect(2, &[command, other]).err;
        assert!(
            error.starts_with("error: the lab one is already up from another file\n"),
            "{error}"
        );
        assert!(error.contains("other.yaml") && error.contains("lab.yaml"), "{error}");
    }
    assert_eq!(bench.pids(), before);
    assert_eq!(bench.exec("single", "hostname"), "single\n");
}

/// The same address at two links: the one that is named leads to its own neighbour.
fn on_one_link() {
    let bench = Bench::new();
    bench.up(r#"
name: near
namespaces:
  a:
    links:
      e1: {kind: veth, peer: "b:e1"}
      e2: {kind: veth, peer: "c:e2"}
  b: {links: {e1: {addresses: ["fe80::1/64"]}}}
  c: {links: {e2: {addresses: ["fe80::1/64"]}}, services: {tcp: [80], udp_echo: [9]}}
"#);
    // An address of IPv6 is looked for on its link before it is used.
    let ready = |to: &str| (0..500).any(|_| bench.run(&["trace", "a", to]).status == 0);
    for (to, ns) in [("fe80::1%e1", "b"), ("[fe80::1%e2]:80", "c")] {
        assert!(ready(to), "{to}");
        let told = bench.ok(&["trace", "a", to, "--live"]);
        assert!(told.contains(&format!("delivered to {ns}\n")), "{told}");
        assert!(told.contains("live: the packet arrived, as foretold"), "{told}");
    }
    let told = bench.ok(&["trace", "a", "fe80::1", "--interface", "e2"]);
    assert!(told.contains("delivered to c\n"), "{told}");
    // From an address that is good on one link.
    bench.exec("a", "ip addr add fe80::a/64 dev e2 nodad");
    for args in [&["--source", "fe80::a%e2"][..], &["--source", "fe80::a", "--interface", "e2"]] {
        for proto in
            [&["fe80::1%e2"][..], &["[fe80::1%e2]:80"], &["[fe80::1%e2]:9", "--proto", "udp"]]
        {
            let told = bench.run(&[&["trace", "a"], proto, args, &["--live"]].concat()).out;
            assert!(told.contains("fe80::a") && told.contains("delivered to c\n"), "{told}");
            assert!(told.contains("live: the packet arrived, as foretold"), "{told}");
        }
    }
    for (source, cause) in [
        ("fe80::a", "good on one link only"),
        ("fe80::a%e1", "fe80::a is not an address of a:e1"),
        ("fe80::a%e9", "has no link e9"),
    ] {
        let ran = bench.expect(2, &["trace", "a", "2001:db8::1", "--source", source]);
        assert!(ran.err.contains(cause), "{}", ran.err);
    }
}

fn hosts() {
    let bench = Bench::new();
    bench.up(r#"
name: names
namespaces:
  asker: {links: {e0: {kind: veth, peer: "second:e0", addresses: [10.0.0.2/24, "2001:db8::2/64"]}}}
  second: {links: {e0: {addresses: [10.0.0.3/24, "2001:db8::3/64"]}}}
"#);
    let text = "10.0.0.3 db db.example # the second\n2001:db8::3 db\n10.0.0.9 second\n";
    let file = bench.file("hosts", text);
    bench.exec("asker", &format!("mount --bind {} /etc/hosts", file.display()));
    for (args, to) in [
        (&["db"][..], "10.0.0.3"),
        (&["DB.example"], "10.0.0.3"),
        (&["db", "-6"], "2001:db8::3"),
        // What a namespace is called comes before.
        (&["second"], "10.0.0.3"),
    ] {
        let out = bench.ok(&[&["trace", "asker"], args].concat());
        assert!(out.contains(&format!("from asker to {to}\n")), "{out}");
    }
    // Nobody else's file says anything of it.
    let ran = bench.expect(2, &["trace", "second", "db.example"]);
    assert!(ran.err.contains("/etc/hosts"), "{}", ran.err);
}

fn bad_questions() {
    let bench = Bench::new();
    bench.up(
        "name: one\nnamespaces:\n  asker: {links: {d0: {kind: bridge, addresses: [10.0.0.1/24]}}}\n",
    );
    for (args, cause) in [
        (&["trace", "asker", "nobody"][..], "nobody"),
        (&["trace", "nobody", "asker"], "nobody"),
        (&["trace", "asker", "10.0.0.1:99999"], "99999"),
        (&["trace", "asker", "10.0.0.1:0"], "0 is no port"),
        (&["trace", "asker", "asker:d0:0"], "0 is no port"),
        (&["trace", "asker", "10.0.0.1:80", "--proto", "icmp"], "no ports"),
        (&["trace", "asker", "10.0.0.1", "--proto", "udp"], "need a port"),
        (&["trace", "asker", "fe80::1"], "good on one link only"),
        (&["trace", "asker", "fe80::1%d0", "--interface", "lo"], "names one link"),
        (&["trace", "asker", "fe80::1%nolink"], "no link nolink"),
        (&["trace", "asker", "2001:db8::1%d0"], "good on every link"),
        (&["trace", "asker", "[fe80::1%d0]:0"], "0 is no port"),
        (&["trace", "asker", "fd00::1", "--source", "10.0.0.1"], "one is of IPv4"),
        (&["trace", "-6", "asker", "asker"], "no IPv6 address"),
        (&["trace", "asker", "[fd00::1]:0"], "0 is no port"),
        (&["trace", "asker", "10.0.0.1:80", "--size", "1000"], "--size"),
        (&["trace", "asker", "10.0.0.1", "--source", "10.0.0.9"], "not an address of asker"),
        (
            &["trace", "asker", "example.org"],
            "host names are looked up in the sender's own /etc/hosts only",
        ),
        (&["trace", "asker", "asker:nolink"], "nolink"),
        (&["trace", "asker", ""], ""),
        (&["trace", "", "asker"], ""),
        (&["show", "asker:nolink"], "nolink"),
        (&["show", "pid:99999999"], "99999999"),
        (&["show", "pid:x"], "pid:x"),
        (&["map", "nobody"], "nobody"),
        (&["exec", "nobody", "true"], "nobody"),
        (&["exec", "asker"], ""),
        (&["down", "nobody"], "nobody"),
        (&["schema", "nobody"], "nobody"),
        (&["map", "--width", "3"], "3"),
    ] {
        let ran = bench.expect(2, args);
        assert!(ran.err.starts_with("error: ") && ran.err.contains(cause), "{args:?}\n{}", ran.err);
        assert_eq!(ran.out, "", "{args:?}");
    }
}

fn full() {
    let bench = Bench::new();
    let out = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for args in [&["ls"][..], &["ls", "--json"], &["map"], &["completion", "bash"]] {
        let ran = Ran::from(bench.command(args).stdout(out()).output().unwrap());
        assert_eq!(ran.status, 3, "{args:?}");
        let told = "error: cannot write to standard output\ncause: No space left on device";
        assert_eq!(ran.err.matches(told).count(), 1, "{args:?}\n{}", ran.err);
    }
    // A reader who has seen enough is none.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ran = Ran::from(bench.command(&["ls", "--json"]).stdout(writer).output().unwrap());
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
}

fn strange_state() {
    let bench = Bench::new();
    std::fs::write(bench.state(), "no folder").unwrap();
    let told = "the names that labs gave are not known: ";
    // A row is as wide as the terminal.
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(&bench.ok(&["ls"])).contains(told));
    assert!(bench.ok(&["map", "--json"]).contains(told));
    assert!(bench.ok(&["collect", &bench.path("here.tar.gz")]).contains(told));
    bench.expect(3, &["labs"]);
    std::fs::remove_file(bench.state()).unwrap();
}
