//! A bridge that answers ARP for what is behind its ports, or keeps questions off them.

use std::net::IpAddr;

use model::{BridgePort, LinkId, Mac};

use crate::Sink;
use crate::skb::{Arp, Skb};
use crate::walker::{Answer, Walker};

impl<S: Sink> Walker<'_, '_, S> {
    /// `br_do_proxy_suppress_arp`: answers a question by the bridge's own neighbours and table, and
    /// notes whether ports that want to be spared are to be. `from`: the port that it came in by.
    pub(crate) fn answer_in_bridge(
        &mut self,
        skb: &mut Skb,
        bridge: LinkId,
        from: Option<(LinkId, &BridgePort)>,
    ) {
        skb.arp_replied = false;
        if skb.arp.is_none() {
            return;
        }
        let suppresses =
            self.known_place(bridge.ns).is_some_and(|place| place.suppresses(bridge.index));
        let (asker, target) = (skb.packet.src, skb.packet.dst);
        if from.is_none() && !suppresses
            || target.is_loopback()
            || target.is_multicast()
            || suppresses && from.is_some_and(|(_, port)| port.neigh_suppress)
        {
            return;
        }
        if suppresses && asker == target {
            skb.arp_replied = true;
            return;
        }
        if skb.arp == Some(Arp::Request) {
            let own = suppresses && self.has_address(bridge, target);
            skb.arp_replied = own || self.answer_for(skb, bridge, from, target, suppresses);
        }
    }

    /// `br_is_local_ip`: of the bridge, or of a link that stands on it, in whichever namespace.
    fn has_address(&self, link: LinkId, ip: IpAddr) -> bool {
        let place = self.known_place(link.ns);
        place.is_some_and(|place| place.ns.addresses_of(link.index).any(|a| a.ip() == ip))
            || self.net.uppers(link).iter().any(|upper| self.has_address(*upper, ip))
    }

    /// Answers for an address that the bridge itself knows as a neighbour, and behind which port.
    fn answer_for(
        &mut self,
        skb: &Skb,
        bridge: LinkId,
        from: Option<(LinkId, &BridgePort)>,
        target: IpAddr,
        suppresses: bool,
    ) -> bool {
        let known = self.known(bridge, target).filter(|n| n.state.is_valid());
        let Some(mac) = known.and_then(|n| n.mac) else { return false };
        let Some(flags) = self.port_behind(skb, bridge, mac) else { return false };
        let spared = flags.is_some_and(|port| port.proxy_arp_wifi || port.neigh_suppress);
        let asked = from.filter(|(_, port)| port.proxy_arp || spared);
        if let Some((port, _)) = asked {
            self.answers.push(Answer { link: port, mac, moment: skb.moment });
        }
        asked.is_some() || suppresses
    }

    /// The port behind which an address is known to be; the inner None: it is the bridge's own.
    #[allow(clippy::option_option, reason = "not known, and known to be no port's, are two things")]
    fn port_behind(&self, skb: &Skb, bridge: LinkId, mac: Mac) -> Option<Option<&BridgePort>> {
        let station = self.station(bridge, skb.vlan.unwrap_or(0), mac);
        if let Some((entry, _)) = self.overlay.behind(bridge, skb, mac, station) {
            let link = self.known_link(LinkId { index: entry.link, ..bridge });
            return Some(link.and_then(|l| l.port.as_ref()));
        }
        let place = self.known_place(bridge.ns)?;
        let port = place.ports(bridge.index).iter().find(|l| l.mac == Some(mac));
        let own = self.known_link(bridge).is_some_and(|l| l.mac == Some(mac));
        match port {
            Some(link) => Some(link.port.as_ref()),
            None => own.then_some(None),
        }
    }
}
