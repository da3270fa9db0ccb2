//! Links, out of all files that name them.

use std::collections::{BTreeMap, BTreeSet};

use model::{Link, LinkFlags, LinkKind};

use super::Texts;

/// ifindex of every namespace's `lo`.
pub(super) const LOOPBACK: u32 = 1;
/// From here on are numbers that stand for an ifindex that is not told: a real one is less.
const UNTOLD: u32 = 1 << 31;

/// The links by name.
#[derive(Debug, Default)]
pub(super) struct Known {
    indexes: BTreeMap<String, u32>,
    up: BTreeSet<u32>,
}

impl Known {
    pub(super) fn read(texts: &Texts) -> Self {
        let mut known = Self::default();
        known.indexed(&texts.dev_mcast);
        known.groups(&texts.igmp);
        for line in texts.if_inet6.lines() {
            let mut words = line.split_whitespace();
            let index = words.nth(1).and_then(|w| u32::from_str_radix(w, 16).ok());
            known.add(words.nth(3), index);
        }
        known.names(&texts.dev);
        known
    }

    fn add(&mut self, name: Option<&str>, index: Option<u32>) {
        if let (Some(name), Some(index)) = (name, index) {
            self.indexes.insert(name.to_owned(), index);
        }
    }

    /// Lines that begin with an ifindex and a name (dev_mcast).
    fn indexed(&mut self, text: &str) {
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let index = words.next().and_then(|w| w.parse().ok());
            self.add(words.next(), index);
        }
    }

    /// igmp: a link, then its groups. Every link that is up, and none other, is in 224.0.0.1.
    fn groups(&mut self, text: &str) {
        let mut at = None;
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let first = words.next().unwrap_or_default();
            if line.starts_with('\t') {
                let group = u32::from_str_radix(first, 16).map(u32::to_ne_bytes);
                self.up.extend(at.filter(|_| group == Ok([224, 0, 0, 1])));
            } else {
                at = first.parse().ok();
                // After a long name there is no blank, and no name has a colon.
                self.add(words.next().map(|name| name.trim_end_matches(':')), at);
            }
        }
    }

    /// dev, which has all, but no ifindex.
    fn names(&mut self, text: &str) {
        for name in text.lines().skip(2).filter_map(|l| Some(l.split_once(':')?.0.trim())) {
            let next = UNTOLD + u32::try_from(self.indexes.len()).unwrap_or_default();
            self.indexes.entry(name.to_owned()).or_insert(next);
        }
        let told = self.indexes.values().any(|i| *i == LOOPBACK);
        let mut untold = self.indexes.values_mut().filter(|i| **i >= UNTOLD);
        // Every namespace has a first link.
        if let (false, Some(only), None) = (told, untold.next(), untold.next()) {
            *only = LOOPBACK;
        }
    }

    pub(super) fn index(&self, name: &str) -> Option<u32> {
        self.indexes.get(name).copied()
    }

    pub(super) fn links(&self) -> Vec<Link> {
        self.indexes.iter().map(|(name, index)| self.link(name, *index)).collect()
    }

    fn link(&self, name: &str, index: u32) -> Link {
        let up = if self.up.contains(&index) { LinkFlags::UP } else { LinkFlags::empty() };
        let (kind, flags) = match index {
            LOOPBACK => (LinkKind::Loopback, up | LinkFlags::LOOPBACK),
            _ => (LinkKind::Other("unknown".to_owned()), up),
        };
        Link { flags, ..Link::new(index, name, kind) }
    }
}

/// What is missing of them.
pub(super) fn lack(known: &Known) -> String {
    let untold: Vec<&str> =
        known.indexes.iter().filter(|(_, i)| **i >= UNTOLD).map(|(n, _)| n.as_str()).collect();
    let mut text = "only their names and which are up are told".to_owned();
    if !untold.is_empty() {
        text.push_str(&format!("; not the ifindex of {}", untold.join(", ")));
    }
    text
}
