//! RTM_NEWNSID: which number stands for which namespace.

use super::attr::{Attr, attrs_behind};
use super::message::Message;

const RTM_NEWNSID: u16 = 88;
/// Length of `struct rtgenmsg`, aligned.
pub(super) const RTGENMSG: usize = 4;
pub(super) const NETNSA_NSID: u16 = 1;
const NETNSA_CURRENT_NSID: u16 = 5;

/// One row of a namespace's table of nsids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NsidRow {
    /// The number in the table that was asked for. None: it has none for it (−1).
    pub nsid: Option<u32>,
    /// The asker's own number for the same namespace, where another's table was asked for.
    pub current: Option<u32>,
}

/// The row that a message tells of; None: it is no RTM_NEWNSID.
#[must_use]
pub fn nsid(message: &Message<'_>) -> Option<NsidRow> {
    if message.kind != RTM_NEWNSID {
        return None;
    }
    let number = |kind| {
        let attr = attrs_behind(message.body, RTGENMSG).find(|a| a.kind == kind);
        attr.and_then(Attr::i32).and_then(|n| u32::try_from(n).ok())
    };
    Some(NsidRow { nsid: number(NETNSA_NSID), current: number(NETNSA_CURRENT_NSID) })
}
