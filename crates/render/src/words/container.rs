//! Containers, networks and sockets, as people speak of them.

use std::fmt::Write as _;
use std::net::IpAddr;

use model::{Container, Listener, NameSource, Namespace, Network, Publish, Snapshot};

use super::{about, endpoint, ip_protocol, some};

/// `Docker web, id 0123456789ab, pod prod/shop-0, image nginx, publishes 8080 → 80/tcp`.
pub(crate) fn container(c: &Container) -> String {
    let mut text = format!("{} {}", c.engine, c.name());
    let others: Vec<String> =
        c.names.iter().skip(1).map(|(n, t)| format!("{n} ({})", t.as_str())).collect();
    if !others.is_empty() {
        let _ = write!(text, ", also {}", others.join(", "));
    }
    let short = c.id.get(..12).filter(|_| c.id.len() == 64).unwrap_or(&c.id);
    if ![c.id.as_str(), short].contains(&c.name()) {
        let _ = write!(text, ", id {short}");
    }
    if let Some(pod) = &c.pod {
        let space = pod.namespace.as_ref().map(|n| format!("{n}/")).unwrap_or_default();
        let _ = write!(text, ", pod {space}{}", pod.name);
    }
    for (word, value) in [("image", c.image.clone()), ("pid", c.pid.map(|p| p.to_string()))] {
        if let Some(value) = value {
            let _ = write!(text, ", {word} {value}");
        }
    }
    for (word, list) in [
        ("on network", c.networks.clone()),
        ("publishes", c.publishes.iter().map(publish).collect()),
    ] {
        if !list.is_empty() {
            let _ = write!(text, ", {word} {}", list.join(", "));
        }
    }
    text
}

/// `8080 → 80/tcp`, `127.0.0.1:8080 → 80/tcp`.
pub(crate) fn publish(p: &Publish) -> String {
    let host = match p.host.filter(|h| !h.is_unspecified()) {
        Some(IpAddr::V6(ip)) => format!("[{ip}]:"),
        Some(ip) => format!("{ip}:"),
        None => String::new(),
    };
    format!("{host}{} → {}/{}", p.host_port, p.port, p.protocol)
}

/// `Docker network bridge (172.17.0.0/16), docker0`.
pub(crate) fn network(n: &Network) -> String {
    let mut text = format!("{} network {}", n.engine, n.name);
    if n.driver != n.name {
        let _ = write!(text, ", driver {}", n.driver);
    }
    for net in &n.subnets {
        let _ = write!(text, ", {net}");
    }
    if let Some(link) = &n.link {
        let _ = write!(text, ", on {link}");
    }
    text
}

/// `tcp 0.0.0.0:8080, 4711 nginx`.
pub(crate) fn listener(l: &Listener) -> String {
    let at = endpoint(l.ip, l.port, l.protocol);
    let process = |p: &model::Process| format!("{} {}", p.pid, p.comm);
    let whose = match l.processes.len() {
        0 => format!("uid {}, its process is not visible", l.uid),
        _ => some(3, l.processes.iter().map(process)),
    };
    format!("{} {at}  {whose}", ip_protocol(l.protocol))
}

/// A name with who gives it: `web (Docker, API)`.
pub(crate) fn name(name: &model::Name) -> String {
    let source = match &name.source {
        NameSource::Lab(lab) => format!("lab {lab}"),
        NameSource::Engine(engine, teller) => format!("{engine}, {}", teller.as_str()),
        NameSource::Host => "host name".to_owned(),
        NameSource::File => "file".to_owned(),
        NameSource::Process => "process".to_owned(),
    };
    format!("{} ({source})", name.text)
}

/// All names of a namespace, and what else is known of it.
pub(crate) fn known_by(snapshot: &Snapshot, ns: &Namespace) -> String {
    let mut words: Vec<String> = ns.names.iter().map(name).collect();
    words.extend(about(snapshot, ns));
    words.join(", ")
}

/// What a namespace is, in two words: `Docker`, `LXC 111`, `containerd pod shop-0`, `lab seed`.
pub(crate) fn what(snapshot: &Snapshot, ns: &Namespace) -> String {
    if let Some(c) = ns.containers.iter().find(|c| ns.names.iter().any(|n| is_from(n, c))) {
        return engine(c);
    }
    match ns.names.first().map(|n| &n.source) {
        Some(NameSource::Lab(lab)) => format!("lab {lab}"),
        Some(NameSource::Engine(engine, _)) => engine.to_string(),
        Some(NameSource::Host) => "host".to_owned(),
        _ if snapshot.viewer == Some(ns.id) => "this host".to_owned(),
        Some(NameSource::File) => "file".to_owned(),
        Some(NameSource::Process) => "process".to_owned(),
        None => "not visible".to_owned(),
    }
}

fn is_from(name: &model::Name, c: &Container) -> bool {
    matches!(&name.source, NameSource::Engine(engine, _) if *engine == c.engine)
}

/// The engine, with the number or pod that goes with the container's name.
fn engine(c: &Container) -> String {
    match &c.pod {
        Some(pod) => format!("{} pod {}", c.engine, pod.name),
        None if c.id.len() < 12 && c.id != c.name() => format!("{} {}", c.engine, c.id),
        None => c.engine.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use model::{Engine, Pod, Teller};

    use super::*;

    #[test]
    fn what_engines_have() {
        let id = "543927028a984205122a70e2702e5f3005e10f3ddde7b8a63fc2b2bba12414af";
        let mut web = Container::new(Engine::Docker, id, Teller::Files);
        web.names = vec![("web".into(), Teller::Files), ("old".into(), Teller::Kernel)];
        web.told_by.push(Teller::Kernel);
        web.image = Some("nginx".into());
        web.networks = vec!["shop".into()];
        let port = |host: Option<&str>| Publish {
            protocol: "tcp".into(),
            host: host.map(|h| h.parse().unwrap()),
            host_port: 8080,
            port: 80,
        };
        web.publishes = vec![port(None), port(Some("::1"))];
        let mut pause = Container::new(Engine::Containerd, id, Teller::Kernel);
        pause.pod = Some(Pod { name: "web-0".into(), namespace: Some("shop".into()) });
        let shop = Network {
            engine: Engine::Docker,
            name: "shop".into(),
            id: id.into(),
            driver: "bridge".into(),
            link: Some("br-543927028a98".into()),
            subnets: vec!["172.18.0.0/16".parse().unwrap()],
            told_by: Teller::Files,
        };
        let lines = [container(&web), container(&pause), network(&shop)];
        assert_snapshot!(lines.join("\n"), @"
    Docker web, also old (cgroup), id 543927028a98, image nginx, on network shop, publishes 8080 → 80/tcp, [::1]:8080 → 80/tcp
    containerd 543927028a98, pod shop/web-0
    Docker network shop, driver bridge, 172.18.0.0/16, on br-543927028a98
    ");
    }
}
