//! Docker's own files: `config.v2.json` of each container, and `daemon.json`.

use std::net::IpAddr;

use ipnet::IpNet;
use model::{Container, Engine, Network, Publish, Teller};
use serde_json::Value;

use super::json;
use super::monitor::option;

/// What a container's file tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The container.
    pub container: Container,
    /// The networks that it is attached to: what is known of them by it.
    pub networks: Vec<Network>,
}

/// Reads `config.v2.json` (moby, `daemon/container`: `Container`).
#[must_use]
pub fn config(bytes: &[u8]) -> Option<Told> {
    let file = json::parse(bytes)?;
    let id = json::text(&file["ID"])?;
    let mut container = Container::new(Engine::Docker, id, Teller::Files);
    let name = json::text(&file["Name"]).map(|n| n.trim_start_matches('/').to_owned());
    container.names.extend(name.map(|name| (name, Teller::Files)));
    container.image = json::text(&file["Config"]["Image"]);
    let settings = &file["NetworkSettings"];
    let attached = settings["Networks"].as_object();
    container.networks = attached.map(|n| n.keys().cloned().collect()).unwrap_or_default();
    container.publishes = publishes(&settings["Ports"]);
    let networks = attached.into_iter().flatten().filter_map(|(n, v)| network(n, v)).collect();
    Some(Told { container, networks })
}

/// `{"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}`; null where a port is only exposed.
fn publishes(ports: &Value) -> Vec<Publish> {
    let mut all = Vec::new();
    for (port, places) in ports.as_object().into_iter().flatten() {
        let Some((port, protocol)) = port.split_once('/') else { continue };
        for place in places.as_array().into_iter().flatten() {
            let number = |value: &Value| value.as_str().and_then(|p| p.parse().ok());
            if let (Ok(port), Some(host_port)) = (port.parse(), number(&place["HostPort"])) {
                let host = place["HostIp"].as_str().and_then(any_address);
                all.push(Publish { protocol: protocol.to_owned(), host, host_port, port });
            }
        }
    }
    all.sort();
    all.dedup();
    all
}

/// An address; None: any.
fn any_address(text: &str) -> Option<IpAddr> {
    text.parse().ok().filter(|ip: &IpAddr| !ip.is_unspecified())
}

fn network(name: &str, value: &Value) -> Option<Network> {
    let id = json::text(&value["NetworkID"])?;
    // Without a gateway it is no network of the engine's own: `host`, `none`, `container:…`.
    json::text(&value["Gateway"]).or_else(|| json::text(&value["IPv6Gateway"]))?;
    Some(Network {
        engine: Engine::Docker,
        link: bridge(name, &id),
        name: name.to_owned(),
        id,
        driver: String::new(),
        subnets: [("IPAddress", "IPPrefixLen"), ("GlobalIPv6Address", "GlobalIPv6PrefixLen")]
            .into_iter()
            .filter_map(|(ip, length)| subnet(&value[ip], &value[length]))
            .collect(),
        told_by: Teller::Files,
    })
}

/// What Docker calls the bridge of a network unless it is told otherwise.
fn bridge(name: &str, id: &str) -> Option<String> {
    if name == "bridge" {
        return Some("docker0".to_owned());
    }
    Some(format!("br-{}", id.get(..12)?))
}

fn subnet(ip: &Value, length: &Value) -> Option<IpNet> {
    let length = u8::try_from(length.as_u64()?).ok()?;
    IpNet::new(ip.as_str()?.parse().ok()?, length).ok().map(|net| net.trunc())
}

/// Where a running dockerd keeps its containers, by its command line; else the file that it is
/// configured by (`Err`), if it names one.
///
/// # Errors
/// The configuration file's path.
pub fn data_root(cmdline: &[u8]) -> Result<String, Option<String>> {
    let text = String::from_utf8_lossy(cmdline);
    let args: Vec<&str> = text.trim_end_matches('\0').split('\0').collect();
    match option(&args, &["--data-root", "-g", "--graph"]) {
        Some(root) => Ok(root.to_owned()),
        None => Err(option(&args, &["--config-file"]).map(str::to_owned)),
    }
}

/// The same by `daemon.json`.
#[must_use]
pub fn configured_root(bytes: &[u8]) -> Option<String> {
    let file = json::parse(bytes)?;
    json::text(&file["data-root"]).or_else(|| json::text(&file["graph"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Docker 20.10.24 (Debian 12): of `docker run --name alpine01 -p 8080:80 bb`, shortened.
    const CONFIG: &str = r#"{"StreamConfig":{},"State":{"Running":true,"Pid":210},
        "ID":"543927028a984205122a70e2702e5f3005e10f3ddde7b8a63fc2b2bba12414af",
        "Config":{"Hostname":"543927028a98","ExposedPorts":{"80/tcp":{}},"Image":"bb"},
        "Image":"sha256:f1c1430c3a09e34a0cd47cb762a181ddfc679311aa3af650a936147d3b286bbb",
        "NetworkSettings":{"Bridge":"","Networks":{"bridge":{"IPAMConfig":null,
            "NetworkID":"cb63a236f37f5a9f7e73b7647989bd2721e3d60ca472cf23c608052a8296f92c",
            "Gateway":"172.17.0.1","IPAddress":"172.17.0.2","IPPrefixLen":16,
            "GlobalIPv6Address":"","GlobalIPv6PrefixLen":0}},
          "Ports":{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"},
            {"HostIp":"::","HostPort":"8080"}],"81/tcp":null},
          "SandboxKey":"/var/run/docker/netns/6a2418b8baa2"},"Name":"/alpine01"}"#;

    #[test]
    fn a_container_s_file() {
        let told = config(CONFIG.as_bytes()).unwrap();
        let container = told.container;
        assert_eq!((container.name(), container.image.as_deref()), ("alpine01", Some("bb")));
        assert_eq!(container.networks, ["bridge"]);
        let ports: Vec<_> =
            container.publishes.iter().map(|p| (p.host, p.host_port, p.port)).collect();
        assert_eq!(ports, [(None, 8080, 80)]);
        let network = &told.networks[0];
        assert_eq!((network.name.as_str(), network.link.as_deref()), ("bridge", Some("docker0")));
        assert_eq!(network.subnets, ["172.17.0.0/16".parse().unwrap()]);
        let other = CONFIG.replace("\"bridge\":", "\"myapp_default\":");
        let link = config(other.as_bytes()).unwrap().networks[0].link.clone();
        assert_eq!(link.as_deref(), Some("br-cb63a236f37f"));
    }

    #[test]
    fn other_shapes_are_passed_over() {
        let odd = r#"{"ID":"x","Name":7,"Config":[],"NetworkSettings":{"Networks":{"a":3,"host":
            {"NetworkID":"1","Gateway":""}},"Ports":{"80":[],"70000/tcp":[{"HostPort":"1"}],
            "1/udp":[{"HostPort":99},"x"]}}}"#;
        let told = config(odd.as_bytes()).unwrap();
        assert_eq!((told.container.names, told.container.publishes), (vec![], vec![]));
        assert_eq!(told.networks, []);
        assert_eq!(config(b"[1]"), None);
        assert_eq!(config("[".repeat(100_000).as_bytes()), None);
        assert_eq!(config(b"{\"ID\": \"\xff\"}"), None);
    }

    #[test]
    fn where_the_data_is() {
        assert_eq!(data_root(b"dockerd\0--data-root\0/srv/d\0"), Ok("/srv/d".into()));
        assert_eq!(data_root(b"dockerd\0--data-root=/srv/d\0"), Ok("/srv/d".into()));
        assert_eq!(data_root(b"dockerd\0-g\0/srv/g\0"), Ok("/srv/g".into()));
        assert_eq!(data_root(b"dockerd\0--config-file=/a.json\0"), Err(Some("/a.json".into())));
        assert_eq!(configured_root(br#"{"data-root":"/srv/e"}"#).as_deref(), Some("/srv/e"));
        assert_eq!(configured_root(b"{}"), None);
    }
}
