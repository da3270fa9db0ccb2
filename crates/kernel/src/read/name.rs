//! What each namespace is called.

use std::collections::HashMap;

use model::{Container, Engine, Name, NameSource, Namespace, NsId, Teller};

use super::KnownName;
use super::find::{Finds, id};
use super::process::Seen;

/// Directories whose files are names: where `ip netns` keeps its own.
const NAMED: &str = "/run/netns/";

/// Fills in names, best first.
pub(super) fn name(finds: &mut Finds, known: &[KnownName]) {
    let host = finds.host;
    let owners = Owners::new(&finds.processes);
    for candidate in &mut finds.candidates {
        let names = names(&candidate.namespace, known, host, &owners);
        candidate.namespace.names = names;
    }
}

fn names(namespace: &Namespace, known: &[KnownName], host: NsId, owners: &Owners) -> Vec<Name> {
    let mut names = Vec::new();
    for known in known.iter().filter(|k| id((k.dev, k.ino)) == namespace.id) {
        let source = NameSource::Lab(known.lab.clone());
        names.push(Name { text: known.name.clone(), source });
    }
    let (units, own): (Vec<_>, Vec<_>) =
        owners.of(namespace).partition(|c| c.engine == Engine::Systemd);
    add(&mut names, own.iter().flat_map(|c| pod_name(c)));
    add(&mut names, own.iter().flat_map(|c| container_names(c)));
    if namespace.id == host {
        let uname = rustix::system::uname();
        let text = uname.nodename().to_string_lossy().into_owned();
        names.push(Name { text, source: NameSource::Host });
    }
    for file in &namespace.files {
        if let Some(text) = file.path.strip_prefix(NAMED).filter(|t| !t.contains('/')) {
            names.push(Name { text: text.to_owned(), source: NameSource::File });
        }
    }
    add(&mut names, units.iter().flat_map(|c| container_names(c)));
    if let (true, Some(process)) = (names.is_empty(), namespace.processes.first()) {
        names.push(Name { text: process.comm.clone(), source: NameSource::Process });
    }
    names
}

fn add(names: &mut Vec<Name>, more: impl Iterator<Item = Name>) {
    for name in more {
        if !names.iter().any(|n| n.text == name.text) {
            names.push(name);
        }
    }
}

/// The namespaces of a pod's containers are the pod's.
fn pod_name(container: &Container) -> Option<Name> {
    let teller = container.told_by.first().copied().unwrap_or(Teller::Kernel);
    let source = NameSource::Engine(container.engine, teller);
    container.pod.as_ref().map(|pod| Name { text: pod.name.clone(), source })
}

fn container_names(container: &Container) -> Vec<Name> {
    let engine = container.engine;
    let name = |(text, teller): &(String, Teller)| Name {
        text: text.clone(),
        source: NameSource::Engine(engine, *teller),
    };
    if container.names.is_empty() && container.pod.is_none() {
        return vec![name(&(container.name().to_owned(), Teller::Kernel))];
    }
    container.names.iter().map(name).collect()
}

/// Which containers have a namespace of their own, and which borrow that of their engine
/// (`--network host`).
struct Owners<'a> {
    by_pid: HashMap<u32, &'a Seen>,
}

impl<'a> Owners<'a> {
    fn new(processes: &'a [Seen]) -> Self {
        Self { by_pid: processes.iter().map(|seen| (seen.process.pid, seen)).collect() }
    }

    /// The containers that a namespace is called by, those that were first in it first.
    fn of<'b>(&self, namespace: &'b Namespace) -> impl Iterator<Item = &'b Container> {
        let mut own: Vec<&Container> =
            namespace.containers.iter().filter(|c| !self.borrows(c)).collect();
        own.sort_by_key(|container| container.pid);
        own.into_iter()
    }

    fn borrows(&self, container: &Container) -> bool {
        let Some(lead) = container.pid.and_then(|pid| self.by_pid.get(&pid)) else { return true };
        self.by_pid.get(&lead.parent).is_some_and(|parent| parent.net == lead.net)
    }
}
