//! A trace as compact text, for snapshots.

use std::fmt::Write;

use model::{Family, LinkId, NsId, Snapshot, Tuple};
use walk::*;

/// The whole trace: a line per step.
pub(crate) fn trace(net: &Snapshot, trace: &Trace) -> String {
    let mut tell = Tell { net, out: String::new() };
    tell.way(&trace.there, 0, false);
    if let Some(back) = &trace.back {
        tell.way(back, 0, false);
    }
    tell.out
}

/// Its two ends alone.
pub(crate) fn ends(net: &Snapshot, trace: &Trace) -> String {
    let tell = Tell { net, out: String::new() };
    let back = trace.back.as_ref().map_or("-".into(), |b| tell.end(&b.disposition));
    format!("there: {}\nback: {back}", tell.end(&trace.there.disposition))
}

/// One end.
pub(crate) fn end(net: &Snapshot, disposition: &Disposition) -> String {
    Tell { net, out: String::new() }.end(disposition)
}

/// `NS:LINK`.
pub(crate) fn link_name(net: &Snapshot, link: LinkId) -> String {
    Tell { net, out: String::new() }.link(link)
}

struct Tell<'a> {
    net: &'a Snapshot,
    out: String,
}

impl Tell<'_> {
    fn way(&mut self, way: &Way, depth: usize, brief: bool) {
        let pad = "  ".repeat(depth);
        let cause = match way.cause {
            Cause::Asked => "there".into(),
            Cause::Answer => "back".into(),
            Cause::Copy(link) => format!("copy by {}", self.link(link)),
            Cause::ArpRequest => "arp".into(),
            Cause::IcmpError => "error".into(),
            Cause::Handshake => "handshake".into(),
        };
        let p = &way.packet;
        writeln!(self.out, "{pad}{cause} {} > {} → {}", p.src, p.dst, self.end(&way.disposition))
            .unwrap();
        for hop in way.hops.iter().filter(|_| !brief) {
            writeln!(self.out, "{pad} {}", self.ns(hop.ns)).unwrap();
            for step in &hop.steps {
                writeln!(self.out, "{pad}  {}", self.action(step)).unwrap();
                for child in &step.children {
                    self.way(child, depth + 2, !matches!(child.cause, Cause::IcmpError));
                }
            }
        }
    }

    fn action(&self, step: &Step) -> String {
        let link = |l: &LinkId| self.link(*l);
        match &step.action {
            Action::Originate => "send".into(),
            Action::Routed { rule, route, gateway, out, local, source, learned } => {
                let by = rule.as_ref().map_or(String::new(), |r| format!(" rule {}", r.priority));
                let via = gateway.map_or(String::new(), |g| format!(" via {g}"));
                let src = source.map_or(String::new(), |s| format!(" src {s}"));
                let local = if *local { " local" } else { "" };
                let learned = learned.as_ref().map_or(String::new(), |l| {
                    let mtu = l.mtu.map_or(String::new(), |mtu| format!(" mtu {mtu}"));
                    format!(" learned{mtu}{}", if l.redirected { " redirected" } else { "" })
                });
                format!("route {}{via} dev {}{local}{src}{by}{learned}", route.dst, link(out))
            }
            Action::SourceValid { rp_filter, .. } => format!("source valid ({rp_filter})"),
            Action::Chain { chain, rule, matched, segment } => {
                let rule = rule.as_ref().map_or("policy".into(), |r| self.rule(r));
                let m: Vec<_> = matched.iter().map(|r| self.rule(r)).collect();
                let mss = segment.map_or(String::new(), |(a, b)| format!(" mss {a} ↦ {b}"));
                format!("chain {}: {rule} [{}]{mss}", self.chain(chain), m.join(" "))
            }
            Action::Translated(nat) => {
                let kind = if nat.source { "snat" } else { "dnat" };
                let by = nat.rule.as_ref().map_or("entry".into(), |r| self.rule(r));
                format!("{kind} {} ↦ {} by {by}", tuple(&nat.before), tuple(&nat.after))
            }
            Action::Tracked { state, .. } => {
                let name = [(1, "invalid"), (2, "established"), (4, "related"), (8, "new")];
                let name = name.iter().find(|(b, _)| b == state).map_or("untracked", |(_, n)| n);
                format!("track {name}")
            }
            Action::Neighbour { ip, entry, .. } => {
                format!("neigh {ip} is {} ({})", entry.mac.unwrap(), entry.state.as_str())
            }
            Action::ArpAsked { ip, answer, .. } => format!("arp {ip}: {}", self.answer(answer)),
            Action::Forwarded { ttl, .. } => format!("forward ttl {ttl}"),
            Action::Out { link: l } => format!("out {} {}", link(l), packet(&step.packet)),
            Action::Vrf { link: l } => format!("vrf {}", link(l)),
            Action::PerhapsOut { link: l } => format!("perhaps out {}", link(l)),
            Action::In { link: l, .. } => format!("in {} {}", link(l), packet(&step.packet)),
            Action::Learned { port, mac, .. } => format!("learn {mac} behind {}", link(port)),
            Action::BridgeForward { bridge, port, entry, learned_now } => {
                let how = if *learned_now { "learned now" } else { "fdb" };
                format!("bridge {}: {} behind {} ({how})", link(bridge), entry.mac, link(port))
            }
            Action::BridgeFlood { bridge, ports, followed } => {
                let ports: Vec<_> = ports.iter().map(link).collect();
                let to = followed.as_ref().map_or("-".into(), link);
                format!("bridge {}: flood {} → {to}", link(bridge), ports.join(" "))
            }
            Action::Snooped { ports, host, .. } => {
                let ports: Vec<String> = ports.iter().map(&link).collect();
                format!("group: {}{}", ports.join(" "), if *host { " and up" } else { "" })
            }
            Action::BridgeUp { bridge } => format!("bridge {}: up", link(bridge)),
            Action::Stacked { uppers, followed, .. } => {
                let uppers: Vec<_> = uppers.iter().map(link).collect();
                let to = followed.as_ref().map_or("-".into(), link);
                format!("upper: {} → {to}", uppers.join(" "))
            }
            Action::Vlan { link: l, id, step } => format!("vlan {id} {step:?} {}", link(l)),
            Action::Encapsulated { link: l, id } => {
                let p = &step.packet;
                format!("wrap {} {id}, {} > {}, {} bytes", link(l), p.src, p.dst, p.len)
            }
            Action::Decapsulated { link: l } => format!("unwrap {}", link(l)),
            Action::Encrypted { link: l, net, endpoint, .. } => {
                let p = &step.packet;
                let (ends, len) = (format!("{} > {}", p.src, p.dst), p.len);
                format!("encrypt {} ({net} at {endpoint}), {ends}, {len} bytes", link(l))
            }
            Action::Decrypted { link: l, net, .. } => format!("decrypt {} ({net:?})", link(l)),
            Action::LearnedEndpoint { link: l, endpoint, .. } => {
                format!("learn peer at {endpoint} ({})", link(l))
            }
            Action::Bypassed { to } => format!("bypass to {}", link(to)),
            Action::LearnedRemote { link: l, mac, remote } => {
                format!("learn {mac} behind {remote} ({})", link(l))
            }
            Action::Bonded { ports, followed, by, .. } => {
                let ports: Vec<_> = ports.iter().map(link).collect();
                let to = followed.as_ref().map_or("-".into(), link);
                format!("bond ({by:?}): {} → {to}", ports.join(" "))
            }
            Action::Sibling { sibling, .. } => format!("sibling {}", link(sibling)),
            Action::Delivered { link: l } => {
                format!("delivered ({})", l.as_ref().map_or("-".into(), link))
            }
            Action::Filter(filter) => format!("filter {}", self.filter(filter)),
            Action::Handed { to, ingress, copy } => {
                let what = if *copy { "copy" } else { "hand" };
                format!("{what} {} {}", if *ingress { "ingress" } else { "egress" }, link(to))
            }
            Action::GivenBack { to, ingress } => {
                format!("back {} {}", if *ingress { "ingress" } else { "egress" }, link(to))
            }
            Action::Left { link: l } => format!("left by {}", link(l)),
            Action::Entered { link: l } => format!("entered by {}", link(l)),
            Action::Dropped(loss) => format!("LOST {}", self.loss(loss)),
            Action::Unknown(unknown) => format!("UNKNOWN {}", self.unknown(unknown)),
            Action::Assumed(gaps) => {
                let parts: Vec<_> = gaps
                    .iter()
                    .map(|g| format!("{}: {}", g.part, g.assumed.as_deref().unwrap_or("?")))
                    .collect();
                format!("ASSUMED {}", parts.join("; "))
            }
        }
    }

    fn answer(&self, answer: &ArpAnswer) -> String {
        match answer {
            ArpAnswer::Link { link, mac } => format!("{mac} by {}", self.link(*link)),
            ArpAnswer::Outside { link, known_from } => {
                let from = known_from.as_ref().map_or("unknown".into(), |(ns, n)| {
                    format!("{} known by {}", n.mac.unwrap(), self.ns(*ns))
                });
                format!("outside {}, {from}", self.link(*link))
            }
            ArpAnswer::Nobody => "nobody".into(),
            ArpAnswer::Several(all) => {
                let all: Vec<_> = all.iter().map(|(l, _)| self.link(*l)).collect();
                format!("several: {}", all.join(" "))
            }
        }
    }

    fn end(&self, disposition: &Disposition) -> String {
        match disposition {
            Disposition::Delivered(ns) => format!("delivered to {}", self.ns(*ns)),
            Disposition::Left(link) => format!("left by {}", self.link(*link)),
            Disposition::Ignored => "ignored".into(),
            Disposition::Lost(loss) => format!("LOST {}", self.loss(loss)),
            Disposition::Unknown(unknown) => format!("UNKNOWN {}", self.unknown(unknown)),
        }
    }

    fn loss(&self, loss: &Loss) -> String {
        let at = loss.link.map_or_else(|| self.ns(loss.ns), |l| self.link(l));
        format!("at {at}: {}", self.reason(&loss.reason))
    }

    fn reason(&self, reason: &Reason) -> String {
        match reason {
            Reason::FilterDrop(filter) => format!("dropped by {}", self.filter(filter)),
            Reason::FilterSteals(filter) => format!("taken by {}", self.filter(filter)),
            Reason::RuleDrop(rule) => format!("dropped by {}", self.rule(rule)),
            Reason::RuleReject(rule, _) => format!("rejected by {}", self.rule(rule)),
            Reason::PolicyDrop(chain) => format!("policy of {}", self.chain(chain)),
            Reason::PeerDown(link) => format!("peer {} is down", self.link(*link)),
            Reason::PortBlocked(link) => format!("port {} blocked", self.link(*link)),
            Reason::NoHairpin(link) => format!("no hairpin on {}", self.link(*link)),
            Reason::Isolated(link) => format!("{} is isolated", self.link(*link)),
            Reason::RoutingRule(rule) => format!("rule {} {:?}", rule.priority, rule.action),
            Reason::RouteRefuses(route) => format!("route {} {:?}", route.dst, route.kind),
            Reason::NotOurMac(mac) => format!("frame for {mac}"),
            Reason::ReversePath { rp_filter, route } => {
                let route = route.as_ref().map_or("none".into(), |r| r.dst.to_string());
                format!("rp_filter {rp_filter}, way back {route}")
            }
            Reason::NoNeighbour { ip, because, .. } => {
                let because = because
                    .as_ref()
                    .map_or(String::new(), |b| format!(" because LOST {}", self.loss(b)));
                format!("no neighbour {ip}{because}")
            }
            Reason::DuplicateAddress { ip, owners } => {
                let owners: Vec<_> = owners.iter().map(|(l, _)| self.link(*l)).collect();
                format!("{ip} is answered for by {}", owners.join(" and "))
            }
            Reason::WrongPlace { .. } => "in the wrong place".into(),
            Reason::AnswerMismatch { expected, got } => {
                format!("waits for {}, got {}", tuple(expected), tuple(got))
            }
            other => format!("{other:?}"),
        }
    }

    fn unknown(&self, unknown: &Unknown) -> String {
        match unknown {
            Unknown::Opaque { ns, what } => format!("in {}: {what}", self.ns(*ns)),
            Unknown::Link { link, what } => format!("at {}: {what}", self.link(*link)),
            Unknown::Rule { rule, what } => format!("in {}: {what}", self.rule(rule)),
            Unknown::Filter { filter, what } => format!("at {}: {what}", self.filter(filter)),
            Unknown::Netfilter { ns, what }
            | Unknown::Routing { ns, what }
            | Unknown::Gap { ns, what } => format!("in {}: {what}", self.ns(*ns)),
            Unknown::Packet(what) => what.clone(),
        }
    }

    fn ns(&self, ns: NsId) -> String {
        self.net.namespaces.get(&ns).map_or(ns.to_string(), |n| n.names[0].text.clone())
    }

    fn link(&self, id: LinkId) -> String {
        let name = self.net.link(id).map_or("?", |l| l.name.as_str());
        format!("{}:{name}", self.ns(id.ns))
    }

    fn chain(&self, chain: &ChainRef) -> String {
        let family = if chain.family == Family::Ip { "" } else { chain.family.as_str() };
        format!("{family}{} {}", chain.table, chain.chain)
    }

    fn filter(&self, f: &FilterRef) -> String {
        let side = if f.hook == model::Hook::Ingress { "ingress" } else { "egress" };
        format!("{}#{side}#{} {}", self.link(f.link), f.priority, f.kind)
    }

    fn rule(&self, rule: &RuleRef) -> String {
        format!("{}#{}", self.chain(&rule.chain), rule.number)
    }
}

fn tuple(t: &Tuple) -> String {
    match (t.protocol, t.sport, t.dport) {
        (1, ..) => format!("{} > {}", t.src, t.dst),
        (_, s, d) => format!("{}:{s} > {}:{d}", t.src, t.dst),
    }
}

fn packet(p: &Packet) -> String {
    tuple(&p.tuple())
}
