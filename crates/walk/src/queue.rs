//! The queueing discipline behind a link: whether it keeps a packet until it is sent.

use model::{Gap, Queue};

use crate::links::Spot;
use crate::skb::{Skb, Stop};
use crate::walker::Walker;
use crate::{Reason, Sink, Stage, Unknown};

/// Bytes of the Ethernet header.
const ETHERNET: u32 = 14;

impl<S: Sink> Walker<'_, '_, S> {
    /// `__dev_xmit_skb`: what by chance becomes of some only is assumed not to.
    pub(crate) fn enqueue(&mut self, skb: &Skb, link: Spot<'_>) -> Result<(), Stop> {
        let lost = |kind: &str, most| {
            let reason = Reason::Queue { kind: kind.to_owned(), most };
            Err(Stop::lost(Stage::Transmit, link.id.ns, Some(link.id), reason))
        };
        for queue in &link.link.queues {
            match queue {
                Queue::Swallows { kind } => return lost(kind, None),
                Queue::UpTo { kind, most } if skb.wire_len() + ETHERNET > *most => {
                    return lost(kind, Some(*most));
                }
                Queue::UpTo { .. } => {}
                Queue::Chance { .. } | Queue::NotShown { .. } => {
                    let part = format!("queue of {}", link.link.name);
                    let what = "it neither loses nor changes the packet";
                    self.assume(skb, Stage::Transmit, vec![Gap::assumed(&part, queue, what)]);
                }
                Queue::Unknown { .. } => {
                    let what = queue.to_string();
                    let unknown = Unknown::Link { link: link.id, what };
                    return Err(Stop::unknown(Stage::Transmit, unknown));
                }
            }
        }
        Ok(())
    }
}
