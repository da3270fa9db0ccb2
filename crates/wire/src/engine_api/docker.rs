//! Docker's Engine API: `GET /containers/json`, `/containers/ID/json`, `/networks`. Shapes: moby's
//! `api/swagger.yaml`, and what Docker 20.10 answered.

use model::{Container, Engine, Network, Pod, Teller};
use serde::Deserialize;

use super::list::{Keys, List};
use super::ports::{Ports, Run};
use super::{AnswerError, Running, is_plain, parse, subnet};

/// The list of running containers.
pub const CONTAINERS: &str = "/containers/json";

/// The list of networks.
pub const NETWORKS: &str = "/networks";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    id: String,
    #[serde(default)]
    names: List<String>,
    #[serde(default)]
    image: String,
    #[serde(default)]
    ports: List<Port>,
    labels: Option<Labels>,
    network_settings: Option<NetworkSettings>,
}

#[derive(Deserialize)]
struct Port {
    #[serde(rename = "IP", default)]
    ip: String,
    #[serde(rename = "PrivatePort")]
    private: u16,
    /// Not there, or 0: the port is not published.
    #[serde(rename = "PublicPort", default)]
    public: u16,
    #[serde(rename = "Type", default)]
    protocol: String,
}

impl Port {
    fn run(&self) -> Run<'_> {
        Run {
            protocol: &self.protocol,
            host: &self.ip,
            host_port: self.public,
            port: self.private,
            length: 1,
        }
    }
}

/// Those that Kubernetes sets.
#[derive(Deserialize)]
struct Labels {
    #[serde(rename = "io.kubernetes.pod.name")]
    pod: Option<String>,
    #[serde(rename = "io.kubernetes.pod.namespace")]
    namespace: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NetworkSettings {
    #[serde(default)]
    networks: Keys,
}

/// The running containers of `/containers/json`. Their PIDs are told elsewhere
/// ([`Running::details`]).
///
/// # Errors
/// If the answer is not of that shape.
pub fn containers(json: &[u8]) -> Result<Vec<Running>, AnswerError> {
    let mut ports = Ports::new();
    parse::<List<Item>>(json)?.0.into_iter().map(|item| running(item, &mut ports)).collect()
}

fn running(item: Item, ports: &mut Ports) -> Result<Running, AnswerError> {
    let published = item.ports.0.iter().filter(|p| p.public != 0).map(Port::run);
    let publishes = ports.of(published)?;
    let pod = item.labels.and_then(|l| Some(Pod { name: l.pod?, namespace: l.namespace }));
    let details = is_plain(&item.id).then(|| format!("/containers/{}/json", item.id));
    let container = Container {
        told_by: vec![Teller::Api],
        engine: Engine::Docker,
        names: own_name(&item.names.0).map(|n| (n, Teller::Api)).into_iter().collect(),
        id: item.id,
        pod,
        image: Some(item.image).filter(|i| !i.is_empty()),
        pid: None,
        networks: item.network_settings.map(|s| s.networks.0).unwrap_or_default(),
        publishes,
    };
    Ok(Running { container, pid: None, details })
}

/// `/NAME`; those of the form `/OTHER/ALIAS` are what other containers call it (links).
fn own_name(names: &[String]) -> Option<String> {
    let own = names.iter().filter_map(|n| n.strip_prefix('/')).find(|n| !n.contains('/'));
    own.filter(|n| !n.is_empty()).map(str::to_owned)
}

/// The PID of `/containers/ID/json`, in the engine's PID namespace.
///
/// # Errors
/// If the answer is not of that shape.
pub fn pid(json: &[u8]) -> Result<Option<u32>, AnswerError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Details {
        state: State,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct State {
        pid: i64,
    }
    Ok(super::pid(parse::<Details>(json)?.state.pid))
}

#[derive(Deserialize)]
struct NetworkItem {
    #[serde(rename = "Name")]
    name: String,
    #[serde(rename = "Id")]
    id: String,
    #[serde(rename = "Driver", default)]
    driver: String,
    #[serde(rename = "IPAM")]
    ipam: Option<Ipam>,
    #[serde(rename = "Options")]
    options: Option<Options>,
}

#[derive(Deserialize)]
struct Ipam {
    #[serde(rename = "Config", default)]
    config: List<Pool>,
}

#[derive(Deserialize)]
struct Pool {
    #[serde(rename = "Subnet", default)]
    subnet: String,
}

#[derive(Default, Deserialize)]
struct Options {
    #[serde(rename = "com.docker.network.bridge.name")]
    bridge: Option<String>,
    parent: Option<String>,
}

/// The networks of `/networks`.
///
/// # Errors
/// If the answer is not of that shape.
pub fn networks(json: &[u8]) -> Result<Vec<Network>, AnswerError> {
    Ok(parse::<List<NetworkItem>>(json)?.0.into_iter().map(network).collect())
}

fn network(item: NetworkItem) -> Network {
    let pools = item.ipam.map(|i| i.config.0).unwrap_or_default();
    Network {
        engine: Engine::Docker,
        link: link(&item.driver, &item.id, item.options.unwrap_or_default()),
        name: item.name,
        id: item.id,
        driver: item.driver,
        subnets: pools.iter().filter_map(|p| subnet(&p.subnet)).collect(),
        told_by: Teller::Api,
    }
}

/// A bridge without a name of its own is called after its network's id.
fn link(driver: &str, id: &str, options: Options) -> Option<String> {
    match driver {
        "bridge" => options.bridge.or_else(|| Some(format!("br-{}", id.get(..12)?))),
        "macvlan" | "ipvlan" => options.parent,
        _ => None,
    }
}
