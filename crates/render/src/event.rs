use model::{Difference, Snapshot};

use crate::diff::say;
use crate::page::Page;
use crate::style::{Style, Tone};

/// A difference as an event, on a line of its own, behind the time of day at which it was told:
/// `12:34:56.789 ~ web:eth0 lost its carrier; peer host:veth0 is down`.
#[must_use]
pub fn event(
    time: &str,
    before: &Snapshot,
    after: &Snapshot,
    difference: &Difference,
    style: &Style,
) -> String {
    let said = say(before, after, difference);
    let (tone, sign) = said.sign();
    let mut page = Page::new(style);
    page.put(Tone::Faint, time).put(tone, &format!(" {sign} "));
    page.put(Tone::Plain, &said.whole()).end();
    page.finish()
}
