use std::collections::{BTreeSet, HashMap, HashSet};

use model::{
    BondRole, Change, Fact, LinkRef, LinkSpecKind, NamespaceSpec, NsId, PortSpec, Snapshot, Wanted,
};

use crate::key::{Key, sysctl_link};
use crate::same::{Distance, complete_fact, distance, fill};
use crate::{Known, State};

/// The changes from what is so to what should be, in the order in which to make them: removals
/// first, youngest first and namespaces last, then makings in the order of `wanted`.
///
/// `before` is what the last run wanted; what of it is no longer wanted is removed. What dies with
/// its namespace or link is not listed apart; what has to follow a link that is made anew is.
///
/// After a run that was cut short, `before` is what the last whole run wanted and, behind it, what
/// the one that was cut short did: anything of either may be there.
#[must_use]
pub fn plan(
    wanted: &Wanted,
    before: Option<&Wanted>,
    known: &Known,
    now: &Snapshot,
) -> Vec<Change> {
    let mut plan = Plan::new(wanted, before, State::new(now, known));
    plan.clear();
    plan.make();
    plan.clear_ipsets();
    plan.changes
}

struct Plan<'w> {
    wanted: &'w Wanted,
    before: &'w [Fact],
    /// Facts of before by what they are about: two of one thing after a run that was cut short.
    old: HashMap<Key, Vec<&'w Fact>>,
    new: HashMap<Key, &'w Fact>,
    /// Ends of wanted links.
    new_ends: HashSet<LinkRef>,
    state: State,
    changes: Vec<Change>,
    /// Made by this plan: what they have, they have from birth.
    fresh_spaces: HashSet<String>,
    fresh_links: HashSet<LinkRef>,
}

impl<'w> Plan<'w> {
    fn new(wanted: &'w Wanted, before: Option<&'w Wanted>, state: State) -> Self {
        let before = before.map_or(&[][..], |b| &b.facts);
        let mut old: HashMap<Key, Vec<&Fact>> = HashMap::new();
        for fact in before {
            old.entry(Key::of(fact)).or_default().push(fact);
        }
        Self {
            wanted,
            before,
            old,
            new: wanted.facts.iter().map(|f| (Key::of(f), f)).collect(),
            new_ends: wanted.facts.iter().flat_map(ends_of).collect(),
            state,
            changes: Vec::new(),
            fresh_spaces: HashSet::new(),
            fresh_links: HashSet::new(),
        }
    }

    fn push(&mut self, change: Change) {
        self.state.apply(&change);
        self.changes.push(change);
    }

    /// Takes away what is not wanted, or stands in the way.
    fn clear(&mut self) {
        let spaces = self.freeing_nsids(self.doomed_spaces());
        let links = self.doomed_links(&spaces);
        let mut ends: HashSet<LinkRef> = links.iter().flat_map(ends_of).collect();
        ends.extend(self.ends_dying_with(&spaces));
        for fact in self.before.iter().rev() {
            let unwanted =
                !self.new.contains_key(&Key::of(fact)) || self.pins_the_dead(fact, &spaces);
            if unwanted && !self.dies(fact, &spaces, &ends) {
                self.remove(fact);
            }
        }
        for link in links.into_iter().rev() {
            // One that stood on another may be gone with it.
            if self.state.observe(&link).is_some() {
                self.push(Change::Remove(link));
            }
        }
        self.remove_spaces(&spaces);
    }

    /// Removes a thing of before, if it is still there.
    fn remove(&mut self, fact: &Fact) {
        let Some(seen) = self.state.observe(fact) else { return };
        let gone = match (fact, &seen) {
            // Handled apart.
            (Fact::Link(_) | Fact::Cable(_) | Fact::Namespace(_), _) => return,
            // Only when no rule names it any more.
            (Fact::IpSet { .. }, _) => return,
            // No kernel forgets an nsid before its namespace ends; a link is always up or down.
            (Fact::Nsid { .. } | Fact::Up { .. }, _) => return,
            // A bond that can use one of its ports uses one.
            (Fact::BondPort { role: BondRole::Active, .. }, _) => return,
            // Somebody else has set these since.
            (Fact::Sysctl { .. } | Fact::Mtu { .. } | Fact::PortState { .. }, _) => {
                distance(fact, &seen) == Distance::Same
            }
            (Fact::Master { bridge: a, .. }, Fact::Master { bridge: b, .. }) => a == b,
            (Fact::BondPort { port: a, .. }, Fact::BondPort { port: b, .. }) => a == b,
            // There is nothing in it any more, and it stays.
            (_, Fact::Table { table, .. }) if table.is_legacy() => *table != table.emptied(),
            _ => true,
        };
        if gone {
            self.push(Change::Remove(without_options(seen)));
        }
    }

    /// Sets that are not wanted, lists first: all that named them has been changed by now.
    fn clear_ipsets(&mut self) {
        for fact in self.before.iter().rev() {
            if matches!(fact, Fact::IpSet { .. })
                && !self.new.contains_key(&Key::of(fact))
                && let Some(seen) = self.state.observe(fact)
            {
                self.push(Change::Remove(seen));
            }
        }
    }

    /// Takes away what names a set that has to be made anew. It is made again in its turn.
    fn free_ipset(&mut self, ns: &str, name: &str) {
        let Some(space) = self.state.space(ns) else { return };
        let tables = space.ruleset.tables.iter();
        let names = |set: &model::XtSetRef| set.name.as_deref() == Some(name);
        let tables = tables.filter(|table| table.ip_sets().any(names));
        let tables = tables.map(|table| Fact::Table { ns: ns.to_owned(), table: table.clone() });
        let lists = space.ipsets.iter();
        let holds = |e: &model::IpSetEntry| e.set.as_deref() == Some(name);
        let lists = lists.filter(|set| set.entries.iter().any(holds));
        let lists = lists.map(|set| Fact::IpSet { ns: ns.to_owned(), set: Box::new(set.clone()) });
        let all: Vec<Fact> = tables.chain(lists).collect();
        for fact in all {
            if !self.new.contains_key(&Key::of(&fact)) {
                continue;
            }
            if let Fact::IpSet { set, .. } = &fact {
                self.free_ipset(ns, &set.name);
            }
            self.push(Change::Remove(fact));
        }
    }

    /// Living namespaces that are not wanted, or wanted elsewhere, with all that is inside them.
    fn doomed_spaces(&self) -> BTreeSet<String> {
        let doomed = self.before.iter().filter_map(|fact| match fact {
            Fact::Namespace(spec) if self.state.id(&spec.name).is_some() => {
                let same = self.new.get(&Key::of(fact)).is_some_and(|w| *w == fact);
                (!same).then(|| spec.name.clone())
            }
            _ => None,
        });
        self.with_inner(doomed.collect())
    }

    fn with_inner(&self, mut doomed: BTreeSet<String>) -> BTreeSet<String> {
        loop {
            let inner: Vec<String> = self
                .specs()
                .filter(|s| self.state.id(&s.name).is_some() && !doomed.contains(&s.name))
                .filter(|s| s.inside.as_ref().is_some_and(|i| doomed.contains(i)))
                .map(|s| s.name.clone())
                .collect();
            if inner.is_empty() {
                return doomed;
            }
            doomed.extend(inner);
        }
    }

    /// How the living namespaces were made.
    fn specs(&self) -> impl Iterator<Item = &'w NamespaceSpec> + use<'w> {
        let facts = if self.before.is_empty() { &self.wanted.facts } else { self.before };
        facts.iter().filter_map(|f| match f {
            Fact::Namespace(spec) => Some(spec),
            _ => None,
        })
    }

    /// Outermost ones alone: the inner ones end with them.
    fn remove_spaces(&mut self, doomed: &BTreeSet<String>) {
        let outermost: Vec<Fact> = self
            .specs()
            .filter(|s| doomed.contains(&s.name))
            .filter(|s| !s.inside.as_ref().is_some_and(|i| doomed.contains(i)))
            .map(|s| Fact::Namespace(s.clone()))
            .collect();
        for fact in outermost.into_iter().rev() {
            if self.state.observe(&fact).is_some() {
                self.push(Change::Remove(fact));
            }
        }
    }

    /// Living links and cables that are not wanted, or not so, or not there.
    fn doomed_links(&self, spaces: &BTreeSet<String>) -> Vec<Fact> {
        let mut doomed: Vec<Fact> = Vec::new();
        let add = |fact: Fact, doomed: &mut Vec<Fact>| {
            let key = Key::of(&fact);
            if !self.dies_in_time(&fact, spaces) && !doomed.iter().any(|d| Key::of(d) == key) {
                doomed.push(fact);
            }
        };
        for fact in self.before.iter().filter(|f| matches!(f, Fact::Link(_) | Fact::Cable(_))) {
            let key = Key::of(fact);
            let loses_end = key.namespaces().iter().any(|ns| spaces.contains(*ns));
            if (!self.new.contains_key(&key) || loses_end)
                && let Some(seen) = self.state.observe(fact)
            {
                add(seen, &mut doomed);
            }
        }
        for fact in &self.wanted.facts {
            for seen in self.in_the_way(fact) {
                add(seen, &mut doomed);
            }
        }
        doomed
    }

    /// Whether a link or cable ends by itself with a namespace, before anybody misses its place.
    fn dies_in_time(&self, fact: &Fact, spaces: &BTreeSet<String>) -> bool {
        match fact {
            // A process: it ends with the namespace that it runs in, not with the other.
            Fact::Cable(cable) => spaces.contains(&cable.a.link.ns),
            // The kernel clears a dead namespace away when it has time: until then its links'
            // other ends keep their names, so one that is to be made again is removed at once.
            fact => {
                let ends = ends_of(fact);
                ends.iter().any(|end| spaces.contains(&end.ns))
                    && !ends.iter().any(|e| !spaces.contains(&e.ns) && self.new_ends.contains(e))
            }
        }
    }

    /// Ends in living namespaces of links that end with another namespace.
    fn ends_dying_with(&self, spaces: &BTreeSet<String>) -> Vec<LinkRef> {
        let dies = |fact: &&Fact| match fact {
            Fact::Cable(cable) => spaces.contains(&cable.a.link.ns),
            fact => ends_of(fact).iter().any(|end| spaces.contains(&end.ns)),
        };
        self.before.iter().filter(dies).flat_map(ends_of).collect()
    }

    /// What stands where a wanted link or cable is to be.
    fn in_the_way(&self, wanted: &Fact) -> Vec<Fact> {
        if !matches!(wanted, Fact::Link(_) | Fact::Cable(_)) {
            return Vec::new();
        }
        if let Some(seen) = self.state.observe(wanted) {
            return match distance(wanted, &seen) {
                Distance::Remake if matches!(wanted, Fact::Link(_)) => self.occupants(wanted),
                Distance::Remake => vec![seen],
                Distance::Same | Distance::Other => Vec::new(),
            };
        }
        self.occupants(wanted)
    }

    /// Links, or cables of links, that have the names of a fact's ends.
    fn occupants(&self, wanted: &Fact) -> Vec<Fact> {
        let of_end = |end: LinkRef| {
            let cables = self.before.iter().filter(|f| matches!(f, Fact::Cable(_)));
            let mut at_end = cables.filter(|f| ends_of(f).contains(&end));
            let cable = at_end.find_map(|f| self.state.observe(f));
            cable.or_else(|| self.state.observe_link(&end).map(Fact::Link))
        };
        ends_of(wanted).into_iter().filter_map(of_end).collect()
    }

    /// Whether a thing of before ends with a namespace or link that is removed anyway.
    fn dies(&self, fact: &Fact, spaces: &BTreeSet<String>, ends: &HashSet<LinkRef>) -> bool {
        let key = Key::of(fact);
        if key.namespaces().iter().any(|ns| spaces.contains(*ns)) {
            return true;
        }
        let on = match fact {
            Fact::Route(r) => r.dev.as_ref().map(|dev| LinkRef::new(&r.ns, dev)),
            Fact::Sysctl { ns, key, .. } => sysctl_link(key).map(|link| LinkRef::new(ns, link)),
            Fact::Master { link, bridge: Some(bridge), .. } => {
                let bridge = LinkRef::new(&link.ns, bridge);
                Some(if ends.contains(&bridge) { bridge } else { link.clone() })
            }
            _ => key.lives_on().first().map(|l| (*l).clone()),
        };
        on.is_some_and(|link| ends.contains(&link))
    }

    /// A file keeps its network namespace alive when all processes of it have ended, so it goes
    /// first; and it goes where another namespace is to be mounted on it.
    fn pins_the_dead(&self, fact: &Fact, spaces: &BTreeSet<String>) -> bool {
        let Fact::NsFile { target, .. } = fact else { return false };
        spaces.contains(target) || self.new.get(&Key::of(fact)).is_some_and(|w| *w != fact)
    }

    /// The doomed namespaces, and those that have to be made anew because an nsid cannot be
    /// changed.
    fn freeing_nsids(&self, mut doomed: BTreeSet<String>) -> BTreeSet<String> {
        while let Some(ns) = self.in_the_way_of_nsid(&doomed) {
            doomed.insert(ns);
            doomed = self.with_inner(doomed);
        }
        doomed
    }

    /// Of two namespaces of which one has the other's number wrong, the one that lies deeper.
    fn in_the_way_of_nsid(&self, doomed: &BTreeSet<String>) -> Option<String> {
        for fact in &self.wanted.facts {
            let Fact::Nsid { ns, nsid, target } = fact else { continue };
            let Some(space) = self.state.space(ns).filter(|_| !doomed.contains(ns)) else {
                continue;
            };
            // With a namespace its numbers go.
            let living = |id: &NsId| !self.state.name(*id).is_some_and(|n| doomed.contains(n));
            let wanted = self.state.id(target).filter(living);
            let holder = space.nsids.get(nsid).copied().filter(living);
            if holder.is_some() && holder == wanted {
                continue;
            }
            let other = holder.and_then(|id| self.state.name(id)).map(str::to_owned);
            let elsewhere = wanted.filter(|id| space.nsids.values().any(|t| t == id));
            let victim = elsewhere.map(|_| target.clone()).or(other);
            if let Some(victim) = victim {
                let outer = self.is_inside(ns, &victim) || victim == *ns;
                return Some(if outer { ns.clone() } else { victim });
            }
        }
        None
    }

    fn is_inside(&self, inner: &str, outer: &str) -> bool {
        let mut at = Some(inner.to_owned());
        let mut steps = 0;
        while let Some(name) = at {
            steps += 1;
            if name == outer && steps > 1 {
                return true;
            }
            at = self
                .specs()
                .find(|s| s.name == name && steps < 1000)
                .and_then(|s| s.inside.clone());
        }
        false
    }

    fn make(&mut self) {
        for wanted in &self.wanted.facts {
            let mut wanted = wanted.clone();
            for before in self.old.get(&Key::of(&wanted)).into_iter().flatten() {
                complete_fact(&mut wanted, before);
            }
            let change = match self.state.observe(&wanted) {
                None => Change::Make(wanted),
                Some(seen) => match distance(&wanted, &seen) {
                    Distance::Same => continue,
                    _ if self.is_fresh(&wanted) => Change::Make(wanted),
                    far => {
                        if let (Fact::IpSet { ns, set }, Distance::Remake) = (&wanted, far) {
                            self.free_ipset(ns, &set.name);
                        }
                        fill(&mut wanted, &seen);
                        Change::Alter { from: Box::new(seen), to: Box::new(wanted) }
                    }
                },
            };
            if let Change::Make(fact) = &change {
                self.note_fresh(fact);
            }
            self.push(change);
        }
    }

    fn note_fresh(&mut self, fact: &Fact) {
        match fact {
            Fact::Namespace(spec) => {
                self.fresh_spaces.insert(spec.name.clone());
            }
            Fact::Link(_) | Fact::Cable(_) => self.fresh_links.extend(ends_of(fact)),
            _ => {}
        }
    }

    /// Whether what has other values has them only from its birth in this plan.
    fn is_fresh(&self, fact: &Fact) -> bool {
        let key = Key::of(fact);
        let on_link = match fact {
            Fact::Sysctl { ns, key, .. } => sysctl_link(key).map(|link| LinkRef::new(ns, link)),
            Fact::Master { link, .. }
            | Fact::Backup { link, .. }
            | Fact::PortState { link, .. }
            | Fact::Up { link, .. }
            | Fact::Mtu { link, .. } => Some(link.clone()),
            _ => return false,
        };
        key.namespaces().iter().any(|ns| self.fresh_spaces.contains(*ns))
            || on_link.is_some_and(|link| self.fresh_links.contains(&link))
    }
}

/// What is no port any more has nothing of a port.
fn without_options(mut fact: Fact) -> Fact {
    if let Fact::Master { port, .. } = &mut fact {
        *port = PortSpec::default();
    }
    fact
}

/// The links that a Link or Cable makes.
pub(crate) fn ends_of(fact: &Fact) -> Vec<LinkRef> {
    match fact {
        Fact::Link(spec) => match &spec.kind {
            LinkSpecKind::Veth(end) => vec![spec.link.clone(), end.link.clone()],
            _ => vec![spec.link.clone()],
        },
        Fact::Cable(cable) => {
            std::iter::once(&cable.a).chain(&cable.b).map(|n| n.link.clone()).collect()
        }
        _ => Vec::new(),
    }
}
