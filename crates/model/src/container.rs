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
}

impl Container {
    /// Its surest name, or its id as engines shorten it.
    #[must_use]
    pub fn name(&self) -> &str {
        let id = self.id.get(..12).filter(|_| self.id.len() == 64).unwrap_or(&self.id);
        self.names.first().map_or(id, |(name, _)| name)
    }
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
