//! What differs, in words.

mod link;
mod netfilter;
mod said;

use model::{Difference, NsId, Snapshot};

use crate::page::Page;
use crate::style::{Style, Tone};

pub(crate) use said::{Action, Said, Subject, say};

/// What differs, by namespace; what is noise only with `all`.
#[must_use]
pub fn diff(
    before: &Snapshot,
    after: &Snapshot,
    differences: &[Difference],
    all: bool,
    style: &Style,
) -> String {
    let mut page = Page::new(style);
    let mut at = None;
    let told: Vec<&Difference> = differences.iter().filter(|d| all || !d.noise).collect();
    for difference in &told {
        let said = say(before, after, difference);
        let place = place(difference);
        if at != Some(place) {
            at = Some(place);
            page.put(Tone::Title, &name(before, after, difference)).end();
        }
        let (tone, sign) = said.sign();
        page.put(tone, &format!("  {sign} "));
        page.wrapped(Tone::Plain, &said.in_namespace()).end();
    }
    let hidden = differences.len() - told.len();
    page.line(&summary(told.len(), hidden));
    page.finish()
}

fn summary(told: usize, hidden: usize) -> String {
    let mut text = match told {
        0 => "no difference".to_owned(),
        1 => "1 difference".to_owned(),
        n => format!("{n} differences"),
    };
    if hidden > 0 {
        text.push_str(&format!("; {hidden} more with --all"));
    }
    text
}

fn place(difference: &Difference) -> (bool, Option<NsId>) {
    (difference.after.is_some(), difference.after.or(difference.before))
}

/// The name of the namespace that a difference is about.
pub(crate) fn name(before: &Snapshot, after: &Snapshot, difference: &Difference) -> String {
    match (difference.after, difference.before) {
        (Some(id), _) => after.name_of(id),
        (None, Some(id)) => before.name_of(id),
        (None, None) => "this host".to_owned(),
    }
}

#[cfg(test)]
mod tests;
