//! What is asked of the kernel, on a blocking NETLINK_NETFILTER socket. Dumps are asked for all
//! families at once, and end with NLMSG_DONE.

use super::attr::Writer;
use super::message::{Kind, NLM_F_DUMP, Request};
use super::{SetName, family_number};

/// NFT_MSG_GETGEN: one answer, with the number that grows at each change. Ask before and after the
/// dumps: if it moved, they do not belong together.
#[must_use]
pub fn generation() -> Request {
    Request::new(Kind::GetGen.number(), 0, 0, 0, Writer::default())
}

/// All tables.
#[must_use]
pub fn tables() -> Request {
    dump(Kind::GetTable)
}

/// All chains of all tables.
#[must_use]
pub fn chains() -> Request {
    dump(Kind::GetChain)
}

/// All rules of all chains.
#[must_use]
pub fn rules() -> Request {
    dump(Kind::GetRule)
}

/// All sets and maps of all tables, without their elements.
#[must_use]
pub fn sets() -> Request {
    dump(Kind::GetSet)
}

/// The elements of one set; the kernel does not dump those of all.
#[must_use]
pub fn set_elements(set: &SetName) -> Request {
    let mut attrs = Writer::default();
    attrs.text(1, &set.table);
    attrs.text(2, &set.name);
    let family = family_number(set.family);
    Request::new(Kind::GetSetElem.number(), NLM_F_DUMP, family, 0, attrs)
}

/// All flowtables. A kernel without them answers with an error.
#[must_use]
pub fn flowtables() -> Request {
    dump(Kind::GetFlowtable)
}

fn dump(kind: Kind) -> Request {
    Request::new(kind.number(), NLM_F_DUMP, 0, 0, Writer::default())
}
