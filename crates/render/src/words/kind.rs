//! What a link is, in the words of `ip -d link`.

use std::fmt::Write as _;
use std::net::IpAddr;

use model::{Bond, Link, LinkKind, Member, Namespace, Netkit, Tunnel, Vxlan};

use super::dev;

/// What `ip -d link` calls it, with what matters of its kind.
pub(crate) fn link_kind(ns: &Namespace, l: &Link) -> String {
    let name = l.kind.as_str();
    match &l.kind {
        LinkKind::Macvlan(m) => format!("{name}, mode {}", m.mode.as_str()),
        LinkKind::Ipvlan(i) => format!("{name}, mode {} {}", i.mode.as_str(), i.flag.as_str()),
        LinkKind::Vlan(v) => format!("{name} protocol {} id {}", v.protocol_name(), v.id),
        LinkKind::Vxlan(v) => vxlan(v),
        LinkKind::Tunnel(t) => tunnel(t),
        LinkKind::Bond(b) => bond(ns, b),
        LinkKind::Vrf(v) => format!("{name} table {}", v.table),
        LinkKind::Netkit(n) => netkit(n),
        LinkKind::Wireguard(own) => super::wireguard::kind(own.as_deref()),
        LinkKind::Tap(t) => match &t.holder {
            Some(h) => format!("{name}, held by {} ({})", h.pid, h.comm),
            None => name.to_owned(),
        },
        LinkKind::Loopback
        | LinkKind::Physical
        | LinkKind::Veth
        | LinkKind::Bridge(_)
        | LinkKind::Other(_) => name.to_owned(),
    }
}

/// The same in as few words as a figure has room for; None for what needs none there.
pub(crate) fn kind_note(l: &Link) -> Option<String> {
    let name = l.kind.as_str();
    Some(match &l.kind {
        LinkKind::Loopback
        | LinkKind::Physical
        | LinkKind::Veth
        | LinkKind::Bridge(_)
        | LinkKind::Tap(_) => return None,
        LinkKind::Vlan(v) => format!("{name} {}", v.id),
        LinkKind::Vxlan(v) => format!("{name} {}", v.vni),
        LinkKind::Ipvlan(i) => format!("{name} {}", i.mode.as_str()),
        LinkKind::Vrf(v) => format!("{name} table {}", v.table),
        LinkKind::Tunnel(_)
        | LinkKind::Macvlan(_)
        | LinkKind::Bond(_)
        | LinkKind::Netkit(_)
        | LinkKind::Wireguard(_)
        | LinkKind::Other(_) => name.to_owned(),
    })
}

/// What a master that is no bridge made of it: `port of bond0, BACKUP`, `in VRF blue`.
pub(crate) fn membership(ns: &Namespace, l: &Link) -> Option<String> {
    let master = dev(ns, l.master?);
    Some(match &l.member {
        Some(Member::Bond(port)) => {
            let looked = if port.mii.as_str() == "UP" { "" } else { ", carrier " };
            let mii = if looked.is_empty() { "" } else { port.mii.as_str() };
            format!("port of {master}, {}{looked}{mii}", port.state())
        }
        Some(Member::Vrf { .. }) => format!("in VRF {master}"),
        Some(Member::Other(kind)) => format!("port of {master} ({kind})"),
        None => format!("below {master}"),
    })
}

fn bond(ns: &Namespace, b: &Bond) -> String {
    let mut text = format!("bond mode {}", b.mode().as_str());
    if b.miimon() > 0 {
        let _ = write!(text, " miimon {}", b.miimon());
    }
    for (word, port) in [("active_slave", b.active), ("primary", b.primary)] {
        if let Some(port) = port {
            let _ = write!(text, " {word} {}", dev(ns, port));
        }
    }
    text
}

fn netkit(n: &Netkit) -> String {
    let mode = if n.layer3 { "l3" } else { "l2" };
    let end = if n.primary { "primary" } else { "peer" };
    let (own, far) = (n.policy.as_str(), n.peer_policy.as_str());
    format!("netkit mode {mode} type {end} policy {own} peer policy {far}")
}

fn vxlan(v: &Vxlan) -> String {
    let mut text = format!("vxlan {}", v.vni);
    ends(&mut text, v.local, v.remote);
    let _ = write!(text, " port {}", v.port);
    for special in &v.special {
        let _ = write!(text, " {special}");
    }
    text
}

fn tunnel(t: &Tunnel) -> String {
    let mut text = t.kind.clone();
    if let Some(id) = t.id {
        let word = if t.kind == "geneve" { "id" } else { "key" };
        let _ = write!(text, " {word} {id}");
    }
    ends(&mut text, t.local, t.remote);
    if let Some(port) = t.port {
        let _ = write!(text, " port {port}");
    }
    text
}

fn ends(text: &mut String, local: Option<IpAddr>, remote: Option<IpAddr>) {
    for (word, ip) in [("local", local), ("remote", remote)] {
        if let Some(ip) = ip {
            let _ = write!(text, " {word} {ip}");
        }
    }
}
