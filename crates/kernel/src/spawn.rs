//! Processes that outlive this program: the first process of a container, cables, services.
//!
//! Each is born blocked. This program learns who it is, writes that into the journal, and only
//! then lets it go; a process whose maker died before that reads end-of-file and ends. So there is
//! never a process that the journal does not know.

mod error;
mod line;

pub use error::SpawnError;

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use error::Doing;
use line::Line;
use model::IdMap;
use rustix::fs::{Mode, OFlags};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};

use crate::process::Process;
use crate::sys::{self, Forked, Spaces};

/// The program that born processes become: this very one, called by another name.
pub struct Program(OwnedFd);

impl Program {
    /// The running program.
    ///
    /// # Errors
    /// If /proc is not there.
    pub fn current() -> io::Result<Self> {
        Self::open(Path::new("/proc/self/exe"))
    }

    /// The `nestwork` program at that path, for tests that are programs of their own.
    ///
    /// # Errors
    /// If it is not there.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?))
    }
}

/// A container to be born.
pub struct Birth<'a> {
    /// Its host name, and what its first process is called by.
    pub name: &'a str,
    /// First process of the container that it is inside of.
    pub inside: Option<&'a Process>,
    /// Its own user namespace.
    pub user: Option<IdMap>,
    /// When the other end of this closes, the container ends.
    pub leash: Option<BorrowedFd<'a>>,
}

/// A process that is born and waits for leave to go on.
pub struct Newborn {
    /// Who it is.
    pub process: Process,
    line: Line,
    user: Option<IdMap>,
}

impl Newborn {
    /// Lets it go on, and waits until it is ready.
    ///
    /// # Errors
    /// What it met on its way.
    pub fn release(self) -> Result<Process, SpawnError> {
        let (process, beginning) = self.let_go()?;
        beginning.wait()?;
        Ok(process)
    }

    /// Lets it go on, without waiting.
    ///
    /// # Errors
    /// If it is gone.
    pub(crate) fn let_go(self) -> Result<(Process, Beginning), SpawnError> {
        if let Some(map) = self.user {
            write_id_maps(self.process.pid, map)?;
        }
        self.line.let_go().doing("tell the new process to go on")?;
        Ok((self.process, Beginning(self.line)))
    }
}

/// A process that was let go and may not be ready yet.
pub(crate) struct Beginning(Line);

impl Beginning {
    /// Waits until it is ready.
    pub(crate) fn wait(self) -> Result<(), SpawnError> {
        self.0.expect_ready()
    }
}

/// A container with its own network, PID, mount and UTS namespaces (and user namespace, if asked
/// for), whose first process only reaps.
///
/// # Errors
/// If the kernel refuses a namespace or a mount.
pub fn container(program: &Program, birth: &Birth<'_>) -> Result<Newborn, SpawnError> {
    let name = CString::new(birth.name).map_err(io::Error::from).doing("name the container")?;
    let enter = birth.inside.map(ContainerEntry::of).transpose()?;
    let process = in_grandchild(
        |line| {
            if let Some(parent) = &enter {
                parent
                    .enter(Spaces::CONTAINER)
                    .doing("enter the container that it is inside of")?;
            }
            line.fork_middle()
        },
        |line| {
            let spaces = Spaces::CONTAINER;
            let spaces = if birth.user.is_some() { spaces.and(Spaces::USER) } else { spaces };
            match sys::clone_into_new(spaces).doing("make namespaces")? {
                Some(pidfd) => line.hand_over(&pidfd),
                None => Ok(()),
            }
        },
        |line| {
            container_life(birth, &name)?;
            // A maker that has ended meanwhile has written this process into the journal: it stays.
            let _ = line.tell_ready();
            become_program(program, c"nestwork-init", &[&name], birth.leash.as_slice())
        },
    )?;
    Ok(Newborn { process: process.0, line: process.1, user: birth.user })
}

/// A process in `home`'s PID namespace (whose first process becomes its parent), so that it dies
/// with that container. It keeps this program's files and mounts; `prepare` runs in it once it may
/// go on, and gives the descriptors that the program gets as 3, 4, ….
///
/// # Errors
/// If the kernel refuses.
pub fn helper(
    program: &Program,
    home: &Process,
    role: &CStr,
    args: &[&str],
    prepare: impl FnOnce() -> Result<Vec<OwnedFd>, SpawnError>,
) -> Result<Newborn, SpawnError> {
    let args: Result<Vec<CString>, _> = args.iter().map(|a| CString::new(*a)).collect();
    let args = args.map_err(io::Error::from).doing("name the process")?;
    let args: Vec<&CStr> = args.iter().map(CString::as_c_str).collect();
    let process = in_grandchild(
        |line| {
            // Not its user namespace: the helper needs this program's rights.
            home.pidfd()
                .and_then(|fd| sys::setns(fd, Spaces::PID))
                .doing("enter the container's PID namespace")?;
            line.fork_middle()
        },
        |line| match sys::fork().doing("fork")? {
            Forked::Parent(pid) => {
                let pid = rustix::process::Pid::from_raw(pid).expect("fork gives a positive pid");
                let pidfd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty())
                    .doing("open a pidfd")?;
                line.hand_over(&pidfd)
            }
            Forked::Child => Ok(()),
        },
        |line| {
            let fds = prepare()?;
            let _ = line.tell_ready();
            let fds: Vec<BorrowedFd<'_>> = fds.iter().map(AsFd::as_fd).collect();
            become_program(program, role, &args, &fds)
        },
    )?;
    Ok(Newborn { process: process.0, line: process.1, user: None })
}

/// Forks a first child that runs `first` (and forks again in it), whose child runs `second` (and
/// makes the last one in it), which waits for leave and runs `life`. The two in the middle end at
/// once, so that the last one's parent is the first process of its PID namespace.
fn in_grandchild(
    first: impl FnOnce(&Line) -> Result<(), SpawnError>,
    second: impl FnOnce(&Line) -> Result<(), SpawnError>,
    life: impl FnOnce(&Line) -> Result<std::convert::Infallible, SpawnError>,
) -> Result<(Process, Line), SpawnError> {
    let (ours, theirs) = Line::pair()?;
    match sys::fork().doing("fork")? {
        Forked::Child => {
            drop(ours);
            let outcome = first(&theirs)
                .and_then(|()| second(&theirs))
                .and_then(|()| theirs.wait_for_leave())
                .and_then(|()| life(&theirs));
            let Err(error) = outcome;
            theirs.report(&error);
            sys::exit(1)
        }
        Forked::Parent(pid) => {
            drop(theirs);
            let received = ours.receive_process();
            sys::wait(pid).doing("wait for the helper")?;
            Ok((received?, ours))
        }
    }
}

/// What the first process of a container does before it becomes one.
fn container_life(birth: &Birth<'_>, name: &CStr) -> Result<(), SpawnError> {
    if birth.user.is_some() {
        sys::become_root().doing("become root of the new user namespace")?;
    }
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .doing("make its mounts private")?;
    let safe = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("proc", "/proc", "proc", safe, None).doing("mount a fresh /proc")?;
    mount("sysfs", "/sys", "sysfs", safe, None).doing("mount a fresh /sys")?;
    let run = MountFlags::NOSUID | MountFlags::NODEV;
    mount("tmpfs", "/run", "tmpfs", run, Some(c"mode=0755")).doing("mount a fresh /run")?;
    rustix::system::sethostname(name.to_bytes()).doing("set its host name")?;
    sys::loopback_up().doing("bring lo up")?;
    Ok(())
}

/// Execs the program under another name, with only `fds` (as 3, 4, …) and /dev/null left open.
fn become_program(
    program: &Program,
    role: &CStr,
    args: &[&CStr],
    fds: &[BorrowedFd<'_>],
) -> Result<std::convert::Infallible, SpawnError> {
    let null =
        rustix::fs::open("/dev/null", OFlags::RDWR, Mode::empty()).doing("open /dev/null")?;
    // Move everything that is needed out of the way of the numbers it is to have.
    const HIGH: i32 = 100;
    let dup = |fd: BorrowedFd<'_>| rustix::io::fcntl_dupfd_cloexec(fd, HIGH).doing("dup");
    let exe = dup(program.0.as_fd())?;
    let keep: Vec<OwnedFd> = fds.iter().map(|fd| dup(*fd)).collect::<Result<_, _>>()?;
    let null = dup(null.as_fd())?;
    let wanted = [&null, &null, &null].into_iter().chain(&keep);
    for (number, fd) in (0..).zip(wanted) {
        sys::dup_to(fd.as_fd(), number).doing("place a descriptor")?;
    }
    // Whatever else this program was started with (a caller's pipe) is not for those that stay.
    sys::close_on_exec_from(3 + i32::try_from(keep.len()).unwrap_or(0));
    sys::set_dumpable();
    let mut argv = vec![role];
    argv.extend(args);
    Err(SpawnError { doing: "exec".into(), source: sys::exec(exe.as_fd(), &argv) })
}

/// Writes the id maps of a process in a new user namespace, from outside of it.
fn write_id_maps(pid: u32, map: IdMap) -> Result<(), SpawnError> {
    let line = format!("0 {} {}\n", map.first, map.count);
    for file in ["uid_map", "gid_map"] {
        let path = format!("/proc/{pid}/{file}");
        std::fs::write(&path, &line).doing(&format!("write {line:?} to {path}"))?;
    }
    Ok(())
}

/// How to enter a living container.
pub(crate) struct ContainerEntry<'a> {
    process: &'a Process,
    /// It has another user namespace than this program.
    user: bool,
}

impl<'a> ContainerEntry<'a> {
    pub(crate) fn of(process: &'a Process) -> Result<Self, SpawnError> {
        let theirs = process.namespace("user").doing("look at the container's user namespace")?;
        let ours = rustix::fs::stat("/proc/self/ns/user").doing("look at this user namespace")?;
        Ok(Self { process, user: theirs.ino != ours.st_ino })
    }

    /// Joins those namespaces and, where it has its own, the user namespace, as root of it.
    pub(crate) fn enter(&self, spaces: Spaces) -> io::Result<()> {
        let spaces = if self.user { spaces.and(Spaces::USER) } else { spaces };
        sys::setns(self.process.pidfd()?, spaces)?;
        if self.user { sys::become_root() } else { Ok(()) }
    }
}

/// Runs `act` in a child process that ends with it, for what must not be done to this one (entering
/// a mount namespace), and tells its error.
///
/// # Errors
/// What `act` met.
pub(crate) fn in_child(act: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    match sys::fork()? {
        Forked::Child => sys::exit(match act() {
            Ok(()) => 0,
            Err(e) => e.raw_os_error().filter(|n| (1..256).contains(n)).unwrap_or(libc::EIO),
        }),
        Forked::Parent(pid) => match sys::wait(pid)? {
            0 => Ok(()),
            status if libc::WIFEXITED(status) => {
                Err(io::Error::from_raw_os_error(libc::WEXITSTATUS(status)))
            }
            _ => Err(io::Error::other("the helper process was killed")),
        },
    }
}

/// Runs `step`, naming it in its error.
pub(crate) fn step<T>(what: &str, result: io::Result<T>) -> Result<T, SpawnError> {
    result.doing(what)
}

/// A raw descriptor number, for messages.
pub(crate) fn number(fd: &impl AsRawFd) -> i32 {
    fd.as_raw_fd()
}
