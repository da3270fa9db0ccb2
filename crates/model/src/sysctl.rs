use crate::InetConf;

/// Settings of a whole namespace that decide where packets go. Those of a device are in
/// [`Link::inet`](crate::Link::inet).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sysctls {
    /// `net.ipv4.ip_forward` (the same as `conf.all.forwarding`).
    pub ip_forward: bool,
    /// `net.ipv4.conf.all.*`. How it joins with the device's is each setting's own rule
    /// (rp_filter: the larger).
    pub all: InetConf,
    /// `net.ipv4.conf.default.*`: what new devices start with. A reader may leave them out where
    /// every link has settings of its own.
    pub default: InetConf,
    /// `net.ipv4.ip_default_ttl`.
    pub default_ttl: u8,
    /// `net.ipv4.fib_multipath_hash_policy`.
    pub multipath_hash_policy: u8,
    /// `net.bridge.bridge-nf-call-iptables`. None: br_netfilter is not loaded.
    pub bridge_nf_call_iptables: Option<bool>,
    /// `net.bridge.bridge-nf-call-arptables`. None: br_netfilter is not loaded.
    pub bridge_nf_call_arptables: Option<bool>,
    /// `net.ipv4.icmp_echo_ignore_all`.
    pub icmp_echo_ignore_all: bool,
    /// How often one receiver is told of errors.
    pub icmp_limit: IcmpLimit,
    /// The same of IPv6.
    pub ipv6_icmp_limit: IcmpLimit,
    /// `net.ipv4.icmp_msgs_per_sec`: how many errors a second are sent to all, of both families. None:
    /// not known (older kernels have one number for all namespaces).
    pub icmp_messages: Option<u32>,
    /// `net.ipv4.icmp_echo_ignore_broadcasts`.
    pub icmp_echo_ignore_broadcasts: bool,
    /// `net.ipv4.ip_forward_use_pmtu`: what it forwards is to fit path MTUs that it has learned, too.
    pub ip_forward_use_pmtu: bool,
    /// `net.ipv4.icmp_errors_use_inbound_ifaddr`: they come from an address of the link that the packet
    /// came in by.
    pub icmp_errors_use_inbound_ifaddr: bool,
    /// `net.ipv4.fwmark_reflect`: what the kernel itself answers has the mark of what it answers.
    pub fwmark_reflect: bool,
    /// `net.ipv6.fwmark_reflect`.
    pub ipv6_fwmark_reflect: bool,
    /// `net.ipv4.tcp_fwmark_accept`: connections that are taken have the mark of their first packet, of
    /// both families.
    pub tcp_fwmark_accept: bool,
    /// `net.ipv4.tcp_reflect_tos`: the answer to a first packet has its type of service, of both
    /// families.
    pub tcp_reflect_tos: bool,
    /// `net.ipv4.ip_no_pmtu_disc`: the namespace's sockets do not ask for their packets not to be broken
    /// up.
    pub no_pmtu_discovery: bool,
    /// `net.netfilter.nf_conntrack_tcp_loose` is 0: a connection of TCP is tracked only if its beginning
    /// was seen. (`nf_conntrack_tcp_be_liberal` does not change a first packet; it is not read.)
    pub tracks_from_syn: bool,
    /// How full the table of connections was. None: it was not read.
    pub connections: Option<Room>,
    /// `net.ipv6.conf.all.forwarding`.
    pub ipv6_forwarding: bool,
    /// `net.ipv6.conf.all.proxy_ndp`.
    pub ipv6_proxy_ndp: bool,
    /// `net.ipv6.fib_multipath_hash_policy`.
    pub ipv6_multipath_hash_policy: u8,
    /// `net.ipv6.icmp.echo_ignore_all`.
    pub ipv6_echo_ignore_all: bool,
    /// `net.ipv6.icmp.echo_ignore_anycast`.
    pub ipv6_echo_ignore_anycast: bool,
    /// `net.ipv6.icmp.echo_ignore_multicast`.
    pub ipv6_echo_ignore_multicast: bool,
    /// `net.ipv6.anycast_src_echo_reply`.
    pub ipv6_anycast_src_echo_reply: bool,
    /// `net.bridge.bridge-nf-call-ip6tables`. None: br_netfilter is not loaded.
    pub bridge_nf_call_ip6tables: Option<bool>,
    /// `net.bridge.bridge-nf-filter-vlan-tagged`: frames with a tag, too.
    pub bridge_nf_filter_vlan_tagged: bool,
}

/// What there is room for, and what of it is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// `net.netfilter.nf_conntrack_count`.
    pub taken: u32,
    /// `net.netfilter.nf_conntrack_max`; 0: there is no limit.
    pub most: u32,
}

impl Room {
    /// There is none left.
    #[must_use]
    pub const fn is_full(self) -> bool {
        self.most > 0 && self.taken >= self.most
    }
}

/// `net.ipv4.icmp_ratelimit` and `icmp_ratemask`, or `ratelimit` and `ratemask` of `net.ipv6.icmp`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IcmpLimit {
    /// Milliseconds between two messages to one receiver; 0: no limit.
    pub interval: u32,
    /// Which types of messages are counted, a bit each, the lower 128 first.
    pub types: [u128; 2],
}

impl IcmpLimit {
    /// Whether messages of that type are counted.
    #[must_use]
    pub const fn counts(&self, kind: u8) -> bool {
        self.types[(kind >> 7) as usize] >> (kind & 127) & 1 != 0
    }

    /// The types of a list, as `net.ipv6.icmp.ratemask` shows it: `0-1,3-127`. What is no number is
    /// left out.
    #[must_use]
    pub fn types_of(list: &str) -> [u128; 2] {
        let part = |part: &str| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            Some(first.trim().parse::<u8>().ok()?..=last.trim().parse::<u8>().ok()?)
        };
        let mut types = [0; 2];
        for kind in list.split(',').filter_map(part).flatten() {
            types[usize::from(kind >> 7)] |= 1 << (kind & 127);
        }
        types
    }
}

#[cfg(test)]
mod tests {
    use super::IcmpLimit;

    #[test]
    fn types_of_messages() {
        let counted = |list: &str| -> Vec<u8> {
            let limit = IcmpLimit { interval: 1000, types: IcmpLimit::types_of(list) };
            [0, 1, 2, 3, 127, 128, 255].into_iter().filter(|n| limit.counts(*n)).collect()
        };
        assert_eq!(counted("0-1,3-127\n"), [0, 1, 3, 127]);
        assert_eq!(counted("x,3,200-255,-"), [3, 255]);
        assert_eq!(counted(""), [0; 0]);
    }
}
