//! WireGuard's own messages (generic netlink, linux/wireguard.h).

use std::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6};

use ipnet::IpNet;
use model::{Wireguard, WireguardKey, WireguardPeer};

use crate::rtnl::attr::{Attr, attrs, attrs_behind};
use crate::rtnl::messages;

/// GENL_ID_CTRL: asks the kernel for the number of a family.
pub const CONTROL: u16 = 0x10;
/// CTRL_CMD_GETFAMILY.
const GET_FAMILY: u8 = 3;
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;

/// Bytes of a key.
const KEY: usize = 32;

/// WG_CMD_GET_DEVICE.
const GET_DEVICE: u8 = 0;
/// Length of `struct genlmsghdr`.
const GENLMSGHDR: usize = 4;

pub(crate) const IFINDEX: u16 = 1;
const IFNAME: u16 = 2;
const PUBLIC_KEY: u16 = 4;
pub(crate) const LISTEN_PORT: u16 = 6;
pub(crate) const FWMARK: u16 = 7;
pub(crate) const PEERS: u16 = 8;

pub(crate) const PEER_PUBLIC_KEY: u16 = 1;
pub(crate) const PEER_PRESHARED_KEY: u16 = 2;
pub(crate) const PEER_ENDPOINT: u16 = 4;
pub(crate) const PEER_KEEPALIVE: u16 = 5;
const PEER_HANDSHAKE: u16 = 6;
pub(crate) const PEER_ALLOWED_IPS: u16 = 9;

pub(crate) const ALLOWED_FAMILY: u16 = 1;
pub(crate) const ALLOWED_ADDRESS: u16 = 2;
pub(crate) const ALLOWED_LENGTH: u16 = 3;

pub(crate) const AF_INET: u16 = 2;
pub(crate) const AF_INET6: u16 = 10;

/// Body of a request of [`CONTROL`] for the number of WireGuard's family.
#[must_use]
pub fn get_family() -> Vec<u8> {
    let mut body = vec![GET_FAMILY, 1, 0, 0];
    put(CTRL_ATTR_FAMILY_NAME, b"wireguard\0", &mut body);
    body
}

/// The family's number, as the kernel answers; it counts as `nlmsg_type`.
#[must_use]
pub fn family(reply: &[u8]) -> Option<u16> {
    let mut told = messages(reply).flat_map(|m| attrs_behind(m.body, GENLMSGHDR));
    told.find(|a| a.kind == CTRL_ATTR_FAMILY_ID)?.u16()
}

/// Body of a request of the family (a dump) for all of one device.
#[must_use]
pub fn get_device(index: u32) -> Vec<u8> {
    let mut body = vec![GET_DEVICE, 1, 0, 0];
    put(IFINDEX, &index.to_ne_bytes(), &mut body);
    body
}

/// Replies about devices without private and preshared keys, which the kernel tells whoever may
/// ask: nothing but what is understood here is left. Of a preshared key stays, empty, that there is
/// one.
#[must_use]
pub fn without_secrets(replies: &[u8]) -> Vec<u8> {
    with_stand_ins(replies, |_| None)
}

/// The same, where a preshared key is stood for by a number that nobody can make the key of again.
#[must_use]
pub fn with_stand_ins(replies: &[u8], stand_in: impl Fn(&[u8]) -> Option<u64>) -> Vec<u8> {
    let mut out = Vec::with_capacity(replies.len());
    for message in messages(replies) {
        let Some(head) = message.body.get(..GENLMSGHDR) else { continue };
        let start = out.len();
        out.extend([0; 4]);
        out.extend(message.kind.to_ne_bytes());
        out.extend(message.flags.to_ne_bytes());
        out.extend(message.sequence.to_ne_bytes());
        out.extend([0; 4]);
        out.extend_from_slice(head);
        for attr in attrs_behind(message.body, GENLMSGHDR) {
            public_part(attr, &stand_in, &mut out);
        }
        let length = u32::try_from(out.len() - start).unwrap_or_default();
        out[start..start + 4].copy_from_slice(&length.to_ne_bytes());
    }
    out
}

/// What stands for a preshared key.
type StandIn<'a> = &'a dyn Fn(&[u8]) -> Option<u64>;

fn public_part(attr: Attr<'_>, stand_in: StandIn<'_>, out: &mut Vec<u8>) {
    match attr.kind {
        IFINDEX | IFNAME | PUBLIC_KEY | LISTEN_PORT | FWMARK => put(attr.kind, attr.value, out),
        PEERS => nest(PEERS, out, |out| {
            for peer in attr.nested() {
                nest(peer.kind, out, |out| public_peer(peer, stand_in, out));
            }
        }),
        _ => {}
    }
}

fn public_peer(peer: Attr<'_>, stand_in: StandIn<'_>, out: &mut Vec<u8>) {
    for attr in peer.nested() {
        match attr.kind {
            PEER_PUBLIC_KEY | PEER_ENDPOINT | PEER_KEEPALIVE | PEER_HANDSHAKE
            | PEER_ALLOWED_IPS => {
                put(attr.kind, attr.value, out);
            }
            PEER_PRESHARED_KEY if is_preshared(attr) => {
                let number = stand_in(attr.value).map(u64::to_ne_bytes);
                put(attr.kind, number.as_ref().map_or(&[], |bytes| bytes), out);
            }
            _ => {}
        }
    }
}

/// An attribute.
pub(crate) fn put(kind: u16, value: &[u8], out: &mut Vec<u8>) {
    let length = u16::try_from(value.len() + 4).unwrap_or(4);
    out.extend(length.to_ne_bytes());
    out.extend(kind.to_ne_bytes());
    out.extend_from_slice(&value[..usize::from(length) - 4]);
    out.resize(out.len().next_multiple_of(4), 0);
}

/// NLA_F_NESTED: requests are refused without it.
const NESTED: u16 = 0x8000;

/// An attribute with attributes inside.
pub(crate) fn nest(kind: u16, out: &mut Vec<u8>, inside: impl FnOnce(&mut Vec<u8>)) {
    let mut value = Vec::new();
    inside(&mut value);
    put(kind | NESTED, &value, out);
}

/// The devices that replies tell of, by ifindex. One with much to tell comes in several messages;
/// once its first peer has been told whole, they do not say any more of which device they are.
#[must_use]
pub fn devices(replies: &[u8]) -> Vec<(u32, Wireguard)> {
    let mut all: Vec<(u32, Wireguard)> = Vec::new();
    for message in messages(replies) {
        if message.body.first() != Some(&GET_DEVICE) {
            continue;
        }
        let told = || attrs_behind(message.body, GENLMSGHDR);
        if let Some(index) = told().find(|a| a.kind == IFINDEX).and_then(Attr::u32)
            && all.last().is_none_or(|(last, _)| *last != index)
        {
            all.push((index, Wireguard::default()));
        }
        let Some((_, device)) = all.last_mut() else { continue };
        told().for_each(|attr| take(device, attr));
    }
    all
}

fn take(device: &mut Wireguard, attr: Attr<'_>) {
    match attr.kind {
        PUBLIC_KEY => device.public_key = key(attr),
        LISTEN_PORT => device.listen_port = attr.u16().unwrap_or_default(),
        FWMARK => device.fwmark = attr.u32().unwrap_or_default(),
        PEERS => attr.nested().filter_map(peer).for_each(|peer| add(device, peer)),
        _ => {}
    }
}

/// A peer whose networks did not all fit goes on in the next message, with its key and them alone.
fn add(device: &mut Wireguard, peer: WireguardPeer) {
    match device.peers.last_mut().filter(|last| last.public_key == peer.public_key) {
        Some(last) => last.allowed_ips.extend(peer.allowed_ips),
        None => device.peers.push(peer),
    }
}

fn peer(told: Attr<'_>) -> Option<WireguardPeer> {
    let mut peer =
        WireguardPeer::new(attrs(told.value).find(|a| a.kind == PEER_PUBLIC_KEY).and_then(key)?);
    for attr in told.nested() {
        match attr.kind {
            PEER_PRESHARED_KEY => {
                peer.preshared = is_preshared(attr);
                peer.stand_in = attr.value.try_into().ok().map(u64::from_ne_bytes);
            }
            PEER_ENDPOINT => peer.endpoint = endpoint(attr.value),
            PEER_KEEPALIVE => peer.keepalive = attr.u16().unwrap_or_default(),
            // struct __kernel_timespec
            PEER_HANDSHAKE => peer.handshake = attr.u64().filter(|seconds| *seconds != 0),
            PEER_ALLOWED_IPS => peer.allowed_ips = attr.nested().filter_map(network).collect(),
            _ => {}
        }
    }
    Some(peer)
}

/// All zero: there is none. Not as long as a key: it was taken out ([`with_stand_ins`]).
fn is_preshared(attr: Attr<'_>) -> bool {
    attr.value.len() < KEY || attr.value.iter().any(|b| *b != 0)
}

fn key(attr: Attr<'_>) -> Option<WireguardKey> {
    attr.value.try_into().ok().map(WireguardKey)
}

/// `struct sockaddr_in` or `sockaddr_in6`.
fn endpoint(bytes: &[u8]) -> Option<SocketAddr> {
    let family = u16::from_ne_bytes(*bytes.first_chunk()?);
    let port = u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?);
    match family {
        AF_INET => {
            let ip: [u8; 4] = *bytes.get(4..)?.first_chunk()?;
            Some(SocketAddrV4::new(ip.into(), port).into())
        }
        AF_INET6 => {
            let ip: [u8; 16] = *bytes.get(8..)?.first_chunk()?;
            let scope = u32::from_ne_bytes(*bytes.get(24..)?.first_chunk()?);
            Some(SocketAddrV6::new(ip.into(), port, 0, scope).into())
        }
        _ => None,
    }
}

fn network(told: Attr<'_>) -> Option<IpNet> {
    let find = |kind| attrs(told.value).find(|a| a.kind == kind);
    let ip: IpAddr = find(ALLOWED_ADDRESS)?.ip()?;
    IpNet::new(ip, find(ALLOWED_LENGTH)?.u8()?).ok()
}
