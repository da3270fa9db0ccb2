use std::collections::BTreeMap;

use super::Turn;

/// Holds two lists against each other. `moved` is `before` with the ids of the later Snapshot, and
/// `key` says what makes two things the same thing with other values.
pub(super) fn turns<T, K>(
    before: &[T],
    moved: &[T],
    after: &[T],
    key: impl Fn(&T) -> K,
) -> Vec<Turn<T>>
where
    T: Clone + PartialEq,
    K: Ord,
{
    let mut old: BTreeMap<K, Vec<usize>> = BTreeMap::new();
    for (place, item) in moved.iter().enumerate() {
        old.entry(key(item)).or_default().push(place);
    }
    let mut take = |item: &T, fits: &dyn Fn(usize) -> bool| {
        let places = old.get_mut(&key(item))?;
        let found = places.iter().position(|p| fits(*p))?;
        Some(places.remove(found))
    };
    let equal = |item: &T| -> bool { take(item, &|p| moved[p] == *item).is_some() };
    let (_, other): (Vec<&T>, Vec<&T>) = {
        let mut equal = equal;
        after.iter().partition(|item| equal(item))
    };
    let mut new = Vec::new();
    for item in other {
        let place = old.get_mut(&key(item)).filter(|p| !p.is_empty()).map(|p| p.remove(0));
        new.push(match place {
            Some(place) => Turn::Changed { before: before[place].clone(), after: item.clone() },
            None => Turn::Appeared(item.clone()),
        });
    }
    let mut gone: Vec<usize> = old.into_values().flatten().collect();
    gone.sort_unstable();
    gone.into_iter().map(|place| Turn::Vanished(before[place].clone())).chain(new).collect()
}

/// The same for things that mean the same in both Snapshots.
pub(super) fn plain<T, K>(before: &[T], after: &[T], key: impl Fn(&T) -> K) -> Vec<Turn<T>>
where
    T: Clone + PartialEq,
    K: Ord,
{
    turns(before, before, after, key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_ones_first_then_those_of_one_key() {
        let before = [(1, 'a'), (2, 'b'), (2, 'c'), (4, 'd')];
        let after = [(2, 'c'), (2, 'x'), (5, 'e'), (1, 'a')];
        let turns = plain(&before, &after, |item| item.0);
        let wanted = [
            Turn::Vanished((4, 'd')),
            Turn::Changed { before: (2, 'b'), after: (2, 'x') },
            Turn::Appeared((5, 'e')),
        ];
        assert_eq!(turns, wanted);
    }
}
