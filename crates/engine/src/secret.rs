//! Keys of WireGuard, which no Snapshot has: what is seen of a link is made again with those that a lab
//! file says, if they are the same link's.

use model::{Change, Fact, LinkRef, LinkSpecKind, Wanted, WireguardSpec};

use crate::key::Key;

/// A fact as it was seen, with the keys that go with it by one of these labs, the first that has them.
pub(crate) fn with_secrets(mut seen: Fact, labs: &[&Wanted]) -> Fact {
    let key = Key::of(&seen);
    if let Some(own) = tunnel_mut(&mut seen) {
        let facts = labs.iter().flat_map(|lab| &lab.facts);
        for said in facts.filter(|fact| Key::of(fact) == key).filter_map(tunnel) {
            fill(own, said);
        }
    }
    seen
}

/// Only who has the same public key has the same private one; that preshared keys are the same is
/// taken for granted.
fn fill(own: &mut WireguardSpec, said: &WireguardSpec) {
    if own.private_key.is_none() && own.public_key == said.public_key {
        own.private_key.clone_from(&said.private_key);
    }
    for peer in own.peers.iter_mut().filter(|p| p.peer.preshared && p.preshared_key.is_none()) {
        let mut known = said.peers.iter().filter(|p| p.peer.public_key == peer.peer.public_key);
        peer.preshared_key = known.find_map(|p| p.preshared_key.clone());
    }
}

/// The links that changes leave without a key that they are to have, because nobody knows it.
#[must_use]
pub fn keyless(changes: &[Change]) -> Vec<&LinkRef> {
    let lacks = |from: Option<&WireguardSpec>, own: &WireguardSpec| {
        let has = own.public_key.is_none()
            || own.private_key.is_some()
            || from.is_some_and(|from| from.public_key == own.public_key);
        !has || own.peers.iter().any(|p| p.peer.preshared && p.preshared_key.is_none())
    };
    let one = |change| match change {
        &Change::Make(Fact::Link(ref to)) => Some((None, to)),
        Change::Alter { from, to } => match (&**from, &**to) {
            (from, Fact::Link(to)) => Some((tunnel(from), to)),
            _ => None,
        },
        Change::Make(_) | Change::Remove(_) => None,
    };
    let made = changes.iter().filter_map(one);
    made.filter(|(from, to)| matches!(&to.kind, LinkSpecKind::Wireguard(own) if lacks(*from, own)))
        .map(|(_, to)| &to.link)
        .collect()
}

fn tunnel(fact: &Fact) -> Option<&WireguardSpec> {
    match fact {
        Fact::Link(spec) => match &spec.kind {
            LinkSpecKind::Wireguard(own) => Some(own),
            _ => None,
        },
        _ => None,
    }
}

fn tunnel_mut(fact: &mut Fact) -> Option<&mut WireguardSpec> {
    match fact {
        Fact::Link(spec) => match &mut spec.kind {
            LinkSpecKind::Wireguard(own) => Some(own),
            _ => None,
        },
        _ => None,
    }
}
