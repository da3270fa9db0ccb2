use std::collections::BTreeMap;

/// What is said of some of a thing's options, each a number; the rest is as the kernel makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options<O>(BTreeMap<O, u32>);

impl<O: Copy + Ord> Options<O> {
    /// What is said of an option.
    #[must_use]
    pub fn get(&self, option: O) -> Option<u32> {
        self.0.get(&option).copied()
    }

    /// Says it, or nothing of it.
    pub fn set(&mut self, option: O, value: Option<u32>) {
        match value {
            Some(value) => _ = self.0.insert(option, value),
            None => _ = self.0.remove(&option),
        }
    }

    /// Those of which something is said, in their order.
    pub fn said(&self) -> impl Iterator<Item = (O, u32)> {
        self.0.iter().map(|(option, value)| (*option, *value))
    }

    /// Says what is left open.
    pub fn fill(&mut self, said: impl IntoIterator<Item = (O, u32)>) {
        for (option, value) in said {
            self.0.entry(option).or_insert(value);
        }
    }

    /// What of it is otherwise than in `other`.
    #[must_use]
    pub fn changed_from(&self, other: &Self) -> Self {
        self.said().filter(|(option, value)| other.get(*option) != Some(*value)).collect()
    }

    /// Whether `seen` is so; what is not said fits any.
    #[must_use]
    pub fn fits(&self, seen: &Self) -> bool {
        self.said().all(|(option, value)| seen.get(option) == Some(value))
    }
}

impl<O: Ord> FromIterator<(O, u32)> for Options<O> {
    fn from_iter<I: IntoIterator<Item = (O, u32)>>(said: I) -> Self {
        Self(said.into_iter().collect())
    }
}

impl<O> Default for Options<O> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}
