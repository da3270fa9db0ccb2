use model::{Namespace, NsKey};
use rustix::fs::{fstat, stat};

use super::beneath::Root;
use super::door::identity;

/// No such file is larger.
const CAP: usize = 1 << 20;

/// A text file as the first process of a namespace of this host sees it. None: there is none, it may
/// not be read, or the process has ended meanwhile.
#[must_use]
pub fn file_of(namespace: &Namespace, path: &str) -> Option<String> {
    root_of(namespace)?.text(path, CAP).ok()
}

/// The same, if it is another file than the reader's own.
pub(super) fn other_file_of(namespace: &Namespace, path: &str) -> Option<String> {
    let root = root_of(namespace)?;
    let there = identity(&fstat(root.place(path).ok()?).ok()?);
    let here = stat(path).ok().map(|own| identity(&own));
    (here != Some(there)).then(|| root.text(path, CAP).ok()).flatten()
}

fn root_of(namespace: &Namespace) -> Option<Root> {
    let pid = namespace.processes.first()?.pid;
    let of = |kind: &str| stat(format!("/proc/{pid}/ns/{kind}")).ok().map(|s| identity(&s));
    let root = Root::of(pid, of("mnt")?).ok()?;
    // Looked at after its root was taken, so that it is not another process's.
    let (dev, ino) = of("net")?;
    (namespace.id.key == NsKey::Inode { dev, ino }).then_some(root)
}
