//! Settings of a whole namespace: by netlink, and by files of /proc/sys/net.

use model::{IcmpLimit, InetConf, Room, Sysctls};

use super::{Answer, Answers, Question, Reading};
use crate::rtnl::{self, NetConf};

/// The files below /proc/sys/net that are read. One that is not there has no line in the answer.
pub const SETTINGS: [&str; 50] = [
    "ipv4/ip_default_ttl",
    "ipv4/fib_multipath_hash_policy",
    "ipv4/icmp_echo_ignore_all",
    "ipv4/ip_forward_use_pmtu",
    "ipv4/icmp_errors_use_inbound_ifaddr",
    "ipv4/fwmark_reflect",
    "ipv6/fwmark_reflect",
    "ipv4/tcp_fwmark_accept",
    "ipv4/tcp_reflect_tos",
    "ipv4/ip_no_pmtu_disc",
    "netfilter/nf_conntrack_tcp_loose",
    "netfilter/nf_conntrack_count",
    "netfilter/nf_conntrack_max",
    "ipv4/icmp_echo_ignore_broadcasts",
    "ipv4/icmp_ratelimit",
    "ipv4/icmp_ratemask",
    "ipv4/icmp_msgs_per_sec",
    "ipv6/icmp/ratelimit",
    "ipv6/icmp/ratemask",
    "bridge/bridge-nf-call-iptables",
    "bridge/bridge-nf-call-arptables",
    "bridge/bridge-nf-call-ip6tables",
    "bridge/bridge-nf-filter-vlan-tagged",
    "ipv6/fib_multipath_hash_policy",
    "ipv6/icmp/echo_ignore_all",
    "ipv6/icmp/echo_ignore_anycast",
    "ipv6/icmp/echo_ignore_multicast",
    "ipv6/anycast_src_echo_reply",
    "ipv4/conf/all/accept_local",
    "ipv4/conf/all/route_localnet",
    "ipv4/conf/all/arp_ignore",
    "ipv4/conf/all/arp_announce",
    "ipv4/conf/all/arp_filter",
    "ipv4/conf/all/proxy_arp_pvlan",
    "ipv4/conf/all/src_valid_mark",
    "ipv4/conf/all/send_redirects",
    "ipv4/conf/all/shared_media",
    "ipv4/conf/all/drop_unicast_in_l2_multicast",
    "ipv4/conf/all/bc_forwarding",
    "ipv4/conf/default/accept_local",
    "ipv4/conf/default/route_localnet",
    "ipv4/conf/default/arp_ignore",
    "ipv4/conf/default/arp_announce",
    "ipv4/conf/default/arp_filter",
    "ipv4/conf/default/proxy_arp_pvlan",
    "ipv4/conf/default/src_valid_mark",
    "ipv4/conf/default/send_redirects",
    "ipv4/conf/default/shared_media",
    "ipv4/conf/default/drop_unicast_in_l2_multicast",
    "ipv4/conf/default/bc_forwarding",
];

pub(super) fn read(reading: &mut Reading, answers: &Answers) {
    if !answers.by_question.contains_key(&Question::Sysctls) {
        return;
    }
    match settings(answers) {
        Ok(sysctls) => reading.sysctls = sysctls,
        Err(cause) => reading.gap(Question::Sysctls, cause),
    }
}

fn settings(answers: &Answers) -> Result<Sysctls, String> {
    if let Some(Answer::Refused(cause)) = answers.by_question.get(&Question::Sysctls) {
        return Err(cause.clone());
    }
    let text = String::from_utf8_lossy(answers.bytes(Question::Sysctls));
    let files = Files(&text);
    let all = told(answers, Question::NetconfAll)?;
    // A kernel without IPv6 does not answer.
    let all6 = told(answers, Question::NetconfAllIpv6).unwrap_or_default();
    Ok(Sysctls {
        // The file ip_forward shows this very value.
        ip_forward: all.forwarding,
        all: files.conf("all", all),
        default: match answers.by_question.get(&Question::NetconfDefault) {
            // Not asked for: there is no link that they count for.
            None => InetConf::default(),
            Some(_) => files.conf("default", told(answers, Question::NetconfDefault)?),
        },
        default_ttl: files.small("ipv4/ip_default_ttl"),
        multipath_hash_policy: files.small("ipv4/fib_multipath_hash_policy"),
        bridge_nf_call_iptables: files.number("bridge/bridge-nf-call-iptables").map(|n| n != 0),
        bridge_nf_call_arptables: files.number("bridge/bridge-nf-call-arptables").map(|n| n != 0),
        icmp_echo_ignore_all: files.small("ipv4/icmp_echo_ignore_all") != 0,
        icmp_limit: IcmpLimit {
            interval: files.large("ipv4/icmp_ratelimit").unwrap_or(0),
            types: [files.large("ipv4/icmp_ratemask").map_or(0, u128::from), 0],
        },
        ipv6_icmp_limit: IcmpLimit {
            interval: files.large("ipv6/icmp/ratelimit").unwrap_or(0),
            types: IcmpLimit::types_of(files.text("ipv6/icmp/ratemask").unwrap_or_default()),
        },
        icmp_messages: files.large("ipv4/icmp_msgs_per_sec"),
        ip_forward_use_pmtu: files.small("ipv4/ip_forward_use_pmtu") != 0,
        icmp_errors_use_inbound_ifaddr: files.small("ipv4/icmp_errors_use_inbound_ifaddr") != 0,
        fwmark_reflect: files.small("ipv4/fwmark_reflect") != 0,
        ipv6_fwmark_reflect: files.small("ipv6/fwmark_reflect") != 0,
        tcp_fwmark_accept: files.small("ipv4/tcp_fwmark_accept") != 0,
        tcp_reflect_tos: files.small("ipv4/tcp_reflect_tos") != 0,
        no_pmtu_discovery: files.small("ipv4/ip_no_pmtu_disc") != 0,
        tracks_from_syn: files.number("netfilter/nf_conntrack_tcp_loose") == Some(0),
        connections: room(&files),
        ipv6_forwarding: all6.forwarding,
        ipv6_proxy_ndp: all6.proxy_arp,
        ipv6_multipath_hash_policy: files.small("ipv6/fib_multipath_hash_policy"),
        ipv6_echo_ignore_all: files.small("ipv6/icmp/echo_ignore_all") != 0,
        ipv6_echo_ignore_anycast: files.small("ipv6/icmp/echo_ignore_anycast") != 0,
        ipv6_echo_ignore_multicast: files.small("ipv6/icmp/echo_ignore_multicast") != 0,
        ipv6_anycast_src_echo_reply: files.small("ipv6/anycast_src_echo_reply") != 0,
        bridge_nf_filter_vlan_tagged: files.small("bridge/bridge-nf-filter-vlan-tagged") != 0,
        bridge_nf_call_ip6tables: files.number("bridge/bridge-nf-call-ip6tables").map(|n| n != 0),
        icmp_echo_ignore_broadcasts: files.small("ipv4/icmp_echo_ignore_broadcasts") != 0,
    })
}

fn room(files: &Files<'_>) -> Option<Room> {
    let taken = files.large("netfilter/nf_conntrack_count")?;
    Some(Room { taken, most: files.large("netfilter/nf_conntrack_max")? })
}

fn told(answers: &Answers, question: Question) -> Result<NetConf, String> {
    match answers.by_question.get(&question) {
        Some(Answer::Refused(cause)) => Err(cause.clone()),
        _ => answers
            .messages(question)
            .find_map(|m| rtnl::netconf(&m))
            .ok_or_else(|| "the kernel's answer is none".to_owned()),
    }
}

/// Lines `path = value`.
struct Files<'a>(&'a str);

impl<'a> Files<'a> {
    /// The number in a file; None if there is no such file, or no number in it.
    fn number(&self, path: &str) -> Option<i64> {
        self.text(path)?.parse().ok()
    }

    fn text(&self, path: &str) -> Option<&'a str> {
        let value = |line: &'a str| Some(line.strip_prefix(path)?.strip_prefix(" = ")?.trim());
        self.0.lines().find_map(value)
    }

    fn large(&self, path: &str) -> Option<u32> {
        self.number(path).and_then(|n| u32::try_from(n).ok())
    }

    fn small(&self, path: &str) -> u8 {
        self.number(path).map_or(0, |n| u8::try_from(n).unwrap_or(u8::MAX))
    }

    /// `net.ipv4.conf.all` or `.default`. (Those of links come with the links.)
    fn conf(&self, of: &str, told: NetConf) -> InetConf {
        let value = |name| self.small(&format!("ipv4/conf/{of}/{name}"));
        let flag = |name| value(name) != 0;
        InetConf {
            forwarding: told.forwarding,
            rp_filter: told.rp_filter,
            accept_local: flag("accept_local"),
            route_localnet: flag("route_localnet"),
            arp_ignore: value("arp_ignore"),
            arp_announce: value("arp_announce"),
            arp_filter: flag("arp_filter"),
            proxy_arp: told.proxy_arp,
            proxy_arp_pvlan: flag("proxy_arp_pvlan"),
            src_valid_mark: flag("src_valid_mark"),
            ignore_routes_with_linkdown: told.ignore_routes_with_linkdown,
            send_redirects: flag("send_redirects"),
            shared_media: flag("shared_media"),
            drop_unicast_in_l2_multicast: flag("drop_unicast_in_l2_multicast"),
            bc_forwarding: flag("bc_forwarding"),
        }
    }
}
