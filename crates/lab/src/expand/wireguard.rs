//! WireGuard links: keys that are not given are drawn from the links' names.

use model::{
    LinkRef, LinkSpecKind, WireguardKey, WireguardPeer, WireguardPeerSpec, WireguardSecret,
    WireguardSpec,
};

use super::Making;
use crate::error::Problem;
use crate::file::{Kind, LinkEntry, PeerEntry, Whom, WireguardEntry};
use crate::node::Said;
use crate::stable;

impl Making<'_> {
    pub(super) fn wireguard(&mut self, entry: &LinkEntry, link: &LinkRef, own: &WireguardEntry) {
        let private_key = self.private_key(link, own);
        let peers = own.peers.iter().filter_map(|peer| self.peer(peer)).collect();
        let spec = WireguardSpec {
            public_key: Some(public_key(&private_key)),
            private_key: Some(private_key),
            listen_port: own.listen_port,
            fwmark: own.fwmark,
            peers,
        };
        self.single(entry, link, LinkSpecKind::Wireguard(spec));
    }

    fn private_key(&self, link: &LinkRef, own: &WireguardEntry) -> WireguardSecret {
        let drawn = || stable::key(&["wireguard", &self.lab.name, &link.ns, &link.name]);
        own.private_key.clone().unwrap_or_else(|| WireguardSecret(clamped(drawn())))
    }

    fn peer(&mut self, peer: &PeerEntry) -> Option<WireguardPeerSpec> {
        let public_key = match &peer.whom {
            Whom::Key(key) => *key,
            Whom::Link(link) => self.key_of(link)?,
        };
        let seen = WireguardPeer {
            preshared: peer.preshared_key.is_some(),
            endpoint: peer.endpoint,
            keepalive: peer.keepalive,
            allowed_ips: peer.allowed_ips.clone(),
            ..WireguardPeer::new(public_key)
        };
        Some(WireguardPeerSpec { peer: seen, preshared_key: peer.preshared_key.clone() })
    }

    /// The public key of another link of the lab.
    fn key_of(&mut self, link: &Said<LinkRef>) -> Option<WireguardKey> {
        if !self.known(&Said::new(link.at, link.what.ns.clone())) {
            return None;
        }
        match self.entry(&link.what).and_then(|entry| entry.kind.as_ref()) {
            Some(Kind::Wireguard(own)) => Some(public_key(&self.private_key(&link.what, own))),
            _ => {
                let (ns, name) = (link.what.ns.clone(), link.what.name.clone());
                self.errors.push(link.at, Problem::NoWireguard { ns, name });
                None
            }
        }
    }
}

/// As `wg genkey` makes one: the bits that Curve25519 does not use have their values.
const fn clamped(mut key: [u8; 32]) -> [u8; 32] {
    key[0] &= 0xf8;
    key[31] = key[31] & 0x7f | 0x40;
    key
}

fn public_key(private: &WireguardSecret) -> WireguardKey {
    WireguardKey(x25519_dalek::x25519(private.0, x25519_dalek::X25519_BASEPOINT_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pair of RFC 7748, section 6.1 (Alice).
    #[test]
    fn a_key_and_its_public_key() {
        let private = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=";
        let public = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=";
        let private: WireguardKey = private.parse().expect("a key");
        assert_eq!(public_key(&WireguardSecret(private.0)).to_string(), public);
    }
}
