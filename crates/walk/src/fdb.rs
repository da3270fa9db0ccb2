//! A bridge's table: which address is behind which port.

use model::{BridgePort, FdbEntry, LinkId, Mac};

use crate::skb::Skb;
use crate::walker::Walker;
use crate::{Action, Sink, Stage};

/// What a bridge knows of a frame's destination.
pub(crate) enum Destination {
    /// Everybody, or a group.
    Group,
    /// The bridge or its port: this host.
    Own,
    /// Behind that port.
    Behind { port: u32, entry: FdbEntry, learned_now: bool },
    /// Nothing.
    NotKnown,
}

impl<S: Sink> Walker<'_, '_, S> {
    /// `br_fdb_update`: the source is behind that port. `locked`: only noted as one that may not
    /// send yet.
    pub(crate) fn learn(&mut self, skb: &Skb, bridge: LinkId, port: LinkId, locked: bool) {
        let Some(mac) = skb.packet.src_mac.filter(|m| !m.is_group()) else { return };
        let behind = self.behind(bridge, mac);
        if self.is_own_mac(bridge, mac) || behind.is_some_and(|(p, ..)| p == port.index) {
            return;
        }
        let entry = FdbEntry {
            link: port.index,
            master: Some(bridge.index),
            mac,
            vlan: None,
            local: false,
            is_static: false,
            own: false,
            locked,
            age: Some(0),
            remote: None,
        };
        self.overlay.fdb.insert((bridge, mac), entry);
        self.tell(skb, Stage::Bridge, || Action::Learned { bridge, port, mac });
    }

    /// `br_handle_frame_finish`: whether a locked port takes a frame in: only from a source that is
    /// known to be behind it.
    pub(crate) fn unlocks(
        &mut self,
        skb: &Skb,
        bridge: LinkId,
        port: LinkId,
        flags: &BridgePort,
    ) -> bool {
        let Some(mac) = skb.packet.src_mac else { return false };
        let known = self.behind(bridge, mac);
        if known.is_none() && flags.mab {
            self.learn(skb, bridge, port, true);
        }
        known.is_some_and(|(behind, entry, _)| behind == port.index && !entry.locked)
    }

    /// Behind which port an address is, by which entry, and whether it was learned just now.
    pub(crate) fn behind(&self, bridge: LinkId, mac: Mac) -> Option<(u32, FdbEntry, bool)> {
        if let Some(entry) = self.overlay.fdb.get(&(bridge, mac)) {
            return Some((entry.link, entry.clone(), true));
        }
        let read = self.known_place(bridge.ns)?.fdb(bridge.index, mac);
        read.filter(|e| !e.local).map(|e| (e.link, e.clone(), false))
    }

    /// The bridge's own address, or that of one of its ports.
    fn is_own_mac(&self, id: LinkId, mac: Mac) -> bool {
        let Some(place) = self.known_place(id.ns) else { return false };
        place.is_own_mac(id.index, mac) || place.fdb(id.index, mac).is_some_and(|e| e.local)
    }

    /// `br_fdb_find_rcu`.
    pub(crate) fn destination(&self, id: LinkId, mac: Option<Mac>) -> Destination {
        let Some(mac) = mac else { return Destination::NotKnown };
        if mac.is_group() {
            return Destination::Group;
        }
        if self.is_own_mac(id, mac) {
            return Destination::Own;
        }
        match self.behind(id, mac) {
            Some((port, entry, learned_now)) => Destination::Behind { port, entry, learned_now },
            None => Destination::NotKnown,
        }
    }
}
