//! Which container a process is in, by its parents.

use std::collections::{HashMap, HashSet};

use model::Engine;

use super::find::Candidate;
use super::process::Seen;

/// How far up the parents of a process are looked at.
const GENERATIONS: usize = 64;

/// Processes with their parents, and those that are the first of a container.
pub(super) struct Kin<'a> {
    by_pid: HashMap<u32, &'a Seen>,
    first: HashSet<u32>,
}

impl<'a> Kin<'a> {
    /// Of what was found. A service of systemd's is no container: it has its PIDs from outside.
    pub(super) fn new(processes: &'a [Seen], candidates: &[Candidate]) -> Self {
        let containers = candidates.iter().flat_map(|c| &c.namespace.containers);
        let real = containers.filter(|c| c.engine != Engine::Systemd);
        Self::with(processes, real.filter_map(|c| c.pid).collect())
    }

    fn with(processes: &'a [Seen], first: HashSet<u32>) -> Self {
        Self { by_pid: processes.iter().map(|s| (s.process.pid, s)).collect(), first }
    }

    /// The first process of the innermost container that a process is in; None: it is in none.
    pub(super) fn container_of(&self, pid: u32) -> Option<&'a Seen> {
        let process = self.by_pid.get(&pid).copied();
        std::iter::successors(process, |s| self.by_pid.get(&s.parent).copied())
            .take(GENERATIONS)
            .find(|s| self.first.contains(&s.process.pid))
    }

    /// Whether a container, by its first process, is right inside what an engine is in. What is
    /// further inside is not the engine's own, whatever it calls itself.
    pub(super) fn is_beside(&self, first: u32, engine: u32) -> bool {
        let pid = |seen: Option<&Seen>| seen.map(|s| s.process.pid);
        let Some(parent) = self.by_pid.get(&first).map(|s| s.parent) else { return false };
        pid(self.container_of(parent)) == pid(self.container_of(engine))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(pid: u32, parent: u32) -> Seen {
        Seen {
            process: model::Process { pid, inner_pid: pid, comm: String::new(), uid: 0 },
            task: pid,
            parent,
            net: None,
            pids: vec![pid],
            denied: false,
            pid_ns: None,
            mnt: None,
            threads: Vec::new(),
        }
    }

    #[test]
    fn who_is_in_which_container() {
        // systemd with an engine and a shim; its container, with an engine and one that claims to
        // be a container; and a second container.
        let all = [
            seen(1, 0),
            seen(2, 1),
            seen(3, 1),
            seen(10, 3),
            seen(11, 10),
            seen(12, 10),
            seen(20, 3),
        ];
        let kin = Kin::with(&all, HashSet::from([10, 12, 20]));
        let of = |pid| kin.container_of(pid).map(|s| s.process.pid);
        assert_eq!(
            [1, 2, 10, 11, 12, 20, 99].map(of),
            [None, None, Some(10), Some(10), Some(12), Some(20), None]
        );
        assert_eq!(
            [10, 12, 20, 99].map(|first| kin.is_beside(first, 2)),
            [true, false, true, false]
        );
        assert_eq!([10, 12, 20].map(|first| kin.is_beside(first, 11)), [false, true, false]);
    }
}
