//! Which containers there are, by what the kernel shows: the cgroup of a process, the monitor that
//! it is a child of, its mounts.

use std::collections::HashMap;

use model::{Container, Engine, Teller};
use wire::container::cgroup::Place;
use wire::container::is_id;
use wire::container::monitor::Monitor;

use super::family::Family;
use crate::read::process::{Identity, Seen};

/// A container that the kernel shows.
#[derive(Debug)]
pub(super) struct Shown {
    /// What is known of it.
    pub(super) container: Container,
    /// Its first process, as a place in the list.
    pub(super) lead: usize,
    /// A process beside it, where its engine is: whose files tell of it. None: the reader sees
    /// none.
    pub(super) side: Option<usize>,
    /// What its monitor says.
    pub(super) monitor: Option<Monitor>,
    /// The id of the Podman pod around it.
    pub(super) pod: Option<String>,
}

/// All containers.
pub(super) fn containers(processes: &[Seen]) -> Vec<Shown> {
    let mut all =
        Containers { family: Family::new(processes), shown: Vec::new(), keys: HashMap::new() };
    let mut claims: Vec<(usize, Claim)> =
        all.family.members().filter_map(|i| Some((i, all.claim(i)?))).collect();
    // Monitors first: they know the name by which a cgroup is only derived.
    claims.sort_by_key(|(i, claim)| (claim.monitor.is_none(), !is_first(&processes[*i]), *i));
    for (i, claim) in claims {
        all.take(i, claim);
    }
    all.finish()
}

/// What shows that a process is in another container than its parent.
struct Claim {
    engine: Engine,
    id: String,
    /// By the cgroup: its id there, and the ids around it.
    place: Option<Place>,
    around: Vec<String>,
    monitor: Option<Monitor>,
}

/// By what containers of one id are told apart: the mount namespace of the engine's side, or the
/// ids around it.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    engine: Engine,
    id: String,
    side: Option<Identity>,
    around: Vec<String>,
}

struct Containers<'a> {
    family: Family<'a>,
    shown: Vec<(Shown, Vec<String>)>,
    keys: HashMap<Key, usize>,
}

impl Containers<'_> {
    fn claim(&self, i: usize) -> Option<Claim> {
        let parent = self.family.parent(i);
        if parent.is_some_and(|p| self.is_like(i, p)) {
            return None;
        }
        let mut chain = self.family.chain(i);
        // A child that came out of a container is in none that its parent is not in.
        let known = parent.is_some_and(|p| self.family.chain(p).starts_with(&chain));
        let place = chain.pop().filter(|_| !known);
        let around: Vec<String> = chain.into_iter().map(|p| p.id).collect();
        let monitor = parent.filter(|p| self.differ(i, *p)).and_then(|p| self.family.monitor(p));
        let found = match (monitor, &place) {
            (Some(monitor), place) => Some(merged(monitor, place.as_ref())),
            (None, Some(place)) => place.engine.map(|engine| (engine, place.id.clone())),
            (None, None) => None,
        };
        let found = found.or_else(|| self.by_mounts(i, parent?)).or_else(|| self.unit(i, parent?));
        let (engine, id) = found?;
        Some(Claim { engine, id, place, around, monitor: monitor.cloned() })
    }

    /// Whether nothing at all tells it from its parent, as with most processes.
    fn is_like(&self, i: usize, parent: usize) -> bool {
        !self.differ(i, parent) && self.family.cgroup(i) == self.family.cgroup(parent)
    }

    /// Whether any namespace of theirs differs: helpers of a monitor are no containers.
    fn differ(&self, i: usize, parent: usize) -> bool {
        let (a, b) = (&self.family.processes[i], &self.family.processes[parent]);
        a.net != b.net || a.pid_ns != b.pid_ns || a.mnt != b.mnt
    }

    /// Where neither cgroup nor parent say anything: by the mounts of what is first in namespaces of
    /// its own. A child that has only copied its parent's mounts is in the same container.
    fn by_mounts(&self, i: usize, parent: usize) -> Option<(Engine, String)> {
        let (child, other) = (&self.family.processes[i], &self.family.processes[parent]);
        let first = child.mnt != other.mnt && (is_first(child) || child.net != other.net);
        let found = first.then(|| self.family.mounted(i)).flatten()?;
        (self.family.mounted(parent) != Some(found)).then(|| found.clone())
    }

    /// A systemd service with a network namespace that its systemd is not in.
    fn unit(&self, i: usize, parent: usize) -> Option<(Engine, String)> {
        let (child, systemd) = (&self.family.processes[i], &self.family.processes[parent]);
        let started = is_first(systemd) && systemd.process.comm == "systemd";
        let own = started && child.net != systemd.net && child.pid_ns == systemd.pid_ns;
        own.then(|| self.family.service(i)).flatten().map(|unit| (Engine::Systemd, unit))
    }

    /// Puts a process to its container.
    fn take(&mut self, i: usize, claim: Claim) {
        let parent = self.family.parent(i);
        let side = parent.filter(|_| claim.monitor.is_some() || claim.around.is_empty());
        let key = |engine, id: &str| Key {
            engine,
            id: id.to_owned(),
            side: side.and_then(|p| self.family.processes[p].mnt),
            around: if side.is_some() { Vec::new() } else { claim.around.clone() },
        };
        let own = key(claim.engine, &claim.id);
        let by_group =
            claim.place.as_ref().map(|place| key(place.engine.unwrap_or(claim.engine), &place.id));
        let known = self.keys.get(&own).or_else(|| self.keys.get(by_group.as_ref()?)).copied();
        if known.is_some() {
            return;
        }
        let place = self.shown.len();
        self.keys.insert(own, place);
        if let Some(by_group) = by_group {
            self.keys.entry(by_group).or_insert(place);
        }
        self.shown.push((shown(&self.family.processes[i], i, side, &claim), claim.around));
    }

    /// Finds the engine's side of those that only their cgroup shows, inside of others.
    fn finish(self) -> Vec<Shown> {
        let ids = |i| self.family.chain(i).into_iter().map(|p| p.id).collect::<Vec<String>>();
        let leads: HashMap<Vec<String>, usize> =
            self.shown.iter().map(|(s, _)| (ids(s.lead), s.lead)).collect();
        let settle = |(mut shown, around): (Shown, Vec<String>)| {
            if shown.side.is_none() {
                shown.side = leads.get(&around).copied().filter(|_| !around.is_empty());
            }
            shown
        };
        self.shown.into_iter().map(settle).collect()
    }
}

fn is_first(seen: &Seen) -> bool {
    seen.process.inner_pid == 1
}

/// Whose and which it is, by its monitor and its cgroup.
fn merged(monitor: &Monitor, place: Option<&Place>) -> (Engine, String) {
    // Only containers of a Kubernetes pod share a monitor: there, the cgroup knows better.
    let shared = matches!(monitor.engine, Engine::Containerd | Engine::Crio);
    match place.filter(|place| shared && is_id(&place.id)) {
        Some(place) => (monitor.engine, place.id.clone()),
        None => (monitor.engine, monitor.id.clone()),
    }
}

fn shown(lead: &Seen, i: usize, side: Option<usize>, claim: &Claim) -> Shown {
    let mut container = Container::new(claim.engine, &claim.id, Teller::Kernel);
    let named = matches!(claim.engine, Engine::Lxc | Engine::Nspawn | Engine::Systemd);
    let own = named.then(|| claim.id.clone());
    let name = claim.monitor.as_ref().and_then(|m| m.name.clone()).or(own);
    container.names.extend(name.map(|name| (name, Teller::Kernel)));
    container.pid = Some(lead.process.pid);
    let pod = claim.place.as_ref().and_then(|place| place.pod.clone());
    Shown { container, lead: i, side, monitor: claim.monitor.clone(), pod }
}
