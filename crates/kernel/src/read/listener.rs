//! Sockets that wait, and whose they are. Read from /proc: a socket of the kernel's `sock_diag`
//! would load a module where none has asked before.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};

use model::{Listener, Snapshot};
use rustix::fs::{Dir, Mode, OFlags, open, readlinkat};

use super::process::Seen;
use super::survey::Reading;

/// The files, and whether they are TCP's. Where a kernel has no IPv6 there is no such file.
const FILES: [(&str, u8); 4] = [("tcp", 6), ("tcp6", 6), ("udp", 17), ("udp6", 17)];

/// Those in the calling thread's namespace, still without their processes.
pub(super) fn read(reading: &mut Reading) {
    for (file, protocol) in FILES {
        match listeners(file, protocol) {
            Ok(all) => reading.namespace.listeners.extend(all),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return reading.gap("listeners", error),
        }
    }
}

fn listeners(file: &str, protocol: u8) -> io::Result<Vec<Listener>> {
    let file = File::open(format!("/proc/thread-self/net/{file}"))?;
    let mut found = Vec::new();
    for line in BufReader::new(file).lines().skip(1) {
        match wire::sockets::listener(&line?, protocol) {
            Some(listener) => found.push(listener),
            // Those of TCP that listen come first; a million connections may follow.
            None if protocol == 6 => break,
            None => {}
        }
    }
    Ok(found)
}

/// Fills in the processes, as far as their descriptors may be looked at.
pub(super) fn find_processes(snapshot: &mut Snapshot, processes: &[Seen]) {
    let all = || snapshot.namespaces.values().flat_map(|ns| &ns.listeners);
    let mut holders: HashMap<u64, Vec<model::Process>> =
        all().map(|l| (l.inode, Vec::new())).collect();
    if holders.is_empty() {
        return;
    }
    for seen in processes {
        for inode in sockets_of(seen.process.pid).unwrap_or_default() {
            if let Some(list) = holders.get_mut(&inode)
                && list.last().is_none_or(|p| p.pid != seen.process.pid)
            {
                list.push(seen.process.clone());
            }
        }
    }
    for listener in snapshot.namespaces.values_mut().flat_map(|ns| &mut ns.listeners) {
        // Several may share one: a socket has as many lines as it has addresses.
        listener.processes = holders.get(&listener.inode).cloned().unwrap_or_default();
    }
}

/// Inodes of the sockets that a process has open.
fn sockets_of(pid: u32) -> io::Result<Vec<u64>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let fds = open(format!("/proc/{pid}/fd"), flags, Mode::empty())?;
    let mut inodes = Vec::new();
    for entry in Dir::read_from(&fds)?.flatten() {
        let Ok(target) = readlinkat(&fds, entry.file_name(), Vec::new()) else { continue };
        let inode: Option<u64> = target
            .to_str()
            .ok()
            .and_then(|t| t.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok());
        inodes.extend(inode);
    }
    Ok(inodes)
}
