//! How namespaces are found to belong together.

use model::{Relation, Snapshot};

use crate::read;

fn link(index: u32, name: &str, other: u32, nsid: u32) -> String {
    format!(
        "{index}: {name}@if{other}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP mode DEFAULT group default\n    \
         link/ether 02:00:00:00:00:{index:02x} brd ff:ff:ff:ff:ff:ff link-netnsid {nsid}\n"
    )
}

/// What a link is joined to, by name.
fn joined(s: &Snapshot, ns: &str, name: &str) -> String {
    let id = s.resolve_ns(ns).unwrap();
    match s.namespaces[&id].link_named(name).unwrap().relation {
        Relation::Peer(peer) => s.link_name(peer),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_pair_is_what_names_each_other() {
    let (host, a, b) =
        (link(5, "va", 2, 0) + &link(6, "vb", 2, 1), link(2, "eth0", 5, 0), link(2, "eth0", 6, 0));
    let s = read(&[("host/ip-link", &host), ("a/ip-link", &a), ("b/ip-link", &b)]);
    assert_eq!(joined(&s, "a", "eth0"), "host:va");
    assert_eq!(joined(&s, "host", "vb"), "b:eth0");
    let host = &s.namespaces[&s.resolve_ns("host").unwrap()];
    assert_eq!(s.name_of(host.nsids[&1]), "b");
    assert_eq!(s.warnings, []);
}

#[test]
fn what_could_be_several_stays_open_unless_an_address_was_heard() {
    let host = link(5, "va", 2, 0);
    let (a, b) = (link(2, "eth0", 5, 0), link(2, "eth0", 5, 0).replace(":00:02 ", ":00:99 "));
    let files = [("host/ip-link", host.as_str()), ("a/ip-link", &a), ("b/ip-link", &b)];
    let s = read(&files);
    assert_eq!(joined(&s, "host", "va"), "Unresolved(0)");
    assert!(
        s.warnings.iter().any(|w| w.text == "host:va could be joined to a:eth0, b:eth0: left open")
    );
    let fdb = ("host/bridge-fdb", "02:00:00:00:00:99 dev va master br0\n");
    let s = read(&[files[0], files[1], files[2], fdb]);
    assert_eq!(joined(&s, "host", "va"), "b:eth0");
}

#[test]
fn inodes_and_folders_tell_who_is_inside_of_whom() {
    let lsns = |rows: &str| format!("        NS TYPE NPROCS PID USER NETNSID NSFS COMMAND\n{rows}");
    let host = lsns(
        "4026531840 net 9 1 root unassigned      /sbin/init\n4026532001 net 2 77 root 3      /bin/web\n",
    );
    let web = lsns("4026532001 net 2 1 root unassigned      /bin/web\n");
    let lo = "1: lo: <LOOPBACK,UP> mtu 65536\n";
    let s = read(&[
        ("host/lsns-t-net", &host),
        ("web/lsns", &web),
        ("web/ip-link", lo),
        ("host/nsenter-t-77-n-ip-rule", "0: from all lookup local\n"),
        ("host/inner/ip-link", lo),
    ]);
    let of = |name| &s.namespaces[&s.resolve_ns(name).unwrap()];
    assert_eq!(of("web").parent, Some(of("host").id));
    assert_eq!(of("web").rules.len(), 1, "what was entered from the host is web's");
    assert_eq!(of("host").nsids[&3], of("web").id);
    assert_eq!((s.viewer, s.namespaces.len()), (Some(of("host").id), 3));
}

#[test]
fn a_namespace_that_only_lsns_shows_is_there_and_unknown() {
    let host = "        NS TYPE NPROCS PID USER COMMAND\n4026531840 net 9 1 root /sbin/init\n4026532001 net 2 77 100000 /bin/web\n";
    let s = read(&[("host/lsns", host)]);
    let other = s.namespaces.values().find(|n| n.parent.is_some()).unwrap();
    assert_eq!(other.name(), "net:[4026532001]");
    assert!(other.owner.unprivileged && other.gap("links").is_some_and(|g| g.assumed.is_none()));
}
