//! Links: frames handed to them, and taken from them.

use model::{Hook, IpvlanMode, Link, LinkId, LinkKind, Relation};

use crate::links::Spot;
use crate::skb::{Next, Skb, Stop};
use crate::walker::{Walker, link_not_read};
use crate::{Action, Indexed, Reason, Sink, Stage, Unknown};

/// How much longer than its MTU a veth's end and a bridge's port let a frame be: the room for a
/// VLAN tag that `is_skb_forwardable` always leaves.
pub(crate) const VLAN_ROOM: u32 = 4;

impl<'a, S: Sink> Walker<'a, '_, S> {
    /// The frame is handed to that link.
    pub(crate) fn out_by(&self, id: LinkId) -> Result<Next<'a>, Stop> {
        Ok(Next::Transmit(self.spot(id, Stage::Transmit)?))
    }

    /// Another link gives the frame to that one.
    pub(crate) fn given_to(&self, id: LinkId) -> Result<Next<'a>, Stop> {
        Ok(Next::Forward(self.spot(id, Stage::Transmit)?))
    }

    /// The frame comes in by that link.
    pub(crate) fn in_by(&self, id: LinkId) -> Result<Next<'a>, Stop> {
        Ok(Next::Receive(self.spot(id, Stage::Receive)?))
    }

    /// `dev_queue_xmit` to the driver's own sending.
    pub(crate) fn transmit(&mut self, skb: &mut Skb, link: Spot<'a>) -> Result<Next<'a>, Stop> {
        if let Some(reason) = self.cannot_send(link) {
            return Err(Stop::lost(Stage::Transmit, link.id.ns, Some(link.id), reason));
        }
        if let Some(next) = self.traffic_control(skb, link, Hook::Egress)? {
            return Ok(next);
        }
        if let LinkKind::Veth = link.kind {
            self.tell(skb, Stage::Transmit, || Action::Out { link: link.id });
            return self.through_pair(skb, link);
        }
        self.tell_out(skb, link);
        let id = link.id;
        let unknown =
            |what: String| Err(Stop::unknown(Stage::Transmit, Unknown::Link { link: id, what }));
        match &link.kind {
            LinkKind::Loopback => {
                skb.looped = true;
                skb.queued();
                Ok(Next::Receive(link))
            }
            LinkKind::Bridge(_) => self.bridge_out(skb, link),
            LinkKind::Vxlan(vxlan) => self.vxlan_out(skb, link, vxlan),
            LinkKind::Wireguard(own) => self.wireguard_out(skb, id, own.as_deref()),
            LinkKind::Bond(bond) => self.bond_out(skb, id, bond),
            LinkKind::Vrf(_) => self.vrf_out(skb, link),
            LinkKind::Vlan(vlan) => self.vlan_out(skb, id, link, vlan),
            LinkKind::Ipvlan(ipvlan) => self.ipvlan_out(skb, id, link, ipvlan),
            LinkKind::Other(kind) if kind == "ifb" => self.ifb_out(skb, id),
            LinkKind::Other(kind) if kind == "dummy" => {
                Err(Stop::lost(Stage::Transmit, id.ns, Some(id), Reason::Swallowed))
            }
            LinkKind::Macvlan(macvlan) => self.macvlan_out(skb, id, link, macvlan),
            LinkKind::Physical | LinkKind::Tap(_) => {
                self.lean_on(skb, Stage::Transmit, &["kinds"])?;
                Ok(Next::Left(link))
            }
            kind => unknown(format!("kind {}", kind.as_str())),
        }
    }

    /// What a VRF or a routing ipvlan is given is routed once more, and may have the next link's
    /// header by the time that it is looked at.
    fn tell_out(&mut self, skb: &mut Skb, link: Spot<'a>) {
        let routes = match &link.kind {
            LinkKind::Vrf(_) => true,
            LinkKind::Ipvlan(ipvlan) => ipvlan.mode != IpvlanMode::L2,
            _ => false,
        };
        if !routes {
            return self.tell(skb, Stage::Transmit, || Action::Out { link: link.id });
        }
        let macs = (skb.packet.src_mac, skb.packet.dst_mac);
        (skb.packet.src_mac, skb.packet.dst_mac) = (None, None);
        self.tell(skb, Stage::Transmit, || Action::Out { link: link.id });
        (skb.packet.src_mac, skb.packet.dst_mac) = macs;
    }

    /// Why a link takes no frame to send.
    #[inline]
    pub(crate) fn cannot_send(&self, link: Spot<'_>) -> Option<Reason> {
        if link.settled.sends { None } else { self.net.cannot_send(link) }
    }

    /// A veth hands its frame to the other end, which takes it if it is up and large enough.
    fn through_pair(&mut self, skb: &mut Skb, link: Spot<'a>) -> Result<Next<'a>, Stop> {
        let net: &'a Indexed<'a> = self.net;
        match net.other_end(link) {
            Some(peer) => self.forward_into(skb, peer),
            None => Err(Self::no_other_end(link)),
        }
    }

    #[cold]
    fn no_other_end(link: Spot<'a>) -> Stop {
        let what = match link.relation {
            Relation::Unresolved(nsid) => format!("its other end is in unknown nsid {nsid}"),
            _ => match link.peer() {
                Some(peer) => return link_not_read(peer, Stage::Transmit),
                None => "its other end is not known".to_owned(),
            },
        };
        Stop::unknown(Stage::Transmit, Unknown::Link { link: link.id, what })
    }

    /// `__dev_forward_skb`: another link takes the frame in, if it is up and large enough.
    pub(crate) fn forward_into(&mut self, skb: &mut Skb, link: Spot<'a>) -> Result<Next<'a>, Stop> {
        let lost = |reason| Err(Stop::lost(Stage::Transmit, link.id.ns, Some(link.id), reason));
        if !link.is_up() {
            return lost(Reason::LinkDown);
        }
        if skb.wire_len() > link.mtu + VLAN_ROOM {
            return lost(Reason::TooBig { mtu: link.mtu, told: false });
        }
        skb.scrub(link.id.ns);
        skb.queued();
        self.receive(skb, link)
    }

    /// `__netif_receive_skb_core`.
    #[inline(always)]
    pub(crate) fn receive(&mut self, skb: &mut Skb, link: Spot<'a>) -> Result<Next<'a>, Stop> {
        // What a bond's ports bring, it takes in whether it is up or not.
        if !link.is_up() && !matches!(link.kind, LinkKind::Bond(_)) {
            return Err(Stop::lost(Stage::Receive, link.id.ns, Some(link.id), Reason::LinkDown));
        }
        if let Some(program) = link.xdp {
            let number = if program == 0 { String::new() } else { format!(" {program}") };
            let unknown = Unknown::Link { link: link.id, what: format!("XDP program{number}") };
            return Err(Stop::unknown(Stage::Receive, unknown));
        }
        skb.ns = link.id.ns;
        skb.ours = skb.kept.take().unwrap_or_else(|| is_for(skb, link));
        if std::mem::take(&mut skb.past_tc) {
            return self.handle(skb, link);
        }
        if skb.is_discovery() {
            self.heard.push(link.id);
        }
        self.tell(skb, Stage::Receive, || Action::In { link: link.id, bridge: bridge_of(link) });
        if let Some(next) = self.traffic_control(skb, link, Hook::Ingress)? {
            return Ok(next);
        }
        self.handle(skb, link)
    }

    /// The handlers of a frame that a link has taken in: those of links that stand on it, or that
    /// of its master; else it is for its namespace.
    #[inline(always)]
    pub(crate) fn handle(&mut self, skb: &mut Skb, link: Spot<'a>) -> Result<Next<'a>, Stop> {
        if !link.settled.alone
            && let Some(next) = self.taken_above(skb, link.id)?
        {
            return Ok(next);
        }
        match link.master {
            Some(_) if link.port.is_some() => Ok(Next::Bridge(link)),
            Some(master) => self.handle_for(skb, link, master),
            None => {
                self.without_tag(skb, link.id)?;
                Ok(Next::Up(link))
            }
        }
    }

    /// The handler of a master that is no bridge.
    fn handle_for(&mut self, skb: &mut Skb, link: Spot<'a>, master: u32) -> Result<Next<'a>, Stop> {
        let id = link.id;
        let master = self.link(LinkId { index: master, ..id }, Stage::Receive)?;
        if let LinkKind::Bond(bond) = &master.kind {
            return self.bond_in(skb, link, bond);
        }
        if let LinkKind::Vrf(_) = master.kind {
            self.without_tag(skb, id)?;
            return Ok(Next::Up(link));
        }
        let what = format!("slave of {} ({})", master.name, master.kind.as_str());
        Err(Stop::unknown(Stage::Receive, Unknown::Link { link: id, what }))
    }

    /// Links that stand on this one, in their order.
    fn taken_above(&mut self, skb: &mut Skb, id: LinkId) -> Result<Option<Next<'a>>, Stop> {
        if let Some(next) = self.vlan_in(skb, id)? {
            return Ok(Some(next));
        }
        match self.stacked(skb, id)? {
            Some(next) => Ok(Some(next)),
            None => self.ipvlan_in(skb, id),
        }
    }

    /// tc and nft's chains stand before and behind a link: coming in, tc is first, going out, nft. Some: a
    /// filter of tc leads the packet elsewhere.
    #[inline]
    pub(crate) fn traffic_control(
        &mut self,
        skb: &mut Skb,
        link: Spot<'a>,
        hook: Hook,
    ) -> Result<Option<Next<'a>>, Stop> {
        if !link.settled.bare {
            return self.filtered(skb, link, hook);
        }
        skb.past_nft = false;
        if hook == Hook::Ingress {
            skb.handed = None;
        }
        Ok(None)
    }

    fn filtered(
        &mut self,
        skb: &mut Skb,
        link: Spot<'a>,
        hook: Hook,
    ) -> Result<Option<Next<'a>>, Stop> {
        let id = link.id;
        let stage = if hook == Hook::Ingress { Stage::Receive } else { Stage::Transmit };
        self.lean_on(skb, stage, &["qdiscs"])?;
        if hook == Hook::Egress && !std::mem::take(&mut skb.past_nft) {
            self.link_hook(skb, id, hook)?;
        }
        if let Some(tc) = link.link.tc.as_deref()
            && let Some(next) = self.filters(skb, id, tc, hook)?
        {
            return Ok(Some(next));
        }
        if hook == Hook::Ingress {
            // `skb_reset_redirect`.
            (skb.past_nft, skb.handed) = (false, None);
            self.link_hook(skb, id, hook)?;
        } else {
            self.enqueue(skb, link)?;
        }
        Ok(None)
    }

    /// Links that stand on this one take frames before it does: macvlans theirs. (Vlans had theirs
    /// before, ipvlans come behind.) A tunnel gets
    /// its packets by an address.
    fn stacked(&mut self, skb: &mut Skb, id: LinkId) -> Result<Option<Next<'a>>, Stop> {
        let net = self.net;
        let uppers = net.uppers(id).iter().filter_map(|upper| Some((*upper, net.link(*upper)?)));
        let mut macvlans = false;
        for (upper, link) in uppers {
            let takes = match &link.kind {
                LinkKind::Macvlan(macvlan) => {
                    macvlans = true;
                    macvlan.tap && skb.packet.dst_mac.is_some() && skb.packet.dst_mac == link.mac
                }
                LinkKind::Vlan(_) | LinkKind::Ipvlan(_) => false,
                kind => kind.is_stacked(),
            };
            if takes {
                let what = format!("kind {}", link.kind.as_str());
                return Err(Stop::unknown(Stage::Receive, Unknown::Link { link: upper, what }));
            }
        }
        if macvlans { self.macvlan_in(skb, id) } else { Ok(None) }
    }
}

/// The bridge that a port hands its frames to.
fn bridge_of(link: Spot<'_>) -> Option<LinkId> {
    let bridge = link.master.filter(|_| link.port.is_some());
    bridge.map(|index| LinkId { index, ..link.id })
}

/// `eth_type_trans`: the frame is for this link.
fn is_for(skb: &Skb, link: &Link) -> bool {
    let layer3 = matches!(&link.kind, LinkKind::Tap(tap) if tap.layer3);
    layer3 || matches!(link.kind, LinkKind::Loopback) || {
        let to = skb.packet.dst_mac;
        to.is_some() && to == link.mac
    }
}
