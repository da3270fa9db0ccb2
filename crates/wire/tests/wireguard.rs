//! What the kernel tells of WireGuard links, and what is kept of it.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the message")]

use std::fmt::Write;

use model::{
    Wireguard, WireguardKey, WireguardPeer, WireguardPeerSpec, WireguardSecret, WireguardSpec,
};
use wire::rtnl::messages;
use wire::wireguard::{devices, with_stand_ins, without_secrets};

const DEVICE: &str = include_str!("captures/wireguard.hex");
const LARGE: &str = include_str!("captures/wireguard_large.hex");

fn bytes(capture: &str) -> Vec<u8> {
    let digits = capture.lines().filter(|l| !l.starts_with('#')).flat_map(str::chars);
    let digits: Vec<u32> = digits.filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|d| u8::try_from(d[0] << 4 | d[1]).unwrap()).collect()
}

fn text(device: &Wireguard) -> String {
    let key = device.public_key.map(|key| key.to_string());
    let mut text =
        format!("{} port {} mark {:#x}\n", key.unwrap(), device.listen_port, device.fwmark);
    for peer in &device.peers {
        let nets: Vec<String> = peer.allowed_ips.iter().map(ToString::to_string).collect();
        writeln!(
            text,
            "{} preshared {} at {:?}, keepalive {}, handshake {:?}: {}",
            peer.public_key,
            peer.preshared,
            peer.endpoint,
            peer.keepalive,
            peer.handshake,
            nets.join(" ")
        )
        .unwrap();
    }
    text
}

#[test]
fn a_device_and_its_peers() {
    let told = devices(&bytes(DEVICE));
    let [(3, device)] = told.as_slice() else { panic!("{told:?}") };
    insta::assert_snapshot!(text(device), @r"
    MBhb3G3Bbm+HgleXFhe4HBVP/E/JvnlaDTmMHjcbqkA= port 51820 mark 0x2a
    1e7K1N9Tb0zGjHCOZQqkGrvoDdsW7WeUg78CBllupRM= preshared true at Some(192.0.2.2:51821), keepalive 25, handshake Some(1796009107): 10.9.0.2/32 fd09::2/128 10.20.0.0/16
    B0yKQz9bMGHWm7dadLY9kiUyPJaxhrKKyR10IOrdIkg= preshared false at Some([2001:db8::c]:7), keepalive 0, handshake None: 10.30.0.0/16
    ");
}

#[test]
fn a_device_that_comes_in_several_messages() {
    let replies = bytes(LARGE);
    assert_eq!(messages(&replies).count(), 2);
    let told = devices(&replies);
    let [(3, device)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(device.public_key, None);
    let [a, b] = device.peers.as_slice() else { panic!("{} peers", device.peers.len()) };
    assert_eq!(a.allowed_ips.len(), 200);
    for (nth, net) in a.allowed_ips.iter().enumerate() {
        assert_eq!(net.to_string(), format!("10.77.0.{nth}/32"));
    }
    assert_eq!(b.allowed_ips, ["10.9.0.2/32".parse().unwrap()]);
}

#[test]
fn no_secret_is_kept() {
    let replies = bytes(DEVICE);
    // The private key, as in the capture; the preshared one is made of the letter p.
    let private = attribute(&replies, 3);
    assert_eq!(private.len(), 32);
    let holds =
        |bytes: &[u8], secret: &[u8]| bytes.windows(8).any(|w| secret.windows(8).any(|s| s == w));
    assert!(holds(&replies, &private) && holds(&replies, &[b'p'; 32]));
    let kept = without_secrets(&replies);
    assert!(!holds(&kept, &private) && !holds(&kept, &[b'p'; 32]));
    assert_eq!(
        devices(&kept)[0].1.peers.iter().map(|p| p.preshared).collect::<Vec<_>>(),
        [true, false]
    );
    // What stands for one tells nothing of it, but that it is the same.
    let stood_for = with_stand_ins(&replies, |key| Some(u64::from(key[0]) + 1));
    assert!(!holds(&stood_for, &private) && !holds(&stood_for, &[b'p'; 32]));
    let numbers: Vec<_> = devices(&stood_for)[0].1.peers.iter().map(|p| p.stand_in).collect();
    assert_eq!(numbers, [Some(u64::from(b'p') + 1), None]);
    assert_eq!(without_secrets(&stood_for), kept);
    // All else that is understood is still there.
    assert_eq!(devices(&kept), devices(&replies));
    assert_eq!(devices(&without_secrets(&bytes(LARGE))), devices(&bytes(LARGE)));
}

/// The value of an attribute of the first message.
fn attribute(replies: &[u8], kind: u16) -> Vec<u8> {
    let body = messages(replies).next().unwrap().body;
    let mut rest = &body[4..];
    while let Some([a, b, c, d]) = rest.first_chunk() {
        let length = usize::from(u16::from_ne_bytes([*a, *b]));
        if u16::from_ne_bytes([*c, *d]) == kind {
            return rest[4..length].to_vec();
        }
        rest = &rest[length.next_multiple_of(4)..];
    }
    Vec::new()
}

/// What is asked for is what would be told: requests read as if they were replies.
#[test]
fn what_is_written_reads_the_same() {
    let peer = |byte: u8, nets: &[&str]| WireguardPeer {
        allowed_ips: nets.iter().map(|net| net.parse().unwrap()).collect(),
        ..WireguardPeer::new(WireguardKey([byte; 32]))
    };
    let many: Vec<String> = (0..2500).map(|n| format!("10.{}.{}.0/24", n / 256, n % 256)).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let first = WireguardPeer {
        endpoint: Some("[fe80::1%3]:7".parse().unwrap()),
        keepalive: 25,
        preshared: true,
        ..peer(2, &["10.9.0.2/32", "::/0"])
    };
    let second = WireguardPeer { endpoint: Some("192.0.2.1:9".parse().unwrap()), ..peer(3, &many) };
    let spec = |peer: WireguardPeer| WireguardPeerSpec {
        preshared_key: peer.preshared.then_some(WireguardSecret([b's'; 32])),
        peer,
    };
    let spec = WireguardSpec {
        private_key: Some(WireguardSecret([b'p'; 32])),
        public_key: None,
        listen_port: 51820,
        fwmark: 42,
        peers: vec![spec(first), spec(second), spec(peer(4, &[]))],
    };
    let mut replies = Vec::new();
    for mut body in wire::request::set_wireguard(7, &spec) {
        // WG_CMD_GET_DEVICE, in the place of WG_CMD_SET_DEVICE.
        assert_eq!(std::mem::take(&mut body[0]), 1);
        let length = u32::try_from(16 + body.len()).unwrap();
        replies.extend(length.to_ne_bytes());
        replies.extend([0; 12]);
        replies.extend(body);
    }
    assert_eq!(devices(&replies), [(7, spec.seen())]);
    let kept = without_secrets(&replies);
    assert!(!kept.windows(8).any(|w| w == b"pppppppp" || w == b"ssssssss"));
}
