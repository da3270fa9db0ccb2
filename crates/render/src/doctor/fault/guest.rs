//! Faults between a guest and the firewall of its host (Proxmox).

use doctor::Published;
use ipnet::IpNet;
use model::LinkId;
use walk::{Loss, Protocol, RuleRef};

use super::{Case, Told, port_name};
use crate::words as w;

pub(super) fn hidden_port(c: &Case<'_>, port: &Published, loss: &Loss) -> Told {
    let (protocol, number) = match port.protocol {
        Protocol::Udp(n) => ("udp", n),
        Protocol::Tcp(n) => ("tcp", n),
        Protocol::Icmp => ("icmp", 0),
    };
    Told {
        title: format!(
            "{} publishes {}, and the guest's firewall on {} lets nobody reach it",
            c.s.name_of(port.rule.chain.ns),
            port_name(port),
            c.ns()
        ),
        evidence: vec![w::rule_ref(c.s, &port.rule), c.because(loss)],
        fix: vec![format!(
            "in the guest's firewall (/etc/pve/firewall/VMID.fw, under [RULES]): IN ACCEPT -p {protocol} -dport {number}"
        )],
    }
}

pub(super) fn mac_filter(c: &Case<'_>, port: LinkId, rule: &RuleRef, child: LinkId) -> Told {
    Told {
        title: format!(
            "{} has an Ethernet address that the MAC filter on {} drops",
            c.link(child),
            c.ns()
        ),
        evidence: vec![
            format!("{}: {}", c.link(port), w::rule_ref(c.s, rule)),
            format!("{} has {}", c.link(child), c.mac(child)),
        ],
        fix: vec![
            "in the guest's firewall options: macfilter: 0".to_owned(),
            format!(
                "or use an ipvlan, which keeps the guest's address, in place of {} ({})",
                c.link(child),
                c.mac(child)
            ),
        ],
    }
}

pub(super) fn source_filter(c: &Case<'_>, rule: &RuleRef, net: IpNet, out: LinkId) -> Told {
    let (tables, out) = (c.iptables(), c.name(out));
    Told {
        title: format!(
            "{} sends what is from {net} out untranslated, and {} takes its own addresses only",
            c.ns(),
            c.s.name_of(rule.chain.ns)
        ),
        evidence: vec![
            format!("{}: {}", c.s.name_of(rule.chain.ns), w::rule_ref(c.s, rule)),
            format!(
                "what {} itself sends passes; translated, this would too (walked again so)",
                c.ns()
            ),
        ],
        fix: vec![
            c.here(&format!("{tables} -t nat -A POSTROUTING -s {net} -o {out} -j MASQUERADE")),
        ],
    }
}
