//! Which of its addresses a host speaks from (RFC 6724, as `ipv6_dev_get_saddr` does it).

use std::net::{IpAddr, Ipv6Addr};

use model::{Address, AddressFlags};

use crate::indexed::Place;
use crate::route::Found;
use crate::route6::is_link_local;

/// Scopes of RFC 4291: what an address is good for.
mod scope {
    pub(super) const HERE: i32 = 1;
    pub(super) const LINK: i32 = 2;
    pub(super) const SITE: i32 = 5;
    pub(super) const GLOBAL: i32 = 14;
}

impl Place<'_> {
    /// `ip6_route_get_saddr`: the source that a route suggests.
    pub(crate) fn source6(&self, found: Option<&Found<'_>>, dst: Ipv6Addr) -> Option<Ipv6Addr> {
        if let Some(IpAddr::V6(ip)) = found.and_then(|f| f.route.prefsrc) {
            return Some(ip);
        }
        self.select6_source(found.map(|f| f.hop.link), dst)
    }

    /// `ipv6_dev_get_saddr`: of the addresses of all links, or of that link alone where the
    /// destination is of its scope.
    pub(crate) fn select6_source(&self, link: Option<u32>, dst: Ipv6Addr) -> Option<Ipv6Addr> {
        let near = dst.is_multicast() || scope_of(dst) <= scope::LINK;
        let near = near || link.is_some_and(|l| self.conf6(l).use_oif_addrs_only);
        let only = link.filter(|_| near);
        // Of a VRF, its own addresses and those of its members: those of the way out first.
        let domain = link.and_then(|link| self.vrf_of(link));
        let first = link.into_iter().chain(domain).filter(|_| domain.is_some());
        let all = self.ns.links.keys().copied().filter(|l| self.vrf_of(*l) == domain);
        let links = first.chain(all).filter(|l| only.is_none_or(|o| o == *l));
        let all = links.flat_map(|l| self.ns.addresses_of(l)).filter(|a| a.is_ready());
        let mut best: Option<([i32; 9], Ipv6Addr)> = None;
        for address in all {
            let IpAddr::V6(ip) = address.ip() else { continue };
            let score = self.score(address, ip, link, dst);
            if best.is_none_or(|(most, _)| score > most) {
                best = Some((score, ip));
            }
        }
        best.map(|(_, ip)| ip)
    }

    /// `nf_nat_redirect_ipv6_usable`: the first address of a link that is of the destination's
    /// scope.
    pub(crate) fn redirect6_to(&self, link: u32, dst: Ipv6Addr) -> Option<Ipv6Addr> {
        let usable = |a: &Address| {
            let IpAddr::V6(ip) = a.ip() else { return None };
            // Of global scope there is no bit (IPV6_ADDR_SCOPE_MASK).
            let scope = scope_of(dst);
            let near = [scope::HERE, scope::LINK, scope::SITE].contains(&scope);
            (a.is_ready() && (!near || scope == scope_of(ip))).then_some(ip)
        };
        self.ns.addresses_of(link).find_map(usable)
    }

    /// `ipv6_get_saddr_eval`: the rules in their order; the larger is better, and of equals the
    /// first stays.
    fn score(&self, a: &Address, ip: Ipv6Addr, link: Option<u32>, dst: Ipv6Addr) -> [i32; 9] {
        let conf = self.conf6(a.link);
        let labels = &self.ns.address_labels;
        let flag = |f| a.flags.contains(f);
        let (own, wanted) = (scope_of(ip), scope_of(dst));
        let avoided = !ip.is_loopback()
            && (flag(AddressFlags::DEPRECATED)
                || flag(AddressFlags::OPTIMISTIC) && !conf.use_optimistic);
        let private = conf.use_tempaddr >= 2;
        let alike = (ip.to_bits() ^ dst.to_bits()).leading_zeros();
        [
            i32::from(ip == dst),
            if own >= wanted { -own } else { own - 128 },
            i32::from(!avoided),
            i32::from(link.is_none_or(|l| l == a.link)),
            i32::from(labels.of(ip, Some(a.link)) == labels.of(dst, link)),
            i32::from(flag(AddressFlags::TEMPORARY) == private),
            i32::from(is_orchid(ip) == is_orchid(dst)),
            i32::try_from(alike.min(a.net.prefix_len().into())).unwrap_or(0),
            i32::from(!flag(AddressFlags::OPTIMISTIC)),
        ]
    }
}

/// `__ipv6_addr_src_scope`.
fn scope_of(ip: Ipv6Addr) -> i32 {
    match ip.segments()[0] {
        _ if ip.is_multicast() => i32::from(ip.octets()[1] & 0xf),
        _ if ip.is_loopback() || is_link_local(ip) => scope::LINK,
        first if first & 0xffc0 == 0xfec0 => scope::SITE,
        _ => scope::GLOBAL,
    }
}

/// 2001:10::/28.
const fn is_orchid(ip: Ipv6Addr) -> bool {
    let [first, second, ..] = ip.segments();
    first == 0x2001 && second & 0xfff0 == 0x10
}
