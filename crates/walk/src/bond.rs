//! Bonds: several links that are one (`drivers/net/bonding/bond_main.c`, `bond_alb.c`).

use std::net::IpAddr;

use model::{Bond, BondMode, BondOption, HashPolicy, Link, LinkId, Mac, Member, MiiStatus};

use crate::bridge::reserved;
use crate::links::Spot;
use crate::load::ether_type;
use crate::skb::{Next, Skb, Stop};
use crate::walker::Walker;
use crate::{Action, BondChoice, Fork, IcmpKind, Payload, Reason, Sink, Stage, Unknown};

impl<'a, S: Sink> Walker<'a, '_, S> {
    /// `__bond_start_xmit`: by which port a frame goes out, or by which of them.
    pub(crate) fn bond_out(
        &mut self,
        skb: &mut Skb,
        id: LinkId,
        bond: &Bond,
    ) -> Result<Next<'a>, Stop> {
        let hash = |skb: &Skb| hash(bond.hash_policy(), skb);
        match bond.mode() {
            BondMode::ActiveBackup => {
                let active = in_use(id, bond).ok_or_else(|| no_port(id))?;
                self.tell_bond(skb, id, vec![active], active, BondChoice::InUse);
                self.out_by(active)
            }
            BondMode::BalanceRr => self.by_one_of(skb, id, bond, None),
            BondMode::Ieee8023ad if bond.options.get(BondOption::BroadcastNeighbor) != 0 => {
                match skb.is_discovery() {
                    true => self.by_all(skb, id, self.usable(id, bond)),
                    false => self.by_one_of(skb, id, bond, hash(skb)),
                }
            }
            BondMode::BalanceXor | BondMode::Ieee8023ad => self.by_one_of(skb, id, bond, hash(skb)),
            BondMode::Broadcast => self.by_all(skb, id, self.usable(id, bond)),
            BondMode::BalanceTlb => self.by_load(skb, id, bond),
            // Whom it answers ARP with which port's address, it tells nobody.
            mode @ (BondMode::BalanceAlb | BondMode::Other(_)) => Err(not_known(id, mode)),
        }
    }

    /// `bond_handle_frame`: what comes in by a port comes in by the bond, for whom it was for there;
    /// by one that stands by it does not (`bond_should_deliver_exact_match`).
    pub(crate) fn bond_in(
        &mut self,
        skb: &mut Skb,
        link: Spot<'a>,
        bond: &Bond,
    ) -> Result<Next<'a>, Stop> {
        let port = link.id;
        let Some(master) = link.master.map(|index| LinkId { ns: port.ns, index }) else {
            return Ok(Next::Up(link));
        };
        if let mode @ (BondMode::BalanceAlb | BondMode::Other(_)) = bond.mode() {
            return Err(not_known(master, mode));
        }
        if !stands_by(port, link, bond) {
            skb.kept = Some(skb.ours);
            return self.in_by(master);
        }
        match skb.packet.dst_mac.and_then(reserved) {
            // Who watches single links is to see them all (`is_link_local_ether_addr`).
            Some(_) => Ok(Next::Up(link)),
            None => Err(Stop::lost(Stage::Receive, port.ns, Some(port), Reason::StandsBy)),
        }
    }

    /// `bond_slave_can_tx`: the ports that can send, in the bond's own order where that is known.
    fn usable(&self, id: LinkId, bond: &Bond) -> Vec<LinkId> {
        let Some(place) = self.known_place(id.ns) else { return Vec::new() };
        let known = bond.ports.iter().filter_map(|index| place.link(*index));
        let all: Vec<&Link> = match bond.ports.is_empty() {
            true => place.ns.links.values().collect(),
            false => known.collect(),
        };
        let can_send = |link: &&&Link| {
            let port = match &link.member {
                Some(Member::Bond(port)) if link.master == Some(id.index) => port,
                _ => return false,
            };
            link.is_running() && port.mii == MiiStatus::Up && !port.backup
        };
        let usable = all.iter().filter(can_send);
        usable.map(|link| LinkId { ns: id.ns, index: link.index }).collect()
    }

    /// `bond_xmit_roundrobin`, `bond_3ad_xor_xmit`: by the port that a hash chooses; without one, by
    /// the one whose turn it is.
    fn by_one_of(
        &mut self,
        skb: &Skb,
        id: LinkId,
        bond: &Bond,
        hash: Option<u32>,
    ) -> Result<Next<'a>, Stop> {
        let ports = self.usable(id, bond);
        let port = self.one_port(id, bond, &ports, hash)?;
        let by = match (ports.len(), hash) {
            (1, _) => BondChoice::Only,
            (_, Some(_)) => BondChoice::Hash,
            (_, None) => BondChoice::Turn,
        };
        self.tell_bond(skb, id, ports, port, by);
        self.out_by(port)
    }

    fn one_port(
        &self,
        id: LinkId,
        bond: &Bond,
        ports: &[LinkId],
        hash: Option<u32>,
    ) -> Result<LinkId, Stop> {
        let count = u32::try_from(ports.len()).unwrap_or(u32::MAX);
        let nth = match hash {
            _ if count < 2 => Some(0),
            Some(hash) if !bond.ports.is_empty() => Some(hash % count),
            _ => self.overlay.choices.choose(count, || {
                (Fork::Bond { bond: id }, format!("mode {}", bond.mode().as_str()))
            }),
        };
        let Some(nth) = nth else {
            let what = "which of its ports it sends by".to_owned();
            return Err(Stop::unknown(Stage::Transmit, Unknown::Link { link: id, what }));
        };
        let port = usize::try_from(nth).ok().and_then(|nth| ports.get(nth));
        port.copied().ok_or_else(|| no_port(id))
    }

    /// `bond_tlb_xmit`: what is for many, and what looks for neighbours, by the port in use; all
    /// else by any, with that one's own address.
    fn by_load(&mut self, skb: &mut Skb, id: LinkId, bond: &Bond) -> Result<Next<'a>, Stop> {
        let ports = self.usable(id, bond);
        let active = in_use(id, bond).filter(|port| ports.contains(port));
        let group = skb.packet.is_to_group();
        if group || skb.is_discovery() {
            let active = active.ok_or_else(|| no_port(id))?;
            self.tell_bond(skb, id, vec![active], active, BondChoice::InUse);
            return self.out_by(active);
        }
        let dynamic = bond.options.get(BondOption::TlbDynamicLb) != 0;
        let hash = hash(bond.hash_policy(), skb).filter(|_| !dynamic);
        let next = self.by_one_of(skb, id, bond, hash)?;
        if let Next::Transmit(port) = next
            && Some(port.id) != active
        {
            skb.packet.src_mac = port.mac;
        }
        Ok(next)
    }

    /// `bond_xmit_broadcast`: a copy by each.
    fn by_all(&mut self, skb: &mut Skb, id: LinkId, ports: Vec<LinkId>) -> Result<Next<'a>, Stop> {
        if ports.is_empty() {
            return Err(no_port(id));
        }
        let copy = |port: &LinkId| Ok((*port, skb.clone(), self.out_by(*port)?));
        let copies = ports.iter().map(copy).collect::<Result<_, Stop>>()?;
        self.split_as(skb, Stage::Transmit, copies, |followed| Action::Bonded {
            bond: id,
            ports,
            followed,
            by: BondChoice::All,
        })
    }

    fn tell_bond(
        &mut self,
        skb: &Skb,
        bond: LinkId,
        ports: Vec<LinkId>,
        port: LinkId,
        by: BondChoice,
    ) {
        let followed = Some(port);
        self.tell(skb, Stage::Transmit, || Action::Bonded { bond, ports, followed, by });
    }
}

fn in_use(id: LinkId, bond: &Bond) -> Option<LinkId> {
    bond.active.map(|index| LinkId { ns: id.ns, index })
}

/// `bond_is_slave_inactive`. In the modes that go by load all ports send, and one alone takes in.
fn stands_by(port: LinkId, link: &Link, bond: &Bond) -> bool {
    let backup = match bond.mode() {
        BondMode::BalanceTlb => bond.active != Some(port.index),
        _ => matches!(&link.member, Some(Member::Bond(of)) if of.backup),
    };
    backup && bond.options.get(BondOption::AllSlavesActive) == 0
}

/// `bond_tx_drop`.
fn no_port(id: LinkId) -> Stop {
    Stop::lost(Stage::Transmit, id.ns, Some(id), Reason::NoPort)
}

fn not_known(id: LinkId, mode: BondMode) -> Stop {
    let what = format!("bond of mode {}", mode.as_str());
    Stop::unknown(Stage::Transmit, Unknown::Link { link: id, what })
}

/// `__bond_xmit_hash`; None: it is not known. (`encap…` looks into tunnels, or takes what a socket
/// was given by chance.)
fn hash(policy: HashPolicy, skb: &Skb) -> Option<u32> {
    let mixed = |hash: u32| {
        let hash = hash ^ folded(skb.packet.dst) ^ folded(skb.packet.src);
        let hash = hash ^ (hash >> 16);
        hash ^ (hash >> 8)
    };
    match policy {
        HashPolicy::Layer2 => ether(skb),
        HashPolicy::VlanSrcmac => source(skb),
        HashPolicy::Layer23 | HashPolicy::Layer34 if skb.arp.is_some() => ether(skb),
        HashPolicy::Layer23 => {
            quotes_nothing(skb)?;
            ether(skb).map(mixed)
        }
        HashPolicy::Layer34 => {
            quotes_nothing(skb)?;
            Some(mixed(ports(skb)) >> 1)
        }
        HashPolicy::Encap23 | HashPolicy::Encap34 | HashPolicy::Other(_) => None,
    }
}

/// An error is hashed by the packet that it is about, as it quotes it.
const fn quotes_nothing(skb: &Skb) -> Option<()> {
    match skb.packet.payload {
        Payload::Icmp {
            kind: IcmpKind::Unreachable(_) | IcmpKind::TimeExceeded | IcmpKind::TooBig,
            ..
        } => None,
        // Of IPv6, it is no error (`icmpv6_is_err`).
        Payload::Icmp { kind: IcmpKind::Redirect, .. } if !skb.packet.is_ipv6() => None,
        _ => Some(()),
    }
}

/// `bond_eth_hash`: the outermost tag is not among the frame's bytes here.
fn ether(skb: &Skb) -> Option<u32> {
    let (to, from) = (skb.packet.dst_mac?, skb.packet.src_mac?);
    let protocol: u16 = match skb.tags.as_slice() {
        [inner, _, ..] => inner.protocol,
        _ => ether_type(skb),
    };
    Some(u32::from(to.0[5] ^ from.0[5]) ^ u32::from(protocol))
}

/// `bond_vlan_srcmac_hash`.
fn source(skb: &Skb) -> Option<u32> {
    let Mac([a, b, c, d, e, f]) = skb.packet.src_mac?;
    let vlan = skb.tags.last().map_or(0, |tag| u32::from(tag.id));
    Some(vlan ^ u32::from_be_bytes([0, a, b, c]) ^ u32::from_be_bytes([0, d, e, f]))
}

/// `flow_get_u32_src`, on a machine whose numbers begin with their lowest byte.
fn folded(ip: IpAddr) -> u32 {
    match ip {
        IpAddr::V4(ip) => u32::from_le_bytes(ip.octets()),
        IpAddr::V6(ip) => {
            let octets = ip.octets();
            let (words, _) = octets.as_chunks();
            words.iter().fold(0, |hash, word| hash ^ u32::from_le_bytes(*word))
        }
    }
}

/// Ports, or what an echo has instead (`skb_flow_get_icmp_tci`); a fragment has none.
fn ports(skb: &Skb) -> u32 {
    let pair = |source: u16, destination: u16| {
        let ([a, b], [c, d]) = (source.to_be_bytes(), destination.to_be_bytes());
        u32::from_le_bytes([a, b, c, d])
    };
    match skb.packet.payload {
        _ if skb.fragment.is_some() && !skb.packet.is_ipv6() => 0,
        Payload::Tcp { sport, dport, .. } | Payload::Udp { sport, dport } => pair(sport, dport),
        Payload::Icmp { kind: kind @ (IcmpKind::EchoRequest | IcmpKind::EchoReply), id } => {
            let (kind, code) = kind.numbers(skb.packet.is_ipv6());
            let [low, high] = id.max(1).to_le_bytes();
            u32::from_le_bytes([kind, code, low, high])
        }
        Payload::Icmp { .. } | Payload::Other(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use model::{HostId, NsId, NsKey};

    use super::*;
    use crate::Packet;
    use crate::skb::Arp;

    const A: Mac = Mac([0x9e, 0x73, 0x8f, 0xff, 0xee, 0x29]);
    const B: Mac = Mac([0xce, 0x4c, 0xb9, 0x25, 0x82, 0x4e]);

    fn udp((from, to): (Mac, Mac), (src, sport): ([u8; 4], u16), dst: ([u8; 4], u16)) -> Skb {
        let ns = NsId { host: HostId(0), key: NsKey::Inode { dev: 4, ino: 1 } };
        let packet = Packet {
            src_mac: Some(from),
            dst_mac: Some(to),
            src: src.into(),
            dst: dst.0.into(),
            ttl: 64,
            tos: 0,
            df: false,
            len: 84,
            payload: Payload::Udp { sport, dport: dst.1 },
            mss: None,
        };
        Skb::new(ns, packet)
    }

    /// Which of three ports Linux 6.1 chose.
    #[test]
    fn as_a_kernel_chose() {
        let (a, c) = ([10, 0, 1, 1], [10, 0, 2, 1]);
        let chosen = |policy, skb: &Skb| hash(policy, skb).map(|hash| hash % 3);
        for (sport, port) in [(2000, 2), (2001, 1), (2002, 2)] {
            let there = udp((A, B), (a, sport), (c, 7));
            assert_eq!(chosen(HashPolicy::Layer34, &there), Some(port), "{sport}");
        }
        let back = udp((B, A), (c, 7), (a, 2000));
        assert_eq!(chosen(HashPolicy::Layer23, &back), Some(2));
        let asked = Skb { arp: Some(Arp::Request), ..udp((A, Mac::BROADCAST), (a, 0), (a, 0)) };
        assert_eq!(chosen(HashPolicy::Layer34, &asked), Some(0));
        let told = Skb { arp: Some(Arp::Reply), ..udp((B, A), (a, 0), (a, 0)) };
        assert_eq!(chosen(HashPolicy::Layer23, &told), Some(0));
        assert_eq!(chosen(HashPolicy::Encap34, &back), None);
    }
}
