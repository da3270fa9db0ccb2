//! Cables whose ends were read at two moments, and of which one moved in between.

use std::collections::BTreeSet;

use model::NsId;
use wire::gathered::{Answer, Answers, Question, torn};

use super::{Raw, Surveyed, Wanted, follow_peers};
use crate::read::observer::Observer;

/// How often what does not fit together is asked for again.
const ATTEMPTS: usize = 5;

/// Asks again for the links of namespaces whose links do not fit together, until they do.
pub(super) fn mend(spaces: &mut Vec<Surveyed>, observer: &mut Observer, wanted: Wanted, raw: Raw) {
    let numbering = observer.numbering();
    for _ in 0..ATTEMPTS {
        let living = spaces.iter().filter(|space| !space.ended);
        let torn = torn(living.map(|space| (space.id, &space.reading)), &numbering);
        if torn.is_empty() {
            return;
        }
        again(spaces, observer, &torn, wanted, raw);
        // What moved may have gone where nobody has looked yet.
        follow_peers(spaces, observer, wanted.parts, raw);
    }
}

fn again(
    spaces: &mut [Surveyed],
    observer: &mut Observer,
    torn: &BTreeSet<NsId>,
    wanted: Wanted,
    raw: Raw,
) {
    let Some(mut view) = observer.views().next() else { return };
    for (place, space) in spaces.iter_mut().enumerate().filter(|(_, s)| torn.contains(&s.id)) {
        let Some(number) = space.number(place) else { continue };
        let mut answers = Answers::default();
        view.outside(number, wanted.of(space.id, false), &mut answers);
        if let Some(Answer::Refused(_)) = answers.by_question.get(&Question::Links) {
            continue;
        }
        space.reading.again(&answers);
        if raw == Raw::Keep {
            space.answers.by_question.extend(answers.by_question);
        }
    }
}
