use model::{Container, Namespace, Network, Publish};

/// The containers in a namespace: what they are, and by whom that is known.
pub(super) fn containers(ns: &Namespace) -> Vec<String> {
    ns.containers.iter().flat_map(container).collect()
}

fn container(c: &Container) -> Vec<String> {
    let others: Vec<&str> = c.names.iter().skip(1).map(|(name, _)| name.as_str()).collect();
    let pod = c.pod.as_ref().map(|p| match &p.namespace {
        Some(namespace) => format!("pod {namespace}/{}", p.name),
        None => format!("pod {}", p.name),
    });
    let tellers: Vec<&str> = c.told_by.iter().map(|t| t.as_str()).collect();
    let id = short(&c.id);
    let whose = if c.name() == id { c.engine.to_string() } else { format!("{} {id}", c.engine) };
    let publishes: Vec<String> = c.publishes.iter().map(publish).collect();
    let facts = [
        some("also called ", &others.join(", ")),
        pod,
        c.image.as_ref().map(|image| format!("image {image}")),
        c.pid.map(|pid| format!("process {pid}")),
        some("networks ", &c.networks.join(", ")),
        some("publishes ", &publishes.join(", ")),
        some("by ", &tellers.join(", ")),
    ];
    let facts: Vec<String> = facts.into_iter().flatten().collect();
    vec![format!("{}: {whose}", c.name()), format!("   {}", facts.join("; "))]
}

fn publish(p: &Publish) -> String {
    let host = match p.host {
        Some(std::net::IpAddr::V6(ip)) => format!("[{ip}]:"),
        Some(ip) => format!("{ip}:"),
        None => String::new(),
    };
    format!("{host}{} → {}/{}", p.host_port, p.port, p.protocol)
}

/// Networks of engines that run in a namespace.
pub(super) fn networks(ns: &Namespace) -> Vec<String> {
    ns.networks.iter().map(network).collect()
}

fn network(n: &Network) -> String {
    let subnets: Vec<String> = n.subnets.iter().map(ToString::to_string).collect();
    let facts = [
        some("", &n.driver),
        n.link.as_ref().map(|link| format!("link {link}")),
        some("", &subnets.join(", ")),
        Some(format!("by {}", n.told_by.as_str())),
    ];
    let facts: Vec<String> = facts.into_iter().flatten().collect();
    format!("{}: {} network {}; {}", n.name, n.engine, short(&n.id), facts.join("; "))
}

fn some(before: &str, text: &str) -> Option<String> {
    (!text.is_empty()).then(|| format!("{before}{text}"))
}

/// Ids as engines shorten them.
fn short(id: &str) -> &str {
    id.get(..12).filter(|_| id.len() == 64).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use model::{Engine, NsId, Pod, Teller};

    use super::*;

    #[test]
    fn what_is_known_and_by_whom() {
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
        let mut ns = Namespace::new(NsId::inode(1));
        ns.containers = vec![web, pause];
        ns.networks.push(Network {
            engine: Engine::Docker,
            name: "shop".into(),
            id: id.into(),
            driver: "bridge".into(),
            link: Some("br-543927028a98".into()),
            subnets: vec!["172.18.0.0/16".parse().unwrap()],
            told_by: Teller::Files,
        });
        let lines = [containers(&ns), networks(&ns)].concat();
        assert_snapshot!(lines.join("\n"), @r"
    web: Docker 543927028a98
       also called old; image nginx; networks shop; publishes 8080 → 80/tcp, [::1]:8080 → 80/tcp; by files, cgroup
    543927028a98: containerd
       pod shop/web-0; by cgroup
    shop: Docker network 543927028a98; bridge; link br-543927028a98; 172.18.0.0/16; by files
    ");
    }
}
