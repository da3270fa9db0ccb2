//! Podman's files: the storage's list of containers, and its networks.

use ipnet::IpNet;
use model::{Container, Engine, Network, Teller};
use serde_json::Value;

use super::json;

/// Reads `overlay-containers/containers.json` (containers/storage: `Container`); CRI-O's are in
/// there too.
#[must_use]
pub fn stored(bytes: &[u8]) -> Vec<Container> {
    let file = json::parse(bytes).unwrap_or_default();
    file.as_array().into_iter().flatten().filter_map(container).collect()
}

fn container(entry: &Value) -> Option<Container> {
    let mut container = Container::new(Engine::Podman, json::text(&entry["id"])?, Teller::Files);
    let names = entry["names"].as_array().into_iter().flatten().filter_map(json::text);
    container.names = names.map(|name| (name, Teller::Files)).collect();
    let metadata = json::parse(entry["metadata"].as_str().unwrap_or_default().as_bytes());
    container.image = metadata.and_then(|m| json::text(&m["image-name"]));
    Some(container)
}

/// Reads a file of /etc/containers/networks (containers/common, libnetwork: `Network`).
#[must_use]
pub fn network(bytes: &[u8]) -> Option<Network> {
    let file = json::parse(bytes)?;
    let subnet = |s: &Value| s["subnet"].as_str()?.parse::<IpNet>().ok();
    Some(Network {
        engine: Engine::Podman,
        name: json::text(&file["name"])?,
        id: json::text(&file["id"])?,
        driver: json::text(&file["driver"]).unwrap_or_default(),
        link: json::text(&file["network_interface"]),
        subnets: file["subnets"].as_array().into_iter().flatten().filter_map(subnet).collect(),
        told_by: Teller::Files,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_storage_s_list() {
        // Podman 4.3.1 (Debian 12).
        let text = r#"[{"id":"340af46f64e81d944d5dd9f4b223bcb4ed3f093e5fe6cb635704588676e2ef2d",
            "names":["web"],"image":"8e4be7ec","layer":"5c13",
            "metadata":"{\"image-name\":\"localhost/bb:latest\",\"name\":\"web\"}",
            "created":"2026-11-23T23:47:32.647611186Z","flags":{"MountLabel":""}},
            7,{"id":"x","names":{},"metadata":"{"}]"#;
        let all = stored(text.as_bytes());
        assert_eq!((all[0].name(), all[0].image.as_deref()), ("web", Some("localhost/bb:latest")));
        assert_eq!((all.len(), all[1].names.len()), (2, 0));
        assert_eq!(stored(b"{}"), []);
    }

    #[test]
    fn a_network_s_file() {
        // netavark's: `podman network create --subnet 10.89.0.0/24 shop`, Podman 4.3.1, shortened.
        let text = r#"{"name":"shop","id":"b0c1","driver":"bridge","network_interface":"podman1",
            "subnets":[{"subnet":"10.89.0.0/24","gateway":"10.89.0.1"}],"ipv6_enabled":false}"#;
        let network = network(text.as_bytes()).unwrap();
        assert_eq!((network.name.as_str(), network.link.as_deref()), ("shop", Some("podman1")));
        assert_eq!(network.subnets, ["10.89.0.0/24".parse().unwrap()]);
        assert_eq!(super::network(b"[]"), None);
    }
}
