//! Every container by the name that its engine gives it: first which there are, by what the kernel
//! shows ([`evidence`]), then what the engines' files tell of them ([`files`]).

mod evidence;
mod family;
mod files;

use std::collections::HashMap;

use model::{LinkKind, Namespace, Network, NsId, Snapshot, Warning};

use super::find::Finds;

/// Finds containers and networks, and puts each to its namespace.
pub(super) fn find(finds: &mut Finds, warnings: &mut Vec<Warning>) {
    let mut files = files::Files::new(&finds.processes);
    let mut containers = Vec::new();
    let mut networks = Vec::new();
    for mut shown in evidence::containers(&finds.processes) {
        let told = files.tell(&mut shown);
        let net_of = |place: usize| finds.processes[place].net;
        let Some(net) = net_of(shown.lead) else { continue };
        if let Some(side) = shown.side.and_then(net_of) {
            networks.extend(told.into_iter().map(|network| (side, network)));
        }
        containers.push((net, shown.container));
    }
    warnings.extend(files.warnings());
    let places: HashMap<NsId, usize> =
        finds.candidates.iter().enumerate().map(|(i, c)| (c.namespace.id, i)).collect();
    for (net, container) in containers {
        if let Some(place) = places.get(&net) {
            container.join(&mut finds.candidates[*place].namespace.containers);
        }
    }
    for (net, network) in networks {
        if let Some(place) = places.get(&net) {
            join(&mut finds.candidates[*place].namespace, network);
        }
    }
}

/// Of one network, each container's file knows a part.
fn join(namespace: &mut Namespace, network: Network) {
    let all = &mut namespace.networks;
    match all.iter_mut().find(|n| n.engine == network.engine && n.id == network.id) {
        Some(known) => {
            known.subnets.extend(network.subnets);
            known.subnets.sort();
            known.subnets.dedup();
        }
        None => all.push(network),
    }
}

/// Now that links are known: what a network's link is only said to be called is no link.
pub(super) fn settle(snapshot: &mut Snapshot) {
    for namespace in snapshot.namespaces.values_mut() {
        let mut networks = std::mem::take(&mut namespace.networks);
        for network in &mut networks {
            let link = network.link.as_deref().and_then(|name| namespace.link_named(name));
            if let (true, Some(link)) = (network.driver.is_empty(), link)
                && matches!(link.kind, LinkKind::Bridge(_))
            {
                network.driver = "bridge".to_owned();
            }
            if link.is_none() {
                network.link = None;
            }
        }
        namespace.networks = networks;
    }
}
