//! What is done with a Snapshot, whoever made it: shown in every form, and walked through.

use std::net::{IpAddr, Ipv4Addr};

use model::{IpSet, Link, LinkId, LinkKind, NsId, Relation, Ruleset, Snapshot, Target};
use render::{Query, Style};
use walk::{Indexed, Overlay, Place, Protocol, Question, Quiet};

/// How many namespaces are shown and walked from, and how many addresses to: as many as a fuzzer has
/// patience for.
const MOST: usize = 3;

/// All views, and ways between its namespaces.
pub(crate) fn all(snapshot: &Snapshot) {
    shown(snapshot);
    walked(snapshot);
    let report = doctor::examine(snapshot);
    let _ = render::doctor(snapshot, &report, &Style::default());
}

fn shown(snapshot: &Snapshot) {
    let style = Style { width: 100, ascii: false, colour: true };
    let _ = render::map(snapshot, None, &style);
    let _ = render::ls(snapshot, snapshot.viewer, &style);
    let _ = render::json::text(&render::json::map(snapshot, None));
    let _ = render::json::text(&render::json::ls(snapshot, None));
    for id in snapshot.namespaces.keys().take(MOST) {
        let _ = render::show(snapshot, Target::Namespace(*id), &style);
        let view = render::json::show(snapshot, Target::Namespace(*id));
        let _ = view.map(|view| render::json::text(&view));
    }
    for word in ["10.0.0.0/8", "02:00:00:00:00:01", ":80", "a"] {
        let findings = render::find(snapshot, &Query::parse(word));
        let _ = findings.text(snapshot, &style);
    }
    let empty = Snapshot::default();
    for (before, after) in [(snapshot, snapshot), (&empty, snapshot), (snapshot, &empty)] {
        let differences = model::diff(before, after);
        let _ = render::diff(before, after, &differences, true, &style);
    }
}

/// Ways from a few namespaces and from outside to a few addresses.
fn walked(snapshot: &Snapshot) {
    let net = Indexed::new(snapshot);
    let inside = snapshot.namespaces.keys().take(MOST).map(|id| Place::Namespace(*id));
    let places: Vec<Place> = inside.chain(border(snapshot).map(Place::Outside)).collect();
    let protocols = [Protocol::Icmp, Protocol::Tcp(80), Protocol::Udp(53)];
    for (nth, to) in destinations(snapshot).into_iter().enumerate() {
        for place in &places {
            traced(&net, Question::new(*place, to, protocols[nth % protocols.len()]));
        }
    }
}

/// Both ways with all that is told of them, and the same again without a word: they come to the same.
fn traced(net: &Indexed<'_>, question: Question) {
    let trace = net.trace(question.clone());
    let _ = render::trace(net.snapshot, &trace, None, true, &Style::default());
    let _ = render::json::text(&render::json::trace(net.snapshot, &trace, None));
    let _ = walk::walk(net, &mut Overlay::new(), question.from, question.packet, &mut Quiet);
}

fn border(snapshot: &Snapshot) -> Option<LinkId> {
    let open = |link: &Link| {
        link.relation == Relation::None && link.kind != LinkKind::Loopback && link.master.is_none()
    };
    let links = |(id, ns): (&NsId, &model::Namespace)| {
        let (id, first) = (*id, ns.links.values().find(|link| open(link))?.index);
        Some(LinkId { ns: id, index: first })
    };
    snapshot.namespaces.iter().find_map(links)
}

fn destinations(snapshot: &Snapshot) -> Vec<Ipv4Addr> {
    let addresses = snapshot.namespaces.values().flat_map(|ns| &ns.addresses);
    let mut found = Vec::new();
    for address in addresses {
        if let IpAddr::V4(ip) = address.ip()
            && !ip.is_loopback()
            && !found.contains(&ip)
            && found.len() < MOST
        {
            found.push(ip);
        }
    }
    found.extend([[127, 0, 0, 1], [203, 0, 113, 10], [255; 4]].map(Ipv4Addr::from));
    found
}

/// A packet of each kind through a router with this ruleset, there and back.
pub(crate) fn through(ruleset: Ruleset) {
    through_sets(ruleset, Vec::new());
}

/// The same where rules may ask sets of ipset.
pub(crate) fn through_sets(ruleset: Ruleset, ipsets: Vec<IpSet>) {
    let snapshot = crate::seeds::router(ruleset, ipsets);
    let net = Indexed::new(&snapshot);
    let Some(sender) = crate::seeds::sender(&snapshot) else { return };
    for protocol in [Protocol::Icmp, Protocol::Tcp(80), Protocol::Udp(53)] {
        traced(&net, Question::new(Place::Namespace(sender), crate::seeds::RECEIVER, protocol));
    }
}
