//! A bridge: learning, its table, flooding, its ports' flags.

use model::{Bridge, BridgePort, Hook, Link, LinkId, LinkKind, Mac, Opaque, PortState, StpState};

use crate::bridge_hook::Part;
use crate::fdb::Destination;
use crate::hook::Between;
use crate::indexed::Place;
use crate::link::VLAN_ROOM;
use crate::links::LinkIndex;
use crate::silent::{Hearers, MOVES};
use crate::skb::{End, Next, Skb, Stop};
use crate::walker::{Walker, link_not_read, tell};
use crate::{Action, Cause, Disposition, Indexed, Loss, Reason, Sink, Stage, Unknown};

/// Copies of copies of copies: more bridges than that behind one another are a loop.
const MAX_DEPTH: u32 = 24;

/// A port that a flooded frame goes out by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exit {
    pub(crate) port: LinkId,
    /// The link behind it, if nothing comes of it there.
    pub(crate) heard_by: Option<LinkId>,
}

impl<'a, S: Sink> Walker<'a, '_, S> {
    /// `br_handle_frame`: a frame comes in by a port.
    pub(crate) fn bridge_in(&mut self, skb: &mut Skb, port_id: LinkId) -> Result<Next, Stop> {
        let place = self.place(port_id.ns, Stage::Bridge)?;
        let port = spot(place, port_id)?;
        let Some((flags, index)) = port.port.as_ref().zip(port.master) else {
            return Ok(Next::Up(port_id));
        };
        let id = LinkId { ns: port_id.ns, index };
        let bridge = spot(place, id)?;
        let lost = |link, reason| Err(Stop::lost(Stage::Bridge, id.ns, Some(link), reason));
        if !bridge.is_up() {
            return lost(id, Reason::LinkDown);
        }
        let settings = self.bridge_modelled(skb, id, bridge)?;
        if let Some(address) = skb.packet.dst_mac.and_then(reserved)
            && !forwards_reserved(address, settings, flags)
        {
            return match address {
                1 => lost(port_id, Reason::Pause),
                _ => self.keep_reserved(skb, id, port_id, address),
            };
        }
        if !matches!(flags.state, PortState::Forwarding | PortState::Learning) {
            return lost(port_id, Reason::PortBlocked(port_id));
        }
        (skb.came_by, skb.routed, skb.way_mtu) = (Some(port_id.index), false, None);
        let for_host = skb.ours || skb.packet.dst_mac == bridge.mac;
        let between = Between { iif: skb.came_by, oif: None };
        self.bridge_hook(skb, place, Hook::Prerouting, between, Part::Early)?;
        let redirected = self.filter_bridged_in(skb, place, id, bridge, port_id)?;
        self.bridge_hook(skb, place, Hook::Prerouting, between, Part::Late)?;
        if let Some(ip) = redirected {
            self.redirect(skb, id, ip)?;
            // As what it came stays (PACKET_HOST), whomever it is for now.
            skb.ours = for_host;
        }
        skb.vlan = None;
        if settings.vlan_filtering {
            self.enter_vlan(skb, id, port_id)?;
        }
        if flags.locked && !self.unlocks(skb, place, id, port_id, flags) {
            return lost(port_id, Reason::PortLocked(port_id));
        }
        if flags.learning && settings.ageing_time != 0 {
            self.learn(skb, place, id, port_id, false);
        }
        if flags.state == PortState::Learning {
            return lost(port_id, Reason::PortBlocked(port_id));
        }
        self.answer_in_bridge(skb, id, Some((port_id, flags)));
        self.pass_on(skb, place, id, bridge, Some(port_id))
    }

    /// `br_handle_local_finish`: what is for a reserved address is for this host alone, and comes by
    /// the port as a link of its own. (LLDP and a spanning tree's frames meet no hook.)
    fn keep_reserved(
        &mut self,
        skb: &mut Skb,
        id: LinkId,
        port_id: LinkId,
        address: u8,
    ) -> Result<Next, Stop> {
        let place = self.place(id.ns, Stage::Bridge)?;
        if !matches!(address, 0 | 0x0e) {
            let between = Between { iif: Some(port_id.index), oif: None };
            self.bridge_hook(skb, place, Hook::Input, between, Part::Early)?;
            self.bridge_hook(skb, place, Hook::Input, between, Part::Late)?;
        }
        let port = self.link(port_id, Stage::Bridge)?.port.as_ref();
        let learns = |p: &&BridgePort| {
            p.learning && matches!(p.state, PortState::Forwarding | PortState::Learning)
        };
        let spared = matches!(&self.link(id, Stage::Bridge)?.kind, LinkKind::Bridge(b) if b.no_linklocal_learn);
        if port.filter(learns).is_some() && !spared {
            let mut of_vlan = skb.clone();
            if self.enter_vlan(&mut of_vlan, id, port_id).is_ok() {
                self.learn(&of_vlan, place, id, port_id, false);
            }
        }
        Ok(Next::Up(port_id))
    }

    /// `br_dev_xmit`: the host sends by its bridge.
    pub(crate) fn bridge_out(&mut self, skb: &mut Skb, id: LinkId) -> Result<Next, Stop> {
        let place = self.place(id.ns, Stage::Bridge)?;
        let bridge = spot(place, id)?;
        let settings = self.bridge_modelled(skb, id, bridge)?;
        (skb.came_by, skb.vlan) = (None, None);
        if settings.vlan_filtering {
            self.enter_vlan(skb, id, id)?;
        }
        self.answer_in_bridge(skb, id, None);
        self.pass_on(skb, place, id, bridge, None)
    }

    /// Where a frame goes that came in by a port, or (None) from the host.
    fn pass_on(
        &mut self,
        skb: &mut Skb,
        place: &'a Place<'a>,
        id: LinkId,
        bridge: &'a LinkIndex<'a>,
        from: Option<LinkId>,
    ) -> Result<Next, Stop> {
        let lost = |link, reason| Err(Stop::lost(Stage::Bridge, id.ns, Some(link), reason));
        match self.overlay.destination(place, id, skb) {
            Destination::Own if from.is_some() => self.bridge_up(skb, id, bridge),
            Destination::Own => lost(id, Reason::NoPort),
            Destination::Behind { entry, learned_now } => {
                let port = LinkId { ns: id.ns, index: entry.link };
                let port = or_backup(place, port, self.net);
                let refused = self.refuses(skb, place, port.index, from);
                if bridge.promiscuous && from.is_some() {
                    // The host gets it, whether the port takes it or not.
                    let exit = Exit { port, heard_by: None };
                    let exits = refused.is_none().then_some(exit).into_iter().collect();
                    return self.flood_copies(skb, id, bridge, exits, true, None);
                }
                if let Some(reason) = refused {
                    return lost(port, reason);
                }
                tell(&mut self.sink, skb, Stage::Bridge, || Action::BridgeForward {
                    bridge: id,
                    port,
                    entry: entry.clone(),
                    learned_now,
                });
                self.through_port(skb, place, id, port)
            }
            Destination::Group => match self.hand_to_members(skb, id, bridge, from)? {
                Some(next) => Ok(next),
                None => self.flood(skb, id, bridge, from, true),
            },
            Destination::NotKnown => self.flood(skb, id, bridge, from, false),
        }
    }

    /// What of a bridge is not modelled.
    #[inline]
    fn bridge_modelled(
        &mut self,
        skb: &Skb,
        id: LinkId,
        link: &'a LinkIndex<'a>,
    ) -> Result<&'a Bridge, Stop> {
        match &link.link.kind {
            LinkKind::Bridge(bridge) if link.settled.plain_bridge => Ok(bridge),
            _ => self.bridge_not_plain(skb, id, link),
        }
    }

    fn bridge_not_plain(
        &mut self,
        skb: &Skb,
        id: LinkId,
        link: &'a Link,
    ) -> Result<&'a Bridge, Stop> {
        let place = self.place(id.ns, Stage::Bridge)?;
        let stop = |unknown| Err(Stop::unknown(Stage::Bridge, unknown));
        let on_link = |link, what: &str| stop(Unknown::Link { link, what: what.to_owned() });
        let LinkKind::Bridge(bridge) = &link.kind else {
            return on_link(id, "master of its ports, but no bridge");
        };
        self.vlans_modelled(skb, id, bridge)?;
        // Without the settings it is not known whether br_netfilter looks at the packet.
        let parts: &[&str] = match skb.arp {
            Some(_) => &["fdb", "links", "ports"],
            None => &["fdb", "links", "ports", "sysctls"],
        };
        self.lean_on(skb, Stage::Bridge, parts)?;
        if place.ns.opaque.contains(&Opaque::LegacyEbtables) {
            return stop(Unknown::Opaque { ns: id.ns, what: Opaque::LegacyEbtables });
        }
        Ok(bridge)
    }

    /// `should_deliver`: why a port does not get the frame. `from` is None where the host sends.
    pub(crate) fn refuses(
        &self,
        skb: &Skb,
        place: &'a Place<'a>,
        port: u32,
        from: Option<LinkId>,
    ) -> Option<Reason> {
        let id = LinkId { ns: place.id, index: port };
        let link = place.link_index(port)?;
        let flags = link.port.as_ref()?;
        if let Some(down) = self.cannot_send(link) {
            return Some(down);
        }
        if from.is_some_and(|from| from.index == port) && !flags.hairpin {
            return Some(Reason::NoHairpin(id));
        }
        if flags.state != PortState::Forwarding {
            return Some(Reason::PortBlocked(id));
        }
        if let Some(reason) = self.outside_vlan(skb, id) {
            return Some(reason);
        }
        let isolated =
            |id: LinkId| place.link(id.index)?.port.as_ref().filter(|port| port.isolated);
        (flags.isolated && from.and_then(isolated).is_some()).then_some(Reason::Isolated(id))
    }

    /// `__br_forward`: out by one port.
    pub(crate) fn through_port(
        &mut self,
        skb: &mut Skb,
        place: &'a Place<'a>,
        bridge: LinkId,
        to: LinkId,
    ) -> Result<Next, Stop> {
        let port = spot(place, to)?;
        if skb.vlan.is_some() {
            self.leave_vlan(skb, bridge, to);
        }
        let between = Between { iif: skb.came_by, oif: Some(to.index) };
        let hook = if skb.came_by.is_some() { Hook::Forward } else { Hook::Output };
        self.bridge_hook(skb, place, hook, between, Part::Early)?;
        self.filter_bridged(skb, place, bridge, to)?;
        self.bridge_hook(skb, place, hook, between, Part::Late)?;
        let behind = Between { iif: None, oif: between.oif };
        self.bridge_hook(skb, place, Hook::Postrouting, behind, Part::Early)?;
        self.bridge_hook(skb, place, Hook::Postrouting, behind, Part::Late)?;
        self.filter_bridged_out(skb, place, bridge)?;
        self.refragment(skb, bridge, to, port.mtu)?;
        if skb.wire_len() > port.mtu + VLAN_ROOM {
            let reason = Reason::TooBig { mtu: port.mtu, told: false };
            return Err(Stop::lost(Stage::Bridge, to.ns, Some(to), reason));
        }
        Ok(Next::Transmit(to))
    }

    /// `br_pass_frame_up`: for the host, by the bridge as a link of its own.
    pub(crate) fn bridge_up(
        &mut self,
        skb: &mut Skb,
        id: LinkId,
        bridge: &'a LinkIndex<'a>,
    ) -> Result<Next, Stop> {
        let place = self.place(id.ns, Stage::Bridge)?;
        let ours = skb.ours || skb.packet.dst_mac == bridge.mac;
        let overheard = bridge.promiscuous
            && !matches!(self.overlay.destination(place, id, skb), Destination::Own);
        if let Some(reason) = self.outside_vlan(skb, id).filter(|_| !bridge.promiscuous) {
            return Err(Stop::lost(Stage::Bridge, id.ns, Some(id), reason));
        }
        self.leave_vlan(skb, id, id);
        let between = Between { iif: skb.came_by.take(), oif: None };
        self.bridge_hook(skb, place, Hook::Input, between, Part::Early)?;
        self.bridge_hook(skb, place, Hook::Input, between, Part::Late)?;
        if (!ours || overheard) && skb.physin.is_some() {
            self.confirm_up(skb, bridge)?;
        }
        self.put_together(skb)?;
        self.tell(skb, Stage::Bridge, || Action::BridgeUp { bridge: id });
        if skb.is_discovery() {
            self.heard.push(id);
        }
        self.tell(skb, Stage::Receive, || Action::In { link: id, bridge: None });
        skb.ours = ours;
        if let Some(next) = self.traffic_control(skb, id, bridge, Hook::Ingress)? {
            return Ok(next);
        }
        self.handle(skb, id, bridge)
    }

    /// `br_flood`: a copy for every port that takes it, and for the host where it is for all.
    fn flood(
        &mut self,
        skb: &mut Skb,
        id: LinkId,
        bridge: &'a LinkIndex<'a>,
        from: Option<LinkId>,
        group: bool,
    ) -> Result<Next, Stop> {
        let place = self.place(id.ns, Stage::Bridge)?;
        let (exits, blame) = self.exits(skb, place, id, from, group);
        let own = group && self.outside_vlan(skb, id).is_none();
        let up = (own || bridge.promiscuous) && from.is_some();
        if let [Exit { port: to, .. }] = exits[..]
            && !up
        {
            self.tell(skb, Stage::Bridge, || Action::BridgeFlood {
                bridge: id,
                ports: vec![to],
                followed: Some(to),
            });
            return self.through_port(skb, place, id, to);
        }
        self.flood_copies(skb, id, bridge, exits, up, blame)
    }

    /// The ports that take it; and why the first that would does not.
    fn exits(
        &self,
        skb: &Skb,
        place: &'a Place<'a>,
        id: LinkId,
        from: Option<LinkId>,
        group: bool,
    ) -> (Vec<Exit>, Option<Loss>) {
        let hearers = self.hearers(skb, id);
        let mut exits = Vec::new();
        let (mut blame, mut outside) = (None, None);
        for (at, port) in place.ports(id.index).iter().enumerate() {
            let to = LinkId { ns: id.ns, index: port.index };
            let heard_by = hearers.and_then(|all| all.behind(at)).filter(|_| from != Some(to));
            if heard_by.is_some() {
                exits.push(Exit { port: to, heard_by });
                continue;
            }
            let Some(flags) = &port.port else { continue };
            let floods = floods_to(skb, flags, group, from.is_none());
            match self.refuses(skb, place, port.index, from) {
                Some(Reason::NoHairpin(_)) => {}
                // Those of other VLANs are rightly left out.
                Some(reason @ Reason::NotInVlan { .. }) => {
                    outside.get_or_insert(Loss { ns: id.ns, link: Some(to), reason });
                }
                Some(reason) => {
                    blame.get_or_insert(Loss { ns: id.ns, link: Some(to), reason });
                }
                None if floods => exits.push(Exit { port: to, heard_by }),
                None => {}
            }
        }
        if exits.is_empty() {
            blame = blame.or(outside);
        }
        (exits, blame)
    }

    /// Who would only hear a question in vain, where nobody wants to be told of each.
    fn hearers(&self, skb: &Skb, bridge: LinkId) -> Option<Hearers<'a>> {
        let net: &'a Indexed<'a> = self.net;
        if S::KEEPS || !skb.tags.is_empty() { None } else { net.silent(bridge)?.hearers(skb) }
    }

    /// A copy that is heard in vain: what walking it would come to.
    fn heard_in_vain(&mut self, exit: &Exit) -> bool {
        let (Some(end), Some(left)) = (exit.heard_by, self.budget.checked_sub(MOVES)) else {
            return false;
        };
        self.budget = left;
        self.heard.push(end);
        true
    }

    /// Follows each copy, and then tells the one that came furthest as this packet's own way.
    pub(crate) fn flood_copies(
        &mut self,
        skb: &Skb,
        id: LinkId,
        bridge: &'a LinkIndex<'a>,
        exits: Vec<Exit>,
        up: bool,
        blame: Option<Loss>,
    ) -> Result<Next, Stop> {
        if self.depth >= MAX_DEPTH {
            let what = "floods into itself: a loop of bridges".to_owned();
            self.overlay.storm = Some(Unknown::Link { link: id, what });
        }
        self.no_storm(Stage::Bridge)?;
        let mut copies: Vec<(LinkId, End, S)> = Vec::new();
        let place = self.place(id.ns, Stage::Bridge)?;
        self.heard.reserve(exits.len());
        for exit in &exits {
            if self.heard_in_vain(exit) {
                continue;
            }
            let to = exit.port;
            let (end, way) =
                self.copy(skb, |walker, copy| walker.through_port(copy, place, id, to));
            copies.push((to, end, way));
        }
        if up {
            let (end, way) = self.copy(skb, |walker, copy| walker.bridge_up(copy, id, bridge));
            copies.push((id, end, way));
        }
        self.no_storm(Stage::Bridge)?;
        let best =
            (0..copies.len()).max_by_key(|i| (rank(&copies[*i].1.disposition), usize::MAX - i));
        let wanted = best.filter(|i| copies[*i].1.disposition != Disposition::Ignored);
        // Where nobody wants a copy, the packet is lost here, unless it is a copy itself.
        let reason = match skb.packet.dst {
            group if group.is_multicast() && !skb.is_discovery() && !exits.is_empty() => {
                Reason::NotMember(group)
            }
            _ => Reason::NoPort,
        };
        let lost = blame.unwrap_or(Loss { ns: id.ns, link: Some(id), reason });
        let request = skb.asks_for().is_some();
        let followed = wanted.map(|i| copies[i].0);
        self.tell(skb, Stage::Bridge, || {
            let ports = exits.iter().map(|exit| exit.port).collect();
            Action::BridgeFlood { bridge: id, ports, followed }
        });
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

    /// What goes round may come of this packet, or of one that it comes of.
    pub(crate) fn no_storm(&self, stage: Stage) -> Result<(), Stop> {
        match &self.overlay.storm {
            Some(unknown) => Err(Stop::unknown(stage, unknown.clone())),
            None => Ok(()),
        }
    }

    /// Follows a copy, and tells its way apart.
    pub(crate) fn copy(
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
                self.refuse(&copy, &stop);
                stop.end(copy)
            }
        };
        self.depth -= 1;
        self.assumed = assumed;
        (end, std::mem::replace(&mut self.sink, own))
    }
}

/// A link of a bridge's namespace.
#[inline]
fn spot<'a>(place: &'a Place<'a>, id: LinkId) -> Result<&'a LinkIndex<'a>, Stop> {
    match place.link_index(id.index) {
        Some(spot) => Ok(spot),
        None => Err(link_not_read(id, Stage::Bridge)),
    }
}

/// A port without carrier may have another to stand in for it.
fn or_backup(place: &Place<'_>, port: LinkId, net: &Indexed<'_>) -> LinkId {
    let backup = || {
        let link = place.link(port.index)?;
        let flags = link.port.as_ref().filter(|_| net.cannot_send(link).is_some())?;
        flags.backup_port
    };
    match place.link_index(port.index) {
        Some(link) if link.settled.sends => port,
        _ => backup().map_or(port, |index| LinkId { index, ..port }),
    }
}

/// Which of the reserved addresses 01:80:c2:00:00:0X it is.
pub(crate) fn reserved(mac: Mac) -> Option<u8> {
    match mac.0 {
        [0x01, 0x80, 0xc2, 0, 0, last @ 0..=0x0f] => Some(last),
        _ => None,
    }
}

/// `br_handle_frame`: whether a bridge passes on what is for a reserved address.
fn forwards_reserved(address: u8, bridge: &Bridge, port: &BridgePort) -> bool {
    let by = |mask: u16| mask & (1 << address) != 0;
    match address {
        // Without a spanning tree it goes on, so that loops are still found.
        0 => bridge.stp == StpState::Off || by(port.group_fwd_mask),
        1 => false,
        _ => by(bridge.group_fwd_mask | port.group_fwd_mask),
    }
}

/// `br_flood`: whether a port is given what the bridge does not know a port for.
fn floods_to(skb: &Skb, port: &BridgePort, group: bool, from_host: bool) -> bool {
    let told = skb.arp_replied && (port.proxy_arp_wifi || port.neigh_suppress);
    let wanted = match skb.packet.dst_mac {
        Some(Mac::BROADCAST) => port.bcast_flood || from_host,
        _ if group => port.mcast_flood || from_host,
        _ => port.flood,
    };
    wanted && !port.proxy_arp && !told
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
