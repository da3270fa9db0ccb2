use std::net::IpAddr;

use model::{Expr, LEGACY, LinkId, NsId, Route, Snapshot};
use walk::{ChainRef, Change, Ip, RuleRef, Then, Trace};

use super::loss::advice;
use super::shell::{self, iptables};
use super::{because, place, unknown};
use crate::words as w;

/// What to do about a lost packet, and how sure that is.
#[derive(Clone, Debug)]
pub(crate) struct Fix {
    /// Commands where there are some, else what a person has to do; each is needed after the one
    /// before it.
    pub(crate) steps: Vec<String>,
    /// It was walked again with that: it gets further.
    pub(crate) proved: bool,
    /// Where and why it would be lost then, or that this cannot be told. None: it passes, if proved.
    pub(crate) then: Option<String>,
}

impl Fix {
    /// As the last lines of a trace.
    pub(crate) fn lines(&self) -> Vec<(&'static str, String)> {
        let first = if self.proved { "to fix" } else { "to try" };
        let words = std::iter::once(first).chain(std::iter::repeat("and then"));
        let mut lines: Vec<_> = words.zip(self.steps.iter().cloned()).collect();
        lines.extend(self.then.clone().map(|then| ("with that", then)));
        lines
    }
}

/// What to do: the changes with which a walk comes through or further; where nothing is known to be
/// changed, words.
pub(crate) fn fix(snapshot: &Snapshot, trace: &Trace) -> Fix {
    let words = |change: &Change| command(snapshot, change);
    let unproved = |steps: Vec<String>| Fix { steps, proved: false, then: None };
    let Some((loss, way)) = trace.loss() else { return unproved(Vec::new()) };
    let candidates = trace.candidates(snapshot);
    let advice = || advice(snapshot, loss.root(), way.last_packet());
    match trace.mend(snapshot) {
        Some(mend) if !mend.changes.is_empty() => {
            let then = match &mend.then {
                Then::Passes => None,
                Then::Lost(loss, packet) => {
                    let why = because(snapshot, loss, packet);
                    Some(format!("lost at {}: {why}", place(snapshot, loss)))
                }
                Then::Unknown(what) => {
                    let (place, why) = unknown(snapshot, what);
                    Some(format!("unknown at {place}: {why}"))
                }
            };
            let steps = mend.changes.iter().map(words).collect();
            Fix { steps, proved: true, then }
        }
        // What was tried and does not help is not offered.
        Some(_) if !candidates.is_empty() => unproved(Vec::new()),
        Some(_) => unproved(advice().into_iter().collect()),
        None => unproved(candidates.first().map(words).or_else(advice).into_iter().collect()),
    }
}

/// The command that makes a change.
pub(crate) fn command(s: &Snapshot, change: &Change) -> String {
    let of =
        |ns: NsId, command: String| format!("nestwork exec {} {command}", shell::namespace(s, ns));
    let at = |link: &LinkId, command: String| of(link.ns, command);
    let name = |link: &LinkId| shell::link(s, *link);
    match change {
        Change::Forward(ns, Ip::V4) => of(*ns, "sysctl -w net.ipv4.ip_forward=1".into()),
        Change::Forward(ns, Ip::V6) => of(*ns, "sysctl -w net.ipv6.conf.all.forwarding=1".into()),
        Change::LoosePath(l) => at(l, format!("sysctl -w net.ipv4.conf.{}.rp_filter=2", name(l))),
        Change::RouteLocalnet(l) => {
            at(l, format!("sysctl -w net.ipv4.conf.{}.route_localnet=1", name(l)))
        }
        Change::AnswerEcho(ns, Ip::V4) => {
            of(*ns, "sysctl -w net.ipv4.icmp_echo_ignore_all=0".into())
        }
        Change::AnswerEcho(ns, Ip::V6) => {
            of(*ns, "sysctl -w net.ipv6.icmp.echo_ignore_all=0".into())
        }
        Change::Up(l) => at(l, format!("ip link set {} up", name(l))),
        Change::Mtu(l, mtu) => at(l, format!("ip link set {} mtu {mtu}", name(l))),
        Change::DropQueue(l) => at(l, format!("tc qdisc del dev {} root", name(l))),
        Change::Port(l, bridge) => {
            let bridge = shell::link(s, LinkId { ns: l.ns, index: *bridge });
            at(l, format!("ip link set {} master {bridge}", name(l)))
        }
        Change::Hairpin(l) => at(l, format!("bridge link set dev {} hairpin on", name(l))),
        Change::Connect(l) => at(l, format!("bridge link set dev {} isolated off", name(l))),
        Change::Unblock(l) => at(l, format!("bridge link set dev {} state 3", name(l))),
        Change::DropAddress(l, net) => at(l, format!("ip addr del {net} dev {}", name(l))),
        Change::DefaultRoute(ns, gateway, link) => {
            let dev = shell::link(s, LinkId { ns: *ns, index: *link });
            let six = if gateway.is_ipv6() { "-6 " } else { "" };
            of(*ns, format!("ip {six}route replace default via {gateway} dev {dev}"))
        }
        Change::DropRoute(ns, route) => of(*ns, drop_route(route)),
        Change::DropRule(ns, rule) => of(*ns, format!("ip rule del pref {}", rule.priority)),
        Change::Delete(rule) => of(rule.chain.ns, delete_rule(s, rule)),
        Change::Accept(chain, from, to) => of(chain.ns, accept(s, chain, *from, *to)),
        Change::Masquerade(source, l) => {
            let dev = name(l);
            let iptables = iptables(source.is_ipv6());
            at(l, format!("{iptables} -t nat -A POSTROUTING -s {source} -o {dev} -j MASQUERADE"))
        }
    }
}

/// `ip route del`, with what tells it from others to the same place.
fn drop_route(route: &Route) -> String {
    let table = match route.table {
        model::TABLE_MAIN => String::new(),
        other => format!(" table {}", w::table(other)),
    };
    let six = if route.dst.addr().is_ipv6() { "-6 " } else { "" };
    format!("ip {six}route del {}{table}", w::prefix(&route.dst))
}

/// How a rule is deleted with the tool that wrote it.
fn delete_rule(snapshot: &Snapshot, r: &RuleRef) -> String {
    let c = &r.chain;
    match (is_iptables(snapshot, c), c.family) {
        (true, model::Family::Ip | model::Family::Ip6) => {
            format!("{} -D {} {}", shell::iptables_of(c), shell::word(&c.chain), r.number)
        }
        _ => {
            let (family, table, chain) =
                (c.family.as_str(), shell::word(&c.table), shell::word(&c.chain));
            format!("nft delete rule {family} {table} {chain} handle {}", r.handle)
        }
    }
}

/// A rule that accepts just what goes between these addresses.
fn accept(snapshot: &Snapshot, c: &ChainRef, src: IpAddr, dst: IpAddr) -> String {
    if is_iptables(snapshot, c) && matches!(c.family, model::Family::Ip | model::Family::Ip6) {
        let (tool, chain) = (shell::iptables_of(c), shell::word(&c.chain));
        return format!("{tool} -I {chain} -s {src} -d {dst} -j ACCEPT");
    }
    let ip = if src.is_ipv6() { "ip6" } else { "ip" };
    let (family, table, chain) = (c.family.as_str(), shell::word(&c.table), shell::word(&c.chain));
    format!("nft insert rule {family} {table} {chain} {ip} saddr {src} {ip} daddr {dst} accept")
}

/// Whether iptables wrote this table: its built-in names, and rules with xtables parts.
fn is_iptables(snapshot: &Snapshot, c: &ChainRef) -> bool {
    let known = ["filter", "nat", "mangle", "raw", "security"].contains(&c.table.as_str());
    let table = snapshot.namespaces.get(&c.ns).and_then(|n| n.ruleset.table(c.family, &c.table));
    c.table.starts_with(LEGACY)
        || known
            && table.is_some_and(|t| {
                let xt = |e: &Expr| matches!(e, Expr::Match(_) | Expr::Target(_));
                t.chains.iter().any(|c| {
                    ["INPUT", "FORWARD", "OUTPUT", "PREROUTING", "POSTROUTING"]
                        .contains(&c.name.as_str())
                        || c.rules.iter().any(|r| r.compat.is_some() || r.exprs.iter().any(xt))
                })
            })
}
