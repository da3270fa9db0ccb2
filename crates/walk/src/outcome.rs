//! What a question comes to, without its trace: for many pairs at once.

use crate::asked::{Sender, start};
use crate::walker::Walker;
use crate::{Action, Disposition, Indexed, Known, Overlay, Packet, Question, Sink, Stage};
use model::NsId;

/// What a question comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How the way there ends.
    pub there: Disposition,
    /// How that of the answer does; None where none is due.
    pub back: Option<Disposition>,
    /// It rests on what is assumed of parts that were not read.
    pub assumed: bool,
}

impl Indexed<'_> {
    /// What a question comes to: the same as [`Indexed::trace`] tells at length, unless it hangs on
    /// chance or on a rule that is not understood. Then it is unknown here, and there may be told.
    #[must_use]
    pub fn outcome(&self, question: &Question) -> Outcome {
        self.outcome_in(&mut Overlay::new(), question)
    }

    /// The same, in the room of an overlay, which is cleared before: for the next of many questions.
    #[must_use]
    pub fn outcome_in(&self, overlay: &mut Overlay, question: &Question) -> Outcome {
        if question.connection == Known::Established {
            let trace = self.trace(question.clone());
            let assumed = !trace.assumptions().is_empty();
            let back = trace.back.map(|way| way.disposition);
            return Outcome { there: trace.there.disposition, back, assumed };
        }
        overlay.clear();
        overlay.forgets = question.connection == Known::Nothing;
        let mut walker = Walker::new(self, overlay, First::default());
        let end = start(&mut walker, question.from, question.packet.clone(), Sender::of(question));
        let (first, assumed) = (walker.sink, walker.assumed);
        let sent = first.packet.unwrap_or_else(|| question.packet.clone());
        let back = self.answer(overlay, question, &sent, &end, assumed, First::default());
        let back = back.map(|answer| answer.disposition);
        Outcome { there: end.disposition, back, assumed: !overlay.assumed.is_empty() }
    }
}

/// Keeps the packet as it was when its source had been chosen and nothing was rewritten yet.
#[derive(Clone, Debug, Default)]
struct First {
    packet: Option<Packet>,
}

impl Sink for First {
    const KEEPS: bool = false;

    fn step(&mut self, _: NsId, _: Stage, packet: &Packet, _: impl FnOnce() -> Action) {
        if self.packet.as_ref().is_none_or(|first| first.src.is_unspecified()) {
            self.packet = Some(packet.clone());
        }
    }

    fn branch(&self) -> Self {
        Self::default()
    }

    fn go_on(&mut self, _: Self) {}
}
