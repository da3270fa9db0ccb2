//! Faults of address translation.

use std::net::IpAddr;

use doctor::{From, Published};
use model::{LinkId, Route};
use walk::{Loss, Reason, RuleRef};

use super::{Case, Told, port_name};
use crate::words as w;

pub(super) fn skipped(c: &Case<'_>, rule: &RuleRef, bridge: LinkId) -> Told {
    let name = c.name(bridge);
    // One rule for all that Proxmox makes.
    let like = if name.starts_with("fwbr") { "fwbr+" } else { &name };
    Told {
        title: format!(
            "{} does not translate what came over its bridge {name}: the connection began there",
            c.ns()
        ),
        evidence: vec![
            w::rule_ref(c.s, rule),
            c.calls_iptables(bridge),
            "without br_netfilter it would be translated (walked again so)".to_owned(),
        ],
        fix: vec![
            c.here(&format!("{} -t raw -I PREROUTING -i {like} -j CT --zone 1", c.iptables())),
        ],
    }
}

pub(super) fn hairpin(c: &Case<'_>, port: &Published, from: From, loss: &Loss) -> Told {
    let who = match from {
        From::Itself => "its own container",
        From::Neighbour => "containers beside it",
        From::Loopback if c.is_ipv6() => "the host itself at ::1",
        From::Loopback => "the host itself at 127.0.0.1",
    };
    Told {
        title: format!("{} publishes {}, and {who} cannot reach it", c.ns(), port_name(port)),
        evidence: vec![w::rule_ref(c.s, &port.rule), c.because(loss)],
        fix: vec![hairpin_fix(c, port.to, loss)],
    }
}

fn hairpin_fix(c: &Case<'_>, to: IpAddr, loss: &Loss) -> String {
    let nat = format!("{} -t nat -A POSTROUTING", c.iptables());
    match (&loss.reason, loss.link) {
        (Reason::NoHairpin(port), _) => {
            c.at(port.ns, &format!("bridge link set dev {} hairpin on", c.name(*port)))
        }
        // Of IPv6 nothing leaves a host by that address, whatever is set.
        (Reason::Martian, _) if c.is_ipv6() => {
            "ask for it at another of the host's addresses, or have a proxy on the host".to_owned()
        }
        (Reason::Martian, Some(link)) if link.ns == c.finding.ns => {
            c.here(&format!("sysctl -w net.ipv4.conf.{}.route_localnet=1", c.name(link)))
        }
        // It came to the container from 127.0.0.1.
        (Reason::Martian, _) => c.here(&format!("{nat} -s 127.0.0.0/8 -d {to} -j MASQUERADE")),
        _ => {
            let net = around(c, to);
            c.here(&format!("{nat} -s {net} -d {to} -j MASQUERADE"))
        }
    }
}

/// The network that an address is in there.
fn around(c: &Case<'_>, ip: IpAddr) -> String {
    let ns = c.s.namespaces.get(&c.finding.ns);
    let mut all = ns.into_iter().flat_map(|ns| &ns.addresses).map(|a| a.net.trunc());
    all.find(|net| net.contains(&ip)).map_or_else(|| ip.to_string(), |net| net.to_string())
}

pub(super) fn other_source(
    c: &Case<'_>,
    rule: &RuleRef,
    route: &Route,
    link: LinkId,
    source: IpAddr,
) -> Told {
    let text = c.s.namespaces.get(&c.finding.ns).map(|n| w::route_short(n, route));
    let wanted = route.prefsrc.map_or_else(String::new, |ip| ip.to_string());
    let (name, ns) = (c.name(link), c.ns());
    let tables = c.iptables();
    let snat = format!("{tables} -t nat -A POSTROUTING -o {name} -j SNAT --to-source {wanted}");
    Told {
        title: format!("{ns} masquerades on {name} with another source than its route says"),
        evidence: vec![
            format!("{ns}: route {} src {wanted}", text.unwrap_or_default()),
            format!("{} takes {source}", w::rule_ref(c.s, rule)),
        ],
        fix: vec![format!("in place of {}: {}", w::rule_ref(c.s, rule), c.here(&snat))],
    }
}
