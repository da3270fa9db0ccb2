//! Whatever the files hold: nothing panics, and nothing takes long.

use pasted::File;
use proptest::prelude::*;

const NAMES: [&str; 22] = [
    "ip-link",
    "ip-d-link",
    "ip-j-link",
    "ip-br-addr",
    "ip-addr",
    "ip-o-addr",
    "ip-route",
    "ip-route-show-table-all",
    "ip-rule",
    "ip-neigh",
    "bridge-fdb",
    "bridge-d-link",
    "iptables-save",
    "iptables-S",
    "iptables-L-n",
    "iptables-t-nat-L-n-v",
    "nft-list-ruleset",
    "nft-j-list-ruleset",
    "lsns-t-net",
    "ip-netns-list-id",
    "sysctl-a",
    "nestwork-about",
];

/// Words that these outputs are made of, in no order.
fn soup() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "1:",
        "2:",
        "eth0@if2:",
        "lo:",
        "<UP>",
        "<",
        ">",
        "mtu",
        "qdisc",
        "master",
        "br0",
        "state",
        "link/ether",
        "02:00:00:00:00:01",
        "inet",
        "10.0.0.1/24",
        "10.0.0.1",
        "via",
        "dev",
        "nexthop",
        "default",
        "table",
        "999999999999",
        "-1",
        "Chain",
        "(policy",
        "--",
        "*",
        "*nat",
        ":X",
        "-A",
        "-j",
        "DROP",
        "{",
        "}",
        "table ip x {",
        "chain y {",
        "type",
        "hook",
        "priority",
        "\"",
        "\\",
        "\n",
        "\n",
        "\n",
        "\t",
        "NS",
        "TYPE",
        "PID",
        "net",
        "nsid",
        "=",
        "[",
        "]",
        "[{",
        "}]",
        ":",
        "\u{1b}[31m",
        "\u{0}",
        "ünï",
        "peer",
        "/",
        "0/0",
        "::/0",
        "unknown",
        "from",
        "lookup",
        "all",
    ]);
    prop::collection::vec(words, 0..60).prop_map(|words| words.join(" "))
}

fn read(name: &str, text: String) {
    let same = |folder: &str| File { path: format!("{folder}/{name}"), text: text.clone() };
    let snapshot = pasted::read(&[same("a"), same("b"), same("a/c")]);
    // What is read is drawn and walked through without a fault, too.
    let _ = render::map(&snapshot, None, &render::Style::default());
    let _ = walk::Indexed::new(&snapshot);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn words_in_no_order(name in prop::sample::select(NAMES.to_vec()), text in soup()) {
        read(name, text);
    }

    #[test]
    fn anything(name in prop::sample::select(NAMES.to_vec()), text in "\\PC{0,200}") {
        read(name, text);
    }

    #[test]
    fn any_file_name(name in "[a-z0-9 ./-]{0,40}") {
        read(&name, "1".to_owned());
    }
}

#[test]
fn long_lines_and_deep_documents() {
    for name in NAMES {
        read(name, "x ".repeat(1 << 18));
        read(name, "[".repeat(1 << 18));
        read(name, "1: a\n".repeat(1 << 16));
    }
}
