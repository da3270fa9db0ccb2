//! Programs of BPF that packets meet at links (tcx, Linux 6.6) and on cgroups of version 2. Only root
//! may ask for them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use wire::gathered::{Answer, Answers, Question};

use crate::sys::bpf;

/// Those of every link of the namespace that the thread is in.
pub(super) fn of_links(answers: &mut Answers) {
    /// BPF_TCX_INGRESS, BPF_TCX_EGRESS.
    const SIDES: [(&str, u32); 2] = [("ingress", 46), ("egress", 47)];
    let mut lines = String::new();
    for link in answers.link_indexes() {
        for (side, way) in SIDES {
            match bpf::attached(link, way) {
                Ok(numbers) => lines += &line(&format!("{link} {side}"), &numbers),
                // The link is gone since.
                Err(error) if error.raw_os_error() == Some(libc::ENODEV) => {}
                Err(_) => return,
            }
        }
    }
    put(answers, Question::Programs, lines);
}

/// Those that processes are all under. Where one of them is under none, packets can be sent past them.
pub(super) fn of_processes(
    groups: Option<&Path>,
    pids: impl IntoIterator<Item = u32>,
    answers: &mut Answers,
) {
    let lines = groups.and_then(|groups| of_all(groups, pids)).unwrap_or_default();
    put(answers, Question::CgroupPrograms, lines);
}

fn put(answers: &mut Answers, question: Question, lines: String) {
    if !lines.is_empty() {
        answers.put(question, Answer::whole(lines.into_bytes()));
    }
}

/// Empty where there are none.
fn line(what: &str, numbers: &[u32]) -> String {
    let numbers: String = numbers.iter().map(|number| format!(" {number}")).collect();
    if numbers.is_empty() { numbers } else { format!("{what}{numbers}\n") }
}

/// None: one is under none, or it cannot be told.
fn of_all(groups: &Path, pids: impl IntoIterator<Item = u32>) -> Option<String> {
    let mut known: BTreeMap<PathBuf, String> = BTreeMap::new();
    for pid in pids {
        // One that is gone is under nothing, and sends nothing.
        let Ok(text) = fs::read_to_string(format!("/proc/{pid}/cgroup")) else { continue };
        let folder = groups.join(group(&text)?);
        let lines = known.entry(folder).or_insert_with_key(|folder| of_group(folder));
        if lines.is_empty() {
            return None;
        }
    }
    known.into_values().next()
}

fn of_group(folder: &Path) -> String {
    /// What may change or stop a process's packets: BPF_CGROUP_INET_INGRESS and so on.
    const WAYS: [(&str, u32); 6] = [
        ("ingress", 0),
        ("egress", 1),
        ("connect4", 10),
        ("connect6", 11),
        ("sendmsg4", 14),
        ("sendmsg6", 15),
    ];
    let Ok(folder) = File::open(folder) else { return String::new() };
    let of = |(name, way)| line(name, &bpf::attached_to(folder.as_fd(), way).unwrap_or_default());
    WAYS.into_iter().map(of).collect()
}

/// Where cgroups of version 2 are mounted.
pub(super) fn groups() -> Option<PathBuf> {
    mounted(&fs::read_to_string("/proc/self/mountinfo").ok()?).map(PathBuf::from)
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
