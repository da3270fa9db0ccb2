//! A bridge's table: which address is behind which port.

use model::{BridgePort, FdbEntry, LinkKind, Mac};

use crate::indexed::Place;
use crate::links::{Spot, Station};
use crate::skb::{Skb, shifted};
use crate::walker::Walker;
use crate::{Action, Overlay, Sink, Stage};

/// What a bridge has learned of an address, and at which moments, in their order. A frame that comes
/// before one of them is not yet led by it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lessons(Vec<(u32, FdbEntry)>);

impl Lessons {
    /// What was last learned by then.
    fn by(&self, moment: u32) -> Option<&FdbEntry> {
        self.0.iter().rev().find(|(learned, _)| *learned <= moment).map(|(_, entry)| entry)
    }

    fn learn(&mut self, moment: u32, entry: FdbEntry) {
        let at = self.0.partition_point(|(learned, _)| *learned <= moment);
        self.0.insert(at, (moment, entry));
    }

    /// The same, learned of something that began that much later.
    pub(crate) fn shifted(&self, later: i64) -> Self {
        let at = |(moment, entry): &(u32, FdbEntry)| (shifted(*moment, later), entry.clone());
        Self(self.0.iter().map(at).collect())
    }
}

/// What a bridge knows of a frame's destination.
pub(crate) enum Destination<'x> {
    /// Everybody, or a group.
    Group,
    /// The bridge or its port: this host.
    Own,
    /// Behind the port that the entry names.
    Behind { entry: &'x FdbEntry, learned_now: bool },
    /// Nothing.
    NotKnown,
}

impl<'a, S: Sink> Walker<'a, '_, S> {
    /// `br_fdb_update`: the source is behind that port. `locked`: only noted as one that may not
    /// send yet.
    #[inline(always)]
    pub(crate) fn learn(&mut self, skb: &Skb, bridge: Spot<'a>, port: Spot<'a>, locked: bool) {
        let Some(mac) = skb.packet.src_mac.filter(|m| !m.is_group()) else { return };
        let vlan = skb.vlan.unwrap_or(0);
        let station = self.home(bridge).station(bridge, vlan, mac);
        let behind = || self.overlay.behind(bridge, skb, mac, station);
        if station.is_own() || behind().is_some_and(|(entry, _)| entry.link == port.index) {
            return;
        }
        if behind().is_some() || !self.is_full(skb, bridge) {
            self.learn_anew(skb, bridge, port, mac, locked);
        }
    }

    fn learn_anew(&mut self, skb: &Skb, bridge: Spot<'a>, port: Spot<'a>, mac: Mac, locked: bool) {
        let entry = FdbEntry {
            link: port.index,
            master: Some(bridge.index),
            mac,
            vlan: skb.vlan,
            local: false,
            is_static: false,
            own: false,
            locked,
            age: Some(0),
            remote: None,
        };
        self.overlay.fdb.entry((bridge.id, skb.vlan.unwrap_or(0), mac)).learn(skb.moment, entry);
        let (bridge, port) = (bridge.id, port.id);
        self.tell(skb, Stage::Bridge, || Action::Learned { bridge, port, mac });
    }

    /// `fdb_create`: whether a bridge has learned as many addresses as it may.
    fn is_full(&self, skb: &Skb, bridge: Spot<'a>) -> bool {
        let LinkKind::Bridge(own) = &bridge.kind else { return false };
        let (most, place) = (own.fdb_max_learned, self.home(bridge));
        if most == 0 {
            return false;
        }
        let learned =
            |e: &&FdbEntry| e.master == Some(bridge.index) && !(e.local || e.is_static || e.own);
        let read = place.ns.fdb.iter().filter(learned).count();
        let new = self.overlay.fdb.all().filter(|((of, vlan, mac), lessons)| {
            let known = place.station(bridge, *vlan, *mac).entry.is_some();
            *of == bridge.id && !known && lessons.by(skb.moment).is_some()
        });
        u32::try_from(read + new.count()).is_ok_and(|all| all >= most)
    }

    /// `br_handle_frame_finish`: whether a locked port takes a frame in: only from a source that is
    /// known to be behind it.
    pub(crate) fn unlocks(
        &mut self,
        skb: &Skb,
        bridge: Spot<'a>,
        port: Spot<'a>,
        flags: &BridgePort,
    ) -> bool {
        let Some(mac) = skb.packet.src_mac else { return false };
        let vlan = skb.vlan.unwrap_or(0);
        let station = self.home(bridge).station(bridge, vlan, mac);
        let behind = self.overlay.behind(bridge, skb, mac, station);
        let known = behind.map(|(entry, _)| entry.link == port.index && !entry.locked);
        if known.is_none() && flags.mab {
            self.learn(skb, bridge, port, true);
        }
        known.unwrap_or(false)
    }
}

impl Overlay {
    /// By which entry an address is behind a port, in the VLAN of a frame; and whether it was learned
    /// just now.
    pub(crate) fn behind<'x>(
        &'x self,
        bridge: Spot<'_>,
        skb: &Skb,
        mac: Mac,
        read: Station<'x>,
    ) -> Option<(&'x FdbEntry, bool)> {
        let key = || (bridge.id, skb.vlan.unwrap_or(0), mac);
        let learned = self.fdb.get_by(key).and_then(|all| all.by(skb.moment));
        let read = || read.entry.filter(|entry| !entry.local);
        learned.map(|entry| (entry, true)).or_else(|| read().map(|entry| (entry, false)))
    }

    /// `br_fdb_find_rcu`.
    #[inline(always)]
    pub(crate) fn destination<'x>(
        &'x self,
        place: &'x Place<'_>,
        bridge: Spot<'x>,
        skb: &Skb,
    ) -> Destination<'x> {
        let vlan = skb.vlan.unwrap_or(0);
        let Some(mac) = skb.packet.dst_mac else { return Destination::NotKnown };
        if mac.is_group() {
            return Destination::Group;
        }
        let station = place.station(bridge, vlan, mac);
        if station.is_own() {
            return Destination::Own;
        }
        match self.behind(bridge, skb, mac, station) {
            Some((entry, learned_now)) => Destination::Behind { entry, learned_now },
            None => Destination::NotKnown,
        }
    }
}
