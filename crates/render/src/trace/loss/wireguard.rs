use std::net::IpAddr;

use ipnet::IpNet;
use model::{Link, WireguardKey};
use walk::Loss;

use super::case::{Case, Said, said};
use crate::words as w;

/// `wg set` of the link that the packet was lost on.
fn set(c: Case<'_>, what: &str) -> String {
    c.here(format!("wg set {} {what}", c.dev()))
}

pub(super) fn no_peer(c: Case<'_>, ip: IpAddr) -> Said {
    let (link, dev) = (c.link(), c.dev());
    said(format!("no peer of {link} has {ip} among its allowed ips"))
        .advise(format!("add {ip} to the allowed ips of the peer of {dev} that has it"))
}

pub(super) fn no_endpoint(c: Case<'_>, peer: WireguardKey) -> Said {
    let (link, whom) = (c.link(), w::peer(c.snapshot, peer));
    said(format!("{link} does not know where {whom} is: it has no endpoint, and was not heard yet"))
        .advise(set(c, &format!("peer {peer} endpoint ADDRESS:PORT")))
}

pub(super) fn no_private_key(c: Case<'_>) -> Said {
    said(format!("{} has no private key", c.link())).advise(set(c, "private-key FILE"))
}

pub(super) fn no_handshake(c: Case<'_>, peer: WireguardKey, because: Option<&Loss>) -> Said {
    let inner = because.map(|because| c.beneath(because));
    let why = inner.as_ref().map_or_else(String::new, |inner| format!(": {}", inner.because));
    let (link, whom) = (c.link(), w::peer(c.snapshot, peer));
    Said {
        because: format!("{link} comes to no handshake with {whom}{why}"),
        advice: inner.and_then(|inner| inner.advice),
    }
}

pub(super) fn nobody(c: Case<'_>, port: u16) -> Said {
    said(format!("no WireGuard link that is up waits here on UDP port {port}"))
        .advise(c.here(format!("wg set LINK listen-port {port}; ip link set LINK up")))
}

pub(super) fn other_key(c: Case<'_>, expected: WireguardKey, key: Option<WireguardKey>) -> Said {
    let (link, expected) = (c.link(), w::peer(c.snapshot, expected));
    let own = key.map_or_else(|| "none".to_owned(), |key| format!("{}…", key.short()));
    Said {
        because: format!("the message is for {expected}, and the key of {link} is another: {own}"),
        advice: key.map(|key| format!("let its sender know {} by the key {key}", c.dev())),
    }
}

pub(super) fn stranger(c: Case<'_>, peer: WireguardKey) -> Said {
    let src = IpNet::from(c.packet.src);
    said(format!("{} is no peer of {}", w::peer(c.snapshot, peer), c.link()))
        .advise(set(c, &format!("peer {peer} allowed-ips {src}")))
}

pub(super) fn preshared_key(c: Case<'_>, peer: WireguardKey) -> Said {
    let (link, whom) = (c.link(), w::peer(c.snapshot, peer));
    said(format!("of {link} and {whom} only one has a preshared key for the other"))
        .advise(set(c, &format!("peer {peer} preshared-key FILE")))
}

pub(super) fn not_allowed(
    c: Case<'_>,
    peer: WireguardKey,
    src: IpAddr,
    owner: Option<WireguardKey>,
) -> Said {
    let (link, whom) = (c.link(), w::peer(c.snapshot, peer));
    let owner = owner.map_or_else(String::new, |owner| {
        format!(", but among those of {}", w::peer(c.snapshot, owner))
    });
    said(format!("{src} is not among the allowed ips of {whom} on {link}{owner}"))
        .advise(set(c, &format!("peer {peer} allowed-ips {}", allowed(c, peer, src))))
}

/// The networks that a peer is allowed, and one address more: `wg set` puts them in place of those
/// that it had.
fn allowed(c: Case<'_>, peer: WireguardKey, more: IpAddr) -> String {
    let own = c.loss.link.and_then(|id| c.snapshot.link(id)).and_then(Link::wireguard);
    let has = own.and_then(|own| own.peer(peer)).map_or(&[][..], |peer| &peer.allowed_ips);
    let all = has.iter().copied().chain([IpNet::from(more)]);
    all.map(|net| net.to_string()).collect::<Vec<_>>().join(",")
}
