//! Sockets that wait, and whose they are. Read from /proc: a socket of the kernel's `sock_diag`
//! would load a module where none has asked before.

use std::fs::File;
use std::io::{self, BufRead, BufReader};

use model::Snapshot;
use rustix::fs::{Dir, Mode, OFlags, open, readlinkat};
use wire::gathered::{Answer, Answers, Question, Sockets};

use super::process::Seen;

/// The files, whether they are TCP's, and where it is told how many such sockets there are. Where a
/// kernel has no IPv6 there are no such files.
const FILES: [(Question, &str, u8, &str); 4] = [
    (Question::Tcp, "tcp", 6, "sockstat"),
    (Question::Tcp6, "tcp6", 6, "sockstat6"),
    (Question::Udp, "udp", 17, "sockstat"),
    (Question::Udp6, "udp6", 17, "sockstat6"),
];

/// Those in the calling thread's namespace.
pub(super) fn read(answers: &mut Answers) {
    for (question, file, protocol, counts) in FILES {
        // Behind the sockets that listen, the kernel looks through the table of connections of all
        // namespaces: milliseconds for each namespace. Most have no socket at all.
        let counts = std::fs::read_to_string(format!("/proc/thread-self/net/{counts}"));
        if counts.is_ok_and(|text| wire::sockets::in_use(&text, file) == Some(0)) {
            continue;
        }
        match listeners(file, protocol) {
            Ok(lines) => answers.put(question, Answer::whole(lines)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return answers.gap("listeners", error),
        }
    }
}

/// The lines of those that wait.
fn listeners(file: &str, protocol: u8) -> io::Result<Vec<u8>> {
    let file = File::open(format!("/proc/thread-self/net/{file}"))?;
    let mut found = Vec::new();
    for line in BufReader::new(file).lines().skip(1) {
        let line = line?;
        match wire::sockets::listener(&line, protocol) {
            Some(_) => {
                found.extend_from_slice(line.as_bytes());
                found.push(b'\n');
            }
            // Those of TCP that listen come first; a million connections may follow.
            None if protocol == 6 => break,
            None => {}
        }
    }
    Ok(found)
}

/// The processes that hold them, as far as their descriptors may be looked at.
pub(super) fn holders(snapshot: &Snapshot, processes: &[Seen]) -> Sockets {
    let all = snapshot.namespaces.values().flat_map(|ns| &ns.listeners);
    let mut holders: Sockets = all.map(|l| (l.inode, Vec::new())).collect();
    if holders.is_empty() {
        return holders;
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
    holders.retain(|_, list| !list.is_empty());
    holders
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
