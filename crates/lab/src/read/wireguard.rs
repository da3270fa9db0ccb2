//! `kind: wireguard`.

use std::net::SocketAddr;

use ipnet::IpNet;
use model::{WireguardKey, WireguardSecret};

use super::{Fields, items, link_ref, number, parsed, wrong};
use crate::error::{Errors, Problem};
use crate::file::{Kind, PeerEntry, Whom, WireguardEntry};
use crate::node::{Node, Value};

pub(super) const KEYS: &[&str] = &["private_key", "listen_port", "fwmark", "peers"];
const PEER_KEYS: &[&str] =
    &["peer", "public_key", "preshared_key", "endpoint", "allowed_ips", "keepalive"];
const KEY_HINT: &str = "44 characters of base64 are wanted, as `wg genkey` and `wg pubkey` print";

pub(super) fn wireguard(fields: &Fields<'_>, ns: &str, errors: &mut Errors) -> Kind {
    if fields.get("mac").is_some() {
        let (key, kind) = ("mac".to_owned(), "wireguard");
        errors.push(fields.key_at("mac"), Problem::KeyOfOtherKind { key, kind });
    }
    let port = fields.get("listen_port").and_then(|n| number(n, "port", (1, 65535), errors));
    let mark = fields.get("fwmark").and_then(|n| number(n, "mark", (0, u32::MAX), errors));
    let mut entry = WireguardEntry {
        private_key: fields.get("private_key").and_then(|n| secret(n, errors)),
        listen_port: port.and_then(|port| u16::try_from(port).ok()).unwrap_or_default(),
        fwmark: mark.unwrap_or_default(),
        peers: Vec::new(),
    };
    if let Some(node) = fields.get("peers") {
        let peers = items(node, "peers", errors).iter();
        entry.peers = peers.filter_map(|node| peer(node, ns, errors)).collect();
    }
    Kind::Wireguard(entry)
}

fn peer(node: &Node, ns: &str, errors: &mut Errors) -> Option<PeerEntry> {
    let fields = Fields::open(node, "a peer", PEER_KEYS, errors)?;
    let whom = match (fields.get("peer"), fields.get("public_key")) {
        (Some(node), None) => Whom::Link(link_ref(node, "peer", ns, errors)?),
        (None, Some(node)) => Whom::Key(key(node, errors)?),
        (None, None) => {
            let why = "it says who that is, NAMESPACE:LINK; or `public_key:` does";
            errors.push(node.at, Problem::MissingKey { of: "a peer".into(), key: "peer", why });
            return None;
        }
        (Some(_), Some(said)) => {
            wrong(
                said.at,
                "a peer",
                "named by `peer:` or by `public_key:`, not both",
                &said.what,
                errors,
            );
            return None;
        }
    };
    let endpoint = fields.get("endpoint").and_then(|n| {
        let hint = "ADDRESS:PORT is wanted, as in 192.0.2.1:51820 or [2001:db8::1]:51820";
        parsed::<SocketAddr>(n, "endpoint", hint, errors)
    });
    let keepalive =
        fields.get("keepalive").and_then(|n| number(n, "number of seconds", (0, 65535), errors));
    Some(PeerEntry {
        whom,
        preshared_key: fields.get("preshared_key").and_then(|n| secret(n, errors)),
        endpoint: endpoint.map(|endpoint| endpoint.what),
        keepalive: keepalive.and_then(|n| u16::try_from(n).ok()).unwrap_or_default(),
        allowed_ips: fields.get("allowed_ips").map(|n| networks(n, errors)).unwrap_or_default(),
    })
}

/// Networks, and addresses alone.
fn networks(node: &Node, errors: &mut Errors) -> Vec<IpNet> {
    let mut nets = Vec::new();
    for node in items(node, "allowed_ips", errors) {
        let Value::Text(text) = &node.what else {
            wrong(node.at, "`allowed_ips:`", "a list of networks", &node.what, errors);
            continue;
        };
        let net: Option<IpNet> =
            text.parse().ok().or_else(|| Some(text.parse::<std::net::IpAddr>().ok()?.into()));
        match net {
            // The kernel keeps no bits behind the prefix.
            Some(net) => nets.push(net.trunc()),
            None => {
                let hint = "NETWORK/LENGTH is wanted, as in 10.9.0.0/24 or 0.0.0.0/0".to_owned();
                let (what, found) = ("network", text.clone());
                errors.push(node.at, Problem::BadValue { what, found, hint });
            }
        }
    }
    nets
}

fn key(node: &Node, errors: &mut Errors) -> Option<WireguardKey> {
    parsed::<WireguardKey>(node, "key", KEY_HINT, errors).map(|said| said.what)
}

/// What is wrong with one is said without it.
fn secret(node: &Node, errors: &mut Errors) -> Option<WireguardSecret> {
    let text = match &node.what {
        Value::Text(text) => text.as_str(),
        _ => "",
    };
    let key: Option<WireguardKey> = text.parse().ok();
    if key.is_none() {
        let (found, hint) = ("what stands there".to_owned(), KEY_HINT.to_owned());
        errors.push(node.at, Problem::BadValue { what: "key", found, hint });
    }
    key.map(|key| WireguardSecret(key.0))
}
