use model::LinkId;

use super::case::{Case, Said, said};

pub(super) fn down(c: Case<'_>) -> Said {
    said(format!("{} is down", c.link()))
}

pub(super) fn no_carrier(c: Case<'_>) -> Said {
    said(format!("{} is up but has no carrier", c.link()))
        .advise(format!("plug in what {} is to be connected to", c.dev()))
}

pub(super) fn peer_down(c: Case<'_>, peer: LinkId) -> Said {
    said(format!("its other end {} is down", c.snapshot.link_name(peer)))
}

pub(super) fn too_big(c: Case<'_>, mtu: u32, told: bool) -> Said {
    let told = if told { "the sender is told" } else { "the sender is not told" };
    let df = if c.packet.df { " and must not be broken up" } else { "" };
    said(format!("{} bytes are too many for an MTU of {mtu}{df}; {told}", c.packet.len))
}

pub(super) fn swallowed(c: Case<'_>) -> Said {
    said(format!("{} throws away what it is given", c.link()))
        .advise(format!("send it by another link than {}", c.dev()))
}

pub(super) fn queue(c: Case<'_>, kind: &str, most: Option<u32>) -> Said {
    let link = c.link();
    let does = match most {
        None => "throws all away".to_owned(),
        Some(most) => format!("takes frames of {most} bytes at most"),
    };
    said(format!("the queueing discipline of {link} ({kind}) {does}"))
}

pub(super) fn stands_by(c: Case<'_>) -> Said {
    said(format!("{} is a port of a bond that stands by", c.link()))
        .advise(c.here(format!("ip link set BOND type bond active_slave {}", c.dev())))
}

pub(super) fn no_vlan_link(c: Case<'_>, id: u16) -> Said {
    let dev = c.dev();
    said(format!("the frame has the tag of VLAN {id}, and no link on {} takes that", c.link()))
        .advise(c.here(format!("ip link add link {dev} name {dev}.{id} type vlan id {id}")))
}

pub(super) fn ipv6_disabled(c: Case<'_>) -> Said {
    let (link, dev) = (c.link(), c.dev());
    let small = c.loss.link.and_then(|l| c.snapshot.link(l)).is_some_and(|l| l.mtu < 1280);
    let (why, command) = match small {
        true => ("its MTU is under 1280", format!("ip link set {dev} mtu 1280")),
        false => ("disable_ipv6 1", format!("sysctl -w net.ipv6.conf.{dev}.disable_ipv6=0")),
    };
    said(format!("{link} carries no IPv6 ({why})")).advise(c.here(command))
}
