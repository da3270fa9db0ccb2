//! The socket that an engine listens on.
//!
//! It is taken from the engine itself: a descriptor of its listening socket is borrowed, and the
//! kernel says which file that socket is bound to. So no path is followed that a container wrote,
//! and nobody else can be behind it: not a service manager that keeps a socket for an engine that is
//! stopped, nor whoever has put another socket in its place. A reader without the right to borrow
//! descriptors finds the file by its path, beneath the engine's root.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, fstat, stat};
use rustix::net::AddressFamily;
use rustix::net::sockopt::{socket_acceptconn, socket_domain};
use rustix::process::{PidfdGetfdFlags, pidfd_getfd};

use super::deadline::Deadline;
use super::{Daemon, dialect};
use crate::process::Process;
use crate::read::beneath::Root;

/// An engine's socket, while its process runs.
pub(super) struct Service {
    process: Process,
    daemon: Daemon,
    /// The socket's file, only named (O_PATH).
    pub(super) file: OwnedFd,
    /// The file was found by its path, and not by the engine's own descriptor.
    by_path: bool,
}

impl Service {
    /// # Errors
    /// If the engine has ended.
    pub(super) fn still_runs(&self) -> io::Result<()> {
        self.process.pidfd().map(drop)
    }

    /// Makes sure, after connecting and before a word is said, that it is the engine (or its
    /// manager, of the same user) who listens.
    pub(super) fn accepts(&self, socket: BorrowedFd<'_>) -> io::Result<()> {
        self.still_runs()?;
        if !self.by_path {
            return Ok(());
        }
        let (pid, uid) = crate::sys::peer(socket)?;
        if pid == self.daemon.pid || uid == self.daemon.uid {
            return Ok(());
        }
        Err(io::Error::other("somebody else listens at its path"))
    }
}

/// The socket through which a process can be asked; None if it holds none.
pub(super) fn find(daemon: Daemon, until: Deadline) -> io::Result<Option<Service>> {
    let process = Process::of(daemon.pid)?;
    if !dialect::serves(daemon.engine, daemon.pid)? {
        return Ok(None);
    }
    let mut listeners = listeners(daemon.pid, until)?;
    listeners.retain(|l| dialect::rank(daemon.engine, &l.path).is_some());
    listeners.sort_by_key(|l| (dialect::rank(daemon.engine, &l.path), l.inode));
    let Some(listener) = listeners.first() else { return Ok(None) };
    let (file, by_path) = match borrow(&process, listener) {
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
            let same = listeners.iter().filter(|l| l.inode == listener.inode).count();
            if listener.contested || same > 1 {
                return Err(io::Error::other("somebody else listens at its path"));
            }
            (named(daemon.pid, &listener.path)?, true)
        }
        borrowed => (borrowed?, false),
    };
    Ok(Some(Service { process, daemon, file, by_path }))
}

/// A socket that a process listens on.
#[derive(Debug, PartialEq, Eq)]
struct Listener {
    /// Its descriptor in that process.
    fd: i32,
    inode: u64,
    /// What it was bound to, as far as text can tell: it only helps to choose.
    path: Vec<u8>,
    /// So was another socket, before or since.
    contested: bool,
}

fn listeners(pid: u32, until: Deadline) -> io::Result<Vec<Listener>> {
    /// The kernel's text of so many sockets that no engine is in such a namespace.
    const LONGEST: u64 = 16 << 20;
    let own = sockets(pid, until)?;
    let table = std::fs::File::open(format!("/proc/{pid}/net/unix"))?.take(LONGEST);
    let mut found = Vec::new();
    let mut at: HashMap<Vec<u8>, usize> = HashMap::new();
    for line in BufReader::new(table).split(b'\n') {
        until.left()?;
        let line = line?;
        let Some((inode, path)) = listening(&line) else { continue };
        *at.entry(path.to_vec()).or_default() += 1;
        if let Some(fd) = own.get(&inode) {
            found.push(Listener { fd: *fd, inode, path: path.to_vec(), contested: false });
        }
    }
    for listener in &mut found {
        listener.contested = at.get(&listener.path).is_some_and(|n| *n > 1);
    }
    Ok(found)
}

/// The sockets that a process has open: inode → descriptor.
fn sockets(pid: u32, until: Deadline) -> io::Result<HashMap<u64, i32>> {
    let mut found = HashMap::new();
    for entry in std::fs::read_dir(format!("/proc/{pid}/fd"))? {
        until.left()?;
        let entry = entry?;
        let fd = entry.file_name().to_str().and_then(|n| n.parse().ok());
        let target = std::fs::read_link(entry.path()).ok();
        let inode = target
            .as_deref()
            .and_then(|t| t.to_str())
            .and_then(|t| t.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok());
        if let (Some(fd), Some(inode)) = (fd, inode) {
            found.insert(inode, fd);
        }
    }
    Ok(found)
}

/// Inode and path, if a line of /proc/net/unix is of a stream socket that listens and has a file.
/// Its columns: address, references, protocol, flags, type, state, inode, path.
fn listening(line: &[u8]) -> Option<(u64, &[u8])> {
    const ACCEPTS: u32 = 0x10000;
    let start = line.iter().position(|b| *b == b'/')?;
    let mut columns = std::str::from_utf8(line.get(..start)?).ok()?.split_whitespace().skip(3);
    let flags = u32::from_str_radix(columns.next()?, 16).ok()?;
    let kind = columns.next()?;
    let inode = columns.nth(1)?.parse().ok()?;
    let whole = columns.next().is_none();
    (flags & ACCEPTS != 0 && kind == "0001" && whole).then_some((inode, line.get(start..)?))
}

/// The file that the engine's own socket is bound to.
fn borrow(process: &Process, listener: &Listener) -> io::Result<OwnedFd> {
    let socket = pidfd_getfd(process, listener.fd, PidfdGetfdFlags::empty())?;
    // The descriptor may have come to mean something else since it was looked at.
    let same = fstat(&socket)?.st_ino == listener.inode
        && socket_domain(&socket)? == AddressFamily::UNIX
        && socket_acceptconn(&socket)?;
    if !same {
        return Err(io::Error::other("its socket has gone"));
    }
    crate::sys::unix_socket_file(socket.as_fd())
}

/// The socket at a path beneath a process's root.
fn named(pid: u32, path: &[u8]) -> io::Result<OwnedFd> {
    let path = std::str::from_utf8(path).map_err(io::Error::other)?;
    let mounts = stat(format!("/proc/{pid}/ns/mnt"))?;
    let root = Root::of(pid, (mounts.st_dev, mounts.st_ino)).map_err(io::Error::other)?;
    let file = root.place(path).map_err(io::Error::other)?;
    match FileType::from_raw_mode(fstat(&file)?.st_mode) {
        FileType::Socket => Ok(file),
        _ => Err(io::Error::other("no socket is at its path")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_proc_net_unix() {
        let line = |text: &'static str| listening(text.as_bytes());
        let head = "0000000000000000: 00000002 00000000 00010000 0001 01";
        let path = &b"/run/docker.sock"[..];
        assert_eq!(line("0: 2 0 00010000 0001 01 4711 /run/docker.sock"), Some((4711, path)));
        assert_eq!(listening(format!("{head} 7 /a b/c").as_bytes()), Some((7, &b"/a b/c"[..])));
        // Connected, of packets, abstract, bound to a relative path, forged, the heading.
        assert_eq!(line("0: 3 0 00000000 0001 03 4711 /run/docker.sock"), None);
        assert_eq!(line("0: 2 0 00010000 0005 01 4711 /run/docker.sock"), None);
        assert_eq!(line("0: 2 0 00010000 0001 01 4711 @/run/docker.sock"), None);
        assert_eq!(line("0: 2 0 00010000 0001 01 4711 docker.sock"), None);
        assert_eq!(line("0: 2 0 00010000 0001 01 4711 x /run/docker.sock"), None);
        assert_eq!(line("Num       RefCount Protocol Flags    Type St Inode Path"), None);
    }
}
