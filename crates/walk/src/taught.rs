//! What packets taught, and what was asked of it.

use std::cell::RefCell;
use std::hash::Hash;

use crate::hash::Map;

/// A table that packets fill on their way.
#[derive(Clone, Debug)]
pub(crate) struct Taught<K, V> {
    entries: Map<K, V>,
    /// Nothing was taught yet, and nobody wants anything noted: as it is of most walks.
    idle: bool,
    /// What is asked of it and taught, while somebody wants that noted.
    notes: RefCell<Option<Notes<K>>>,
}

#[derive(Clone, Debug)]
struct Notes<K> {
    /// Asked for, and not there.
    missed: Vec<K>,
    taught: Vec<K>,
    /// Something was found that had been there before.
    found_older: bool,
}

/// What was looked for in vain, and what was then taught.
#[derive(Clone, Debug)]
pub(crate) struct Noted<K, V> {
    missed: Vec<K>,
    taught: Vec<(K, V)>,
}

impl<K, V> Default for Taught<K, V> {
    fn default() -> Self {
        Self { entries: Map::default(), idle: true, notes: RefCell::default() }
    }
}

impl<K: Copy + Eq + Hash, V: Clone> Taught<K, V> {
    #[inline]
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.get_by(|| *key)
    }

    /// The same by a key that is made only where there is anything.
    #[inline]
    pub(crate) fn get_by(&self, key: impl FnOnce() -> K) -> Option<&V> {
        if self.idle { None } else { self.look_up(&key()) }
    }

    fn look_up(&self, key: &K) -> Option<&V> {
        let found = self.entries.get(key);
        if let Some(notes) = self.notes.borrow_mut().as_mut() {
            match found {
                None => notes.missed.push(*key),
                Some(_) => notes.found_older |= !notes.taught.contains(key),
            }
        }
        found
    }

    /// All of it.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&K, &V)> {
        if let Some(notes) = self.notes.borrow_mut().as_mut() {
            notes.found_older = true;
        }
        self.entries.iter()
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.note_taught(key);
        self.entries.insert(key, value);
    }

    /// What is taught of that, to be changed.
    pub(crate) fn entry(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        self.note_taught(key);
        self.entries.entry(key).or_default()
    }

    fn note_taught(&mut self, key: K) {
        self.idle = false;
        if let Some(notes) = self.notes.get_mut() {
            notes.taught.push(key);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.idle = true;
        *self.notes.get_mut() = None;
    }

    /// From now on, what is asked and taught is noted.
    pub(crate) fn note(&mut self) {
        let notes = Notes { missed: Vec::new(), taught: Vec::new(), found_older: false };
        self.idle = false;
        *self.notes.get_mut() = Some(notes);
    }

    /// What was noted; None: that hung on what had been taught before.
    pub(crate) fn noted(&mut self) -> Option<Noted<K, V>> {
        let notes = self.notes.get_mut().take().filter(|notes| !notes.found_older)?;
        let value = |key: &K| Some((*key, self.entries.get(key)?.clone()));
        let taught = notes.taught.iter().filter_map(value).collect();
        Some(Noted { missed: notes.missed, taught })
    }
}

impl<K: Copy + Eq + Hash, V: Clone> Noted<K, V> {
    /// Nothing that was looked for in vain is there now.
    pub(crate) fn still_holds(&self, table: &Taught<K, V>) -> bool {
        table.entries.is_empty() || !self.missed.iter().any(|key| table.get(key).is_some())
    }

    /// Teaches the same again, as `now` makes of it.
    pub(crate) fn teach(&self, table: &mut Taught<K, V>, now: impl Fn(&V) -> V) {
        self.taught.iter().for_each(|(key, value)| table.insert(*key, now(value)));
    }
}
