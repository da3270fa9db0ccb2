//! RTM_NEWNEIGH → [`Neighbour`] or [`FdbEntry`].

use model::{FdbEntry, Neighbour, NeighbourState, Remote};

use super::attr::{Attr, attrs_behind, u16_at, u32_at};
use super::message::Message;

const RTM_NEWNEIGH: u16 = 28;
/// Length of `struct ndmsg`.
const NDMSG: usize = 12;
const AF_INET: u8 = 2;
const AF_BRIDGE: u8 = 7;
const AF_INET6: u8 = 10;

const NDA_DST: u16 = 1;
const NDA_LLADDR: u16 = 2;
const NDA_CACHEINFO: u16 = 3;
const NDA_VLAN: u16 = 5;
const NDA_PORT: u16 = 6;
const NDA_VNI: u16 = 7;
const NDA_IFINDEX: u16 = 8;
const NDA_MASTER: u16 = 9;
const NDA_FLAGS_EXT: u16 = 15;

const NUD_NOARP: u16 = 0x40;
const NUD_PERMANENT: u16 = 0x80;
const NTF_SELF: u8 = 2;
const NTF_PROXY: u8 = 8;
const NTF_EXT_LOCKED: u32 = 2;
/// Clock ticks per second in what the kernel tells programs.
const USER_HZ: u32 = 100;

/// The neighbour that a message tells of; None: it is no RTM_NEWNEIGH of IP, or cut short.
#[must_use]
pub fn neighbour(message: &Message<'_>) -> Option<Neighbour> {
    let body = header(message, &[AF_INET, AF_INET6])?;
    let find = |kind| attrs_behind(body, NDMSG).find(|a| a.kind == kind);
    Some(Neighbour {
        link: u32_at(body, 4)?,
        ip: find(NDA_DST)?.ip()?,
        mac: find(NDA_LLADDR).and_then(Attr::mac),
        state: state(u16_at(body, 8)?),
        proxy: body[10] & NTF_PROXY != 0,
    })
}

/// The FDB entry that a message tells of; None: it is no RTM_NEWNEIGH of AF_BRIDGE, or cut short.
#[must_use]
pub fn fdb(message: &Message<'_>) -> Option<FdbEntry> {
    let body = header(message, &[AF_BRIDGE])?;
    let find = |kind| attrs_behind(body, NDMSG).find(|a| a.kind == kind);
    let state = u16_at(body, 8)?;
    let master = find(NDA_MASTER).and_then(Attr::u32);
    let own = body[10] & NTF_SELF != 0;
    let permanent = state & NUD_PERMANENT != 0;
    let fixed = state & (NUD_PERMANENT | NUD_NOARP) != 0;
    // struct nda_cacheinfo: confirmed, used, updated, refcnt; a bridge sets `updated` whenever a
    // frame from that address comes.
    let updated = find(NDA_CACHEINFO).and_then(|a| u32_at(a.value, 8));
    Some(FdbEntry {
        link: u32_at(body, 4)?,
        master,
        mac: find(NDA_LLADDR)?.mac()?,
        vlan: find(NDA_VLAN).and_then(Attr::u16).filter(|v| *v != 0),
        local: permanent && !own,
        is_static: state & NUD_NOARP != 0 || (permanent && own),
        own,
        locked: find(NDA_FLAGS_EXT).and_then(Attr::u32).unwrap_or(0) & NTF_EXT_LOCKED != 0,
        age: updated.filter(|_| !fixed).map(|ticks| ticks / USER_HZ),
        remote: remote(body),
    })
}

/// Where a vxlan's entry sends to.
fn remote(body: &[u8]) -> Option<Remote> {
    let find = |kind| attrs_behind(body, NDMSG).find(|a| a.kind == kind);
    Some(Remote {
        ip: find(NDA_DST)?.ip()?,
        port: find(NDA_PORT).and_then(Attr::be16),
        vni: find(NDA_VNI).and_then(Attr::u32),
        link: find(NDA_IFINDEX).and_then(Attr::u32),
    })
}

fn header<'a>(message: &Message<'a>, families: &[u8]) -> Option<&'a [u8]> {
    let body = message.body;
    let fits =
        message.kind == RTM_NEWNEIGH && body.len() >= NDMSG && families.contains(body.first()?);
    fits.then_some(body)
}

/// NUD_*.
fn state(bits: u16) -> NeighbourState {
    match bits {
        1 => NeighbourState::Incomplete,
        2 => NeighbourState::Reachable,
        4 => NeighbourState::Stale,
        8 => NeighbourState::Delay,
        16 => NeighbourState::Probe,
        32 => NeighbourState::Failed,
        NUD_NOARP => NeighbourState::Noarp,
        NUD_PERMANENT => NeighbourState::Permanent,
        _ => NeighbourState::None,
    }
}
