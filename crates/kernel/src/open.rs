//! Opening a namespace that a Snapshot tells of.

use std::io;
use std::os::fd::OwnedFd;

use model::{Namespace, NsKey};
use rustix::fs::{Mode, OFlags};

/// Opens it through one of its processes, or a file that it is mounted on, and makes sure that it
/// is still the same one.
///
/// # Errors
/// If nothing leads to it any more, or it may not be opened.
pub fn open(namespace: &Namespace) -> io::Result<OwnedFd> {
    let NsKey::Inode { dev, ino } = namespace.id.key else {
        return Err(io::Error::other("only a link's peer shows it"));
    };
    let processes = namespace.processes.iter().map(|p| format!("/proc/{}/ns/net", p.pid));
    let files = namespace.files.iter().filter(|f| f.seen_in.is_none()).map(|f| f.path.clone());
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for path in processes.chain(files) {
        match rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
            Ok(fd) => {
                let stat = rustix::fs::fstat(&fd)?;
                if stat.st_ino == ino && (dev == 0 || stat.st_dev == dev) {
                    return Ok(fd);
                }
            }
            Err(e) => last = e.into(),
        }
    }
    Err(last)
}
