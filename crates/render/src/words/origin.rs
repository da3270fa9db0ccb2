//! Where a namespace comes from: who owns it, and what shows it.

use model::{Found, Namespace};

use super::some;
use crate::ls;

/// `100000, in a user namespace of its own (user:[4026532000], 1 below this one)`.
pub(crate) fn owner(ns: &Namespace) -> String {
    let mut text = ls::owner(ns);
    if ns.owner.unprivileged {
        text.push_str(", in a user namespace of its own");
    }
    if let (Some(user), Some(depth @ 1..)) = (ns.owner.users.first(), ns.owner.depth()) {
        text.push_str(&format!(" (user:[{}], {depth} below this one)", user.file.ino));
    }
    text
}

/// `a process, a namespace file that 4711 has open`.
pub(crate) fn found(ns: &Namespace) -> String {
    some(6, ns.found.iter().map(found_words))
}

/// What shows a namespace.
fn found_words(found: &Found) -> String {
    match found {
        Found::Process => "a process".to_owned(),
        Found::Thread => "a thread whose process is elsewhere".to_owned(),
        Found::Mount => "a file".to_owned(),
        Found::Descriptor(pid) => format!("a namespace file that {pid} has open"),
        Found::Socket(pid) => format!("a socket of {pid}"),
        Found::Tap(pid) => format!("a tun or tap that {pid} holds"),
        Found::Peer => "only the peer of a link".to_owned(),
    }
}
