//! ARP entries.

use model::{Neighbour, NeighbourState};

use super::link::Known;

// Flags of linux/if_arp.h.
const ATF_COM: u32 = 2;
const ATF_PERM: u32 = 4;
const ATF_PUBL: u32 = 8;

pub(super) fn neighbours(text: &str, known: &Known) -> Vec<Neighbour> {
    text.lines().skip(1).filter_map(|line| neighbour(line, known)).collect()
}

/// Address, hardware type, flags, hardware address, mask, device.
fn neighbour(line: &str, known: &Known) -> Option<Neighbour> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [ip, _, flags, mac, _, dev] = words[..] else { return None };
    let flags = u32::from_str_radix(flags.strip_prefix("0x")?, 16).ok()?;
    let state = match flags {
        f if f & ATF_PERM != 0 => NeighbourState::Permanent,
        f if f & ATF_COM != 0 => NeighbourState::Stale,
        _ => NeighbourState::Incomplete,
    };
    Some(Neighbour {
        link: known.index(dev)?,
        ip: ip.parse().ok()?,
        mac: mac.parse().ok().filter(|_| flags & ATF_COM != 0),
        state,
        proxy: flags & ATF_PUBL != 0,
    })
}
