//! Podman's own API, which tells PIDs and pods in its list: `GET /vX/libpod/containers/json` and
//! `/vX/libpod/networks/json`. Shapes: podman's `pkg/domain/entities/types` (`ListContainer`) and
//! containers/common's `libnetwork/types` (`Network`), and what Podman 4.3 answered.

use model::{Container, Engine, Network, Pod, Teller};
use serde::Deserialize;

use super::list::List;
use super::ports::{Ports, Run};
use super::{AnswerError, Running, parse, pid, subnet};

/// The list of running containers. The version is the oldest that Podman 4 and 5 accept.
pub const CONTAINERS: &str = "/v4.0.0/libpod/containers/json";

/// The list of networks.
pub const NETWORKS: &str = "/v4.0.0/libpod/networks/json";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    id: String,
    #[serde(default)]
    names: List<String>,
    #[serde(default)]
    image: String,
    #[serde(default)]
    pid: i64,
    #[serde(default)]
    pod_name: String,
    #[serde(default)]
    networks: List<String>,
    #[serde(default)]
    ports: List<Port>,
}

#[derive(Deserialize)]
struct Port {
    #[serde(default)]
    host_ip: String,
    container_port: u16,
    #[serde(default)]
    host_port: u16,
    #[serde(default)]
    range: u16,
    #[serde(default)]
    protocol: String,
}

impl Port {
    /// A line can name several protocols.
    fn runs(&self) -> impl Iterator<Item = Run<'_>> {
        self.protocol.split(',').map(|protocol| Run {
            protocol,
            host: &self.host_ip,
            host_port: self.host_port,
            port: self.container_port,
            length: self.range.max(1),
        })
    }
}

/// The running containers.
///
/// # Errors
/// If the answer is not of that shape.
pub fn containers(json: &[u8]) -> Result<Vec<Running>, AnswerError> {
    let mut ports = Ports::new();
    parse::<List<Item>>(json)?.0.into_iter().map(|item| running(item, &mut ports)).collect()
}

fn running(item: Item, ports: &mut Ports) -> Result<Running, AnswerError> {
    let published = item.ports.0.iter().filter(|p| p.host_port != 0);
    let publishes = ports.of(published.flat_map(Port::runs))?;
    let container = Container {
        told_by: vec![Teller::Api],
        engine: Engine::Podman,
        id: item.id,
        names: item.names.0.into_iter().take(1).map(|n| (n, Teller::Api)).collect(),
        pod: (!item.pod_name.is_empty()).then_some(Pod { name: item.pod_name, namespace: None }),
        image: Some(item.image).filter(|i| !i.is_empty()),
        pid: None,
        networks: item.networks.0,
        publishes,
    };
    Ok(Running { container, pid: pid(item.pid), details: None })
}

#[derive(Deserialize)]
struct NetworkItem {
    name: String,
    #[serde(default)]
    id: String,
    #[serde(default)]
    driver: String,
    #[serde(default)]
    network_interface: String,
    #[serde(default)]
    subnets: List<Pool>,
}

#[derive(Deserialize)]
struct Pool {
    #[serde(default)]
    subnet: String,
}

/// The networks.
///
/// # Errors
/// If the answer is not of that shape.
pub fn networks(json: &[u8]) -> Result<Vec<Network>, AnswerError> {
    Ok(parse::<List<NetworkItem>>(json)?.0.into_iter().map(network).collect())
}

fn network(item: NetworkItem) -> Network {
    Network {
        engine: Engine::Podman,
        name: item.name,
        id: item.id,
        driver: item.driver,
        link: Some(item.network_interface).filter(|l| !l.is_empty()),
        subnets: item.subnets.0.iter().filter_map(|p| subnet(&p.subnet)).collect(),
        told_by: Teller::Api,
    }
}
