use model::diff::{LinkFact, Running, Turn, is_link_local};
use model::{
    Address, BridgePort, Link, LinkFlags, LinkId, LinkKind, Namespace, PortState, Relation,
    Wireguard,
};

use super::said::{Action, Said, Sides, Subject};
use crate::words;

/// A link that came or went.
pub(super) fn turn(sides: &Sides<'_>, turn: &Turn<u32>) -> Said {
    let (late, index, action) = match turn {
        Turn::Appeared(index) => (true, *index, Action::Appeared),
        Turn::Vanished(index) => (false, *index, Action::Vanished),
        Turn::Changed { after, .. } => (true, *after, Action::Changed),
    };
    let mut said = sides.blank("link", action);
    said.subject = Subject::Link(sides.dev(late, index));
    let ns = if late { sides.is } else { sides.was };
    let about = ns.and_then(|ns| Some(about(ns, ns.links.get(&index)?))).unwrap_or_default();
    let joined = ns.and_then(|ns| joined(sides, late, ns.links.get(&index)?)).unwrap_or_default();
    let verb = match action {
        Action::Changed => "is another link of that name now",
        Action::Appeared | Action::Vanished => action.as_str(),
    };
    said.text = format!("{verb} ({about}){joined}");
    let value = Some(format!("{about}{joined}"));
    match action {
        Action::Vanished => said.before = value,
        Action::Appeared | Action::Changed => said.after = value,
    }
    said
}

/// All of a namespace's links but `lo`, in short: `eth0 (veth, 172.17.0.2/16)`.
pub(super) fn all_of(ns: &Namespace) -> String {
    let links: Vec<String> = ns
        .links
        .values()
        .filter(|l| l.kind != LinkKind::Loopback)
        .map(|l| format!("{} ({})", l.name, about(ns, l)))
        .collect();
    words::some(4, links.into_iter())
}

/// A link that came from elsewhere.
pub(super) fn moved(sides: &Sides<'_>, from: LinkId, index: u32) -> Said {
    let here = turn(sides, &Turn::Appeared(index));
    let whence = sides.link_name(false, from);
    let text = here.text.replacen("appeared", &format!("came from {whence}"), 1);
    Said { text, before: Some(whence), action: Action::Changed, ..here }
}

/// `bridge, 172.17.0.1/16, no carrier`.
fn about(ns: &Namespace, link: &Link) -> String {
    let mut parts = vec![words::link_kind(ns, link)];
    parts.extend(below(ns, link));
    let addresses = ns.addresses_of(link.index).filter(|a| !is_link_local(a));
    parts.extend(addresses.map(|a| a.net.to_string()));
    parts.extend(words::trouble(link).map(str::to_owned));
    parts.join(", ")
}

/// `port of docker0`, `in VRF blue`.
fn below(ns: &Namespace, link: &Link) -> Option<String> {
    match link.port {
        Some(_) => Some(format!("port of {}", words::dev(ns, link.master?))),
        None => words::membership(ns, link),
    }
}

/// `; peer web:eth0`.
fn joined(sides: &Sides<'_>, late: bool, link: &Link) -> Option<String> {
    Some(match link.relation {
        Relation::None => return None,
        Relation::Peer(id) | Relation::Lower(id)
            if !sides.snapshot(late).namespaces.contains_key(&id.ns) =>
        {
            return None;
        }
        Relation::Peer(id) if sides.snapshot(late).link(id).is_none() => {
            format!("; peer in {}", sides.snapshot(late).name_of(id.ns))
        }
        Relation::Peer(id) => format!("; peer {}", sides.link_name(late, id)),
        Relation::Lower(id) => format!("; on {}", sides.link_name(late, id)),
        Relation::Underlay(ns) => format!("; over {}", sides.snapshot(late).name_of(ns)),
        Relation::Unresolved(_) => "; joined to a namespace that is not visible".to_owned(),
    })
}

/// An address that came or went, said of its link.
pub(super) fn address(sides: &Sides<'_>, turn: &Turn<Address>) -> Said {
    let mut said = sides.thing("address", turn, |_, a| words::address(a));
    let (late, link) = match turn {
        Turn::Appeared(a) | Turn::Changed { after: a, .. } => (true, a.link),
        Turn::Vanished(a) => (false, a.link),
    };
    said.subject = Subject::Link(sides.dev(late, link));
    said.text = match turn {
        Turn::Appeared(a) => format!("got the address {}", words::address(a)),
        Turn::Vanished(a) => format!("lost the address {}", words::address(a)),
        Turn::Changed { before, after } => {
            format!("has the address {}, was {}", words::address(after), words::address(before))
        }
    };
    said
}

/// Something about a link that is in both.
pub(super) fn fact(sides: &Sides<'_>, index: u32, fact: &LinkFact) -> Said {
    let mut said = sides.blank("link", Action::Changed);
    said.subject = Subject::Link(sides.dev(true, index));
    let (sentence, before, after) = sentence(sides, index, fact);
    (said.text, said.before, said.after) = (sentence, before, after);
    said
}

type Sentence = (String, Option<String>, Option<String>);

fn sentence(sides: &Sides<'_>, index: u32, fact: &LinkFact) -> Sentence {
    match fact {
        LinkFact::Running { before, after } => {
            let text = format!("{}{}", running(*before, *after), far_end(sides, index));
            (text, Some(running_word(*before)), Some(running_word(*after)))
        }
        LinkFact::State { before, after } => is_was("state", &before.as_str(), &after.as_str()),
        LinkFact::Name { before, after } => (
            format!("is called so now; before, {before}"),
            Some(before.clone()),
            Some(after.clone()),
        ),
        LinkFact::Master { before, after } => master(sides, index, *before, *after),
        LinkFact::Relation { before, after } => relation(sides, *before, *after),
        LinkFact::Mac { before, after } => is_was("MAC", &or_none(before), &or_none(after)),
        LinkFact::Mtu { before, after } => is_was("mtu", before, after),
        LinkFact::Kind { before, after } => kind(before, after),
        LinkFact::Port { before, after } => port(before.as_ref(), after.as_ref()),
        LinkFact::Member { before, after } => {
            let (was, is) = (format!("{before:?}"), format!("{after:?}"));
            (format!("changed below its master: {}", fields(&was, &is)), Some(was), Some(is))
        }
        LinkFact::Alias { before, after } => is_was("alias", &or_none(before), &or_none(after)),
        LinkFact::Altnames { before, after } => {
            is_was("other names", &listed(before), &listed(after))
        }
        LinkFact::Flags { before, after } => is_was("flags", &flags(*before), &flags(*after)),
        LinkFact::Txqlen { before, after } => is_was("qlen", before, after),
        LinkFact::Group { before, after } => is_was("group", &or_none(before), &or_none(after)),
        LinkFact::Qdisc { before, after } => is_was("qdisc", before, after),
        LinkFact::Queues { before, after } => {
            is_was("queue", &words::queues(before), &words::queues(after))
        }
        LinkFact::Ipv6Disabled { before, after } => {
            is_was("disable_ipv6", &or_none(before), &or_none(after))
        }
        LinkFact::Xdp { before: Some(before), after: Some(after) } => {
            is_was("XDP program", &before.to_string(), &after.to_string())
        }
        LinkFact::Xdp { after, .. } => hook("an XDP program", after.is_some()),
        LinkFact::Tc { before: Some(before), after: Some(after) } => {
            let was = sides.was.map(|ns| words::filter_lines(ns, before)).unwrap_or_default();
            let is = sides.is.map(|ns| words::filter_lines(ns, after)).unwrap_or_default();
            lines("has other filters of tc now", &was, &is)
        }
        LinkFact::Tc { after, .. } => hook("a place for filters of tc", after.is_some()),
        LinkFact::Other => ("changed in something that has no name here".to_owned(), None, None),
    }
}

fn is_was(what: &str, before: &impl ToString, after: &impl ToString) -> Sentence {
    let (was, is) = (before.to_string(), after.to_string());
    (format!("has {what} {is}, was {was}"), Some(was), Some(is))
}

/// What a link has a list of, by the lines that are in one of the two alone.
fn lines(what: &str, was: &[String], is: &[String]) -> Sentence {
    let other = |from: &[String], than: &[String]| -> Vec<String> {
        from.iter().filter(|line| !than.contains(line)).cloned().collect()
    };
    let (new, gone) = (other(is, was), other(was, is));
    let said = [("new", new), ("gone", gone)].into_iter().filter(|(_, lines)| !lines.is_empty());
    let said: Vec<String> =
        said.map(|(word, lines)| format!("{word}: {}", lines.join("; "))).collect();
    let said = if said.is_empty() { "in another order".to_owned() } else { said.join("; ") };
    (format!("{what}; {said}"), Some(was.join("; ")), Some(is.join("; ")))
}

fn or_none<T: ToString>(value: &Option<T>) -> String {
    value.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string)
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

const fn running(before: Running, after: Running) -> &'static str {
    match (before, after) {
        (_, Running::Down) => "went down",
        (Running::Down, Running::NoCarrier) => "was set up, and has no carrier",
        (_, Running::NoCarrier) => "lost its carrier",
        (Running::NoCarrier, Running::Yes) => "got its carrier",
        (_, Running::Yes) => "came up",
    }
}

fn running_word(running: Running) -> String {
    match running {
        Running::Down => "down",
        Running::NoCarrier => "no carrier",
        Running::Yes => "up",
    }
    .to_owned()
}

/// `; peer web:eth0 is down`: where one would look next.
fn far_end(sides: &Sides<'_>, index: u32) -> String {
    let link = sides.is.and_then(|ns| ns.links.get(&index));
    let Some(id) = link.and_then(Link::peer) else { return String::new() };
    if !sides.after.namespaces.contains_key(&id.ns) {
        return "; its peer is nowhere that is visible".to_owned();
    }
    let Some(peer) = sides.after.link(id) else {
        return format!("; its peer in {} is gone", sides.after.name_of(id.ns));
    };
    let trouble = words::trouble(peer);
    let trouble = match trouble {
        Some("no carrier") => " has no carrier",
        Some("down") => " is down",
        _ => "",
    };
    format!("; peer {}{trouble}", sides.link_name(true, id))
}

fn master(sides: &Sides<'_>, index: u32, before: Option<u32>, after: Option<u32>) -> Sentence {
    let was = before.map(|m| sides.dev(false, m));
    let is = after.map(|m| sides.dev(true, m));
    let now = sides.is.and_then(|ns| below(ns, ns.links.get(&index)?)).unwrap_or_default();
    let text = match (&was, &is) {
        (None, _) => format!("is {now} now"),
        (Some(was), Some(_)) => format!("is {now} now, was below {was}"),
        (Some(was), None) => format!("is no port of {was} any more"),
    };
    (text, was, is)
}

fn relation(sides: &Sides<'_>, before: Relation, after: Relation) -> Sentence {
    let text = |late, relation| match relation {
        Relation::None => "nothing".to_owned(),
        Relation::Peer(id) | Relation::Lower(id) => sides.link_name(late, id),
        Relation::Underlay(ns) => sides.snapshot(late).name_of(ns),
        Relation::Unresolved(_) => "a namespace that is not visible".to_owned(),
    };
    let (was, is) = (text(false, before), text(true, after));
    (format!("is joined to {is} now, was to {was}"), Some(was), Some(is))
}

/// What a kind has of its own is told field by field, as the model spells it.
fn kind(before: &LinkKind, after: &LinkKind) -> Sentence {
    let (was, is) = (format!("{before:?}"), format!("{after:?}"));
    if before.as_str() != after.as_str() {
        return is_was("kind", &before.as_str(), &after.as_str());
    }
    if let (LinkKind::Wireguard(Some(before)), LinkKind::Wireguard(Some(after))) = (before, after) {
        return tunnel(before, after);
    }
    let changed = fields(&was, &is);
    (format!("changed as {}: {changed}", after.as_str()), Some(was), Some(is))
}

/// Settings and peers; of preshared keys, which nobody is shown, whose are others.
fn tunnel(before: &Wireguard, after: &Wireguard) -> Sentence {
    let (was, is) = (words::wireguard_settings(before), words::wireguard_settings(after));
    let anew = after.peers.iter().filter(|peer| before.is_shared_anew(after, peer.public_key));
    let keys: Vec<String> =
        anew.map(|peer| format!("another preshared key for {}", peer.public_key)).collect();
    let keys = keys.join(", ");
    if was == is && !keys.is_empty() {
        return (format!("has {keys}"), None, None);
    }
    let (mut told, was, is) = lines("has other peers or settings now", &was, &is);
    if !keys.is_empty() {
        told = format!("{told}; {keys}");
    }
    (told, was, is)
}

fn port(before: Option<&BridgePort>, after: Option<&BridgePort>) -> Sentence {
    let (Some(before), Some(after)) = (before, after) else {
        return ("changed as a port".to_owned(), None, None);
    };
    let (was, is) = (state(before.state), state(after.state));
    if (&BridgePort { state: after.state, ..before.clone() }) == after {
        return (format!("is {is} as a port, was {was}"), Some(was.into()), Some(is.into()));
    }
    let (was, is) = (format!("{before:?}"), format!("{after:?}"));
    (format!("changed as a port: {}", fields(&was, &is)), Some(was), Some(is))
}

const fn state(state: PortState) -> &'static str {
    match state {
        PortState::Disabled => "disabled",
        PortState::Listening => "listening",
        PortState::Learning => "learning",
        PortState::Forwarding => "forwarding",
        PortState::Blocking => "blocking",
    }
}

/// The fields of two values that differ: `vlan_filtering true, was false`.
fn fields(before: &str, after: &str) -> String {
    let (was, is) = (pieces(before), pieces(after));
    let changed = was.iter().zip(&is).filter(|(a, b)| a != b).map(|(a, b)| {
        let value = a.split_once(": ").map_or(*a, |(_, v)| v);
        format!("{}, was {value}", b.replacen(": ", " ", 1))
    });
    changed.collect::<Vec<_>>().join("; ")
}

/// The fields of a value as the model spells it, `Bridge { a: 1, b: [2, 3] }`.
fn pieces(text: &str) -> Vec<&str> {
    let inner = text.split_once("{ ").map_or(text, |(_, rest)| rest);
    let inner = inner.trim_end_matches(')').trim_end_matches([' ', '}']);
    let mut depth = 0;
    let at_comma = |c: char| {
        depth += i32::from(matches!(c, '(' | '[' | '{')) - i32::from(matches!(c, ')' | ']' | '}'));
        c == ',' && depth == 0
    };
    inner.split(at_comma).map(str::trim).collect()
}

fn flags(flags: LinkFlags) -> String {
    let names: Vec<String> = flags.iter_names().map(|(name, _)| name.to_lowercase()).collect();
    listed(&names)
}

fn hook(what: &str, there: bool) -> Sentence {
    let text = if there { format!("has {what} now") } else { format!("has not {what} any more") };
    (text, Some((!there).to_string()), Some(there.to_string()))
}
