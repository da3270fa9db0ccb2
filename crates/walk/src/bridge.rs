//! A bridge: learning, its table, flooding, its ports' flags.

use model::{BridgePort, FdbEntry, Hook, Link, LinkId, LinkKind, Mac, Opaque, PortState};

use crate::bridge_hook::Part;
use crate::hook::Between;
use crate::link::VLAN_ROOM;
use crate::skb::{Arp, End, Next, Skb, Stop};
use crate::walker::Walker;
use crate::{Action, Cause, Disposition, Loss, Reason, Sink, Stage, Unknown};

/// Copies of copies of copies: more bridges than that behind one another are a loop.
const MAX_DEPTH: u32 = 24;

/// What a bridge knows of a frame's destination.
enum Destination {
    /// Everybody.
    Group,
    /// The bridge or its port: this host.
    Own,
    /// Behind that port.
    Behind { port: u32, entry: FdbEntry, learned_now: bool },
    /// Nothing.
    NotKnown,
}

impl<'a, S: Sink> Walker<'a, '_, S> {
    /// `br_handle_frame`: a frame comes in by a port.
    pub(crate) fn bridge_in(&mut self, skb: &mut Skb, port_id: LinkId) -> Result<Next, Stop> {
        let port = self.link(port_id, Stage::Bridge)?;
        let Some((flags, index)) = port.port.as_ref().zip(port.master) else {
            return Ok(Next::Up(port_id));
        };
        let id = LinkId { ns: port_id.ns, index };
        let bridge = self.link(id, Stage::Bridge)?;
        let lost = |link, reason| Err(Stop::lost(Stage::Bridge, id.ns, Some(link), reason));
        if !bridge.is_up() {
            return lost(id, Reason::LinkDown);
        }
        if !matches!(flags.state, PortState::Forwarding | PortState::Learning) {
            return lost(port_id, Reason::PortBlocked(port_id));
        }
        self.bridge_modelled(skb, id, bridge, Some((port_id, flags)))?;
        skb.came_by = Some(port_id.index);
        let between = Between { iif: skb.came_by, oif: None };
        self.bridge_hook(skb, Hook::Prerouting, between, Part::Early)?;
        let redirected = self.filter_bridged_in(skb, id, port_id)?;
        self.bridge_hook(skb, Hook::Prerouting, between, Part::Late)?;
        if let Some(ip) = redirected {
            self.redirect(skb, id, ip)?;
        }
        self.learn(skb, id, port_id, flags);
        if flags.state == PortState::Learning {
            return lost(port_id, Reason::PortBlocked(port_id));
        }
        self.pass_on(skb, id, bridge, Some(port_id))
    }

    /// `br_dev_xmit`: the host sends by its bridge.
    pub(crate) fn bridge_out(&mut self, skb: &mut Skb, id: LinkId) -> Result<Next, Stop> {
        let bridge = self.link(id, Stage::Bridge)?;
        self.bridge_modelled(skb, id, bridge, None)?;
        skb.came_by = None;
        self.pass_on(skb, id, bridge, None)
    }

    /// Where a frame goes that came in by a port, or (None) from the host.
    fn pass_on(
        &mut self,
        skb: &mut Skb,
        id: LinkId,
        bridge: &Link,
        from: Option<LinkId>,
    ) -> Result<Next, Stop> {
        let lost = |link, reason| Err(Stop::lost(Stage::Bridge, id.ns, Some(link), reason));
        match self.destination(id, skb.packet.dst_mac) {
            Destination::Own if from.is_some() => self.bridge_up(skb, id, bridge),
            Destination::Own => lost(id, Reason::NoPort),
            Destination::Behind { port, entry, learned_now } => {
                let port = LinkId { ns: id.ns, index: port };
                self.no_backup(port)?;
                if bridge.promiscuous && from.is_some() && self.refuses(port, from).is_none() {
                    return self.flood_copies(skb, id, bridge, vec![port], true, None);
                }
                if let Some(reason) = self.refuses(port, from) {
                    return lost(port, reason);
                }
                self.tell(skb, Stage::Bridge, || Action::BridgeForward {
                    bridge: id,
                    port,
                    entry,
                    learned_now,
                });
                self.through_port(skb, id, port)
            }
            Destination::Group => self.flood(skb, id, bridge, from, true),
            Destination::NotKnown => self.flood(skb, id, bridge, from, false),
        }
    }

    /// A port without carrier may have another to stand in for it, which is not modelled.
    fn no_backup(&self, port: LinkId) -> Result<(), Stop> {
        let link = self.link(port, Stage::Bridge)?;
        let backup = link.port.as_ref().and_then(|p| p.backup_port);
        if backup.is_some() && self.cannot_send(link).is_some() {
            let what = "backup port".to_owned();
            return Err(Stop::unknown(Stage::Bridge, Unknown::Link { link: port, what }));
        }
        Ok(())
    }

    /// What of a bridge is not modelled.
    fn bridge_modelled(
        &mut self,
        skb: &Skb,
        id: LinkId,
        link: &Link,
        port: Option<(LinkId, &BridgePort)>,
    ) -> Result<(), Stop> {
        let place = self.place(id.ns, Stage::Bridge)?;
        let stop = |unknown| Err(Stop::unknown(Stage::Bridge, unknown));
        let on_link = |link, what: &str| stop(Unknown::Link { link, what: what.to_owned() });
        let LinkKind::Bridge(bridge) = &link.kind else {
            return on_link(id, "master of its ports, but no bridge");
        };
        if bridge.vlan_filtering {
            return on_link(id, "VLAN filtering");
        }
        if let Some((port_id, _)) = port.filter(|(_, flags)| flags.locked) {
            return on_link(port_id, "locked port");
        }
        // Without the settings it is not known whether br_netfilter looks at the packet.
        let settings: &[&str] = if skb.arp.is_some() { &[] } else { &["sysctls"] };
        self.lean_on(skb, Stage::Bridge, &[&["fdb", "links", "ports"], settings].concat())?;
        if place.ns.opaque.contains(&Opaque::LegacyEbtables) {
            return stop(Unknown::Opaque { ns: id.ns, what: Opaque::LegacyEbtables });
        }
        self.bridge_arp_modelled(skb, id)
    }

    /// Answering ARP in the bridge is not modelled.
    fn bridge_arp_modelled(&self, skb: &Skb, id: LinkId) -> Result<(), Stop> {
        if skb.arp.is_none() {
            return Ok(());
        }
        let place = self.place(id.ns, Stage::Bridge)?;
        for port in place.ports(id.index) {
            let Some(flags) = &port.port else { continue };
            let what = match flags {
                BridgePort { neigh_suppress: true, .. } => "neigh_suppress",
                BridgePort { proxy_arp: true, .. } => "proxy_arp of a port",
                _ => continue,
            };
            let link = LinkId { ns: id.ns, index: port.index };
            let unknown = Unknown::Link { link, what: what.to_owned() };
            return Err(Stop::unknown(Stage::Bridge, unknown));
        }
        Ok(())
    }

    fn learn(&mut self, skb: &Skb, bridge: LinkId, port: LinkId, flags: &BridgePort) {
        let Some(mac) = skb.packet.src_mac.filter(|m| flags.learning && !m.is_group()) else {
            return;
        };
        let behind = self.behind(bridge, mac);
        if self.is_own_mac(bridge, mac) || behind.is_some_and(|(p, _, _)| p == port.index) {
            return;
        }
        self.overlay.fdb.insert((bridge, mac), port.index);
        self.tell(skb, Stage::Bridge, || Action::Learned { bridge, port, mac });
    }

    /// Behind which port an address is, by which entry, and whether it was learned just now.
    fn behind(&self, bridge: LinkId, mac: Mac) -> Option<(u32, FdbEntry, bool)> {
        let read = self.net.place(bridge.ns)?.fdb(bridge.index, mac);
        match self.overlay.fdb.get(&(bridge, mac)) {
            Some(port) => {
                let entry = FdbEntry {
                    link: *port,
                    master: Some(bridge.index),
                    mac,
                    vlan: None,
                    local: false,
                    is_static: false,
                    own: false,
                    age: Some(0),
                    remote: None,
                };
                Some((*port, entry, true))
            }
            None => read.filter(|e| !e.local).map(|e| (e.link, e.clone(), false)),
        }
    }

    /// The bridge's own address, or that of one of its ports.
    fn is_own_mac(&self, id: LinkId, mac: Mac) -> bool {
        let Some(place) = self.net.place(id.ns) else { return false };
        self.net.link(id).is_some_and(|l| l.mac == Some(mac))
            || place.ports(id.index).iter().any(|p| p.mac == Some(mac))
            || place.fdb(id.index, mac).is_some_and(|e| e.local)
    }

    fn destination(&self, id: LinkId, mac: Option<Mac>) -> Destination {
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

    /// `should_deliver`: why a port does not get the frame. `from` is None where the host sends.
    fn refuses(&self, id: LinkId, from: Option<LinkId>) -> Option<Reason> {
        let link = self.net.link(id)?;
        let flags = link.port.as_ref()?;
        if let Some(down) = self.cannot_send(link) {
            return Some(down);
        }
        if from == Some(id) && !flags.hairpin {
            return Some(Reason::NoHairpin(id));
        }
        if flags.state != PortState::Forwarding {
            return Some(Reason::PortBlocked(id));
        }
        let isolated =
            |id| self.net.link(id).and_then(|l| l.port.as_ref()).is_some_and(|p| p.isolated);
        (flags.isolated && from.is_some_and(isolated)).then_some(Reason::Isolated(id))
    }

    /// `__br_forward`: out by one port.
    fn through_port(&mut self, skb: &mut Skb, bridge: LinkId, to: LinkId) -> Result<Next, Stop> {
        let port = self.link(to, Stage::Bridge)?;
        let between = Between { iif: skb.came_by, oif: Some(to.index) };
        let hook = if skb.came_by.is_some() { Hook::Forward } else { Hook::Output };
        self.bridge_hook(skb, hook, between, Part::Early)?;
        self.filter_bridged(skb, bridge, to)?;
        self.bridge_hook(skb, hook, between, Part::Late)?;
        let behind = Between { iif: None, oif: between.oif };
        self.bridge_hook(skb, Hook::Postrouting, behind, Part::Early)?;
        self.bridge_hook(skb, Hook::Postrouting, behind, Part::Late)?;
        self.filter_bridged_out(skb, bridge)?;
        if skb.wire_len() > port.mtu + VLAN_ROOM {
            let reason = Reason::TooBig { mtu: port.mtu, told: false };
            return Err(Stop::lost(Stage::Bridge, to.ns, Some(to), reason));
        }
        Ok(Next::Transmit(to))
    }

    /// `br_pass_frame_up`: for the host, by the bridge as a link of its own.
    fn bridge_up(&mut self, skb: &mut Skb, id: LinkId, bridge: &Link) -> Result<Next, Stop> {
        let ours = skb.ours || skb.packet.dst_mac == bridge.mac;
        let between = Between { iif: skb.came_by.take(), oif: None };
        self.bridge_hook(skb, Hook::Input, between, Part::Early)?;
        self.bridge_hook(skb, Hook::Input, between, Part::Late)?;
        self.tell(skb, Stage::Bridge, || Action::BridgeUp { bridge: id });
        if skb.arp.is_some() {
            self.heard.push(id);
        }
        self.tell(skb, Stage::Receive, || Action::In { link: id, bridge: None });
        skb.ours = ours;
        self.traffic_control(skb, id, bridge, Hook::Ingress)?;
        self.handle(skb, id, bridge)
    }

    /// `br_flood`: a copy for every port that takes it, and for the host where it is for all.
    fn flood(
        &mut self,
        skb: &mut Skb,
        id: LinkId,
        bridge: &Link,
        from: Option<LinkId>,
        group: bool,
    ) -> Result<Next, Stop> {
        let place = self.place(id.ns, Stage::Bridge)?;
        let mut ports = Vec::new();
        let mut blame = None;
        for port in place.ports(id.index) {
            let to = LinkId { ns: id.ns, index: port.index };
            let Some(flags) = &port.port else { continue };
            let floods = if group { flags.bcast_flood || from.is_none() } else { flags.flood };
            match self.refuses(to, from) {
                Some(Reason::NoHairpin(_)) => {}
                Some(reason) => {
                    blame.get_or_insert(Loss { ns: id.ns, link: Some(to), reason });
                }
                None if floods => ports.push(to),
                None => {}
            }
        }
        let up = (group || bridge.promiscuous) && from.is_some();
        if ports.len() == 1 && !up {
            let to = ports[0];
            self.tell(skb, Stage::Bridge, || Action::BridgeFlood {
                bridge: id,
                ports,
                followed: Some(to),
            });
            return self.through_port(skb, id, to);
        }
        self.flood_copies(skb, id, bridge, ports, up, blame)
    }

    /// Follows each copy, and then tells the one that came furthest as this packet's own way.
    fn flood_copies(
        &mut self,
        skb: &Skb,
        id: LinkId,
        bridge: &Link,
        ports: Vec<LinkId>,
        up: bool,
        blame: Option<Loss>,
    ) -> Result<Next, Stop> {
        if self.depth >= MAX_DEPTH {
            let what = "floods into itself: a loop of bridges".to_owned();
            return Err(Stop::unknown(Stage::Bridge, Unknown::Link { link: id, what }));
        }
        let mut copies: Vec<(LinkId, End, S)> = Vec::new();
        for to in &ports {
            let (end, way) = self.copy(skb, |walker, copy| walker.through_port(copy, id, *to));
            copies.push((*to, end, way));
        }
        if up {
            let (end, way) = self.copy(skb, |walker, copy| walker.bridge_up(copy, id, bridge));
            copies.push((id, end, way));
        }
        let best =
            (0..copies.len()).max_by_key(|i| (rank(&copies[*i].1.disposition), usize::MAX - i));
        let wanted = best.filter(|i| copies[*i].1.disposition != Disposition::Ignored);
        // Where nobody wants a copy, the packet is lost here, unless it is a copy itself.
        let lost = blame.unwrap_or(Loss { ns: id.ns, link: Some(id), reason: Reason::NoPort });
        let request = skb.arp == Some(Arp::Request);
        let followed = wanted.map(|i| copies[i].0);
        self.tell(skb, Stage::Bridge, || Action::BridgeFlood { bridge: id, ports, followed });
        let mut own = None;
        for (i, (to, end, way)) in copies.into_iter().enumerate() {
            if Some(i) == wanted {
                own = Some((end, way));
            } else {
                self.sink.child(Cause::Copy(to), &skb.packet, way, &end.disposition);
            }
        }
        match own {
            Some((end, way)) => {
                self.sink.go_on(way);
                Ok(Next::Done(Box::new(end)))
            }
            None if request && lost.reason == Reason::NoPort => Err(Stop::ignored(Stage::Bridge)),
            None if skb.spare => Err(Stop::ignored(Stage::Bridge)),
            None => Err(Stop::new(Stage::Bridge, Disposition::Lost(lost))),
        }
    }

    fn copy(
        &mut self,
        skb: &Skb,
        first: impl FnOnce(&mut Self, &mut Skb) -> Result<Next, Stop>,
    ) -> (End, S) {
        let mut copy = skb.clone();
        copy.spare = true;
        let branch = self.sink.branch();
        let own = std::mem::replace(&mut self.sink, branch);
        let assumed = self.assumed.clone();
        self.depth += 1;
        let end = match first(self, &mut copy) {
            Ok(next) => self.run(copy, next),
            Err(stop) => {
                self.tell_end(&copy, &stop);
                stop.end(copy)
            }
        };
        self.depth -= 1;
        self.assumed = assumed;
        (end, std::mem::replace(&mut self.sink, own))
    }
}

/// How far a copy came; the furthest is told as the packet's own way.
pub(crate) const fn rank(disposition: &Disposition) -> u8 {
    match disposition {
        Disposition::Delivered(_) => 4,
        Disposition::Left(_) => 3,
        Disposition::Unknown(_) => 2,
        Disposition::Lost(_) => 1,
        Disposition::Ignored => 0,
    }
}
