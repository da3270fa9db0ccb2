//! Multicasts to those alone who want them: a bridge that asks for members.

use std::net::Ipv4Addr;

use super::Case;
use crate::network::{Link, Space};
use crate::packet::Carries;
use crate::random::Random;

/// The group that is spoken of.
const GROUP: Ipv4Addr = Ipv4Addr::new(239, 1, 1, 1);

/// Makes the bridge of a network a querier, and many packets multicasts. (Of two bridges, each would
/// be new to the other, which is not foretold.)
pub(super) fn ask(case: &mut Case, random: &mut Random) {
    let links = case.network.spaces.iter().flat_map(|s| &s.links);
    let (bridges, down) =
        (links.clone().filter(|l| is_bridge(l)).count(), links.clone().any(is_down));
    if bridges != 1 || down {
        return;
    }
    case.network.spaces.iter_mut().for_each(|space| of_space(space, random));
    for packet in &mut case.packets {
        if !random.percent(45) {
            continue;
        }
        packet.to = GROUP.into();
        if let Carries::Tcp(sport, _) = packet.carries {
            packet.carries = Carries::Icmp(sport);
            packet.len = 84;
        }
    }
}

fn of_space(space: &mut Space, random: &mut Random) {
    let Some(bridge) = space.links.iter_mut().find(|l| is_bridge(l)) else { return };
    // Members need no time to answer: who asks is relied upon at once.
    bridge.set("query_response_interval", 0);
    bridge.set("querier", true);
    // One that does not listen to what is asked keeps no members.
    if has(bridge, "snooping", "false") {
        return;
    }
    let name = bridge.name.clone();
    let ports = space.links.iter().filter(|l| has(l, "bridge", &name));
    let mut wanting: Vec<String> = ports.map(|l| l.name.clone()).collect();
    wanting.push(name);
    for dev in wanting {
        if random.percent(45) {
            space.list("mdb", format!("group: {GROUP}, dev: {dev}"));
        }
    }
}

fn is_bridge(link: &Link) -> bool {
    has(link, "kind", "bridge")
}

fn is_down(link: &Link) -> bool {
    link.options.iter().any(|(key, _)| key == "up")
}

fn has(link: &Link, key: &str, value: &str) -> bool {
    link.options.iter().any(|(k, v)| k == key && v == value)
}
