use std::net::IpAddr;

use model::{Container, Listener, Network, Publish};
use schemars::JsonSchema;
use serde::Serialize;

use super::namespace::ProcessView;

/// A container whose processes are in a namespace.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ContainerView {
    /// Whose it is: `Docker`, `Podman`, `LXC`, …
    pub engine: String,
    /// The engine's own id.
    pub id: String,
    /// Its surest name.
    pub name: String,
    /// All names, the surest first.
    pub names: Vec<ContainerNameView>,
    /// The pod that it is part of, with its Kubernetes namespace before it: `shop/web-0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod: Option<String>,
    /// Its image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// PID of its first process, as the reader sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// Names of the engine's networks that it is on.
    pub networks: Vec<String>,
    /// Ports that the engine publishes for it.
    pub publishes: Vec<PublishView>,
    /// By whom this is known: `cgroup`, `files`, `API`.
    pub told_by: Vec<String>,
}

/// A name of a container.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ContainerNameView {
    /// The name.
    pub name: String,
    /// By whom it is known.
    pub told_by: String,
}

/// A published port.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PublishView {
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
    /// The host's address; absent: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<IpAddr>,
    /// The host's port.
    pub host_port: u16,
    /// The container's port.
    pub port: u16,
}

/// A network of an engine.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NetworkView {
    /// Whose it is.
    pub engine: String,
    /// Its name.
    pub name: String,
    /// The engine's own id.
    pub id: String,
    /// The engine's driver for it.
    pub driver: String,
    /// The link that stands for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Its subnets.
    pub subnets: Vec<String>,
    /// By whom this is known.
    pub told_by: String,
}

/// A socket that waits.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ListenerView {
    /// `tcp` or `udp`.
    pub protocol: String,
    /// At which address.
    pub ip: IpAddr,
    /// At which port.
    pub port: u16,
    /// Owner.
    pub uid: u32,
    /// Processes that hold it; none: not visible.
    pub processes: Vec<ProcessView>,
}

pub(super) fn container(c: &Container) -> ContainerView {
    ContainerView {
        engine: c.engine.to_string(),
        id: c.id.clone(),
        name: c.name().to_owned(),
        names: c
            .names
            .iter()
            .map(|(name, teller)| ContainerNameView {
                name: name.clone(),
                told_by: teller.as_str().to_owned(),
            })
            .collect(),
        pod: c.pod.as_ref().map(|p| match &p.namespace {
            Some(space) => format!("{space}/{}", p.name),
            None => p.name.clone(),
        }),
        image: c.image.clone(),
        pid: c.pid,
        networks: c.networks.clone(),
        publishes: c.publishes.iter().map(publish).collect(),
        told_by: c.told_by.iter().map(|t| t.as_str().to_owned()).collect(),
    }
}

fn publish(p: &Publish) -> PublishView {
    PublishView { protocol: p.protocol.clone(), host: p.host, host_port: p.host_port, port: p.port }
}

pub(super) fn network(n: &Network) -> NetworkView {
    NetworkView {
        engine: n.engine.to_string(),
        name: n.name.clone(),
        id: n.id.clone(),
        driver: n.driver.clone(),
        link: n.link.clone(),
        subnets: n.subnets.iter().map(ToString::to_string).collect(),
        told_by: n.told_by.as_str().to_owned(),
    }
}

pub(super) fn listener(l: &Listener) -> ListenerView {
    ListenerView {
        protocol: crate::words::ip_protocol(l.protocol),
        ip: l.ip,
        port: l.port,
        uid: l.uid,
        processes: l.processes.iter().map(super::namespace::process).collect(),
    }
}
