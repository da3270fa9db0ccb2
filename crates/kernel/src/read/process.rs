//! What /proc tells of the processes: which namespaces they are in, and who they are.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use model::NsId;
use rustix::fs::{AtFlags, Dir, Mode, OFlags, open, openat, stat, statat};
use rustix::io::Errno;

use super::door::identity;
use super::find::id;
use super::share::{WORKERS, share};

/// A namespace file's device and inode.
pub(crate) type Identity = (u64, u64);

/// A process as /proc shows it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// What the model wants to know.
    pub(super) process: model::Process,
    /// A thread of it that lives: itself, unless its first thread has ended before the others.
    /// /proc has what there is to see under that number.
    pub(super) task: u32,
    /// PID of its parent as the reader sees it; 0: it has none there.
    pub(super) parent: u32,
    /// Its network namespace. None: denied, or it has just ended.
    pub(super) net: Option<NsId>,
    /// Its PID in each PID namespace, from the reader's to its own.
    pub(super) pids: Vec<u32>,
    /// The reader may not know its namespaces.
    pub(super) denied: bool,
    /// Its PID namespace.
    pub(super) pid_ns: Option<Identity>,
    /// Its mount namespace.
    pub(super) mnt: Option<Identity>,
    /// Network namespaces of its threads that differ from its own, each with a TID.
    pub(super) threads: Vec<(NsId, u32)>,
}

/// The processes that /proc shows.
#[derive(Debug)]
pub(super) struct Processes {
    /// Those that can be looked at, lowest PID first.
    pub(super) seen: Vec<Seen>,
    /// How many there are beside them of which /proc says nothing at all (hidepid=1).
    pub(super) mute: usize,
}

/// All processes that /proc shows.
pub(super) fn processes() -> io::Result<Processes> {
    let proc = open("/proc", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let mut pids: Vec<u32> = numbers(&proc)?;
    pids.sort_unstable();
    let mut all = Processes { seen: Vec::with_capacity(pids.len()), mute: 0 };
    for seen in share([(); WORKERS], pids.len(), |(), place| look(&proc, pids[place])) {
        match seen {
            Ok(seen) => all.seen.push(seen),
            Err(error) => all.mute += usize::from(error.kind() == io::ErrorKind::PermissionDenied),
        }
    }
    Ok(all)
}

/// The entries of a directory that are numbers.
pub(crate) fn numbers(dir: &OwnedFd) -> io::Result<Vec<u32>> {
    let entries = Dir::read_from(dir)?;
    Ok(entries.flatten().filter_map(|e| e.file_name().to_str().ok()?.parse().ok()).collect())
}

/// One process.
fn look(proc: &OwnedFd, pid: u32) -> io::Result<Seen> {
    let status = read_file(proc, &format!("{pid}/status"))?;
    let status = parse_status(&String::from_utf8_lossy(&status));
    let mut task = pid;
    let mut net = network(proc, &format!("{pid}/ns/net"));
    let threads = if status.threads > 1 { threads(proc, pid) } else { Vec::new() };
    if net == Err(Errno::NOENT)
        && let Some((first, tid)) = threads.first()
    {
        (net, task) = (Ok(*first), *tid);
    }
    Ok(Seen {
        process: model::Process {
            pid,
            inner_pid: status.pids.last().copied().unwrap_or(pid),
            comm: status.comm,
            uid: status.uid,
        },
        pids: status.pids,
        task,
        denied: matches!(net, Err(Errno::ACCESS | Errno::PERM)),
        pid_ns: namespace(proc, &format!("{task}/ns/pid")),
        mnt: namespace(proc, &format!("{task}/ns/mnt")),
        threads: threads.into_iter().filter(|(n, _)| Ok(*n) != net).collect(),
        net: net.ok(),
        parent: status.parent,
    })
}

/// The network namespace of a process, if it may be known.
pub(super) fn network_of(pid: u32) -> Option<NsId> {
    stat(format!("/proc/{pid}/ns/net")).ok().map(|s| id(identity(&s)))
}

fn namespace(proc: &OwnedFd, path: &str) -> Option<Identity> {
    statat(proc, path, AtFlags::empty()).ok().map(|s| identity(&s))
}

fn network(dir: &OwnedFd, path: &str) -> Result<NsId, Errno> {
    statat(dir, path, AtFlags::empty()).map(|s| id(identity(&s)))
}

/// The network namespaces of a process's threads, each with its first thread there.
fn threads(proc: &OwnedFd, pid: u32) -> Vec<(NsId, u32)> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(tasks) = openat(proc, format!("{pid}/task"), flags, Mode::empty()) else {
        return Vec::new();
    };
    let mut firsts: Vec<(NsId, u32)> = Vec::new();
    for tid in numbers(&tasks).unwrap_or_default() {
        if let Ok(net) = network(&tasks, &format!("{tid}/ns/net"))
            && !firsts.iter().any(|(n, _)| *n == net)
        {
            firsts.push((net, tid));
        }
    }
    firsts
}

/// The mounts that the calling thread sees, whichever mount namespace it is in: `proc` is the
/// reader's own /proc.
pub(super) fn mountinfo_of_thread(proc: &OwnedFd) -> io::Result<Vec<u8>> {
    read_file(proc, "thread-self/mountinfo")
}

/// A small file of /proc, whole.
pub(super) fn read_file(dir: impl AsFd, path: &str) -> io::Result<Vec<u8>> {
    let fd = openat(dir, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let mut bytes = Vec::with_capacity(2048);
    while rustix::io::read(&fd, rustix::buffer::spare_capacity(&mut bytes))? != 0 {
        bytes.reserve(2048);
    }
    Ok(bytes)
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Status {
    comm: String,
    uid: u32,
    parent: u32,
    pids: Vec<u32>,
    threads: u32,
}

/// The lines of /proc/PID/status that are wanted.
fn parse_status(text: &str) -> Status {
    let mut status = Status::default();
    for line in text.lines() {
        let Some((key, value)) = line.split_once(":\t") else { continue };
        let mut words = value.split_whitespace();
        match key {
            "Name" => status.comm = value.to_owned(),
            // Real, effective, saved, of the file system.
            "Uid" => status.uid = words.nth(1).and_then(|w| w.parse().ok()).unwrap_or_default(),
            // From the reader's PID namespace to the process's own.
            "NSpid" => status.pids = words.filter_map(|w| w.parse().ok()).collect(),
            "PPid" => status.parent = value.trim().parse().unwrap_or_default(),
            "Threads" => status.threads = value.trim().parse().unwrap_or_default(),
            _ => {}
        }
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_of_a_container_process() {
        let text = "Name:\tsh\nUmask:\t0022\nPid:\t77\nPPid:\t9\nUid:\t100000\t100001\t0\t0\n\
                    NSpid:\t77\t12\t1\nThreads:\t3\n";
        let pids = vec![77, 12, 1];
        let wanted = Status { comm: "sh".into(), uid: 100_001, parent: 9, pids, threads: 3 };
        assert_eq!(parse_status(text), wanted);
        assert_eq!(parse_status("nonsense"), Status::default());
    }
}
