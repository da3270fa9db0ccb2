//! Links that stand on others, and tunnels.

use model::{LinkId, Snapshot};
use walk::{Action, BondChoice, Step, VlanStep};

use crate::words as w;

/// Who takes a frame of the link below; what goes into a tunnel and comes out.
pub(super) fn words(snapshot: &Snapshot, step: &Step) -> String {
    let name = |id: LinkId| w::link(snapshot, id);
    let whole = |id: LinkId| whole(snapshot, id);
    let peer = |key| w::peer(snapshot, key);
    match &step.action {
        Action::Stacked { lower, uppers, followed } => {
            stacked(snapshot, step, (*lower, uppers), *followed)
        }
        Action::Bonded { bond, ports, followed, by } => {
            let port = followed.map_or_else(|| "none".to_owned(), name);
            let ports: Vec<String> = ports.iter().map(|id| name(*id)).collect();
            format!("{}: {}", name(*bond), bonded(&port, &ports.join(", "), *by))
        }
        Action::Sibling { lower, sibling } => {
            let (mac, sibling) = (mac(step), whole(*sibling));
            format!("{mac} is that of {sibling}, on {} too: it stays there", name(*lower))
        }
        Action::Vlan { link, id, step } => vlan(&name(*link), *id, *step),
        Action::Encapsulated { link, id } => {
            let p = &step.packet;
            let kind = snapshot.link(*link).map_or("", |l| l.kind.as_str());
            format!("{}: {kind} {id} to {}, {} bytes", name(*link), p.dst, p.len)
        }
        Action::Decapsulated { link } => format!("for {}", whole(*link)),
        Action::Encrypted { link, peer: key, net, endpoint } => {
            let (whom, len) = (peer(*key), step.packet.len);
            format!("{}: for {whom} ({net}) at {endpoint}, {len} bytes", name(*link))
        }
        Action::Decrypted { link, peer: key, net } => {
            let allowed = net.map_or_else(String::new, |net| format!(" ({net})"));
            format!("for {}, from {}{allowed}", whole(*link), peer(*key))
        }
        Action::LearnedEndpoint { link, peer: key, endpoint } => {
            format!("{}: {} is at {endpoint}", name(*link), peer(*key))
        }
        Action::Bypassed { to } => {
            format!("the other end is here: given to {} as it is", whole(*to))
        }
        Action::LearnedRemote { link, mac, remote } => {
            format!("{}: {mac} is behind {remote}", name(*link))
        }
        _ => String::new(),
    }
}

/// Which of the links that stand on one take the frame.
fn stacked(
    snapshot: &Snapshot,
    step: &Step,
    (lower, uppers): (LinkId, &[LinkId]),
    followed: Option<LinkId>,
) -> String {
    let name = |id: LinkId| w::link(snapshot, id);
    let list: Vec<String> = uppers.iter().map(|id| whole(snapshot, *id)).collect();
    let (below, mac, list) = (name(lower), mac(step), list.join(", "));
    match followed {
        Some(one) if one == lower => format!("{below}: {mac} is also for {list}; here by {below}"),
        Some(one) if uppers != [one] => {
            format!("{below}: {mac} is for {list}; here by {}", name(one))
        }
        Some(_) | None => format!("{below}: {mac} is for {list}"),
    }
}

/// By which of a bond's ports it goes, and why.
fn bonded(port: &str, ports: &str, by: BondChoice) -> String {
    match by {
        BondChoice::InUse => format!("{port} is the port in use"),
        BondChoice::Only => format!("{port} is the only port that can send"),
        BondChoice::Hash => format!("of {ports} a hash of the packet chooses {port}"),
        BondChoice::Turn => format!("of {ports} it is {port}'s turn"),
        BondChoice::All => format!("a copy by each of {ports}; here by {port}"),
    }
}

fn vlan(link: &str, id: u16, step: VlanStep) -> String {
    match step {
        VlanStep::Joined { by_tag: true } => format!("{id}, by its tag, in by {link}"),
        VlanStep::Joined { by_tag: false } => {
            format!("{id}, the one of frames without a tag in by {link}")
        }
        VlanStep::Tagged => format!("{id}: out of {link} with its tag"),
        VlanStep::Untagged => format!("{id}: the tag is that of {link}, and taken off"),
    }
}

/// Whom the frame is for.
fn mac(step: &Step) -> String {
    step.packet.dst_mac.map_or_else(|| "it".to_owned(), |mac| mac.to_string())
}

/// `web:mv0 (macvlan, mode bridge)`.
fn whole(snapshot: &Snapshot, id: LinkId) -> String {
    format!("{}{}", snapshot.link_name(id), kind(snapshot, id))
}

/// ` (macvlan, mode bridge)`.
fn kind(snapshot: &Snapshot, id: LinkId) -> String {
    let of = snapshot.namespaces.get(&id.ns).zip(snapshot.link(id));
    of.map_or_else(String::new, |(ns, link)| format!(" ({})", w::link_kind(ns, link)))
}
