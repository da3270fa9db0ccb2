//! What rules ask of IPv6 routing: nft's `fib`, xtables' `addrtype` and `rpfilter`.

use std::net::{IpAddr, Ipv6Addr};

use model::{AddrType, AddrTypes, FibResult, Hook, Reg, RouteKind, RuleAction};

use crate::chain::{Chains, Changes};
use crate::load::{fib, name_of};
use crate::register::Registers;
use crate::route::{Flow, NotFound};
use crate::route6::is_link_local;
use crate::rule::{Effect, forgotten};

impl Chains<'_, '_> {
    /// `nft_fib6_eval` and `nft_fib6_eval_type`.
    pub(crate) fn fib6(
        &self,
        result: FibResult,
        flags: u32,
        dreg: Reg,
        r: &mut Registers,
        changes: &Changes,
    ) -> Effect {
        let device = match flags {
            f if f & fib::IIF != 0 => self.iif,
            f if f & fib::OIF != 0 => self.oif,
            _ => None,
        };
        let present = flags & fib::PRESENT != 0;
        let flow = self.fib6_flow(flags, device, changes);
        if result == FibResult::AddrType {
            let kind = match self.type6(&flow, device) {
                Ok(kind) => kind as u32,
                Err(what) => return forgotten(dreg, &what, r),
            };
            match present {
                true => r.store(dreg, &[u8::from(kind != 0)]),
                false => r.store(dreg, &kind.to_ne_bytes()),
            }
            return Effect::Goes;
        }
        let found = match self.fib6_link(&flow, device) {
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

    /// `nft_fib6_flowi_init`: to whom, seen from the other end where the source is asked for.
    fn fib6_flow(&self, flags: u32, device: Option<u32>, changes: &Changes) -> Flow {
        let (src, dst) = (self.skb.packet.src, self.skb.packet.dst);
        let (src, dst) = if flags & fib::DESTINATION != 0 { (src, dst) } else { (dst, src) };
        let backwards = flags & fib::DESTINATION == 0 && self.hook == Hook::Forward;
        let near = matches!(dst, IpAddr::V6(ip) if is_link_local(ip));
        Flow {
            src: if src.is_multicast() { Ipv6Addr::UNSPECIFIED.into() } else { src },
            dst,
            tos: self.skb.packet.tos,
            mark: if flags & fib::MARK != 0 { changes.mark } else { 0 },
            iif: self.oif.filter(|_| backwards && flags & fib::IIF != 0),
            received: false,
            oif: device.or(self.iif).or(self.oif).filter(|_| near),
            bound: false,
            vrf_out: false,
            vrf: self.iif.and_then(|iif| self.place.vrf_of(iif)),
            protocol: self.skb.packet.protocol(),
            ports: None,
        }
    }

    fn fib6_link(&self, flow: &Flow, device: Option<u32>) -> Result<Option<u32>, String> {
        let coming = matches!(self.hook, Hook::Prerouting | Hook::Ingress);
        let (src, dst) = (self.skb.packet.src, self.skb.packet.dst);
        let near = |ip| matches!(ip, IpAddr::V6(ip) if is_link_local(ip));
        let unsure = self.skb.packet.protocol() == 58 && src.is_unspecified() && near(dst);
        if coming && (self.iif == Some(self.place.loopback()) || unsure) {
            return Ok(self.iif);
        }
        let found = match self.place.asked6(flow, flow.oif.is_some()) {
            Ok(found) if found.several => {
                return Err(format!("multipath route to {}", found.route.dst));
            }
            Ok(found) if found.route.kind == RouteKind::Unicast => found.hop.link,
            Err(NotFound::Unknown(what)) => return Err(what),
            _ => return Ok(None),
        };
        Ok(Some(found)
            .filter(|found| device.is_none_or(|device| self.place.leads_by(*found, device))))
    }

    /// `__nft_fib6_eval_type`.
    fn type6(&self, flow: &Flow, device: Option<u32>) -> Result<AddrType, String> {
        let IpAddr::V6(ip) = flow.dst else { return Ok(AddrType::Unicast) };
        let own = device.is_some_and(|device| {
            let mut own = self.place.ns.addresses_of(device);
            own.any(|a| a.ip() == flow.dst)
        });
        let found = self.place.output6(flow);
        let kind = match &found {
            Ok(found) => found.route.kind,
            Err(NotFound::Unknown(what)) => return Err(what.clone()),
            Err(NotFound::Refused(route)) => route.kind,
            Err(NotFound::ByRule(rule)) => match rule.action {
                RuleAction::Blackhole => RouteKind::Blackhole,
                RuleAction::Prohibit => RouteKind::Prohibit,
                _ => RouteKind::Unreachable,
            },
            Err(NotFound::Nothing) => RouteKind::Unreachable,
        };
        Ok(match kind {
            RouteKind::Blackhole => AddrType::Blackhole,
            RouteKind::Prohibit => AddrType::Prohibit,
            RouteKind::Unreachable => AddrType::Unreachable,
            RouteKind::Anycast => AddrType::Anycast,
            _ if own || device.is_none() && kind == RouteKind::Local => AddrType::Local,
            _ if ip.is_multicast() => AddrType::Multicast,
            _ => AddrType::Unicast,
        })
    }

    /// `match_type6`, for xtables' addrtype: None: not known.
    pub(crate) fn types6(
        &self,
        types: AddrTypes,
        ip: Ipv6Addr,
        device: Option<u32>,
    ) -> Option<bool> {
        let asked = |kind| types.contains(kind);
        let unicast = !ip.is_multicast() && !ip.is_unspecified() && ip.to_ipv4_mapped().is_none();
        if asked(AddrType::Multicast) && !ip.is_multicast()
            || asked(AddrType::Unicast) && !unicast
            || asked(AddrType::Unspec) && !ip.is_unspecified()
        {
            return Some(false);
        }
        let routed = [AddrType::Local, AddrType::Anycast, AddrType::Unreachable];
        if !routed.into_iter().any(asked) {
            return Some(true);
        }
        let flow = Flow {
            src: Ipv6Addr::UNSPECIFIED.into(),
            dst: ip.into(),
            tos: 0,
            mark: 0,
            iif: None,
            received: false,
            oif: device,
            bound: false,
            vrf_out: false,
            vrf: self.iif.and_then(|iif| self.place.vrf_of(iif)),
            protocol: 0,
            ports: None,
        };
        let mut own = device.into_iter().flat_map(|link| self.place.ns.addresses_of(link));
        let here = own.any(|a| a.ip() == IpAddr::V6(ip));
        Some(match self.place.output6(&flow) {
            Err(NotFound::Unknown(_)) => return None,
            Err(_) => asked(AddrType::Unreachable),
            Ok(found) => match found.route.kind {
                RouteKind::Anycast => asked(AddrType::Anycast),
                RouteKind::Local if device.is_none() => asked(AddrType::Local),
                _ => here && asked(AddrType::Local),
            },
        })
    }

    /// `rpfilter_lookup_reverse6`.
    pub(crate) fn rpfilter6(&self, flags: u8, changes: &Changes) -> Option<bool> {
        let invert = flags & 8 != 0;
        let packet = &self.skb.packet;
        let near = |ip| matches!(ip, IpAddr::V6(ip) if is_link_local(ip));
        if self.iif == Some(self.place.loopback()) || packet.src.is_unspecified() {
            return Some(!invert);
        }
        let loose = flags & 1 != 0;
        let flow = Flow {
            src: packet.dst,
            dst: packet.src,
            tos: packet.tos,
            mark: if flags & 2 != 0 { changes.mark } else { 0 },
            iif: None,
            received: false,
            oif: self.iif.filter(|_| near(packet.src) || !loose),
            bound: false,
            vrf_out: false,
            vrf: self.iif.and_then(|iif| self.place.vrf_of(iif)),
            protocol: packet.protocol(),
            ports: None,
        };
        let found = match self.place.asked6(&flow, near(packet.src)) {
            Ok(found) if found.several => return None,
            Ok(found) => found,
            Err(NotFound::Unknown(_)) => return None,
            Err(_) => return Some(invert),
        };
        let passes = match found.route.kind {
            RouteKind::Anycast => false,
            RouteKind::Local if flags & 4 == 0 => false,
            _ => loose || self.iif.is_some_and(|iif| self.place.leads_by(found.hop.link, iif)),
        };
        Some(passes != invert)
    }
}
