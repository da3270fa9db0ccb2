//! What filters and translates in the calling thread's namespace, and what it tracks.

use std::fs;

use model::{Family, Hook, Opaque, Ruleset};
use wire::nft::{self, NftReplies};
use wire::{conntrack, rtnl};

use super::modules::Present;
use super::survey::Reading;
use crate::netlink::{NetlinkError, Protocol, Request, Socket};

/// How often the ruleset is read again because it changed meanwhile.
const ATTEMPTS: usize = 5;

/// The ruleset, and what else decides about packets.
pub(super) fn rules(present: &Present, reading: &mut Reading) {
    if present.nft {
        match Socket::open(Protocol::Netfilter).and_then(|mut socket| ruleset(&mut socket)) {
            Ok(Some(replies)) => note(&replies, reading),
            Ok(None) => {
                reading.gap("netfilter", "the ruleset changed each time that it was read");
            }
            Err(error) => reading.gap("netfilter", error),
        }
    }
    legacy(present, reading);
    if present.ipvs && lines("ip_vs").len() > IPVS_HEADER {
        reading.namespace.opaque.push(Opaque::Ipvs);
    }
    if present.xfrm {
        match policies() {
            Ok(0) => {}
            Ok(_) => reading.namespace.opaque.push(Opaque::Xfrm),
            Err(error) => reading.gap("xfrm", error),
        }
    }
}

/// Tracked connections.
pub(super) fn connections(present: &Present, reading: &mut Reading) {
    if !present.conntrack {
        return;
    }
    if !present.ctnetlink {
        // Asking would load it.
        reading.gap("conntrack", "the module nf_conntrack_netlink is not loaded");
        return;
    }
    match Socket::open(Protocol::Netfilter).and_then(|mut socket| tracked(&mut socket)) {
        Ok(all) => reading.namespace.conntrack = all,
        Err(error) => reading.gap("conntrack", error),
    }
}

/// All replies of one generation; None if it never stood still.
fn ruleset(socket: &mut Socket) -> Result<Option<NftReplies>, NetlinkError> {
    for _ in 0..ATTEMPTS {
        let generation = socket.get(nft::request::generation())?;
        let (mut replies, consistent) = dumps(socket)?;
        let after = socket.get(nft::request::generation())?;
        if consistent && nft::generation(&generation) == nft::generation(&after) {
            replies.generation = generation;
            return Ok(Some(replies));
        }
    }
    Ok(None)
}

fn dumps(socket: &mut Socket) -> Result<(NftReplies, bool), NetlinkError> {
    let tables = socket.dump(nft::request::tables())?;
    let mut consistent = tables.consistent;
    let mut replies = NftReplies { tables: tables.bytes, ..NftReplies::default() };
    if replies.tables.is_empty() {
        return Ok((replies, consistent));
    }
    let mut list = |request: nft::Request| {
        let part = socket.dump(request)?;
        consistent &= part.consistent;
        Ok::<_, NetlinkError>(part.bytes)
    };
    replies.chains = list(nft::request::chains())?;
    replies.rules = list(nft::request::rules())?;
    replies.sets = list(nft::request::sets())?;
    for set in nft::set_names(&replies.sets) {
        match list(nft::request::set_elements(&set)) {
            Ok(elements) => replies.elements.extend(elements),
            // Gone since: the generation has moved, and all is read again.
            Err(error) if error.errno == rustix::io::Errno::NOENT => {}
            Err(error) => return Err(error),
        }
    }
    // A kernel without flowtables refuses, and has none.
    replies.flowtables = list(nft::request::flowtables()).unwrap_or_default();
    Ok((replies, consistent))
}

fn note(replies: &NftReplies, reading: &mut Reading) {
    let (ruleset, warnings) = nft::decode_ruleset(replies);
    for text in warnings {
        // What could not be read of a ruleset could change any verdict.
        reading.gap("netfilter", text);
    }
    let flowtables = ruleset.tables.iter().flat_map(|t| &t.flowtables);
    reading.namespace.opaque.extend(flowtables.cloned().map(Opaque::Flowtable));
    hooked(&ruleset, reading);
    reading.namespace.ruleset = ruleset;
}

/// Links with a chain of their own before or behind them.
fn hooked(ruleset: &Ruleset, reading: &mut Reading) {
    let chains = ruleset.tables.iter().flat_map(|t| t.chains.iter().map(move |c| (t.family, c)));
    let devices: Vec<&String> = chains
        .filter_map(|(family, chain)| chain.base.as_ref().map(|base| (family, base)))
        .filter(|(family, base)| {
            *family == Family::Netdev || matches!(base.hook, Hook::Ingress | Hook::Egress)
        })
        .flat_map(|(_, base)| &base.devices)
        .collect();
    let found = reading.links.iter().filter(|l| devices.contains(&&l.link.name));
    reading.hooked.extend(found.map(|l| l.link.index));
}

/// iptables-legacy: only asked which tables there are, since asking for their rules makes them.
fn legacy(present: &Present, reading: &mut Reading) {
    let mut tables: Vec<String> = Vec::new();
    for file in &present.legacy {
        tables.extend(lines(file).into_iter().map(|t| format!("{}: {t}", tool(file))));
    }
    if !tables.is_empty() {
        reading.namespace.opaque.push(Opaque::LegacyTables(tables));
    }
}

fn tool(file: &str) -> &'static str {
    match file {
        "ip6_tables_names" => "ip6tables",
        "arp_tables_names" => "arptables",
        _ => "iptables",
    }
}

/// Lines of /proc/net/ip_vs that are always there.
const IPVS_HEADER: usize = 3;

fn lines(file: &str) -> Vec<String> {
    let text = fs::read_to_string(format!("/proc/thread-self/net/{file}")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

const XFRM_MSG_NEWSPDINFO: u16 = 0x24;
const XFRM_MSG_GETSPDINFO: u16 = 0x25;

/// How many IPsec policies there are, those of sockets aside.
fn policies() -> Result<u32, NetlinkError> {
    let mut socket = Socket::open(Protocol::Xfrm)?;
    let reply = socket.get(Request::new(XFRM_MSG_GETSPDINFO, vec![0; 4]))?;
    let mut messages = rtnl::messages(&reply).filter(|m| m.kind == XFRM_MSG_NEWSPDINFO);
    // The flags, an attribute's head, then struct xfrmu_spdinfo: in, out, forwarded, ….
    let counts = messages.next().and_then(|m| m.body.get(8..20)).unwrap_or_default();
    let numbers = counts.chunks_exact(4).filter_map(|c| c.first_chunk());
    Ok(numbers.map(|c| u32::from_ne_bytes(*c)).fold(0, u32::saturating_add))
}

fn tracked(socket: &mut Socket) -> Result<Vec<model::Conntrack>, NetlinkError> {
    let stats = socket.get(Request::new(conntrack::GET_STATS, conntrack::any_family()))?;
    // The list is the whole machine's, looked through for this namespace's: not for nothing.
    if rtnl::messages(&stats).find_map(|m| conntrack::count(&m)) == Some(0) {
        return Ok(Vec::new());
    }
    let replies = socket.dump(Request::new(conntrack::GET, conntrack::any_family()))?;
    Ok(replies.messages().filter_map(|m| conntrack::conntrack(&m)).collect())
}
