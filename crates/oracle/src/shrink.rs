//! The smallest network and the fewest packets that still show a disagreement.

use crate::case::{self, Lie, Outcome};
use crate::generate::Case;
use crate::network::Network;
use crate::packet::Spec;
use crate::rig::{Bench, Rig};
use kernel::probe::Tag;

/// So many networks are tried at most.
const MOST: usize = 400;

/// What kind of disagreement it is: shrinking must not wander to another.
fn signature(wrong: &[String]) -> String {
    let first = wrong.first().map_or("", String::as_str);
    let words: Vec<&str> = first.split_whitespace().take(5).collect();
    words
        .iter()
        .filter(|w| !w.contains(':') || w.ends_with(':'))
        .copied()
        .collect::<Vec<_>>()
        .join(" ")
}

/// Takes away all that can be, and gives what is left.
pub(crate) fn shrink(
    bench: &Bench,
    case: &Case,
    number: usize,
    wrong: &[String],
    lie: Option<Lie>,
) -> Case {
    let mut least =
        Case { network: case.network.clone(), packets: case.packets[..=number].to_vec() };
    let same = signature(wrong);
    let mut tries = MOST;
    let mut shows = |network: &Network, packets: &[Spec]| {
        tries = tries.saturating_sub(1);
        tries > 0
            && disagreement(bench, network, packets, lie).is_some_and(|w| signature(&w) == same)
    };
    let alone = vec![case.packets[number].clone()];
    if shows(&least.network, &alone) {
        least.packets = alone;
    }
    loop {
        let before = least.clone();
        let mut at = 0;
        while at + 1 < least.packets.len() {
            let mut fewer = least.packets.clone();
            fewer.remove(at);
            if shows(&least.network, &fewer) { least.packets = fewer } else { at += 1 }
        }
        let mut at = 0;
        while let Some(part) = least.network.parts().get(at).copied() {
            let less = least.network.without(part);
            if less != least.network && shows(&less, &least.packets) {
                least.network = less;
            } else {
                at += 1;
            }
        }
        simpler(&mut least, &mut shows);
        if before.network == least.network && before.packets == least.packets {
            return least;
        }
    }
}

/// The last packet without what is odd about it.
fn simpler(least: &mut Case, shows: &mut impl FnMut(&Network, &[Spec]) -> bool) {
    let plain: [fn(&mut Spec); 6] = [
        |p| p.tos = 0,
        |p| p.mark = 0,
        |p| p.src = None,
        |p| p.ttl = 64,
        |p| p.len = p.len.min(84),
        |p| p.df = true,
    ];
    for change in plain {
        let mut packets = least.packets.clone();
        if let Some(last) = packets.last_mut() {
            change(last);
        }
        if packets != least.packets && shows(&least.network, &packets) {
            least.packets = packets;
        }
    }
}

/// How the last packet is foretold wrongly on that network, if it is.
pub(crate) fn disagreement(
    bench: &Bench,
    network: &Network,
    packets: &[Spec],
    lie: Option<Lie>,
) -> Option<Vec<String>> {
    let mut rig =
        Rig::build(bench, &network.to_string(), Tag([0x5f, 0, 0x7a, 0, 1, 2, 3, 4])).ok()?;
    let mut last = None;
    for (n, packet) in packets.iter().enumerate() {
        let judged = case::run(&mut rig, packet, crate::member(n), lie).ok()?;
        last = match judged.outcome {
            Outcome::Wrong(wrong) => Some(wrong),
            Outcome::Agreed | Outcome::Unknown(_) | Outcome::Spared => None,
        };
    }
    last
}
