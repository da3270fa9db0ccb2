//! What one namespace's answers tell.

use std::net::IpAddr;

use model::{
    Address, AddressLabels, BridgeVlan, Conntrack, FdbEntry, Gap, IpSet, LearnedRoute, LinkKind,
    Listener, MdbEntry, Neighbour, Opaque, Queue, Route, RouterPort, Rule, Ruleset, Sysctls, Tc,
    Wireguard,
};

use super::{Answer, Answers, Question, netfilter, public, sysctl};
use crate::programs;
use crate::rtnl::{self, Message, NsidRow, RawLink, RawRoute, messages};

/// What one namespace's answers tell, in the numbers of whoever asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Its links, not yet joined.
    pub links: Vec<RawLink>,
    /// What tc does at links, by ifindex.
    pub(super) tc: Vec<(u32, Tc)>,
    pub(super) queues: Vec<(u32, Vec<Queue>)>,
    pub(super) addresses: Vec<Address>,
    pub(super) address_labels: AddressLabels,
    pub(super) routes: Vec<Route>,
    pub(super) learned: Vec<LearnedRoute>,
    pub(super) rules: Vec<Rule>,
    pub(super) tables_split: Option<bool>,
    pub(super) neighbours: Vec<Neighbour>,
    pub(super) fdb: Vec<FdbEntry>,
    pub(super) vlans: Vec<BridgeVlan>,
    pub(super) mdb: Vec<MdbEntry>,
    pub(super) router_ports: Vec<RouterPort>,
    pub(super) ruleset: Ruleset,
    pub(super) ipsets: Vec<IpSet>,
    pub(super) conntrack: Vec<Conntrack>,
    pub(super) groups: Vec<(u32, IpAddr)>,
    /// A bond and its ports, each.
    pub(super) bonds: Vec<Vec<u32>>,
    pub(super) listeners: Vec<Listener>,
    /// Name servers of its own.
    pub(super) resolvers: Vec<IpAddr>,
    /// What WireGuard links have of their own, by ifindex.
    pub(super) wireguard: Vec<(u32, Wireguard)>,
    /// UDP ports at which somebody waits whatever the address.
    pub(super) udp_ports: Vec<u16>,
    pub(super) sysctls: Sysctls,
    pub(super) opaque: Vec<Opaque>,
    pub(super) nsids: Vec<NsidRow>,
    pub(super) gaps: Vec<Gap>,
    /// What went wrong without leaving a gap.
    pub(super) warnings: Vec<String>,
}

impl Reading {
    /// What these answers tell. No bytes make it panic.
    #[must_use]
    pub fn of(answers: &Answers) -> Self {
        let mut reading = Self::default();
        reading.links = reading.list(answers, Question::Links, rtnl::link);
        for question in [Question::AddressesIpv4, Question::AddressesIpv6] {
            let all = reading.list(answers, question, rtnl::address);
            reading.addresses.extend(all);
        }
        reading.routes(answers);
        reading.rules(answers);
        for question in [Question::LearnedIpv4, Question::LearnedIpv6] {
            let all = reading.list(answers, question, rtnl::learned);
            reading.learned.extend(all);
        }
        let labels = reading.list(answers, Question::AddressLabels, rtnl::address_label);
        // Of what was not asked, or left out of a bundle, nothing is known: then they are the usual ones.
        if !labels.is_empty() {
            reading.address_labels = AddressLabels(labels);
        }
        sysctl::read(&mut reading, answers);
        for question in [Question::Neighbours, Question::ProxyNeighbours] {
            let all = reading.list(answers, question, rtnl::neighbour);
            reading.neighbours.extend(all);
        }
        reading.fdb = reading.list(answers, Question::Fdb, rtnl::fdb);
        let vlans = reading.list(answers, Question::BridgeVlans, rtnl::bridge_vlans);
        reading.vlans = vlans.into_iter().flatten().collect();
        reading.bridges_unasked(answers);
        for told in reading.list(answers, Question::Mdb, rtnl::mdb) {
            reading.mdb.extend(told.entries);
            reading.router_ports.extend(told.routers);
        }
        let qdiscs = reading.list(answers, Question::Qdiscs, rtnl::qdisc);
        let filters = reading.list(answers, Question::Filters, rtnl::filter);
        let shown = answers.by_question.contains_key(&Question::Filters);
        reading.tc = rtnl::tc(&qdiscs, &filters, shown);
        reading.programs(answers);
        reading.queues = rtnl::queues(&qdiscs);
        netfilter::read(&mut reading, answers);
        let groups = String::from_utf8_lossy(reading.reply(answers, Question::Groups));
        reading.groups = crate::groups::read(&groups);
        let bonds = String::from_utf8_lossy(reading.reply(answers, Question::Bonds));
        reading.bonds = crate::bonds::read(&bonds);
        reading.bond_ports();
        reading.listeners(answers);
        let servers = String::from_utf8_lossy(reading.reply(answers, Question::Resolvers));
        reading.resolvers = servers.lines().filter_map(|line| line.parse().ok()).collect();
        reading.wireguard = crate::wireguard::devices(reading.reply(answers, Question::Wireguard));
        let ports = String::from_utf8_lossy(reading.reply(answers, Question::UdpPorts));
        reading.udp_ports = ports.lines().filter_map(|line| line.parse().ok()).collect();
        reading.gaps.extend(answers.gaps.iter().cloned());
        public::read(&mut reading, answers);
        reading.nsids(answers);
        reading
    }

    /// Whoever asked for neighbours, and not for this, did not know of it.
    fn bridges_unasked(&mut self, answers: &Answers) {
        let asked = |question| answers.by_question.contains_key(&question);
        let needs = answers.bridges_ask();
        for (question, needed) in
            [(Question::BridgeVlans, needs.vlans), (Question::Mdb, needs.mdb_counts)]
        {
            if needed && asked(Question::Fdb) && !asked(question) {
                self.gap(question, "it was not asked for");
            }
        }
    }

    /// Its links and addresses, by a later answer.
    pub fn again(&mut self, answers: &Answers) {
        let now = Self::of(answers);
        (self.links, self.addresses) = (now.links, now.addresses);
        self.bond_ports();
    }

    /// Tells bonds the order of their ports.
    fn bond_ports(&mut self) {
        for raw in &mut self.links {
            let LinkKind::Bond(bond) = &mut raw.link.kind else { continue };
            let mut lines = self.bonds.iter().filter_map(|line| line.split_first());
            if let Some((_, ports)) = lines.find(|(index, _)| **index == raw.link.index) {
                bond.ports = ports.to_vec();
            }
        }
    }

    /// Whether it is not known which links there are.
    pub(super) fn links_are_missing(&self) -> bool {
        self.gaps.iter().any(|gap| gap.part == Question::Links.part())
    }

    /// The namespace's own table of numbers, which the live reader asks for last.
    pub fn nsids(&mut self, answers: &Answers) {
        if let Some(Answer::Refused(cause)) = answers.by_question.get(&Question::Nsids) {
            self.gap(Question::Nsids, cause);
        }
        self.nsids = answers.messages(Question::Nsids).filter_map(|m| rtnl::nsid(&m)).collect();
        let rows = answers.messages(Question::NsidRows).filter_map(|m| {
            let row = rtnl::nsid(&m)?;
            Some(NsidRow { current: Some(m.sequence), ..row })
        });
        self.nsids.extend(rows);
    }

    pub(super) fn gap(&mut self, question: Question, cause: impl ToString) {
        self.gaps.push(Gap::new(question.part(), cause.to_string()));
    }

    /// The bytes that answer a question. A refusal becomes a gap.
    pub(super) fn reply<'a>(&mut self, answers: &'a Answers, question: Question) -> &'a [u8] {
        match answers.by_question.get(&question) {
            None => &[],
            Some(Answer::Refused(cause)) => {
                self.gap(question, cause);
                &[]
            }
            Some(Answer::Reply { bytes, consistent }) => {
                if !consistent {
                    let text = format!("{} changed while they were read", question.part());
                    self.warnings.push(text);
                }
                bytes
            }
        }
    }

    /// The answer to a question, message by message.
    pub(super) fn list<T>(
        &mut self,
        answers: &Answers,
        question: Question,
        one: impl Fn(&Message<'_>) -> Option<T>,
    ) -> Vec<T> {
        messages(self.reply(answers, question)).filter_map(|m| one(&m)).collect()
    }

    fn routes(&mut self, answers: &Answers) {
        for question in [Question::RoutesIpv4, Question::RoutesIpv6] {
            let all = self.list(answers, question, rtnl::route);
            for RawRoute { route, unmodelled } in all {
                if let Some(what) = unmodelled {
                    let text = format!("a route to {} {what}", route.dst);
                    self.opaque.push(Opaque::Other(text));
                }
                self.routes.push(route);
            }
        }
    }

    /// Programs of BPF: those at links come before all filters, those on cgroups are not modelled.
    fn programs(&mut self, answers: &Answers) {
        let of_links = String::from_utf8_lossy(self.reply(answers, Question::Programs));
        programs::before(&mut self.tc, programs::read(&of_links));
        let of_cgroups = String::from_utf8_lossy(self.reply(answers, Question::CgroupPrograms));
        let of_cgroups: Vec<&str> = of_cgroups.lines().collect();
        if !of_cgroups.is_empty() {
            self.opaque.push(Opaque::CgroupBpf(of_cgroups.join(", ")));
        }
    }

    fn listeners(&mut self, answers: &Answers) {
        const TCP: u8 = 6;
        const UDP: u8 = 17;
        for (question, protocol) in [
            (Question::Tcp, TCP),
            (Question::Tcp6, TCP),
            (Question::Udp, UDP),
            (Question::Udp6, UDP),
        ] {
            let text = String::from_utf8_lossy(self.reply(answers, question));
            let all = text.lines().filter_map(|line| crate::sockets::listener(line, protocol));
            self.listeners.extend(all);
        }
    }

    fn rules(&mut self, answers: &Answers) {
        self.rules = self.list(answers, Question::Rules, rtnl::rule);
        // The kernel tells those of each family in their order.
        self.rules.sort_by_key(|r| r.ipv6);
        // Refused where the loopback is down: then it is not known.
        let told = answers.messages(Question::RouteToLoopback);
        self.tables_split = told.filter_map(|m| rtnl::tables_split(&m)).next();
    }
}

/// What of its bridges is to be asked for, by its links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BridgesAsk {
    /// Some filter VLANs.
    pub vlans: bool,
    /// Some listen to who wants multicasts.
    pub mdb: bool,
    /// Some do, and somebody asks for members there: without, all get all.
    pub mdb_counts: bool,
}

/// Whether one of these links has a forwarding database that decides something. (Others have
/// entries too, `self`, their own filters.)
pub(super) fn has_fdb(links: &[u8]) -> bool {
    messages(links).filter_map(|m| rtnl::link(&m)).any(|raw| {
        matches!(raw.link.kind, LinkKind::Bridge(_) | LinkKind::Vxlan(_) | LinkKind::Macvlan(_))
    })
}

impl Answers {
    /// Whether a forwarding database is worth asking for, by the links.
    #[must_use]
    pub fn have_fdb(&self) -> bool {
        has_fdb(self.bytes(Question::Links))
    }

    /// The queueing disciplines that were told of.
    #[must_use]
    pub fn qdiscs(&self) -> Vec<rtnl::Qdisc> {
        self.messages(Question::Qdiscs).filter_map(|m| rtnl::qdisc(&m)).collect()
    }

    /// All links, by ifindex.
    #[must_use]
    pub fn link_indexes(&self) -> Vec<u32> {
        self.messages(Question::Links).filter_map(|m| rtnl::link_index(&m)).collect()
    }

    /// The WireGuard links, by ifindex.
    #[must_use]
    pub fn wireguard_links(&self) -> Vec<u32> {
        let links = self.messages(Question::Links).filter_map(|m| rtnl::link(&m));
        let wireguard = links.filter(|raw| matches!(raw.link.kind, LinkKind::Wireguard(_)));
        wireguard.map(|raw| raw.link.index).collect()
    }

    /// What of bridges is worth asking for, by the links.
    #[must_use]
    pub fn bridges_ask(&self) -> BridgesAsk {
        let mut ask = BridgesAsk::default();
        for raw in self.messages(Question::Links).filter_map(|m| rtnl::link(&m)) {
            if let LinkKind::Bridge(bridge) = raw.link.kind {
                ask.vlans |= bridge.vlan_filtering;
                let querier =
                    bridge.multicast_querier || bridge.querier_seen || bridge.querier_seen6;
                ask.mdb |= bridge.multicast_snooping;
                ask.mdb_counts |= bridge.multicast_snooping && querier;
            }
        }
        ask
    }

    /// Whether there is a link without settings of its own: those of new links count for it.
    #[must_use]
    pub fn need_defaults(&self) -> bool {
        self.messages(Question::Links)
            .filter_map(|m| rtnl::link(&m))
            .any(|raw| raw.link.inet.is_none())
    }
}
