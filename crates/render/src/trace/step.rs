use model::{Conntrack, Gap, LearnedRoute, LinkId, LinkKind, Route, Snapshot};
use walk::{Action, ArpAnswer, Loss, NatStep, Reason, RuleRef, Step, Unknown};

use crate::words as w;

/// The word at the start of a step's line.
pub(crate) const fn label(step: &Step) -> &'static str {
    match step.action {
        Action::Originate => "send",
        Action::Routed { .. } => "route",
        Action::SourceValid { .. } => "source",
        Action::Chain { .. } => "filter",
        Action::Translated(_) => "nat",
        Action::Tracked { .. } => "track",
        Action::Neighbour { .. } | Action::ArpAsked { .. } => "neigh",
        Action::Forwarded { .. } => "forward",
        Action::Out { .. } => "out",
        Action::PerhapsOut { .. } => "perhaps",
        Action::Vrf { .. } => "vrf",
        Action::In { .. } => "in",
        Action::Learned { .. } | Action::LearnedRemote { .. } | Action::LearnedEndpoint { .. } => {
            "learn"
        }
        Action::BridgeForward { .. } | Action::BridgeFlood { .. } | Action::BridgeUp { .. } => {
            "bridge"
        }
        Action::Vlan { .. } => "vlan",
        Action::Snooped { .. } => "group",
        Action::Bonded { .. } => "bond",
        Action::Stacked { .. } | Action::Sibling { .. } => "upper",
        Action::Encapsulated { .. } => "wrap",
        Action::Decapsulated { .. } => "unwrap",
        Action::Encrypted { .. } => "encrypt",
        Action::Decrypted { .. } => "decrypt",
        Action::Bypassed { .. } => "tunnel",
        Action::Delivered { .. } => "deliver",
        Action::Filter(_) | Action::Handed { .. } | Action::GivenBack { .. } => "tc",
        Action::Left { .. } => "left",
        Action::Entered { .. } => "enter",
        Action::Dropped(_) => "lost",
        Action::Unknown(_) => "unknown",
        Action::Assumed(_) => "assumed",
    }
}

/// A step that changes nothing and decides nothing: told only on demand.
pub(crate) fn is_quiet(snapshot: &Snapshot, step: &Step) -> bool {
    match &step.action {
        Action::Learned { .. }
        | Action::LearnedRemote { .. }
        | Action::LearnedEndpoint { .. }
        | Action::SourceValid { .. }
        | Action::PerhapsOut { .. } => true,
        Action::Chain { rule, matched, .. } => rule.is_none() && matched.is_empty(),
        Action::Tracked { state, .. } => *state & INVALID == 0,
        Action::Neighbour { link, .. } => snapshot.link(*link).is_none(),
        _ => false,
    }
}

/// A translation tells the rule that asked for it: the chain before need not.
pub(crate) fn says_more(next: &Step, step: &Step) -> bool {
    matches!(step.action, Action::Chain { .. })
        && matches!(next.action, Action::Translated(_))
        && rule_of(&next.action).is_some()
        && rule_of(&next.action) == rule_of(&step.action)
}

/// Bit of INVALID in `ct state`.
const INVALID: u32 = 1;

/// The link that an action is about.
pub(crate) const fn link_of(action: &Action) -> Option<LinkId> {
    Some(match action {
        Action::Routed { out: link, .. }
        | Action::Neighbour { link, .. }
        | Action::ArpAsked { link, .. }
        | Action::Forwarded { to: link, .. }
        | Action::Out { link }
        | Action::PerhapsOut { link }
        | Action::Vrf { link }
        | Action::In { link, .. }
        | Action::Learned { port: link, .. }
        | Action::BridgeForward { port: link, .. }
        | Action::BridgeFlood { bridge: link, .. }
        | Action::BridgeUp { bridge: link }
        | Action::Snooped { bridge: link, .. }
        | Action::Left { link }
        | Action::Handed { to: link, .. }
        | Action::GivenBack { to: link, .. }
        | Action::Entered { link }
        | Action::Bonded { bond: link, .. }
        | Action::Stacked { lower: link, .. }
        | Action::Sibling { sibling: link, .. }
        | Action::Encapsulated { link, .. }
        | Action::Decapsulated { link }
        | Action::Encrypted { link, .. }
        | Action::Decrypted { link, .. }
        | Action::LearnedEndpoint { link, .. }
        | Action::Bypassed { to: link }
        | Action::Vlan { link, .. }
        | Action::LearnedRemote { link, .. } => *link,
        Action::Filter(filter) => filter.link,
        Action::Delivered { link } => return *link,
        Action::Dropped(loss) => return loss.link,
        Action::Originate
        | Action::SourceValid { .. }
        | Action::Chain { .. }
        | Action::Translated(_)
        | Action::Tracked { .. }
        | Action::Unknown(_)
        | Action::Assumed(_) => return None,
    })
}

/// The netfilter rule that decided.
pub(crate) fn rule_of(action: &Action) -> Option<&RuleRef> {
    match action {
        Action::Chain { rule, matched, .. } => rule.as_ref().or(matched.last()),
        Action::Translated(nat) => nat.rule.as_ref(),
        Action::Dropped(Loss {
            reason: Reason::RuleDrop(r) | Reason::RuleReject(r, _), ..
        }) => Some(r),
        Action::Unknown(Unknown::Rule { rule, .. }) => Some(rule),
        _ => None,
    }
}

/// What a step did: the thing that it is about (empty, or short), and the evidence.
pub(crate) fn words(snapshot: &Snapshot, step: &Step) -> (String, String) {
    let name = |id: &LinkId| w::link(snapshot, *id);
    let p = &step.packet;
    match &step.action {
        Action::Translated(nat) => translated(snapshot, nat),
        Action::Tracked { state, entry } => (state_words(*state), tracked(entry.as_deref())),
        // An ARP message has no time to live.
        Action::Out { link } if p.ttl == 0 => (name(link), w::flow(p)),
        Action::Out { link } => (name(link), format!("{}  {} {}", w::flow(p), w::ttl(p), p.ttl)),
        Action::Vrf { link } => (format!("{}:", name(link)), vrf(snapshot, *link)),
        Action::In { link, bridge } => (entering(snapshot, *link, *bridge), String::new()),
        Action::Learned { bridge, port, mac } => {
            (format!("{}:", name(bridge)), format!("{mac} is behind {}", name(port)))
        }
        _ => (String::new(), evidence(snapshot, step)),
    }
}

/// What stands behind a step that its label alone names.
fn evidence(snapshot: &Snapshot, step: &Step) -> String {
    let name = |id: &LinkId| w::link(snapshot, *id);
    let p = &step.packet;
    match &step.action {
        Action::Originate => format!("{}, {} bytes", w::payload(p), p.len),
        Action::Routed { .. } => routed(snapshot, step),
        Action::SourceValid { rp_filter, route } => {
            format!("{} passes: rp_filter {rp_filter}, {}", p.src, way_back(route.as_deref()))
        }
        Action::Chain { chain, segment, .. } => match rule_of(&step.action) {
            Some(rule) => w::rule_ref(snapshot, rule) + &segments(*segment),
            None => format!("{}: nothing matches, policy accepts", w::chain_ref(chain)),
        },
        Action::Neighbour { entry, .. } => w::neighbour(entry),
        Action::ArpAsked { ip, answer, .. } => format!("who has {ip}? {}", arp(snapshot, answer)),
        Action::Forwarded { from, to, ttl } => {
            let (from, to, sysctl) = (name(from), name(to), w::forwarding(p));
            format!("{from} → {to} ({sysctl} 1), {} {ttl} → {}", w::ttl(p), p.ttl)
        }
        Action::PerhapsOut { link } => {
            let why = "whether the kernel has the next hop's Ethernet header ready is not shown";
            format!("also out of {}: {why}", name(link))
        }
        Action::BridgeForward { .. }
        | Action::BridgeFlood { .. }
        | Action::Snooped { .. }
        | Action::BridgeUp { .. } => bridged(snapshot, step),
        Action::Encapsulated { .. }
        | Action::Decapsulated { .. }
        | Action::Encrypted { .. }
        | Action::Decrypted { .. }
        | Action::LearnedEndpoint { .. }
        | Action::Bypassed { .. }
        | Action::LearnedRemote { .. }
        | Action::Vlan { .. }
        | Action::Bonded { .. }
        | Action::Stacked { .. }
        | Action::Sibling { .. } => super::stacked::words(snapshot, step),
        Action::Filter(_) | Action::Handed { .. } | Action::GivenBack { .. } => {
            controlled(snapshot, &step.action)
        }
        Action::Delivered { .. } | Action::Left { .. } | Action::Entered { .. } => {
            ended(snapshot, step)
        }
        Action::Dropped(loss) => super::because(snapshot, loss, p),
        Action::Unknown(u) => super::unknown(snapshot, u).1,
        Action::Assumed(gaps) => assumed(gaps),
        // These are about something (`words`).
        Action::Translated(_)
        | Action::Tracked { .. }
        | Action::Out { .. }
        | Action::Vrf { .. }
        | Action::In { .. }
        | Action::Learned { .. } => String::new(),
    }
}

/// `; segments of at most 1460 ↦ 560 bytes`.
fn segments(at_most: Option<(u16, u16)>) -> String {
    let words = |(was, is)| format!("; segments of at most {was} ↦ {is} bytes");
    at_most.map(words).unwrap_or_default()
}

/// What filters of tc do with it.
fn controlled(snapshot: &Snapshot, action: &Action) -> String {
    let name = |id: &LinkId| w::link(snapshot, *id);
    match action {
        Action::Filter(filter) => w::filter_ref(snapshot, filter),
        Action::Handed { to, ingress, copy } => {
            let what = if *copy { "a copy goes to" } else { "it goes to" };
            let side = if *ingress { "as if it came in there" } else { "to be sent there" };
            format!("{what} {}, {side}", name(to))
        }
        Action::GivenBack { to, ingress } => {
            let side = if *ingress { "where it came in" } else { "where it is sent" };
            format!("back to {}, {side}, past the hooks there", name(to))
        }
        _ => String::new(),
    }
}

/// Where it comes from outside, leaves, or is at its goal.
fn ended(snapshot: &Snapshot, step: &Step) -> String {
    let name = |id: &LinkId| w::link(snapshot, *id);
    match &step.action {
        Action::Delivered { link } => {
            let whose = link.as_ref().map(|l| format!(", the address of {}", name(l)));
            format!("{} is here{}", step.packet.dst, whose.unwrap_or_default())
        }
        Action::Left { link } => {
            let reader = reader(snapshot, *link).unwrap_or_default();
            format!("out of this host by {}{reader}", name(link))
        }
        Action::Entered { link } => format!("from outside by {} (assumed)", name(link)),
        _ => String::new(),
    }
}

fn way_back(route: Option<&Route>) -> String {
    match route {
        Some(route) => format!("the way back is {}", w::prefix(&route.dst)),
        None => "no way back is asked for".to_owned(),
    }
}

/// The connection that a packet belongs to.
fn tracked(entry: Option<&Conntrack>) -> String {
    let both = |e: &Conntrack| format!("{}, answers {}", w::tuple(&e.original), w::tuple(&e.reply));
    entry.map(both).unwrap_or_default()
}

/// The process that gets what goes out by a link, if it is a tun or tap.
fn reader(snapshot: &Snapshot, link: LinkId) -> Option<String> {
    let holder = snapshot.link(link)?.holder()?;
    Some(format!(", which {} (PID {}) holds", holder.comm, holder.pid))
}

/// `rules: the default ones; tc: no filters (no file shows them)`.
fn assumed(gaps: &[Gap]) -> String {
    let mut text = String::new();
    for (n, gap) in gaps.iter().enumerate() {
        let taken = gap.assumed.as_deref().unwrap_or("as usual");
        text.push_str(&format!("{}: {taken}", gap.part));
        let last = gaps.get(n + 1).is_none_or(|next| next.cause != gap.cause);
        text.push_str(&if last { format!(" ({})", gap.cause) } else { String::new() });
        text.push_str(if n + 1 < gaps.len() { "; " } else { "" });
    }
    text
}

fn routed(snapshot: &Snapshot, step: &Step) -> String {
    let Action::Routed { rule, route, gateway, out, local, source, learned } = &step.action else {
        return String::new();
    };
    let Some(ns) = snapshot.namespaces.get(&out.ns) else { return String::new() };
    let mut text = format!("{} → {}", step.packet.dst, w::route_short(ns, route));
    if *local {
        text.push_str(", for this namespace itself");
    } else if gateway.is_none() {
        text.push_str(", on the link itself");
    }
    if let Some(rule) = rule {
        text.push_str(&format!(" (rule {})", w::ip_rule(rule)));
    }
    if let Some(source) = source {
        text.push_str(&format!(", from {source}"));
    }
    if let Some(learned) = learned {
        text.push_str(&learned_words(learned));
    }
    text
}

/// `, by 10.0.0.2 as a redirect told, path MTU 1300 as an error told`
fn learned_words(learned: &LearnedRoute) -> String {
    let redirect = learned.redirected.then(|| match learned.gateway {
        Some(gateway) => format!(", by {gateway}, as a redirect told"),
        None => ", on the link itself, as a redirect told".to_owned(),
    });
    let mtu = learned.mtu.map(|mtu| format!(", path MTU {mtu} as an error told"));
    redirect.into_iter().chain(mtu).collect()
}

/// `172.17.0.2 ↦ 192.168.10.103`, and the rule.
fn translated(snapshot: &Snapshot, nat: &NatStep) -> (String, String) {
    let (b, a) = (&nat.before, &nat.after);
    let (was, is) = if nat.source {
        (w::endpoint(b.src, b.sport, b.protocol), w::endpoint(a.src, a.sport, a.protocol))
    } else {
        (w::endpoint(b.dst, b.dport, b.protocol), w::endpoint(a.dst, a.dport, a.protocol))
    };
    let end = if nat.source { "source" } else { "destination" };
    let why = nat
        .rule
        .as_ref()
        .map_or_else(|| "as the connection began".to_owned(), |r| w::rule_ref(snapshot, r));
    (format!("{end} {was} ↦ {is}"), why)
}

fn state_words(state: u32) -> String {
    let names = [(1, "INVALID"), (2, "ESTABLISHED"), (4, "RELATED"), (8, "NEW"), (64, "UNTRACKED")];
    let list: Vec<&str> = names.iter().filter(|(b, _)| state & b != 0).map(|(_, n)| *n).collect();
    if list.is_empty() { format!("state {state:#x}") } else { list.join("|") }
}

fn arp(snapshot: &Snapshot, answer: &ArpAnswer) -> String {
    match answer {
        ArpAnswer::Link { link, mac } => {
            format!("{} answers: {mac}", snapshot.link_name(*link))
        }
        ArpAnswer::Outside { link, known_from } => {
            let by = snapshot.link_name(*link);
            match known_from {
                Some((ns, n)) => {
                    let ns = snapshot.name_of(*ns);
                    format!("the answer is outside, by {by}; {ns} knows: {}", w::neighbour(n))
                }
                None => format!("the answer is outside, by {by} (assumed)"),
            }
        }
        ArpAnswer::Nobody => "nobody answers".to_owned(),
        ArpAnswer::Several(list) => {
            let list: Vec<String> =
                list.iter().map(|(l, mac)| format!("{} ({mac})", snapshot.link_name(*l))).collect();
            format!("{} answer: {}", list.len(), list.join(", "))
        }
    }
}

fn entering(snapshot: &Snapshot, link: LinkId, bridge: Option<LinkId>) -> String {
    let name = w::link(snapshot, link);
    match bridge {
        Some(b) => format!("{name}, port of {}", w::link(snapshot, b)),
        None => name,
    }
}

/// By which table its packets are routed.
fn vrf(snapshot: &Snapshot, link: LinkId) -> String {
    match snapshot.link(link).map(|l| &l.kind) {
        Some(LinkKind::Vrf(vrf)) => format!("routed by its table {}", vrf.table),
        _ => String::new(),
    }
}

fn bridged(snapshot: &Snapshot, step: &Step) -> String {
    let name = |id: &LinkId| w::link(snapshot, *id);
    match &step.action {
        Action::BridgeForward { bridge, port, entry, learned_now } => {
            let origin = if *learned_now {
                "learned on this very way".to_owned()
            } else {
                entry.age.map_or_else(|| w::fdb_origin(entry), |age| format!("{age} s ago"))
            };
            format!("{}: {} is behind {} (FDB, {origin})", name(bridge), entry.mac, name(port))
        }
        Action::BridgeFlood { bridge, ports, followed } => {
            let mac = step.packet.dst_mac.map_or_else(String::new, |m| format!("{m} is unknown: "));
            let list: Vec<String> = ports.iter().map(name).collect();
            let to = match followed {
                Some(f) if ports.len() > 1 => format!(", here by {}", name(f)),
                _ => String::new(),
            };
            format!("{}: {mac}flooded to {}{to}", name(bridge), list.join(", "))
        }
        Action::Snooped { bridge, ports, host } => {
            let mut whom: Vec<String> = ports.iter().map(name).collect();
            whom.extend(host.then(|| "this host itself".to_owned()));
            let whom = if whom.is_empty() { "nobody".to_owned() } else { whom.join(", ") };
            format!("{}: {} is wanted by {whom} (MDB)", name(bridge), step.packet.dst)
        }
        Action::BridgeUp { bridge } => match step.packet.dst_mac {
            Some(mac) => format!("{}: {mac} is its own address: up", name(bridge)),
            None => format!("{}: up to the bridge itself", name(bridge)),
        },
        _ => String::new(),
    }
}
