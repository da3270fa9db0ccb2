//! What engines say of themselves, put where it belongs.

use std::collections::HashMap;

use model::{Container, Network, NsId, Warning};
use wire::engine_api::Running;

use super::find::{Candidate, Finds};
use super::kin::Kin;
use super::process::Seen;
use super::scope::Scope;
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
    let kin = Kin::new(&finds.processes, &finds.candidates);
    let known = |daemon: &Daemon| {
        let containers = finds.candidates.iter().flat_map(|c| &c.namespace.containers);
        let own = containers.filter(|c| {
            c.engine == daemon.engine && c.pid.is_some_and(|pid| kin.is_beside(pid, daemon.pid))
        });
        own.map(|c| c.id.clone()).collect()
    };
    ask::start(daemons.into_iter().map(|daemon| (daemon, known(&daemon))).collect())
}

fn daemon(seen: &Seen) -> Option<Daemon> {
    let process = &seen.process;
    let engine = ask::engine(process.pid, &process.comm)?;
    // Clients under the same name are many.
    ask::serves(engine, process.pid).ok().filter(|serves| *serves)?;
    Some(Daemon { engine, pid: process.pid, uid: process.uid, outermost: seen.pids.len() < 2 })
}

/// Puts in what they said.
pub(super) fn join(finds: &mut Finds, answers: Vec<(Daemon, Told)>, warnings: &mut Vec<Warning>) {
    let Finds { candidates, processes, .. } = finds;
    let kin = Kin::new(processes, candidates);
    for (daemon, told) in answers {
        let Some(seen) = processes.iter().find(|s| s.process.pid == daemon.pid) else { continue };
        let Some(home) = seen.net else { continue };
        let mut say = |what: String| {
            let text = format!("{} (pid {}) {what}", daemon.engine, daemon.pid);
            warnings.push(Warning { ns: Some(home), text });
        };
        if let Some(trouble) = told.trouble {
            say(format!("{trouble}: names that only it knows are missing"));
        }
        place_networks(candidates, home, told.networks);
        let all = told.containers.len();
        match Scope::of(seen, processes, &kin) {
            Ok(scope) => {
                let by_pid = scope.index(processes);
                let place = Place { daemon, scope, kin: &kin, by_pid };
                let left_out = place.containers(candidates, told.containers);
                if left_out > 0 {
                    let what = containers(left_out);
                    say(format!("names {what} of which no process is inside its own: left out"));
                }
            }
            Err(why) if all > 0 => say(format!("names {}, left out: {why}", containers(all))),
            Err(_) => {}
        }
    }
}

fn containers(n: usize) -> String {
    if n == 1 { "1 container".into() } else { format!("{n} containers") }
}

/// The engine's own word for a network goes before what files said of it.
fn place_networks(candidates: &mut [Candidate], home: NsId, networks: Vec<Network>) {
    let Some(candidate) = candidates.iter_mut().find(|c| c.namespace.id == home) else { return };
    let known = &mut candidate.namespace.networks;
    for network in networks {
        // By id: a container's engine on its host's network must not oust what it only guesses.
        let same = |n: &Network| n.engine == network.engine && n.id == network.id;
        known.retain(|n| !same(n) || n.told_by == network.told_by);
        if !known.contains(&network) {
            known.push(network);
        }
    }
}

/// Where an engine's containers belong.
struct Place<'a> {
    daemon: Daemon,
    scope: Scope,
    kin: &'a Kin<'a>,
    /// The processes that the engine can mean by a PID.
    by_pid: HashMap<u32, Vec<&'a Seen>>,
}

impl Place<'_> {
    /// Puts them there; how many could not be.
    fn containers(&self, candidates: &mut [Candidate], told: Vec<Running>) -> usize {
        let mut left_out = 0;
        for Running { mut container, pid, .. } in told {
            let place = match pid.and_then(|pid| self.process(pid)) {
                Some((pid, net)) => {
                    container.pid = Some(pid);
                    Some(net)
                }
                None => self.known(candidates, &container),
            };
            match candidates.iter_mut().find(|c| Some(c.namespace.id) == place) {
                Some(candidate) => container.join(&mut candidate.namespace.containers),
                None => left_out += 1,
            }
        }
        left_out
    }

    /// The process that the engine means by a PID, by the reader's, and its network namespace.
    fn process(&self, pid: u32) -> Option<(u32, NsId)> {
        let meant = self.by_pid.get(&pid)?.iter().find(|s| self.scope.holds(s.process.pid))?;
        Some((meant.process.pid, meant.net?))
    }

    /// The namespace in which the same container was found otherwise.
    fn known(&self, candidates: &[Candidate], container: &Container) -> Option<NsId> {
        let inside = |pid| self.kin.is_beside(pid, self.daemon.pid) && self.scope.holds(pid);
        let here = |c: &Container| c.is_same(container) && c.pid.is_some_and(inside);
        let mut namespaces = candidates.iter().map(|c| &c.namespace);
        namespaces.find(|n| n.containers.iter().any(here)).map(|n| n.id)
    }
}
