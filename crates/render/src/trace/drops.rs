//! What the kernel itself says of a packet that it threw away.

use model::Snapshot;
use walk::{Checked, KernelDrop, Leg};

use super::{Teller, Tone};

impl Teller<'_> {
    pub(super) fn drops(&mut self, live: &Checked) {
        for drop in &live.drops {
            let what = match drop.leg {
                Leg::There => "",
                Leg::Back => "the answer ",
                Leg::Error => "an ICMP error about it ",
            };
            let text = format!("kernel: {what}thrown away{}", words(self.snapshot, drop));
            self.page.put(Tone::Bad, &text).end();
        }
    }
}

/// Where, and the kernel's own words for why.
fn words(snapshot: &Snapshot, drop: &KernelDrop) -> String {
    let place = match (drop.link, drop.ns) {
        (Some(link), _) => format!(" on {}", snapshot.link_name(link)),
        (None, Some(ns)) => format!(" in {}", snapshot.name_of(ns)),
        (None, None) => String::new(),
    };
    let function = drop.function.as_ref().map(|f| format!(", in {f}")).unwrap_or_default();
    format!("{place}: {}{function}", drop.reason)
}
