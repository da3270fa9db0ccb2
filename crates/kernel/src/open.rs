//! Opening a namespace that a Snapshot tells of.

use std::io;
use std::os::fd::OwnedFd;

use model::{Namespace, NsKey};

use crate::read::door::Door;
use crate::read::find;

/// Opens it through one of its processes or a file that it is mounted on, else by searching once
/// more for whatever else holds it, and makes sure that it is still the same one.
///
/// # Errors
/// If nothing leads to it any more, or it may not be opened.
pub fn open(namespace: &Namespace) -> io::Result<OwnedFd> {
    let (dev, ino) = match namespace.id.key {
        NsKey::Inode { dev, ino } => (dev, ino),
        NsKey::Unseen(_) => return Err(io::Error::other("only a link's peer shows it")),
        NsKey::Net(_) => return Err(io::ErrorKind::PermissionDenied.into()),
    };
    let own = std::process::id();
    let tasks = namespace.processes.iter().map(|p| Door::Task(p.pid, p.pid));
    let here = namespace.files.iter().filter(|f| f.seen_in.is_none());
    let files = here.map(|f| Door::File(own, f.path.clone().into_bytes()));
    match tasks.chain(files).find_map(|door| door.open(dev, ino).ok()) {
        Some(net) => Ok(net),
        None => search(namespace),
    }
}

/// What a thread, a descriptor or a file in another mount namespace holds.
fn search(namespace: &Namespace) -> io::Result<OwnedFd> {
    let finds = find::find(true, &mut Vec::new())?;
    let again = finds.candidates.iter().find(|c| c.id() == namespace.id);
    again.ok_or(io::ErrorKind::NotFound)?.open()
}
