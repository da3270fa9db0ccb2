//! RTM_NEWQDISC, as far as it says that something stands before or behind a link.

use super::attr::{Attr, attrs_behind, u32_at};
use super::message::Message;

const RTM_NEWQDISC: u16 = 36;
/// Length of `struct tcmsg`.
const TCMSG: usize = 20;
const TCA_KIND: u16 = 1;
const TCA_INGRESS_BLOCK: u16 = 13;
const TCA_EGRESS_BLOCK: u16 = 14;

/// A queueing discipline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qdisc {
    /// ifindex of its link.
    pub link: u32,
    /// `noqueue`, `fq_codel`, `clsact`, `ingress`, …
    pub kind: String,
    /// The block of filters for what comes in, where links share one.
    pub ingress_block: Option<u32>,
    /// The same of what goes out.
    pub egress_block: Option<u32>,
}

impl Qdisc {
    /// It is a place for filters and programs that decide about packets (`ingress`, `clsact`).
    #[must_use]
    pub fn is_hook(&self) -> bool {
        matches!(self.kind.as_str(), "ingress" | "clsact")
    }
}

/// The queueing discipline that a message tells of; None: it is no RTM_NEWQDISC, or cut short.
#[must_use]
pub fn qdisc(message: &Message<'_>) -> Option<Qdisc> {
    if message.kind != RTM_NEWQDISC {
        return None;
    }
    let own = |kind| attrs_behind(message.body, TCMSG).find(move |a| a.kind == kind);
    let block = |kind| own(kind).and_then(Attr::u32).filter(|block| *block != 0);
    Some(Qdisc {
        link: u32_at(message.body, 4)?,
        kind: own(TCA_KIND).map(Attr::text)?,
        ingress_block: block(TCA_INGRESS_BLOCK),
        egress_block: block(TCA_EGRESS_BLOCK),
    })
}
