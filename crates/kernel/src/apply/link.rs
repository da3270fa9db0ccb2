//! Links, and what they are ports of.

use std::os::fd::AsRawFd;

use model::{
    BondRole, BridgeOption, BridgeSpec, Link, LinkKind, LinkRef, LinkSpec, LinkSpecKind, Pins,
    PortOption, PortSpec, PortState, VethEnd, VxlanSpec, WireguardSpec,
};
use netlink_packet_core::Parseable;
use netlink_packet_route::RouteNetlinkMessage as Message;
use netlink_packet_route::link::{InfoKind, LinkAttribute, LinkInfo, LinkMessage};
use rustix::io::Errno;
use wire::request::{self, Far, NewLink, Place};
use wire::{rtnl, wireguard};

use super::{Builder, Cause, Space};
use crate::netlink::{Protocol, Request, Socket};
use crate::{netns, role};

impl Builder<'_> {
    pub(super) fn make_link(&mut self, spec: &LinkSpec) -> Result<(), Cause> {
        match &spec.kind {
            LinkSpecKind::Veth(end) => self.make_veth(spec, end)?,
            LinkSpecKind::Tap => return self.make_tap(spec),
            LinkSpecKind::Bridge(bridge) => {
                // An MTU given at birth does not last: it would follow the smallest port's.
                let pins = Pins { mtu: None, ..spec.pins.clone() };
                let (mut first, mut then) = (bridge.clone(), BridgeSpec::default());
                // A querier is new for as long as members may take to answer, as it is when the
                // bridge becomes one.
                then.set(BridgeOption::Querier, first.get(BridgeOption::Querier));
                first.set(BridgeOption::Querier, None);
                let kind = NewLink::Bridge(&first);
                self.new_link(&spec.link.ns, &spec.link.name, &pins, &kind)?;
                self.set_bridge(&spec.link, &then)?;
                let space = self.space_mut(&spec.link.ns)?;
                let index = space.index(&spec.link.name)?;
                limit_is_taken(&mut space.route, index, bridge)?;
                self.set_pins(&spec.link, &Pins { mtu: spec.pins.mtu, ..Pins::default() })?;
            }
            LinkSpecKind::Macvlan { lower, mode, sources } => {
                let place = self.place(&lower.ns, &spec.link.ns)?;
                let index = self.space(&lower.ns)?.index(&lower.name)?;
                let kind = NewLink::Macvlan { lower: index, mode: *mode, sources, place };
                self.new_link(&lower.ns, &spec.link.name, &spec.pins, &kind)?;
            }
            LinkSpecKind::Vxlan(vxlan) => self.make_vxlan(spec, vxlan)?,
            LinkSpecKind::Ipvlan { lower, ipvlan } => {
                let place = self.place(&lower.ns, &spec.link.ns)?;
                let index = self.space(&lower.ns)?.index(&lower.name)?;
                let kind = NewLink::Ipvlan { lower: index, ipvlan: *ipvlan, place };
                self.new_link(&lower.ns, &spec.link.name, &spec.pins, &kind)?;
            }
            LinkSpecKind::Bond(bond) => self.new_plain(spec, &NewLink::Bond(bond))?,
            LinkSpecKind::Vrf(vrf) => self.new_plain(spec, &NewLink::Vrf(*vrf))?,
            LinkSpecKind::Dummy => self.new_plain(spec, &NewLink::Dummy)?,
            LinkSpecKind::Ifb => self.new_plain(spec, &NewLink::Ifb)?,
            LinkSpecKind::Wireguard(own) => {
                self.new_link(&spec.link.ns, &spec.link.name, &spec.pins, &NewLink::Wireguard)?;
                self.set_wireguard(&spec.link, own)?;
            }
            LinkSpecKind::Vlan { lower, vlan } => {
                let place = self.place(&lower.ns, &spec.link.ns)?;
                let index = self.space(&lower.ns)?.index(&lower.name)?;
                let kind = NewLink::Vlan { lower: index, vlan: *vlan, place };
                self.new_link(&lower.ns, &spec.link.name, &spec.pins, &kind)?;
            }
        }
        self.finish_link(&spec.link, &spec.pins)
    }

    fn set_bridge(&mut self, link: &LinkRef, spec: &BridgeSpec) -> Result<(), Cause> {
        let space = self.space_mut(&link.ns)?;
        match request::set_bridge(space.index(&link.name)?, spec) {
            Some(message) => Ok(space.route.ack(Message::NewLink(message))?),
            None => Ok(()),
        }
    }

    fn make_veth(&mut self, spec: &LinkSpec, end: &VethEnd) -> Result<(), Cause> {
        let name = end.born_as.as_ref().unwrap_or(&end.link.name);
        let place = match end.born_as {
            Some(_) => Place::Here,
            None => self.place(&spec.link.ns, &end.link.ns)?,
        };
        let kind = NewLink::Veth(Far { name, pins: &end.pins, place });
        self.new_link(&spec.link.ns, &spec.link.name, &spec.pins, &kind)?;
        if let Some(name) = &end.born_as {
            let target = self.space(&end.link.ns)?.net.as_raw_fd();
            let space = self.space_mut(&spec.link.ns)?;
            let index = space.index(name)?;
            let message = request::move_to(index, &end.link.name, target);
            space.route.ack(Message::SetLink(message))?;
        }
        self.finish_link(&end.link, &end.pins)
    }

    /// With the remotes that are given by hand.
    fn make_vxlan(&mut self, spec: &LinkSpec, vxlan: &VxlanSpec) -> Result<(), Cause> {
        let space = self.space(&spec.link.ns)?;
        let lower = vxlan.lower.as_ref().map(|l| space.index(l)).transpose()?;
        let kind = NewLink::Vxlan { lower, vxlan: &vxlan.vxlan };
        self.new_link(&spec.link.ns, &spec.link.name, &spec.pins, &kind)?;
        let space = self.space_mut(&spec.link.ns)?;
        let index = space.index(&spec.link.name)?;
        for (mac, ip) in &vxlan.remotes {
            let message = request::remote(index, *mac, *ip);
            // One more for an address is added to those that it has (`bridge fdb append`).
            space.route.ack(Request::from(Message::NewNeighbour(message)).append())?;
        }
        Ok(())
    }

    /// Keys, port and peers, in place of those that it had.
    fn set_wireguard(&mut self, link: &LinkRef, own: &WireguardSpec) -> Result<(), Cause> {
        let space = self.space(&link.ns)?;
        let index = space.index(&link.name)?;
        let mut socket = Socket::open_in(&space.net, Protocol::Generic)?;
        let reply = socket.get(Request::new(wireguard::CONTROL, wireguard::get_family()))?;
        let family = wireguard::family(&reply).ok_or(Errno::NOENT)?;
        for mut body in request::set_wireguard(index, own) {
            let done = socket.ack(Request::new(family, body.clone()));
            crate::read::wipe(&mut body);
            done?;
        }
        Ok(())
    }

    /// A tap that stays without a process.
    fn make_tap(&mut self, spec: &LinkSpec) -> Result<(), Cause> {
        let space = self.space(&spec.link.ns)?;
        let (name, index) = (&spec.link.name, spec.pins.index);
        let tun = netns::within(&space.net, role::open_tun)?
            .map_err(|e| Cause::from(e).about(&format!("open {}", role::TUN)))?;
        role::make_card(tun, name, index, true)?;
        self.set_pins(&spec.link, &spec.pins)
    }

    fn new_plain(&mut self, spec: &LinkSpec, kind: &NewLink<'_>) -> Result<(), Cause> {
        self.new_link(&spec.link.ns, &spec.link.name, &spec.pins, kind)
    }

    fn new_link(
        &mut self,
        ns: &str,
        name: &str,
        pins: &Pins,
        kind: &NewLink<'_>,
    ) -> Result<(), Cause> {
        let message = request::new_link(name, pins, kind);
        let request = Request::from(Message::NewLink(message)).create();
        self.space_mut(ns)?.route.ack(request).map_err(|e| {
            let lacking = e.errno == Errno::OPNOTSUPP;
            let mut cause = Cause::from(e);
            if lacking {
                cause.text = match kind {
                    NewLink::Bridge(spec) if spec.get(BridgeOption::VlanFiltering) == Some(1) => {
                        "bridges of this kernel do not filter VLANs".to_owned()
                    }
                    _ => format!("this kernel has no links of kind {}", kind.name()),
                };
            }
            cause
        })
    }

    /// `to`, as seen by a socket in `from`.
    fn place(&self, from: &str, to: &str) -> Result<Place, Cause> {
        if from == to {
            return Ok(Place::Here);
        }
        Ok(Place::Namespace(self.space(to)?.net.as_raw_fd()))
    }

    /// What a link takes only after it was made.
    fn finish_link(&mut self, link: &LinkRef, pins: &Pins) -> Result<(), Cause> {
        let altnames = pins.altnames.clone();
        let late = Pins { altnames, txqlen: pins.txqlen, group: pins.group, ..Pins::default() };
        self.set_pins(link, &late)
    }

    /// Sets everything that is pinned but the index.
    pub(super) fn set_pins(&mut self, link: &LinkRef, pins: &Pins) -> Result<(), Cause> {
        if *pins == Pins::default() {
            return Ok(());
        }
        let space = self.space_mut(&link.ns)?;
        let (set, names) = request::set_link(space.index(&link.name)?, pins);
        if let Some(message) = set {
            space.route.ack(Message::SetLink(message))?;
        }
        if let Some(message) = names {
            space.route.ack(Request::from(Message::NewLinkProp(message)).create())?;
        }
        Ok(())
    }

    pub(super) fn alter_link(&mut self, from: &LinkSpec, to: &LinkSpec) -> Result<(), Cause> {
        self.alter_pins(&to.link, &from.pins, &to.pins)?;
        if let (LinkSpecKind::Veth(from), LinkSpecKind::Veth(to)) = (&from.kind, &to.kind) {
            return self.alter_pins(&to.link, &from.pins, &to.pins);
        }
        if let (LinkSpecKind::Wireguard(from), LinkSpecKind::Wireguard(own)) =
            (&from.kind, &to.kind)
            && !own.fits(from)
        {
            return self.set_wireguard(&to.link, own);
        }
        let space = self.space_mut(&to.link.ns)?;
        let index = space.index(&to.link.name)?;
        let set = match (&from.kind, &to.kind) {
            // What stays is not set again: a kernel that lacks an option refuses every value of it.
            (LinkSpecKind::Bridge(from), LinkSpecKind::Bridge(to)) => {
                request::set_bridge(index, &to.changed_from(from))
            }
            (LinkSpecKind::Bond(from), LinkSpecKind::Bond(to)) => {
                Some(request::set_bond(index, &to.changed_from(from)))
            }
            (_, LinkSpecKind::Macvlan { mode, .. }) => Some(request::set_macvlan(index, *mode)),
            _ => None,
        };
        if let Some(message) = set.filter(|_| from.kind != to.kind) {
            space.route.ack(Message::NewLink(message))?;
        }
        match &to.kind {
            LinkSpecKind::Bridge(to) => limit_is_taken(&mut space.route, index, to),
            _ => Ok(()),
        }
    }

    fn alter_pins(&mut self, link: &LinkRef, from: &Pins, to: &Pins) -> Result<(), Cause> {
        let gone: Vec<String> =
            from.altnames.iter().filter(|n| !to.altnames.contains(n)).cloned().collect();
        if !gone.is_empty() {
            let space = self.space_mut(&link.ns)?;
            let pins = Pins { altnames: gone, ..Pins::default() };
            let (_, names) = request::set_link(space.index(&link.name)?, &pins);
            if let Some(message) = names {
                space.route.ack(Message::DelLinkProp(message))?;
            }
        }
        let changed = Pins {
            index: None,
            mac: to.mac.filter(|_| from.mac != to.mac),
            mtu: to.mtu.filter(|_| from.mtu != to.mtu),
            txqlen: to.txqlen.filter(|_| from.txqlen != to.txqlen),
            group: to.group.filter(|_| from.group != to.group),
            altnames: to.altnames.iter().filter(|n| !from.altnames.contains(n)).cloned().collect(),
        };
        self.set_pins(link, &changed)
    }

    pub(super) fn remove_link(&mut self, link: &LinkRef) -> Result<(), Cause> {
        let space = self.space_mut(&link.ns)?;
        let message = at(space.index(&link.name)?);
        Ok(space.route.ack(Message::DelLink(message))?)
    }

    pub(super) fn set_master(
        &mut self,
        link: &LinkRef,
        bridge: Option<&str>,
        spec: &PortSpec,
    ) -> Result<(), Cause> {
        let space = self.space_mut(&link.ns)?;
        let (index, bridge) =
            (space.index(&link.name)?, bridge.map_or(Ok(0), |name| space.index(name))?);
        if bridge != 0 && is_kind(space, bridge, &InfoKind::Bond)? {
            // It takes only what is down, and brings it up itself (`bond_enslave`).
            space.route.ack(Message::SetLink(request::link_flags(index, false, false)))?;
        }
        let (set, port) = request::master(index, bridge, spec);
        space.route.ack(Message::SetLink(set))?;
        if let Some(port) = port {
            space.route.ack(Message::NewLink(port))?;
        }
        let mab = bridge != 0 && spec.get(PortOption::Mab) == Some(1);
        if mab && !has_mab(&mut space.route, index)? {
            return Err(Cause::new(
                "this kernel passes over `mab` of a port, as if it had not been said (known from Linux 6.2 on): leave it out, or take a newer kernel",
            ));
        }
        Ok(())
    }

    /// The port that a bond prefers, or has in use; None: the one that it likes.
    pub(super) fn set_bond_port(
        &mut self,
        bond: &LinkRef,
        role: BondRole,
        port: Option<&str>,
    ) -> Result<(), Cause> {
        let space = self.space_mut(&bond.ns)?;
        let port = port.map_or(Ok(0), |name| space.index(name))?;
        let message = request::bond_port(space.index(&bond.name)?, role, port);
        Ok(space.route.ack(Message::NewLink(message))?)
    }

    /// Which other port of its bridge stands in for a port.
    pub(super) fn set_backup(&mut self, link: &LinkRef, port: Option<&str>) -> Result<(), Cause> {
        let space = self.space_mut(&link.ns)?;
        let backup = port.map_or(Ok(0), |name| space.index(name))?;
        let message = request::backup_port(space.index(&link.name)?, backup);
        Ok(space.route.ack(Message::NewLink(message))?)
    }

    /// Once every link's carrier is told: a new one would bring the port back.
    pub(super) fn set_port_state(&mut self, link: &LinkRef, state: PortState) -> Result<(), Cause> {
        self.settle_links()?;
        let space = self.space_mut(&link.ns)?;
        let message = request::port_state(space.index(&link.name)?, state);
        Ok(space.route.ack(Message::SetLink(message))?)
    }

    pub(super) fn set_up(&mut self, link: &LinkRef, up: bool) -> Result<(), Cause> {
        let space = self.space_mut(&link.ns)?;
        let index = space.index(&link.name)?;
        space.route.ack(Message::SetLink(request::link_flags(index, up, false)))?;
        if up && is_kind(space, index, &InfoKind::Tun)? {
            // A tap's driver says that it has carrier, but never that it is operational.
            space.route.ack(Message::SetLink(request::link_flags(index, up, true)))?;
        }
        Ok(())
    }

    pub(super) fn set_mtu(&mut self, link: &LinkRef, mtu: u32) -> Result<(), Cause> {
        self.set_pins(link, &Pins { mtu: Some(mtu), ..Pins::default() })
    }
}

fn at(index: u32) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = index;
    message
}

fn is_kind(space: &mut Space, index: u32, kind: &InfoKind) -> Result<bool, Cause> {
    let reply = space.route.get(Message::GetLink(at(index)))?;
    let mut infos = links(&reply).flat_map(|m| m.attributes).filter_map(|a| match a {
        LinkAttribute::LinkInfo(info) => Some(info),
        _ => None,
    });
    Ok(infos.any(|info| info.contains(&LinkInfo::Kind(kind.clone()))))
}

/// How many addresses a bridge may learn: kernels that do not know that limit say nothing of it.
fn limit_is_taken(route: &mut Socket, index: u32, spec: &BridgeSpec) -> Result<(), Cause> {
    let wanted = spec.get(BridgeOption::FdbMaxLearned).unwrap_or(0);
    if wanted == 0 || learns_at_most(route, index)? == wanted {
        return Ok(());
    }
    Err(Cause::new(
        "this kernel passes over `fdb_max_learned` of a bridge, as if it had not been said (known from Linux 6.7 on): leave it out, or take a newer kernel",
    ))
}

/// How many addresses a bridge may learn, as the kernel says; 0: as many as there are.
pub(crate) fn learns_at_most(route: &mut Socket, index: u32) -> Result<u32, Cause> {
    Ok(match link_at(route, index)?.map(|link| link.kind) {
        Some(LinkKind::Bridge(bridge)) => bridge.fdb_max_learned,
        _ => 0,
    })
}

/// Whether a port does MAC authentication bypass: kernels that do not know it do not say so.
pub(crate) fn has_mab(route: &mut Socket, index: u32) -> Result<bool, Cause> {
    Ok(link_at(route, index)?.and_then(|link| link.port).is_some_and(|port| port.mab))
}

/// A link, as the kernel tells of it.
fn link_at(route: &mut Socket, index: u32) -> Result<Option<Link>, Cause> {
    let reply = route.get(Message::GetLink(at(index)))?;
    let link = rtnl::messages(&reply).find_map(|m| rtnl::link(&m)).map(|raw| raw.link);
    Ok(link)
}

/// ifindex of the link that one is a port of.
pub(super) fn master(space: &mut Space, index: u32) -> Result<Option<u32>, Cause> {
    let reply = space.route.get(Message::GetLink(at(index)))?;
    let mut attributes = links(&reply).flat_map(|m| m.attributes);
    Ok(attributes.find_map(|a| match a {
        LinkAttribute::Controller(master) => Some(master).filter(|index| *index != 0),
        _ => None,
    }))
}

/// The links told of in a reply. One that cannot be parsed is not among them.
fn links(reply: &[u8]) -> impl Iterator<Item = LinkMessage> {
    rtnl::messages(reply).filter_map(|m| LinkMessage::parse(m.body).ok())
}

/// Asks for each link by its index.
pub(super) fn settle_all(route: &mut Socket) -> Result<(), Cause> {
    let mut message = LinkMessage::default();
    // Names and indexes are enough: no statistics.
    message
        .attributes
        .push(LinkAttribute::ExtMask(vec![netlink_packet_route::link::LinkExtentMask::SkipStats]));
    let replies = route.dump(Message::GetLink(message))?;
    let indexes: Vec<u32> = links(&replies.bytes).map(|m| m.header.index).collect();
    for index in indexes {
        route.get(Message::GetLink(at(index)))?;
    }
    Ok(())
}
