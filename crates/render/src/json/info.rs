//! What only links of one kind have, in the words of `ip -j -d link`.

use std::net::IpAddr;

use model::{Link, LinkKind, Member, Namespace, Snapshot, Wireguard, WireguardPeer};
use schemars::JsonSchema;
use serde::Serialize;

use crate::words::dev;

/// What only links of one kind have, by the kind.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum InfoView {
    /// A tun or tap.
    Tun {
        /// Stays when its process ends.
        persist: bool,
    },
    /// A macvlan or macvtap.
    Macvlan {
        /// How its siblings reach each other.
        mode: String,
    },
    /// An ipvlan or ipvtap.
    Ipvlan {
        /// `l2`, `l3` or `l3s`.
        mode: String,
        /// `bridge`, `private` or `vepa`.
        flag: String,
    },
    /// A VLAN.
    Vlan {
        /// `802.1Q` or `802.1ad`.
        protocol: String,
        /// VLAN identifier.
        id: u16,
    },
    /// VXLAN and other tunnels.
    Tunnel {
        /// VNI or key.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u32>,
        /// Outer source.
        #[serde(skip_serializing_if = "Option::is_none")]
        local: Option<IpAddr>,
        /// Outer destination: an address, or a multicast group.
        #[serde(skip_serializing_if = "Option::is_none")]
        remote: Option<IpAddr>,
        /// UDP destination port.
        #[serde(skip_serializing_if = "Option::is_none")]
        port: Option<u16>,
    },
    /// A bond.
    Bond {
        /// How its ports share the work.
        mode: String,
        /// Milliseconds between looks at the ports' carrier.
        miimon: u32,
        /// The port in use, where there is one at a time.
        #[serde(skip_serializing_if = "Option::is_none")]
        active: Option<String>,
        /// The port that is to be preferred.
        #[serde(skip_serializing_if = "Option::is_none")]
        primary: Option<String>,
    },
    /// A VRF.
    Vrf {
        /// The routing table of its members.
        table: u32,
    },
    /// One end of a netkit pair.
    Netkit {
        /// `l2` or `l3`.
        mode: String,
        /// The end that was named first.
        primary: bool,
        /// What becomes of packets that no program has decided about.
        policy: String,
        /// The same, of the other end.
        peer_policy: String,
    },
    /// WireGuard.
    Wireguard {
        /// Its public key, as `wg` prints it; not there: it has no private key.
        #[serde(skip_serializing_if = "Option::is_none")]
        public_key: Option<String>,
        /// UDP port; 0: none yet.
        listen_port: u16,
        /// Mark of its outer packets.
        #[serde(skip_serializing_if = "Option::is_none")]
        fwmark: Option<u32>,
        /// The namespace that its outer packets are sent from, where that was found.
        #[serde(skip_serializing_if = "Option::is_none")]
        sends_from: Option<String>,
        /// Whom it speaks with.
        peers: Vec<PeerView>,
    },
}

/// A peer of a WireGuard link.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PeerView {
    /// Its public key, as `wg` prints it.
    public_key: String,
    /// There is a preshared key.
    preshared_key: bool,
    /// Where packets for it are sent to.
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<String>,
    /// Whose packets come from it, and are sent to it.
    allowed_ips: Vec<String>,
    /// Something is sent to it at least that often, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    keepalive: Option<u16>,
    /// When a handshake with it was last completed, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_handshake: Option<u64>,
}

/// What a master other than a bridge made of a link, by the master's kind.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MemberView {
    /// A port of a bond.
    Bond {
        /// `ACTIVE` or `BACKUP`.
        state: String,
        /// What the bond found when it looked at its carrier.
        mii_status: String,
    },
    /// In a VRF.
    Vrf {
        /// The routing table.
        table: u32,
    },
    /// Of another kind of master, by the kernel's name for it.
    Other(String),
}

pub(super) fn info(snapshot: &Snapshot, ns: &Namespace, l: &Link) -> Option<InfoView> {
    let name = |index| dev(ns, index);
    Some(match &l.kind {
        LinkKind::Tap(t) => InfoView::Tun { persist: t.persist },
        LinkKind::Macvlan(m) => InfoView::Macvlan { mode: m.mode.as_str().to_owned() },
        LinkKind::Ipvlan(i) => {
            InfoView::Ipvlan { mode: i.mode.as_str().to_owned(), flag: i.flag.as_str().to_owned() }
        }
        LinkKind::Vlan(v) => InfoView::Vlan { protocol: v.protocol_name(), id: v.id },
        LinkKind::Vxlan(v) => InfoView::Tunnel {
            id: Some(v.vni),
            local: v.local,
            remote: v.remote,
            port: Some(v.port),
        },
        LinkKind::Tunnel(t) => {
            InfoView::Tunnel { id: t.id, local: t.local, remote: t.remote, port: t.port }
        }
        LinkKind::Bond(b) => InfoView::Bond {
            mode: b.mode().as_str().to_owned(),
            miimon: b.miimon(),
            active: b.active.map(name),
            primary: b.primary.map(name),
        },
        LinkKind::Vrf(v) => InfoView::Vrf { table: v.table },
        LinkKind::Netkit(n) => InfoView::Netkit {
            mode: if n.layer3 { "l3" } else { "l2" }.to_owned(),
            primary: n.primary,
            policy: n.policy.as_str().to_owned(),
            peer_policy: n.peer_policy.as_str().to_owned(),
        },
        LinkKind::Wireguard(own) => wireguard(snapshot, own.as_deref()?),
        LinkKind::Loopback
        | LinkKind::Physical
        | LinkKind::Veth
        | LinkKind::Bridge(_)
        | LinkKind::Other(_) => return None,
    })
}

fn wireguard(snapshot: &Snapshot, own: &Wireguard) -> InfoView {
    let peer = |peer: &WireguardPeer| PeerView {
        public_key: peer.public_key.to_string(),
        preshared_key: peer.preshared,
        endpoint: peer.endpoint.map(|endpoint| endpoint.to_string()),
        allowed_ips: peer.allowed_ips.iter().map(ToString::to_string).collect(),
        keepalive: Some(peer.keepalive).filter(|seconds| *seconds > 0),
        latest_handshake: peer.handshake,
    };
    InfoView::Wireguard {
        public_key: own.public_key.map(|key| key.to_string()),
        listen_port: own.listen_port,
        fwmark: Some(own.fwmark).filter(|mark| *mark != 0),
        sends_from: own.socket.map(|ns| snapshot.name_of(ns)),
        peers: own.peers.iter().map(peer).collect(),
    }
}

pub(super) fn member(l: &Link) -> Option<MemberView> {
    Some(match l.member.as_ref()? {
        Member::Bond(port) => MemberView::Bond {
            state: port.state().to_owned(),
            mii_status: port.mii.as_str().to_owned(),
        },
        Member::Vrf { table } => MemberView::Vrf { table: *table },
        Member::Other(kind) => MemberView::Other(kind.clone()),
    })
}
