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
    /// `net.netfilter.nf_conntrack_tcp_be_liberal` and kin do not change a first packet; not read.
    /// `net.ipv4.icmp_echo_ignore_all`.
    pub icmp_echo_ignore_all: bool,
    /// `net.ipv4.icmp_echo_ignore_broadcasts`.
    pub icmp_echo_ignore_broadcasts: bool,
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
    /// `net.ipv6.anycast_src_echo_reply`.
    pub ipv6_anycast_src_echo_reply: bool,
    /// `net.bridge.bridge-nf-call-ip6tables`. None: br_netfilter is not loaded.
    pub bridge_nf_call_ip6tables: Option<bool>,
    /// `net.bridge.bridge-nf-filter-vlan-tagged`: frames with a tag, too.
    pub bridge_nf_filter_vlan_tagged: bool,
}
