//! Which namespaces there are, and how to get into each.

use std::collections::{BTreeMap, HashMap};
use std::io;

use model::{Found, Holder, HostId, Namespace, NsId, NsKey, Warning};
use rustix::fs::stat;

use super::denied;
use super::descriptor::{self, Held, descriptors};
use super::door::{Door, identity};
use super::files::files;
use super::partial;
use super::process::{Identity, Seen, processes};

/// A namespace that something shows.
#[derive(Debug)]
pub(crate) struct Candidate {
    /// What is known of it so far.
    pub(super) namespace: Namespace,
    /// Ways in, likeliest first.
    pub(super) doors: Vec<Door>,
    /// The network namespace of the process that holds it from outside.
    pub(super) held_in: Option<NsId>,
}

impl Candidate {
    /// Opens it.
    pub(crate) fn open(&self) -> io::Result<std::os::fd::OwnedFd> {
        let NsKey::Inode { dev, ino } = self.namespace.id.key else {
            return Err(io::ErrorKind::PermissionDenied.into());
        };
        let mut result = Err(io::ErrorKind::NotFound.into());
        for door in &self.doors {
            result = door.open(dev, ino);
            if result.is_ok() {
                break;
            }
        }
        result
    }

    /// What identifies it.
    pub(crate) const fn id(&self) -> NsId {
        self.namespace.id
    }

    fn found(&mut self, found: Found) {
        if !self.namespace.found.contains(&found) {
            self.namespace.found.push(found);
        }
    }

    fn door(&mut self, most: usize, door: Door) {
        if self.doors.len() < most {
            self.doors.push(door);
        }
    }
}

/// All that was found.
#[derive(Debug)]
pub(crate) struct Finds {
    /// The namespace that this thread is in.
    pub(super) viewer: NsId,
    /// The namespace of the machine itself, or of the container that this runs in.
    pub(super) host: NsId,
    /// The namespaces.
    pub(crate) candidates: Vec<Candidate>,
    /// The processes that showed them.
    pub(super) processes: Vec<Seen>,
    /// tun and tap devices that a process holds, by namespace and name.
    pub(super) taps: HashMap<(NsId, String), Holder>,
}

/// The id of the namespace with that device and inode.
pub(super) const fn id((dev, ino): Identity) -> NsId {
    NsId { host: HostId(0), key: NsKey::Inode { dev, ino } }
}

/// How many processes of one namespace are kept as ways into it.
const DOORS: usize = 4;

/// Looks at every process and every mount namespace, and at every descriptor if those are wanted.
pub(crate) fn find(with_descriptors: bool, warnings: &mut Vec<Warning>) -> io::Result<Finds> {
    let own = identity(&stat("/proc/thread-self/ns/net")?);
    let mut processes = processes()?;
    denied::resolve(&mut processes.seen, id(own));
    let seen = &processes.seen;
    let mut held = Held::default();
    if with_descriptors {
        held = descriptors(seen, id(own), own.0);
    }
    let mut all = All::default();
    all.enter(id(own)).doors.push(Door::Task(std::process::id(), thread_id()));
    all.tasks(seen);
    files(&mut all, seen, &held.mounts);
    all.held(seen, std::mem::take(&mut held.networks));
    partial::partial(&processes, &held, warnings);
    let host = host(&processes.seen).unwrap_or(id(own));
    let candidates = all.0.into_values().collect();
    Ok(Finds { viewer: id(own), host, candidates, processes: processes.seen, taps: held.taps })
}

/// The namespace of PID 1. Where nothing at all is known of that one, that of the kernel's own
/// threads.
fn host(processes: &[Seen]) -> Option<NsId> {
    let is_first =
        |p: &&Seen| p.process.pid == 1 || (p.process.pid == 2 && p.process.comm == "kthreadd");
    processes.iter().filter(is_first).find_map(|p| p.net)
}

/// Candidates, while they are being found.
#[derive(Debug, Default)]
pub(super) struct All(BTreeMap<NsId, Candidate>);

impl All {
    fn enter(&mut self, net: NsId) -> &mut Candidate {
        self.0.entry(net).or_insert_with(|| Candidate {
            namespace: Namespace::new(net),
            doors: Vec::new(),
            held_in: None,
        })
    }

    fn tasks(&mut self, processes: &[Seen]) {
        for seen in processes {
            let Some(net) = seen.net else { continue };
            let candidate = self.enter(net);
            candidate.namespace.processes.push(seen.process.clone());
            candidate.found(Found::Process);
            if !seen.denied {
                candidate.door(DOORS, Door::Task(seen.process.pid, seen.task));
            }
        }
        for seen in processes {
            for (net, tid) in &seen.threads {
                let candidate = self.enter(*net);
                candidate.found(Found::Thread);
                candidate.held_in = candidate.held_in.or(seen.net);
                candidate.door(DOORS, Door::Task(seen.process.pid, *tid));
            }
        }
    }

    /// A file that a namespace is mounted on.
    pub(super) fn file(&mut self, net: NsId, file: model::NsFile, door: Door) {
        let candidate = self.enter(net);
        candidate.found(Found::Mount);
        candidate.namespace.files.push(file);
        candidate.door(2 * DOORS, door);
    }

    fn held(&mut self, processes: &[Seen], held: Vec<(NsId, Found, Door)>) {
        let by_pid: HashMap<u32, &Seen> = processes.iter().map(|s| (s.process.pid, s)).collect();
        for (net, found, door) in held {
            let holder = descriptor::pid(&found).and_then(|pid| by_pid.get(&pid));
            let candidate = self.enter(net);
            candidate.found(found);
            candidate.held_in = candidate.held_in.or(holder.and_then(|s| s.net));
            candidate.door(3 * DOORS, door);
        }
    }
}

fn thread_id() -> u32 {
    rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs()
}
