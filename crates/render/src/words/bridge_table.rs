use model::{BridgeVlan, Group, MdbEntry, Namespace};

use super::dev;

/// `10 PVID untagged`, as `bridge vlan` has it.
pub(crate) fn vlan(v: &BridgeVlan) -> String {
    let pvid = if v.pvid { " PVID" } else { "" };
    let untagged = if v.untagged { " untagged" } else { "" };
    format!("{}{pvid}{untagged}", v.id)
}

/// The VLANs of each port of a bridge and of the bridge itself: `veth1: 1 PVID untagged, 10`. Of
/// a bridge that does not heed them, only what somebody has put there.
pub(crate) fn vlans(ns: &Namespace, wanted: impl Fn(u32) -> bool) -> Vec<String> {
    let links = ns.links.values().filter(|l| wanted(l.index) || l.master.is_some_and(&wanted));
    let heeded = |index: u32, of: &[&BridgeVlan]| {
        let bridge = ns.bridge_of(index);
        let filters = bridge.is_none_or(|bridge| bridge.vlan_filtering);
        let usual = |v: &&BridgeVlan| v.pvid && bridge.is_some_and(|b| b.default_pvid == v.id);
        filters || !of.iter().all(usual)
    };
    links
        .filter_map(|link| {
            let of: Vec<_> = ns.vlans.iter().filter(|v| v.link == link.index).collect();
            let line = of.iter().map(|v| vlan(v)).collect::<Vec<_>>().join(", ");
            (!of.is_empty() && heeded(link.index, &of)).then(|| format!("{}: {line}", link.name))
        })
        .collect()
}

/// `br0: 239.1.1.1 is wanted behind veth1 (permanent)`.
pub(crate) fn mdb(ns: &Namespace, e: &MdbEntry) -> String {
    let by = match e.port == e.bridge {
        true => "by this host itself".to_owned(),
        false => format!("behind {}", dev(ns, e.port)),
    };
    let source = e.source.map_or_else(String::new, |source| format!(" from {source}"));
    let vlan = if e.vlan == 0 { String::new() } else { format!(" vlan {}", e.vlan) };
    let kept = if e.permanent { "permanent" } else { "as long as it is asked for" };
    format!("{}: {}{source}{vlan} is wanted {by} ({kept})", dev(ns, e.bridge), group(e.group))
}

pub(crate) fn group(group: Group) -> String {
    match group {
        Group::Ip(ip) => ip.to_string(),
        Group::Mac(mac) => mac.to_string(),
    }
}
