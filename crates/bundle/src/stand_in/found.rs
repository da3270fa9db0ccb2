//! What was found from outside.

use std::hash::BuildHasher;

use model::{Container, NameSource, Namespace, Network, Snapshot};

use super::StandIns;

pub(super) fn replace<K: BuildHasher>(keys: &StandIns<K>, found: &mut Snapshot) {
    for namespace in found.namespaces.values_mut() {
        self::namespace(keys, namespace);
    }
}

fn namespace<K: BuildHasher>(keys: &StandIns<K>, namespace: &mut Namespace) {
    for name in &mut namespace.names {
        name.text = keys.name(&name.text);
        if let NameSource::Lab(lab) = &mut name.source {
            *lab = keys.name(lab);
        }
    }
    for process in &mut namespace.processes {
        process.comm = keys.name(&process.comm);
    }
    for file in &mut namespace.files {
        file.path = keys.path(&file.path);
    }
    namespace.containers.iter_mut().for_each(|c| container(keys, c));
    namespace.networks.iter_mut().for_each(|n| network(keys, n));
    namespace.gaps.iter_mut().for_each(|gap| gap.cause = keys.sentence(&gap.cause));
}

fn container<K: BuildHasher>(keys: &StandIns<K>, container: &mut Container) {
    container.id = keys.name(&container.id);
    for (name, _) in &mut container.names {
        *name = keys.name(name);
    }
    if let Some(pod) = &mut container.pod {
        pod.name = keys.name(&pod.name);
        pod.namespace = pod.namespace.as_ref().map(|n| keys.name(n));
    }
    container.image = container.image.as_ref().map(|image| keys.path(image));
    container.networks.iter_mut().for_each(|network| *network = keys.name(network));
    for publish in &mut container.publishes {
        publish.host = publish.host.map(|ip| keys.ip(ip));
    }
}

fn network<K: BuildHasher>(keys: &StandIns<K>, network: &mut Network) {
    network.name = keys.name(&network.name);
    network.id = keys.name(&network.id);
    network.link = network.link.as_ref().map(|link| keys.link(link));
    network.subnets.iter_mut().for_each(|net| *net = keys.net(*net));
}
