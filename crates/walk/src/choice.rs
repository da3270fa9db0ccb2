//! What may go one way or the other: each possibility is walked by itself.
//!
//! A walk has no state to come back to, but it is the same each time: so it is walked anew with the
//! choices that were made so far, and one more.

use std::cell::{Cell, RefCell};

use crate::Fork;

/// The choices of one walk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choices {
    /// What was chosen, in the order of asking.
    made: Vec<u32>,
    /// How many have been asked for.
    asked: Cell<usize>,
    /// The first question to which there was no answer.
    open: RefCell<Option<Open>>,
}

/// A question without an answer.
#[derive(Clone, Debug)]
pub(crate) struct Open {
    /// How many possibilities there are.
    pub(crate) options: u32,
    /// By what, and what of it.
    pub(crate) cause: (Fork, String),
}

impl Choices {
    pub(crate) fn new(made: Vec<u32>) -> Self {
        Self { made, ..Self::default() }
    }

    /// Which of so many possibilities is taken; None: nobody said.
    pub(crate) fn choose(
        &self,
        options: u32,
        cause: impl FnOnce() -> (Fork, String),
    ) -> Option<u32> {
        let asked = self.asked.get();
        self.asked.set(asked + 1);
        let made = self.made.get(asked).copied();
        if made.is_none() && self.open.borrow().is_none() {
            *self.open.borrow_mut() = Some(Open { options, cause: cause() });
        }
        made
    }

    /// How many have been asked for.
    pub(crate) const fn asked(&self) -> usize {
        self.asked.get()
    }

    pub(crate) fn open(&self) -> Option<Open> {
        self.open.borrow().clone()
    }
}
