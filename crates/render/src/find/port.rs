use std::net::IpAddr;

use ipnet::IpNet;
use model::{Listener, Namespace, Publish};

use super::search::Found;
use super::{Kind, rules};
use crate::words;

/// `tcp`, `udp`, `sctp`, or the number.
pub(crate) fn protocol(n: u8) -> String {
    if n == 132 { "sctp".to_owned() } else { words::ip_protocol(n) }
}

/// Who listens at a port, who publishes it, and which rules translate it.
pub(super) fn find(
    ns: &Namespace,
    (wanted, ip, port): (Option<u8>, Option<IpAddr>, u16),
    found: &mut Found,
) {
    for l in &ns.listeners {
        let here = ip.is_none_or(|ip| l.takes(ip) && (l.ip == ip || is_own(ns, ip)));
        if l.port == port && wanted.is_none_or(|p| p == l.protocol) && here {
            found.push(Kind::Listener, ns.id, None, &socket(l), words::listener(l));
        }
    }
    for c in &ns.containers {
        let wanted = wanted.map(protocol);
        let fits = |p: &&Publish| {
            (p.host_port == port || p.port == port)
                && wanted.as_ref().is_none_or(|w| *w == p.protocol)
                && ip.is_none_or(|ip| p.host.is_none_or(|h| h == ip) || is_own(ns, ip))
        };
        for p in c.publishes.iter().filter(fits) {
            let text = format!("{} {}: {}", c.engine, c.name(), words::publish(p));
            found.push(Kind::Published, ns.id, None, &p.host_port.to_string(), text);
        }
    }
    let names = |text: &str| {
        rules::names_port(text, port)
            && wanted.is_none_or(|p| rules::names_protocol(text, p))
            && ip.is_none_or(|ip| rules::names_net(text, IpNet::from(ip)))
    };
    for table in &ns.ruleset.tables {
        for rule in rules::rules(table, names).into_iter().filter(|r| r.translates) {
            found.push(Kind::Rule, ns.id, None, &port.to_string(), rule.text);
        }
    }
}

fn socket(l: &Listener) -> String {
    words::endpoint(l.ip, l.port, l.protocol)
}

/// An address of the namespace's own.
fn is_own(ns: &Namespace, ip: IpAddr) -> bool {
    ip.is_loopback() || ns.addresses.iter().any(|a| a.ip() == ip)
}
