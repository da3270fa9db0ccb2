//! What was found of a namespace from outside.

mod container;

use model::{Gap, NsId, NsInode, Owner, UserNs};
use serde::{Deserialize, Serialize};

use super::Part;
use super::id::Id;
use crate::Error;
use container::{Container, Network, Teller, engine};

#[derive(Serialize, Deserialize)]
pub(super) struct Namespace {
    id: Id,
    names: Vec<Name>,
    parent: Option<Id>,
    found: Vec<Found>,
    processes: Vec<Process>,
    files: Vec<File>,
    containers: Vec<Container>,
    networks: Vec<Network>,
    owner_uid: Option<u32>,
    unprivileged: bool,
    /// The owning user namespace, then those around it, outwards.
    #[serde(default)]
    users: Vec<User>,
    /// The PID namespace of the process that stands for it: device and inode.
    #[serde(default)]
    pid_ns: Option<(u64, u64)>,
    /// What could not be found out of it.
    gaps: Vec<Part>,
}

#[derive(Serialize, Deserialize)]
struct Name {
    text: String,
    by: NameSource,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum NameSource {
    Lab(String),
    Engine(String, Teller),
    Host,
    File,
    Process,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Found {
    Process,
    Thread,
    Mount,
    Descriptor(u32),
    Socket(u32),
    Tap(u32),
    Peer,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Process {
    pid: u32,
    inner_pid: u32,
    comm: String,
    uid: u32,
}

/// A user namespace.
#[derive(Serialize, Deserialize)]
struct User {
    dev: u64,
    ino: u64,
    uid: Option<u32>,
}

#[derive(Serialize, Deserialize)]
struct File {
    path: String,
    seen_in: Option<Id>,
}

impl From<&model::Namespace> for Namespace {
    fn from(ns: &model::Namespace) -> Self {
        Self {
            id: ns.id.into(),
            names: ns.names.iter().map(Name::from).collect(),
            parent: ns.parent.map(Id::from),
            found: ns.found.iter().map(Found::from).collect(),
            processes: ns.processes.iter().cloned().map(Process::from).collect(),
            files: ns
                .files
                .iter()
                .map(|f| File { path: f.path.clone(), seen_in: f.seen_in.map(Id::from) })
                .collect(),
            containers: ns.containers.iter().map(Container::from).collect(),
            networks: ns.networks.iter().map(Network::from).collect(),
            owner_uid: ns.owner.uid,
            unprivileged: ns.owner.unprivileged,
            users: ns
                .owner
                .users
                .iter()
                .map(|user| User { dev: user.file.dev, ino: user.file.ino, uid: user.uid })
                .collect(),
            pid_ns: ns.pid_ns.map(|file| (file.dev, file.ino)),
            gaps: ns.gaps.iter().map(Part::from).collect(),
        }
    }
}

impl TryFrom<Namespace> for model::Namespace {
    type Error = Error;

    fn try_from(ns: Namespace) -> Result<Self, Error> {
        let names: Result<_, Error> = ns.names.into_iter().map(model::Name::try_from).collect();
        let containers: Result<_, Error> =
            ns.containers.into_iter().map(model::Container::try_from).collect();
        let networks: Result<_, Error> =
            ns.networks.into_iter().map(model::Network::try_from).collect();
        Ok(Self {
            names: names?,
            parent: ns.parent.map(NsId::from),
            found: ns.found.into_iter().map(model::Found::from).collect(),
            processes: ns.processes.into_iter().map(model::Process::from).collect(),
            files: ns
                .files
                .into_iter()
                .map(|f| model::NsFile { path: f.path, seen_in: f.seen_in.map(NsId::from) })
                .collect(),
            containers: containers?,
            networks: networks?,
            owner: Owner {
                uid: ns.owner_uid,
                unprivileged: ns.unprivileged,
                users: ns
                    .users
                    .into_iter()
                    .map(|u| UserNs { file: NsInode { dev: u.dev, ino: u.ino }, uid: u.uid })
                    .collect(),
            },
            pid_ns: ns.pid_ns.map(|(dev, ino)| NsInode { dev, ino }),
            gaps: ns.gaps.into_iter().map(Gap::from).collect(),
            ..Self::new(ns.id.into())
        })
    }
}

impl From<&model::Name> for Name {
    fn from(name: &model::Name) -> Self {
        use model::NameSource as Source;
        let by = match &name.source {
            Source::Lab(lab) => NameSource::Lab(lab.clone()),
            Source::Engine(engine, teller) => {
                NameSource::Engine(engine.as_str().to_owned(), (*teller).into())
            }
            Source::Host => NameSource::Host,
            Source::File => NameSource::File,
            Source::Process => NameSource::Process,
        };
        Self { text: name.text.clone(), by }
    }
}

impl TryFrom<Name> for model::Name {
    type Error = Error;

    fn try_from(name: Name) -> Result<Self, Error> {
        let source = match name.by {
            NameSource::Lab(lab) => model::NameSource::Lab(lab),
            NameSource::Engine(by, teller) => {
                model::NameSource::Engine(engine(&by)?, teller.into())
            }
            NameSource::Host => model::NameSource::Host,
            NameSource::File => model::NameSource::File,
            NameSource::Process => model::NameSource::Process,
        };
        Ok(Self { text: name.text, source })
    }
}

impl From<&model::Found> for Found {
    fn from(found: &model::Found) -> Self {
        match *found {
            model::Found::Process => Self::Process,
            model::Found::Thread => Self::Thread,
            model::Found::Mount => Self::Mount,
            model::Found::Descriptor(pid) => Self::Descriptor(pid),
            model::Found::Socket(pid) => Self::Socket(pid),
            model::Found::Tap(pid) => Self::Tap(pid),
            model::Found::Peer => Self::Peer,
        }
    }
}

impl From<Found> for model::Found {
    fn from(found: Found) -> Self {
        match found {
            Found::Process => Self::Process,
            Found::Thread => Self::Thread,
            Found::Mount => Self::Mount,
            Found::Descriptor(pid) => Self::Descriptor(pid),
            Found::Socket(pid) => Self::Socket(pid),
            Found::Tap(pid) => Self::Tap(pid),
            Found::Peer => Self::Peer,
        }
    }
}

impl From<model::Process> for Process {
    fn from(p: model::Process) -> Self {
        Self { pid: p.pid, inner_pid: p.inner_pid, comm: p.comm, uid: p.uid }
    }
}

impl From<Process> for model::Process {
    fn from(p: Process) -> Self {
        Self { pid: p.pid, inner_pid: p.inner_pid, comm: p.comm, uid: p.uid }
    }
}
