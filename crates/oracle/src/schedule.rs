//! Which networks a run builds: ever new ones at first; towards its end again those in which was
//! decided what had decided too seldom until then.

use std::collections::BTreeMap;

use crate::feature::Exercised;
use crate::generate::{PACKETS, SCENES, again};
use crate::run::LONG;

/// Of a long run, one network of so many is left for what decided too seldom.
const LAST: u64 = 2;

/// Hands out the numbers of networks.
#[derive(Debug)]
pub(crate) struct Schedule {
    networks: u64,
    begun: u64,
    /// What each story exercised that was told.
    told: BTreeMap<Scene, Told>,
}

/// Which scene of which network.
type Scene = (u64, usize);

#[derive(Debug, Default)]
struct Told {
    exercised: Exercised,
    /// How often it was told.
    times: u64,
    /// How many networks tell it again: begun, and done.
    begun: u64,
    ended: u64,
}

impl Told {
    /// What a network decides that tells nothing else.
    fn promises(&self) -> impl Iterator<Item = (&'static str, usize)> {
        let times = usize::try_from(self.times).unwrap_or(usize::MAX).max(1);
        self.exercised.decided().map(move |(name, n)| (name, n * SCENES / times))
    }

    /// How much of what is missing it would give.
    fn gives(&self, missing: &BTreeMap<&'static str, usize>) -> usize {
        let given = self.promises().filter_map(|(name, n)| Some(n.min(*missing.get(name)?)));
        given.sum()
    }
}

/// A network that is to be built.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Next {
    pub(crate) number: u64,
    /// How many were begun before it.
    pub(crate) before: u64,
}

impl Schedule {
    pub(crate) const fn new(networks: u64) -> Self {
        Self { networks, begun: 0, told: BTreeMap::new() }
    }

    /// The next one; None: it is enough. What was exercised until now decides, and not how long it took.
    pub(crate) fn next(&mut self, so_far: &Exercised) -> Option<Next> {
        let before = self.begun;
        if before >= self.networks {
            return None;
        }
        self.begun += 1;
        let number = self.wanting(so_far).unwrap_or(before);
        Some(Next { number, before })
    }

    /// That one is done, each scene of which exercised this.
    pub(crate) fn done(&mut self, next: Next, scenes: &[Exercised; SCENES]) {
        let (first, again) = (again::first(next.number), again::scene(next.number));
        for (scene, exercised) in scenes.iter().enumerate() {
            let told = self.told.entry((first, again.unwrap_or(scene))).or_default();
            told.times += 1;
            told.exercised.add(exercised);
        }
        if let Some(told) = again.and_then(|scene| self.told.get_mut(&(first, scene))) {
            told.ended += 1;
        }
    }

    /// The network that gives most of what would be too little at the end, or just enough.
    fn wanting(&mut self, so_far: &Exercised) -> Option<u64> {
        let cases = usize::try_from(self.networks).unwrap_or(usize::MAX).saturating_mul(PACKETS);
        if cases < LONG || self.begun <= self.networks - self.networks / LAST {
            return None;
        }
        [100, 110].into_iter().find_map(|percent| self.giving(so_far.missing(cases, percent)))
    }

    fn giving(&mut self, mut missing: BTreeMap<&'static str, usize>) -> Option<u64> {
        for told in self.told.values().filter(|told| told.begun > told.ended) {
            told.promises().for_each(|(name, n)| {
                missing.entry(name).and_modify(|left| *left = left.saturating_sub(n));
            });
        }
        let all = self.told.iter_mut();
        let ((first, scene), told, gives) = all
            .map(|(scene, told)| {
                let gives = told.gives(&missing);
                (*scene, told, gives)
            })
            .max_by_key(|m| m.2)?;
        if gives == 0 {
            return None;
        }
        told.begun += 1;
        Some(again::number(first, scene, told.begun - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NETWORKS: u64 = 800;

    /// All networks show `often`, and one scene of one of a hundred shows `seldom`.
    fn shown(number: u64) -> [Exercised; SCENES] {
        std::array::from_fn(|scene| {
            let told = again::scene(number).unwrap_or(scene);
            let seldom = if again::first(number) % 100 == 3 && told == 2 { 1 } else { 0 };
            Exercised::of(&[("often", 1), ("seldom", seldom)])
        })
    }

    #[test]
    fn what_decided_too_seldom_is_told_again() {
        let (mut schedule, mut all) = (Schedule::new(NETWORKS), Exercised::default());
        let mut numbers = Vec::new();
        while let Some(next) = schedule.next(&all) {
            let shown = shown(next.number);
            shown.iter().for_each(|scene| all.add(scene));
            schedule.done(next, &shown);
            numbers.push(next.number);
        }
        assert_eq!(numbers.len() as u64, NETWORKS);
        let mut old = numbers.clone();
        old.retain(|n| again::first(*n) != *n);
        assert!(old.iter().all(|n| again::first(*n) % 100 == 3), "{old:?}");
        assert!(old.iter().all(|n| again::scene(*n) == Some(2)), "{old:?}");
        // Four were among the first 400 networks, one case each; of 16,000 cases, 88 are enough.
        assert_eq!(old.len(), (88_usize - 4).div_ceil(SCENES), "{old:?}");
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len() as u64, NETWORKS, "no network twice");
    }

    #[test]
    fn nothing_is_told_again_where_nothing_is_missing() {
        let all = Exercised::of(&[("often", 5000)]);
        let mut schedule = Schedule::new(NETWORKS);
        let numbers = std::iter::from_fn(|| schedule.next(&all)).map(|next| next.number);
        assert_eq!(numbers.collect::<Vec<_>>(), (0..NETWORKS).collect::<Vec<_>>());
    }
}
