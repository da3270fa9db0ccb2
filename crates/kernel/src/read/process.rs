//! What /proc tells of the processes: which namespaces they are in, and who they are.

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, Dir, Mode, OFlags, open, openat, statat};
use rustix::io::Errno;

use super::door::identity;

/// A namespace file's device and inode.
pub(super) type Identity = (u64, u64);

/// A process as /proc shows it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// What the model wants to know.
    pub(super) process: model::Process,
    /// Its network namespace. None: denied, or it has just ended.
    pub(super) net: Option<Identity>,
    /// The reader may not know its namespaces.
    pub(super) denied: bool,
    /// Its PID namespace.
    pub(super) pid_ns: Option<Identity>,
    /// Its mount namespace.
    pub(super) mnt: Option<Identity>,
    /// Network namespaces of its threads that differ from its own, each with a TID.
    pub(super) threads: Vec<(Identity, u32)>,
}

/// All processes that /proc shows, lowest PID first.
pub(super) fn processes() -> io::Result<Vec<Seen>> {
    let proc = open("/proc", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let mut pids: Vec<u32> = numbers(&proc)?;
    pids.sort_unstable();
    Ok(pids.into_iter().filter_map(|pid| look(&proc, pid)).collect())
}

/// The entries of a directory that are numbers.
fn numbers(dir: &OwnedFd) -> io::Result<Vec<u32>> {
    let entries = Dir::read_from(dir)?;
    Ok(entries.flatten().filter_map(|e| e.file_name().to_str().ok()?.parse().ok()).collect())
}

/// One process; None if it has ended.
fn look(proc: &OwnedFd, pid: u32) -> Option<Seen> {
    let status = read_file(proc, &format!("{pid}/status")).ok()?;
    let status = parse_status(&String::from_utf8_lossy(&status));
    let net = statat(proc, format!("{pid}/ns/net"), AtFlags::empty());
    let denied = matches!(net, Err(Errno::ACCESS | Errno::PERM));
    let net = net.ok().map(|s| identity(&s));
    let threads = match net {
        Some(net) if status.threads > 1 => other_threads(proc, pid, net),
        _ => Vec::new(),
    };
    Some(Seen {
        process: model::Process {
            pid,
            inner_pid: status.inner_pid.unwrap_or(pid),
            comm: status.comm,
            uid: status.uid,
        },
        net,
        denied,
        pid_ns: namespace(proc, &format!("{pid}/ns/pid")),
        mnt: namespace(proc, &format!("{pid}/ns/mnt")),
        threads,
    })
}

fn namespace(proc: &OwnedFd, path: &str) -> Option<Identity> {
    statat(proc, path, AtFlags::empty()).ok().map(|s| identity(&s))
}

fn other_threads(proc: &OwnedFd, pid: u32, own: Identity) -> Vec<(Identity, u32)> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(tasks) = openat(proc, format!("{pid}/task"), flags, Mode::empty()) else {
        return Vec::new();
    };
    let mut others = HashMap::new();
    for tid in numbers(&tasks).unwrap_or_default() {
        if let Some(net) = namespace(&tasks, &format!("{tid}/ns/net")).filter(|n| *n != own) {
            others.entry(net).or_insert(tid);
        }
    }
    others.into_iter().collect()
}

/// A small file of /proc, whole.
pub(super) fn read_file(dir: &OwnedFd, path: &str) -> io::Result<Vec<u8>> {
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
    inner_pid: Option<u32>,
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
            "NSpid" => status.inner_pid = words.next_back().and_then(|w| w.parse().ok()),
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
        let text = "Name:\tsh\nUmask:\t0022\nPid:\t77\nUid:\t100000\t100001\t0\t0\n\
                    NSpid:\t77\t12\t1\nThreads:\t3\n";
        let wanted = Status { comm: "sh".into(), uid: 100_001, inner_pid: Some(1), threads: 3 };
        assert_eq!(parse_status(text), wanted);
        assert_eq!(parse_status("nonsense"), Status::default());
    }
}
