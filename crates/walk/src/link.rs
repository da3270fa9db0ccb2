//! Links: frames handed to them, and taken from them.

use model::{Hook, Link, LinkId, LinkKind, Opaque, Relation};

use crate::skb::{Next, Skb, Stop};
use crate::walker::Walker;
use crate::{Action, Disposition, Reason, Sink, Stage, Unknown};

/// How much longer than its MTU a veth's end and a bridge's port let a frame be: the room for a
/// VLAN tag that `is_skb_forwardable` always leaves.
pub(crate) const VLAN_ROOM: u32 = 4;

impl<S: Sink> Walker<'_, '_, S> {
    /// `dev_queue_xmit` to the driver's own sending.
    pub(crate) fn transmit(&mut self, skb: &mut Skb, id: LinkId) -> Result<Next, Stop> {
        let link = self.link(id, Stage::Transmit)?;
        if let Some(reason) = self.cannot_send(link) {
            return Err(Stop::lost(Stage::Transmit, id.ns, Some(id), reason));
        }
        self.traffic_control(skb, id, link, Hook::Egress)?;
        self.tell(skb, Stage::Transmit, || Action::Out { link: id });
        let unknown =
            |what: String| Err(Stop::unknown(Stage::Transmit, Unknown::Link { link: id, what }));
        match &link.kind {
            LinkKind::Loopback => {
                skb.looped = true;
                Ok(Next::Receive(id))
            }
            LinkKind::Veth => self.through_pair(skb, id, link),
            LinkKind::Bridge(_) => self.bridge_out(skb, id),
            LinkKind::Physical | LinkKind::Tap(_) => {
                self.lean_on(skb, Stage::Transmit, &["kinds"])?;
                Err(Stop::new(Stage::Transmit, Disposition::Left(id)))
            }
            kind => unknown(format!("kind {}", kind.as_str())),
        }
    }

    /// Why a link takes no frame to send.
    pub(crate) fn cannot_send(&self, link: &Link) -> Option<Reason> {
        if !link.is_up() {
            return Some(Reason::LinkDown);
        }
        if link.is_running() || link.kind == LinkKind::Loopback {
            return None;
        }
        let peer = link.peer().filter(|p| self.net.link(*p).is_some_and(|l| !l.is_up()));
        Some(peer.map_or(Reason::NoCarrier, Reason::PeerDown))
    }

    /// A veth hands its frame to the other end, which takes it if it is up and large enough.
    fn through_pair(&mut self, skb: &mut Skb, id: LinkId, link: &Link) -> Result<Next, Stop> {
        let Some(peer_id) = link.peer() else {
            let what = match link.relation {
                Relation::Unresolved(nsid) => format!("its other end is in unknown nsid {nsid}"),
                _ => "its other end is not known".to_owned(),
            };
            return Err(Stop::unknown(Stage::Transmit, Unknown::Link { link: id, what }));
        };
        let peer = self.link(peer_id, Stage::Transmit)?;
        let lost = |reason| Err(Stop::lost(Stage::Transmit, peer_id.ns, Some(peer_id), reason));
        if !peer.is_up() {
            return lost(Reason::LinkDown);
        }
        if skb.wire_len() > peer.mtu + VLAN_ROOM {
            return lost(Reason::TooBig { mtu: peer.mtu, told: false });
        }
        skb.scrub(peer_id.ns);
        skb.crossed += 1;
        Ok(Next::Receive(peer_id))
    }

    /// `__netif_receive_skb_core`.
    pub(crate) fn receive(&mut self, skb: &mut Skb, id: LinkId) -> Result<Next, Stop> {
        let link = self.link(id, Stage::Receive)?;
        let unknown =
            |what: String| Err(Stop::unknown(Stage::Receive, Unknown::Link { link: id, what }));
        if !link.is_up() {
            return Err(Stop::lost(Stage::Receive, id.ns, Some(id), Reason::LinkDown));
        }
        if link.xdp {
            return unknown("XDP program".to_owned());
        }
        skb.ns = id.ns;
        skb.ours = is_for(skb, link);
        if skb.arp.is_some() {
            self.heard.push(id);
        }
        let bridge = link.master.filter(|_| link.port.is_some());
        let bridge = bridge.map(|index| LinkId { ns: id.ns, index });
        self.tell(skb, Stage::Receive, || Action::In { link: id, bridge });
        self.traffic_control(skb, id, link, Hook::Ingress)?;
        self.stacked(skb, id)?;
        match (bridge, link.master) {
            (Some(_), _) => Ok(Next::Bridge(id)),
            (None, Some(master)) => {
                let master = self.link(LinkId { ns: id.ns, index: master }, Stage::Receive)?;
                if let LinkKind::Vrf(_) = master.kind {
                    let what = Opaque::Vrf(master.name.clone());
                    return Err(Stop::unknown(Stage::Receive, Unknown::Opaque { ns: id.ns, what }));
                }
                unknown(format!("slave of {} ({})", master.name, master.kind.as_str()))
            }
            (None, None) => Ok(Next::Up(id)),
        }
    }

    /// tc and nft's chains stand before and behind a link: coming in, tc is first, going out, nft.
    pub(crate) fn traffic_control(
        &mut self,
        skb: &mut Skb,
        id: LinkId,
        link: &Link,
        hook: Hook,
    ) -> Result<(), Stop> {
        let stage = if hook == Hook::Ingress { Stage::Receive } else { Stage::Transmit };
        self.lean_on(skb, stage, &["qdiscs"])?;
        if hook == Hook::Egress {
            self.link_hook(skb, id, hook)?;
        }
        if link.tc {
            let what = "tc filters".to_owned();
            return Err(Stop::unknown(stage, Unknown::Link { link: id, what }));
        }
        if hook == Hook::Ingress {
            self.link_hook(skb, id, hook)?;
        }
        Ok(())
    }

    /// Links that stand on this one take frames before it does: a macvlan its own, an ipvlan what
    /// is for its addresses, which are not looked up here. No frame has a tag that a vlan would
    /// take; a tunnel gets its packets by an address.
    fn stacked(&self, skb: &Skb, id: LinkId) -> Result<(), Stop> {
        for upper in self.net.uppers(id) {
            let Some(link) = self.net.link(*upper) else { continue };
            let takes = match &link.kind {
                LinkKind::Macvlan(_) => {
                    let unicast = skb.packet.dst_mac.is_some() && skb.packet.dst_mac == link.mac;
                    let owns = self.net.place(upper.ns).and_then(|p| p.owner(skb.packet.dst));
                    unicast || skb.arp.is_some() && owns == Some(upper.index)
                }
                LinkKind::Vlan(_) => false,
                kind => kind.is_stacked(),
            };
            if takes {
                let what = format!("kind {}", link.kind.as_str());
                let unknown = Unknown::Link { link: *upper, what };
                return Err(Stop::unknown(Stage::Receive, unknown));
            }
        }
        Ok(())
    }
}

/// `eth_type_trans`: the frame is for this link.
fn is_for(skb: &Skb, link: &Link) -> bool {
    let layer3 = matches!(&link.kind, LinkKind::Tap(tap) if tap.layer3);
    layer3 || link.kind == LinkKind::Loopback || {
        let to = skb.packet.dst_mac;
        to.is_some() && to == link.mac
    }
}
