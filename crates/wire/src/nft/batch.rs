//! One transaction: what is sent between BATCH_BEGIN and BATCH_END is done whole or not at all.

use std::fmt;

use model::{Family, Table};

use super::attr::Writer;
use super::message::{Kind, NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE, NLM_F_REQUEST, message};
use super::set::{self, SetIds};
use super::{SUBSYSTEM, chain, family_number, rule, table};

const NFNL_MSG_BATCH_BEGIN: u16 = 16;
const NFNL_MSG_BATCH_END: u16 = 17;

/// The messages of one transaction, for one `send`.
///
/// The kernel answers the last one before BATCH_END ([`Batch::acked`]), and every one that it
/// refuses, each by its sequence number: read until either the answer to `acked` has come, or an
/// error for the batch as a whole (its first sequence number). Any error means that nothing of the
/// batch was done.
#[derive(Clone, Debug)]
pub struct Batch {
    bytes: Vec<u8>,
    first: u32,
    parts: Vec<Part>,
}

/// What one message of a batch is, for errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The beginning: what is said of it is meant of the whole.
    Begin,
    /// Removing a table.
    DeleteTable(String),
    /// Making a table.
    Table(String),
    /// Making a chain.
    Chain(String),
    /// Making a set.
    Set(String),
    /// Filling a set.
    Elements(String),
    /// Making a rule.
    Rule {
        /// Of which chain.
        chain: String,
        /// Its place, from 1.
        number: usize,
    },
    /// The end.
    End,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begin | Self::End => f.write_str("the whole batch"),
            Self::DeleteTable(name) => write!(f, "removing table {name}"),
            Self::Table(name) => write!(f, "table {name}"),
            Self::Chain(name) => write!(f, "chain {name}"),
            Self::Set(name) => write!(f, "set {name}"),
            Self::Elements(name) => write!(f, "elements of set {name}"),
            Self::Rule { chain, number } => write!(f, "rule {number} of chain {chain}"),
        }
    }
}

impl Batch {
    /// All messages.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What the message with that sequence number is.
    #[must_use]
    pub fn part(&self, seq: u32) -> Option<&Part> {
        self.parts.get(usize::try_from(seq.wrapping_sub(self.first)).ok()?)
    }

    /// The sequence number that is answered even if all is well.
    #[must_use]
    pub fn acked(&self) -> u32 {
        self.next().wrapping_sub(2)
    }

    /// The first sequence number that the batch does not use.
    #[must_use]
    pub fn next(&self) -> u32 {
        self.first.wrapping_add(u32::try_from(self.parts.len()).unwrap_or(u32::MAX))
    }
}

/// Makes `table` exactly so, whatever is in it: with `old_exists`, the one of that family and name
/// goes first, in the same transaction. Flowtables are not made (the model has only their names),
/// and a set of concatenated ranges is refused by the kernel for want of its field lengths.
#[must_use]
pub fn replace_table(old_exists: bool, table: &Table, seq_start: u32) -> Batch {
    let mut batch = Builder::new(table.family, seq_start);
    if old_exists {
        batch.delete(&table.name);
    }
    batch.push(Kind::NewTable, Part::Table(table.name.clone()), table::encode(table));
    for chain in &table.chains {
        let body = chain::encode(table.family, &table.name, chain);
        batch.push(Kind::NewChain, Part::Chain(chain.name.clone()), body);
    }
    batch.sets_and_rules(table);
    batch.finish()
}

/// Removes the table of that family and name with all that is in it.
#[must_use]
pub fn delete_table(family: Family, name: &str, seq_start: u32) -> Batch {
    let mut batch = Builder::new(family, seq_start);
    batch.delete(name);
    batch.finish()
}

struct Builder {
    family: u8,
    first: u32,
    messages: Vec<(u16, u16, u8, u16, Writer)>,
    parts: Vec<Part>,
}

impl Builder {
    fn new(family: Family, first: u32) -> Self {
        let mut new =
            Self { family: family_number(family), first, messages: Vec::new(), parts: Vec::new() };
        new.edge(NFNL_MSG_BATCH_BEGIN, Part::Begin);
        new
    }

    fn edge(&mut self, kind: u16, part: Part) {
        self.messages.push((kind, NLM_F_REQUEST, 0, SUBSYSTEM, Writer::default()));
        self.parts.push(part);
    }

    fn push(&mut self, kind: Kind, part: Part, body: Writer) {
        let flags = match kind {
            Kind::DelTable => NLM_F_REQUEST,
            // Without APPEND, a rule goes to the head of its chain.
            Kind::NewRule => NLM_F_REQUEST | NLM_F_CREATE | NLM_F_APPEND,
            _ => NLM_F_REQUEST | NLM_F_CREATE,
        };
        self.messages.push((kind.number(), flags, self.family, 0, body));
        self.parts.push(part);
    }

    fn delete(&mut self, name: &str) {
        self.push(Kind::DelTable, Part::DeleteTable(name.to_owned()), table::encode_name(name));
    }

    fn sets_and_rules(&mut self, table: &Table) {
        let ids = SetIds::new(&table.sets);
        for one in &table.sets {
            let part = Part::Set(one.name.clone());
            self.push(Kind::NewSet, part, set::encode(&table.name, one, &ids));
            for body in set::encode_elements(&table.name, one, &ids) {
                self.push(Kind::NewSetElem, Part::Elements(one.name.clone()), body);
            }
        }
        for chain in &table.chains {
            for (number, one) in (1..).zip(&chain.rules) {
                let part = Part::Rule { chain: chain.name.clone(), number };
                let body = rule::encode(&table.name, &chain.name, one, &ids);
                self.push(Kind::NewRule, part, body);
            }
        }
    }

    fn finish(mut self) -> Batch {
        if let Some(last) = self.messages.last_mut() {
            last.1 |= NLM_F_ACK;
        }
        self.edge(NFNL_MSG_BATCH_END, Part::End);
        let mut bytes = Vec::new();
        for (index, (kind, flags, family, resource, body)) in (0..).zip(self.messages) {
            let seq = self.first.wrapping_add(index);
            bytes.extend_from_slice(&message(kind, flags, seq, family, resource, body));
        }
        Batch { bytes, first: self.first, parts: self.parts }
    }
}
