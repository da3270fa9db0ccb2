//! What tc does at links.

use model::{LinkKind, Queue, Snapshot, TcAction, TcControl, TcDoing, TcFlowerKey, TcSelector};

use super::{Without, all};

/// Those of this file.
pub(super) const FEATURES: &[(&str, Without)] = &[
    ("tc: ifb", |s, _| {
        // As if it were a dummy.
        let links = s.namespaces.values_mut().flat_map(|n| n.links.values_mut());
        all(links.filter(|l| l.kind == LinkKind::Other("ifb".to_owned())), |link| {
            link.kind = LinkKind::Other("dummy".to_owned());
            true
        })
    }),
    ("tc: redirect", |s, _| hands(s, false)),
    ("tc: mirror", |s, _| hands(s, true)),
    ("tc: u32", |s, _| {
        filters(s, |selector, _| match selector {
            TcSelector::U32(u32) => !std::mem::take(&mut u32.keys).is_empty(),
            _ => false,
        })
    }),
    ("tc: flower", |s, _| {
        filters(s, |selector, _| match selector {
            TcSelector::Flower(keys) => {
                let all = keys.len();
                keys.retain(|key| matches!(key, TcFlowerKey::EtherType(_)));
                keys.len() != all
            }
            _ => false,
        })
    }),
    ("tc: matchall", |s, _| {
        filters(s, |selector, actions| {
            let is = *selector == TcSelector::All;
            if is {
                *actions = vec![TcAction { doing: TcDoing::Nothing, then: TcControl::Continue }];
            }
            is
        })
    }),
    ("tc: gact", |s, _| {
        filters(s, |_, actions| {
            let all = actions.len();
            actions.retain(|action| action.doing != TcDoing::Nothing);
            actions.len() != all
        })
    }),
    ("queue: throws all away", |s, _| queues(s, |q| matches!(q, Queue::Swallows { .. }))),
    ("queue: only what is small", |s, _| queues(s, |q| matches!(q, Queue::UpTo { .. }))),
];

fn queues(snapshot: &mut Snapshot, of: impl Fn(&Queue) -> bool) -> bool {
    let links = snapshot.namespaces.values_mut().flat_map(|n| n.links.values_mut());
    all(links, |link| {
        let before = link.queues.len();
        link.queues.retain(|queue| !of(queue));
        link.queues.len() != before
    })
}

/// Without what hands packets, or copies of them, on.
fn hands(snapshot: &mut Snapshot, copies: bool) -> bool {
    let other = |a: &TcAction| !matches!(a.doing, TcDoing::Hand { copy, .. } if copy == copies);
    filters(snapshot, |_, actions| {
        let before = actions.len();
        actions.retain(other);
        let some = actions.len() != before;
        if some && actions.is_empty() {
            // No other filter is tried then either.
            actions.push(TcAction { doing: TcDoing::Nothing, then: TcControl::Ok });
        }
        some
    })
}

fn filters(
    snapshot: &mut Snapshot,
    change: impl Fn(&mut TcSelector, &mut Vec<TcAction>) -> bool + Copy,
) -> bool {
    let links = snapshot.namespaces.values_mut().flat_map(|n| n.links.values_mut());
    let tc = links.filter_map(|link| link.tc.as_mut());
    let filters = tc.flat_map(|tc| tc.ingress.iter_mut().chain(&mut tc.egress));
    all(filters, |filter| change(&mut filter.selector, &mut filter.actions))
}
