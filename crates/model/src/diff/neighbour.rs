use super::Turn;
use crate::{FdbEntry, Neighbour, NeighbourState};

/// How well a neighbour is known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Being asked for.
    Asked,
    /// Known; the kernel checks it from time to time, whence Reachable, Stale, Delay and Probe.
    Known,
    /// Set by hand.
    Fixed,
    /// Needs no address, or is a group.
    Noarp,
    /// Did not answer.
    Failed,
}

const fn class(n: &Neighbour) -> Class {
    match n.state {
        NeighbourState::None | NeighbourState::Incomplete => Class::Asked,
        NeighbourState::Reachable
        | NeighbourState::Stale
        | NeighbourState::Delay
        | NeighbourState::Probe => Class::Known,
        NeighbourState::Permanent => Class::Fixed,
        NeighbourState::Noarp => Class::Noarp,
        NeighbourState::Failed => Class::Failed,
    }
}

/// Whether a neighbour's turn is what neighbours do all the time.
#[must_use]
pub fn neighbour_is_noise(turn: &Turn<Neighbour>) -> bool {
    match turn {
        Turn::Appeared(n) => matches!(class(n), Class::Asked | Class::Noarp),
        Turn::Vanished(n) => matches!(class(n), Class::Asked | Class::Noarp | Class::Failed),
        Turn::Changed { before, after } => {
            let same = class(before) == class(after) && before.mac == after.mac;
            same || class(after) == Class::Asked
        }
    }
}

/// Whether an entry is learned, or follows from its port.
#[must_use]
pub fn fdb_is_noise(entry: &FdbEntry) -> bool {
    !entry.is_static || (entry.own && entry.remote.is_none())
}
