//! Two ends of a cable say of each other that they are joined; what was read of them at two moments
//! may say otherwise.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::{Link, LinkId, Namespace, NsId, Relation, Snapshot, Warning};

use super::{Numbering, Reading};

/// Of what was read, the namespaces whose links have to be asked for once more: an end of a cable
/// is there whose other end is not where it says, or is joined to something else. One that could
/// not be read at all proves nothing.
pub fn torn<'a>(
    readings: impl Iterator<Item = (NsId, &'a Reading)> + Clone,
    numbering: &Numbering,
) -> BTreeSet<NsId> {
    let unknown: BTreeSet<NsId> =
        readings.clone().filter(|(_, r)| r.links_are_missing()).map(|(id, _)| id).collect();
    let mut ends: HashMap<LinkId, LinkId> = HashMap::new();
    for (ns, reading) in readings {
        let paired = reading.links.iter().filter(|raw| raw.link.kind.is_paired());
        ends.extend(paired.filter_map(|raw| {
            let peer = raw.peer(ns, |nsid| numbering.namespace(nsid))?;
            Some((LinkId { ns, index: raw.link.index }, peer))
        }));
    }
    let is_torn = |(end, peer): &(&LinkId, &LinkId)| {
        !unknown.contains(&peer.ns) && ends.get(peer) != Some(end)
    };
    ends.iter().filter(is_torn).flat_map(|(end, peer)| [end.ns, peer.ns]).collect()
}

/// What is still torn is not drawn as if it were whole.
pub(super) fn part(snapshot: &mut Snapshot) {
    let mut torn: BTreeMap<NsId, Vec<u32>> = BTreeMap::new();
    for namespace in snapshot.namespaces.values() {
        for link in namespace.links.values().filter(|l| disagrees(snapshot, namespace, l)) {
            torn.entry(namespace.id).or_default().push(link.index);
        }
    }
    for (id, indexes) in torn {
        let Some(namespace) = snapshot.namespaces.get_mut(&id) else { continue };
        for index in indexes {
            let Some(link) = namespace.links.get_mut(&index) else { continue };
            link.relation = Relation::Unresolved(-1);
            let text = format!("the other end of {} moved while it was read", link.name);
            snapshot.warnings.push(Warning { ns: Some(id), text });
        }
    }
}

/// Whether both ends were read, and the other says something else.
fn disagrees(snapshot: &Snapshot, namespace: &Namespace, link: &Link) -> bool {
    let here = LinkId { ns: namespace.id, index: link.index };
    let Some(peer) = link.peer().filter(|_| link.kind.is_paired()) else { return false };
    let Some(there) = snapshot.namespaces.get(&peer.ns) else { return false };
    there.gap("links").is_none() && there.links.get(&peer.index).and_then(Link::peer) != Some(here)
}

#[cfg(test)]
mod tests {
    use model::{HostId, NsKey};

    use super::*;
    use crate::rtnl::{Message, RawLink};

    const fn ns(n: u32) -> NsId {
        NsId { host: HostId(0), key: NsKey::Unseen(n) }
    }

    /// Ends of cables: ifindex, and where the other end is.
    fn reading(ends: &[(u32, i32, u32)]) -> Reading {
        Reading { links: ends.iter().map(veth).collect(), ..Reading::default() }
    }

    fn veth(&(index, nsid, peer): &(u32, i32, u32)) -> RawLink {
        // linux/rtnetlink.h, linux/if_link.h: IFLA_LINKINFO with a kind, IFLA_LINK, _LINK_NETNSID.
        let words = [0, index, 0, 0, 18 << 16 | 12, 1 << 16 | 8, u32::from_le_bytes(*b"veth")];
        let attrs = [5 << 16 | 8, peer, 37 << 16 | 8, nsid.cast_unsigned()];
        let body: Vec<u8> = words.iter().chain(&attrs).flat_map(|w| w.to_le_bytes()).collect();
        crate::rtnl::link(&Message { kind: 16, flags: 0, sequence: 0, body: &body }).unwrap()
    }

    #[track_caller]
    fn check(readings: &[Reading], wanted: &[u32]) {
        let numbering = Numbering { first: 100, namespaces: vec![] };
        let all = (0..).map(ns).zip(readings);
        assert_eq!(torn(all, &numbering), wanted.iter().map(|n| ns(*n)).collect());
    }

    #[test]
    fn ends_that_name_each_other_are_whole() {
        check(&[reading(&[(7, 1, 7)]), reading(&[(7, 0, 7)])], &[]);
        check(&[reading(&[(2, 0, 3), (3, 0, 2)])], &[]);
    }

    #[test]
    fn an_end_that_is_not_there_or_joined_elsewhere() {
        check(&[reading(&[(7, 1, 7)]), reading(&[])], &[0, 1]);
        check(&[reading(&[(7, 1, 7)]), reading(&[(7, 2, 9)]), reading(&[(9, 1, 7)])], &[0, 1]);
        // A namespace that has ended.
        check(&[reading(&[(7, 1, 7)])], &[0, 1]);
    }

    #[test]
    fn what_could_not_be_read_proves_nothing() {
        let mut denied = reading(&[]);
        denied.gaps.push(model::Gap::new("links", "denied"));
        check(&[reading(&[(7, 1, 7)]), denied], &[]);
    }
}
