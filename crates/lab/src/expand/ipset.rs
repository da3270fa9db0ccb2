//! Sets of ipset: those that are named have to be there.

use std::collections::BTreeSet;

use model::{Fact, IpSetType, Table};

use super::Making;
use crate::error::{Problem, nearest};
use crate::file::Space;
use crate::node::At;

impl<'l> Making<'l> {
    /// The sets of `ipsets:`, lists behind all that could be in them.
    pub(super) fn ipsets(&mut self, space: &'l Space) {
        let is_list = |kind: &str| IpSetType::of(kind) == Some(IpSetType::List);
        let (lists, others): (Vec<_>, Vec<_>) =
            space.ipsets.iter().partition(|entry| is_list(&entry.set.kind));
        for entry in others.iter().chain(&lists) {
            let ns = space.name.clone();
            self.tell(entry.at, Fact::IpSet { ns, set: Box::new(entry.set.clone()) });
        }
        let in_list = |name: &str| others.iter().any(|entry| entry.set.name == name);
        for entry in lists {
            let names = entry.set.entries.iter().filter_map(|e| e.set.as_deref());
            if let Some(name) = names.clone().find(|name| !in_list(name)) {
                let known = others.iter().map(|entry| entry.set.name.as_str());
                let nearest = nearest(name, known);
                let (ns, name) = (space.name.clone(), name.to_owned());
                self.errors.push(entry.at, Problem::NoIpSet { ns, name, nearest });
            }
        }
    }

    /// The sets that a table's rules name.
    pub(super) fn named_ipsets(&mut self, space: &Space, at: At, table: &Table) {
        let names: BTreeSet<&str> = table.ip_sets().filter_map(|set| set.name.as_deref()).collect();
        for name in names {
            if space.ipsets.iter().any(|entry| entry.set.name == name) {
                continue;
            }
            let nearest = nearest(name, space.ipsets.iter().map(|e| e.set.name.as_str()));
            let (ns, name) = (space.name.clone(), name.to_owned());
            self.errors.push(at, Problem::NoIpSet { ns, name, nearest });
        }
    }
}
