//! What else was tried before a step, in words.

use model::{Namespace, NsId, Snapshot};
use walk::{Considered, FilterWhy, RouteWhy, RuleWhy, Selector, SourceWhy, Tried, TriedFilter};

use super::looked::LookedUp;
use crate::{rule_text, words};

/// What kind of thing was tried.
pub(crate) const fn kind(considered: &Considered) -> &'static str {
    match considered {
        Considered::Rule { .. } => "rule",
        Considered::Route { .. } => "route",
        Considered::Source(_) => "source",
        Considered::Chain { .. } => "chain",
        Considered::Filters { .. } => "filters",
    }
}

/// What was tried, and why it was not taken, in a line.
pub(crate) fn words(snapshot: &Snapshot, ns: NsId, considered: &Considered) -> String {
    let space = snapshot.namespaces.get(&ns);
    match considered {
        Considered::Rule { rule, why } => {
            format!("not rule {}: {}", words::ip_rule(rule), rule_why(*why))
        }
        Considered::Route { route, why } => {
            let text = space.map(|ns| words::route_short(ns, route)).unwrap_or_default();
            let table = table(space, route.table);
            format!("not {text}{table}: {}", route_why(*why, route.metric))
        }
        Considered::Source(why) => format!("source: {}", source_why(*why)),
        Considered::Chain { chain, tried } => {
            let matched = tried.iter().filter(|t| t.failed.is_none()).count();
            let (all, place) = (tried.len(), [chain.table.as_str(), &chain.chain].join(" "));
            format!("{place}: {all} {} tried, {matched} matched", plural(all, "rule"))
        }
        Considered::Filters { link, hook, tried } => {
            let fit = tried.iter().filter(|t| t.why == FilterWhy::Fits).count();
            let (all, place) = (tried.len(), words::filters_of(snapshot, *link, *hook));
            format!("{place}: {all} {} tried, {fit} for it", plural(all, "filter"))
        }
    }
}

fn plural(count: usize, what: &str) -> String {
    if count == 1 { what.to_owned() } else { format!("{what}s") }
}

/// What was tried one by one, a line each, and whether it came to something.
pub(crate) fn lines(snapshot: &Snapshot, considered: &Considered) -> Vec<(String, bool)> {
    match considered {
        Considered::Chain { tried: all, .. } => {
            all.iter().map(|t| (tried(snapshot, t), t.failed.is_none())).collect()
        }
        Considered::Filters { tried: all, .. } => {
            let fits =
                |t: &TriedFilter| !matches!(t.why, FilterWhy::Protocol | FilterWhy::Selector);
            all.iter().map(|t| (tried_filter(snapshot, t), fits(t))).collect()
        }
        Considered::Rule { .. } | Considered::Route { .. } | Considered::Source(_) => Vec::new(),
    }
}

/// A filter of tc that was tried.
fn tried_filter(snapshot: &Snapshot, tried: &TriedFilter) -> String {
    let why = match tried.why {
        FilterWhy::Fits => "is for it",
        FilterWhy::Protocol => "is for another EtherType",
        FilterWhy::Selector => "is for other packets",
        FilterWhy::Short => "looks behind the packet's end",
        FilterWhy::Passed => "is not asked: another of its pref was",
        FilterWhy::NotKnown => "may be for it",
    };
    format!("{} {why}", words::filter_text(snapshot, &tried.filter))
}

/// Of routes in other tables than the usual two, which.
fn table(space: Option<&Namespace>, table: u32) -> String {
    let usual = matches!(table, model::TABLE_MAIN | model::TABLE_LOCAL);
    match space {
        Some(_) if !usual => format!(" of table {}", words::table(table)),
        _ => String::new(),
    }
}

fn rule_why(why: RuleWhy) -> &'static str {
    match why {
        RuleWhy::Selector(selector) => match selector {
            Selector::From => "it comes from elsewhere",
            Selector::To => "it goes elsewhere",
            Selector::Iif => "it came in by another link",
            Selector::L3mdev => "it is in no VRF",
            Selector::Oif => "its socket is not bound to that link",
            Selector::Fwmark => "its mark is another",
            Selector::Tos => "its type of service is another",
            Selector::Dscp => "its code point is another",
            Selector::TunId => "it came out of no tunnel",
            Selector::Uidrange => "it is another user's",
            Selector::Ipproto => "its protocol is another",
            Selector::Sport => "its source port is another",
            Selector::Dport => "its destination port is another",
        },
        RuleWhy::Inverted => "it is for all others",
        RuleWhy::Other => "it is for what nothing here is",
        RuleWhy::Passed => "an earlier rule leads past it",
        RuleWhy::LeadsOn => "it decides nothing",
        RuleWhy::NothingThere => "its table has no way there",
        RuleWhy::Suppressed => {
            "what its table has is suppressed, by its prefix or its link's group"
        }
    }
}

fn route_why(why: RouteWhy, metric: u32) -> String {
    match why {
        RouteWhy::Shorter => "its prefix is shorter".to_owned(),
        RouteWhy::Tos => "it is for another type of service".to_owned(),
        RouteWhy::Metric => format!("its metric is higher ({metric})"),
        RouteWhy::Dead => "it is dead".to_owned(),
        RouteWhy::Throw => "it leads back to the rules".to_owned(),
        RouteWhy::Later => "it stands behind the one that is taken".to_owned(),
    }
}

const fn source_why(why: SourceWhy) -> &'static str {
    match why {
        SourceWhy::Asked => "as the sender set it",
        SourceWhy::Route => "the route says it (src)",
        SourceWhy::Own => "the destination itself, an address of this namespace",
        SourceWhy::Near => "the first address of the link out in whose network the next hop is",
        SourceWhy::First => "the first address of the link out",
        SourceWhy::Elsewhere => "the link out has none: the first address of another link",
        SourceWhy::Nowhere => "there is no address to send from",
    }
}

/// A rule of a chain that was tried: its number, itself, and what of it did not match.
pub(crate) fn tried(snapshot: &Snapshot, tried: &Tried) -> String {
    let r = &tried.rule;
    let rule = words::find_rule(snapshot, r).unwrap_or_default();
    let place = format!("{} {}: {rule}", r.chain.chain, r.number);
    let told = match failed(snapshot, tried) {
        None if tried.failed.is_none() => format!("{place} matches"),
        None => format!("{place} does not match"),
        Some(condition) if condition == rule => format!("{place} does not match"),
        Some(condition) => format!("{place} does not match: {condition}"),
    };
    let looked = tried.looked.iter().map(|looked| LookedUp::of(snapshot, r, looked).words());
    std::iter::once(told).chain(looked).collect::<Vec<_>>().join("; ")
}

/// The first condition of a rule that did not hold, in the rule's own syntax.
pub(crate) fn failed(snapshot: &Snapshot, tried: &Tried) -> Option<String> {
    let (table, rule) = words::rule_at(snapshot, &tried.rule)?;
    let condition = rule_text::condition(table, rule, tried.failed?);
    Some(condition).filter(|text| !text.is_empty())
}
