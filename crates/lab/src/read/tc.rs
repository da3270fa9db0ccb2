//! `tc:` of a link: filters in the words of `tc filter add`; `queue:`, in those of `tc qdisc add`.

use model::{Queue, Tc, TcFilter};
use wire::tc_text;

use super::{Fields, items, text};
use crate::error::{Errors, Problem};
use crate::node::{Node, Said};

pub(super) fn tc(fields: &Fields<'_>, errors: &mut Errors) -> Option<Said<Tc<String>>> {
    let node = fields.get("tc")?;
    let own = Fields::open(node, "tc", &["ingress", "egress"], errors)?;
    let of = |key: &'static str, errors: &mut Errors| match own.get(key) {
        Some(node) => filters(node, key, errors),
        None => Vec::new(),
    };
    let (ingress, egress) = (of("ingress", errors), of("egress", errors));
    Some(Said::new(fields.key_at("tc"), Tc { ingress, egress }))
}

pub(super) fn queue(fields: &Fields<'_>, errors: &mut Errors) -> Option<Said<Queue>> {
    let said = text(fields.get("queue")?, "queue", errors)?;
    match tc_text::queue(&said.what) {
        Ok(queue) => Some(Said::new(said.at, queue)),
        Err(what) => {
            errors.push(said.at, Problem::Tc { what });
            None
        }
    }
}

/// Where nothing else is said, each is tried behind the one before it.
fn filters(node: &Node, key: &'static str, errors: &mut Errors) -> Vec<TcFilter<String>> {
    let mut all: Vec<TcFilter<String>> = Vec::new();
    for node in items(node, key, errors) {
        let Some(said) = text(node, key, errors) else { continue };
        match tc_text::parse(&said.what) {
            Ok(mut filter) => {
                let last = all.iter().map(|f| f.priority).max().unwrap_or(0);
                if filter.priority == 0 {
                    filter.priority = last + 1;
                }
                if all.iter().any(|f| f.priority == filter.priority) {
                    let what = format!("pref {} is given already", filter.priority);
                    errors.push(said.at, Problem::Tc { what });
                }
                all.push(filter);
            }
            Err(what) => errors.push(said.at, Problem::Tc { what }),
        }
    }
    all
}
