//! What rules ask about a packet beside its bytes, and write: `meta`, `ct`, `fib`.

use std::net::{IpAddr, Ipv4Addr};

use model::{
    AddrType, Conntrack, CtKey, Family, FibResult, Hook, Link, LinkKind, MetaKey, Reg, RouteKind,
};

use crate::chain::{Chains, Changes};
use crate::guard::Facts;
use crate::header::ETHERNET;
use crate::indexed::Place;
use crate::ip::is_broadcast;
use crate::links::{LinkName, NOBODY, name};
use crate::packet::tcp;
use crate::register::Registers;
use crate::route::{Flow, NotFound};
use crate::rule::{Effect, forgotten, is_note};
use crate::skb::Skb;
use crate::{IcmpKind, Payload};

/// NFTA_FIB_F_*.
pub(crate) mod fib {
    pub(crate) const DESTINATION: u32 = 2;
    pub(crate) const MARK: u32 = 4;
    pub(crate) const IIF: u32 = 8;
    pub(crate) const OIF: u32 = 16;
    pub(crate) const PRESENT: u32 = 32;
}

/// ETH_P_IP, ETH_P_ARP and ETH_P_IPV6.
const ETH_IP: u16 = 0x0800;
const ETH_ARP: u16 = 0x0806;
const ETH_IPV6: u16 = 0x86dd;
/// NFPROTO_IPV4, _IPV6.
const IPV4: u8 = 2;
const IPV6: u8 = 10;

impl<'a> Chains<'a, '_> {
    pub(crate) fn link(&self, index: Option<u32>) -> Option<&'a Link> {
        index.and_then(|i| self.place.link(i))
    }

    /// What is asked of most rules, at once.
    pub(crate) fn facts(&self) -> Facts<'a> {
        let protocol = self.skb.packet.protocol();
        Facts {
            place: self.place,
            iif: self.iif,
            oif: self.oif,
            protocol: self.skb.arp.is_none().then_some(protocol),
        }
    }

    fn link_name(&self, index: Option<u32>) -> &'a LinkName {
        let place: &'a Place<'a> = self.place;
        index.and_then(|i| place.link_index(i)).map_or(&NOBODY, |found| &found.name)
    }

    pub(crate) fn meta(
        &self,
        key: MetaKey,
        dreg: Reg,
        r: &mut Registers,
        changes: &Changes,
    ) -> Effect {
        let (iif, oif) = (self.iif, self.oif);
        match key {
            MetaKey::Len => r.store(dreg, &self.length().to_ne_bytes()),
            MetaKey::Protocol => r.store(dreg, &self.ether_type().to_be_bytes()),
            MetaKey::Mark => r.store(dreg, &changes.mark.to_ne_bytes()),
            MetaKey::Nfproto => r.store(dreg, &[self.nfproto()]),
            MetaKey::L4proto if self.skb.arp.is_some() => return Effect::Fails,
            MetaKey::L4proto => r.store(dreg, &[self.skb.packet.protocol()]),
            MetaKey::Iif => r.store(dreg, &iif.unwrap_or(0).to_ne_bytes()),
            MetaKey::Oif => r.store(dreg, &oif.unwrap_or(0).to_ne_bytes()),
            MetaKey::IifName => r.store(dreg, self.link_name(iif)),
            MetaKey::SdifName => r.store(dreg, &[0; 16]),
            MetaKey::OifName => r.store(dreg, self.link_name(oif)),
            // Only within a VRF, which is not walked.
            MetaKey::Sdif => r.store(dreg, &[0; 4]),
            MetaKey::IifGroup => return group(self.link(iif), dreg, r),
            MetaKey::OifGroup => return group(self.link(oif), dreg, r),
            MetaKey::IifType => return stored(self.link(iif).map(arphrd), dreg, r),
            MetaKey::OifType => return stored(self.link(oif).map(arphrd), dreg, r),
            MetaKey::IifKind => return kind_name(self.link(iif), dreg, r),
            MetaKey::OifKind => return kind_name(self.link(oif), dreg, r),
            MetaKey::PktType => r.store(dreg, &[self.packet_type()]),
            MetaKey::BridgeIifName => return self.bridge_name(iif, dreg, r),
            MetaKey::BridgeOifName => return self.bridge_name(oif, dreg, r),
            MetaKey::NfTrace | MetaKey::Secpath => r.store(dreg, &[0]),
            // What is only forwarded belongs to no process.
            MetaKey::Skuid | MetaKey::Skgid | MetaKey::Cgroup if self.has_no_socket() => {
                return Effect::Fails;
            }
            other => return forgotten(dreg, &meta_name(other), r),
        }
        Effect::Goes
    }

    /// Bytes of the packet as the hook sees it: behind a link, with the Ethernet header.
    fn length(&self) -> u32 {
        let header = if self.hook == Hook::Egress { ETHERNET } else { 0 };
        self.skb.packet.len + header
    }

    fn ether_type(&self) -> u16 {
        ether_type(self.skb)
    }

    /// Of chains of inet, the packet's own; else the family's.
    fn nfproto(&self) -> u8 {
        match self.base.table.family {
            Family::Netdev => 5,
            Family::Bridge => 7,
            Family::Arp => 3,
            Family::Ip6 => IPV6,
            Family::Inet if self.skb.packet.is_ipv6() => IPV6,
            Family::Ip | Family::Inet => IPV4,
        }
    }

    /// PACKET_*: 0 for this host, 1 broadcast, 2 multicast, 3 for another host. br_netfilter calls
    /// every bridged packet one for this host.
    pub(crate) fn packet_type(&self) -> u8 {
        let below_ip = matches!(self.base.table.family, Family::Bridge | Family::Netdev)
            || self.hook == Hook::Ingress;
        let Some(to) = self.skb.packet.dst_mac.filter(|_| self.iif.is_some()) else { return 0 };
        let own = self.link(self.iif);
        // A bridge takes what is for its own address as for this host.
        let bridge = own.and_then(|l| self.link(l.master)).and_then(|b| b.mac);
        let taken = self.base.table.family == Family::Bridge && bridge == Some(to);
        match own.and_then(|l| l.mac) {
            _ if to == model::Mac::BROADCAST => 1,
            _ if to.is_group() => 2,
            Some(own) if below_ip && own != to && !taken => 3,
            _ => 0,
        }
    }

    pub(crate) fn has_no_socket(&self) -> bool {
        // `tcp_v6_send_response`: a reset of the kernel's own belongs to none, other than IPv4's.
        let (packet, own) = (&self.skb.packet, self.is_of_the_kernel());
        let reset6 = own && packet.is_ipv6() && matches!(packet.payload, Payload::Tcp { .. });
        match self.hook {
            Hook::Output => reset6,
            // Only packets of a connection that has a socket here find it early.
            Hook::Input => self.skb.ct.is_some_and(|ct| !ct.reply) && self.is_new(),
            Hook::Postrouting | Hook::Egress => self.skb.iif.is_some() || reset6,
            _ => true,
        }
    }

    /// Sent from here by one of the kernel's own sockets: errors, echo replies, resets.
    pub(crate) fn is_of_the_kernel(&self) -> bool {
        self.skb.iif.is_none()
            && !self.skb.of_process
            && match self.skb.packet.payload {
                Payload::Icmp { kind, .. } => kind != IcmpKind::EchoRequest,
                Payload::Tcp { flags, .. } => flags & tcp::RST != 0,
                Payload::Udp { .. } | Payload::Other(_) => false,
            }
    }

    fn is_new(&self) -> bool {
        let state = crate::conntrack::state_of(self.skb, self.connection);
        state == crate::conntrack::state::NEW
    }

    fn bridge_name(&self, port: Option<u32>, dreg: Reg, r: &mut Registers) -> Effect {
        let port = self.link(port).filter(|l| l.port.is_some());
        match port.and_then(|l| self.link(l.master)) {
            Some(bridge) => r.store(dreg, &name_of(Some(bridge))),
            None => return Effect::Fails,
        }
        Effect::Goes
    }

    pub(crate) fn meta_set(
        &self,
        key: MetaKey,
        sreg: Reg,
        r: &Registers,
        changes: &mut Changes,
    ) -> Effect {
        match key {
            MetaKey::Mark => match r.number(sreg) {
                Some(mark) => changes.mark = mark,
                None => return Effect::NotKnown(r.cause()),
            },
            MetaKey::PktType => return Effect::NotKnown("meta pkttype set".to_owned()),
            MetaKey::BridgeBroute => return Effect::NotKnown("meta broute set".to_owned()),
            _ => {}
        }
        Effect::Goes
    }

    pub(crate) fn ct(
        &self,
        key: CtKey,
        dir: Option<u8>,
        dreg: Reg,
        r: &mut Registers,
        changes: &Changes,
    ) -> Effect {
        if key == CtKey::State {
            let state = match self.skb.ct {
                None if changes.untracked => crate::conntrack::state::UNTRACKED,
                _ => crate::conntrack::state_of(self.skb, self.connection),
            };
            r.store(dreg, &state.to_ne_bytes());
            return Effect::Goes;
        }
        let Some((entry, member)) = self.connection.zip(self.skb.ct) else { return Effect::Fails };
        if let (CtKey::Mark, Some(mark)) = (key, changes.ct_mark) {
            r.store(dreg, &mark.to_ne_bytes());
            return Effect::Goes;
        }
        let six = matches!(key, CtKey::SrcIp6 | CtKey::DstIp6);
        let four = matches!(key, CtKey::SrcIp | CtKey::DstIp);
        let is_six = entry.original.src.is_ipv6();
        if six && !is_six || four && is_six {
            return Effect::Fails;
        }
        match value(key, dir, entry, member.reply) {
            Some(bytes) => r.store(dreg, &bytes),
            None => r.forget(dreg, 16, format!("ct key {key:?}").to_lowercase()),
        }
        Effect::Goes
    }

    pub(crate) fn ct_set(
        &self,
        key: CtKey,
        dir: Option<u8>,
        sreg: Reg,
        r: &Registers,
        changes: &mut Changes,
    ) -> Effect {
        match key {
            CtKey::Mark if self.connection.is_none() => {}
            CtKey::Mark => match r.number(sreg) {
                Some(mark) => changes.ct_mark = Some(mark),
                None => return Effect::NotKnown(r.cause()),
            },
            CtKey::Zone => {
                let number = r.load(sreg, 2).and_then(|b| b.try_into().ok());
                let Some(zone) = number.map(u16::from_ne_bytes) else {
                    return Effect::NotKnown(r.cause());
                };
                changes.zone = Some(match dir {
                    None => (zone, zone),
                    Some(0) => (zone, 0),
                    Some(_) => (0, zone),
                });
            }
            key if is_note(key) => {}
            _ => return Effect::NotKnown(format!("ct {key:?} set").to_lowercase()),
        }
        Effect::Goes
    }

    /// `nft_fib4_eval` and `nft_fib4_eval_type`.
    pub(crate) fn fib(
        &self,
        result: FibResult,
        flags: u32,
        dreg: Reg,
        r: &mut Registers,
        changes: &Changes,
    ) -> Effect {
        if self.skb.arp.is_some() {
            return Effect::Fails;
        }
        if self.skb.packet.is_ipv6() {
            return self.fib6(result, flags, dreg, r, changes);
        }
        let device = match flags {
            f if f & fib::OIF != 0 => self.oif,
            f if f & fib::IIF != 0 => self.iif,
            _ => None,
        };
        let (src, dst) = (self.skb.packet.src, self.skb.packet.dst);
        let whose = if flags & fib::DESTINATION != 0 { dst } else { src };
        let present = flags & fib::PRESENT != 0;
        if result == FibResult::AddrType {
            let kind = self.address_type(whose, device) as u32;
            match present {
                true => r.store(dreg, &[u8::from(kind != 0)]),
                false => r.store(dreg, &kind.to_ne_bytes()),
            }
            return Effect::Goes;
        }
        let found = match self.fib_link(flags, device, changes) {
            Ok(found) => found,
            Err(what) => return forgotten(dreg, &what, r),
        };
        match result {
            _ if present => r.store(dreg, &[u8::from(found.is_some())]),
            FibResult::OifName => r.store(dreg, &name_of(self.link(found))),
            _ => r.store(dreg, &found.unwrap_or(0).to_ne_bytes()),
        }
        Effect::Goes
    }

    fn fib_link(
        &self,
        flags: u32,
        device: Option<u32>,
        changes: &Changes,
    ) -> Result<Option<u32>, String> {
        let (src, dst) = (self.skb.packet.src, self.skb.packet.dst);
        let own = self.iif == Some(self.place.loopback());
        if own && matches!(self.hook, Hook::Prerouting | Hook::Ingress | Hook::Input) {
            return Ok(self.iif);
        }
        let (src, dst) = if flags & fib::DESTINATION != 0 { (src, dst) } else { (dst, src) };
        let backwards = flags & fib::DESTINATION == 0 && self.hook == Hook::Forward;
        let iif = match backwards && flags & fib::IIF != 0 {
            true => self.oif,
            false => Some(self.place.loopback()),
        };
        let flow = Flow {
            src: if src.is_multicast() || is_broadcast(src) {
                Ipv4Addr::UNSPECIFIED.into()
            } else {
                src
            },
            dst,
            tos: self.skb.packet.tos,
            mark: if flags & fib::MARK != 0 { changes.mark } else { 0 },
            iif,
            received: false,
            oif: None,
            bound: false,
            vrf_out: false,
            vrf: self.iif.and_then(|iif| self.place.vrf_of(iif)),
            protocol: 0,
            ports: None,
        };
        let found = match self.place.lookup(&flow) {
            Ok(found) if found.route.kind == RouteKind::Unicast => found,
            Ok(_) | Err(NotFound::Nothing | NotFound::Refused(_) | NotFound::ByRule(_)) => {
                return Ok(None);
            }
            Err(NotFound::Unknown(what)) => return Err(what),
        };
        match device {
            None => Ok(Some(found.hop.link)),
            Some(device) => {
                let uses =
                    found.route.nexthops.iter().any(|hop| self.place.leads_by(hop.link, device));
                Ok(uses.then_some(device))
            }
        }
    }

    /// `inet_dev_addr_type`: by the local table, which holds main's routes, too, until there is a
    /// rule of one's own.
    pub(crate) fn address_type(&self, ip: IpAddr, device: Option<u32>) -> AddrType {
        if is_broadcast(ip) || ip.is_unspecified() {
            return AddrType::Broadcast;
        }
        if ip.is_multicast() {
            return AddrType::Multicast;
        }
        let table = match self.place.default_rules {
            true => Some(self.place.merged()),
            false => self.place.table(model::TABLE_LOCAL),
        };
        let route = table.and_then(|table| table.to(ip).next()).map(|entry| entry.route);
        let on =
            |r: &&model::Route| device.is_none() || r.nexthops.first().map(|h| h.link) == device;
        match route.filter(on).map(|r| r.kind) {
            Some(RouteKind::Local) => AddrType::Local,
            Some(RouteKind::Broadcast) => AddrType::Broadcast,
            Some(RouteKind::Blackhole) => AddrType::Blackhole,
            Some(RouteKind::Unreachable) => AddrType::Unreachable,
            Some(RouteKind::Prohibit) => AddrType::Prohibit,
            _ => AddrType::Unicast,
        }
    }
}

/// Of what is in a frame behind its tags.
pub(crate) const fn ether_type(skb: &Skb) -> u16 {
    match skb.arp {
        Some(_) => ETH_ARP,
        None if skb.packet.is_ipv6() => ETH_IPV6,
        None => ETH_IP,
    }
}

fn stored(number: Option<u16>, dreg: Reg, r: &mut Registers) -> Effect {
    let Some(number) = number else { return Effect::Fails };
    r.store(dreg, &number.to_ne_bytes());
    Effect::Goes
}

/// Of what kind its frames are (ARPHRD_*).
pub(crate) fn arphrd(link: &Link) -> u16 {
    match &link.kind {
        LinkKind::Loopback => 772,
        LinkKind::Tap(tap) if tap.layer3 => 65534,
        _ => 1,
    }
}

/// `nft_meta_store_ifgroup`.
fn group(link: Option<&Link>, dreg: Reg, r: &mut Registers) -> Effect {
    match link.map(|link| link.group) {
        Some(None) => return forgotten(dreg, "the link's group", r),
        Some(Some(group)) => r.store(dreg, &group.to_ne_bytes()),
        None => return Effect::Fails,
    }
    Effect::Goes
}

/// Only links of a kind that `ip link add` knows have one.
fn kind_name(link: Option<&Link>, dreg: Reg, r: &mut Registers) -> Effect {
    match link.map(|l| &l.kind) {
        None | Some(LinkKind::Loopback | LinkKind::Physical) => return Effect::Fails,
        Some(LinkKind::Veth) => r.store(dreg, &name("veth")),
        Some(LinkKind::Bridge(_)) => r.store(dreg, &name("bridge")),
        Some(LinkKind::Tap(_)) => r.store(dreg, &name("tun")),
        Some(_) => return forgotten(dreg, "meta iifkind", r),
    }
    Effect::Goes
}

pub(crate) fn name_of(link: Option<&Link>) -> [u8; 16] {
    link.map_or(NOBODY, |link| name(&link.name))
}

fn meta_name(key: MetaKey) -> String {
    match key {
        MetaKey::Other(n) => format!("meta key {n}"),
        key => format!("meta {key:?}").to_lowercase(),
    }
}

fn value(key: CtKey, dir: Option<u8>, entry: &Conntrack, reply: bool) -> Option<Vec<u8>> {
    let tuple = match dir {
        Some(1) => entry.reply,
        Some(_) => entry.original,
        None if reply => entry.reply,
        None => entry.original,
    };
    let address = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    Some(match key {
        CtKey::Direction => vec![u8::from(reply)],
        CtKey::Status => entry.status.bits().to_ne_bytes().to_vec(),
        CtKey::Mark => entry.mark.to_ne_bytes().to_vec(),
        CtKey::L3protocol => vec![if entry.original.src.is_ipv4() { 2 } else { 10 }],
        CtKey::Protocol => vec![tuple.protocol],
        CtKey::Src | CtKey::SrcIp | CtKey::SrcIp6 => address(tuple.src),
        CtKey::Dst | CtKey::DstIp | CtKey::DstIp6 => address(tuple.dst),
        CtKey::ProtoSrc => tuple.sport.to_be_bytes().to_vec(),
        CtKey::ProtoDst => tuple.dport.to_be_bytes().to_vec(),
        CtKey::Zone => entry.zone.to_ne_bytes().to_vec(),
        _ => return None,
    })
}
