use std::net::IpAddr;

use model::{LinkId, LinkKind, Mac};

use super::case::{Case, Said, said};
use crate::words as w;

pub(super) fn blocked(c: Case<'_>, port: LinkId) -> Said {
    let state = c.snapshot.link(port).and_then(w::trouble).unwrap_or("not forwarding");
    said(format!("the port {} does not forward ({state})", c.name(port)))
}

pub(super) fn locked(c: Case<'_>, port: LinkId) -> Said {
    let (mac, dev) = (c.packet.src_mac.unwrap_or_default(), c.dev_of(port));
    let name = c.name(port);
    said(format!("the port {name} is locked, and no entry says that the sender is behind it"))
        .advise(c.here(format!("bridge fdb replace {mac} dev {dev} master static")))
}

pub(super) fn no_hairpin(c: Case<'_>, port: LinkId) -> Said {
    let port = c.name(port);
    said(format!("it would have to go back out of {port}, and hairpin is off there"))
}

pub(super) fn isolated(c: Case<'_>, port: LinkId) -> Said {
    said(format!("{} is isolated, as is the port that it came in by", c.name(port)))
}

pub(super) fn not_in_vlan(c: Case<'_>, port: LinkId, id: Option<u16>) -> Said {
    let (name, dev) = (c.name(port), c.dev_of(port));
    let Some(id) = id else {
        return said(format!("the frame has no tag, and {name} has no VLAN for such (PVID)"))
            .advise(c.here(format!("bridge vlan add dev {dev} vid VLAN pvid untagged")));
    };
    let own = c.snapshot.link(port).is_some_and(|l| l.port.is_none());
    let own = if own { " self" } else { "" };
    said(format!("{name} is not in VLAN {id}, which the frame belongs to"))
        .advise(c.here(format!("bridge vlan add dev {dev} vid {id}{own}")))
}

pub(super) fn not_wanted(c: Case<'_>, group: IpAddr) -> Said {
    let (link, dev) = (c.link(), c.dev());
    said(format!("nobody on {link} has asked for {group}, and somebody asks for members there"))
        .advise(c.here(format!("bridge mdb add dev {dev} port PORT grp {group} permanent")))
}

pub(super) fn pause(c: Case<'_>) -> Said {
    said("a frame for 01:80:c2:00:00:01 asks its link to pause, and no bridge takes it")
        .advise(format!("correct the neighbour entry of {} at its sender", c.packet.dst))
}

pub(super) fn no_port(c: Case<'_>) -> Said {
    let link = c.loss.link.and_then(|id| c.snapshot.link(id));
    if link.is_some_and(|link| matches!(link.kind, LinkKind::Bond(_))) {
        return said(format!("no port of {} can send", c.link()));
    }
    said(format!("{} has no other port that could take it", c.link()))
        .advise(c.here(format!("ip link set LINK master {}", c.dev())))
}

pub(super) fn not_our_mac(c: Case<'_>, mac: Mac) -> Said {
    said(format!("the frame is for {mac}, which is not {}'s address", c.link()))
        .advise(c.here(format!("ip link set {} master BRIDGE", c.dev())))
}
