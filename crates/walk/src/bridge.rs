//! A bridge: learning, its table, flooding, its ports' flags.

use model::{Bridge, BridgePort, Hook, LinkId, LinkKind, Mac, Opaque, PortState, StpState};

use crate::br_netfilter::put_together;
use crate::bridge_hook::Part;
use crate::fdb::Destination;
use crate::hook::Between;
use crate::indexed::Place;
use crate::link::VLAN_ROOM;
use crate::links::Spot;
use crate::silent::{Hearers, MOVES};
use crate::skb::{End, Next, Skb, Stop};
use crate::walker::{Walker, tell};
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
    pub(crate) fn bridge_in(&mut self, skb: &mut Skb, port: Spot<'a>) -> Result<Next<'a>, Stop> {
        let place = self.home(port);
        let Some((flags, index)) = port.port.as_ref().zip(port.master) else {
            return Ok(Next::Up(port));
        };
        let bridge = place.spot(index, Stage::Bridge)?;
        let lost = |link: Spot<'a>, reason| {
            Err(Stop::lost(Stage::Bridge, link.id.ns, Some(link.id), reason))
        };
        if !bridge.is_up() {
            return lost(bridge, Reason::LinkDown);
        }
        let settings = self.bridge_modelled(skb, bridge)?;
        if let Some(address) = skb.packet.dst_mac.and_then(reserved)
            && !forwards_reserved(address, settings, flags)
        {
            return match address {
                1 => lost(port, Reason::Pause),
                _ => self.keep_reserved(skb, place, bridge, port, address),
            };
        }
        if !matches!(flags.state, PortState::Forwarding | PortState::Learning) {
            return lost(port, Reason::PortBlocked(port.id));
        }
        (skb.came_by, skb.routed, skb.way_mtu) = (Some(port.id.index), false, None);
        let for_host = skb.ours || skb.packet.dst_mac == bridge.mac;
        let between = Between { iif: skb.came_by, oif: None };
        self.bridge_hook(skb, place, Hook::Prerouting, between, Part::Early)?;
        let redirected = self.filter_bridged_in(skb, place, bridge, port)?;
        self.bridge_hook(skb, place, Hook::Prerouting, between, Part::Late)?;
        if let Some(ip) = redirected {
            self.redirect(skb, bridge.id, ip)?;
            // As what it came stays (PACKET_HOST), whomever it is for now.
            skb.ours = for_host;
        }
        skb.vlan = None;
        if settings.vlan_filtering {
            self.enter_vlan(skb, bridge.id, port.id)?;
        }
        if flags.locked && !self.unlocks(skb, bridge, port, flags) {
            return lost(port, Reason::PortLocked(port.id));
        }
        if flags.learning && settings.ageing_time != 0 {
            self.learn(skb, bridge, port, false);
        }
        if flags.state == PortState::Learning {
            return lost(port, Reason::PortBlocked(port.id));
        }
        self.answer_in_bridge(skb, bridge, Some((port.id, flags)));
        self.pass_on(skb, place, bridge, Some(port))
    }

    /// `br_handle_local_finish`: what is for a reserved address is for this host alone, and comes by
    /// the port as a link of its own. (LLDP and a spanning tree's frames meet no hook.)
    fn keep_reserved(
        &mut self,
        skb: &mut Skb,
        place: &'a Place<'a>,
        bridge: Spot<'a>,
        port: Spot<'a>,
        address: u8,
    ) -> Result<Next<'a>, Stop> {
        if !matches!(address, 0 | 0x0e) {
            let between = Between { iif: Some(port.id.index), oif: None };
            self.bridge_hook(skb, place, Hook::Input, between, Part::Early)?;
            self.bridge_hook(skb, place, Hook::Input, between, Part::Late)?;
        }
        let learns = |p: &&BridgePort| {
            p.learning && matches!(p.state, PortState::Forwarding | PortState::Learning)
        };
        let spared = matches!(&bridge.kind, LinkKind::Bridge(b) if b.no_linklocal_learn);
        if port.port.as_ref().filter(learns).is_some() && !spared {
            let mut of_vlan = skb.clone();
            if self.enter_vlan(&mut of_vlan, bridge.id, port.id).is_ok() {
                self.learn(&of_vlan, bridge, port, false);
            }
        }
        Ok(Next::Up(port))
    }

    /// `br_dev_xmit`: the host sends by its bridge.
    pub(crate) fn bridge_out(&mut self, skb: &mut Skb, bridge: Spot<'a>) -> Result<Next<'a>, Stop> {
        let place = self.home(bridge);
        let settings = self.bridge_modelled(skb, bridge)?;
        (skb.came_by, skb.vlan) = (None, None);
        if settings.vlan_filtering {
            self.enter_vlan(skb, bridge.id, bridge.id)?;
        }
        self.answer_in_bridge(skb, bridge, None);
        self.pass_on(skb, place, bridge, None)
    }

    /// Where a frame goes that came in by a port, or (None) from the host.
    #[inline(always)]
    fn pass_on(
        &mut self,
        skb: &mut Skb,
        place: &'a Place<'a>,
        bridge: Spot<'a>,
        from: Option<Spot<'a>>,
    ) -> Result<Next<'a>, Stop> {
        let lost =
            |link: LinkId, reason| Err(Stop::lost(Stage::Bridge, link.ns, Some(link), reason));
        match self.overlay.destination(place, bridge, skb) {
            Destination::Own if from.is_some() => self.bridge_up(skb, bridge),
            Destination::Own => lost(bridge.id, Reason::NoPort),
            Destination::Behind { entry, learned_now } => {
                let port = or_backup(place, place.spot(entry.link, Stage::Bridge)?)?;
                let refused = self.refuses(skb, port, from);
                if bridge.promiscuous && from.is_some() {
                    // The host gets it, whether the port takes it or not.
                    let exit = Exit { port: port.id, heard_by: None };
                    let exits = refused.is_none().then_some(exit).into_iter().collect();
                    return self.flood_copies(skb, bridge, exits, true, None);
                }
                if let Some(reason) = refused {
                    return lost(port.id, reason);
                }
                tell(&mut self.sink, skb, Stage::Bridge, || Action::BridgeForward {
                    bridge: bridge.id,
                    port: port.id,
                    entry: entry.clone(),
                    learned_now,
                });
                self.through_port(skb, place, bridge, port)
            }
            Destination::Group => match self.hand_to_members(skb, bridge, from)? {
                Some(next) => Ok(next),
                None => self.flood(skb, bridge, from, true),
            },
            Destination::NotKnown => self.flood(skb, bridge, from, false),
        }
    }

    /// What of a bridge is not modelled.
    #[inline(always)]
    fn bridge_modelled(&mut self, skb: &Skb, link: Spot<'a>) -> Result<&'a Bridge, Stop> {
        match &link.link.kind {
            LinkKind::Bridge(bridge) if link.settled.plain_bridge => Ok(bridge),
            _ => self.bridge_not_plain(skb, link),
        }
    }

    fn bridge_not_plain(&mut self, skb: &Skb, link: Spot<'a>) -> Result<&'a Bridge, Stop> {
        let (place, id) = (self.home(link), link.id);
        let stop = |unknown| Err(Stop::unknown(Stage::Bridge, unknown));
        let on_link = |link, what: &str| stop(Unknown::Link { link, what: what.to_owned() });
        let LinkKind::Bridge(bridge) = &link.link.kind else {
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
    #[inline(always)]
    pub(crate) fn refuses(
        &self,
        skb: &Skb,
        port: Spot<'a>,
        from: Option<Spot<'a>>,
    ) -> Option<Reason> {
        let flags = port.port.as_ref()?;
        if let Some(down) = self.cannot_send(port) {
            return Some(down);
        }
        if from.is_some_and(|from| from.id.index == port.id.index) && !flags.hairpin {
            return Some(Reason::NoHairpin(port.id));
        }
        if flags.state != PortState::Forwarding {
            return Some(Reason::PortBlocked(port.id));
        }
        if let Some(reason) = self.outside_vlan(skb, port) {
            return Some(reason);
        }
        let isolated = |from: Spot<'_>| from.port.as_ref().is_some_and(|port| port.isolated);
        if flags.isolated && from.is_some_and(isolated) {
            return Some(Reason::Isolated(port.id));
        }
        None
    }

    /// `__br_forward`: out by one port.
    pub(crate) fn through_port(
        &mut self,
        skb: &mut Skb,
        place: &'a Place<'a>,
        bridge: Spot<'a>,
        port: Spot<'a>,
    ) -> Result<Next<'a>, Stop> {
        self.leave_vlan(skb, bridge, port);
        let between = Between { iif: skb.came_by, oif: Some(port.id.index) };
        let hook = if skb.came_by.is_some() { Hook::Forward } else { Hook::Output };
        self.bridge_hook(skb, place, hook, between, Part::Early)?;
        self.filter_bridged(skb, place, bridge, port)?;
        self.bridge_hook(skb, place, hook, between, Part::Late)?;
        let behind = Between { iif: None, oif: between.oif };
        self.bridge_hook(skb, place, Hook::Postrouting, behind, Part::Early)?;
        self.bridge_hook(skb, place, Hook::Postrouting, behind, Part::Late)?;
        self.filter_bridged_out(skb, place, bridge)?;
        self.refragment(skb, bridge, port)?;
        if skb.wire_len() > port.mtu + VLAN_ROOM {
            let reason = Reason::TooBig { mtu: port.mtu, told: false };
            return Err(Stop::lost(Stage::Bridge, port.id.ns, Some(port.id), reason));
        }
        Ok(Next::Transmit(port))
    }

    /// `br_pass_frame_up`: for the host, by the bridge as a link of its own.
    pub(crate) fn bridge_up(&mut self, skb: &mut Skb, bridge: Spot<'a>) -> Result<Next<'a>, Stop> {
        let place = self.home(bridge);
        let ours = skb.ours || skb.packet.dst_mac == bridge.mac;
        let overheard = bridge.promiscuous
            && !matches!(self.overlay.destination(place, bridge, skb), Destination::Own);
        if let Some(reason) = self.outside_vlan(skb, bridge).filter(|_| !bridge.promiscuous) {
            return Err(Stop::lost(Stage::Bridge, bridge.id.ns, Some(bridge.id), reason));
        }
        self.leave_vlan(skb, bridge, bridge);
        let between = Between { iif: skb.came_by.take(), oif: None };
        self.bridge_hook(skb, place, Hook::Input, between, Part::Early)?;
        self.bridge_hook(skb, place, Hook::Input, between, Part::Late)?;
        if (!ours || overheard) && skb.physin.is_some() {
            self.confirm_up(skb, place, bridge)?;
        }
        put_together(skb, place);
        self.tell(skb, Stage::Bridge, || Action::BridgeUp { bridge: bridge.id });
        if skb.is_discovery() {
            self.heard.push(bridge.id);
        }
        self.tell(skb, Stage::Receive, || Action::In { link: bridge.id, bridge: None });
        skb.ours = ours;
        if let Some(next) = self.traffic_control(skb, bridge, Hook::Ingress)? {
            return Ok(next);
        }
        self.handle(skb, bridge)
    }

    /// `br_flood`: a copy for every port that takes it, and for the host where it is for all.
    fn flood(
        &mut self,
        skb: &mut Skb,
        bridge: Spot<'a>,
        from: Option<Spot<'a>>,
        group: bool,
    ) -> Result<Next<'a>, Stop> {
        let place = self.home(bridge);
        let (exits, blame) = self.exits(skb, place, bridge.id, from, group);
        let own = group && self.outside_vlan(skb, bridge).is_none();
        let up = (own || bridge.promiscuous) && from.is_some();
        if let [Exit { port: to, .. }] = exits[..]
            && !up
        {
            self.tell(skb, Stage::Bridge, || Action::BridgeFlood {
                bridge: bridge.id,
                ports: vec![to],
                followed: Some(to),
            });
            return self.through_port(skb, place, bridge, place.spot(to.index, Stage::Bridge)?);
        }
        self.flood_copies(skb, bridge, exits, up, blame)
    }

    /// The ports that take it; and why the first that would does not.
    fn exits(
        &self,
        skb: &Skb,
        place: &'a Place<'a>,
        id: LinkId,
        from: Option<Spot<'a>>,
        group: bool,
    ) -> (Vec<Exit>, Option<Loss>) {
        let hearers = self.hearers(skb, id);
        let mut exits = Vec::new();
        let (mut blame, mut outside) = (None, None);
        for (at, port) in place.ports(id.index).iter().enumerate() {
            let to = LinkId { ns: id.ns, index: port.index };
            let came_by = from.is_some_and(|from| from.id == to);
            let heard_by = hearers.and_then(|all| all.behind(at)).filter(|_| !came_by);
            if heard_by.is_some() {
                exits.push(Exit { port: to, heard_by });
                continue;
            }
            let Some(flags) = &port.port else { continue };
            let floods = floods_to(skb, flags, group, from.is_none());
            let refused = place.link_index(port.index).and_then(|p| self.refuses(skb, p, from));
            match refused {
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
        bridge: Spot<'a>,
        exits: Vec<Exit>,
        up: bool,
        blame: Option<Loss>,
    ) -> Result<Next<'a>, Stop> {
        let (id, place) = (bridge.id, self.home(bridge));
        if self.depth >= MAX_DEPTH {
            let what = "floods into itself: a loop of bridges".to_owned();
            self.overlay.unforeseeable = Some(Unknown::Link { link: id, what });
        }
        self.foreseeable(Stage::Bridge)?;
        let mut copies: Vec<(LinkId, End, S)> = Vec::new();
        self.heard.reserve(exits.len());
        for exit in &exits {
            if self.heard_in_vain(exit) {
                continue;
            }
            let to = exit.port;
            let (end, way) = self.copy(skb, |walker, copy| {
                walker.through_port(copy, place, bridge, place.spot(to.index, Stage::Bridge)?)
            });
            copies.push((to, end, way));
        }
        if up {
            let (end, way) = self.copy(skb, |walker, copy| walker.bridge_up(copy, bridge));
            copies.push((id, end, way));
        }
        self.foreseeable(Stage::Bridge)?;
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
                Err(Stop::told(Stage::Bridge, end))
            }
            None if request && lost.reason == Reason::NoPort => Err(Stop::ignored(Stage::Bridge)),
            None if skb.spare => Err(Stop::ignored(Stage::Bridge)),
            None => Err(Stop::new(Stage::Bridge, Disposition::Lost(lost))),
        }
    }

    /// Nothing has come of this packet, or of one that it comes of, after which nothing can be told.
    pub(crate) fn foreseeable(&self, stage: Stage) -> Result<(), Stop> {
        match &self.overlay.unforeseeable {
            Some(unknown) => Err(Stop::unknown(stage, unknown.clone())),
            None => Ok(()),
        }
    }

    /// Follows a copy, and tells its way apart.
    pub(crate) fn copy(
        &mut self,
        skb: &Skb,
        first: impl FnOnce(&mut Self, &mut Skb) -> Result<Next<'a>, Stop>,
    ) -> (End, S) {
        let mut copy = skb.clone();
        copy.spare = true;
        let branch = self.sink.branch();
        let own = std::mem::replace(&mut self.sink, branch);
        let assumed = self.assumed.clone();
        self.depth += 1;
        let disposition = match first(self, &mut copy) {
            Ok(next) => self.follow(&mut copy, next),
            Err(stop) => self.stopped(&mut copy, stop),
        };
        self.depth -= 1;
        self.assumed = assumed;
        (End { disposition, skb: copy }, std::mem::replace(&mut self.sink, own))
    }
}

/// A port without carrier may have another to stand in for it.
#[inline]
fn or_backup<'a>(place: &'a Place<'a>, port: Spot<'a>) -> Result<Spot<'a>, Stop> {
    let backup = port.port.as_ref().and_then(|flags| flags.backup_port);
    match backup.filter(|_| !port.settled.sends) {
        Some(index) => place.spot(index, Stage::Bridge),
        None => Ok(port),
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
