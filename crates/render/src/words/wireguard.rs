//! WireGuard links, with the words of `wg show`.

use model::{LinkId, Namespace, Snapshot, Wireguard, WireguardKey, WireguardPeer};

/// A link's own lines: its key, where it sends from if that is elsewhere, its peers.
pub(crate) fn wireguard(snapshot: &Snapshot, ns: &Namespace, own: &Wireguard) -> Vec<String> {
    let mut lines = vec![match own.public_key {
        Some(key) => format!("public key {key}"),
        None => "no private key".to_owned(),
    }];
    match own.socket {
        Some(at) if at != ns.id => lines.push(format!("sends from {}", snapshot.path_of(at))),
        _ => {}
    }
    lines.extend(own.peers.iter().map(|p| peer_line(p, Some(snapshot.taken))));
    lines
}

/// What somebody has set of it, a line each.
pub(crate) fn settings(own: &Wireguard) -> Vec<String> {
    let key = own.public_key.map(|key| format!("public key {key}"));
    let peers = own.peers.iter().map(|p| peer_line(p, None));
    std::iter::once(kind(Some(own))).chain(key).chain(peers).collect()
}

/// `peer KEY, endpoint 192.0.2.2:51820, allowed ips 10.9.0.2/32, latest handshake 12 s ago`; nothing of
/// handshakes without the time that it is.
pub(crate) fn peer_line(peer: &WireguardPeer, now: Option<u64>) -> String {
    let mut parts = vec![format!("peer {}", peer.public_key)];
    parts.push(match peer.endpoint {
        Some(endpoint) => format!("endpoint {endpoint}"),
        None => "no endpoint".to_owned(),
    });
    let nets: Vec<String> = peer.allowed_ips.iter().map(ToString::to_string).collect();
    parts.push(match nets.is_empty() {
        true => "no allowed ips".to_owned(),
        false => format!("allowed ips {}", nets.join(" ")),
    });
    parts.extend(now.map(|now| match peer.handshake {
        Some(then) => format!("latest handshake {} s ago", now.saturating_sub(then)),
        None => "no handshake yet".to_owned(),
    }));
    parts.extend(peer.preshared.then(|| "preshared key".to_owned()));
    parts.extend((peer.keepalive > 0).then(|| format!("keepalive every {} s", peer.keepalive)));
    parts.join(", ")
}

/// A peer: the link that has its key, where that is known; else the beginning of the key.
pub(crate) fn peer(snapshot: &Snapshot, key: WireguardKey) -> String {
    let links = snapshot.namespaces.values().flat_map(|ns| ns.links.values().map(|l| (ns.id, l)));
    let mut own = links.filter(|(_, l)| l.wireguard().is_some_and(|w| w.public_key == Some(key)));
    match own.next() {
        Some((ns, link)) => snapshot.link_name(LinkId { ns, index: link.index }),
        None => format!("peer {}…", key.short()),
    }
}

/// What `ip -d link` has no words for: `wireguard port 51820 fwmark 0x2a`.
pub(super) fn kind(own: Option<&Wireguard>) -> String {
    let Some(own) = own else { return "wireguard, its peers were not read".to_owned() };
    let port = match own.listen_port {
        0 => String::new(),
        port => format!(" port {port}"),
    };
    let mark = match own.fwmark {
        0 => String::new(),
        mark => format!(" fwmark {mark:#x}"),
    };
    format!("wireguard{port}{mark}")
}
