//! Programs of BPF on cgroups (version 2): what their processes send and get passes them.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use crate::sys::bpf;

/// What may change or stop a process's packets: its name, and its number (BPF_CGROUP_INET_INGRESS, …).
const WAYS: [(&str, u32); 6] = [
    ("ingress", 0),
    ("egress", 1),
    ("connect4", 10),
    ("connect6", 11),
    ("sendmsg4", 14),
    ("sendmsg6", 15),
];

/// The programs that processes are under, a line for each way: its name, and their numbers. Empty: one
/// of the processes is under none (so packets can be sent past them), or it cannot be told.
pub(super) fn programs(pids: impl IntoIterator<Item = u32>) -> String {
    let Some(root) = root() else { return String::new() };
    let mut known: BTreeMap<PathBuf, String> = BTreeMap::new();
    for pid in pids {
        // One that is gone is under nothing, and sends nothing.
        let Ok(text) = std::fs::read_to_string(format!("/proc/{pid}/cgroup")) else { continue };
        let Some(group) = group(&text) else { return String::new() };
        let folder = root.join(group);
        let lines = known.entry(folder).or_insert_with_key(|folder| programs_of(folder));
        if lines.is_empty() {
            return String::new();
        }
    }
    known.into_values().next().unwrap_or_default()
}

fn programs_of(folder: &Path) -> String {
    let Ok(folder) = File::open(folder) else { return String::new() };
    let of = |(name, way): (&str, u32)| {
        let numbers = bpf::attached_to(folder.as_fd(), way).unwrap_or_default();
        let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
        (!numbers.is_empty()).then(|| format!("{name} {}\n", numbers.join(" ")))
    };
    WAYS.into_iter().filter_map(of).collect()
}

/// Where cgroups of version 2 are mounted.
fn root() -> Option<PathBuf> {
    mounted(&std::fs::read_to_string("/proc/self/mountinfo").ok()?).map(PathBuf::from)
}

/// The first such mount, of the lines of mountinfo (proc(5)).
fn mounted(text: &str) -> Option<&str> {
    let line = text.lines().find(|line| line.contains(" - cgroup2 "))?;
    line.split(' ').nth(4)
}

/// The group of version 2, below the mount, of the lines of /proc/PID/cgroup.
fn group(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("0::")).map(|path| path.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_group_is() {
        let mounts = "25 30 0:23 / /proc rw - proc proc rw\n\
                      31 30 0:27 / /sys/fs/cgroup/unified rw,relatime shared:9 - cgroup2 cgroup2 rw\n";
        assert_eq!(mounted(mounts), Some("/sys/fs/cgroup/unified"));
        assert_eq!(mounted("25 30 0:23 / /proc rw - proc proc rw\n"), None);
        assert_eq!(group("9:name=systemd:/\n0::/docker/4f\n"), Some("docker/4f"));
        assert_eq!((group("0::/\n"), group("9:name=systemd:/\n")), (Some(""), None));
    }
}
