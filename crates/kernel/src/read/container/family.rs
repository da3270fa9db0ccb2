//! Processes and their parents, with what /proc tells of each.

use std::cell::OnceCell;
use std::collections::HashMap;

use model::Engine;
use wire::container::cgroup::{self, Place};
use wire::container::monitor::{Monitor, monitor};
use wire::container::mounts;

use crate::read::process::{Identity, Seen};

/// The kernel's own threads are this one's children.
const KERNEL_THREADS: u32 = 2;

/// All processes.
pub(super) struct Family<'a> {
    pub(super) processes: &'a [Seen],
    by_pid: HashMap<u32, usize>,
    cgroups: Vec<OnceCell<String>>,
    monitors: Vec<OnceCell<Option<Monitor>>>,
    mounts: HashMap<Identity, OnceCell<Option<(Engine, String)>>>,
}

impl<'a> Family<'a> {
    pub(super) fn new(processes: &'a [Seen]) -> Self {
        let by_pid = processes.iter().enumerate().map(|(i, s)| (s.process.pid, i)).collect();
        let mounts = processes.iter().filter_map(|s| Some((s.mnt?, OnceCell::new()))).collect();
        Self {
            processes,
            by_pid,
            cgroups: vec![OnceCell::new(); processes.len()],
            monitors: vec![OnceCell::new(); processes.len()],
            mounts,
        }
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
        let read = || monitor(self.file(i, "cmdline").as_bytes());
        self.monitors[i].get_or_init(read).as_ref()
    }

    /// The container that its mounts show.
    pub(super) fn mounted(&self, i: usize) -> Option<&(Engine, String)> {
        let read = || mounts::container(&self.file(i, "mountinfo"));
        self.mounts.get(&self.processes[i].mnt?)?.get_or_init(read).as_ref()
    }

    pub(super) fn cgroup(&self, i: usize) -> &str {
        self.cgroups[i].get_or_init(|| self.file(i, "cgroup"))
    }

    /// A file of /proc; nothing if the process has ended or may not be looked at.
    fn file(&self, i: usize, name: &str) -> String {
        let path = format!("/proc/{}/{name}", self.processes[i].task);
        String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
    }
}
