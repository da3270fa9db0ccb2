//! Networks that are told again: the same stories, each at the same turn, of other values.

/// So many networks have numbers of their own.
const NUMBERS: u64 = 1_000_000;

/// The number of a network that was told so often before.
pub(crate) const fn number(first: u64, before: u64) -> u64 {
    first + before * NUMBERS
}

/// The number that it had when it was told first.
pub(crate) const fn first(number: u64) -> u64 {
    number % NUMBERS
}
