//! Stories that are told again: each of the scenes of a network tells one of them, at the same turn,
//! of other values.

use super::SCENES;

/// So many networks have numbers of their own.
const NUMBERS: u64 = 1_000_000;

/// The number of a network all of whose scenes tell again what that scene of another told; it was told
/// so often again before.
pub(crate) const fn number(first: u64, scene: usize, before: u64) -> u64 {
    first + (1 + before * SCENES as u64 + scene as u64) * NUMBERS
}

/// The number of the network in which it was told first.
pub(crate) const fn first(number: u64) -> u64 {
    number % NUMBERS
}

/// Which scene of that network is told; None: each its own.
pub(crate) fn scene(number: u64) -> Option<usize> {
    let times = (number / NUMBERS).checked_sub(1)?;
    usize::try_from(times % SCENES as u64).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_says_what_is_told() {
        assert_eq!((first(37), scene(37)), (37, None));
        let all = (0..3).flat_map(|before| (0..SCENES).map(move |s| (s, number(37, s, before))));
        let mut numbers = vec![37];
        for (told, number) in all {
            assert_eq!((first(number), scene(number)), (37, Some(told)));
            assert!(!numbers.contains(&number), "{number} twice");
            numbers.push(number);
        }
    }
}
