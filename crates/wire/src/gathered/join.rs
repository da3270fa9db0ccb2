//! From one namespace's numbers to what they mean: links, joined.

use std::collections::{BTreeMap, BTreeSet};

use model::{LinkKind, Namespace, NsId, Snapshot, Warning};

use super::{Numbering, Reading, pair, wireguard};
use crate::rtnl::NsidRow;

/// Puts what was read into what was found.
#[must_use]
pub fn join(
    mut found: Snapshot,
    readings: impl IntoIterator<Item = (NsId, Reading)>,
    numbering: Option<&Numbering>,
) -> Snapshot {
    let mut ports = BTreeMap::new();
    for (id, mut reading) in readings {
        ports.insert(id, std::mem::take(&mut reading.udp_ports));
        let warning = |text| Warning { ns: Some(id), text };
        if let Some(namespace) = found.namespaces.get_mut(&id) {
            let texts = fill(namespace, reading, numbering);
            found.warnings.extend(texts.into_iter().map(warning));
        }
    }
    pair::part(&mut found);
    wireguard::find_sockets(&mut found, &ports);
    let there: BTreeSet<NsId> = found.namespaces.keys().copied().collect();
    for namespace in found.namespaces.values_mut() {
        namespace.parent = namespace.parent.filter(|p| there.contains(p));
    }
    found
}

/// Returns what went wrong without leaving a gap.
fn fill(namespace: &mut Namespace, reading: Reading, numbering: Option<&Numbering>) -> Vec<String> {
    let mut warnings = reading.warnings;
    let of = |nsid| numbering?.namespace(nsid);
    for raw in reading.links {
        let link = raw.resolve(namespace.id, of);
        namespace.links.insert(link.index, link);
    }
    for (index, tc) in reading.tc {
        if let Some(link) = namespace.links.get_mut(&index) {
            link.tc = Some(Box::new(tc));
        }
    }
    for (index, queues) in reading.queues {
        if let Some(link) = namespace.links.get_mut(&index) {
            link.queues = queues;
        }
    }
    for (index, told) in reading.wireguard {
        if let Some(link) = namespace.links.get_mut(&index)
            && let LinkKind::Wireguard(own) = &mut link.kind
        {
            *own = Some(Box::new(told));
        }
    }
    namespace.addresses = reading.addresses;
    namespace.address_labels = reading.address_labels;
    namespace.routes = reading.routes;
    namespace.learned = reading.learned;
    namespace.rules = reading.rules;
    namespace.tables_split = reading.tables_split;
    namespace.neighbours = reading.neighbours;
    namespace.fdb = reading.fdb;
    namespace.vlans = reading.vlans;
    namespace.mdb = reading.mdb;
    namespace.router_ports = reading.router_ports;
    namespace.ruleset = reading.ruleset;
    namespace.ipsets = reading.ipsets;
    namespace.conntrack = reading.conntrack;
    namespace.groups = reading.groups;
    namespace.listeners = reading.listeners;
    namespace.resolvers = reading.resolvers;
    namespace.sysctls = reading.sysctls;
    namespace.opaque.extend(reading.opaque);
    namespace.gaps.extend(reading.gaps);
    warnings.extend(table(namespace, &reading.nsids, of));
    warnings
}

/// The table of nsids, now that every namespace has a number. Returns what of it is strange.
fn table(
    namespace: &mut Namespace,
    rows: &[NsidRow],
    of: impl Fn(i32) -> Option<NsId>,
) -> Option<String> {
    let mut strange = Vec::new();
    for NsidRow { nsid, current } in rows {
        let Some(own) = *nsid else { continue };
        match current.and_then(|n| of(n.cast_signed())) {
            Some(whom) => drop(namespace.nsids.insert(own, whom)),
            None => strange.push(own),
        }
    }
    let (count, first) = (strange.len(), strange.first()?);
    Some(format!("{count} of its nsids ({first}, …) stand for namespaces that nothing else shows"))
}
