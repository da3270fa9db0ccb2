//! Opening a namespace that a Snapshot tells of.

use std::io;
use std::os::fd::OwnedFd;

use crate::read::door::Door;
use model::{Namespace, NsKey};

/// Opens it through one of its processes, or a file that it is mounted on, and makes sure that it
/// is still the same one.
///
/// # Errors
/// If nothing leads to it any more, or it may not be opened.
pub fn open(namespace: &Namespace) -> io::Result<OwnedFd> {
    let NsKey::Inode { dev, ino } = namespace.id.key else {
        return Err(io::Error::other("only a link's peer shows it"));
    };
    let own = std::process::id();
    let tasks = namespace.processes.iter().map(|p| Door::Task(p.pid, p.pid));
    let here = namespace.files.iter().filter(|f| f.seen_in.is_none());
    let files = here.map(|f| Door::File(own, f.path.clone().into_bytes()));
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for door in tasks.chain(files) {
        match door.open(dev, ino) {
            Ok(fd) => return Ok(fd),
            Err(e) => last = e,
        }
    }
    Err(last)
}
