//! The runtime's `config.json` of a container (OCI runtime specification): containerd, nerdctl,
//! CRI-O and Podman write what they know into its annotations.

use model::{Container, Engine, Pod, Publish, Teller};
use serde_json::Value;

use super::json;

/// What a bundle's configuration tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bundle {
    /// What its engine calls the container.
    pub name: Option<String>,
    /// The pod that it is part of.
    pub pod: Option<Pod>,
    /// Its image.
    pub image: Option<String>,
    /// Names of the networks that it is attached to.
    pub networks: Vec<String>,
    /// Ports that are published for it.
    pub publishes: Vec<Publish>,
    /// The id of the container that holds its pod's namespaces.
    pub sandbox: Option<String>,
    /// Its host name.
    pub hostname: Option<String>,
}

/// Reads `config.json`.
#[must_use]
pub fn bundle(bytes: &[u8]) -> Option<Bundle> {
    let file = json::parse(bytes)?;
    let notes = file["annotations"].as_object();
    let first = |keys: &[&str]| keys.iter().find_map(|key| json::text(notes?.get(*key)?));
    let pod = first(&["io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name"]);
    let sandbox_name = first(&["io.kubernetes.cri-o.KubeName"]);
    let namespace = first(&[
        "io.kubernetes.cri.sandbox-namespace",
        "io.kubernetes.pod.namespace",
        "io.kubernetes.cri-o.Namespace",
    ]);
    let list = |key: &str| first(&[key]).and_then(|text| json::parse(text.as_bytes()));
    Some(Bundle {
        name: name(&first),
        pod: pod.or(sandbox_name).map(|name| Pod { name, namespace }),
        image: first(&["io.kubernetes.cri.image-name", "io.kubernetes.cri-o.ImageName"]),
        networks: list("nerdctl/networks").map(|l| texts(&l)).unwrap_or_default(),
        publishes: list("nerdctl/ports").map(|l| nerdctl_ports(&l)).unwrap_or_default(),
        sandbox: first(&["io.kubernetes.cri.sandbox-id", "io.kubernetes.cri-o.SandboxID"]),
        hostname: json::text(&file["hostname"]),
    })
}

/// A container that only holds a pod's namespaces has no name of its own.
fn name(first: &impl Fn(&[&str]) -> Option<String>) -> Option<String> {
    let kind = first(&["io.kubernetes.cri.container-type", "io.kubernetes.cri-o.ContainerType"]);
    if kind.as_deref() == Some("sandbox") {
        return None;
    }
    first(&["io.kubernetes.cri.container-name", "io.kubernetes.container.name", "nerdctl/name"])
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(json::text).collect()
}

/// `[{"HostPort":8080,"ContainerPort":80,"Protocol":"tcp","HostIP":"0.0.0.0"}]` (go-cni).
fn nerdctl_ports(list: &Value) -> Vec<Publish> {
    let port = |value: &Value| value.as_u64().and_then(|n| u16::try_from(n).ok());
    let one = |v: &Value| {
        let host = v["HostIP"].as_str().and_then(|ip| ip.parse().ok());
        Some(Publish {
            protocol: json::text(&v["Protocol"]).unwrap_or_else(|| "tcp".to_owned()),
            host: host.filter(|ip: &std::net::IpAddr| !ip.is_unspecified()),
            host_port: port(&v["HostPort"])?,
            port: port(&v["ContainerPort"])?,
        })
    };
    list.as_array().into_iter().flatten().filter_map(one).collect()
}

impl Bundle {
    /// What it tells of the container with that id.
    #[must_use]
    pub fn container(self, engine: Engine, id: &str) -> Container {
        let mut container = Container::new(engine, id, Teller::Files);
        container.names.extend(self.name.map(|name| (name, Teller::Files)));
        container.pod = self.pod;
        container.image = self.image;
        container.networks = self.networks;
        container.publishes = self.publishes;
        container
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(annotations: &str, wanted: &str) {
        let text = format!("{{\"ociVersion\":\"1.0.2\",\"annotations\":{{{annotations}}}}}");
        let b = bundle(text.as_bytes()).unwrap();
        let pod = b.pod.map(|p| format!("{}/{}", p.namespace.unwrap_or_default(), p.name));
        let words = [b.name, pod, b.image].map(|w| w.unwrap_or_else(|| "-".into()));
        assert_eq!(words.join(" "), wanted);
    }

    #[test]
    fn containerd_under_kubernetes() {
        // containerd 1.6/1.7, pkg/cri/annotations.
        check(
            r#""io.kubernetes.cri.container-name":"web","io.kubernetes.cri.container-type":"container",
               "io.kubernetes.cri.image-name":"docker.io/library/nginx:latest",
               "io.kubernetes.cri.sandbox-id":"b053","io.kubernetes.cri.sandbox-name":"web-768c-mn4bb",
               "io.kubernetes.cri.sandbox-namespace":"default""#,
            "web default/web-768c-mn4bb docker.io/library/nginx:latest",
        );
        check(
            r#""io.kubernetes.cri.container-type":"sandbox","io.kubernetes.cri.sandbox-name":"web-0",
               "io.kubernetes.cri.sandbox-namespace":"shop""#,
            "- shop/web-0 -",
        );
    }

    #[test]
    fn cri_o() {
        // CRI-O 1.2x: pkg/annotations, and the kubelet's labels beside its own.
        check(
            r#""io.kubernetes.container.name":"web","io.kubernetes.cri-o.ContainerType":"container",
               "io.kubernetes.cri-o.ImageName":"docker.io/library/nginx:latest",
               "io.kubernetes.cri-o.Name":"k8s_web_web-0_shop_1-2_0",
               "io.kubernetes.pod.name":"web-0","io.kubernetes.pod.namespace":"shop""#,
            "web shop/web-0 docker.io/library/nginx:latest",
        );
        check(
            r#""io.kubernetes.container.name":"POD","io.kubernetes.cri-o.ContainerType":"sandbox",
               "io.kubernetes.cri-o.KubeName":"web-0","io.kubernetes.cri-o.Namespace":"shop""#,
            "- shop/web-0 -",
        );
    }

    #[test]
    fn nerdctl() {
        // nerdctl, pkg/labels: labels are annotations too.
        let ports = r#"[{\"HostPort\":8080,\"ContainerPort\":80,\"Protocol\":\"tcp\",\"HostIP\":\"0.0.0.0\"}]"#;
        let notes = format!(
            "\"nerdctl/name\":\"web\",\"nerdctl/networks\":\"[\\\"bridge\\\"]\",\"nerdctl/ports\":\"{ports}\""
        );
        check(&notes, "web - -");
        let b = bundle(format!("{{\"annotations\":{{{notes}}}}}").as_bytes()).unwrap();
        assert_eq!(b.networks, ["bridge"]);
        assert_eq!((b.publishes[0].host_port, b.publishes[0].host), (8080, None));
    }

    #[test]
    fn other_shapes() {
        assert_eq!(bundle(b"{}"), Some(Bundle::default()));
        assert_eq!(bundle(br#"{"annotations":[1],"hostname":2}"#), Some(Bundle::default()));
        assert_eq!(bundle(b""), None);
        check(r#""nerdctl/networks":"[[","nerdctl/ports":"{}","nerdctl/name":3"#, "- - -");
    }
}
