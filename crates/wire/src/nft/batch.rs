//! One transaction: what is sent between BATCH_BEGIN and BATCH_END is done whole or not at all.

use model::{Family, Table};

use super::attr::Writer;
use super::message::{Kind, NLM_F_APPEND, NLM_F_CREATE, Request};
use super::set::{self, SetIds};
use super::{SUBSYSTEM, chain, family_number, rule, table};

const NFNL_MSG_BATCH_BEGIN: u16 = 16;
const NFNL_MSG_BATCH_END: u16 = 17;

/// The messages of one transaction, to be sent at once.
///
/// The kernel does them within the `send`. It answers nothing if all is well, else with an error
/// for every message that it refuses (by its sequence number); what concerns the whole has that of
/// the first. After any error, nothing of the batch was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// From BATCH_BEGIN to BATCH_END.
    pub messages: Vec<Part>,
}

/// One message of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// `nlmsg_type`.
    pub kind: u16,
    /// `nlmsg_flags`.
    pub flags: u16,
    /// What follows the netlink header.
    pub body: Vec<u8>,
    /// What it makes or removes, in words, for errors: `rule 3 of chain DOCKER`.
    pub what: String,
}

impl Batch {
    /// All messages as bytes, numbered from `seq`.
    #[must_use]
    pub fn bytes(&self, seq: u32) -> Vec<u8> {
        let message = |(index, part): (u32, &Part)| {
            let Part { kind, flags, body, .. } = part.clone();
            Request { kind, flags, body }.bytes(seq.wrapping_add(index))
        };
        (0..).zip(&self.messages).flat_map(message).collect()
    }
}

/// Makes `table` exactly so, whatever is in it: with `exists`, the one of that family and name goes
/// first, in the same transaction. Flowtables, objects, and timeouts of sets are not made: the
/// model has at most their names.
#[must_use]
pub fn replace_table(exists: bool, table: &Table) -> Batch {
    let mut batch = Builder::new(table.family);
    if exists {
        batch.delete(&table.name);
    }
    batch.push(Kind::NewTable, format!("table {}", table.name), table::encode(table));
    for chain in &table.chains {
        let body = chain::encode(table.family, &table.name, chain);
        batch.push(Kind::NewChain, format!("chain {}", chain.name), body);
    }
    batch.sets(table);
    batch.rules(table);
    batch.finish()
}

/// Removes the table of that family and name with all that is in it.
#[must_use]
pub fn delete_table(family: Family, name: &str) -> Batch {
    let mut batch = Builder::new(family);
    batch.delete(name);
    batch.finish()
}

struct Builder {
    family: u8,
    parts: Vec<Part>,
}

impl Builder {
    fn new(family: Family) -> Self {
        let mut new = Self { family: family_number(family), parts: Vec::new() };
        new.edge(NFNL_MSG_BATCH_BEGIN);
        new
    }

    fn edge(&mut self, kind: u16) {
        let request = Request::new(kind, 0, 0, SUBSYSTEM, Writer::default());
        self.add(request, "the whole transaction".to_owned());
    }

    fn add(&mut self, request: Request, what: String) {
        let Request { kind, flags, body } = request;
        self.parts.push(Part { kind, flags, body, what });
    }

    fn push(&mut self, kind: Kind, what: String, attrs: Writer) {
        let flags = match kind {
            Kind::DelTable => 0,
            // Without APPEND, a rule goes to the head of its chain.
            Kind::NewRule => NLM_F_CREATE | NLM_F_APPEND,
            _ => NLM_F_CREATE,
        };
        self.add(Request::new(kind.number(), flags, self.family, 0, attrs), what);
    }

    fn delete(&mut self, name: &str) {
        self.push(Kind::DelTable, format!("removing table {name}"), table::encode_name(name));
    }

    fn sets(&mut self, table: &Table) {
        let ids = SetIds::new(&table.sets);
        for one in &table.sets {
            let name = &one.name;
            self.push(Kind::NewSet, format!("set {name}"), set::encode(&table.name, one, &ids));
            for body in set::encode_elements(&table.name, one, &ids) {
                self.push(Kind::NewSetElem, format!("elements of set {name}"), body);
            }
        }
    }

    fn rules(&mut self, table: &Table) {
        let ids = SetIds::new(&table.sets);
        for chain in &table.chains {
            for (number, one) in (1..).zip(&chain.rules) {
                let number: usize = number;
                let what = format!("rule {number} of chain {}", chain.name);
                self.push(Kind::NewRule, what, rule::encode(&table.name, &chain.name, one, &ids));
            }
        }
    }

    fn finish(mut self) -> Batch {
        self.edge(NFNL_MSG_BATCH_END);
        Batch { messages: self.parts }
    }
}
