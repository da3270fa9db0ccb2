//! RTM_NEWQDISC, as far as it says that something stands before or behind a link.

use super::attr::{Attr, attrs_behind, u32_at};
use super::message::Message;

const RTM_NEWQDISC: u16 = 36;
/// Length of `struct tcmsg`.
const TCMSG: usize = 20;
const TCA_KIND: u16 = 1;

/// A queueing discipline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qdisc {
    /// ifindex of its link.
    pub link: u32,
    /// `noqueue`, `fq_codel`, `clsact`, `ingress`, …
    pub kind: String,
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
    let kind = attrs_behind(message.body, TCMSG).find(|a| a.kind == TCA_KIND);
    Some(Qdisc { link: u32_at(message.body, 4)?, kind: kind.map(Attr::text)? })
}
