//! Entries of a namespace's tables: of each there is one, so that another like it takes its place.

use std::net::IpAddr;

use model::{
    AddressLabel, BridgeVlan, Fact, FdbEntry, Group, LinkRef, Mac, MdbEntry, Namespace, Neighbour,
    NeighbourState, Table,
};

use crate::State;

impl State {
    /// Foresees that an entry is there, or no more. None: where it would be is not there, or the
    /// fact is about something else.
    pub(super) fn set_entry(&mut self, fact: &Fact, there: bool) -> Option<()> {
        match fact {
            Fact::Rule { ns, rule } => {
                let place = (rule.ipv6, rule.priority);
                let rules = &mut self.space_mut(ns)?.rules;
                replace(rules, |r| (r.ipv6, r.priority) == place, there.then(|| rule.clone()));
                rules.sort_by_key(|r| (r.ipv6, r.priority));
            }
            Fact::IpSet { ns, set } => {
                let sets = &mut self.space_mut(ns)?.ipsets;
                replace(sets, |s| s.name == set.name, there.then(|| set.as_ref().clone()));
            }
            Fact::Table { ns, table } => {
                let same = |t: &Table| t.family == table.family && t.name == table.name;
                let tables = &mut self.space_mut(ns)?.ruleset.tables;
                let left = match there {
                    true => Some(table.clone()),
                    false => table.is_legacy().then(|| table.emptied()),
                };
                replace(tables, same, left);
            }
            Fact::AddressLabel { ns, net, dev, label } => {
                let link = self.label_link(ns, dev.as_ref())?;
                let labels = &mut self.space_mut(ns)?.address_labels;
                match there {
                    true => labels.set(AddressLabel { net: *net, link, label: *label }),
                    false => labels.unset(*net, link),
                }
            }
            Fact::Neighbour { link, ip, mac } => {
                let (space, at) = self.at(link)?;
                let entry = neighbour(at.link, *ip, *mac);
                let same = |n: &Neighbour| !n.proxy && n.link == at.link && n.ip == *ip;
                replace(&mut space.neighbours, same, there.then_some(entry));
            }
            Fact::Proxy { link, ip } => {
                let (space, at) = self.at(link)?;
                let entry = Neighbour {
                    proxy: true,
                    state: NeighbourState::None,
                    ..neighbour(at.link, *ip, None)
                };
                let same = |n: &Neighbour| n.proxy && n.link == at.link && n.ip == *ip;
                replace(&mut space.neighbours, same, there.then_some(entry));
            }
            Fact::Fdb { link, mac } => {
                let (space, at) = self.at(link)?;
                let same = |e: &FdbEntry| e.link == at.link && e.mac == *mac;
                replace(&mut space.fdb, same, there.then(|| said(at, *mac)));
            }
            Fact::Vlan { link, id, pvid, untagged } => {
                let (space, At { link, .. }) = self.at(link)?;
                let (id, pvid, untagged) = (*id, *pvid, *untagged);
                let entry = BridgeVlan { link, id, pvid, untagged };
                replace(&mut space.vlans, |v| (v.link, v.id) == (link, id), there.then_some(entry));
            }
            Fact::Mdb { link, group } => {
                let (space, at) = self.at(link)?;
                let group = Group::Ip(*group);
                let same = |e: &MdbEntry| e.port == at.link && e.group == group;
                replace(&mut space.mdb, same, there.then(|| wanted(at, group)));
            }
            Fact::Tc { link, tc } => {
                let index = |name: &String| Some(self.link(&LinkRef::new(&link.ns, name))?.index);
                let tc = tc.renamed(index).filter(|_| there).map(Box::new);
                self.link_mut(link)?.tc = tc;
            }
            Fact::Queue { link, queue } => {
                let queue = there.then(|| queue.clone());
                self.link_mut(link)?.queues = queue.into_iter().collect();
            }
            _ => return None,
        }
        Some(())
    }

    /// The namespace of a link, and what its entries there name.
    fn at(&mut self, name: &LinkRef) -> Option<(&mut Namespace, At)> {
        let master = self.link(name)?.master;
        let id = self.link_id(name)?;
        Some((self.spaces.get_mut(&id.ns)?, At { link: id.index, master }))
    }
}

#[derive(Clone, Copy)]
struct At {
    link: u32,
    master: Option<u32>,
}

/// Puts an entry in the place of those that are the same; without one, these go.
fn replace<T>(list: &mut Vec<T>, same: impl Fn(&T) -> bool, entry: Option<T>) {
    list.retain(|other| !same(other));
    list.extend(entry);
}

fn neighbour(link: u32, ip: IpAddr, mac: Option<Mac>) -> Neighbour {
    let known = mac.map(|_| NeighbourState::Permanent);
    let state = known.unwrap_or(NeighbourState::Reachable);
    Neighbour { link, ip, mac, state, proxy: false }
}

/// What a person says of a bridge's table.
fn said(at: At, mac: Mac) -> FdbEntry {
    FdbEntry {
        link: at.link,
        master: at.master,
        mac,
        vlan: None,
        local: false,
        is_static: true,
        own: false,
        locked: false,
        age: None,
        remote: None,
    }
}

/// A group is wanted behind a port, or by a bridge's own host.
fn wanted(at: At, group: Group) -> MdbEntry {
    MdbEntry {
        bridge: at.master.unwrap_or(at.link),
        port: at.link,
        group,
        source: None,
        vlan: 0,
        permanent: at.master.is_some(),
    }
}
