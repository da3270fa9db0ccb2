//! Small networks of their own, in each of which a few features are made to decide: what random
//! values meet too seldom.

mod address;
mod answer;
mod bond;
mod bridge;
mod ipset;
mod iptables;
mod kinds;
mod legacy;
mod nft;
mod route;
mod rule;
mod setting;
mod tc;
mod upper;

use kernel::probe::SYN;

use crate::network::{Link, Network, NftChain, Space};
use crate::packet::{Carries, Spec};
use crate::random::Random;

use super::{Case, Draw, Kind, PACKETS, SCENES, again, packet, settings};

/// Writes a scene: its namespaces and what is sent there.
type Story = fn(&mut Scene<'_>);

/// All stories, how often each is drawn, and how often (of 100) its packets go by IPv6 where there is
/// such.
const STORIES: &[(usize, usize, Story)] = &[
    (93, 90, rule::at_the_sender),
    (5, 50, rule::at_the_router),
    (12, 100, rule::suppressed),
    (3, 50, rule::goes_to),
    (73, 100, route::kinds),
    (40, 66, rule::by_group),
    (1, 50, route::thrown),
    (7, 100, route::metrics),
    (15, 100, route::source),
    (1, 50, route::host),
    (25, 0, route::multipath),
    (16, 0, route::by_service),
    (15, 0, route::narrow),
    (40, 20, route::of_own_packets),
    (11, 0, route::by_ipv6),
    (1, 50, address::secondary),
    (1, 50, address::twice),
    (1, 50, address::known_for_good),
    (30, 100, address::labelled),
    (98, 0, bridge::flags),
    (90, 62, bridge::answers_for),
    (48, 62, bridge::for_many),
    (39, 0, bridge::groups),
    (16, 0, bridge::reserved),
    (26, 0, bridge::learns_from_few),
    (18, 0, bridge::stands_in),
    (31, 0, bridge::filters),
    (23, 0, bridge::asks),
    (19, 100, bridge::answered),
    (33, 0, bridge::asks_as),
    (12, 0, bridge::private),
    (12, 0, setting::accepts_its_own),
    (1, 50, setting::loopback_from_outside),
    (24, 32, setting::loopback_published),
    (33, 0, setting::marked_way_back),
    (1, 50, setting::reverse_path),
    (40, 0, setting::turned_back),
    (44, 0, setting::heeds),
    (16, 0, setting::silent),
    (20, 0, setting::tells_nobody),
    (13, 0, setting::short_lived),
    (28, 80, setting::small),
    (90, 10, answer::settings),
    (31, 0, nft::filtered),
    (16, 0, nft::by_map),
    (25, 0, nft::chains),
    (62, 0, nft::translated),
    (3, 0, nft::priorities),
    (41, 0, nft::tracked),
    (13, 0, nft::rewritten),
    (15, 0, nft::routed_anew),
    (24, 0, nft::bridged),
    (32, 0, nft::at_a_link),
    (10, 0, nft::of_arp),
    (36, 8, iptables::accepted),
    (57, 13, iptables::translated),
    (58, 53, iptables::altered),
    (17, 25, iptables::limited),
    (5, 0, iptables::marked),
    (20, 0, iptables::tracked),
    (18, 100, iptables::owned),
    (11, 38, iptables::counted),
    (26, 0, iptables::known),
    (106, 3, ipset::asked),
    (6, 0, ipset::marks),
    (16, 20, tc::by_a_queue),
    (77, 0, upper::macvlans),
    (47, 4, upper::vxlans),
    (36, 10, upper::vxlans_elsewhere),
];

/// Those of what not every kernel has.
const OF_KINDS: &[(Kind, (usize, usize, Story))] = &[
    (Kind::Vlan, (30, 30, kinds::vlans)),
    (Kind::VlanFiltering, (40, 30, kinds::filtering)),
    (Kind::Ipvlan, (40, 30, kinds::ipvlans)),
    (Kind::Vrf, (60, 45, kinds::vrfs)),
    (Kind::Dummy, (15, 30, kinds::dummies)),
    (Kind::Bond, (60, 30, bond::bonds)),
    (Kind::Ifb, (45, 0, tc::to_an_ifb)),
    (Kind::Ifb, (10, 0, tc::to_others)),
    (Kind::Flower, (40, 30, tc::by_flower)),
    (Kind::RuleDscp, (1, 50, rule::at_the_sender)),
    (Kind::RulePortMasks, (1, 50, rule::at_the_sender)),
    (Kind::Mab, (1, 0, bridge::flags)),
    (Kind::MaxLearned, (25, 30, bridge::learns_little)),
    (Kind::Legacy, (20, 80, legacy::in_a_row)),
    (Kind::Legacy, (10, 60, legacy::alone)),
    (Kind::Legacy, (30, 0, legacy::beside)),
];

/// The first letter of the names of each one's namespaces.
const LETTERS: [&str; SCENES] = ["w", "x", "y", "z"];

/// A network of stories that know nothing of each other, and packets for each.
/// And how often each packet goes by IPv6.
pub(super) fn stories(draw: Draw, number: u64, random: &mut Random) -> (Case, Vec<usize>) {
    let mut network = Network::default();
    let (mut packets, mut shares) = (Vec::new(), Vec::new());
    for (n, letter) in LETTERS.into_iter().enumerate() {
        let told = again::scene(number).unwrap_or(n);
        let turn = again::first(number) * SCENES as u64 + told as u64;
        let (six, turn, story) = drawn(draw, turn);
        let mut scene = Scene { letter, network: &mut network, shots: Vec::new(), random, turn };
        story(&mut scene);
        let shots = scene.shots;
        for (number, shot) in (packets.len()..PACKETS * (n + 1) / SCENES).zip(shots.iter().cycle())
        {
            let number = u16::try_from(number).unwrap_or(0);
            packets.push(shot.spec(number, &network, random));
            shares.push(six);
        }
    }
    network.spaces.iter_mut().for_each(settings::quiet);
    (Case { network, packets }, shares)
}

/// The story whose turn it is, and which of its own turns. The turns go by the golden ratio, so that of
/// any number of them each story has its share, and each of what it tells; none is left to chance.
fn drawn(draw: Draw, turn: u64) -> (usize, Turn, Story) {
    const GOLDEN_RATIO: u64 = 0x9e37_79b9_7f4a_7c15;
    let of_kinds = OF_KINDS.iter().filter(|(kind, _)| draw.kinds.has(*kind)).map(|(_, told)| told);
    let usual = STORIES.iter().filter(|_| !draw.of_kinds);
    let stories: Vec<_> = usual.chain(of_kinds).collect();
    let all: u64 = stories.iter().map(|(weight, ..)| *weight as u64).sum();
    let at = turn.wrapping_mul(GOLDEN_RATIO).wrapping_add(Random::new(draw.seed, 0).next());
    let mut left = u128::from(at) * u128::from(all);
    for (weight, six, story) in stories {
        match left.checked_sub((*weight as u128) << 64) {
            Some(less) => left = less,
            None => return (*six, Turn((left / *weight as u128) as u64), *story),
        }
    }
    (0, Turn(0), rule::at_the_sender)
}

/// Where between its first turn and its last a story is: a part of 2^64.
#[derive(Clone, Copy)]
struct Turn(u64);

impl Turn {
    /// Of so many, the one whose turn it is.
    const fn of(self, count: usize) -> usize {
        ((self.0 as u128 * count as u128) >> 64) as usize
    }
}

/// What a story is told with.
pub(super) struct Scene<'a> {
    letter: &'static str,
    network: &'a mut Network,
    shots: Vec<Shot>,
    pub(super) random: &'a mut Random,
    turn: Turn,
}

/// A packet of a story; what it says nothing of is drawn.
#[derive(Clone, Debug)]
pub(super) struct Shot {
    from: String,
    to: String,
    src: Option<String>,
    carries: Option<Carries>,
    mark: u32,
    tos: u8,
    ttl: Option<u8>,
    len: Option<u32>,
    df: Option<bool>,
    flags: Option<u8>,
}

impl Shot {
    pub(super) fn src(&mut self, src: &str) -> &mut Self {
        self.src = Some(src.to_owned());
        self
    }

    pub(super) fn mark(&mut self, mark: u32) -> &mut Self {
        self.mark = mark;
        self
    }

    pub(super) fn tos(&mut self, tos: u8) -> &mut Self {
        self.tos = tos;
        self
    }

    pub(super) fn ttl(&mut self, ttl: u8) -> &mut Self {
        self.ttl = Some(ttl);
        self
    }

    /// So many bytes; TCP's are always few.
    pub(super) fn size(&mut self, len: u32, df: bool) -> &mut Self {
        (self.len, self.df) = (Some(len), Some(df));
        self
    }

    /// Source port 0: one of its own.
    pub(super) fn carries(&mut self, carries: Carries) -> &mut Self {
        self.carries = Some(carries);
        self
    }

    /// Of TCP.
    pub(super) fn flags(&mut self, flags: u8) -> &mut Self {
        self.flags = Some(flags);
        self
    }

    fn spec(&self, number: u16, network: &Network, random: &mut Random) -> Spec {
        let drawn = packet::carries(number, random);
        let carries = match self.carries {
            Some(Carries::Icmp(_)) => Carries::Icmp(100 + number),
            Some(Carries::Udp(0, to)) => Carries::Udp(20_000 + number, to),
            Some(Carries::Tcp(0, to)) => Carries::Tcp(20_000 + number, to),
            Some(given) => given,
            None => drawn,
        };
        let carries = packet::suited(carries, network.space(&self.from));
        let tcp = matches!(carries, Carries::Tcp(..));
        let len = self.len.unwrap_or_else(|| random.one(&[84, 84, 500]));
        let address = |text: &String| text.parse().ok();
        Spec {
            from: self.from.clone(),
            to: address(&self.to).unwrap_or([192, 0, 2, 1].into()),
            src: self.src.as_ref().and_then(address),
            carries,
            len: if tcp { 44 } else { len },
            df: tcp || self.df.unwrap_or_else(|| random.percent(50)),
            ttl: self.ttl.unwrap_or_else(|| random.one(&[64, 64, 64, 64, 2])),
            tos: self.tos,
            mark: self.mark,
            dev: None,
            flags: match self.flags {
                Some(flags) if tcp => flags,
                None if tcp && self.carries.is_none() => packet::flags(random),
                _ => SYN,
            },
        }
    }
}

impl Scene<'_> {
    fn name(&self, space: &str) -> String {
        format!("{}{space}", self.letter)
    }

    /// A namespace of this scene; made when it is first spoken of.
    pub(super) fn space(&mut self, space: &str) -> &mut Space {
        let name = self.name(space);
        let at = self.network.spaces.iter().position(|s| s.name == name).unwrap_or_else(|| {
            self.network.spaces.push(Space { name, ..Space::default() });
            self.network.spaces.len() - 1
        });
        &mut self.network.spaces[at]
    }

    /// A pair between two, each end of that name.
    pub(super) fn pair(&mut self, near: &str, far: &str, link: &str) {
        let peer = format!("\"{}:{link}\"", self.name(far));
        let near = self.link(near, link);
        near.set("kind", "veth");
        near.set("peer", peer);
        self.link(far, link);
    }

    /// A link of a namespace; made when it is first spoken of.
    pub(super) fn link(&mut self, space: &str, link: &str) -> &mut Link {
        let space = self.space(space);
        let at = space.links.iter().position(|l| l.name == link).unwrap_or_else(|| {
            space.links.push(Link { name: link.to_owned(), ..Link::default() });
            space.links.len() - 1
        });
        &mut space.links[at]
    }

    pub(super) fn address(&mut self, space: &str, link: &str, address: &str) {
        self.link(space, link).addresses.push(address.to_owned());
    }

    pub(super) fn route(&mut self, space: &str, line: impl Into<String>) {
        self.space(space).list("routes", line);
    }

    pub(super) fn rule(&mut self, space: &str, line: impl Into<String>) {
        self.space(space).list("rules", line);
    }

    pub(super) fn sysctl(&mut self, space: &str, key: &str, value: impl std::fmt::Display) {
        self.space(space).sysctl(key, value);
    }

    /// A rule of iptables, behind those that are there.
    pub(super) fn iptables(
        &mut self,
        space: &str,
        table: &'static str,
        name: &'static str,
        rule: impl Into<String>,
    ) {
        self.space(space).rule(table, name, rule.into(), false);
    }

    /// A chain of nftables; with an empty hook, one that others lead to.
    pub(super) fn nft(
        &mut self,
        space: &str,
        (table, name, hook): (&'static str, &'static str, &str),
        rules: &[&str],
    ) -> &mut NftChain {
        let rules = rules.iter().map(|r| (*r).to_owned()).collect();
        let chain = NftChain { table, name, hook: hook.to_owned(), drop: false, rules };
        let space = self.space(space);
        space.nft.push(chain);
        let last = space.nft.len() - 1;
        &mut space.nft[last]
    }

    /// Its services: a TCP port, and a UDP port that echoes.
    pub(super) fn serves(&mut self, space: &str) {
        let space = self.space(space);
        (space.tcp, space.udp) = (vec![80], vec![7]);
    }

    /// A packet of this scene.
    pub(super) fn send(&mut self, from: &str, to: &str) -> &mut Shot {
        let from = self.name(from);
        self.shots.push(Shot {
            from,
            to: to.to_owned(),
            src: None,
            carries: None,
            mark: 0,
            tos: 0,
            ttl: None,
            len: None,
            df: None,
            flags: None,
        });
        let last = self.shots.len() - 1;
        &mut self.shots[last]
    }

    pub(super) fn one<T: Copy>(&mut self, all: &[T]) -> T {
        self.random.one(all)
    }

    /// The one whose turn it is: for what a story is mainly about, and once in it alone.
    pub(super) const fn in_turn<T: Copy>(&self, all: &[T]) -> T {
        all[self.turn.of(all.len())]
    }

    /// The same of that many numbers.
    pub(super) const fn turn_of(&self, count: usize) -> usize {
        self.turn.of(count)
    }

    pub(super) fn percent(&mut self, chance: usize) -> bool {
        self.random.percent(chance)
    }

    /// `a` – `r` – `b`: 10.0.1.2, the router's 10.0.1.1 and 10.0.2.1, 10.0.2.2.
    pub(super) fn line(&mut self) {
        self.pair("a", "r", "e1");
        self.pair("r", "b", "e2");
        for (space, link, address) in [
            ("a", "e1", "10.0.1.2/24"),
            ("r", "e1", "10.0.1.1/24"),
            ("r", "e2", "10.0.2.1/24"),
            ("b", "e2", "10.0.2.2/24"),
        ] {
            self.address(space, link, address);
        }
        self.route("a", "to: default, via: 10.0.1.1");
        self.route("b", "to: default, via: 10.0.2.1");
        self.sysctl("r", "net.ipv4.ip_forward", 1);
        self.serves("b");
    }

    /// A [`Scene::line`] whose ends find their way out by more than a default route, at times.
    pub(super) fn way(&mut self) {
        self.line();
        if self.percent(60) {
            self.routed_otherwise("a", "10.0.1.1", "10.0.1.77", "10.0.2.2");
        }
        if self.percent(25) {
            self.routed_otherwise("b", "10.0.2.1", "10.0.2.77", "10.0.1.2");
        }
    }

    /// Its default route leads by `gateway`, by more rules and routes than it takes, without any of
    /// which it would not: `nobody` is nobody.
    fn routed_otherwise(&mut self, space: &str, gateway: &str, nobody: &str, far: &str) {
        self.space(space).lists.retain(|(of, _)| *of != "routes");
        let right = format!("to: default, via: {gateway}");
        let wrong = format!("to: default, via: {nobody}");
        let holds = ["iif: lo", "uidrange: 0-0", "to: 10.0.0.0/8", "fwmark: 77, not: true"];
        let holds = self.one(&holds);
        match self.random.below(9) {
            0..3 => {
                self.route(space, format!("{right}, table: 100"));
                self.rule(space, format!("pref: 100, {holds}, table: 100"));
            }
            3 => {
                self.route(space, wrong);
                self.route(space, format!("{right}, table: 100"));
                self.rule(space, "pref: 90, table: main, suppress_prefixlength: 0");
                self.rule(space, "pref: 100, table: 100");
            }
            4 => {
                let refuses = self.one(&["prohibit", "unreachable", "blackhole"]);
                self.route(space, right);
                self.rule(space, format!("pref: 90, {holds}, goto: 200"));
                self.rule(space, format!("pref: 100, type: {refuses}"));
                self.rule(space, "pref: 200, type: nop");
            }
            5 => {
                self.route(space, format!("{wrong}, metric: 30"));
                self.route(space, format!("{right}, metric: 5"));
            }
            6 => {
                self.route(space, right);
                self.route(space, format!("{wrong}, table: 100"));
                self.route(space, format!("to: {far}/32, type: throw, table: 100"));
                self.rule(space, "pref: 100, table: 100");
            }
            7 => {
                self.route(space, wrong);
                self.route(space, format!("to: {far}, via: {gateway}"));
            }
            _ => {
                let (net, own) = if space == "a" { (2, "10.0.1.2") } else { (3, "10.0.2.2") };
                self.address(space, "lo", &format!("10.9.{net}.1/32"));
                self.route(space, format!("{right}, src: 10.9.{net}.1"));
                self.route("r", format!("to: 10.9.{net}.0/24, via: {own}"));
            }
        }
    }

    /// `a` reaches `b`, which is 10.9.0.1, by `r` (10.0.1.1, 10.0.3.1) and by `q` (10.0.2.1,
    /// 10.0.4.1); it has no route there yet.
    pub(super) fn fork(&mut self) {
        for (space, far, link, net) in
            [("r", "a", "e1", 1), ("q", "a", "e2", 2), ("r", "b", "e3", 3), ("q", "b", "e4", 4)]
        {
            self.pair(space, far, link);
            self.address(space, link, &format!("10.0.{net}.1/24"));
            self.address(far, link, &format!("10.0.{net}.2/24"));
        }
        self.address("b", "lo", "10.9.0.1/32");
        for (router, near, far) in [("r", 1, 3), ("q", 2, 4)] {
            self.sysctl(router, "net.ipv4.ip_forward", 1);
            self.route(router, format!("to: default, via: 10.0.{far}.2"));
            self.route(router, format!("to: 10.9.2.0/24, via: 10.0.{near}.2"));
            self.route("b", format!("to: 10.0.{near}.0/24, via: 10.0.{far}.1"));
        }
        self.route("b", "to: 10.9.2.0/24, via: 10.0.3.1");
        self.serves("b");
    }
}
