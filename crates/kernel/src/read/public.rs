//! What /proc/PID/net shows to anybody of a namespace that the reader may not enter.

use std::io;

use model::{Gap, NsKey};
use wire::proc_net::{Texts, Told, told};
use wire::rtnl::{Joined, RawLink};

use super::Parts;
use super::denied::mark;
use super::find::Candidate;
use super::process::network_of;
use super::survey::Reading;

/// How many of its processes are tried.
const TRIES: usize = 4;

/// Fills in what is told; the rest stays a gap, which says what is missing and why.
pub(super) fn read(candidate: &Candidate, parts: Parts, why: &io::Error, reading: &mut Reading) {
    let processes = candidate.namespace.processes.iter().take(TRIES);
    let Some(texts) = processes.filter_map(|p| texts(candidate, p.pid)).next() else { return };
    let told = told(&texts);
    let lack = |text: &str| format!("{why}; of what /proc/PID/net tells anybody, {text}");
    replace(reading, "links", lack(&told.links_lack));
    replace(reading, "addresses", lack(&told.addresses_lack));
    if parts.contains(Parts::ROUTES) {
        replace(reading, "routes", lack(&told.routes_lack));
    }
    if parts.contains(Parts::NEIGHBOURS) {
        replace(reading, "neighbours", lack(&told.neighbours_lack));
    }
    fill(told, parts, reading);
}

fn fill(told: Told, parts: Parts, reading: &mut Reading) {
    let raw = |link| RawLink { link, joined: Joined::default(), slave_kind: None };
    reading.links = told.links.into_iter().map(raw).collect();
    reading.namespace.addresses = told.addresses;
    if parts.contains(Parts::ROUTES) {
        reading.namespace.routes = told.routes;
    }
    if parts.contains(Parts::NEIGHBOURS) {
        reading.namespace.neighbours = told.neighbours;
    }
}

/// What was a gap for want of rights alone is now a gap for what is not told.
fn replace(reading: &mut Reading, part: &str, cause: String) {
    reading.namespace.gaps.retain(|g| g.part != part);
    reading.namespace.gaps.push(Gap { part: part.to_owned(), cause, assumed: None });
}

/// The files of a process, if it is in that namespace before and after they are read.
fn texts(candidate: &Candidate, pid: u32) -> Option<Texts> {
    if !is_in(candidate, pid) {
        return None;
    }
    let read = |name: &str| {
        let text = std::fs::read(format!("/proc/{pid}/net/{name}")).unwrap_or_default();
        String::from_utf8_lossy(&text).into_owned()
    };
    let texts = Texts {
        dev: read("dev"),
        dev_mcast: read("dev_mcast"),
        igmp: read("igmp"),
        if_inet6: read("if_inet6"),
        fib_trie: read("fib_trie"),
        route: read("route"),
        arp: read("arp"),
    };
    (is_in(candidate, pid) && !texts.dev.is_empty()).then_some(texts)
}

fn is_in(candidate: &Candidate, pid: u32) -> bool {
    match candidate.id().key {
        NsKey::Net(ino) => mark(&pid.to_string()) == Ok(ino),
        NsKey::Inode { .. } => network_of(pid) == Some(candidate.id()),
        NsKey::Unseen(_) => false,
    }
}
