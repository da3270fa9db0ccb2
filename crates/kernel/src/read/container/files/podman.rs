//! Podman's files.

use model::{Container, Engine, Network, Pod, Teller};
use wire::container::{oci, podman};

use super::User;
use super::desk::{Desk, FILE, LIST};
use crate::read::container::evidence::Shown;

/// Lists beside a storage's containers: those that outlive the machine, and those that do not.
const LISTS: [&str; 2] = ["containers.json", "volatile-containers.json"];

/// The storage's list, and the runtime's configuration.
pub(super) fn tell(desk: &mut Desk, user: User, shown: &mut Shown) -> Vec<Network> {
    let id = shown.container.id.clone();
    let folders = folders(desk, user, shown);
    for folder in &folders {
        for list in LISTS.map(|list| format!("{folder}/{list}")) {
            let known = stored(desk, &list).iter().find(|c| c.id == id).cloned();
            known.into_iter().for_each(|container| shown.container.absorb(container));
        }
        if let Some(pod) = pod(desk, folder, shown) {
            shown.container.pod = Some(Pod { name: pod, namespace: None });
        }
    }
    networks(desk, user)
}

/// The folders that its storage can be in: of its monitor's own word, else the usual ones.
fn folders(desk: &mut Desk, user: User, shown: &Shown) -> Vec<String> {
    let own = shown.monitor.as_ref().and_then(|m| m.folder.as_deref());
    let tail = format!("/{}/userdata", shown.container.id);
    match own.and_then(|folder| folder.strip_suffix(&tail)) {
        Some(folder) => vec![folder.to_owned()],
        None => {
            let home = desk.home(user.uid).map(|home| format!("{home}/.local/share"));
            let bases = home.into_iter().chain(["/var/lib".to_owned()]);
            bases.map(|base| format!("{base}/containers/storage/overlay-containers")).collect()
        }
    }
}

fn stored<'a>(desk: &'a mut Desk, list: &str) -> &'a [Container] {
    if !desk.stored.contains_key(list) {
        let all = desk.read(list, LIST).map(|file| podman::stored(&file)).unwrap_or_default();
        desk.stored.insert(list.to_owned(), all);
    }
    desk.stored.get(list).map_or(&[], Vec::as_slice)
}

/// The pod's name: the host name of the container that holds its namespaces, unless its maker chose
/// another one.
fn pod(desk: &mut Desk, folder: &str, shown: &Shown) -> Option<String> {
    shown.pod.as_ref()?;
    let mut bundle = |id: &str| {
        let file = desk.read(&format!("{folder}/{id}/userdata/config.json"), FILE)?;
        oci::bundle(&file)
    };
    let own = bundle(&shown.container.id)?;
    match own.sandbox.filter(|id| wire::container::is_id(id) && *id != shown.container.id) {
        Some(infra) => bundle(&infra)?.hostname,
        None => own.hostname,
    }
}

/// Its networks: the files of those that were made, and the one that is always there.
fn networks(desk: &mut Desk, user: User) -> Vec<Network> {
    let folder = match desk.home(user.uid) {
        Some(home) => format!("{home}/.local/share/containers/storage/networks"),
        None => "/etc/containers/networks".to_owned(),
    };
    if let Some(known) = desk.networks.get(&folder) {
        return known.clone();
    }
    let mut all = Vec::new();
    for name in desk.list(&folder).iter().filter(|name| name.ends_with(".json")) {
        let file = desk.read(&format!("{folder}/{name}"), FILE);
        all.extend(file.and_then(|file| podman::network(&file)));
    }
    if !all.iter().any(|n| n.name == "podman") {
        all.push(default_network());
    }
    desk.networks.insert(folder, all.clone());
    all
}

/// Podman's default network has no file unless it was changed (containers/common, netavark).
fn default_network() -> Network {
    Network {
        engine: Engine::Podman,
        name: "podman".to_owned(),
        // Of the name, by SHA-256.
        id: "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9".to_owned(),
        driver: "bridge".to_owned(),
        link: Some("podman0".to_owned()),
        subnets: Vec::new(),
        told_by: Teller::Files,
    }
}
