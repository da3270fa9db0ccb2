//! Files as a process sees them, of which any can have been put there to fool or to stop a reader.
//!
//! A path is followed name by name beneath the process's root, links included, so that none leads
//! out of it. What it ends at is opened for good only after it has shown itself to be a regular
//! file, so that no pipe can be waited for and no device does anything; and only so much of it is
//! read as such a file can sensibly hold. A file system that is served by somebody's program (FUSE,
//! a network's) may never answer: in other mount namespaces than the reader's own, the way goes
//! through those only that the kernel serves by itself.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::fs::{
    CWD, Dir, FileType, Mode, OFlags, ResolveFlags, fstat, open, openat, openat2, readlinkat, stat,
};
use rustix::io::Errno;

use super::door::identity;
use super::process::Identity;

/// File systems that the kernel serves by itself, and that hold files.
const OWN: [&[u8]; 16] = [
    b"bcachefs",
    b"btrfs",
    b"erofs",
    b"exfat",
    b"ext2",
    b"ext3",
    b"ext4",
    b"f2fs",
    b"jfs",
    b"overlay",
    b"ramfs",
    b"rootfs",
    b"squashfs",
    b"tmpfs",
    b"xfs",
    b"zfs",
];

/// As many links as the kernel itself follows.
const LINKS: usize = 40;

/// Names in a path, those of its links included.
const NAMES: usize = 256;

/// Why a file is not read although it may be there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// A directory, pipe, device or socket where a file belongs.
    #[error("it is no regular file")]
    Kind,
    /// More than any such file holds.
    #[error("it is larger than {0} bytes")]
    Size(usize),
    /// A directory with more entries than are looked at.
    #[error("it has more than {0} entries")]
    Entries(usize),
    /// It lies on a file system that may never answer.
    #[error("it is on a file system that the kernel does not serve by itself")]
    Foreign,
    /// The path does not end.
    #[error("its links do not end")]
    Links,
    /// The kernel's word.
    #[error("{0}")]
    Kernel(#[from] Errno),
}

impl Refusal {
    /// There is simply no such file.
    pub(crate) fn is_absence(&self) -> bool {
        matches!(self, Self::Kernel(Errno::NOENT | Errno::NOTDIR))
    }
}

/// The files of a process.
#[derive(Debug)]
pub(crate) struct Root {
    root: OwnedFd,
    pid: u32,
    /// It is the reader's own mount namespace.
    own: bool,
}

impl Root {
    /// Those of the process with that PID, if it still is in that mount namespace.
    pub(crate) fn of(pid: u32, mnt: Identity) -> Result<Self, Refusal> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = open(format!("/proc/{pid}/root"), flags, Mode::empty())?;
        // Looked at after the root was taken: had the PID changed hands, this would be another's.
        if identity(&stat(format!("/proc/{pid}/ns/mnt"))?) != mnt {
            return Err(Errno::SRCH.into());
        }
        let own = identity(&stat("/proc/thread-self/ns/mnt")?) == mnt;
        let root = Self { root, pid, own };
        root.admit(&root.root)?;
        Ok(root)
    }

    /// What a path leads to, without opening it: good for being looked at.
    pub(crate) fn place(&self, path: &str) -> Result<OwnedFd, Refusal> {
        let mut way: VecDeque<Vec<u8>> = names(path.as_bytes()).collect();
        let mut at: Vec<OwnedFd> = Vec::new();
        let (mut links, mut steps) = (0, 0);
        while let Some(name) = way.pop_front() {
            steps += 1;
            if links > LINKS || steps > NAMES {
                return Err(Refusal::Links);
            }
            let here = at.last().unwrap_or(&self.root);
            match name.as_slice() {
                b"." => {}
                b".." => _ = at.pop(),
                name => match self.step(here, name)? {
                    Step::To(fd) => at.push(fd),
                    Step::Link(target) => {
                        links += 1;
                        if target.first() == Some(&b'/') {
                            at.clear();
                        }
                        names(&target).rev().for_each(|name| way.push_front(name));
                    }
                },
            }
        }
        match at.pop() {
            Some(fd) => Ok(fd),
            None => Ok(rustix::io::fcntl_dupfd_cloexec(&self.root, 0)?),
        }
    }

    /// The content of a regular file of at most `cap` bytes.
    pub(crate) fn read(&self, path: &str, cap: usize) -> Result<Vec<u8>, Refusal> {
        let place = self.place(path)?;
        let stat = fstat(&place)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Refusal::Kind);
        }
        if usize::try_from(stat.st_size).map_or(true, |size| size > cap) {
            return Err(Refusal::Size(cap));
        }
        let file = reopen(&place, OFlags::empty())?;
        let mut bytes = Vec::with_capacity(8192);
        // It can have grown since it was looked at.
        while rustix::io::read(&file, rustix::buffer::spare_capacity(&mut bytes))? != 0 {
            if bytes.len() > cap {
                return Err(Refusal::Size(cap));
            }
            bytes.reserve(8192);
        }
        Ok(bytes)
    }

    /// The same as text; what is not UTF-8 is replaced.
    pub(crate) fn text(&self, path: &str, cap: usize) -> Result<String, Refusal> {
        Ok(String::from_utf8_lossy(&self.read(path, cap)?).into_owned())
    }

    /// The names in a directory that has at most `cap` of them.
    pub(crate) fn list(&self, path: &str, cap: usize) -> Result<Vec<String>, Refusal> {
        let dir = reopen(&self.place(path)?, OFlags::DIRECTORY)?;
        let mut names = Vec::new();
        for entry in Dir::read_from(&dir)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name != "." && name != ".." {
                names.push(name);
            }
            if names.len() > cap {
                return Err(Refusal::Entries(cap));
            }
        }
        Ok(names)
    }

    /// One name further. It cannot be `..`, and is no path.
    fn step(&self, at: &OwnedFd, name: &[u8]) -> Result<Step, Refusal> {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let same = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
        match openat2(at, name, flags, Mode::empty(), same) {
            Ok(fd) => Ok(Step::To(fd)),
            Err(Errno::LOOP) => Ok(Step::Link(readlinkat(at, name, Vec::new())?.into_bytes())),
            Err(Errno::XDEV) => {
                let across = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
                let fd = openat2(at, name, flags, Mode::empty(), across)?;
                self.admit(&fd)?;
                Ok(Step::To(fd))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Refuses the root of a mount that may never answer. Nothing of it is asked for that.
    fn admit(&self, mount: &OwnedFd) -> Result<(), Refusal> {
        if self.own {
            return Ok(());
        }
        let info = own_file(&format!("/proc/thread-self/fdinfo/{}", mount.as_raw_fd()))?;
        let id = info.split(|b| *b == b'\n').find_map(|line| line.strip_prefix(b"mnt_id:\t"));
        let mounts = own_file(&format!("/proc/{}/mountinfo", self.pid))?;
        match id.and_then(|id| kind(&mounts, id)) {
            Some(kind) if OWN.contains(&kind) => Ok(()),
            _ => Err(Refusal::Foreign),
        }
    }
}

enum Step {
    To(OwnedFd),
    Link(Vec<u8>),
}

fn names(path: &[u8]) -> impl DoubleEndedIterator<Item = Vec<u8>> {
    path.split(|b| *b == b'/').filter(|name| !name.is_empty()).map(<[u8]>::to_vec)
}

/// The type of the file system of the mount with that id.
fn kind<'a>(mountinfo: &'a [u8], id: &[u8]) -> Option<&'a [u8]> {
    let lines = mountinfo.split(|b| *b == b'\n');
    let mut fields = lines
        .map(|line| line.split(|b| *b == b' '))
        .find_map(|mut fields| (fields.next() == Some(id)).then_some(fields))?;
    fields.find(|field| *field == b"-")?;
    fields.next()
}

/// From a descriptor that only names a file to one that is open. Not to wait: somebody can hold a
/// lease on the file.
fn reopen(place: impl AsFd, more: OFlags) -> Result<OwnedFd, Errno> {
    let path = format!("/proc/thread-self/fd/{}", place.as_fd().as_raw_fd());
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC | more;
    openat(CWD, path, flags, Mode::empty())
}

fn own_file(path: &str) -> Result<Vec<u8>, Errno> {
    std::fs::read(path).map_err(|error: io::Error| {
        error.raw_os_error().map_or(Errno::IO, Errno::from_raw_os_error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_of_a_mount() {
        let text = b"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
            36 22 0:40 / /mnt rw shared:1 master:2 - fuse.x x rw\n";
        assert_eq!(kind(text, b"36"), Some(&b"fuse.x"[..]));
        assert_eq!(kind(text, b"22"), Some(&b"ext4"[..]));
        assert_eq!(kind(text, b"3"), None);
    }

    #[test]
    fn the_reader_s_own_files() {
        let mnt = identity(&stat("/proc/self/ns/mnt").unwrap());
        let root = Root::of(std::process::id(), mnt).unwrap();
        let text = root.text("/proc/../proc/self/status", 1 << 16);
        assert!(text.unwrap().starts_with("Name:"));
        assert!(matches!(root.read("/dev/zero", 9), Err(Refusal::Kind)));
        assert!(matches!(root.read("/proc", 9), Err(Refusal::Kind)));
        assert!(root.read("/nowhere/at/all", 9).unwrap_err().is_absence());
        assert!(root.list("/../../", 1000).unwrap().contains(&"proc".to_owned()));
        assert!(Root::of(std::process::id(), (0, 0)).is_err());
    }
}
