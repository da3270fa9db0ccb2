//! What of a packet is looked for in a set.

use model::{Hook, IpSetPart, LinkKind, Mac};

use super::index::{Index, Key, put};
use super::mask::width;
use super::{Asked, Not, PHYSDEV};
use crate::Payload;
use crate::chain::{Chains, Changes};
use crate::load::arphrd;

/// ARPHRD_ETHER.
const ETHERNET: u16 = 1;

/// What a packet has in place of an entry.
#[derive(Clone, Debug, Default)]
pub(super) struct Sought<'s> {
    pub(super) key: Key,
    pub(super) link: Option<(&'s str, bool)>,
    pub(super) mac: Option<Mac>,
}

impl<'a> Chains<'a, '_> {
    /// What of the packet is looked for.
    pub(super) fn sought(
        &self,
        parts: &[IpSetPart],
        index: &Index<'_>,
        asked: &Asked<'_>,
        changes: &Changes,
    ) -> Result<Sought<'a>, Not> {
        let packet = &self.skb.packet;
        let mut sought = Sought::default();
        let mut second = false;
        for (nth, part) in parts.iter().enumerate() {
            let source = asked.named.is_source(nth);
            match part {
                IpSetPart::Ip | IpSetPart::Net => {
                    let ip = if source { packet.src } else { packet.dst };
                    let ip = if second { ip } else { index.cut(ip) };
                    // `hash_ip4_kadt`.
                    if index.set.kind == "hash:ip" && ip.is_unspecified() {
                        return Err(Not::There);
                    }
                    put(&mut sought.key, second, ip, width(ip));
                    second = true;
                }
                IpSetPart::Port => sought.key.port = self.port(source)?,
                IpSetPart::AnyPort => sought.key.port = (0, self.any_port(source)?),
                IpSetPart::Mac => {
                    let mac = self.ethernet(source)?;
                    sought.mac = Some(mac);
                    sought.key.mac = (!index.compares_mac()).then_some(mac);
                }
                IpSetPart::Mark => sought.key.mark = changes.mark & index.mark_mask(),
                IpSetPart::Link => {
                    let physdev = asked.flags & PHYSDEV != 0;
                    sought.link = Some((self.device(source, physdev)?, physdev));
                }
            }
        }
        Ok(sought)
    }

    /// `ip_set_get_ip4_port` and `_ip6_`: protocol and port; of ICMP, type and code.
    fn port(&self, source: bool) -> Result<(u8, u16), Not> {
        /// SCTP and UDP-Lite, which have ports as well.
        const WITH_PORTS: [u8; 2] = [132, 136];
        let packet = &self.skb.packet;
        if self.skb.fragment.is_some() && !self.place.tables.tracks(packet.family()) {
            return Err(Not::Known("the ports of a packet in fragments".to_owned()));
        }
        let port = match packet.payload {
            Payload::Tcp { sport: 0, .. } | Payload::Udp { sport: 0, .. } if source => {
                return Err(Not::Known("the source port of a tunnel".to_owned()));
            }
            Payload::Tcp { sport, dport, .. } | Payload::Udp { sport, dport } => {
                if source {
                    sport
                } else {
                    dport
                }
            }
            Payload::Icmp { kind, .. } => {
                let (kind, code) = kind.numbers(packet.is_ipv6());
                u16::from_be_bytes([kind, code])
            }
            Payload::Other(protocol) if WITH_PORTS.contains(&protocol) => {
                return Err(Not::Known(format!("the ports of protocol {protocol}")));
            }
            Payload::Other(_) => 0,
        };
        Ok((packet.protocol(), port))
    }

    /// `ip_set_get_ip_port`: of TCP and UDP alone.
    fn any_port(&self, source: bool) -> Result<u16, Not> {
        match self.skb.packet.payload {
            Payload::Tcp { .. } | Payload::Udp { .. } => self.port(source).map(|(_, port)| port),
            _ => Err(Not::There),
        }
    }

    /// The address in the frame that the packet came in, which it keeps until it leaves; what is sent
    /// from here has none.
    fn ethernet(&self, source: bool) -> Result<Mac, Not> {
        let not_known = || Not::Known("the Ethernet address of a packet".to_owned());
        if self.skb.iif.is_none() {
            return Err(Not::There);
        }
        let at = if self.hook == Hook::Postrouting { self.oif } else { self.skb.iif };
        let link = at.and_then(|index| self.place.link(index)).ok_or_else(not_known)?;
        if matches!(link.kind, LinkKind::Tunnel(_) | LinkKind::Other(_)) {
            return Err(not_known());
        }
        let packet = &self.skb.packet;
        match if source { packet.src_mac } else { packet.dst_mac } {
            _ if arphrd(link) != ETHERNET => Err(Not::There),
            Some(mac) if mac == Mac::default() => Err(Not::There),
            Some(mac) => Ok(mac),
            None => Err(not_known()),
        }
    }

    /// `hash_netiface4_kadt`.
    fn device(&self, source: bool, physdev: bool) -> Result<&'a str, Not> {
        let index = match (physdev, source) {
            (false, true) => self.iif,
            (false, false) => self.oif,
            (true, true) => self.skb.physin,
            (true, false) => self.skb.physout,
        };
        let Some(index) = index else { return Err(Not::There) };
        match self.place.link(index) {
            Some(link) => Ok(&link.name),
            None => Err(Not::Known("a link that was not read".to_owned())),
        }
    }
}
