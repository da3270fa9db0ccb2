use std::net::IpAddr;

use model::{Hook, LinkId, Tuple};
use walk::{ChainRef, FilterRef, RuleRef};

use super::case::{Case, Said, said};
use crate::trace::shell::iptables;
use crate::words as w;

pub(super) fn rule_drop(c: Case<'_>, rule: &RuleRef) -> Said {
    said(format!("a rule drops it: {}", w::rule_ref(c.snapshot, rule)))
}

pub(super) fn rule_reject(c: Case<'_>, rule: &RuleRef) -> Said {
    said(format!("a rule refuses it: {}", w::rule_ref(c.snapshot, rule)))
}

pub(super) fn filter_drop(c: Case<'_>, filter: &FilterRef) -> Said {
    said(format!("a filter drops it: {}", w::filter_ref(c.snapshot, filter)))
        .advise(without(c, filter))
}

pub(super) fn filter_steals(c: Case<'_>, filter: &FilterRef) -> Said {
    said(format!("a filter takes it out of the way: {}", w::filter_ref(c.snapshot, filter)))
        .advise(without(c, filter))
}

/// How to be without a filter of tc.
fn without(c: Case<'_>, filter: &FilterRef) -> String {
    let side = if filter.hook == Hook::Ingress { "ingress" } else { "egress" };
    let (dev, pref) = (c.dev_of(filter.link), filter.priority);
    c.here(format!("tc filter del dev {dev} {side} pref {pref}"))
}

pub(super) fn policy_drop(chain: &ChainRef) -> Said {
    said(format!("no rule of {} accepts it, and the policy is drop", w::chain_ref(chain)))
}

pub(super) fn no_way_back(c: Case<'_>, src: IpAddr) -> Said {
    let link = c.link();
    let iptables = iptables(src.is_ipv6());
    let command = format!("{iptables} -t nat -A POSTROUTING -s {src} -o {} -j MASQUERADE", c.dev());
    said(format!(
        "it leaves with the source {src}, which nobody beyond {link} can answer: no translation \
         and no route back"
    ))
    .advise(c.here(command))
}

pub(super) fn masquerade_moved(c: Case<'_>, from: LinkId) -> Said {
    let (name, link) = (c.name(from), c.link());
    let (src, dev) = (c.packet.src, c.dev_of(from));
    said(format!(
        "its connection is masqueraded going out by {name}, and ends as it goes out by {link}"
    ))
    .advise(c.here(format!("iptables -t nat -I POSTROUTING -s {src} -o {dev} -j ACCEPT")))
}

pub(super) fn answers_taken(by: &Tuple) -> Said {
    let other = w::tuple(by);
    said(format!(
        "answers to it would look like answers to {other}, which is tracked here: its source was \
         translated to an address and port that are taken"
    ))
    .advise(
        "translate to more than one port, or let the kernel choose (no port behind `--to-source`)",
    )
}

pub(super) fn redirect_past_nat() -> Said {
    said("it redirects a connection that is translated here, past the translation")
        .advise("nothing: who was to be told must not get past the translation")
}

pub(super) fn no_masquerade_address(c: Case<'_>) -> Said {
    said(format!("{} has no address to translate to", c.link()))
        .advise(c.here(format!("ip addr add ADDRESS/LENGTH dev {}", c.dev())))
}
