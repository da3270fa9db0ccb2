//! WireGuard's own requests.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use model::{WireguardPeerSpec, WireguardSpec};

use crate::wireguard::{
    AF_INET, AF_INET6, ALLOWED_ADDRESS, ALLOWED_FAMILY, ALLOWED_LENGTH, FWMARK, IFINDEX,
    LISTEN_PORT, PEER_ALLOWED_IPS, PEER_ENDPOINT, PEER_KEEPALIVE, PEER_PRESHARED_KEY,
    PEER_PUBLIC_KEY, PEERS, nest, put,
};

/// WG_CMD_SET_DEVICE.
const SET_DEVICE: u8 = 1;
const PRIVATE_KEY: u16 = 3;
const FLAGS: u16 = 5;
const PEER_FLAGS: u16 = 3;
/// WGDEVICE_F_REPLACE_PEERS.
const REPLACE_PEERS: u32 = 1;
/// WGPEER_F_REPLACE_ALLOWEDIPS.
const REPLACE_ALLOWED_IPS: u32 = 2;
/// How many networks a message holds: an attribute is at most 64 KiB long.
const MOST: usize = 1000;

/// Bodies of requests of WireGuard's family that give a device its keys, port and peers, in place
/// of the peers that it had. A private key that is not known stays what it is.
#[must_use]
pub fn set_wireguard(index: u32, spec: &WireguardSpec) -> Vec<Vec<u8>> {
    let mut device = body(index);
    if let Some(key) = &spec.private_key {
        put(PRIVATE_KEY, &key.0, &mut device);
    }
    put(FLAGS, &REPLACE_PEERS.to_ne_bytes(), &mut device);
    if spec.listen_port != 0 {
        put(LISTEN_PORT, &spec.listen_port.to_ne_bytes(), &mut device);
    }
    put(FWMARK, &spec.fwmark.to_ne_bytes(), &mut device);
    let mut all = vec![device];
    for peer in &spec.peers {
        let nets = &peer.peer.allowed_ips;
        let (first, rest) = nets.split_at(nets.len().min(MOST));
        all.push(with_peer(index, |out| whole_peer(peer, first, out)));
        for more in rest.chunks(MOST) {
            all.push(with_peer(index, |out| {
                put(PEER_PUBLIC_KEY, &peer.peer.public_key.0, out);
                networks(more, out);
            }));
        }
    }
    all
}

fn body(index: u32) -> Vec<u8> {
    let mut body = vec![SET_DEVICE, 1, 0, 0];
    put(IFINDEX, &index.to_ne_bytes(), &mut body);
    body
}

fn with_peer(index: u32, inside: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut body = body(index);
    nest(PEERS, &mut body, |out| nest(0, out, inside));
    body
}

fn whole_peer(spec: &WireguardPeerSpec, nets: &[IpNet], out: &mut Vec<u8>) {
    let peer = &spec.peer;
    put(PEER_PUBLIC_KEY, &peer.public_key.0, out);
    if let Some(key) = &spec.preshared_key {
        put(PEER_PRESHARED_KEY, &key.0, out);
    }
    put(PEER_FLAGS, &REPLACE_ALLOWED_IPS.to_ne_bytes(), out);
    if let Some(endpoint) = peer.endpoint {
        put(PEER_ENDPOINT, &address(endpoint), out);
    }
    put(PEER_KEEPALIVE, &peer.keepalive.to_ne_bytes(), out);
    networks(nets, out);
}

fn networks(nets: &[IpNet], out: &mut Vec<u8>) {
    nest(PEER_ALLOWED_IPS, out, |out| {
        for net in nets {
            nest(0, out, |out| network(*net, out));
        }
    });
}

fn network(net: IpNet, out: &mut Vec<u8>) {
    let family = if net.addr().is_ipv4() { AF_INET } else { AF_INET6 };
    put(ALLOWED_FAMILY, &family.to_ne_bytes(), out);
    put(ALLOWED_ADDRESS, &octets(net.addr()), out);
    put(ALLOWED_LENGTH, &[net.prefix_len()], out);
}

fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

/// `struct sockaddr_in` or `sockaddr_in6`.
fn address(endpoint: SocketAddr) -> Vec<u8> {
    let (family, port) = (if endpoint.is_ipv4() { AF_INET } else { AF_INET6 }, endpoint.port());
    let mut bytes = family.to_ne_bytes().to_vec();
    bytes.extend(port.to_be_bytes());
    match endpoint {
        SocketAddr::V4(v4) => {
            bytes.extend(v4.ip().octets());
            bytes.extend([0; 8]);
        }
        SocketAddr::V6(v6) => {
            bytes.extend(v6.flowinfo().to_ne_bytes());
            bytes.extend(v6.ip().octets());
            bytes.extend(v6.scope_id().to_ne_bytes());
        }
    }
    bytes
}
