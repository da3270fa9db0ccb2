//! The API of Incus and LXD, which are alike: `GET /1.0/instances?recursion=1`,
//! `/1.0/instances/NAME/state`, `/1.0/networks?recursion=1`. Shapes: `shared/api` of incus
//! (`Instance`, `InstanceState`, `Network`) and `doc/rest-api.yaml`.
//!
//! The lists come with `recursion=1`: with 2, the daemon enters each instance's namespace for its
//! addresses, which takes it seconds on a full host.

use std::collections::BTreeMap;

use model::{Container, Engine, Network, Teller};
use serde::Deserialize;

use super::list::List;
use super::ports::{Ports, Run};
use super::{AnswerError, Running, is_plain, parse, subnet};

/// The list of instances, of all projects.
pub const INSTANCES: &str = "/1.0/instances?recursion=1&all-projects=true";

/// The list of networks.
pub const NETWORKS: &str = "/1.0/networks?recursion=1";

/// What every answer is wrapped in.
#[derive(Deserialize)]
struct Answer<T> {
    metadata: T,
}

#[derive(Deserialize)]
struct Item {
    name: String,
    #[serde(default)]
    project: String,
    #[serde(default)]
    status: String,
    #[serde(rename = "type", default)]
    kind: String,
    config: Option<Config>,
    expanded_devices: Option<BTreeMap<String, Device>>,
}

#[derive(Default, Deserialize)]
struct Config {
    #[serde(rename = "image.description")]
    image: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Device {
    #[serde(rename = "type")]
    kind: String,
    network: String,
    listen: String,
    connect: String,
    bind: String,
}

/// The running containers among the instances; `engine` is Incus or LXD.
///
/// # Errors
/// If the answer is not of that shape.
pub fn containers(engine: Engine, json: &[u8]) -> Result<Vec<Running>, AnswerError> {
    let mut ports = Ports::new();
    let items = parse::<Answer<List<Item>>>(json)?.metadata.0.into_iter();
    let up = |item: &Item| item.kind == "container" && item.status != "Stopped";
    items.filter(up).map(|item| running(engine, item, &mut ports)).collect()
}

fn running(engine: Engine, item: Item, ports: &mut Ports) -> Result<Running, AnswerError> {
    let devices: Vec<Device> = item.expanded_devices.unwrap_or_default().into_values().collect();
    let publishes = ports.of(devices.iter().filter_map(Device::forward).flatten())?;
    let nics = devices.into_iter().filter(|d| d.kind == "nic" && !d.network.is_empty());
    let networks = nics.map(|d| d.network).collect();
    let (name, project) = (item.name, item.project);
    let project = if project.is_empty() { "default" } else { &project };
    let details = (is_plain(&name) && is_plain(project))
        .then(|| format!("/1.0/instances/{name}/state?project={project}"));
    let container = Container {
        told_by: vec![Teller::Api],
        engine,
        id: id(project, &name),
        names: vec![(name, Teller::Api)],
        pod: None,
        image: item.config.and_then(|c| c.image),
        pid: None,
        networks,
        publishes,
    };
    Ok(Running { container, pid: None, details })
}

/// As liblxc knows it: with its project in front, but for the first one.
fn id(project: &str, name: &str) -> String {
    match project {
        "default" => name.to_owned(),
        project => format!("{project}_{name}"),
    }
}

impl Device {
    /// What a proxy device publishes: `listen: tcp:0.0.0.0:8000-8003,9000`, `connect:
    /// tcp:127.0.0.1:80`; to one port, or to as many as it listens on.
    fn forward(&self) -> Option<impl Iterator<Item = Run<'_>>> {
        // The other way round: from inside the container to the host.
        let inwards = self.bind != "container" && self.bind != "instance";
        if self.kind != "proxy" || !inwards {
            return None;
        }
        let (protocol, host, from) = endpoint(&self.listen)?;
        let to: Vec<u16> = each(endpoint(&self.connect)?.2).collect();
        let target = move |n: usize| to.get(n).or(to.first().filter(|_| to.len() == 1)).copied();
        Some(each(from).enumerate().map_while(move |(n, host_port)| {
            Some(Run { protocol, host, host_port, port: target(n)?, length: 1 })
        }))
    }
}

/// Protocol, address and ports of `tcp:ADDRESS:PORTS`. Unix sockets have none.
fn endpoint(text: &str) -> Option<(&str, &str, &str)> {
    let (protocol, rest) = text.split_once(':').filter(|(p, _)| matches!(*p, "tcp" | "udp"))?;
    let (host, ports) = rest.rsplit_once(':')?;
    Some((protocol, host.trim_start_matches('[').trim_end_matches(']'), ports))
}

/// Each port of `80,8000-8003`.
fn each(text: &str) -> impl Iterator<Item = u16> {
    text.split(',').filter_map(run).flatten().take(usize::from(u16::MAX))
}

fn run(text: &str) -> Option<std::ops::RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some(first.trim().parse().ok()?..=last.trim().parse().ok()?)
}

/// The PID of `/1.0/instances/NAME/state`, in the engine's PID namespace.
///
/// # Errors
/// If the answer is not of that shape.
pub fn pid(json: &[u8]) -> Result<Option<u32>, AnswerError> {
    #[derive(Deserialize)]
    struct State {
        pid: i64,
    }
    Ok(super::pid(parse::<Answer<State>>(json)?.metadata.pid))
}

#[derive(Deserialize)]
struct NetworkItem {
    name: String,
    #[serde(rename = "type", default)]
    kind: String,
    /// Not so: any link of the host's.
    #[serde(default)]
    managed: bool,
    config: Option<NetworkConfig>,
}

#[derive(Default, Deserialize)]
struct NetworkConfig {
    #[serde(rename = "ipv4.address")]
    v4: Option<String>,
    #[serde(rename = "ipv6.address")]
    v6: Option<String>,
    parent: Option<String>,
}

/// The networks that the engine made; `engine` is Incus or LXD.
///
/// # Errors
/// If the answer is not of that shape.
pub fn networks(engine: Engine, json: &[u8]) -> Result<Vec<Network>, AnswerError> {
    let items = parse::<Answer<List<NetworkItem>>>(json)?.metadata.0.into_iter();
    Ok(items.filter(|item| item.managed).map(|item| network(engine, item)).collect())
}

fn network(engine: Engine, item: NetworkItem) -> Network {
    let config = item.config.unwrap_or_default();
    let addresses = [config.v4, config.v6];
    Network {
        engine,
        link: match item.kind.as_str() {
            "bridge" => Some(item.name.clone()),
            _ => config.parent,
        },
        id: item.name.clone(),
        name: item.name,
        driver: item.kind,
        subnets: addresses.iter().flatten().filter_map(|a| subnet(a)).collect(),
        told_by: Teller::Api,
    }
}
