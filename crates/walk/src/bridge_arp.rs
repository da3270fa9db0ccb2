//! A bridge that answers ARP and ND for what is behind its ports, or keeps questions off them.

use std::net::IpAddr;

use model::{BridgePort, LinkId, Mac};

use crate::group::ALL_NODES;
use crate::links::Spot;
use crate::route6::is_link_local;
use crate::skb::{Arp, Skb};
use crate::walker::{Answer, Sent, Walker};
use crate::{IcmpKind, Payload, Sink};

/// What a bridge makes of a message of ARP or ND.
enum Heard {
    /// A question who has this address.
    Asks(IpAddr),
    /// What ports that want to be spared are not given.
    Spares,
    /// Nothing.
    Passes,
}

impl<'a, S: Sink> Walker<'a, '_, S> {
    /// `br_do_proxy_suppress_arp`, `br_do_suppress_nd`: answers a question by the bridge's own
    /// neighbours and table, and notes whether ports that want to be spared are to be. `from`: the
    /// port that it came in by.
    #[inline(always)]
    pub(crate) fn answer_in_bridge(
        &mut self,
        skb: &mut Skb,
        bridge: Spot<'_>,
        from: Option<(LinkId, &BridgePort)>,
    ) {
        skb.arp_replied = skb.is_discovery() && self.is_answered(skb, bridge.id, from);
    }

    fn is_answered(
        &mut self,
        skb: &Skb,
        bridge: LinkId,
        from: Option<(LinkId, &BridgePort)>,
    ) -> bool {
        let suppresses =
            self.known_place(bridge.ns).is_some_and(|place| place.suppresses(bridge.index));
        if suppresses && from.is_some_and(|(_, port)| port.neigh_suppress) {
            return false;
        }
        match heard(skb, suppresses, from.is_some()) {
            Heard::Asks(target) => {
                suppresses && self.has_address(bridge, target)
                    || self.answer_for(skb, bridge, from, target, suppresses)
            }
            Heard::Spares => true,
            Heard::Passes => false,
        }
    }

    /// `br_is_local_ip`, `br_is_local_ip6`: of the bridge, or of a link that stands on it, in whichever
    /// namespace.
    fn has_address(&self, link: LinkId, ip: IpAddr) -> bool {
        let Some(place) = self.known_place(link.ns) else { return false };
        let own = match ip {
            IpAddr::V4(_) => place.ns.addresses_of(link.index).any(|a| a.ip() == ip),
            IpAddr::V6(_) => place.ns.addresses.iter().any(|a| {
                let here = a.link == link.index
                    || !is_near(ip) && place.vrf_of(a.link) == place.vrf_of(link.index);
                a.ip() == ip && here && a.is_ready()
            }),
        };
        own || self.net.uppers(link).iter().any(|upper| self.has_address(*upper, ip))
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
        let arp = target.is_ipv4();
        let spared = flags.is_some_and(|port| port.neigh_suppress || arp && port.proxy_arp_wifi);
        let answer = match from {
            Some((port, flags)) => {
                (spared || arp && flags.proxy_arp).then_some((port, Sent::ByPort))
            }
            // What ARP would tell its own host goes out by its ports, and never comes (`br_arp_send`).
            None => (spared && !arp).then_some((bridge, Sent::Up)),
        };
        let answers = answer.map(|(link, sent)| Answer { link, mac, sent, moment: skb.moment });
        self.answers.extend(answers);
        answer.is_some() || suppresses
    }

    /// The port behind which an address is known to be; the inner None: it is the bridge's own.
    #[allow(clippy::option_option, reason = "not known, and known to be no port's, are two things")]
    fn port_behind(&self, skb: &Skb, bridge: LinkId, mac: Mac) -> Option<Option<&BridgePort>> {
        let spot = self.known_spot(bridge)?;
        let station = self.home(spot).station(spot, skb.vlan.unwrap_or(0), mac);
        if let Some((entry, _)) = self.overlay.behind(spot, skb, mac, station) {
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

/// `suppresses`: some port wants to be spared. `by_port`: it did not come from the host itself.
fn heard(skb: &Skb, suppresses: bool, by_port: bool) -> Heard {
    let (asker, target) = (skb.packet.src, skb.packet.dst);
    match (skb.arp, skb.packet.payload) {
        (Some(_), _)
            if !suppresses && !by_port || target.is_loopback() || target.is_multicast() =>
        {
            Heard::Passes
        }
        (_, _) if suppresses && asker == target => Heard::Spares,
        (Some(Arp::Request), _) => Heard::Asks(target),
        (None, Payload::Icmp { kind: IcmpKind::Solicitation(target), .. }) if suppresses => {
            Heard::Asks(target.into())
        }
        // One that nobody has asked for.
        (None, Payload::Icmp { kind: IcmpKind::Advertisement(_), .. })
            if suppresses && target == IpAddr::V6(ALL_NODES) =>
        {
            Heard::Spares
        }
        _ => Heard::Passes,
    }
}

/// Such an address counts on its own link alone.
fn is_near(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.is_loopback() || is_link_local(ip))
}
