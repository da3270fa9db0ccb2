//! Random networks and packets, biased towards what collides.

mod address;
pub(crate) mod again;
mod arp;
mod bridge;
mod firewall;
mod group;
mod ipv6;
mod kinds;
mod links;
mod many;
mod overlay;
mod packet;
mod rule;
mod settings;
mod story;
mod topology;

use std::net::Ipv4Addr;

pub use kinds::{Kind, Kinds};

use crate::network::Network;
use crate::packet::Spec;
use crate::random::Random;

/// Most packets of a network.
pub const PACKETS: usize = 20;
/// How many stories a network has, each with its share of the packets.
pub(crate) const SCENES: usize = 4;

/// Which networks are drawn.
#[derive(Clone, Copy, Debug)]
pub struct Draw {
    /// The same seed gives the same ones.
    pub seed: u64,
    /// How many of 100 tell stories, in which features are made to decide; the others are of
    /// everything a little.
    pub stories: u8,
    /// Of what not every kernel has stories are told, too.
    pub kinds: Kinds,
    /// No other stories are told.
    pub of_kinds: bool,
}

impl Draw {
    /// How many of 100 tell stories, unless it is said.
    pub const STORIES: u8 = 95;

    /// As it is drawn unless more is said.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let kinds = Kinds::default();
        Self { seed, stories: Self::STORIES, kinds, of_kinds: false }
    }
}

impl std::fmt::Display for Draw {
    /// As the options of `oracle` that draw the same.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "--seed {}", self.seed)?;
        match self.stories {
            Self::STORIES => Ok(()),
            stories => write!(f, " --stories {stories}"),
        }?;
        let kinds = Kind::ALL.into_iter().filter(|kind| self.of_kinds && self.kinds.has(*kind));
        kinds.into_iter().try_for_each(|kind| write!(f, " --kind {kind}"))
    }
}

/// One network that was drawn, and its packets.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) network: Network,
    pub(crate) packets: Vec<Spec>,
}

/// Whether the network of that number tells stories.
pub(crate) fn tells(draw: Draw, number: u64) -> bool {
    Random::new(draw.seed, again::first(number)).percent(usize::from(draw.stories))
}

/// Which of a network's stories that packet of it is of.
pub(crate) const fn scene_of(packet: usize) -> usize {
    packet * SCENES / PACKETS
}

/// The network of that number.
pub(crate) fn generate(draw: Draw, number: u64) -> Case {
    let mut random = Random::new(draw.seed, number);
    let (mut case, shares, six) = match tells(draw, number) {
        true => {
            let (case, shares) = story::stories(draw, number, &mut random);
            (case, shares, 94)
        }
        false => (mixed(&mut random), vec![75; PACKETS], 34),
    };
    if random.percent(six) {
        ipv6::add(&mut case, &shares, &mut random);
    } else if random.percent(15) {
        group::ask(&mut case, &mut random);
    }
    draw.kinds.restrict(&mut case.network);
    packet::flows(&case.network, &mut case.packets, &mut random);
    case
}

/// A network in which a little of everything is drawn.
fn mixed(random: &mut Random) -> Case {
    let mut plan = topology::topology(random);
    links::links(&mut plan, random);
    plan.asking = random.percent(30);
    plan.bridging = random.percent(50);
    address::addresses(&mut plan, random);
    overlay::overlays(&mut plan, random);
    address::routes(&mut plan, random);
    bridge::bridges(&mut plan, random);
    rule::rules(&mut plan, random);
    address::sound(&mut plan.network);
    firewall::firewall(&mut plan, random);
    bridge::rules(&mut plan, random);
    arp::proxies(&mut plan, random);
    settings::settings(&mut plan, random);
    let packets = packet::packets(&plan, random);
    Case { network: plan.network, packets }
}

/// What the generator knows of the network that it makes.
#[derive(Clone, Debug, Default)]
struct Plan {
    network: Network,
    segments: Vec<Segment>,
    /// What is about ARP is drawn.
    asking: bool,
    /// There are vxlans: no path is to be too small for what they add.
    overlaid: bool,
    /// What is about bridges is drawn.
    bridging: bool,
}

/// Links that reach each other by Ethernet.
#[derive(Clone, Debug, Default)]
struct Segment {
    /// Who may have an address here.
    ends: Vec<End>,
    /// The third byte of its subnet.
    subnet: u8,
}

/// A link of a namespace on a segment.
#[derive(Clone, Debug)]
struct End {
    space: usize,
    link: String,
    /// Its address there, if it has one.
    ip: Option<Ipv4Addr>,
    /// The link is not brought up.
    down: bool,
}

impl Plan {
    /// Every address that somebody has, and whose it is.
    fn owned(&self) -> Vec<(usize, Ipv4Addr)> {
        let ends = self.segments.iter().flat_map(|s| &s.ends);
        ends.filter_map(|e| Some((e.space, e.ip?))).collect()
    }

    /// The segments that a namespace is on, with its end there.
    fn ends_of(&self, space: usize) -> Vec<(usize, &End)> {
        let all = self.segments.iter().enumerate();
        all.flat_map(|(i, s)| s.ends.iter().map(move |e| (i, e)))
            .filter(|(_, e)| e.space == space)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_network_is_a_lab() {
        for number in 0..600 {
            let text = generate(Draw::of(7), number).network.to_string();
            let told = lab::parse(&text, "case").map(drop);
            assert!(told.is_ok(), "{number}: {told:?}\n{text}");
        }
    }
}
