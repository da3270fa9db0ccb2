//! What else was tried before a step, for those who ask: kept apart from the decisions themselves, so
//! that a walk which nobody wants explained costs nothing for it.

use std::net::IpAddr;

use model::{
    Hook, IpSetEntry, LinkId, NsId, Route, RouteKind, Rule, RuleAction, SetElement, TABLE_DEFAULT,
};

use crate::chain::Noted;
use crate::indexed::Place;
use crate::route::{Flow, Found, NotFound, TOS_MASK, first};
use crate::tables::BaseRef;
use crate::tc_selector::Fits;
use crate::walker::Walker;
use crate::{ChainRef, FilterRef, RuleRef, Sink};

/// Something that was tried on the way to a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Considered {
    /// A routing rule that was asked before the one that led on.
    Rule {
        /// The rule.
        rule: Rule,
        /// Why it did not lead on.
        why: RuleWhy,
    },
    /// A route to the destination that was not taken.
    Route {
        /// The route.
        route: Box<Route>,
        /// Why not.
        why: RouteWhy,
    },
    /// How the source address was chosen.
    Source(SourceWhy),
    /// The rules of a base chain, and of those that it jumps to.
    Chain {
        /// The base chain.
        chain: ChainRef,
        /// Each rule that was tried, in order.
        tried: Vec<Tried>,
    },
    /// The filters of tc at one side of a link.
    Filters {
        /// The link.
        link: LinkId,
        /// `Ingress` or `Egress`.
        hook: Hook,
        /// Each that was tried, in order.
        tried: Vec<TriedFilter>,
    },
}

/// Why a routing rule did not lead on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleWhy {
    /// This of its selectors does not fit.
    Selector(Selector),
    /// All of its selectors fit, and it is for what they do not fit (`not`).
    Inverted,
    /// It asks for something that is not modelled.
    Other,
    /// An earlier rule leads past it.
    Passed,
    /// It does nothing (`nop`, or `goto` to another).
    LeadsOn,
    /// Its table has no route for the destination, or one that throws it back.
    NothingThere,
    /// What its table has is shorter than it takes (`suppress_prefixlength`), or leads by a link of a
    /// group that it does not take (`suppress_ifgroup`).
    Suppressed,
}

/// A selector of a routing rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "as `ip rule` calls them")]
pub enum Selector {
    From,
    To,
    Iif,
    Oif,
    Fwmark,
    Tos,
    Dscp,
    TunId,
    Uidrange,
    Ipproto,
    Sport,
    Dport,
    L3mdev,
}

/// Why a route was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteWhy {
    /// The one that was taken has a longer prefix.
    Shorter,
    /// It is for another type of service.
    Tos,
    /// The one that was taken has a lower metric.
    Metric,
    /// None of its next hops lives.
    Dead,
    /// It throws the packet back to the rules.
    Throw,
    /// The one that was taken stands before it.
    Later,
}

/// How a source address was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceWhy {
    /// The sender set it.
    Asked,
    /// The route says it (`src`).
    Route,
    /// It is the destination itself: an address of this namespace.
    Own,
    /// The first address of the link out whose network the next hop is in.
    Near,
    /// The first address of the link out.
    First,
    /// The link out has none: the first of another link.
    Elsewhere,
    /// There is none.
    Nowhere,
}

/// A rule that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// The rule.
    pub rule: RuleRef,
    /// The first of its expressions that did not match; None: all did.
    pub failed: Option<usize>,
    /// What it found in the sets that it asked, in the order of asking.
    pub looked: Vec<Looked>,
}

/// What a rule found in a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Looked {
    /// In a set or map of its own table.
    Set {
        /// The set's name.
        set: String,
        /// What was looked for.
        key: Vec<u8>,
        /// What that came to.
        found: SetFound,
    },
    /// In a set of ipset.
    IpSet {
        /// The set's name.
        set: String,
        /// What that came to.
        found: IpSetFound,
    },
}

/// What looking for a key in a set came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetFound {
    /// No element has it.
    Nothing,
    /// This one has it.
    Element(Box<SetElement>),
    /// One that a rule on the way has added.
    Added,
}

/// What looking for a packet in a set of ipset came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IpSetFound {
    /// No entry is one for it.
    Nothing,
    /// This one is.
    Entry(Box<IpSetEntry>),
    /// This one is, and what it is for is not in the set (`nomatch`).
    Excepted(Box<IpSetEntry>),
}

/// A filter of tc that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriedFilter {
    /// The filter.
    pub filter: FilterRef,
    /// What came of it.
    pub why: FilterWhy,
}

/// What came of trying a filter of tc.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterWhy {
    /// It is for the packet.
    Fits,
    /// It is for frames of another EtherType.
    Protocol,
    /// It is for other packets.
    Selector,
    /// The packet ends before what it looks at.
    Short,
    /// Another of its `pref` has had its say, so that it is not asked.
    Passed,
    /// Whether it is for the packet is not known.
    NotKnown,
}

impl<'a, S: Sink> Walker<'a, '_, S> {
    /// Notes the rules of a base chain that were tried.
    pub(crate) fn consider_rules(&mut self, ns: NsId, base: BaseRef<'a>) {
        if !self.sink.explains() {
            return;
        }
        let one = |noted: &Noted<'a>| Tried {
            rule: noted.at.refer(ns),
            failed: noted.failed,
            looked: noted.looked.clone(),
        };
        let tried = self.room.tried.iter().map(one).collect();
        self.sink.consider(Considered::Chain { chain: base.refer(ns), tried });
    }

    /// Notes the filters of tc that were tried.
    pub(crate) fn consider_filters(&mut self, place: (LinkId, Hook), tried: Vec<TriedFilter>) {
        if !tried.is_empty() {
            let (link, hook) = place;
            self.sink.consider(Considered::Filters { link, hook, tried });
        }
    }

    /// Notes what a look-up of a route tries and does not take.
    pub(crate) fn consider_routes(&mut self, place: &'a Place<'a>, flow: &Flow) {
        if self.sink.explains() {
            let mut tried = Attempt { place, flow, taken: Taken::by(place, flow), all: Vec::new() };
            tried.rules();
            tried.all.into_iter().for_each(|one| self.sink.consider(one));
        }
    }

    /// Notes how the source address was chosen; `source` is None where the sender had set it.
    pub(crate) fn consider_source(
        &mut self,
        place: &'a Place<'a>,
        found: &Found<'a>,
        asked: bool,
        source: Option<IpAddr>,
    ) {
        if self.sink.explains() {
            let why = if asked { SourceWhy::Asked } else { source_why(place, found, source) };
            self.sink.consider(Considered::Source(why));
        }
    }
}

impl FilterWhy {
    /// `asked`: no other of its `pref` has had its say; `fits`: what it says of the packet, where its
    /// EtherType is the packet's.
    pub(crate) const fn of(asked: bool, fits: Option<&Fits>) -> Self {
        match fits {
            None if asked => Self::Protocol,
            None => Self::Passed,
            Some(Fits::Yes) => Self::Fits,
            Some(Fits::No) => Self::Selector,
            Some(Fits::Beyond) => Self::Short,
            Some(Fits::NotKnown(_)) => Self::NotKnown,
        }
    }
}

/// What `select_address` went by.
fn source_why(place: &Place<'_>, found: &Found<'_>, source: Option<IpAddr>) -> SourceWhy {
    let Some(ip) = source else { return SourceWhy::Nowhere };
    let mut own = place.ns.addresses_of(found.hop.link).filter(|a| a.ip() == ip);
    match (found.route.prefsrc, own.next()) {
        (Some(_), _) => SourceWhy::Route,
        _ if found.is_local() => SourceWhy::Own,
        (None, None) => SourceWhy::Elsewhere,
        (None, Some(a)) if found.gateway().is_none_or(|hop| a.net.contains(&hop)) => {
            SourceWhy::Near
        }
        (None, Some(_)) => SourceWhy::First,
    }
}

/// By which rule and route a look-up came to its end.
struct Taken<'a> {
    rule: Option<&'a Rule>,
    route: Option<&'a Route>,
}

impl<'a> Taken<'a> {
    fn by(place: &'a Place<'a>, flow: &Flow) -> Self {
        match place.lookup(flow) {
            Ok(found) => Self { rule: found.rule, route: Some(found.route) },
            Err(NotFound::Refused(route)) => Self { rule: None, route: Some(route) },
            Err(NotFound::ByRule(rule)) => Self { rule: Some(rule), route: None },
            Err(NotFound::Nothing | NotFound::Unknown(_)) => Self { rule: None, route: None },
        }
    }
}

/// A look-up, gone through once more.
struct Attempt<'a, 'f> {
    place: &'a Place<'a>,
    flow: &'f Flow,
    taken: Taken<'a>,
    all: Vec<Considered>,
}

impl<'a> Attempt<'a, '_> {
    fn rules(&mut self) {
        if self.place.default_rules {
            self.routes(self.place.merged().all());
            return self.routes(self.place.routes(TABLE_DEFAULT));
        }
        let mut from = 0;
        for rule in &self.place.rules {
            if self.taken.rule.is_some_and(|taken| std::ptr::eq(taken, rule)) {
                break;
            }
            let why = if rule.priority < from { RuleWhy::Passed } else { self.why(rule) };
            if let (RuleWhy::LeadsOn, RuleAction::Goto(to)) = (why, rule.action) {
                from = to;
            }
            self.all.push(Considered::Rule { rule: rule.clone(), why });
            let asked = matches!(why, RuleWhy::NothingThere | RuleWhy::Suppressed);
            let table = self.place.table_of(rule, self.flow);
            if let (true, Some(table)) = (asked, table) {
                self.routes(self.place.routes(table));
            }
            let here = |route: &&Route| table == Some(route.table);
            if self.taken.rule.is_none() && self.taken.route.as_ref().is_some_and(here) {
                return;
            }
        }
        if let Some(route) = self.taken.route {
            self.routes(self.place.routes(route.table));
        }
    }

    fn why(&self, rule: &Rule) -> RuleWhy {
        let mismatch = self.place.mismatch(rule, self.flow);
        match (mismatch, rule.invert, rule.action) {
            (Some(selector), false, _) => RuleWhy::Selector(selector),
            (None, true, _) => RuleWhy::Inverted,
            _ if !rule.unknown.is_empty() => RuleWhy::Other,
            (_, _, RuleAction::Goto(_) | RuleAction::Nop) => RuleWhy::LeadsOn,
            _ => {
                let table = self.place.table_of(rule, self.flow);
                match table.is_some_and(|table| self.suppressed(rule, table)) {
                    true => RuleWhy::Suppressed,
                    false => RuleWhy::NothingThere,
                }
            }
        }
    }

    fn suppressed(&self, rule: &Rule, table: u32) -> bool {
        let mut fitting =
            self.place.routes(table).iter().filter(|r| self.why_lost(r, None).is_none());
        fitting.next().is_some_and(|r| self.place.suppresses_route(rule, r, first(r)))
    }

    /// The routes to the destination that were not taken.
    fn routes(&mut self, routes: &[&'a Route]) {
        let taken = self.taken.route;
        for route in routes.iter().filter(|route| route.dst.contains(&self.flow.dst)) {
            if taken.is_some_and(|taken| std::ptr::eq(taken, *route)) {
                continue;
            }
            if let Some(why) = self.why_lost(route, taken) {
                self.all.push(Considered::Route { route: Box::new((*route).clone()), why });
            }
        }
    }

    fn why_lost(&self, route: &Route, taken: Option<&Route>) -> Option<RouteWhy> {
        if let Some(taken) = taken.filter(|t| t.dst.prefix_len() > route.dst.prefix_len()) {
            debug_assert!(taken.dst.contains(&self.flow.dst), "a route to another place");
            return Some(RouteWhy::Shorter);
        }
        if route.tos != 0 && route.tos != self.flow.tos & TOS_MASK {
            return Some(RouteWhy::Tos);
        }
        if route.kind == RouteKind::Throw {
            return Some(RouteWhy::Throw);
        }
        let leads = matches!(route.kind, RouteKind::Unicast | RouteKind::Local);
        if leads && self.place.hops(route).next().is_none() {
            return Some(RouteWhy::Dead);
        }
        taken.map(|t| if route.metric > t.metric { RouteWhy::Metric } else { RouteWhy::Later })
    }
}
