//! Processes and their parents, with what /proc tells of each.

use std::cell::OnceCell;
use std::collections::HashMap;

use model::Engine;
use rustix::fs::CWD;
use wire::container::cgroup::{self, Place};
use wire::container::monitor::{Monitor, monitor};
use wire::container::mounts;

use crate::read::process::{Identity, Seen, read_file};
use crate::read::share::{WORKERS, share};

/// The kernel's own threads are this one's children.
const KERNEL_THREADS: u32 = 2;

/// All processes.
pub(super) struct Family<'a> {
    pub(super) processes: &'a [Seen],
    by_pid: HashMap<u32, usize>,
    cgroups: Vec<String>,
    monitors: Vec<OnceCell<Option<Monitor>>>,
    mounts: HashMap<Identity, OnceCell<Option<(Engine, String)>>>,
}

impl<'a> Family<'a> {
    pub(super) fn new(processes: &'a [Seen]) -> Self {
        let by_pid = processes.iter().enumerate().map(|(i, s)| (s.process.pid, i)).collect();
        let mounts = processes.iter().filter_map(|s| Some((s.mnt?, OnceCell::new()))).collect();
        let monitors = vec![OnceCell::new(); processes.len()];
        let mut family = Self { processes, by_pid, cgroups: Vec::new(), monitors, mounts };
        family.cgroups = vec![String::new(); processes.len()];
        let members: Vec<usize> = family.members().collect();
        let read = |(): &mut (), i: usize| file(&processes[members[i]], "cgroup");
        let texts = share([(); WORKERS], members.len(), read);
        members.iter().zip(texts).for_each(|(i, text)| family.cgroups[*i] = text);
        family
    }

    /// Those that are not the kernel's own threads, as places in the list.
    pub(super) fn members(&self) -> impl Iterator<Item = usize> {
        let kernel = self.by_pid.get(&KERNEL_THREADS).copied();
        let kernel = kernel.filter(|i| self.processes[*i].process.comm == "kthreadd");
        let of_kernel = move |i: &usize| {
            Some(*i) == kernel
                || kernel.is_some_and(|_| self.processes[*i].parent == KERNEL_THREADS)
        };
        (0..self.processes.len()).filter(move |i| !of_kernel(i))
    }

    /// Its parent, where the reader sees it.
    pub(super) fn parent(&self, i: usize) -> Option<usize> {
        self.by_pid.get(&self.processes[i].parent).copied().filter(|parent| *parent != i)
    }

    /// The containers that its cgroup names, outermost first.
    pub(super) fn chain(&self, i: usize) -> Vec<Place> {
        cgroup::chain(self.cgroup(i))
    }

    /// The systemd service that it is in.
    pub(super) fn service(&self, i: usize) -> Option<String> {
        cgroup::service(self.cgroup(i))
    }

    /// What it says of its children if it is a monitor.
    pub(super) fn monitor(&self, i: usize) -> Option<&Monitor> {
        let read = || monitor(file(&self.processes[i], "cmdline").as_bytes());
        self.monitors[i].get_or_init(read).as_ref()
    }

    /// The container that its mounts show.
    pub(super) fn mounted(&self, i: usize) -> Option<&(Engine, String)> {
        let read = || mounts::container(&file(&self.processes[i], "mountinfo"));
        self.mounts.get(&self.processes[i].mnt?)?.get_or_init(read).as_ref()
    }

    pub(super) fn cgroup(&self, i: usize) -> &str {
        &self.cgroups[i]
    }
}

/// A file of /proc; nothing if the process has ended or may not be looked at.
fn file(seen: &Seen, name: &str) -> String {
    let path = format!("/proc/{}/{name}", seen.task);
    let bytes = read_file(CWD, &path).unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}
