//! Of which processes an engine may speak.
//!
//! An engine can be a container's own, and then its word is the container's: it is taken for
//! processes inside that container, and for no others.

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags, fstat, open, stat};

use super::door::identity;
use super::kin::Kin;
use super::nsfs;
use super::process::{Identity, Seen};

/// What is inside an engine's container.
#[derive(Debug)]
pub(super) struct Scope {
    /// The engine's PID namespace, and how many are between the reader's and it.
    pid_ns: Identity,
    depth: usize,
    user_ns: Identity,
    /// It has no user namespace of its own, and this uid: an ordinary user speaks for the user
    /// namespaces that are theirs.
    ordinary: Option<u32>,
}

/// Why an engine may speak of no process at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoScope {
    /// Its namespaces cannot be looked at.
    #[error("its namespaces may not be looked at")]
    Unseen,
    /// It has the PID namespace of others, and a network namespace of its own; or it is in a
    /// container that has no PID namespace of its own.
    #[error("it is in a container that shares the PIDs of what is around it")]
    Shared,
}

impl Scope {
    /// That of an engine, by its process.
    pub(super) fn of(engine: &Seen, all: &[Seen], kin: &Kin<'_>) -> Result<Self, NoScope> {
        let pid_ns = engine.pid_ns.ok_or(NoScope::Unseen)?;
        let user_ns = user(engine.process.pid).ok_or(NoScope::Unseen)?;
        let init = all.iter().find(|s| s.process.inner_pid == 1 && s.pid_ns == Some(pid_ns));
        // The container around an engine is told by the PID namespace; an init elsewhere says that
        // it is somebody else's, unless a user namespace draws the line.
        let elsewhere = init.is_some_and(|init| {
            init.net.is_some()
                && init.net != engine.net
                && user(init.process.pid).is_none_or(|of_init| of_init == user_ns)
        });
        let own_pids = |first: &Seen| first.process.inner_pid == 1;
        if elsewhere || kin.container_of(engine.process.pid).is_some_and(|first| !own_pids(first)) {
            return Err(NoScope::Shared);
        }
        let reader = stat("/proc/thread-self/ns/user").ok().map(|s| identity(&s));
        let uid = engine.process.uid;
        let ordinary = (reader == Some(user_ns) && uid != 0).then_some(uid);
        Ok(Self { pid_ns, depth: engine.pids.len().saturating_sub(1), user_ns, ordinary })
    }

    /// The processes that the engine can mean by a PID; only one of them, if any, is inside.
    pub(super) fn index<'a>(&self, all: &'a [Seen]) -> HashMap<u32, Vec<&'a Seen>> {
        let mut index: HashMap<u32, Vec<&Seen>> = HashMap::new();
        for seen in all {
            if let Some(pid) = seen.pids.get(self.depth) {
                index.entry(*pid).or_default().push(seen);
            }
        }
        index
    }

    /// Whether a process (by the reader's PID) is inside.
    pub(super) fn holds(&self, pid: u32) -> bool {
        around(pid, "pid").any(|(id, _)| id == self.pid_ns)
            && around(pid, "user").any(|(id, fd)| match self.ordinary {
                None => id == self.user_ns,
                Some(uid) => id != self.user_ns && nsfs::owner_uid(&fd).is_ok_and(|o| o == uid),
            })
    }
}

fn user(pid: u32) -> Option<Identity> {
    stat(format!("/proc/{pid}/ns/user")).ok().map(|s| identity(&s))
}

/// A process's namespace of a kind, and those around it, as far out as the reader may look.
fn around(pid: u32, kind: &str) -> impl Iterator<Item = (Identity, OwnedFd)> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let own = open(format!("/proc/{pid}/ns/{kind}"), flags, Mode::empty());
    let mut next = own.map_err(io::Error::from).ok();
    std::iter::from_fn(move || {
        let fd = next.take()?;
        next = nsfs::parent(&fd).ok();
        Some((identity(&fstat(&fd).ok()?), fd))
    })
}
