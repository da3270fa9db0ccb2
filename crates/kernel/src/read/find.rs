//! Which namespaces there are, and how to get into each.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;

use model::{Found, HostId, Namespace, NsFile, NsId, NsKey, Warning};
use rustix::fs::stat;

use super::door::{Door, identity};
use super::mount::mounted;
use super::process::{Identity, Seen, processes};
use super::warning;

/// A namespace that a process or a mount shows.
#[derive(Debug)]
pub(super) struct Candidate {
    /// What is known of it so far.
    pub(super) namespace: Namespace,
    /// Ways in, likeliest first.
    pub(super) doors: Vec<Door>,
}

impl Candidate {
    /// Opens it.
    pub(super) fn open(&self) -> io::Result<std::os::fd::OwnedFd> {
        let NsKey::Inode { dev, ino } = self.namespace.id.key else {
            return Err(io::ErrorKind::NotFound.into());
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
}

/// All that was found.
#[derive(Debug)]
pub(super) struct Finds {
    /// The namespace that this thread is in.
    pub(super) viewer: NsId,
    /// The namespace of the machine itself, or of the container that this runs in.
    pub(super) host: NsId,
    /// The namespaces.
    pub(super) candidates: Vec<Candidate>,
    /// The processes that showed them.
    pub(super) processes: Vec<Seen>,
}

/// The id of the namespace with that device and inode.
pub(super) const fn id((dev, ino): Identity) -> NsId {
    NsId { host: HostId(0), key: NsKey::Inode { dev, ino } }
}

/// How many processes of one namespace are kept as ways into it.
const DOORS: usize = 4;

/// Looks at every process and every mount namespace.
pub(super) fn find(warnings: &mut Vec<Warning>) -> io::Result<Finds> {
    let own = identity(&stat("/proc/thread-self/ns/net")?);
    let processes = processes()?;
    let mut all: BTreeMap<Identity, Candidate> = BTreeMap::new();
    enter(&mut all, own).doors.push(Door::Task(std::process::id(), thread_id()));
    for seen in &processes {
        if let Some(net) = seen.net {
            let candidate = enter(&mut all, net);
            candidate.namespace.processes.push(seen.process.clone());
            task(candidate, seen.process.pid, seen.process.pid);
        }
        for (net, tid) in &seen.threads {
            task(enter(&mut all, *net), seen.process.pid, *tid);
        }
    }
    mounts(&mut all, &processes);
    partial(&processes, warnings);
    let host = host(&processes).unwrap_or(own);
    let candidates = all.into_values().collect();
    Ok(Finds { viewer: id(own), host: id(host), candidates, processes })
}

/// The namespace of PID 1. Where even root may not look at that one (it can have more capabilities
/// than the reader), that of the kernel's own threads.
fn host(processes: &[Seen]) -> Option<Identity> {
    let is_first =
        |p: &&Seen| p.process.pid == 1 || (p.process.pid == 2 && p.process.comm == "kthreadd");
    processes.iter().filter(is_first).find_map(|p| p.net)
}

fn enter(all: &mut BTreeMap<Identity, Candidate>, net: Identity) -> &mut Candidate {
    all.entry(net)
        .or_insert_with(|| Candidate { namespace: Namespace::new(id(net)), doors: Vec::new() })
}

fn task(candidate: &mut Candidate, pid: u32, tid: u32) {
    if !candidate.namespace.found.contains(&Found::Process) {
        candidate.namespace.found.push(Found::Process);
    }
    if candidate.doors.len() < DOORS {
        candidate.doors.push(Door::Task(pid, tid));
    }
}

/// Namespace files, one look per mount namespace.
fn mounts(all: &mut BTreeMap<Identity, Candidate>, processes: &[Seen]) {
    let own = stat("/proc/thread-self/ns/mnt").ok().map(|s| identity(&s));
    let me = std::process::id();
    let mut done = HashSet::new();
    // The reader's own first: what it sees under a path, others that see the same add nothing to.
    done.extend(own);
    let mut seen_at: HashMap<Identity, HashSet<Vec<u8>>> = HashMap::new();
    look(all, &mut seen_at, me, None);
    for seen in processes {
        if let (Some(net), Some(mnt)) = (seen.net, seen.mnt)
            && done.insert(mnt)
        {
            look(all, &mut seen_at, seen.process.pid, Some(net));
        }
    }
}

/// The namespace files that the process with that PID sees; it is in the namespace `net`.
fn look(
    all: &mut BTreeMap<Identity, Candidate>,
    seen_at: &mut HashMap<Identity, HashSet<Vec<u8>>>,
    pid: u32,
    net: Option<Identity>,
) {
    let Ok(text) = std::fs::read(format!("/proc/{pid}/mountinfo")) else { return };
    for file in mounted(&text) {
        if !seen_at.entry(file.net).or_default().insert(file.path.clone()) {
            continue;
        }
        let candidate = enter(all, file.net);
        if !candidate.namespace.found.contains(&Found::Mount) {
            candidate.namespace.found.push(Found::Mount);
        }
        let path = String::from_utf8_lossy(&file.path).into_owned();
        candidate.namespace.files.push(NsFile { path, seen_in: net.map(id) });
        if candidate.doors.len() < 2 * DOORS {
            candidate.doors.push(Door::File(pid, file.path));
        }
    }
}

/// Says what this reader cannot see.
fn partial(processes: &[Seen], warnings: &mut Vec<Warning>) {
    if !processes.iter().any(|p| p.process.pid == 1) {
        warnings.push(warning("the view is partial: /proc hides other users' processes (hidepid)"));
    }
    let denied = processes.iter().filter(|p| p.denied).count();
    if denied > 0 {
        let whose = if denied == 1 { "1 process".into() } else { format!("{denied} processes") };
        warnings.push(warning(format!(
            "the view is partial: the namespaces of {whose} may not be looked at (CAP_SYS_PTRACE)"
        )));
    }
    /// Inode of the first PID namespace of every kernel.
    const INITIAL: u64 = 0xeffffffc;
    if stat("/proc/self/ns/pid").is_ok_and(|s| s.st_ino != INITIAL) {
        warnings.push(warning(
            "the view is partial: this is not the host's PID namespace; processes outside it are \
             not seen",
        ));
    }
}

fn thread_id() -> u32 {
    rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs()
}
