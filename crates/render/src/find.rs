//! Where something is: an address, a MAC, a port or a name, across all namespaces.

mod port;
mod query;
mod rules;
mod search;

use std::collections::{BTreeMap, BTreeSet};

use model::{LinkId, NsId, Snapshot};

use crate::page::Page;
use crate::style::{Style, Tone};
use crate::words;

pub use query::{Query, Read};
pub use search::find;

/// All that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// What was looked for.
    pub query: Query,
    /// Where it is, by kind and then by namespace, outer ones first.
    pub found: Vec<Finding>,
    /// Names that are near, where nothing was found.
    pub near: Vec<String>,
    /// Parts that could not be read, so that something may be there all the same.
    pub gaps: Vec<(NsId, model::Gap)>,
}

/// One place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is there.
    pub kind: Kind,
    /// The namespace that it is in.
    pub ns: NsId,
    /// The link that it is on, if it is on one.
    pub link: Option<LinkId>,
    /// What matched: an address, a name, a port.
    pub value: String,
    /// More about it, in words.
    pub text: String,
}

/// What something is where it was found, in the order in which it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are the meaning")]
pub enum Kind {
    /// An address of a link.
    Address,
    Namespace,
    Container,
    /// An engine's network.
    Network,
    Link,
    Listener,
    /// A port that an engine publishes.
    Published,
    /// A netfilter rule or set that names it, translating ones first.
    Rule,
    /// An entry of a bridge's or vxlan's forwarding database.
    Fdb,
    /// A neighbour entry.
    Neighbour,
    /// A WireGuard peer that has it among its allowed ips, or is there.
    Peer,
    /// A route without gateway to it.
    Route,
}

impl Kind {
    /// As JSON has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Namespace => "namespace",
            Self::Container => "container",
            Self::Network => "network",
            Self::Link => "link",
            Self::Address => "address",
            Self::Listener => "listener",
            Self::Published => "published",
            Self::Rule => "rule",
            Self::Fdb => "fdb",
            Self::Neighbour => "neighbour",
            Self::Peer => "peer",
            Self::Route => "route",
        }
    }

    const fn heading(self) -> &'static str {
        match self {
            Self::Namespace => "namespaces",
            Self::Container => "containers",
            Self::Network => "networks",
            Self::Link => "links",
            Self::Address => "addresses",
            Self::Listener => "listening",
            Self::Published => "published ports",
            Self::Rule => "rules",
            Self::Fdb => "learned by bridges",
            Self::Neighbour => "neighbour entries",
            Self::Peer => "WireGuard peers",
            Self::Route => "reached directly",
        }
    }
}

impl Findings {
    /// As text.
    #[must_use]
    pub fn text(&self, snapshot: &Snapshot, style: &Style) -> String {
        let mut page = Page::new(style);
        let mut at = 0;
        for same in self.found.chunk_by(|a, b| a.kind == b.kind) {
            page.put(Tone::Title, same[0].kind.heading()).end();
            let rows: Vec<[String; 2]> =
                same.iter().map(|f| [place(snapshot, f), f.text.clone()]).collect();
            page.pairs(2, &rows);
            at += same.len();
        }
        if at == 0 {
            page.wrapped(Tone::Plain, &nowhere(&self.query)).end();
        }
        for (cause, (parts, spaces)) in self.causes() {
            let parts: Vec<&str> = parts.into_iter().collect();
            let names = words::some(4, spaces.into_iter().map(|id| snapshot.name_of(id)));
            let text = format!("not read: {} of {names} ({cause})", parts.join(", "));
            page.hanging(Tone::Doubt, &text, 2).end();
        }
        page.finish()
    }

    /// The gaps by their causes: which parts, and of whom.
    fn causes(&self) -> BTreeMap<&str, (BTreeSet<&str>, BTreeSet<NsId>)> {
        let mut causes: BTreeMap<&str, (BTreeSet<&str>, BTreeSet<NsId>)> = BTreeMap::new();
        for (id, gap) in &self.gaps {
            let (parts, spaces) = causes.entry(&gap.cause).or_default();
            parts.insert(&gap.part);
            spaces.insert(*id);
        }
        causes
    }
}

/// What is taken for a name may have been meant as something else: then it says so.
fn nowhere(query: &Query) -> String {
    match query {
        Query::Name(name) if looks_numeric(name) => {
            format!("{name} was found nowhere; it is no address, prefix, MAC or port, only a name")
        }
        _ => format!("{query} was found nowhere"),
    }
}

/// Digits, and signs that stand between them.
fn looks_numeric(word: &str) -> bool {
    let plain = ["/tcp", "/udp", "/sctp"].iter().find_map(|p| word.strip_suffix(p));
    word.contains(['.', ':', '/', '-'])
        && word.bytes().any(|b| b.is_ascii_digit())
        && plain.unwrap_or(word).bytes().all(|b| b.is_ascii_hexdigit() || b".:/-".contains(&b))
}

fn place(snapshot: &Snapshot, f: &Finding) -> String {
    f.link.map_or_else(|| snapshot.name_of(f.ns), |l| snapshot.link_name(l))
}

#[cfg(test)]
mod tests;
