//! Namespace files (`/run/netns/x`) in every mount namespace, with one look at each.

use std::collections::{HashMap, HashSet};
use std::io;

use model::{NsFile, NsId};
use rustix::fs::{readlink, stat};

use super::door::{Door, identity};
use super::find::{All, id};
use super::mount::{Mounted, mounted};
use super::process::{Identity, Seen};

/// Finds them in the mount namespaces of all processes, and in those that no process is in:
/// `held` are such that a descriptor holds, as a task and its descriptor.
pub(super) fn files(all: &mut All, processes: &[Seen], held: &[(Identity, u32, i32)]) {
    let mut search = Search { all, done: HashSet::new(), seen_at: HashMap::new(), empty: vec![] };
    // The reader's own first: what it sees under a path, others that see the same add nothing to.
    search.done.extend(stat("/proc/thread-self/ns/mnt").ok().map(|s| identity(&s)));
    search.of_process(std::process::id(), None);
    let has_whole_view = has_whole_view(processes);
    for rest in [false, true] {
        for seen in processes {
            if let (Some(net), Some(mnt)) = (seen.net, seen.mnt)
                && !search.done.contains(&mnt)
                && (rest || has_whole_view(seen))
            {
                search.done.insert(mnt);
                search.of_process(seen.task, Some(net));
            }
        }
    }
    let by_task: HashMap<u32, NsId> =
        processes.iter().filter_map(|s| Some((s.task, s.net?))).collect();
    for (mnt, task, fd) in held {
        let holder = by_task.get(task).copied();
        search.empty.push((*mnt, Door::Descriptor(*task, *fd), holder));
    }
    search.of_nobody();
}

/// Whether a process's root is its mount namespace's: a changed root hides mounts. Such processes
/// are asked first.
fn has_whole_view(processes: &[Seen]) -> impl Fn(&Seen) -> bool {
    let mut shared: HashMap<Identity, u32> = HashMap::new();
    for mnt in processes.iter().filter_map(|s| s.mnt) {
        *shared.entry(mnt).or_default() += 1;
    }
    move |seen| {
        let alone = seen.mnt.is_some_and(|m| shared.get(&m) == Some(&1));
        alone || readlink(format!("/proc/{}/root", seen.task), Vec::new()).is_ok_and(|r| r == c"/")
    }
}

struct Search<'a> {
    all: &'a mut All,
    done: HashSet<Identity>,
    /// Where each namespace was seen already.
    seen_at: HashMap<Identity, HashSet<Vec<u8>>>,
    /// Mount namespaces that may have no process, a way into each, and whose it is.
    empty: Vec<(Identity, Door, Option<NsId>)>,
}

impl Search<'_> {
    /// The namespace files that a process sees; it is in the namespace `net`.
    fn of_process(&mut self, pid: u32, net: Option<NsId>) {
        let Ok(text) = std::fs::read(format!("/proc/{pid}/mountinfo")) else { return };
        self.of(&text, net, |path| Door::File(pid, path));
    }

    /// Those in mount namespaces that nobody is in, and in what is mounted there.
    fn of_nobody(&mut self) {
        while let Some((mnt, door, net)) = self.empty.pop() {
            if !self.done.insert(mnt) {
                continue;
            }
            let Ok(text) = door.mountinfo(mnt) else { continue };
            self.of(&text, net, |path| Door::Elsewhere(Box::new(door.clone()), mnt, path));
        }
    }

    fn of(&mut self, mountinfo: &[u8], net: Option<NsId>, door: impl Fn(Vec<u8>) -> Door) {
        for file in mounted(mountinfo) {
            match file {
                Mounted::Net(file) => {
                    if self.seen_at.entry(file.ns).or_default().insert(file.path.clone()) {
                        let path = String::from_utf8_lossy(&file.path).into_owned();
                        let seen = NsFile { path, seen_in: net };
                        self.all.file(id(file.ns), seen, door(file.path));
                    }
                }
                Mounted::Mount(file) => self.empty.push((file.ns, door(file.path), net)),
            }
        }
    }
}

impl Door {
    /// The mounts of the mount namespace that this leads to.
    fn mountinfo(&self, (dev, ino): Identity) -> io::Result<Vec<u8>> {
        self.open_mounts(dev, ino, super::process::mountinfo_of_thread)
    }
}
