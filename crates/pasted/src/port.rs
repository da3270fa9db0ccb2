//! What a link has as port of a bridge: of `bridge -d link` and of `ip -d link`.

use model::{BridgePort, PortState};

use crate::link::split_at;
use crate::report::Report;
use crate::words::{after, flag};

/// A port of `bridge link`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartPort {
    pub(crate) name: String,
    pub(crate) bridge: Option<String>,
    pub(crate) port: BridgePort,
    /// With `-d`, all of its flags are told.
    pub(crate) detailed: bool,
}

/// All ports of `bridge link`.
pub(crate) fn parse(text: &str, report: &mut Report<'_>) -> Vec<PartPort> {
    let mut ports: Vec<(String, Vec<String>)> = Vec::new();
    for (number, line) in report.lines(text) {
        let words = line.split_whitespace().map(str::to_owned);
        let head = line.split_once(": ").filter(|(i, _)| i.parse::<u32>().is_ok());
        match (head, ports.last_mut()) {
            (Some((_, rest)), _) => {
                // Older versions print the state between name and flags.
                let name = rest.split([':', ' ']).next().unwrap_or_default();
                ports.push((split_at(name).0, words.collect()));
            }
            (None, Some((_, all))) => all.extend(words),
            (None, None) => report.line(number, "no port of `bridge link`"),
        }
    }
    let part = |(name, words): (String, Vec<String>)| PartPort {
        name,
        bridge: after(&words, "master").map(str::to_owned),
        port: of_words(&words),
        detailed: words.iter().any(|w| w == "hairpin"),
    };
    ports.into_iter().map(part).collect()
}

/// `state forwarding … hairpin off … isolated off`.
pub(crate) fn of_words(words: &[String]) -> BridgePort {
    let usual = BridgePort::default();
    let on = |key, usual| flag(words, key).unwrap_or(usual);
    BridgePort {
        number: 0,
        state: after(words, "state").and_then(state_of).unwrap_or(usual.state),
        learning: on("learning", usual.learning),
        flood: on("flood", usual.flood),
        mcast_flood: on("mcast_flood", usual.mcast_flood),
        bcast_flood: on("bcast_flood", usual.bcast_flood),
        hairpin: on("hairpin", usual.hairpin),
        isolated: on("isolated", usual.isolated),
        mcast_to_unicast: on("mcast_to_unicast", usual.mcast_to_unicast),
        multicast_router: after(words, "mcast_router").and_then(crate::route::number).unwrap_or(1),
        vlan_tunnel: on("vlan_tunnel", usual.vlan_tunnel),
        neigh_suppress: on("neigh_suppress", usual.neigh_suppress),
        locked: on("locked", usual.locked),
        proxy_arp: on("proxy_arp", usual.proxy_arp),
        proxy_arp_wifi: on("proxy_arp_wifi", usual.proxy_arp_wifi),
        mab: on("mab", usual.mab),
        group_fwd_mask: after(words, "group_fwd_mask").and_then(crate::route::number).unwrap_or(0),
        bpdu_guard: on("guard", usual.bpdu_guard),
        backup_port: None,
        designated: None,
    }
}

fn state_of(word: &str) -> Option<PortState> {
    Some(match word {
        "disabled" => PortState::Disabled,
        "listening" => PortState::Listening,
        "learning" => PortState::Learning,
        "forwarding" => PortState::Forwarding,
        "blocking" => PortState::Blocking,
        _ => return None,
    })
}
