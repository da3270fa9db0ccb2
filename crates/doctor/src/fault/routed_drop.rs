//! Docker sets FORWARD's policy to DROP where it switched forwarding on itself, and accepts only its
//! own networks: whatever else the host routes is dropped.

use model::{Expr, MetaKey, Table};
use walk::Reason;

use crate::patient::Patient;
use crate::wiring::User;
use crate::{Fault, Finding};

pub(crate) fn find(patient: &Patient<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for user @ User { link, router, .. } in &patient.wiring.users {
        let questions = patient.plain_questions(link.ns, patient.beyond(user));
        let Some(loss) = patient.lost(&questions) else { continue };
        let Reason::PolicyDrop(chain) = &loss.root().reason else { continue };
        let Some((table, _)) = patient.base(chain).filter(|_| patient.forwards(chain)) else {
            continue;
        };
        let name = patient.link(*router).map_or("", |l| &l.name);
        let docker = table.chain("DOCKER-USER").is_some() || table.chain("DOCKER").is_some();
        if chain.ns == router.ns && docker && !speaks_of(table, name) {
            let fault = Fault::RoutedDrop { link: *router, chain: chain.clone() };
            patient.note(&mut findings, (fault, router.ns), [link.ns], questions.first());
        }
    }
    findings
}

/// Some rule asks for what comes in by that link: then somebody has thought of it.
fn speaks_of(table: &Table, name: &str) -> bool {
    let rules = table.chains.iter().flat_map(|c| &c.rules);
    rules.into_iter().any(|rule| {
        rule.exprs.windows(2).any(|pair| match pair {
            [Expr::Meta { key: MetaKey::IifName, .. }, Expr::Cmp { data, .. }] => {
                name_of(data) == name.as_bytes()
            }
            _ => false,
        })
    })
}

/// Without the zeros that pad it.
pub(super) fn name_of(data: &[u8]) -> &[u8] {
    data.split(|b| *b == 0).next().unwrap_or_default()
}
