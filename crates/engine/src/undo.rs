use std::collections::HashSet;

use model::{Change, Fact, Snapshot, Wanted};

use crate::key::Key;
use crate::secret::with_secrets;
use crate::{Known, State, plan};

/// What brings the host back to how it was before a failed run: what the run made is removed, what
/// it changed or removed is as it was, with the values seen then, and with the keys of WireGuard that
/// go with these by the labs' files ([`crate::keyless`]: those whose keys nobody knows).
///
/// `before` and `wanted` are those of the failed plan; `was` is the Snapshot that it was made from,
/// `now` one taken after the failure.
#[must_use]
pub fn undo(
    before: Option<&Wanted>,
    wanted: &Wanted,
    was: &Snapshot,
    was_known: &Known,
    now: &Snapshot,
    known: &Known,
) -> Vec<Change> {
    let then = State::new(was, was_known);
    let mut seen = HashSet::new();
    let mut all: Vec<Fact> = Vec::new();
    let old = before.map_or(&[][..], |b| &b.facts);
    for fact in old.iter().chain(&wanted.facts) {
        if seen.insert(Key::of(fact)) {
            all.push(fact.clone());
        }
    }
    let labs: Vec<&Wanted> = before.into_iter().chain([wanted]).collect();
    let seen = all.iter().filter_map(|fact| then.observe(fact));
    let facts = seen.map(|fact| with_secrets(fact, &labs)).collect();
    let as_it_was = Wanted { name: wanted.name.clone(), facts };
    let today = State::new(now, known);
    for fact in &mut all {
        made_anew(fact, wanted, &then, &today);
    }
    let touched = Wanted { name: wanted.name.clone(), facts: all };
    plan(&as_it_was, Some(&touched), known, now)
}

/// A namespace that the run made anew is now as the run wanted it. (Its inode alone does not tell:
/// the kernel gives numbers again.)
fn made_anew(fact: &mut Fact, wanted: &Wanted, then: &State, today: &State) {
    let Fact::Namespace(spec) = fact else { return };
    let look = |state: &State| {
        let space = state.space(&spec.name)?;
        let parent = space.parent.and_then(|id| state.name(id)).map(str::to_owned);
        Some((space.id, space.owner.unprivileged, parent))
    };
    if look(then) == look(today) {
        return;
    }
    let made = wanted.facts.iter().find_map(|f| match f {
        Fact::Namespace(s) if s.name == spec.name => Some(s),
        _ => None,
    });
    if let Some(made) = made {
        spec.clone_from(made);
    }
}
