//! Links that stand on others, and tunnels.

use model::{LinkId, Snapshot};
use walk::{Action, BondChoice, Step, VlanStep};

use crate::words as w;

/// Who takes a frame of the link below; what goes into a tunnel and comes out.
pub(super) fn words(snapshot: &Snapshot, step: &Step) -> String {
    let name = |id: LinkId| w::link(snapshot, id);
    let whole = |id: LinkId| format!("{}{}", snapshot.link_name(id), kind(snapshot, id));
    let mac = step.packet.dst_mac.map_or_else(|| "it".to_owned(), |mac| mac.to_string());
    match &step.action {
        Action::Stacked { lower, uppers, followed } => {
            let list: Vec<String> = uppers.iter().map(|id| whole(*id)).collect();
            let list = list.join(", ");
            match followed {
                Some(one) if uppers.len() == 1 && uppers[0] == *one => {
                    format!("{}: {mac} is for {list}", name(*lower))
                }
                Some(one) if one == lower => {
                    format!("{}: {mac} is also for {list}; here by {}", name(*lower), name(*lower))
                }
                Some(one) => {
                    format!("{}: {mac} is for {list}; here by {}", name(*lower), name(*one))
                }
                None => format!("{}: {mac} is for {list}", name(*lower)),
            }
        }
        Action::Bonded { bond, ports, followed, by } => {
            let (bond, port) = (name(*bond), followed.map_or_else(|| "none".to_owned(), name));
            let list: Vec<String> = ports.iter().map(|id| name(*id)).collect();
            let list = list.join(", ");
            match by {
                BondChoice::InUse => format!("{bond}: {port} is the port in use"),
                BondChoice::Only => format!("{bond}: {port} is the only port that can send"),
                BondChoice::Hash => {
                    format!("{bond}: of {list} a hash of the packet chooses {port}")
                }
                BondChoice::Turn => format!("{bond}: of {list} it is {port}'s turn"),
                BondChoice::All => format!("{bond}: a copy by each of {list}; here by {port}"),
            }
        }
        Action::Sibling { lower, sibling } => {
            format!("{mac} is that of {}, on {} too: it stays there", whole(*sibling), name(*lower))
        }
        Action::Vlan { link, id, step } => {
            let link = name(*link);
            match step {
                VlanStep::Joined { by_tag: true } => format!("{id}, by its tag, in by {link}"),
                VlanStep::Joined { by_tag: false } => {
                    format!("{id}, the one of frames without a tag in by {link}")
                }
                VlanStep::Tagged => format!("{id}: out of {link} with its tag"),
                VlanStep::Untagged => format!("{id}: the tag is that of {link}, and taken off"),
            }
        }
        Action::Encapsulated { link, id } => {
            let p = &step.packet;
            let kind = snapshot.link(*link).map_or("", |l| l.kind.as_str());
            format!("{}: {kind} {id} to {}, {} bytes", name(*link), p.dst, p.len)
        }
        Action::Decapsulated { link } => format!("for {}", whole(*link)),
        Action::Encrypted { link, peer, net, endpoint } => {
            let (whom, len) = (w::peer(snapshot, *peer), step.packet.len);
            format!("{}: for {whom} ({net}) at {endpoint}, {len} bytes", name(*link))
        }
        Action::Decrypted { link, peer, net } => {
            let allowed = net.map_or_else(String::new, |net| format!(" ({net})"));
            format!("for {}, from {}{allowed}", whole(*link), w::peer(snapshot, *peer))
        }
        Action::LearnedEndpoint { link, peer, endpoint } => {
            format!("{}: {} is at {endpoint}", name(*link), w::peer(snapshot, *peer))
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

/// ` (macvlan, mode bridge)`.
fn kind(snapshot: &Snapshot, id: LinkId) -> String {
    let of = snapshot.namespaces.get(&id.ns).zip(snapshot.link(id));
    of.map_or_else(String::new, |(ns, link)| format!(" ({})", w::link_kind(ns, link)))
}
