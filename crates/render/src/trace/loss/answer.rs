use model::{Snapshot, Tuple};
use walk::Place;

use super::case::{Case, Said, said};
use crate::words as w;

pub(super) fn wrong_place(c: Case<'_>, expected: Place) -> Said {
    said(format!("the answer ends here, but it was meant for {}", whose(c.snapshot, expected)))
        .advise(format!("give {} to one namespace only, or translate it on its way", c.packet.dst))
}

fn whose(snapshot: &Snapshot, place: Place) -> String {
    match place {
        Place::Namespace(ns) => snapshot.name_of(ns),
        Place::Outside(link) => format!("outside, by {}", snapshot.link_name(link)),
    }
}

pub(super) fn mismatch(expected: &Tuple, got: &Tuple) -> Said {
    let (expected, got) = (w::tuple(expected), w::tuple(got));
    said(format!("the sender waits for {expected}, and {got} came")).advise(
        "let the answer pass where its packet was translated, so that it is translated back",
    )
}
