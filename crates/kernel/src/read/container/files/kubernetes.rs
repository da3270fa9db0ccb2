//! The runtime's configuration of a container of containerd's and CRI-O's: with or without
//! Kubernetes.

use model::{Engine, Network};
use wire::container::oci;

use super::desk::{Desk, FILE};
use crate::read::container::evidence::Shown;

/// Below it a folder for each of containerd's own namespaces, with one for each container.
const TASKS: &str = "/run/containerd/io.containerd.runtime.v2.task";

/// containerd's.
pub(super) fn containerd(desk: &mut Desk, side: u32, shown: &mut Shown) -> Vec<Network> {
    let id = &shown.container.id;
    let namespace = shown.monitor.as_ref().and_then(|m| m.namespace.as_deref());
    let mut folders: Vec<String> = Vec::new();
    folders.extend(work_folder(side).map(|folder| format!("{folder}/{id}")));
    match namespace.filter(|n| wire::container::is_file_name(n)) {
        Some(namespace) => folders.push(format!("{TASKS}/{namespace}/{id}")),
        None => folders.extend(["k8s.io", "default"].map(|n| format!("{TASKS}/{n}/{id}"))),
    }
    bundle(desk, Engine::Containerd, &folders, shown)
}

/// A shim works in the folder of its first container: the others' are beside it. This is a path as
/// the shim sees it, and only a hint.
fn work_folder(shim: u32) -> Option<String> {
    let path = std::fs::read_link(format!("/proc/{shim}/cwd")).ok()?;
    let folder = path.parent()?.to_str()?;
    folder.contains("/io.containerd.runtime.v2.task/").then(|| folder.to_owned())
}

/// CRI-O's.
pub(super) fn crio(desk: &mut Desk, shown: &mut Shown) -> Vec<Network> {
    let id = &shown.container.id;
    let own = shown.monitor.as_ref().and_then(|m| m.folder.clone());
    let usual = ["/run", "/var/lib"]
        .map(|base| format!("{base}/containers/storage/overlay-containers/{id}/userdata"));
    let folders: Vec<String> = own.into_iter().chain(usual).collect();
    bundle(desk, Engine::Crio, &folders, shown)
}

fn bundle(desk: &mut Desk, engine: Engine, folders: &[String], shown: &mut Shown) -> Vec<Network> {
    let file = folders.iter().find_map(|f| desk.read(&format!("{f}/config.json"), FILE));
    if let Some(bundle) = file.and_then(|file| oci::bundle(&file)) {
        let id = shown.container.id.clone();
        shown.container.absorb(bundle.container(engine, &id));
    }
    Vec::new()
}
