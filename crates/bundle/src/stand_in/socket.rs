//! Lines of /proc/net/{tcp,tcp6,udp,udp6}, written anew with what is understood of them.

use std::hash::BuildHasher;
use std::net::IpAddr;

use super::StandIns;

const TCP: u8 = 6;

pub(super) fn replace<K: BuildHasher>(keys: &StandIns<K>, protocol: u8, bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::new();
    for (nth, line) in text.lines().enumerate() {
        let Some(listener) = wire::sockets::listener(line, protocol) else { continue };
        // TCP_LISTEN, TCP_CLOSE.
        let state = if protocol == TCP { "0A" } else { "07" };
        let (ip, port) = (hex(keys.ip(listener.ip)), listener.port);
        let none = "0".repeat(ip.len());
        out += &format!(
            "{nth}: {ip}:{port:04X} {none}:0000 {state} 0:0 0:0 0 {} 0 {}\n",
            listener.uid, listener.inode
        );
    }
    out.into_bytes()
}

/// As 32-bit numbers in the machine's own order.
fn hex(ip: IpAddr) -> String {
    let bytes = match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let words = bytes.chunks_exact(4).filter_map(|four| four.first_chunk());
    words.map(|four| format!("{:08X}", u32::from_ne_bytes(*four))).collect()
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasherDefault, DefaultHasher};

    use super::*;

    #[test]
    fn a_socket_keeps_its_port_and_owner() {
        let keys = StandIns::new(BuildHasherDefault::<DefaultHasher>::default());
        let line = "   0: 0701A8C0:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000 0 4711 1 0";
        let image = String::from_utf8(replace(&keys, TCP, line.as_bytes())).expect("text");
        let listener = wire::sockets::listener(image.trim_end(), TCP).expect("a socket");
        assert_eq!((listener.port, listener.uid, listener.inode), (8080, 1000, 4711));
        assert_eq!(listener.ip, keys.ip([192, 168, 1, 7].into()));
        assert!(!image.contains("0701A8C0"));
    }
}
