//! What is asked of the kernel. Each is one whole netlink message for a blocking NETLINK_NETFILTER
//! socket. Dumps are asked for all families at once, and end with NLMSG_DONE.

use super::attr::Writer;
use super::message::{Kind, NLM_F_DUMP, NLM_F_REQUEST, message};
use super::{SetName, family_number};

/// NFT_MSG_GETGEN: one answer, with the number that grows at each change. Ask before and after the
/// dumps: if it moved, they do not belong together.
#[must_use]
pub fn generation(seq: u32) -> Vec<u8> {
    message(Kind::GetGen.number(), NLM_F_REQUEST, seq, 0, 0, Writer::default())
}

/// All tables.
#[must_use]
pub fn tables(seq: u32) -> Vec<u8> {
    dump(Kind::GetTable, seq)
}

/// All chains of all tables.
#[must_use]
pub fn chains(seq: u32) -> Vec<u8> {
    dump(Kind::GetChain, seq)
}

/// All rules of all chains.
#[must_use]
pub fn rules(seq: u32) -> Vec<u8> {
    dump(Kind::GetRule, seq)
}

/// All sets and maps of all tables, without their elements.
#[must_use]
pub fn sets(seq: u32) -> Vec<u8> {
    dump(Kind::GetSet, seq)
}

/// The elements of one set; the kernel does not dump those of all.
#[must_use]
pub fn set_elements(set: &SetName, seq: u32) -> Vec<u8> {
    let mut body = Writer::default();
    body.text(1, &set.table);
    body.text(2, &set.name);
    let flags = NLM_F_REQUEST | NLM_F_DUMP;
    message(Kind::GetSetElem.number(), flags, seq, family_number(set.family), 0, body)
}

/// All flowtables. A kernel without them answers with an error.
#[must_use]
pub fn flowtables(seq: u32) -> Vec<u8> {
    dump(Kind::GetFlowtable, seq)
}

fn dump(kind: Kind, seq: u32) -> Vec<u8> {
    message(kind.number(), NLM_F_REQUEST | NLM_F_DUMP, seq, 0, 0, Writer::default())
}
