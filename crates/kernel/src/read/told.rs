//! What engines say of themselves, put where it belongs.

use std::collections::HashSet;

use model::{Container, Engine, Network, NsId, Warning};
use wire::engine_api::Running;

use super::find::{Candidate, Finds};
use super::process::Seen;
use super::scope::{NoScope, Scope};
use crate::ask::{self, Asking, Daemon, Told};

/// Begins to ask every engine that runs.
pub(super) fn ask(finds: &Finds, warnings: &mut Vec<Warning>) -> Asking {
    let mut daemons: Vec<Daemon> = finds.processes.iter().filter_map(daemon).collect();
    // Those of the host first: a container may run any number.
    daemons.sort_by_key(|d| (!d.outermost, d.pid));
    if let Some(more) = daemons.len().checked_sub(ask::MOST).filter(|more| *more > 0) {
        daemons.truncate(ask::MOST);
        let text =
            format!("{more} of the container engines here were not asked: there are too many");
        warnings.push(super::warning(text));
    }
    let containers = finds.candidates.iter().flat_map(|c| &c.namespace.containers);
    let known: HashSet<_> = containers.map(|c| (c.engine, c.id.clone())).collect();
    ask::start(daemons, &known)
}

fn daemon(seen: &Seen) -> Option<Daemon> {
    let process = &seen.process;
    Some(Daemon {
        engine: ask::engine(process.pid, &process.comm)?,
        pid: process.pid,
        uid: process.uid,
        outermost: seen.pids.len() < 2,
    })
}

/// Puts in what they said.
pub(super) fn join(finds: &mut Finds, answers: Vec<(Daemon, Told)>, warnings: &mut Vec<Warning>) {
    let known = finds.candidates.iter().flat_map(|c| &c.namespace.containers);
    // A service of systemd's is no container: it has its PIDs from outside, and is trusted.
    let real = known.filter(|c| c.engine != Engine::Systemd);
    let first: HashSet<u32> = real.filter_map(|c| c.pid).collect();
    for (daemon, told) in answers {
        let Some(seen) = finds.processes.iter().find(|s| s.process.pid == daemon.pid) else {
            continue;
        };
        let Some(home) = seen.net else { continue };
        let scope = Scope::of(seen, &finds.processes, &first);
        let mut say = |what: String| {
            let text = format!("{} (pid {}) {what}", daemon.engine, daemon.pid);
            warnings.push(Warning { ns: Some(home), text });
        };
        if let Some(trouble) = told.trouble {
            say(format!("{trouble}: names that only it knows are missing"));
        }
        place_networks(finds, home, told.networks);
        let left_out = place_containers(finds, scope.as_ref(), told.containers);
        match (left_out, scope) {
            (0, _) => {}
            (n, Err(why)) => say(format!("names {}, left out: {why}", containers(n))),
            (n, Ok(_)) => {
                say(format!(
                    "names {} of which no process is inside its own: left out",
                    containers(n)
                ));
            }
        }
    }
}

fn containers(n: usize) -> String {
    if n == 1 { "1 container".into() } else { format!("{n} containers") }
}

/// The engine's own word for a network goes before what files said of it.
fn place_networks(finds: &mut Finds, home: NsId, networks: Vec<Network>) {
    let Some(candidate) = finds.candidates.iter_mut().find(|c| c.namespace.id == home) else {
        return;
    };
    let known = &mut candidate.namespace.networks;
    for network in networks {
        let same = |n: &Network| {
            n.engine == network.engine && (n.id == network.id || n.name == network.name)
        };
        known.retain(|n| !same(n) || n.told_by == network.told_by);
        if !known.contains(&network) {
            known.push(network);
        }
    }
}

/// How many could not be placed.
fn place_containers(
    finds: &mut Finds,
    scope: Result<&Scope, &NoScope>,
    told: Vec<Running>,
) -> usize {
    let Ok(scope) = scope else { return told.len() };
    let Finds { candidates, processes, .. } = finds;
    let by_pid = scope.index(processes);
    let mut left_out = 0;
    for Running { mut container, pid, .. } in told {
        let mut meant = pid.iter().filter_map(|pid| by_pid.get(pid)).flatten();
        let process = meant.find(|s| scope.holds(s.process.pid));
        let place = match process.and_then(|s| Some((s.process.pid, s.net?))) {
            Some((pid, net)) => {
                container.pid = Some(pid);
                Some(net)
            }
            None => known(candidates, scope, &container),
        };
        match candidates.iter_mut().find(|c| Some(c.namespace.id) == place) {
            Some(candidate) => container.join(&mut candidate.namespace.containers),
            None => left_out += 1,
        }
    }
    left_out
}

/// The namespace in which the same container was found otherwise, inside the engine's own.
fn known(candidates: &[Candidate], scope: &Scope, container: &Container) -> Option<NsId> {
    let here = |c: &Container| c.is_same(container) && c.pid.is_some_and(|pid| scope.holds(pid));
    let mut namespaces = candidates.iter().map(|c| &c.namespace);
    namespaces.find(|n| n.containers.iter().any(here)).map(|n| n.id)
}
