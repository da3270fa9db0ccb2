use model::{Hook, LinkId, Namespace, Queue, Snapshot, Tc, TcFilter};
use walk::FilterRef;

/// `ingress pref 10 protocol ip u32 match ip dst 10.0.0.2/32 action drop`, a line for each filter of a link.
pub(crate) fn filters(ns: &Namespace, tc: &Tc) -> Vec<String> {
    let all = filter_lines(ns, tc);
    // A place without filters is one all the same.
    if all.is_empty() { vec!["no filters".to_owned()] } else { all }
}

/// `netem loss 10%`: what becomes of packets behind a link, or nothing.
pub(crate) fn queues(queues: &[Queue]) -> String {
    let words: Vec<String> = queues.iter().map(ToString::to_string).collect();
    if words.is_empty() { "that keeps all".to_owned() } else { words.join(", then ") }
}

/// The same; none where there is no filter.
pub(crate) fn filter_lines(ns: &Namespace, tc: &Tc) -> Vec<String> {
    let of = |side: &'static str, filters: &[TcFilter]| {
        let lines = filters.iter().map(move |f| format!("{side} {}", text(ns, f)));
        lines.collect::<Vec<_>>()
    };
    [of("ingress", &tc.ingress), of("egress", &tc.egress)].concat()
}

/// Links are named, those that are gone by number.
fn text(ns: &Namespace, filter: &TcFilter) -> String {
    let name = |index: &u32| {
        Some(match ns.links.get(index) {
            Some(link) => crate::clean(&link.name),
            None => index.to_string(),
        })
    };
    let tc = Tc { ingress: vec![filter.clone()], egress: Vec::new() };
    let named = tc.renamed(name).and_then(|tc| tc.ingress.into_iter().next());
    named.map(|filter| wire::tc_text::filter(&filter)).unwrap_or_default()
}

/// `tc ingress of pa: pref 10 protocol ip …`.
pub(crate) fn filter_ref(snapshot: &Snapshot, r: &FilterRef) -> String {
    format!("{}: {}", filters_of(snapshot, r.link, r.hook), filter_text(snapshot, r))
}

/// `tc ingress of pa`.
pub(crate) fn filters_of(snapshot: &Snapshot, link: LinkId, hook: Hook) -> String {
    let side = if hook == Hook::Ingress { "ingress" } else { "egress" };
    format!("tc {side} of {}", super::link(snapshot, link))
}

/// `pref 10 protocol ip …`.
pub(crate) fn filter_text(snapshot: &Snapshot, r: &FilterRef) -> String {
    let found = find(snapshot, r).map(|(ns, filter)| text(ns, filter));
    found.unwrap_or_else(|| format!("pref {} {}", r.priority, r.kind))
}

fn find<'s>(snapshot: &'s Snapshot, r: &FilterRef) -> Option<(&'s Namespace, &'s TcFilter)> {
    let LinkId { ns, index } = r.link;
    let ns = snapshot.namespaces.get(&ns)?;
    let tc = ns.links.get(&index)?.tc.as_deref()?;
    let side = if r.hook == Hook::Ingress { &tc.ingress } else { &tc.egress };
    let same = |f: &&TcFilter| (f.chain, f.priority, f.handle) == (r.chain, r.priority, r.handle);
    Some((ns, side.iter().find(same)?))
}
