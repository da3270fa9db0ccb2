//! The files of LXC, Proxmox VE and systemd-machined.

use model::{Container, Engine, Network, Teller};
use wire::container::is_file_name;
use wire::container::lxc::{config, proxmox_hostname};
use wire::container::machine;

use super::desk::Desk;
use crate::read::container::evidence::Shown;

/// LXC's configuration, and Proxmox' of the same container.
pub(super) fn tell(desk: &mut Desk, shown: &mut Shown) -> Vec<Network> {
    let folder = shown.monitor.as_ref().and_then(|m| m.folder.clone());
    let folder = folder.unwrap_or_else(|| "/var/lib/lxc".to_owned());
    let id = shown.container.id.clone();
    let Some((name, text)) = candidates(&id)
        .into_iter()
        .find_map(|name| Some((name, desk.text(&format!("{folder}/{name}/config"))?)))
    else {
        return proxmox(desk, None, shown);
    };
    if name != id {
        shown.container = Container { pid: shown.container.pid, ..kernel_named(name) };
    }
    let config = config(&text);
    shown.container.absorb(Container::new(Engine::Lxc, name, Teller::Files));
    proxmox(desk, config.hostname.filter(|_| config.proxmox), shown)
}

/// A cgroup's name is the container's, with a number behind it where that was taken.
fn candidates(id: &str) -> Vec<&str> {
    let numbered = |n: &str| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit());
    let bare = id.rsplit_once('-').filter(|(_, n)| numbered(n)).map(|(bare, _)| bare);
    [id].into_iter().chain(bare).filter(|name| is_file_name(name)).collect()
}

fn kernel_named(name: &str) -> Container {
    let mut container = Container::new(Engine::Lxc, name, Teller::Kernel);
    container.names.push((name.to_owned(), Teller::Kernel));
    container
}

/// Proxmox' containers are LXC's, and called by a number there.
fn proxmox(desk: &mut Desk, generated: Option<String>, shown: &mut Shown) -> Vec<Network> {
    let id = shown.container.id.clone();
    if id.parse::<u32>().is_err() {
        return Vec::new();
    }
    let mut found = desk.text(&format!("/etc/pve/lxc/{id}.conf"));
    if found.is_none() {
        let nodes = desk.list("/etc/pve/nodes");
        found = nodes.iter().find_map(|n| desk.text(&format!("/etc/pve/nodes/{n}/lxc/{id}.conf")));
    }
    if found.is_none() && generated.is_none() {
        return Vec::new();
    }
    let hostname = found.and_then(|text| proxmox_hostname(&text)).or(generated);
    let mut told = Container::new(Engine::Proxmox, &id, Teller::Files);
    told.names.extend(hostname.map(|name| (name, Teller::Files)));
    shown.container.engine = Engine::Proxmox;
    shown.container.absorb(told);
    Vec::new()
}

/// What systemd-machined keeps. It knows no more than the name: this confirms it.
pub(super) fn machine(desk: &mut Desk, shown: &mut Shown) -> Vec<Network> {
    let id = shown.container.id.clone();
    let file = is_file_name(&id).then(|| desk.text(&format!("/run/systemd/machines/{id}")));
    if file.flatten().is_some_and(|text| machine::machine(&text).leader.is_some()) {
        let mut told = Container::new(Engine::Nspawn, &id, Teller::Files);
        told.names.push((id, Teller::Files));
        shown.container.absorb(told);
    }
    Vec::new()
}
