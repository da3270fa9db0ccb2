use std::net::IpAddr;

use model::Namespace;
use schemars::JsonSchema;
use serde::Serialize;

use crate::words;

/// A VLAN that a port of a bridge, or a bridge itself, is in.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct VlanView {
    /// The port, or the bridge.
    pub dev: String,
    /// Which VLAN.
    pub id: u16,
    /// Frames that come in without a tag belong to it.
    pub pvid: bool,
    /// Its frames go out without a tag.
    pub untagged: bool,
}

/// An entry of a multicast database.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MdbView {
    /// The bridge.
    pub bridge: String,
    /// The port behind which the group is wanted; the bridge: this host wants it itself.
    pub port: String,
    /// The group: an address, or an Ethernet address.
    pub group: String,
    /// Only what that one sends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<IpAddr>,
    /// VLAN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlan: Option<u16>,
    /// Made by hand; else it goes when nobody asks for it any more.
    pub permanent: bool,
}

/// VLANs of those links, and of the ports of those bridges.
pub(super) fn vlans(ns: &Namespace, on: impl Fn(u32) -> bool) -> Vec<VlanView> {
    let master = |index: u32| ns.links.get(&index).and_then(|l| l.master);
    let told = ns.vlans.iter().filter(|v| on(v.link) || master(v.link).is_some_and(&on));
    told.map(|v| VlanView {
        dev: words::dev(ns, v.link),
        id: v.id,
        pvid: v.pvid,
        untagged: v.untagged,
    })
    .collect()
}

pub(super) fn mdb(ns: &Namespace, on: impl Fn(u32) -> bool) -> Vec<MdbView> {
    let told = ns.mdb.iter().filter(|e| on(e.bridge) || on(e.port));
    told.map(|e| MdbView {
        bridge: words::dev(ns, e.bridge),
        port: words::dev(ns, e.port),
        group: words::group(e.group),
        source: e.source,
        vlan: (e.vlan != 0).then_some(e.vlan),
        permanent: e.permanent,
    })
    .collect()
}
