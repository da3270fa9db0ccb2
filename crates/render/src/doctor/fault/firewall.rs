//! Faults of filter rules and policies.

use std::net::IpAddr;

use model::{Family, LEGACY, LinkId};
use walk::{ChainRef, RuleRef};

use super::{Case, Told};
use crate::trace::shell;
use crate::words as w;

pub(super) fn bridged_drop(c: &Case<'_>, bridge: LinkId, chain: &ChainRef) -> Told {
    let (b, tables) = (c.name(bridge), c.iptables());
    let accept = format!("{tables} -I {} -i {b} -o {b} -j ACCEPT", c.user_chain());
    Told {
        title: format!(
            "{} drops what only passes its bridge {b}: br_netfilter hands it to FORWARD",
            c.ns()
        ),
        evidence: vec![c.calls_iptables(bridge), policy(chain)],
        fix: vec![
            c.here(&format!("sysctl -w net.bridge.bridge-nf-call-{tables}=0")),
            format!("or, where rules are to see what passes other bridges: {}", c.here(&accept)),
        ],
    }
}

pub(super) fn routed_drop(c: &Case<'_>, link: LinkId, chain: &ChainRef) -> Told {
    let (user, name, tables) = (c.user_chain(), c.name(link), c.iptables());
    let back = "-m conntrack --ctstate RELATED,ESTABLISHED";
    Told {
        title: format!("{} drops what it should route for {name}: Docker's FORWARD policy", c.ns()),
        evidence: vec![
            policy(chain),
            format!("no rule of that table asks for what comes in by {name}"),
        ],
        fix: vec![
            c.here(&format!("{tables} -I {user} -i {name} -j ACCEPT")),
            format!("and {}", c.here(&format!("{tables} -I {user} -o {name} {back} -j ACCEPT"))),
        ],
    }
}

pub(super) fn raw_drop(
    c: &Case<'_>,
    rule: &RuleRef,
    accept: &RuleRef,
    link: LinkId,
    to: IpAddr,
) -> Told {
    let accepts =
        format!("{} -t raw -I PREROUTING -i {} -d {to} -j ACCEPT", c.iptables(), c.name(link));
    Told {
        title: format!("{} drops what its DOCKER-USER accepts for {to}, before it is asked", c.ns()),
        evidence: vec![w::rule_ref(c.s, rule), w::rule_ref(c.s, accept)],
        fix: vec![
            c.here(&accepts),
            "lasting: publish the port, or make the network with the option com.docker.network.bridge.gateway_mode_ipv4=nat-unprotected".to_owned(),
        ],
    }
}

pub(super) fn open_ipv6(c: &Case<'_>, bridge: LinkId) -> Told {
    let name = c.name(bridge);
    let close =
        format!("ip6tables -I FORWARD ! -i {name} -o {name} -m conntrack --ctstate NEW -j DROP");
    Told {
        title: format!("containers on {} are open to everybody by IPv6", c.link(bridge)),
        evidence: vec![
            format!("{} has {}", c.link(bridge), c.addresses(bridge)),
            "Docker's chains are in ip filter, and not in ip6 filter: ip6_tables could not be loaded, or ip6tables is off".to_owned(),
        ],
        fix: vec![
            format!("at once: {}", c.here(&close)),
            "on the host: modprobe ip6table_filter ip6table_nat; then Docker with \"ip6tables\": true (27 and later: by itself), started anew".to_owned(),
        ],
    }
}

pub(super) fn blind_rule(c: &Case<'_>, bridge: LinkId, rule: &RuleRef, loaded: bool) -> Told {
    let tables = if rule.chain.family == Family::Ip6 { "ip6tables" } else { "iptables" };
    let on = c.here(&format!("sysctl -w net.bridge.bridge-nf-call-{tables}=1"));
    let (seen, fix) = match loaded {
        true => (
            format!("{}: net.bridge.bridge-nf-call-{tables} = 0, {} too", c.ns(), c.name(bridge)),
            on,
        ),
        false => (
            "br_netfilter is not loaded".to_owned(),
            format!("on the host: modprobe br_netfilter, then {on}"),
        ),
    };
    Told {
        title: format!(
            "a rule in {} is to keep ports of {} apart, and never sees what passes it",
            c.ns(),
            c.name(bridge)
        ),
        evidence: vec![w::rule_ref(c.s, rule), seen],
        fix: vec![fix],
    }
}

pub(super) fn asymmetric(c: &Case<'_>, rule: &RuleRef, from: IpAddr, to: IpAddr) -> Told {
    let before = accept_before(rule, from, to);
    Told {
        title: format!("{} drops answers as INVALID: what they answer went another way", c.ns()),
        evidence: vec![
            w::rule_ref(c.s, rule),
            format!("answers from {from} to {to} pass here, and what they answer does not"),
        ],
        fix: vec![
            c.here(&before),
            "or let both go the same way; Proxmox: nf_conntrack_allow_invalid: 1 in the host's firewall options".to_owned(),
        ],
    }
}

/// What lets through what goes between these addresses, before the rule does something else with it.
fn accept_before(rule: &RuleRef, from: IpAddr, to: IpAddr) -> String {
    let chain = &rule.chain;
    if chain.table.starts_with(LEGACY) {
        let (tool, name) = (shell::iptables_of(chain), shell::word(&chain.chain));
        return format!("{tool} -I {name} {} -s {from} -d {to} -j ACCEPT", rule.number);
    }
    let ip = if from.is_ipv6() { "ip6" } else { "ip" };
    format!(
        "nft insert rule {} {} {} handle {} {ip} saddr {from} {ip} daddr {to} accept",
        chain.family.as_str(),
        chain.table,
        chain.chain,
        rule.handle,
    )
}

fn policy(chain: &ChainRef) -> String {
    format!("{}: policy drop, and no rule accepts it", w::chain_ref(chain))
}
