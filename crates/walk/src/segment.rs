//! How large segments of TCP may be: what a first segment says of it, and rules that lower it.

use model::{Exthdr, Reg, Route};

use crate::chain::{Chains, Changes};
use crate::packet::tcp::SYN;
use crate::register::Registers;
use crate::route::Flow;
use crate::rule::{Effect, forgotten};
use crate::skb::Skb;
use crate::{Packet, Payload};

/// TCPOPT_MSS.
const OPTION: u8 = 2;
/// Where in that option the number stands.
const NUMBER: u32 = 2;
/// XT_TCPMSS_CLAMP_PMTU.
const OF_THE_PATH: u16 = u16::MAX;
/// Bytes of a TCP header.
const TCP: u32 = 20;
/// TCP_MSS_DEFAULT.
const DEFAULT: u16 = 536;
/// The longest packet of IP.
const LONGEST: u32 = 65_535;

/// Headers of IP and TCP.
fn headers(packet: &Packet) -> u32 {
    packet.header_len() + TCP
}

impl Skb {
    /// A process, or the kernel's own TCP, sends it by a route that takes so much at once: who begins
    /// a connection, or takes one, says so, or what the route has it say (`dst_metric_advmss`).
    pub(crate) fn sends_by(&mut self, route: &Route, mtu: u32) {
        self.way_mtu = Some(mtu);
        let packet = &mut self.packet;
        let begins = matches!(packet.payload, Payload::Tcp { flags, .. } if flags & SYN != 0);
        if begins && packet.mss.is_none() {
            let size = route.metrics.advmss.unwrap_or_else(|| advertised(mtu, packet));
            packet.mss = u16::try_from(size).ok();
        }
    }
}

/// `ipv4_default_advmss` and `ip6_default_advmss`, by their default settings.
fn advertised(mtu: u32, packet: &Packet) -> u32 {
    let least = if packet.is_ipv6() { 1220 } else { 256 };
    let most = if packet.is_ipv6() { LONGEST - TCP } else { LONGEST - headers(packet) };
    mtu.saturating_sub(headers(packet)).max(least).min(most)
}

impl Chains<'_, '_> {
    /// `tcpmss_mangle_packet`: what a segment says is made less, never more.
    pub(crate) fn limit_segments(&self, limit: u16, changes: &mut Changes) -> Effect {
        let limit = if limit == OF_THE_PATH { self.mss_of_the_way() } else { Some(limit) };
        lower(limit, self.skb, changes);
        Effect::Goes
    }

    /// `nft_rt_get_eval`.
    pub(crate) fn rt_mss(&self, dreg: Reg, r: &mut Registers) -> Effect {
        match self.mss_of_the_way() {
            Some(mss) => r.store(dreg, &mss.to_ne_bytes()),
            None => return forgotten(dreg, "rt mtu", r),
        }
        Effect::Goes
    }

    /// `get_tcpmss`, `tcpmss_reverse_mtu`: what fits into the smaller of the ways there and back.
    fn mss_of_the_way(&self) -> Option<u16> {
        let mtu = self.skb.way_mtu?.min(LONGEST).min(self.mtu_back()?);
        let most = mtu.checked_sub(headers(&self.skb.packet)).filter(|most| *most > 0);
        most.map_or(Some(DEFAULT), |most| u16::try_from(most).ok())
    }

    /// Of the way to the sender; the largest, if there is none. None: that is not known.
    fn mtu_back(&self) -> Option<u32> {
        let to = &self.skb.packet;
        let back = Packet { src: any(to), dst: to.src, tos: 0, ..to.clone() };
        let plain = Flow { protocol: 0, ports: None, ..Flow::of(&back, 0, None) };
        let found = match to.is_ipv6() {
            true => self.place.output6(&plain),
            false => self.place.lookup(&Flow { iif: Some(self.place.loopback()), ..plain }),
        };
        let Ok(found) = found else { return Some(LONGEST) };
        if found.route.nexthops.len() > 1 {
            return None;
        }
        let way =
            if to.is_ipv6() { self.place.way_out6(&found) } else { self.place.way_out(&found) };
        let link = self.place.link(way)?;
        Some(match to.is_ipv6() {
            _ if found.is_local() => link.mtu,
            true => self.place.mtu6(&found, link),
            false => found.mtu(link.mtu),
        })
    }
}

const fn any(packet: &Packet) -> std::net::IpAddr {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
    if packet.is_ipv6() {
        IpAddr::V6(Ipv6Addr::UNSPECIFIED)
    } else {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED)
    }
}

/// What is not known stays so.
fn lower(limit: Option<u16>, skb: &Skb, changes: &mut Changes) {
    let Some(now) = changes.headers.mss(skb) else { return };
    if limit.is_none_or(|limit| limit < now) {
        changes.headers.set_mss(skb, limit);
    }
}

/// The number in the option that tells of the largest segment.
pub(crate) fn is_mss(field: Exthdr) -> bool {
    let number = field.offset == NUMBER && field.len == 2;
    field.kind == OPTION && (field.present || number)
}

/// `nft_exthdr_tcp_eval`, of that option.
pub(crate) fn load_mss(
    field: Exthdr,
    dreg: Reg,
    skb: &Skb,
    r: &mut Registers,
    changes: &Changes,
) -> Effect {
    match changes.headers.mss(skb) {
        Some(_) if field.present => r.store(dreg, &[1]),
        Some(mss) => r.store(dreg, &mss.to_be_bytes()),
        None => return forgotten(dreg, "tcp option", r),
    }
    Effect::Goes
}

/// `nft_exthdr_tcp_set_eval`, which lowers it, too; without a number, `nft_exthdr_tcp_strip_eval`.
pub(crate) fn set_option(
    field: Exthdr,
    sreg: Option<Reg>,
    skb: &Skb,
    r: &Registers,
    changes: &mut Changes,
) -> Effect {
    let known = sreg.filter(|_| is_mss(field)).and_then(|sreg| r.load(sreg, 2));
    match (field.op, field.kind) {
        (1, OPTION) if known.is_none() => changes.headers.set_mss(skb, None),
        (1, OPTION) => lower(known.map(|b| u16::from_be_bytes([b[0], b[1]])), skb, changes),
        _ => {}
    }
    Effect::Goes
}
