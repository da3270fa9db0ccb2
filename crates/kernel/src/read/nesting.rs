//! Who is inside of whom.

use std::collections::{BTreeMap, HashMap, HashSet};

use model::{Namespace, NsId};
use rustix::fs::{Mode, OFlags, fstat, open, stat};

use super::KnownName;
use super::door::identity;
use super::find::{Candidate, Finds, id};
use super::nsfs;
use super::process::{Identity, Seen};

/// Fills in parents.
pub(super) fn nest(finds: &mut Finds, names: &[KnownName]) {
    let host = finds.host;
    let tree = PidTree::new(&finds.processes, host);
    let leads = leads(&finds.processes);
    for candidate in &mut finds.candidates {
        let namespace = &mut candidate.namespace;
        let by_name = named_parent(namespace.id, names, host);
        let by_process = || tree.parent(*leads.get(&namespace.id)?, namespace.id);
        let by_mount = || Some(namespace.files.first()?.seen_in.unwrap_or(host));
        let by_holder = || candidate.held_in;
        let lead = leads.get(&namespace.id);
        let parent = by_name.or_else(by_process).or_else(|| match lead {
            Some(_) => None,
            None => by_mount().or_else(by_holder),
        });
        namespace.pid_ns = lead.and_then(|l| l.pid_ns).map(nsfs::inode);
        namespace.parent = parent.filter(|p| *p != namespace.id);
    }
    break_cycles(&mut finds.candidates);
}

/// The parent that a lab's own records name.
fn named_parent(of: NsId, names: &[KnownName], host: NsId) -> Option<NsId> {
    let known = names.iter().find(|k| id((k.dev, k.ino)) == of)?;
    let Some(parent) = &known.parent else { return Some(host) };
    let found = names.iter().find(|k| k.lab == known.lab && k.name == *parent)?;
    Some(id((found.dev, found.ino)))
}

/// The process that stands for a namespace: an init in it if there is one, else its lowest PID.
fn leads(processes: &[Seen]) -> HashMap<NsId, &Seen> {
    let mut leads: HashMap<NsId, &Seen> = HashMap::new();
    for seen in processes {
        let Some(net) = seen.net else { continue };
        let lead = leads.entry(net).or_insert(seen);
        if seen.process.inner_pid == 1 && lead.process.inner_pid != 1 {
            *lead = seen;
        }
    }
    leads
}

/// PID namespaces by their inits. Asked of the kernel only where a process leads there.
struct PidTree {
    inits: HashMap<Identity, Init>,
    /// The reader's own PID namespace: the outermost that it sees.
    top: Option<Identity>,
    /// The network namespace of its init.
    host: NsId,
}

struct Init {
    pid: u32,
    net: NsId,
}

impl PidTree {
    fn new(processes: &[Seen], host: NsId) -> Self {
        let mut inits = HashMap::new();
        for seen in processes.iter().filter(|s| s.process.inner_pid == 1) {
            if let (Some(pid_ns), Some(net)) = (seen.pid_ns, seen.net) {
                inits.insert(pid_ns, Init { pid: seen.process.pid, net });
            }
        }
        let top = stat("/proc/thread-self/ns/pid").ok().map(|s| identity(&s));
        Self { inits, top, host }
    }

    /// The network namespace of the nearest init, from the PID namespace of `lead` outwards, that
    /// is not in `net` itself.
    fn parent(&self, lead: &Seen, net: NsId) -> Option<NsId> {
        let mut at = lead.pid_ns?;
        let mut seen = HashSet::new();
        while seen.insert(at) {
            if Some(at) == self.top {
                return Some(self.host);
            }
            let init = self.inits.get(&at)?;
            if init.net != net {
                return Some(init.net);
            }
            at = parent_of(init.pid)?;
        }
        None
    }
}

/// The PID namespace around that of a process; None: it is the reader's own or the first.
fn parent_of(pid: u32) -> Option<Identity> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let inner = open(format!("/proc/{pid}/ns/pid"), flags, Mode::empty()).ok()?;
    let outer = nsfs::parent(&inner).ok()?;
    fstat(&outer).ok().map(|s| identity(&s))
}

/// A chain of parents never comes back to where it began.
fn break_cycles(candidates: &mut [Candidate]) {
    let mut parents: BTreeMap<NsId, NsId> =
        candidates.iter().filter_map(|c| Some((c.namespace.id, c.namespace.parent?))).collect();
    for candidate in candidates {
        let namespace: &mut Namespace = &mut candidate.namespace;
        let (mut at, mut steps) = (namespace.parent, 0);
        while let Some(parent) = at {
            steps += 1;
            if parent == namespace.id || steps > parents.len() {
                parents.remove(&namespace.id);
                namespace.parent = None;
                break;
            }
            at = parents.get(&parent).copied();
        }
    }
}
