//! [`Ruleset`] → replies that tell it: what the kernel would answer if this were its ruleset.

use model::{Ruleset, Table};

use super::attr::Writer;
use super::message::{Kind, Request};
use super::reply::NftReplies;
use super::set::SetIds;
use super::{chain, family_number, rule, set, table};

/// Replies from which [`decode_ruleset`](super::decode_ruleset) makes this very ruleset. For a
/// ruleset that was changed after it was read.
#[must_use]
pub fn encode_replies(ruleset: &Ruleset) -> NftReplies {
    let mut replies = NftReplies::default();
    let mut generation = Writer::default();
    generation.u32(1, ruleset.generation);
    append(&mut replies.generation, Kind::NewGen, 0, generation);
    for table in &ruleset.tables {
        add(&mut replies, table);
    }
    replies
}

fn add(replies: &mut NftReplies, of: &Table) {
    let family = family_number(of.family);
    append(&mut replies.tables, Kind::NewTable, family, table::encode(of));
    for chain in &of.chains {
        let body = chain::encode(of.family, &of.name, chain);
        append(&mut replies.chains, Kind::NewChain, family, body);
        for rule in &chain.rules {
            let body = rule::answer(&of.name, &chain.name, rule);
            append(&mut replies.rules, Kind::NewRule, family, body);
        }
    }
    let ids = SetIds::default();
    for set in &of.sets {
        append(&mut replies.sets, Kind::NewSet, family, set::encode(&of.name, set, &ids));
        for body in set::encode_elements(&of.name, set, &ids) {
            append(&mut replies.elements, Kind::NewSetElem, family, body);
        }
    }
    for name in &of.flowtables {
        let mut body = Writer::default();
        body.text(1, &of.name);
        body.text(2, name);
        append(&mut replies.flowtables, Kind::NewFlowtable, family, body);
    }
}

fn append(out: &mut Vec<u8>, kind: Kind, family: u8, body: Writer) {
    let message = Request::new(kind.number(), 0, family, 0, body);
    out.extend(message.bytes(0));
    out.resize(out.len().next_multiple_of(4), 0);
}
