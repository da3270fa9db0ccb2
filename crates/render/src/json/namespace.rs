use model::{Found, Namespace, NsId, NsKey, Snapshot, Warning};
use schemars::JsonSchema;
use serde::Serialize;

use super::container::{ContainerView, NetworkView, container, network};
use super::refs::Refs;
use crate::ls as table;

/// What `ls` tells.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LsView {
    /// Where this is from, if not from this host as it is now: a bundle, or pasted outputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Seen from which namespace; absent: from the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_from: Option<String>,
    /// Each after the one that it is inside of.
    pub namespaces: Vec<NamespaceView>,
    /// nsids of `seen_from` whose namespaces are not visible from there.
    pub hidden: Vec<HiddenView>,
    /// What went wrong while reading.
    pub warnings: Vec<WarningView>,
}

/// A namespace.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NamespaceView {
    /// What identifies it as long as it lives.
    pub id: String,
    /// Its name, or path where that is needed.
    pub name: String,
    /// Names from the outermost container to it.
    pub path: String,
    /// Inode of its nsfs file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inode: Option<u64>,
    /// The id of the one that it is inside of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// The ids of those directly inside of it.
    pub children: Vec<String>,
    /// The lab that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lab: Option<String>,
    /// uid of its owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_uid: Option<u32>,
    /// It belongs to a user namespace other than the first.
    pub unprivileged: bool,
    /// Its user namespace, then those around it, as far as the reader may know.
    pub users: Vec<UserNsView>,
    /// Inode of the PID namespace of the process that stands for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid_ns: Option<u64>,
    /// What shows it.
    pub found: Vec<FoundView>,
    /// Its processes, lowest PID first.
    pub processes: Vec<ProcessView>,
    /// Containers whose processes are in it.
    pub containers: Vec<ContainerView>,
    /// Networks of engines that run in it.
    pub networks: Vec<NetworkView>,
    /// Files that it is mounted on.
    pub files: Vec<FileView>,
    /// Its number in the table of `seen_from`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nsid: Option<u32>,
    /// Its own table.
    pub nsids: Vec<NsidView>,
    /// Which numbers others have for it.
    pub known_as: Vec<KnownAsView>,
}

/// A user namespace.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct UserNsView {
    /// Inode of its nsfs file.
    pub inode: u64,
    /// uid that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
}

/// What shows a namespace.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FoundView {
    /// `process`, `thread`, `mount`, `descriptor`, `socket`, `tap` or `peer`.
    pub by: String,
    /// The process that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
}

/// A process.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ProcessView {
    /// PID as the reader sees it.
    pub pid: u32,
    /// PID in its own PID namespace.
    pub inner_pid: u32,
    /// Its name, which it chooses itself.
    pub comm: String,
    /// Effective uid.
    pub uid: u32,
}

/// A file that a namespace is mounted on.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FileView {
    /// Its path.
    pub path: String,
    /// Id of the namespace of the container in which that path holds; absent: the reader's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_in: Option<String>,
}

/// A line of a table of nsids.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NsidView {
    /// The number.
    pub nsid: u32,
    /// Whom it stands for, by id.
    pub namespace: String,
    /// By name.
    pub name: String,
}

/// A number that another namespace has for this one.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct KnownAsView {
    /// Whose table, by id.
    pub namespace: String,
    /// By name.
    pub name: String,
    /// The number.
    pub nsid: u32,
}

/// An nsid whose namespace is not visible.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct HiddenView {
    /// The number.
    pub nsid: u32,
    /// Whom it stands for, by name.
    pub name: String,
}

/// Something went wrong while reading.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct WarningView {
    /// Whom it is about, by id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// What.
    pub text: String,
}

/// The namespaces, of the whole Snapshot or as `seen_from` sees them.
#[must_use]
pub fn ls(snapshot: &Snapshot, seen_from: Option<NsId>) -> LsView {
    let refs = Refs::of(snapshot);
    let rows = table::rows(snapshot, seen_from);
    let hidden = table::hidden(snapshot, seen_from, &rows);
    LsView {
        origin: snapshot.origin.clone(),
        seen_from: seen_from.map(|id| id.to_string()),
        namespaces: rows.iter().map(|(_, ns)| namespace(snapshot, &refs, ns, seen_from)).collect(),
        hidden: hidden
            .into_iter()
            .map(|(nsid, id)| HiddenView { nsid, name: snapshot.name_of(id) })
            .collect(),
        warnings: snapshot.warnings.iter().map(warning).collect(),
    }
}

pub(super) fn warning(w: &Warning) -> WarningView {
    WarningView { namespace: w.ns.map(|id| id.to_string()), text: w.text.clone() }
}

pub(super) fn namespace(
    snapshot: &Snapshot,
    refs: &Refs,
    ns: &Namespace,
    seen_from: Option<NsId>,
) -> NamespaceView {
    let viewer = seen_from.and_then(|id| snapshot.namespaces.get(&id));
    let nsid = viewer.and_then(|v| v.nsids.iter().find(|(_, id)| **id == ns.id)).map(|(n, _)| *n);
    NamespaceView {
        id: ns.id.to_string(),
        name: snapshot.name_of(ns.id),
        path: snapshot.path_of(ns.id),
        inode: match ns.id.key {
            NsKey::Inode { ino, .. } => Some(ino),
            NsKey::Unseen(_) | NsKey::Net(_) => None,
        },
        parent: ns.parent.map(|id| id.to_string()),
        children: refs.children(ns.id).iter().map(ToString::to_string).collect(),
        lab: ns.lab().map(str::to_owned),
        owner_uid: ns.owner.uid,
        unprivileged: ns.owner.unprivileged,
        users: ns
            .owner
            .users
            .iter()
            .map(|u| UserNsView { inode: u.file.ino, uid: u.uid })
            .collect(),
        pid_ns: ns.pid_ns.map(|p| p.ino),
        found: ns.found.iter().map(found).collect(),
        processes: ns.processes.iter().map(process).collect(),
        containers: ns.containers.iter().map(container).collect(),
        networks: ns.networks.iter().map(network).collect(),
        files: ns
            .files
            .iter()
            .map(|f| FileView { path: f.path.clone(), seen_in: f.seen_in.map(|id| id.to_string()) })
            .collect(),
        nsid,
        nsids: ns
            .nsids
            .iter()
            .map(|(n, id)| NsidView {
                nsid: *n,
                namespace: id.to_string(),
                name: snapshot.name_of(*id),
            })
            .collect(),
        known_as: known_as(snapshot, ns.id),
    }
}

fn found(f: &Found) -> FoundView {
    let (by, pid) = match f {
        Found::Process => ("process", None),
        Found::Thread => ("thread", None),
        Found::Mount => ("mount", None),
        Found::Descriptor(pid) => ("descriptor", Some(*pid)),
        Found::Socket(pid) => ("socket", Some(*pid)),
        Found::Tap(pid) => ("tap", Some(*pid)),
        Found::Peer => ("peer", None),
    };
    FoundView { by: by.to_owned(), pid }
}

pub(super) fn process(p: &model::Process) -> ProcessView {
    ProcessView { pid: p.pid, inner_pid: p.inner_pid, comm: p.comm.clone(), uid: p.uid }
}

fn known_as(snapshot: &Snapshot, id: NsId) -> Vec<KnownAsView> {
    let view = |(owner, nsid): &(NsId, u32)| KnownAsView {
        namespace: owner.to_string(),
        name: snapshot.name_of(*owner),
        nsid: *nsid,
    };
    snapshot.namespaces.known_as(id).iter().map(view).collect()
}
