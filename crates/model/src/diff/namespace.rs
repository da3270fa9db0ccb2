use std::collections::BTreeMap;

use super::link::{link_facts, moved};
use super::list::{plain, turns};
use super::pairs::Pairs;
use super::route::routes;
use super::{
    Difference, Turn, What, address_is_noise, bridge_table, fdb_is_noise, neighbour_is_noise,
    netfilter, setting,
};
use crate::{
    Address, FdbEntry, LinkId, LinkKind, NameSource, Namespace, Neighbour, NsId, Route, Rule,
    Snapshot,
};

/// A namespace that is in both.
pub(super) fn both(
    before: &Snapshot,
    after: &Snapshot,
    pairs: &Pairs,
    (old, new): (NsId, NsId),
    told: &mut Vec<Difference>,
) {
    let (Some(was), Some(is)) = (before.namespaces.get(&old), after.namespaces.get(&new)) else {
        return;
    };
    let mut teller = Teller { before: Some(old), after: Some(new), pairs, told };
    if pairs.same_run && old != new && !matches!(old.key, crate::NsKey::Unseen(_)) {
        teller.tell(What::Namespace(Turn::Changed { before: old, after: new }));
    }
    teller.identity(was, is);
    teller.content(was, is);
}

/// A namespace that is only in the later Snapshot: told as what sets it apart from an empty one.
pub(super) fn appeared(after: &Snapshot, pairs: &Pairs, id: NsId, told: &mut Vec<Difference>) {
    let Some(is) = after.namespaces.get(&id) else { return };
    let mut teller = Teller { before: None, after: Some(id), pairs, told };
    teller.tell(What::Namespace(Turn::Appeared(id)));
    let mut fresh = Namespace::new(id);
    fresh.rules = Rule::defaults();
    if is.rules.iter().any(|r| r.ipv6) {
        fresh.rules.extend(Rule::defaults_ipv6());
    }
    fresh.sysctls = is.sysctls.clone();
    fresh.files.clone_from(&is.files);
    if is.rules.is_empty() {
        // Not read.
        fresh.rules.clear();
    }
    teller.content(&fresh, is);
}

/// Two states of one namespace.
pub(super) fn states(pairs: &Pairs, was: &Namespace, is: &Namespace, told: &mut Vec<Difference>) {
    let mut teller = Teller { before: Some(was.id), after: Some(is.id), pairs, told };
    teller.identity(was, is);
    teller.content(was, is);
}

struct Teller<'a> {
    before: Option<NsId>,
    after: Option<NsId>,
    pairs: &'a Pairs,
    told: &'a mut Vec<Difference>,
}

impl Teller<'_> {
    fn tell(&mut self, what: What) {
        self.tell_noise((what, false));
    }

    fn tell_noise(&mut self, (what, noise): (What, bool)) {
        let (before, after) = (self.before, self.after);
        self.told.push(Difference { before, after, what, noise });
    }

    /// The link of the later namespace, by the ifindex in the earlier one.
    fn pair(&self, index: u32) -> Option<u32> {
        let ns = self.before?;
        self.pairs.link_after(LinkId { ns, index }).map(|l| l.index)
    }

    /// An ifindex of the earlier namespace as the later one has it.
    fn moved(&self, index: u32) -> u32 {
        self.pair(index).unwrap_or(u32::MAX - index)
    }

    fn identity(&mut self, was: &Namespace, is: &Namespace) {
        if was.name() != is.name() {
            // Processes come and go, and their names with them.
            let by_process =
                |n: &Namespace| n.names.first().is_none_or(|n| n.source == NameSource::Process);
            let noise = by_process(was) && by_process(is);
            self.tell_noise((What::Name { before: was.name(), after: is.name() }, noise));
        }
        if was.parent.map(|p| self.pairs.ns(p)) != is.parent {
            self.tell(What::Parent { before: was.parent, after: is.parent });
        }
        let (first, now) = (was.processes.first(), is.processes.first());
        let same = match (first, now) {
            (Some(a), Some(b)) => a.comm == b.comm && (!self.pairs.same_run || a.pid == b.pid),
            (a, b) => a.is_none() && b.is_none(),
        };
        if !same {
            self.tell(What::Process { before: first.cloned(), after: now.cloned() });
        }
    }

    fn content(&mut self, was: &Namespace, is: &Namespace) {
        self.owners(was, is);
        self.links(was, is);
        self.addresses(was, is);
        self.routes(was, is);
        self.neighbours(was, is);
        if self.read("netfilter", was, is) {
            for what in netfilter::rulesets(&was.ruleset, &is.ruleset) {
                self.tell(what);
            }
            if self.read("ipsets", was, is) {
                for turn in netfilter::ipsets(&was.ipsets, &is.ipsets) {
                    self.tell(What::IpSet(Box::new(turn)));
                }
            }
        }
        if self.read("sysctls", was, is) {
            let own = setting::of_namespace(&was.sysctls, &is.sysctls);
            own.into_iter().for_each(|w| self.tell_noise(w));
        }
        if self.read("address labels", was, is) {
            setting::of_labels(was, is).into_iter().for_each(|w| self.tell(w));
        }
        let of_links = setting::of_links(was, is, |index| self.pair(index));
        of_links.into_iter().for_each(|w| self.tell_noise(w));
        self.nsids(was, is);
        for turn in plain(&was.opaque, &is.opaque, Clone::clone) {
            self.tell(What::Opaque(turn));
        }
    }

    fn owners(&mut self, was: &Namespace, is: &Namespace) {
        for turn in plain(&was.containers, &is.containers, |c| (c.engine, c.id.clone())) {
            self.tell(What::Container(Box::new(turn)));
        }
        for turn in plain(&was.networks, &is.networks, |n| (n.engine, n.name.clone())) {
            self.tell(What::Network(Box::new(turn)));
        }
        let files = |n: &Namespace| {
            let mut files = n.files.clone();
            for file in &mut files {
                file.seen_in = None;
            }
            files
        };
        for turn in plain(&files(was), &files(is), |f| f.path.clone()) {
            self.tell_noise((What::File(turn), true));
        }
    }

    /// False, and told why, if a part of either was not read.
    fn read(&mut self, part: &str, was: &Namespace, is: &Namespace) -> bool {
        match was.gap(part).or_else(|| is.gap(part)) {
            Some(gap) => {
                let (part, cause) = (gap.part.clone(), gap.cause.clone());
                // A part that is never read differs in nothing that anybody knows.
                let noise = was.gap(&part).is_some() && is.gap(&part).is_some();
                self.tell_noise((What::Unread { part, cause }, noise));
                false
            }
            None => true,
        }
    }

    /// Links that are in both: ifindex now, and then.
    fn kept(&self, was: &Namespace) -> BTreeMap<u32, u32> {
        was.links.keys().filter_map(|old| Some((self.pair(*old)?, *old))).collect()
    }

    fn links(&mut self, was: &Namespace, is: &Namespace) {
        if !self.read("links", was, is) {
            return;
        }
        for old in was.links.values() {
            if self.pair(old.index).is_some() {
                continue;
            }
            let noise = old.kind == LinkKind::Loopback;
            self.tell_noise((What::Link(Turn::Vanished(old.index)), noise));
        }
        let olds = self.kept(was);
        let mut kept = Vec::new();
        for new in is.links.values() {
            match olds.get(&new.index).and_then(|old| was.links.get(old)) {
                Some(old) => kept.push((old, new)),
                None => {
                    let noise = new.kind == LinkKind::Loopback;
                    self.tell_noise((What::Link(Turn::Appeared(new.index)), noise));
                }
            }
        }
        for (old, new) in kept {
            if self.pairs.same_run && old.index != new.index && self.before == self.after {
                let turn = Turn::Changed { before: old.index, after: new.index };
                self.tell(What::Link(turn));
            }
            let moved = moved(old, was.id, self.pairs);
            for (fact, noise) in link_facts(old, &moved, new) {
                let what = What::LinkFact { link: new.index, fact: Box::new(fact) };
                self.tell_noise((what, noise));
            }
        }
    }

    fn addresses(&mut self, was: &Namespace, is: &Namespace) {
        if !self.read("addresses", was, is) {
            return;
        }
        let moved: Vec<Address> = was
            .addresses
            .iter()
            .map(|a| Address { link: self.moved(a.link), ..a.clone() })
            .collect();
        let kept = self.kept(was);
        let key = |a: &Address| (a.link, a.net);
        for turn in turns(&was.addresses, &moved, &is.addresses, key) {
            // The line of a link that comes or goes says its addresses.
            let with_link = match &turn {
                Turn::Appeared(a) => !kept.contains_key(&a.link),
                Turn::Vanished(a) => self.pair(a.link).is_none(),
                Turn::Changed { .. } => false,
            };
            let noise = with_link || address_is_noise(&turn);
            self.tell_noise((What::Address(turn), noise));
        }
    }

    fn routes(&mut self, was: &Namespace, is: &Namespace) {
        if self.read("routes", was, is) {
            let mut moved: Vec<Route> = was.routes.clone();
            for hop in moved.iter_mut().flat_map(|r| &mut r.nexthops) {
                hop.link = self.moved(hop.link);
            }
            for (turn, noise) in routes(&was.routes, &moved, &is.routes) {
                self.tell_noise((What::Route(turn), noise));
            }
        }
        if self.read("rules", was, is) {
            for turn in plain(&was.rules, &is.rules, |r| (r.ipv6, r.priority)) {
                self.tell(What::Rule(Box::new(turn)));
            }
        }
    }

    fn neighbours(&mut self, was: &Namespace, is: &Namespace) {
        if self.read("neighbours", was, is) {
            let moved: Vec<Neighbour> = was
                .neighbours
                .iter()
                .map(|n| Neighbour { link: self.moved(n.link), ..n.clone() })
                .collect();
            let key = |n: &Neighbour| (n.link, n.ip, n.proxy);
            for turn in turns(&was.neighbours, &moved, &is.neighbours, key) {
                let noise = neighbour_is_noise(&turn);
                self.tell_noise((What::Neighbour(turn), noise));
            }
        }
        if self.read("fdb", was, is) {
            self.fdb(was, is);
        }
        if self.read("vlans", was, is) {
            for (turn, noise) in bridge_table::vlans(was, is, |index| self.moved(index)) {
                self.tell_noise((What::Vlan(turn), noise));
            }
        }
        if self.read("mdb", was, is) {
            for (turn, noise) in bridge_table::mdb(was, is, |index| self.moved(index)) {
                self.tell_noise((What::Mdb(turn), noise));
            }
        }
    }

    fn fdb(&mut self, was: &Namespace, is: &Namespace) {
        let ageless = |all: &[FdbEntry]| -> Vec<FdbEntry> {
            all.iter().map(|e| FdbEntry { age: None, ..e.clone() }).collect()
        };
        let (old, new) = (ageless(&was.fdb), ageless(&is.fdb));
        let moved: Vec<FdbEntry> = old
            .iter()
            .map(|e| FdbEntry {
                link: self.moved(e.link),
                master: e.master.map(|m| self.moved(m)),
                ..e.clone()
            })
            .collect();
        // An address that is behind another port than before has moved.
        let key = |e: &FdbEntry| (e.master.unwrap_or(e.link), e.mac, e.vlan, e.own, e.remote);
        for turn in turns(&old, &moved, &new, key) {
            let (Turn::Appeared(e) | Turn::Vanished(e) | Turn::Changed { after: e, .. }) = &turn;
            let noise = fdb_is_noise(e);
            self.tell_noise((What::Fdb(turn), noise));
        }
    }

    fn nsids(&mut self, was: &Namespace, is: &Namespace) {
        if !self.read("nsids", was, is) {
            return;
        }
        let numbers: std::collections::BTreeSet<u32> =
            was.nsids.keys().chain(is.nsids.keys()).copied().collect();
        for number in numbers {
            let (before, after) = (was.nsids.get(&number).copied(), is.nsids.get(&number).copied());
            if before.map(|id| self.pairs.ns(id)) != after {
                self.tell(What::Nsid { number, before, after });
            }
        }
    }
}
