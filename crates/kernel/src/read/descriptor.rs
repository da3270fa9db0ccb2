//! Network namespaces that only a descriptor holds: an open namespace file, a socket that was made
//! there, an open /dev/net/tun.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use model::{Found, Holder, NsId};
use rustix::fs::{Dir, Mode, OFlags, fstat, open, readlinkat_raw};
use rustix::io::Errno;

use super::door::{self, Door, identity};
use super::find::id;
use super::flight;
use super::netclass::NetClass;
use super::nsfs;
use super::process::{Identity, Seen};
use super::share::WORKERS;

/// What the descriptors of all processes show.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Network namespaces, with what shows each and a way in, by PID.
    pub(super) networks: Vec<(NsId, Found, Door)>,
    /// Mount namespaces: a task and its descriptor.
    pub(super) mounts: Vec<(Identity, u32, i32)>,
    /// tun and tap devices by namespace and name.
    pub(super) taps: HashMap<(NsId, String), Holder>,
    /// PIDs of processes whose descriptors, or some of them, may not be looked at.
    pub(super) denied: Vec<u32>,
    /// PIDs of processes whose sockets were left alone, since a look would have changed them.
    pub(super) spared: Vec<u32>,
    /// Sockets by their inode in which descriptors wait: the PID that they wait for, and how many.
    pub(super) waiting: BTreeMap<u64, (u32, u32)>,
}

/// Looks at the descriptors of all processes but this one. `own` is the reader's own namespace,
/// `nsfs` the device of all namespace files.
pub(super) fn descriptors(processes: &[Seen], own: NsId, nsfs: u64) -> Held {
    let (next, me) = (&AtomicUsize::new(0), std::process::id());
    let class = &NetClass::of_reader();
    let run = || {
        let mut search = Search::new(own, nsfs, class);
        while let Some(seen) = processes.get(next.fetch_add(1, Ordering::Relaxed)) {
            if seen.process.pid != me {
                search.look(seen);
            }
        }
        search.held
    };
    let mut all = Held::default();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(run)).collect();
        for worker in workers {
            match worker.join() {
                Ok(held) => all.merge(held),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    all.networks.sort_by_key(|(_, found, _)| pid(found));
    all
}

/// The holder that `found` names.
pub(super) const fn pid(found: &Found) -> Option<u32> {
    match found {
        Found::Descriptor(pid) | Found::Socket(pid) | Found::Tap(pid) => Some(*pid),
        Found::Process | Found::Thread | Found::Mount | Found::Peer => None,
    }
}

impl Held {
    fn merge(&mut self, other: Self) {
        self.networks.extend(other.networks);
        self.mounts.extend(other.mounts);
        self.denied.extend(other.denied);
        self.spared.extend(other.spared);
        for (socket, (pid, count)) in other.waiting {
            let first = self.waiting.entry(socket).or_insert((pid, count));
            *first = (pid.min(first.0), count);
        }
        for (tap, holder) in other.taps {
            let first = self.taps.entry(tap).or_insert_with(|| holder.clone());
            if holder.pid < first.pid {
                *first = holder;
            }
        }
    }
}

/// One worker's part.
struct Search<'a> {
    held: Held,
    nsfs: u64,
    class: &'a NetClass,
    /// Sockets that were asked already: processes share them.
    sockets: HashSet<u64>,
    /// Namespaces by their cookie; None: that one may not be asked for.
    cookies: HashMap<u64, Option<NsId>>,
    /// What was found of the process at hand.
    found: HashSet<(NsId, u8)>,
}

/// A process, while its descriptors are looked at.
struct At<'a> {
    seen: &'a Seen,
    /// Opened when the first of its descriptors has to be borrowed.
    task: Option<io::Result<OwnedFd>>,
    denied: bool,
    /// Whether its sockets may be borrowed, once that is known.
    spared: Option<bool>,
}

impl<'a> Search<'a> {
    fn new(own: NsId, nsfs: u64, class: &'a NetClass) -> Self {
        let mut cookies = HashMap::new();
        // What the reader is in it may not be allowed to ask for, and need not.
        if let Ok(cookie) = own_cookie() {
            cookies.insert(cookie, Some(own));
        }
        let (sockets, found) = (HashSet::new(), HashSet::new());
        Self { held: Held::default(), nsfs, class, sockets, cookies, found }
    }

    fn look(&mut self, seen: &Seen) {
        self.found.clear();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut at = At { seen, task: None, denied: false, spared: None };
        match open(format!("/proc/{}/fd", seen.task), flags, Mode::empty()) {
            Ok(dir) => self.each(&dir, &mut at),
            Err(error) => at.denied = is_denied(error),
        }
        if at.denied {
            self.held.denied.push(seen.process.pid);
        }
        if at.spared == Some(true) {
            self.held.spared.push(seen.process.pid);
        }
    }

    fn each(&mut self, dir: &OwnedFd, at: &mut At<'_>) {
        let entries = match Dir::read_from(dir) {
            Ok(entries) => entries,
            Err(error) => return at.denied |= is_denied(error),
        };
        // Longer than any text that is wanted; of a longer path the rest does not matter.
        let mut text = [MaybeUninit::<u8>::uninit(); 256];
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(fd) = name.to_str().ok().and_then(|n| n.parse().ok()) else { continue };
            match readlinkat_raw(dir, name, &mut text) {
                Ok((link, _)) => self.one(at, fd, link),
                Err(error) => at.denied |= is_denied(error),
            }
        }
    }

    fn one(&mut self, at: &mut At<'_>, fd: i32, link: &[u8]) {
        if let Some(ino) = namespace(link, b"net") {
            let net = id((self.nsfs, ino));
            self.note(
                net,
                Found::Descriptor(at.seen.process.pid),
                Door::Descriptor(at.seen.task, fd),
            );
        } else if let Some(ino) = namespace(link, b"mnt") {
            self.held.mounts.push(((self.nsfs, ino), at.seen.task, fd));
        } else if let Some(inode) = door::socket(link) {
            if self.sockets.insert(inode) {
                self.borrow(at, fd, false);
            }
        } else if door::is_tun(link) {
            self.borrow(at, fd, true);
        }
    }

    /// Asks a socket, or an open /dev/net/tun, which has a socket in it.
    fn borrow(&mut self, at: &mut At<'_>, fd: i32, tun: bool) {
        let spared = *at.spared.get_or_insert_with(|| self.class.differs(at.seen.task));
        if spared && !tun {
            return;
        }
        let task = at.task.get_or_insert_with(|| door::task(at.seen.task));
        let borrowed = task
            .as_ref()
            .map_err(io::Error::kind)
            .and_then(|task| door::borrow(task, fd).map_err(|e| e.kind()));
        match borrowed {
            Ok(tap) if tun => self.tun(at, fd, &tap),
            Ok(socket) => self.socket(at, fd, &socket),
            Err(error) => at.denied |= error == io::ErrorKind::PermissionDenied,
        }
    }

    fn socket(&mut self, at: &mut At<'_>, fd: i32, socket: &OwnedFd) {
        if let Some((inode, waiting)) = flight::waiting(socket) {
            self.held.waiting.insert(inode, (at.seen.process.pid, waiting));
        }
        let cookie = nsfs::cookie(socket).ok();
        let net = match cookie.and_then(|c| self.cookies.get(&c)) {
            Some(known) => {
                at.denied |= known.is_none();
                *known
            }
            None => {
                let asked = file_of(nsfs::of_socket(socket), &mut at.denied);
                cookie.map(|c| self.cookies.insert(c, asked));
                asked
            }
        };
        if let Some(net) = net.filter(|n| Some(*n) != at.seen.net) {
            self.note(net, Found::Socket(at.seen.process.pid), Door::Socket(at.seen.task, fd));
        }
    }

    fn tun(&mut self, at: &mut At<'_>, fd: i32, tun: &OwnedFd) {
        let (pid, task) = (at.seen.process.pid, at.seen.task);
        if let Some(made_in) = file_of(nsfs::of_socket(tun), &mut at.denied)
            && Some(made_in) != at.seen.net
        {
            self.note(made_in, Found::Socket(pid), Door::Socket(task, fd));
        }
        // EBADFD: no device was made of it yet.
        let Some(net) = file_of(nsfs::of_tap(tun), &mut at.denied) else { return };
        self.note(net, Found::Tap(pid), Door::Tap(task, fd));
        if let Ok(name) = nsfs::tap_name(tun) {
            let holder = Holder { pid, comm: at.seen.process.comm.clone() };
            self.held.taps.entry((net, name)).or_insert(holder);
        }
    }

    /// Once per process and kind of descriptor.
    fn note(&mut self, net: NsId, found: Found, door: Door) {
        let kind = match found {
            Found::Descriptor(_) => 0,
            Found::Tap(_) => 1,
            _ => 2,
        };
        if self.found.insert((net, kind)) {
            self.held.networks.push((net, found, door));
        }
    }
}

/// The namespace behind an answer of nsfs.
fn file_of(answer: io::Result<OwnedFd>, denied: &mut bool) -> Option<NsId> {
    match answer {
        Ok(file) => fstat(&file).ok().map(|s| id(identity(&s))),
        Err(error) => {
            *denied |= error.kind() == io::ErrorKind::PermissionDenied;
            None
        }
    }
}

/// The inode in `net:[4026531840]`.
fn namespace(link: &[u8], kind: &[u8]) -> Option<u64> {
    let number = link.strip_prefix(kind)?.strip_prefix(b":[")?.strip_suffix(b"]")?;
    std::str::from_utf8(number).ok()?.parse().ok()
}

fn is_denied(error: Errno) -> bool {
    matches!(error, Errno::ACCESS | Errno::PERM)
}

fn own_cookie() -> io::Result<u64> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
    let flags = SocketFlags::CLOEXEC;
    nsfs::cookie(&socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_descriptors_stand_for() {
        assert_eq!(namespace(b"net:[4026531840]", b"net"), Some(4_026_531_840));
        for other in ["mnt:[4026531840]", "/tmp/net:[1]", "net:[1", "net:[x]"] {
            assert_eq!(namespace(other.as_bytes(), b"net"), None, "{other}");
        }
        assert_eq!(door::socket(b"socket:[4711]"), Some(4711));
        assert_eq!(door::socket(b"/tmp/socket:[4711]"), None);
        for (link, tun) in [("/dev/net/tun", true), ("/net/tun", true), ("/dev/tuna", false)] {
            assert_eq!(door::is_tun(link.as_bytes()), tun, "{link}");
        }
    }
}
