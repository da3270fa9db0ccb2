//! Containers and networks by the names that engines give them.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

/// Who made a container (or a service with a namespace of its own).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names are the meaning")]
pub enum Engine {
    Docker,
    Podman,
    /// containerd by itself (`ctr`, nerdctl), or under Kubernetes: then the container has a pod.
    Containerd,
    Crio,
    Lxc,
    Incus,
    Lxd,
    /// Proxmox VE; the id is the VMID.
    Proxmox,
    /// systemd-nspawn, or anything else that registered with systemd-machined.
    Nspawn,
    /// A systemd service with a network namespace of its own.
    Systemd,
}

impl Engine {
    /// As its makers write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Docker => "Docker",
            Self::Podman => "Podman",
            Self::Containerd => "containerd",
            Self::Crio => "CRI-O",
            Self::Lxc => "LXC",
            Self::Incus => "Incus",
            Self::Lxd => "LXD",
            Self::Proxmox => "Proxmox",
            Self::Nspawn => "nspawn",
            Self::Systemd => "systemd",
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// By what something is known of a container. Whatever a file or an API says can come from inside
/// a container: it names, and decides nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Teller {
    /// The kernel: the cgroup's path, mounts.
    Kernel,
    /// Files of the engine.
    Files,
    /// The engine itself, over its socket.
    Api,
}

impl Teller {
    /// In words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kernel => "cgroup",
            Self::Files => "files",
            Self::Api => "API",
        }
    }
}

/// A container whose processes are in a namespace. Several can share one (a pod, `--network
/// container:…`), also the host's (`--network host`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// Whose it is.
    pub engine: Engine,
    /// The engine's own id: 64 hexadecimal digits, a VMID, a name.
    pub id: String,
    /// What the engine calls it, by whom that is known. Where tellers disagree, each is here,
    /// the surest first. Never print it raw.
    pub names: Vec<(String, Teller)>,
    /// The pod that it is part of.
    pub pod: Option<Pod>,
    /// The image that it was made from, as the engine calls it.
    pub image: Option<String>,
    /// PID of its first process, as the reader sees it.
    pub pid: Option<u32>,
    /// The engine's names of the networks that it is attached to.
    pub networks: Vec<String>,
    /// Ports that the engine publishes for it.
    pub publishes: Vec<Publish>,
    /// By whom anything of this is known, the surest first.
    pub told_by: Vec<Teller>,
}

impl Container {
    /// A container of which nothing but its id is known.
    #[must_use]
    pub fn new(engine: Engine, id: impl Into<String>, teller: Teller) -> Self {
        Self {
            engine,
            id: id.into(),
            names: Vec::new(),
            pod: None,
            image: None,
            pid: None,
            networks: Vec::new(),
            publishes: Vec::new(),
            told_by: vec![teller],
        }
    }

    /// Whether both are the same container: the same engine's, and the same id, which either may
    /// have shortened as engines do.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let short = |a: &str, b: &str| is_hex_id(a) && is_hex_id(b) && b.starts_with(a);
        self.engine == other.engine
            && (self.id == other.id || short(&self.id, &other.id) || short(&other.id, &self.id))
    }

    /// Adds what another teller knows of the same container. Where they disagree, names, networks
    /// and ports of both are kept, the surest teller's first; of what there is only one, the
    /// surest teller's stays. The PID is the one that was known first: only the kernel's word for
    /// it was seen.
    pub fn absorb(&mut self, mut other: Self) {
        if other.told_by.iter().max() > self.told_by.iter().max() {
            std::mem::swap(self, &mut other);
            self.pid = other.pid.or(self.pid);
        }
        if other.id.len() > self.id.len() {
            self.id = other.id;
        }
        self.pod = self.pod.take().or(other.pod);
        self.image = self.image.take().or(other.image);
        self.pid = self.pid.or(other.pid);
        self.names.extend(other.names);
        // Stable: of one teller, the first name stays the first.
        self.names.sort_by_key(|(_, teller)| std::cmp::Reverse(*teller));
        keep_first(&mut self.names, |(name, _)| name.clone());
        self.networks.extend(other.networks);
        keep_first(&mut self.networks, Clone::clone);
        self.publishes.extend(other.publishes);
        keep_first(&mut self.publishes, Clone::clone);
        self.told_by.extend(other.told_by);
        self.told_by.sort_by_key(|teller| std::cmp::Reverse(*teller));
        self.told_by.dedup();
    }

    /// Puts a container into a list: into the entry of the same one, or as a new entry.
    pub fn join(self, all: &mut Vec<Self>) {
        match all.iter_mut().find(|c| c.is_same(&self)) {
            Some(known) => known.absorb(self),
            None => all.push(self),
        }
    }

    /// Its surest name, or its id as engines shorten it.
    #[must_use]
    pub fn name(&self) -> &str {
        let id = self.id.get(..12).filter(|_| self.id.len() == 64).unwrap_or(&self.id);
        self.names.first().map_or(id, |(name, _)| name)
    }
}

/// An id as Docker and its kin make them, whole or shortened to no less than they print.
fn is_hex_id(id: &str) -> bool {
    (12..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Drops what repeats an earlier entry.
fn keep_first<T, K: Ord>(list: &mut Vec<T>, key: impl Fn(&T) -> K) {
    let mut seen = std::collections::BTreeSet::new();
    list.retain(|entry| seen.insert(key(entry)));
}

/// A Kubernetes or Podman pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// The Kubernetes namespace that it is in.
    pub namespace: Option<String>,
}

/// A published port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Publish {
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
    /// The host's address; None: any.
    pub host: Option<IpAddr>,
    /// The host's port.
    pub host_port: u16,
    /// The container's port.
    pub port: u16,
}

/// A network as an engine names it; it belongs to the namespace that the engine runs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Whose it is.
    pub engine: Engine,
    /// What the engine calls it (`bridge`, `podman`, `myapp_default`).
    pub name: String,
    /// The engine's own id.
    pub id: String,
    /// The engine's driver for it (`bridge`, `macvlan`).
    pub driver: String,
    /// The link that stands for it: a bridge, a macvlan's lower link.
    pub link: Option<String>,
    /// Its subnets.
    pub subnets: Vec<IpNet>,
    /// By whom this is known.
    pub told_by: Teller,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "472a2d57c07712251a6ddc77e7e790b5fc0cb1a7906d2a5c69a082053d0a754b";

    fn told(id: &str, teller: Teller, name: &str) -> Container {
        let mut container = Container::new(Engine::Docker, id, teller);
        container.names.push((name.to_owned(), teller));
        container
    }

    #[test]
    fn disagreeing_names_are_kept_the_surest_first() {
        let mut all = Vec::new();
        let mut seen = told(ID, Teller::Kernel, "old");
        seen.pid = Some(7);
        seen.join(&mut all);
        let mut asked = told(&ID[..12], Teller::Api, "new");
        asked.pid = Some(8);
        asked.image = Some("alpine".into());
        asked.join(&mut all);
        told(ID, Teller::Files, "old").join(&mut all);
        let [one] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!(one.names, [("new".into(), Teller::Api), ("old".into(), Teller::Files)]);
        assert_eq!((one.name(), one.id.as_str()), ("new", ID));
        assert_eq!((one.pid, one.image.as_deref()), (Some(7), Some("alpine")));
        assert_eq!(one.told_by, [Teller::Api, Teller::Files, Teller::Kernel]);
    }

    #[test]
    fn what_only_looks_alike_is_not_the_same() {
        let one = told("web", Teller::Kernel, "web");
        assert!(!one.is_same(&told("web2", Teller::Files, "web2")));
        assert!(!one.is_same(&Container { engine: Engine::Lxc, ..one.clone() }));
        assert!(!told(&ID[..8], Teller::Api, "x").is_same(&told(ID, Teller::Kernel, "x")));
    }
}
