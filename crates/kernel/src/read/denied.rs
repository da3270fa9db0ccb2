//! Processes whose namespaces the reader may not look at. Every network namespace has files of its
//! own in /proc/PID/net, which everybody may read; their inodes tell which processes share one.

use std::collections::HashMap;

use model::{HostId, NsId, NsKey};
use rustix::fs::stat;
use rustix::io::Errno;

use super::process::Seen;

/// Gives each denied process its namespace: one that is known by another process, or else one that
/// is known by nothing more than this.
pub(super) fn resolve(processes: &mut [Seen], own: NsId) {
    if !processes.iter().any(|p| p.denied) {
        return;
    }
    let known = known(processes, own);
    for seen in processes.iter_mut().filter(|p| p.denied) {
        match mark(&seen.task.to_string()) {
            Ok(ino) => {
                let unknown = NsId { host: HostId(0), key: NsKey::Net(ino) };
                seen.net = Some(known.get(&ino).copied().unwrap_or(unknown));
            }
            // It has ended, so that nothing is denied.
            Err(Errno::NOENT | Errno::SRCH) => seen.denied = false,
            Err(_) => {}
        }
    }
}

/// The inode that marks the network namespace of a process.
pub(super) fn mark(pid: &str) -> Result<u64, Errno> {
    stat(format!("/proc/{pid}/net/dev")).map(|s| s.st_ino)
}

/// Namespaces that the reader may look at, by their marks.
fn known(processes: &[Seen], own: NsId) -> HashMap<u64, NsId> {
    let mut by_net = HashMap::from([(own, "thread-self".to_owned())]);
    for seen in processes {
        if let Some(net) = seen.net {
            by_net.entry(net).or_insert_with(|| seen.task.to_string());
        }
    }
    by_net.into_iter().filter_map(|(net, pid)| Some((mark(&pid).ok()?, net))).collect()
}
