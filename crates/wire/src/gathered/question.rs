/// What is asked of a namespace. The names are those of the files of a bundle: they stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// RTM_GETLINK.
    Links,
    /// RTM_GETADDR of IPv4.
    AddressesIpv4,
    /// RTM_GETADDR of IPv6.
    AddressesIpv6,
    /// RTM_GETROUTE of IPv4, all tables.
    RoutesIpv4,
    /// RTM_GETROUTE of IPv6, all tables.
    RoutesIpv6,
    /// RTM_GETRULE of both families.
    Rules,
    /// RTM_GETROUTE of 127.0.0.1 alone: in which table it is found.
    RouteToLoopback,
    /// RTM_GETNETCONF of `net.ipv4.conf.all`.
    NetconfAll,
    /// RTM_GETNETCONF of `net.ipv4.conf.default`.
    NetconfDefault,
    /// RTM_GETNETCONF of `net.ipv6.conf.all`.
    NetconfAllIpv6,
    /// Files below /proc/sys/net ([`SETTINGS`](super::SETTINGS)), a line each: path, ` = `, value.
    Sysctls,
    /// RTM_GETNEIGH of both families.
    Neighbours,
    /// RTM_GETNEIGH with NTF_PROXY.
    ProxyNeighbours,
    /// RTM_GETNEIGH of AF_BRIDGE.
    Fdb,
    /// RTM_GETQDISC.
    Qdiscs,
    /// NFT_MSG_GETGEN.
    NftGeneration,
    /// NFT_MSG_GETTABLE; refused if the ruleset as a whole could not be read.
    NftTables,
    /// NFT_MSG_GETCHAIN.
    NftChains,
    /// NFT_MSG_GETRULE.
    NftRules,
    /// NFT_MSG_GETSET.
    NftSets,
    /// NFT_MSG_GETSETELEM of every set, one reply behind the other.
    NftElements,
    /// NFT_MSG_GETFLOWTABLE.
    NftFlowtables,
    /// /proc/net/ip_tables_names.
    IptablesNames,
    /// /proc/net/ip6_tables_names.
    Ip6tablesNames,
    /// /proc/net/arp_tables_names.
    ArptablesNames,
    /// /proc/net/ip_vs.
    Ipvs,
    /// XFRM_MSG_GETSPDINFO.
    XfrmInfo,
    /// IPCTNL_MSG_CT_GET_STATS.
    ConntrackStats,
    /// IPCTNL_MSG_CT_GET.
    Conntrack,
    /// RTM_GETNSID, dumped.
    Nsids,
    /// RTM_GETNSID, one by one, of a table that is too long to come whole. A reply's sequence
    /// number is the observer's number of the namespace that it is about.
    NsidRows,
    /// /proc/PID/net/dev, of a namespace that may not be entered.
    ProcDev,
    /// /proc/PID/net/dev_mcast, of a namespace that may not be entered.
    ProcDevMcast,
    /// /proc/PID/net/igmp, of a namespace that may not be entered.
    ProcIgmp,
    /// /proc/PID/net/if_inet6, of a namespace that may not be entered.
    ProcIfInet6,
    /// /proc/PID/net/fib_trie, of a namespace that may not be entered.
    ProcFibTrie,
    /// /proc/PID/net/route, of a namespace that may not be entered.
    ProcRoute,
    /// /proc/PID/net/arp, of a namespace that may not be entered.
    ProcArp,
    /// /proc/net/tcp: the lines of sockets that wait.
    Tcp,
    /// /proc/net/tcp6: the lines of sockets that wait.
    Tcp6,
    /// /proc/net/udp: the lines of sockets that wait.
    Udp,
    /// /proc/net/udp6: the lines of sockets that wait.
    Udp6,
    /// IPT_SO_GET_INFO and the entries of IPT_SO_GET_ENTRIES of each table that
    /// /proc/net/ip_tables_names has, one behind the other.
    IptablesLegacy,
    /// The same of IPv6.
    Ip6tablesLegacy,
    /// The groups of /proc/net/igmp, a line each: ifindex and address.
    Groups,
    /// The ports of /proc/net/bonding's bonds in their order, a line each: ifindexes, the bond's first.
    Bonds,
    /// RTM_GETLINK of AF_BRIDGE, with VLANs.
    BridgeVlans,
    /// RTM_GETMDB.
    Mdb,
    /// WG_CMD_GET_DEVICE of every device, one reply behind the other, without private and preshared
    /// keys ([`crate::wireguard::without_secrets`]).
    Wireguard,
    /// Ports of /proc/net/udp that somebody waits at whatever the address, a line each.
    UdpPorts,
    /// IPSET_CMD_LIST.
    Ipsets,
    /// The programs of tcx, a line for each side of a link that has some: ifindex, `ingress` or `egress`,
    /// their numbers in order.
    Programs,
    /// The programs on the cgroups of all processes, a line for each way: `egress`, and their numbers.
    CgroupPrograms,
    /// RTM_GETTFILTER of every place that tc has for filters, one reply behind the other.
    Filters,
    /// The name servers of /etc/resolv.conf as its first process sees it, a line each, where that is
    /// another file than the reader's own.
    Resolvers,
    /// RTM_GETADDRLABEL.
    AddressLabels,
    /// RTM_GETROUTE of IPv4, of what was learned of single destinations.
    LearnedIpv4,
    /// The same of IPv6.
    LearnedIpv6,
}

impl Question {
    /// All of them, in the order in which their answers are understood.
    pub const ALL: [Self; 58] = [
        Self::Links,
        Self::AddressesIpv4,
        Self::AddressesIpv6,
        Self::RoutesIpv4,
        Self::RoutesIpv6,
        Self::Rules,
        Self::RouteToLoopback,
        Self::NetconfAll,
        Self::NetconfDefault,
        Self::NetconfAllIpv6,
        Self::Sysctls,
        Self::Neighbours,
        Self::ProxyNeighbours,
        Self::Fdb,
        Self::Qdiscs,
        Self::NftGeneration,
        Self::NftTables,
        Self::NftChains,
        Self::NftRules,
        Self::NftSets,
        Self::NftElements,
        Self::NftFlowtables,
        Self::IptablesNames,
        Self::Ip6tablesNames,
        Self::ArptablesNames,
        Self::Ipvs,
        Self::XfrmInfo,
        Self::ConntrackStats,
        Self::Conntrack,
        Self::Nsids,
        Self::NsidRows,
        Self::ProcDev,
        Self::ProcDevMcast,
        Self::ProcIgmp,
        Self::ProcIfInet6,
        Self::ProcFibTrie,
        Self::ProcRoute,
        Self::ProcArp,
        Self::Tcp,
        Self::Tcp6,
        Self::Udp,
        Self::Udp6,
        Self::IptablesLegacy,
        Self::Ip6tablesLegacy,
        Self::Groups,
        Self::Bonds,
        Self::BridgeVlans,
        Self::Mdb,
        Self::Wireguard,
        Self::UdpPorts,
        Self::Ipsets,
        Self::Programs,
        Self::CgroupPrograms,
        Self::Filters,
        Self::Resolvers,
        Self::AddressLabels,
        Self::LearnedIpv4,
        Self::LearnedIpv6,
    ];

    /// Its name, as a file's.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Links => "links",
            Self::AddressesIpv4 => "addresses-ipv4",
            Self::AddressesIpv6 => "addresses-ipv6",
            Self::RoutesIpv4 => "routes-ipv4",
            Self::RoutesIpv6 => "routes-ipv6",
            Self::Rules => "rules",
            Self::RouteToLoopback => "route-to-loopback",
            Self::NetconfAll => "netconf-all",
            Self::NetconfDefault => "netconf-default",
            Self::NetconfAllIpv6 => "netconf-all-ipv6",
            Self::Sysctls => "sysctls",
            Self::Neighbours => "neighbours",
            Self::ProxyNeighbours => "neighbours-proxy",
            Self::Fdb => "fdb",
            Self::Qdiscs => "qdiscs",
            Self::NftGeneration => "nft-generation",
            Self::NftTables => "nft-tables",
            Self::NftChains => "nft-chains",
            Self::NftRules => "nft-rules",
            Self::NftSets => "nft-sets",
            Self::NftElements => "nft-elements",
            Self::NftFlowtables => "nft-flowtables",
            Self::IptablesNames => "ip_tables_names",
            Self::Ip6tablesNames => "ip6_tables_names",
            Self::ArptablesNames => "arp_tables_names",
            Self::Ipvs => "ip_vs",
            Self::XfrmInfo => "xfrm-info",
            Self::ConntrackStats => "conntrack-stats",
            Self::Conntrack => "conntrack",
            Self::Nsids => "nsids",
            Self::NsidRows => "nsid-rows",
            Self::ProcDev => "proc-dev",
            Self::ProcDevMcast => "proc-dev_mcast",
            Self::ProcIgmp => "proc-igmp",
            Self::ProcIfInet6 => "proc-if_inet6",
            Self::ProcFibTrie => "proc-fib_trie",
            Self::ProcRoute => "proc-route",
            Self::ProcArp => "proc-arp",
            Self::Tcp => "sockets-tcp",
            Self::Tcp6 => "sockets-tcp6",
            Self::Udp => "sockets-udp",
            Self::Udp6 => "sockets-udp6",
            Self::IptablesLegacy => "iptables-legacy",
            Self::Ip6tablesLegacy => "ip6tables-legacy",
            Self::Groups => "groups-ipv4",
            Self::Bonds => "bonds",
            Self::BridgeVlans => "bridge-vlans",
            Self::Mdb => "mdb",
            Self::Wireguard => "wireguard",
            Self::UdpPorts => "udp-ports",
            Self::Ipsets => "ipsets",
            Self::Programs => "programs",
            Self::CgroupPrograms => "cgroup-programs",
            Self::Filters => "filters",
            Self::Resolvers => "resolvers",
            Self::AddressLabels => "address-labels",
            Self::LearnedIpv4 => "learned-ipv4",
            Self::LearnedIpv6 => "learned-ipv6",
        }
    }

    /// The file of /proc/PID/net that answers it.
    #[must_use]
    pub fn file(self) -> Option<&'static str> {
        match self {
            Self::IptablesNames | Self::Ip6tablesNames | Self::ArptablesNames | Self::Ipvs => {
                Some(self.as_str())
            }
            _ => self.as_str().strip_prefix("proc-"),
        }
    }

    /// The question of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|q| q.as_str() == name)
    }

    /// The part of a namespace that is not known where it stays unanswered.
    pub(super) const fn part(self) -> &'static str {
        match self {
            Self::Links => "links",
            Self::AddressesIpv4 | Self::AddressesIpv6 => "addresses",
            Self::RoutesIpv4 | Self::RoutesIpv6 | Self::RouteToLoopback => "routes",
            Self::Rules => "rules",
            Self::NetconfAll | Self::NetconfDefault | Self::NetconfAllIpv6 | Self::Sysctls => {
                "sysctls"
            }
            Self::Neighbours | Self::ProxyNeighbours => "neighbours",
            Self::Fdb => "fdb",
            Self::Groups => "groups",
            Self::Bonds => "bonds",
            Self::BridgeVlans => "vlans",
            Self::Mdb => "mdb",
            Self::Ipsets => "ipsets",
            Self::Qdiscs | Self::Filters | Self::Programs => "qdiscs",
            Self::XfrmInfo => "xfrm",
            Self::ConntrackStats | Self::Conntrack => "conntrack",
            Self::Nsids | Self::NsidRows => "nsids",
            Self::Wireguard => "wireguard",
            Self::UdpPorts => "wireguard sockets",
            Self::Resolvers => "resolvers",
            Self::AddressLabels => "address labels",
            Self::LearnedIpv4 | Self::LearnedIpv6 => "learned routes",
            Self::Tcp | Self::Tcp6 | Self::Udp | Self::Udp6 => "listeners",
            _ => "netfilter",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_question_has_a_name_of_its_own_and_a_place() {
        for (nth, question) in Question::ALL.into_iter().enumerate() {
            assert_eq!(Question::named(question.as_str()), Some(question));
            assert_eq!(question as usize, nth);
        }
    }
}
