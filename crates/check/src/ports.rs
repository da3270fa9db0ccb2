//! Which ports have to be tried to know of all of them.
//!
//! A host treats two packets alike that differ only in their destination port, unless a rule looks
//! at it. So the ports that rules name cut all ports into intervals within which all are alike, and
//! the first of each interval speaks for the rest.

use std::collections::BTreeSet;

use model::{Expr, NftRule, Rule, Set, Snapshot, XtInfo};

/// More than this are not tried for each pair.
pub(crate) const MOST: usize = 512;

/// The first port of every interval, in order.
pub(crate) fn representatives(snapshot: &Snapshot) -> Vec<u16> {
    let mut cuts = Cuts(BTreeSet::from([1]));
    for ns in snapshot.namespaces.values() {
        for table in &ns.ruleset.tables {
            table.chains.iter().flat_map(|c| &c.rules).for_each(|rule| cuts.rule(rule));
            table.sets.iter().for_each(|set| cuts.set(set));
        }
        let ports = ns.ipsets.iter().flat_map(|set| &set.entries).filter_map(|entry| entry.port);
        ports.for_each(|port| cuts.range(port, port));
        ns.rules.iter().for_each(|rule| cuts.routing(rule));
    }
    cuts.0.into_iter().collect()
}

/// Ports at which something may begin.
struct Cuts(BTreeSet<u16>);

impl Cuts {
    fn range(&mut self, first: u16, last: u16) {
        self.0.extend([first, last.saturating_add(1)].into_iter().filter(|port| *port > 0));
    }

    /// What is compared with two bytes may be a port.
    fn bytes(&mut self, first: &[u8], last: &[u8]) {
        if let (Ok(first), Ok(last)) = (first.try_into(), last.try_into()) {
            self.range(u16::from_be_bytes(first), u16::from_be_bytes(last));
        }
    }

    fn rule(&mut self, rule: &NftRule) {
        for expr in &rule.exprs {
            match expr {
                Expr::Cmp { data, .. } => self.bytes(data, data),
                Expr::Range { from, to, .. } => self.bytes(from, to),
                Expr::Match(xt) => self.xt(&xt.info),
                _ => {}
            }
        }
    }

    fn xt(&mut self, info: &XtInfo) {
        match info {
            XtInfo::Ports { dport, .. } => self.range(dport.0, dport.1),
            XtInfo::Multiport { ports, .. } => {
                ports.iter().for_each(|(first, last)| self.range(*first, last.unwrap_or(*first)));
            }
            _ => {}
        }
    }

    /// A key of two bytes; of a longer one, each part that may hold two (parts are padded to four).
    fn set(&mut self, set: &Set) {
        for element in &set.elements {
            let Some(key) = &element.key else { continue };
            let last = element.key_end.as_ref().unwrap_or(key);
            if key.len() == 2 {
                self.bytes(key, last);
            } else if key.len() > 4 {
                for (first, last) in key.chunks(4).zip(last.chunks(4)) {
                    if let ([a, b, 0, 0], [c, d, 0, 0]) = (first, last) {
                        self.bytes(&[*a, *b], &[*c, *d]);
                    }
                }
            }
        }
    }

    fn routing(&mut self, rule: &Rule) {
        if let Some((first, last)) = rule.dport {
            self.range(first, last);
        }
    }
}

#[cfg(test)]
mod tests {
    use model::{IpSet, IpSetEntry, Namespace, NsId};

    use super::*;

    #[test]
    fn ports_of_ipsets_part_all_others() {
        let mut snapshot = Snapshot::default();
        let mut ns = Namespace::new(NsId::inode(1));
        let entry = |port| IpSetEntry { port: Some(port), ..IpSetEntry::default() };
        ns.ipsets.push(IpSet { entries: [80, 81, 443].map(entry).to_vec(), ..IpSet::default() });
        snapshot.namespaces.insert(ns.id, ns);
        assert_eq!(representatives(&snapshot), [1, 80, 81, 82, 443, 444]);
    }
}
