//! What holds of every plan, whatever the networks are.

#![allow(missing_docs, reason = "tests")]

mod common;

use common::{applied, draw, facts, picture};
use engine::{Known, plan, undo};
use model::Snapshot;
use proptest::prelude::*;

fn built(wanted: &model::Wanted) -> (Snapshot, Known) {
    let (nothing, known) = (Snapshot::default(), Known::default());
    applied(&nothing, &known, &plan(wanted, None, &known, &nothing))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_was_built_needs_no_change(a in draw()) {
        let a = facts(&a.text());
        let (now, known) = built(&a);
        prop_assert_eq!(plan(&a, Some(&a), &known, &now), vec![]);
        prop_assert_eq!(plan(&a, None, &known, &now), vec![]);
    }

    #[test]
    fn a_changed_file_leads_where_building_anew_leads(a in draw(), b in draw()) {
        let (a, b) = (facts(&a.text()), facts(&b.text()));
        let (now, known) = built(&a);
        let changes = plan(&b, Some(&a), &known, &now);
        let (then, known) = applied(&now, &known, &changes);
        prop_assert_eq!(plan(&b, Some(&b), &known, &then), vec![]);
        let (fresh, fresh_known) = built(&b);
        prop_assert_eq!(picture(&then, &known), picture(&fresh, &fresh_known), "{:#?}", changes);
    }

    #[test]
    fn a_run_that_stops_anywhere_goes_on(a in draw(), b in draw(), k in 0..200usize) {
        let (a, b) = (facts(&a.text()), facts(&b.text()));
        let (now, known) = built(&a);
        let changes = plan(&b, Some(&a), &known, &now);
        let (then, known) = applied(&now, &known, &changes[..k.min(changes.len())]);
        // What the stopped run wanted counts as before too.
        let mut before = a.clone();
        before.facts.extend(b.facts.iter().filter(|f| !a.facts.contains(f)).cloned());
        let rest = plan(&b, Some(&before), &known, &then);
        let (end, known) = applied(&then, &known, &rest);
        let (fresh, fresh_known) = built(&b);
        prop_assert_eq!(picture(&end, &known), picture(&fresh, &fresh_known), "{:#?}", rest);
    }

    #[test]
    fn undo_leads_back_from_any_change(a in draw(), b in draw(), k in 0..200usize) {
        let (a, b) = (facts(&a.text()), facts(&b.text()));
        let (was, was_known) = built(&a);
        let changes = plan(&b, Some(&a), &was_known, &was);
        let (now, known) = applied(&was, &was_known, &changes[..k.min(changes.len())]);
        let back = undo(Some(&a), &b, &was, &was_known, &now, &known);
        let (end, known) = applied(&now, &known, &back);
        prop_assert_eq!(picture(&end, &known), picture(&was, &was_known), "{:#?}", back);
    }

    #[test]
    fn down_leaves_nothing(a in draw()) {
        let a = facts(&a.text());
        let (now, known) = built(&a);
        let nothing = model::Wanted { name: a.name.clone(), facts: vec![] };
        let changes = plan(&nothing, Some(&a), &known, &now);
        let (end, known) = applied(&now, &known, &changes);
        prop_assert!(end.namespaces.is_empty());
        prop_assert_eq!(known, Known::default());
    }
}
