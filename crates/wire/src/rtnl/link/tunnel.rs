//! IFLA_INFO_DATA of tunnels.

use std::net::IpAddr;

use model::{Tunnel, TunnelDf, Vxlan};

use super::super::attr::{Attr, find};

const IFLA_VXLAN_ID: u16 = 1;
const IFLA_VXLAN_GROUP: u16 = 2;
const IFLA_VXLAN_LINK: u16 = 3;
const IFLA_VXLAN_LOCAL: u16 = 4;
const IFLA_VXLAN_TTL: u16 = 5;
const IFLA_VXLAN_TOS: u16 = 6;
const IFLA_VXLAN_LEARNING: u16 = 7;
const IFLA_VXLAN_PORT_RANGE: u16 = 10;
const IFLA_VXLAN_PORT: u16 = 15;
const IFLA_VXLAN_GROUP6: u16 = 16;
const IFLA_VXLAN_LOCAL6: u16 = 17;
const IFLA_VXLAN_DF: u16 = 29;
const IFLA_VXLAN_LOCALBYPASS: u16 = 31;
/// Features that are told of by name.
const SPECIAL: [(u16, &str); 4] = [(11, "proxy"), (12, "rsc"), (25, "external"), (30, "vnifilter")];
/// The same, whose attribute is there or not.
const SPECIAL_FLAGS: [(u16, &str); 2] = [(23, "gbp"), (27, "gpe")];
const IFLA_VXLAN_TTL_INHERIT: u16 = 28;

pub(super) fn vxlan(data: &[u8]) -> Vxlan {
    let either = |a, b| some_ip(data, a).or_else(|| some_ip(data, b));
    Vxlan {
        vni: find(data, IFLA_VXLAN_ID).and_then(Attr::u32).unwrap_or_default(),
        local: either(IFLA_VXLAN_LOCAL, IFLA_VXLAN_LOCAL6),
        remote: either(IFLA_VXLAN_GROUP, IFLA_VXLAN_GROUP6),
        port: find(data, IFLA_VXLAN_PORT).and_then(Attr::be16).unwrap_or_default(),
        learning: find(data, IFLA_VXLAN_LEARNING).is_some_and(Attr::flag),
        ttl: find(data, IFLA_VXLAN_TTL).and_then(Attr::u8).unwrap_or_default(),
        tos: find(data, IFLA_VXLAN_TOS).and_then(Attr::u8).unwrap_or_default(),
        df: match find(data, IFLA_VXLAN_DF).and_then(Attr::u8) {
            Some(1) => TunnelDf::Set,
            Some(2) => TunnelDf::Inherit,
            _ => TunnelDf::Unset,
        },
        source_ports: source_ports(data).unwrap_or_default(),
        // Kernels that do not know it do so.
        local_bypass: find(data, IFLA_VXLAN_LOCALBYPASS).is_none_or(Attr::flag),
        special: special(data),
    }
}

/// struct ifla_vxlan_port_range, in network order.
fn source_ports(data: &[u8]) -> Option<(u16, u16)> {
    let [a, b, c, d] = *find(data, IFLA_VXLAN_PORT_RANGE)?.value.first_chunk()?;
    Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
}

fn special(data: &[u8]) -> Vec<String> {
    let set = SPECIAL.iter().filter(|(kind, _)| find(data, *kind).is_some_and(Attr::flag));
    let there = SPECIAL_FLAGS.iter().filter(|(kind, _)| find(data, *kind).is_some());
    let mut all: Vec<String> = set.chain(there).map(|(_, name)| (*name).to_owned()).collect();
    if find(data, IFLA_VXLAN_TTL_INHERIT).is_some_and(Attr::flag) {
        all.push("ttl inherit".to_owned());
    }
    all
}

/// ifindex of the underlay device. IFLA_LINK of a vxlan can hold the vxlan's own index.
pub(super) fn vxlan_link(data: &[u8]) -> Option<u32> {
    find(data, IFLA_VXLAN_LINK).and_then(Attr::u32)
}

/// Where a kind of tunnel has its attributes; 0: it has none such.
struct Places {
    local: u16,
    remote: u16,
    /// The same for IPv6, where that is another attribute.
    remote6: u16,
    id: u16,
    port: u16,
}

/// IFLA_GRE_*.
const GRE: Places = Places { local: 6, remote: 7, remote6: 0, id: 5, port: 0 };
/// IFLA_IPTUN_*.
const IPTUN: Places = Places { local: 2, remote: 3, remote6: 0, id: 0, port: 0 };
/// IFLA_VTI_*.
const VTI: Places = Places { local: 4, remote: 5, remote6: 0, id: 3, port: 0 };
/// IFLA_GENEVE_*.
const GENEVE: Places = Places { local: 0, remote: 2, remote6: 7, id: 1, port: 5 };

fn places(kind: &str) -> Option<&'static Places> {
    match kind {
        "gre" | "gretap" | "erspan" | "ip6gre" | "ip6gretap" | "ip6erspan" => Some(&GRE),
        "ipip" | "sit" | "ip6tnl" => Some(&IPTUN),
        "vti" | "vti6" => Some(&VTI),
        "geneve" => Some(&GENEVE),
        _ => None,
    }
}

pub(super) fn is_one(kind: &str) -> bool {
    places(kind).is_some()
}

pub(super) fn tunnel(kind: &str, data: &[u8]) -> Tunnel {
    let mut tunnel = Tunnel { kind: kind.to_owned(), ..Tunnel::default() };
    let Some(places) = places(kind) else { return tunnel };
    tunnel.local = some_ip(data, places.local);
    tunnel.remote = some_ip(data, places.remote).or_else(|| some_ip(data, places.remote6));
    let id = find(data, places.id);
    // A key is in network order, a VNI in the host's. A key of 0 is none.
    tunnel.id = match kind {
        "geneve" => id.and_then(Attr::u32),
        _ => id.and_then(Attr::be32).filter(|k| *k != 0),
    };
    tunnel.port = find(data, places.port).and_then(Attr::be16);
    tunnel
}

/// An address attribute, if it is there and not all zero.
fn some_ip(data: &[u8], kind: u16) -> Option<IpAddr> {
    find(data, kind).and_then(Attr::ip).filter(|ip| !ip.is_unspecified())
}
