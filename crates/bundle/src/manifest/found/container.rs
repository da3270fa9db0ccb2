//! Containers and networks by the names that engines give them.

use std::net::IpAddr;

use model::Engine;
use serde::{Deserialize, Serialize};

use crate::Error;

#[derive(Serialize, Deserialize)]
pub(super) struct Container {
    /// As its makers write it.
    engine: String,
    id: String,
    names: Vec<(String, Teller)>,
    pod: Option<Pod>,
    image: Option<String>,
    pid: Option<u32>,
    networks: Vec<String>,
    publishes: Vec<Publish>,
    #[serde(default)]
    told_by: Vec<Teller>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Teller {
    Kernel,
    Files,
    Api,
}

#[derive(Serialize, Deserialize)]
struct Pod {
    name: String,
    namespace: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Publish {
    protocol: String,
    host: Option<IpAddr>,
    host_port: u16,
    port: u16,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Network {
    engine: String,
    name: String,
    id: String,
    driver: String,
    link: Option<String>,
    subnets: Vec<String>,
    told_by: Teller,
}

/// The engine of that name.
pub(super) fn engine(name: &str) -> Result<Engine, Error> {
    const ALL: [Engine; 10] = [
        Engine::Docker,
        Engine::Podman,
        Engine::Containerd,
        Engine::Crio,
        Engine::Lxc,
        Engine::Incus,
        Engine::Lxd,
        Engine::Proxmox,
        Engine::Nspawn,
        Engine::Systemd,
    ];
    let found = ALL.into_iter().find(|engine| engine.as_str() == name);
    found.ok_or_else(|| Error::Manifest(format!("{name:?} is no engine that is known")))
}

impl From<&model::Container> for Container {
    fn from(container: &model::Container) -> Self {
        let names = container.names.iter();
        Self {
            engine: container.engine.as_str().to_owned(),
            id: container.id.clone(),
            names: names.map(|(name, by)| (name.clone(), Teller::from(*by))).collect(),
            pod: container
                .pod
                .as_ref()
                .map(|pod| Pod { name: pod.name.clone(), namespace: pod.namespace.clone() }),
            image: container.image.clone(),
            pid: container.pid,
            networks: container.networks.clone(),
            publishes: container.publishes.iter().map(Publish::from).collect(),
            told_by: container.told_by.iter().copied().map(Teller::from).collect(),
        }
    }
}

impl TryFrom<Container> for model::Container {
    type Error = Error;

    fn try_from(container: Container) -> Result<Self, Error> {
        let names = container.names.into_iter();
        Ok(Self {
            engine: engine(&container.engine)?,
            id: container.id,
            names: names.map(|(name, by)| (name, by.into())).collect(),
            pod: container.pod.map(|pod| model::Pod { name: pod.name, namespace: pod.namespace }),
            image: container.image,
            pid: container.pid,
            networks: container.networks,
            publishes: container.publishes.into_iter().map(model::Publish::from).collect(),
            told_by: container.told_by.into_iter().map(model::Teller::from).collect(),
        })
    }
}

impl From<&model::Publish> for Publish {
    fn from(p: &model::Publish) -> Self {
        Self { protocol: p.protocol.clone(), host: p.host, host_port: p.host_port, port: p.port }
    }
}

impl From<Publish> for model::Publish {
    fn from(p: Publish) -> Self {
        Self { protocol: p.protocol, host: p.host, host_port: p.host_port, port: p.port }
    }
}

impl From<&model::Network> for Network {
    fn from(network: &model::Network) -> Self {
        Self {
            engine: network.engine.as_str().to_owned(),
            name: network.name.clone(),
            id: network.id.clone(),
            driver: network.driver.clone(),
            link: network.link.clone(),
            subnets: network.subnets.iter().map(ToString::to_string).collect(),
            told_by: network.told_by.into(),
        }
    }
}

impl TryFrom<Network> for model::Network {
    type Error = Error;

    fn try_from(network: Network) -> Result<Self, Error> {
        let subnet = |text: String| {
            text.parse().map_err(|_| Error::Manifest(format!("{text:?} is no subnet")))
        };
        let subnets: Result<_, Error> = network.subnets.into_iter().map(subnet).collect();
        Ok(Self {
            engine: engine(&network.engine)?,
            name: network.name,
            id: network.id,
            driver: network.driver,
            link: network.link,
            subnets: subnets?,
            told_by: network.told_by.into(),
        })
    }
}

impl From<model::Teller> for Teller {
    fn from(teller: model::Teller) -> Self {
        match teller {
            model::Teller::Kernel => Self::Kernel,
            model::Teller::Files => Self::Files,
            model::Teller::Api => Self::Api,
        }
    }
}

impl From<Teller> for model::Teller {
    fn from(teller: Teller) -> Self {
        match teller {
            Teller::Kernel => Self::Kernel,
            Teller::Files => Self::Files,
            Teller::Api => Self::Api,
        }
    }
}
