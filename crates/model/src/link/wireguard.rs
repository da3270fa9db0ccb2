use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use crate::{LinkId, NsId, Snapshot, WireguardKey};

/// What only a WireGuard link has (`WG_CMD_GET_DEVICE`, `wg show`). Private and preshared keys are
/// never kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wireguard {
    /// Its public key; None: it has no private key, and speaks with nobody.
    pub public_key: Option<WireguardKey>,
    /// UDP port; 0: the kernel chooses one as the link comes up.
    pub listen_port: u16,
    /// Mark of its outer packets; 0: none.
    pub fwmark: u32,
    /// The namespace that its UDP socket is in: the one in which it was made. The kernel does not
    /// tell; it is found by the port. None: not found.
    pub socket: Option<NsId>,
    /// Whom it speaks with, in the kernel's order.
    pub peers: Vec<WireguardPeer>,
}

/// A peer of a WireGuard link (`WGPEER_A_*`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireguardPeer {
    /// Its public key: who it is.
    pub public_key: WireguardKey,
    /// There is a preshared key.
    pub preshared: bool,
    /// What stands for it as long as this program runs: two that differ stand for two keys. None:
    /// nobody has told, as in bundles.
    pub stand_in: Option<u64>,
    /// Where packets for it are sent to: as configured, or where it was last heard from.
    pub endpoint: Option<SocketAddr>,
    /// Something is sent to it at least that often, in seconds; 0: only as needed.
    pub keepalive: u16,
    /// When a handshake with it was last completed, in seconds since 1970; None: never.
    pub handshake: Option<u64>,
    /// Whose packets come from it, and are sent to it.
    pub allowed_ips: Vec<IpNet>,
}

impl WireguardPeer {
    /// A peer with nothing but a key.
    #[must_use]
    pub const fn new(public_key: WireguardKey) -> Self {
        Self {
            public_key,
            preshared: false,
            stand_in: None,
            endpoint: None,
            keepalive: 0,
            handshake: None,
            allowed_ips: Vec::new(),
        }
    }
}

impl Wireguard {
    /// The peer behind which an address is: that with the longest prefix for it
    /// (`wg_allowedips_lookup_dst`), and that prefix.
    #[must_use]
    pub fn peer_for(&self, ip: IpAddr) -> Option<(&WireguardPeer, IpNet)> {
        let all = self.peers.iter().flat_map(|p| p.allowed_ips.iter().map(move |net| (p, *net)));
        all.filter(|(_, net)| net.contains(&ip)).max_by_key(|(_, net)| net.prefix_len())
    }

    /// The peer of that key.
    #[must_use]
    pub fn peer(&self, key: WireguardKey) -> Option<&WireguardPeer> {
        self.peers.iter().find(|peer| peer.public_key == key)
    }

    /// Whether a peer has one preshared key here and another there, as far as that was told.
    #[must_use]
    pub fn is_shared_anew(&self, other: &Self, key: WireguardKey) -> bool {
        let stand_in = |own: &Self| own.peer(key)?.stand_in;
        stand_in(self).zip(stand_in(other)).is_some_and(|(a, b)| a != b)
    }

    /// The same without what every packet may change: endpoints, which follow the peers, and the
    /// times of handshakes; and without what stands for preshared keys
    /// ([`is_shared_anew`](Self::is_shared_anew)).
    #[must_use]
    pub fn settings(&self) -> Self {
        let still = |peer: &WireguardPeer| WireguardPeer {
            endpoint: None,
            handshake: None,
            stand_in: None,
            ..peer.clone()
        };
        Self { peers: self.peers.iter().map(still).collect(), ..self.clone() }
    }
}

impl Snapshot {
    /// The WireGuard links that speak with this one: each has the other's key among its peers', as
    /// far as they were read.
    pub fn tunnelled_to(&self, link: LinkId) -> impl Iterator<Item = LinkId> + '_ {
        let own = self.link(link).and_then(|l| l.wireguard());
        let own = own.and_then(|own| Some((own, own.public_key?)));
        own.into_iter().flat_map(move |(own, key)| {
            let speaks = move |there: &Wireguard| {
                let peer = there.public_key.and_then(|other| own.peer(other));
                peer.is_some() && there.peer(key).is_some()
            };
            let links = self.namespaces.values().flat_map(|ns| {
                ns.links.values().map(|l| (LinkId { ns: ns.id, index: l.index }, l.wireguard()))
            });
            let others = links.filter(move |(there, _)| *there != link);
            let others = others.filter(move |(_, there)| there.is_some_and(speaks));
            others.map(|(there, _)| there)
        })
    }
}

/// What a WireGuard link is made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireguardSpec {
    /// Its private key; None: not known, of one that was seen.
    pub private_key: Option<WireguardSecret>,
    /// The public key that goes with it.
    pub public_key: Option<WireguardKey>,
    /// UDP port; 0: the kernel chooses one.
    pub listen_port: u16,
    /// Mark of its outer packets; 0: none.
    pub fwmark: u32,
    /// Whom it speaks with.
    pub peers: Vec<WireguardPeerSpec>,
}

/// A peer as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireguardPeerSpec {
    /// What is seen of it afterwards.
    pub peer: WireguardPeer,
    /// The key that both ends share; None: there is none, or it is not known.
    pub preshared_key: Option<WireguardSecret>,
}

impl WireguardSpec {
    /// What would make that link again, but for its secrets.
    #[must_use]
    pub fn of(seen: &Wireguard) -> Self {
        let peer = |peer: &WireguardPeer| WireguardPeerSpec {
            peer: WireguardPeer { handshake: None, stand_in: None, ..peer.clone() },
            preshared_key: None,
        };
        Self {
            private_key: None,
            public_key: seen.public_key,
            listen_port: seen.listen_port,
            fwmark: seen.fwmark,
            peers: seen.peers.iter().map(peer).collect(),
        }
    }

    /// What is seen of it once it is made.
    #[must_use]
    pub fn seen(&self) -> Wireguard {
        Wireguard {
            public_key: self.public_key,
            listen_port: self.listen_port,
            fwmark: self.fwmark,
            socket: None,
            peers: self.peers.iter().map(|spec| spec.peer.clone()).collect(),
        }
    }

    /// Whether what was seen is what this says: a port that is not said fits any, and a peer whose
    /// endpoint is not said may have been heard from anywhere.
    #[must_use]
    pub fn fits(&self, seen: &Self) -> bool {
        let sorted = |peer: &WireguardPeer| {
            let mut nets = peer.allowed_ips.clone();
            nets.sort_unstable();
            nets
        };
        let alike = |wanted: &WireguardPeer, seen: &WireguardPeer| {
            (wanted.public_key, wanted.preshared, wanted.keepalive)
                == (seen.public_key, seen.preshared, seen.keepalive)
                && (wanted.endpoint.is_none() || wanted.endpoint == seen.endpoint)
                && sorted(wanted) == sorted(seen)
        };
        let mut peers = self.peers.iter().zip(&seen.peers);
        self.public_key == seen.public_key
            && self.fwmark == seen.fwmark
            && (self.listen_port == 0 || self.listen_port == seen.listen_port)
            && self.peers.len() == seen.peers.len()
            && peers.all(|(wanted, seen)| alike(&wanted.peer, &seen.peer))
    }
}

/// A key that nobody is shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct WireguardSecret(pub [u8; 32]);

impl std::fmt::Debug for WireguardSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WireguardSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(key: u8, nets: &[&str]) -> WireguardPeer {
        let allowed_ips = nets.iter().map(|n| n.parse().unwrap()).collect();
        WireguardPeer { allowed_ips, ..WireguardPeer::new(WireguardKey([key; 32])) }
    }

    #[test]
    fn the_longest_prefix_counts() {
        let peers = vec![peer(1, &["0.0.0.0/0", "fd00::/8"]), peer(2, &["10.0.0.0/8", "::/0"])];
        let wg = Wireguard { peers, ..Wireguard::default() };
        let who = |ip: &str| {
            wg.peer_for(ip.parse().unwrap()).map(|(p, net)| (p.public_key.0[0], net.to_string()))
        };
        assert_eq!(who("10.1.2.3"), Some((2, "10.0.0.0/8".to_owned())));
        assert_eq!(who("192.0.2.1"), Some((1, "0.0.0.0/0".to_owned())));
        assert_eq!(who("fd00::1"), Some((1, "fd00::/8".to_owned())));
        assert_eq!(who("2001:db8::1"), Some((2, "::/0".to_owned())));
        assert_eq!(Wireguard::default().peer_for("10.0.0.1".parse().unwrap()), None);
    }

    #[test]
    fn a_secret_is_not_printed() {
        let text = format!("{:?}", WireguardSecret([0xab; 32]));
        assert!(!text.contains("171") && !text.contains("ab,"), "{text}");
    }
}
