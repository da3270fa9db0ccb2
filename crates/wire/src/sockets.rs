//! /proc/net/{tcp,tcp6,udp,udp6}, line by line.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::Listener;

/// TCP_LISTEN.
const LISTEN: u8 = 0x0a;
/// TCP_CLOSE: what a UDP socket without a peer is in.
const CLOSE: u8 = 0x07;

/// One line of such a file, if it tells of a socket that waits. The heading is none. `protocol` is
/// IPPROTO_TCP (6) or IPPROTO_UDP (17).
#[must_use]
pub fn listener(line: &str, protocol: u8) -> Option<Listener> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let [_, local, _, state, _, _, _, uid, _, inode, ..] = words.as_slice() else { return None };
    let state = u8::from_str_radix(state, 16).ok()?;
    let waits = if protocol == 6 { LISTEN } else { CLOSE };
    if state != waits {
        return None;
    }
    let (ip, port) = local.split_once(':')?;
    Some(Listener {
        protocol,
        ip: address(ip)?,
        port: u16::from_str_radix(port, 16).ok().filter(|p| *p != 0)?,
        uid: uid.parse().ok()?,
        inode: inode.parse().ok()?,
        processes: Vec::new(),
    })
}

/// How many sockets of `tcp`, `tcp6`, `udp` or `udp6` are in use, by /proc/net/{sockstat,sockstat6}.
#[must_use]
pub fn in_use(text: &str, protocol: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| {
        let (name, rest) = line.split_once(':')?;
        name.eq_ignore_ascii_case(protocol).then_some(rest)
    })?;
    let mut words = rest.split_ascii_whitespace();
    words.find(|word| *word == "inuse")?;
    words.next()?.parse().ok()
}

/// `0100007F`: the kernel prints addresses as 32-bit numbers in its own byte order.
fn address(text: &str) -> Option<IpAddr> {
    let word = |at: usize| Some(u32::from_str_radix(text.get(at..at + 8)?, 16).ok()?.to_ne_bytes());
    match text.len() {
        8 => Some(IpAddr::V4(Ipv4Addr::from(word(0)?))),
        32 => {
            let mut bytes = [0; 16];
            for (n, four) in bytes.chunks_exact_mut(4).enumerate() {
                four.copy_from_slice(&word(8 * n)?);
            }
            let ip = Ipv6Addr::from(bytes);
            Some(ip.to_ipv4_mapped().map_or(IpAddr::V6(ip), IpAddr::V4))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `cat /proc/net/{tcp,tcp6,udp}` on a little-endian machine with `python3 -m http.server
    /// --bind 127.0.0.1 8000`, the same at `fd00::1` and a connection to it, and a resolver.
    const LINES: [(&str, u8, &str); 6] = [
        (
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
            6,
            "",
        ),
        (
            "   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 35271 1 0000000000000000 100 0 0 10 0",
            6,
            "127.0.0.1 8000 1000 35271",
        ),
        (
            "   1: 0100007F:1F40 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 35280 1 0000000000000000 20 4 30 10 -1",
            6,
            "",
        ),
        (
            "   0: 000000FD000000000000000001000000:1F40 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 35290 1 0000000000000000 100 0 0 10 0",
            6,
            "fd00::1 8000 0 35290",
        ),
        (
            " 1077: 3500007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 20011 2 0000000000000000 0",
            17,
            "127.0.0.53 53 101 20011",
        ),
        ("garbage", 17, ""),
    ];

    /// `cat /proc/net/sockstat`.
    #[test]
    fn counts() {
        let text =
            "sockets: used 12\nTCP: inuse 3 orphan 0 tw 0 alloc 4 mem 0\nUDP: inuse 0 mem 0\n";
        assert_eq!(in_use(text, "tcp"), Some(3));
        assert_eq!(in_use(text, "udp"), Some(0));
        assert_eq!(in_use(text, "tcp6"), None);
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn lines() {
        for (line, protocol, wanted) in LINES {
            let told = listener(line, protocol);
            let text = told.map(|l| format!("{} {} {} {}", l.ip, l.port, l.uid, l.inode));
            assert_eq!(text.unwrap_or_default(), wanted);
        }
    }
}
