//! In which namespace the UDP socket of a WireGuard link is: where the link was made, wherever it
//! was moved to since. The kernel does not say so of the link, but shows the socket in
//! /proc/net/udp of that namespace.

use std::collections::BTreeMap;

use model::{LinkId, LinkKind, NsId, Snapshot};

/// Finds it by its port. A link whose own namespace has a socket at that port is taken to be at
/// home; those that are not share what is left, where that is one link and one namespace.
pub(super) fn find_sockets(snapshot: &mut Snapshot, ports: &BTreeMap<NsId, Vec<u16>>) {
    let mut away: BTreeMap<u16, Vec<LinkId>> = BTreeMap::new();
    let mut taken: Vec<(NsId, u16)> = Vec::new();
    let waits = |ns: &NsId, port| ports.get(ns).is_some_and(|all| all.contains(&port));
    for namespace in snapshot.namespaces.values_mut() {
        let id = namespace.id;
        for link in namespace.links.values_mut().filter(|link| link.is_up()) {
            let index = link.index;
            let LinkKind::Wireguard(Some(own)) = &mut link.kind else { continue };
            if waits(&id, own.listen_port) && !taken.contains(&(id, own.listen_port)) {
                own.socket = Some(id);
                taken.push((id, own.listen_port));
            } else {
                away.entry(own.listen_port).or_default().push(LinkId { ns: id, index });
            }
        }
    }
    for (port, links) in away {
        let left: Vec<NsId> = ports
            .keys()
            .filter(|ns| waits(ns, port) && !taken.contains(&(**ns, port)))
            .copied()
            .collect();
        let ([link], [ns]) = (links.as_slice(), left.as_slice()) else { continue };
        let namespace = snapshot.namespaces.get_mut(&link.ns);
        let link = namespace.and_then(|n| n.links.get_mut(&link.index));
        if let Some(LinkKind::Wireguard(Some(own))) = link.map(|l| &mut l.kind) {
            own.socket = Some(*ns);
        }
    }
}

#[cfg(test)]
mod tests {
    use model::{Link, LinkFlags, Namespace, Wireguard};

    use super::*;
    use crate::rtnl::{link, messages};

    /// A link `lo` as the kernel tells of one, made into something else.
    fn wireguard(index: u32, listen_port: u16) -> Link {
        let mut body = vec![0; 16];
        body[4..8].copy_from_slice(&index.to_ne_bytes());
        let mut message = 32_u32.to_ne_bytes().to_vec();
        message.extend([16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        message.extend(body);
        let raw = messages(&message).find_map(|m| link(&m)).unwrap();
        let own = Wireguard { listen_port, ..Wireguard::default() };
        let kind = LinkKind::Wireguard(Some(Box::new(own)));
        Link { kind, flags: LinkFlags::UP, ..raw.link }
    }

    /// `links`: namespace, ifindex and port; `ports`: namespace and port. What is found, as
    /// `namespace/ifindex in namespace`.
    #[track_caller]
    fn check(links: &[(u64, u32, u16)], ports: &[(u64, u16)], wanted: &[&str]) {
        let mut snapshot = Snapshot::default();
        let mut waiting: BTreeMap<NsId, Vec<u16>> = BTreeMap::new();
        for ns in 1..=3 {
            snapshot.namespaces.insert(NsId::inode(ns), Namespace::new(NsId::inode(ns)));
            waiting.insert(NsId::inode(ns), Vec::new());
        }
        for (ns, index, port) in links {
            let namespace = snapshot.namespaces.get_mut(&NsId::inode(*ns)).unwrap();
            namespace.links.insert(*index, wireguard(*index, *port));
        }
        for (ns, port) in ports {
            waiting.entry(NsId::inode(*ns)).or_default().push(*port);
        }
        find_sockets(&mut snapshot, &waiting);
        let found: Vec<String> = links
            .iter()
            .filter_map(|(ns, index, _)| {
                let link = &snapshot.namespaces[&NsId::inode(*ns)].links[index];
                let at = link.wireguard()?.socket?;
                let home = (1..=3).find(|n| NsId::inode(*n) == at)?;
                Some(format!("{ns}/{index} in {home}"))
            })
            .collect();
        assert_eq!(found, wanted);
    }

    #[test]
    fn at_home_moved_and_not_to_be_told() {
        check(&[(1, 2, 100)], &[(1, 100)], &["1/2 in 1"]);
        check(&[(1, 2, 100), (2, 2, 100)], &[(1, 100), (2, 100)], &["1/2 in 1", "2/2 in 2"]);
        check(&[(1, 2, 100)], &[(2, 100)], &["1/2 in 2"]);
        check(&[(1, 2, 100), (1, 3, 100)], &[(1, 100), (3, 100)], &["1/2 in 1", "1/3 in 3"]);
        check(&[(1, 2, 100)], &[(2, 100), (3, 100)], &[]);
        check(&[(1, 2, 100), (1, 3, 100)], &[(2, 100), (3, 100)], &[]);
        check(&[(1, 2, 100)], &[(1, 101)], &[]);
    }
}
