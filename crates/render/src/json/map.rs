use std::collections::BTreeSet;

use model::{LinkId, LinkKind, NsId, Snapshot};
use schemars::JsonSchema;
use serde::Serialize;

use super::namespace::{NamespaceView, WarningView, namespace, warning};
use super::refs::Refs;
use super::show::{LinkView, link};
use crate::map as figure;

/// What `map` draws.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MapView {
    /// Where this is from, if not from this host as it is now: a bundle, or pasted outputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Namespaces, parents before children.
    pub namespaces: Vec<NamespaceView>,
    /// Their links, `lo` left out.
    pub links: Vec<LinkView>,
    /// Pairs of links that are joined, each once.
    pub wires: Vec<WireView>,
    /// Pairs of WireGuard links, each of which is the other's peer, each once.
    pub tunnels: Vec<WireView>,
    /// What went wrong while reading: of what the view may miss something.
    pub warnings: Vec<WarningView>,
}

/// A wire.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct WireView {
    /// Both ends as `NAMESPACE:LINK`; the second may be a link that is not among `links`.
    pub ends: [String; 2],
}

/// The whole Snapshot, or what was chosen. Nothing is left out for lack of room.
#[must_use]
pub fn map(snapshot: &Snapshot, choice: impl Into<figure::Choice>) -> MapView {
    let chosen = figure::chosen(snapshot, &choice.into());
    let refs = Refs::of(snapshot);
    let told_of: BTreeSet<NsId> = chosen.iter().copied().collect();
    let warnings = snapshot.warnings.iter().map(warning).collect();
    let mut view = MapView {
        origin: snapshot.origin.clone(),
        namespaces: Vec::new(),
        links: Vec::new(),
        wires: Vec::new(),
        tunnels: Vec::new(),
        warnings,
    };
    for ns in chosen.iter().filter_map(|id| snapshot.namespaces.get(id)) {
        view.namespaces.push(namespace(snapshot, &refs, ns, None));
        for l in ns.links.values().filter(|l| l.kind != LinkKind::Loopback) {
            view.links.push(link(snapshot, &refs, ns, l));
            let here = LinkId { ns: ns.id, index: l.index };
            let before = |there: &LinkId| told_of.contains(&there.ns) && *there < here;
            let wire = |there| WireView { ends: [here, there].map(|id| snapshot.link_name(id)) };
            let tunnels = snapshot.tunnelled_to(here).filter(|there| !before(there));
            view.tunnels.extend(tunnels.map(wire));
            let Some(there) = l.peer() else { continue };
            let mutual = snapshot.link(there).and_then(model::Link::peer) == Some(here);
            if !(mutual && before(&there)) {
                view.wires.push(wire(there));
            }
        }
    }
    view
}
