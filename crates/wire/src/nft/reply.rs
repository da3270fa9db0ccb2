//! Replies to the dumps → [`Ruleset`].

use std::collections::{HashMap, HashSet};

use model::{Family, Ruleset, Table};

use super::attr::Attrs;
use super::message::{Item, Kind, Message, messages};
use super::{chain, family, rule, set, table};

/// The raw replies to the requests of [`request`](super::request), whole messages one after the
/// other as they came. They are what a bundle keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NftReplies {
    /// To GETGEN.
    pub generation: Vec<u8>,
    /// To the dump of tables.
    pub tables: Vec<u8>,
    /// To the dump of chains.
    pub chains: Vec<u8>,
    /// To the dump of rules.
    pub rules: Vec<u8>,
    /// To the dump of sets.
    pub sets: Vec<u8>,
    /// To the dumps of elements, one per set, in any order: each says whose they are.
    pub elements: Vec<u8>,
    /// To the dump of flowtables.
    pub flowtables: Vec<u8>,
}

/// Which set.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SetName {
    /// Family of its table.
    pub family: Family,
    /// Name of its table.
    pub table: String,
    /// Its own.
    pub name: String,
}

/// The sets in the reply to a dump of sets: those whose elements are to be asked for.
#[must_use]
pub fn set_names(sets: &[u8]) -> Vec<SetName> {
    let name = |item| match item {
        Item::Message(m) if m.kind == Kind::NewSet.number() => {
            let (table, set) = set::decode(m.body)?;
            Some(SetName { family: family(m.family)?, table, name: set.name })
        }
        _ => None,
    };
    messages(sets).filter_map(name).collect()
}

/// The number in the reply to GETGEN; None if it is none.
#[must_use]
pub fn generation(reply: &[u8]) -> Option<u32> {
    messages(reply).find_map(|item| match item {
        Item::Message(m) if m.kind == Kind::NewGen.number() => Attrs::parse(m.body)?.u32(1),
        _ => None,
    })
}

/// The ruleset that the replies tell of, and what could not be understood of them, in words. No
/// bytes make it panic. An expression or xt extension without a type is no warning: it is in the
/// ruleset as opaque.
#[must_use]
pub fn decode_ruleset(replies: &NftReplies) -> (Ruleset, Vec<String>) {
    let mut reader = Reader::default();
    reader.ruleset.generation = generation(&replies.generation).unwrap_or(0);
    reader.read("tables", Kind::NewTable, &replies.tables, Reader::table);
    reader.read("chains", Kind::NewChain, &replies.chains, Reader::chain);
    reader.read("sets", Kind::NewSet, &replies.sets, Reader::set);
    reader.read("set elements", Kind::NewSetElem, &replies.elements, Reader::elements);
    reader.read("rules", Kind::NewRule, &replies.rules, Reader::rule);
    reader.read("flowtables", Kind::NewFlowtable, &replies.flowtables, Reader::flowtable);
    (reader.ruleset, reader.warnings)
}

#[derive(Default)]
struct Reader {
    ruleset: Ruleset,
    warnings: Vec<String>,
    /// Place of each table in the ruleset.
    tables: HashMap<(Family, String), usize>,
    /// Place of each chain in its table: rules are many.
    chains: HashMap<(usize, String), usize>,
    /// Place of each set in its table.
    sets: HashMap<(usize, String), usize>,
    /// Tables of families that the model does not have.
    strange: HashSet<u8>,
}

impl Reader {
    /// Hands each message of a dump to `take`, which gives None where it cannot.
    fn read(
        &mut self,
        part: &str,
        kind: Kind,
        raw: &[u8],
        take: impl Fn(&mut Self, &Message<'_>, Family) -> Option<()>,
    ) {
        for item in messages(raw) {
            match item {
                Item::Message(m) if m.kind != kind.number() => {}
                Item::Message(m) => match family(m.family) {
                    None => self.strange(part, m.family),
                    Some(family) if take(self, &m, family).is_none() => {
                        self.warn(format!("one of the nftables {part} could not be read"));
                    }
                    Some(_) => {}
                },
                Item::Error(errno) => self.warn(format!("nftables {part}: errno {errno}")),
                Item::Cut => self.warn(format!("nftables {part}: the reply ends within a message")),
            }
        }
    }

    fn warn(&mut self, text: String) {
        // A thousand rules of one unreadable chain are one warning.
        if self.warnings.last() != Some(&text) {
            self.warnings.push(text);
        }
    }

    fn strange(&mut self, part: &str, number: u8) {
        if self.strange.insert(number) {
            self.warn(format!("nftables {part} of the unknown family {number} are left out"));
        }
    }

    fn table(&mut self, message: &Message<'_>, family: Family) -> Option<()> {
        let table = table::decode(message)?;
        self.tables.insert((family, table.name.clone()), self.ruleset.tables.len());
        self.ruleset.tables.push(table);
        Some(())
    }

    fn chain(&mut self, message: &Message<'_>, family: Family) -> Option<()> {
        match chain::decode(family, message.body)? {
            Ok((table, chain)) => {
                let index = self.table_index(family, table);
                let chains = &mut self.ruleset.tables[index].chains;
                self.chains.insert((index, chain.name.clone()), chains.len());
                chains.push(chain);
            }
            Err(name) => {
                let family = family.as_str();
                self.warn(format!("chain {name} of family {family} is at an unknown hook"));
            }
        }
        Some(())
    }

    fn rule(&mut self, message: &Message<'_>, family: Family) -> Option<()> {
        let mut placed = rule::decode(message.body)?;
        if family == Family::Ip6 {
            placed.rule.exprs.iter_mut().for_each(crate::xt::of_ipv6);
        }
        let index = self.table_index(family, placed.table);
        let chain = *self.chains.get(&(index, placed.chain))?;
        self.ruleset.tables[index].chains[chain].rules.push(placed.rule);
        Some(())
    }

    fn set(&mut self, message: &Message<'_>, family: Family) -> Option<()> {
        let (table, set) = set::decode(message.body)?;
        let index = self.table_index(family, table);
        let sets = &mut self.ruleset.tables[index].sets;
        self.sets.insert((index, set.name.clone()), sets.len());
        sets.push(set);
        Some(())
    }

    fn elements(&mut self, message: &Message<'_>, family: Family) -> Option<()> {
        let (table, set, elements) = set::decode_elements(message.body)?;
        let index = self.table_index(family, table);
        let set = *self.sets.get(&(index, set))?;
        self.ruleset.tables[index].sets[set].elements.extend(elements);
        Some(())
    }

    fn flowtable(&mut self, message: &Message<'_>, family: Family) -> Option<()> {
        let attrs = Attrs::parse(message.body)?;
        let (table, name) = (attrs.text(1)?, attrs.text(2)?);
        let index = self.table_index(family, table);
        self.ruleset.tables[index].flowtables.push(name);
        Some(())
    }

    /// Where the table is. One that appeared between two dumps is added with a warning, so that
    /// its parts are not lost.
    fn table_index(&mut self, family: Family, name: String) -> usize {
        if let Some(index) = self.tables.get(&(family, name.clone())) {
            return *index;
        }
        let index = self.ruleset.tables.len();
        self.warn(format!("table {} {name} was not among the tables", family.as_str()));
        self.ruleset.tables.push(Table::new(family, &name));
        self.tables.insert((family, name), index);
        index
    }
}
