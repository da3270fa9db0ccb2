//! nftables as the kernel speaks it: nfnetlink messages ↔ [`model::Ruleset`] and its parts.
//!
//! Reading: send the [`request`]s, keep the raw replies in [`NftReplies`], [`decode_ruleset`].
//! Writing: [`replace_table`] and [`delete_table`] give one [`Batch`], which the kernel applies
//! whole or not at all.
//!
//! Written here and not over `netlink-packet-netfilter` 0.4: that crate has no xt match and target,
//! no NFTA_RULE_COMPAT, no nat, masquerade, counter, range and set-element values, and drops what it
//! does not know, where here every unknown thing must be kept as it came.

mod answer;
pub(crate) mod attr;
mod batch;
mod chain;
mod expr;
mod message;
mod reply;
pub mod request;
mod rule;
mod set;
mod table;
mod trace;

pub use answer::encode_replies;
pub use batch::{Batch, Part, delete_table, replace_table};
pub use message::Request;
pub use reply::{NftReplies, SetName, decode_ruleset, generation, set_names};
pub use rule::{decode_exprs, encode_exprs};
pub use trace::{TRACE_GROUP, Traced, What, traced, tracing_table};

use model::Family;

/// NFNL_SUBSYS_NFTABLES, the high byte of every message type here.
const SUBSYSTEM: u16 = 10;

/// NFPROTO_* of a family.
pub(crate) const fn family_number(family: Family) -> u8 {
    match family {
        Family::Inet => 1,
        Family::Ip => 2,
        Family::Arp => 3,
        Family::Netdev => 5,
        Family::Bridge => 7,
        Family::Ip6 => 10,
    }
}

/// The family of an NFPROTO_* number.
pub(crate) const fn family(number: u8) -> Option<Family> {
    Some(match number {
        1 => Family::Inet,
        2 => Family::Ip,
        3 => Family::Arp,
        5 => Family::Netdev,
        7 => Family::Bridge,
        10 => Family::Ip6,
        _ => return None,
    })
}
