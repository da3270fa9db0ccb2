//! Multicast snooping of a bridge (`br_multicast.c`, `br_mdb.c`): where somebody asks for members, a
//! group goes to those ports alone behind which it is wanted, and to multicast routers.

use std::net::IpAddr;

use model::{Bridge, Gap, Group, LinkId, LinkKind, Mac, MdbEntry};

use crate::bridge::Exit;
use crate::group::{ALL_NODES, is_link_local_group};
use crate::links::Spot;
use crate::skb::{Next, Skb, Stop};
use crate::walker::Walker;
use crate::{Action, Loss, Reason, Sink, Stage, Unknown};

/// IP protocol number of IGMP.
const IGMP: u8 = 2;

impl<'a, S: Sink> Walker<'a, '_, S> {
    /// `br_multicast_flood`; None: the group is flooded as if nobody listened to who wants it.
    pub(crate) fn hand_to_members(
        &mut self,
        skb: &mut Skb,
        link: Spot<'a>,
        from: Option<Spot<'a>>,
    ) -> Result<Option<Next<'a>>, Stop> {
        let LinkKind::Bridge(bridge) = &link.link.kind else { return Ok(None) };
        let id = link.id;
        let group = skb.packet.dst;
        if skb.arp.is_some()
            || skb.packet.dst_mac == Some(Mac::BROADCAST)
            || !asked_for(bridge, group)
        {
            return Ok(None);
        }
        self.snooping_modelled(skb, id, bridge)?;
        let place = self.place(id.ns, Stage::Bridge)?;
        let vlan = skb.vlan.unwrap_or(0);
        let of = |e: &&MdbEntry| {
            (e.bridge, e.vlan, e.group) == (id.index, vlan, Group::Ip(group)) && e.source.is_none()
        };
        let entries: Vec<&MdbEntry> = place.ns.mdb.iter().filter(of).collect();
        let wanted: Vec<u32> = entries.iter().map(|e| e.port).collect();
        if wanted.is_empty() && goes_to_all(group) {
            return Ok(None);
        }
        let routers = place
            .ns
            .router_ports
            .iter()
            .filter(|r| r.bridge == id.index && if group.is_ipv4() { r.ipv4 } else { r.ipv6 });
        let mut ports: Vec<LinkId> = Vec::new();
        for index in wanted.iter().copied().chain(routers.map(|r| r.port)) {
            let port = LinkId { ns: id.ns, index };
            if index != id.index
                && !ports.contains(&port)
                && place.link_index(index).is_none_or(|p| self.refuses(skb, p, from).is_none())
            {
                ports.push(port);
            }
        }
        self.no_copies_by_address(&ports, &entries)?;
        let up = from.is_some() && (wanted.contains(&id.index) || bridge.multicast_router == 2);
        let all = ports.clone();
        self.tell(skb, Stage::Bridge, || Action::Snooped { bridge: id, ports: all, host: up });
        let nobody = Loss { ns: id.ns, link: Some(id), reason: Reason::NotWanted(group) };
        let up = up || link.promiscuous && from.is_some();
        // One copy is the frame itself, and no other is lost by what becomes of it.
        match ports.as_slice() {
            [only] if !up => {
                return self
                    .through_port(skb, place, link, place.spot(only.index, Stage::Bridge)?)
                    .map(Some);
            }
            [] if up => return self.bridge_up(skb, link).map(Some),
            _ => {}
        }
        let nobody = ports.is_empty().then_some(nobody);
        let exits = ports.into_iter().map(|port| Exit { port, heard_by: None }).collect();
        self.flood_copies(skb, link, exits, up, nobody).map(Some)
    }

    /// What of it is not modelled, or not known.
    fn snooping_modelled(&mut self, skb: &Skb, id: LinkId, bridge: &Bridge) -> Result<(), Stop> {
        self.lean_on(skb, Stage::Bridge, &["mdb"])?;
        let ipv6 = skb.packet.dst.is_ipv6();
        let (newer, new) = match ipv6 {
            true => (bridge.mld_version > 1, bridge.querier_new6),
            false => (bridge.igmp_version > 2, bridge.querier_new),
        };
        let what = if bridge.mcast_vlan_snooping {
            "multicast snooping by VLAN"
        } else if newer {
            "multicast snooping by source (IGMP 3, MLD 2)"
        } else if !skb.packet.dst.is_multicast() || skb.packet.protocol() == IGMP {
            "multicast snooping of what is no group's"
        } else if new {
            "multicast snooping, with a querier that may be new"
        } else {
            // Own questions are relied upon once members have had the time to answer.
            if bridge.multicast_querier && bridge.query_response_interval > 0 {
                let cause = "since when the bridge is a querier is not told";
                let taken = "for longer than members may take to answer";
                self.assume(skb, Stage::Bridge, vec![Gap::assumed("mdb", cause, taken)]);
            }
            return Ok(());
        };
        let what = what.to_owned();
        Err(Stop::unknown(Stage::Bridge, Unknown::Link { link: id, what }))
    }

    /// BR_MULTICAST_TO_UNICAST: a copy for each member that was heard, by its own address, which
    /// nothing tells. What was told by hand has no address, and the frame stays as it is
    /// (`maybe_deliver_addr`).
    fn no_copies_by_address(&self, ports: &[LinkId], all: &[&MdbEntry]) -> Result<(), Stop> {
        let flags = |id: &LinkId| self.known_link(*id).and_then(|l| l.port.as_ref());
        let heard = |id: &LinkId| all.iter().any(|e| e.port == id.index && !e.permanent);
        let by_address = |id: &&LinkId| heard(id) && flags(id).is_some_and(|p| p.mcast_to_unicast);
        match ports.iter().find(by_address) {
            None => Ok(()),
            Some(port) => {
                let what = "mcast_to_unicast".to_owned();
                Err(Stop::unknown(Stage::Bridge, Unknown::Link { link: *port, what }))
            }
        }
    }
}

/// `br_multicast_querier_exists`.
const fn asked_for(bridge: &Bridge, group: IpAddr) -> bool {
    bridge.multicast_snooping
        && match group {
            IpAddr::V4(_) => bridge.multicast_querier || bridge.querier_seen,
            IpAddr::V6(_) => bridge.querier_seen6,
        }
}

/// Groups that are not asked for (`br_multicast_ipv4_rcv`, `br_ip6_multicast_add_group`).
fn goes_to_all(group: IpAddr) -> bool {
    is_link_local_group(group) || group == IpAddr::V6(ALL_NODES)
}
