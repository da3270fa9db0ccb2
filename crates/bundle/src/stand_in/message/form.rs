//! Which attributes a reply may have, and what is in them. Numbers are those of the kernel's headers
//! (linux/if_link.h, if_addr.h, rtnetlink.h, fib_rules.h, neighbour.h, nfnetlink_conntrack.h).

use wire::gathered::Question;

/// What is in an attribute.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// Numbers, or words that the kernel chooses.
    Keep,
    /// That it is there counts, not what it says.
    Empty,
    /// A link-layer or IP address, by its length.
    Address,
    /// The address of a network; its length is in the message's fixed part, there.
    Prefix(usize),
    /// IPSET_ATTR_IPADDR_*: an address within an attribute; the length of its prefix, if it has one,
    /// is beside it in the attribute of that number.
    SetAddress(u16),
    /// Two bytes of family, then an address.
    Via,
    /// Two bytes of priority, then a bridge's address.
    Bridge,
    /// A name, ended by NUL.
    Name,
    /// A link's name, ended by NUL.
    Link,
    /// Attributes.
    Nest(&'static [(u16, Self)]),
    /// IFLA_INFO_DATA: by the link's kind.
    KindData,
    /// IFLA_INFO_SLAVE_DATA: by what its master made of it.
    PortData,
    /// RTA_MULTIPATH.
    Hops(&'static [(u16, Self)]),
    /// A public key.
    Key,
    /// `struct sockaddr_in` or `sockaddr_in6`.
    Socket,
    /// The address of a network; its length is in the attribute of that number, beside it.
    Network(u16),
}

use Form::{
    Address, Bridge, Empty, Hops, Keep, Key, KindData, Link, Name, Nest, Network, PortData, Prefix,
    SetAddress, Socket, Via,
};

type List = &'static [(u16, Form)];

/// Length of the fixed part of a reply's messages, and the attributes behind it.
pub(super) const fn form(question: Question) -> (usize, List) {
    match question {
        Question::Links => (16, LINK),
        Question::AddressesIpv4 | Question::AddressesIpv6 => (8, ADDRESS),
        Question::RoutesIpv4
        | Question::RoutesIpv6
        | Question::LearnedIpv4
        | Question::LearnedIpv6
        | Question::RouteToLoopback => (12, ROUTE),
        Question::Rules => (12, RULE),
        Question::NetconfAll | Question::NetconfDefault | Question::NetconfAllIpv6 => (4, NETCONF),
        Question::Neighbours | Question::ProxyNeighbours | Question::Fdb => (12, NEIGHBOUR),
        Question::BridgeVlans => (16, &[(3, Link), (10, Keep), (26, Nest(&[(2, Keep)]))]),
        // What filters look for, and where they lead, is left out.
        Question::Filters => (20, &[(1, Keep), (11, Keep)]),
        Question::Qdiscs => (20, &[(1, Keep), (13, Keep), (14, Keep)]),
        Question::Nsids | Question::NsidRows => (4, &[(1, Keep), (5, Keep)]),
        Question::Conntrack => (4, CONNTRACK),
        Question::Wireguard => (4, WIREGUARD),
        Question::Ipsets => (4, IPSET),
        _ => (usize::MAX, &[]),
    }
}

const LINK: List = &[
    (1, Address),
    (2, Address),
    (3, Link),
    (4, Keep),
    (5, Keep),
    (6, Keep),
    (10, Keep),
    (13, Keep),
    (16, Keep),
    (17, Keep),
    (18, Nest(&[(1, Keep), (2, KindData), (4, Keep), (5, PortData)])),
    (20, Name),
    (26, Nest(&[(2, Keep), (10, Nest(&[(1, Keep), (2, Keep)]))])),
    (27, Keep),
    (33, Keep),
    (37, Keep),
    (43, Keep),
    (52, Nest(&[(53, Link)])),
];

const ADDRESS: List = &[
    (1, Address),
    (2, Address),
    (3, Link),
    (4, Address),
    (5, Address),
    (6, Keep),
    (8, Keep),
    (9, Keep),
    (11, Keep),
];

/// linux/netfilter/ipset/ip_set.h. Of a set what it was made with, but for the range of a bitmap, which
/// its entries lie in: addresses side by side have stand-ins that are not.
const IPSET: List = &[
    (1, Keep),
    (2, Name),
    (3, Keep),
    (4, Keep),
    (5, Keep),
    (
        7,
        Nest(&[
            (6, Keep),
            (8, Keep),
            (11, Keep),
            (12, Keep),
            (18, Keep),
            (19, Keep),
            (20, Keep),
            (23, Keep),
        ]),
    ),
    (8, Nest(&[(7, Nest(IPSET_ENTRY))])),
    (11, Keep),
];

/// Without its comment.
const IPSET_ENTRY: List = &[
    (1, SetAddress(3)),
    (3, Keep),
    (4, Keep),
    (6, Keep),
    (7, Keep),
    (8, Keep),
    (10, Keep),
    (17, Address),
    (18, Name),
    (20, SetAddress(21)),
    (21, Keep),
    (23, Link),
    (24, Keep),
    (25, Keep),
    (27, Keep),
    (28, Keep),
    (29, Keep),
];

const HOP: List = &[(5, Address), (18, Via), (22, Empty)];

const ROUTE: List = &[
    (1, Prefix(1)),
    (2, Prefix(2)),
    (3, Keep),
    (4, Keep),
    (5, Address),
    (6, Keep),
    (7, Address),
    (8, Keep),
    (9, Hops(HOP)),
    (12, Keep),
    (15, Keep),
    (16, Keep),
    (18, Via),
    (20, Keep),
    (21, Keep),
    (22, Empty),
    (23, Keep),
    (30, Keep),
];

const RULE: List = &[
    (1, Prefix(1)),
    (2, Prefix(2)),
    (3, Link),
    (4, Keep),
    (6, Keep),
    (10, Keep),
    (12, Keep),
    (13, Keep),
    (14, Keep),
    (15, Keep),
    (16, Keep),
    (17, Link),
    (19, Keep),
    (20, Keep),
    (21, Keep),
    (22, Keep),
    (23, Keep),
    (24, Keep),
    (25, Keep),
    (26, Keep),
    (28, Keep),
    (29, Keep),
];

const NETCONF: List =
    &[(1, Keep), (2, Keep), (3, Keep), (4, Keep), (5, Keep), (6, Keep), (7, Keep), (8, Keep)];

const NEIGHBOUR: List = &[
    (1, Address),
    (2, Address),
    (3, Keep),
    (4, Keep),
    (5, Keep),
    (6, Keep),
    (7, Keep),
    (8, Keep),
    (9, Keep),
    (10, Keep),
    (11, Keep),
    (12, Keep),
    (13, Keep),
    (15, Keep),
];

const TUPLE: List =
    &[(1, Nest(&[(1, Address), (2, Address), (3, Address), (4, Address)])), (2, Keep), (3, Keep)];

const CONNTRACK: List =
    &[(1, Nest(TUPLE)), (2, Nest(TUPLE)), (3, Keep), (7, Keep), (8, Keep), (18, Keep)];

/// Neither of the two numbers of secrets (3; a peer's 2 but for that it is there).
const WIREGUARD: List =
    &[(1, Keep), (2, Link), (4, Key), (6, Keep), (7, Keep), (8, Nest(&[(0, Nest(PEER))]))];

const PEER: List = &[
    (1, Key),
    (2, Empty),
    (4, Socket),
    (5, Keep),
    (6, Keep),
    (9, Nest(&[(0, Nest(&[(1, Keep), (2, Network(3)), (3, Keep)]))])),
];

/// IFLA_INFO_DATA of a kind; of one that is not here, nothing.
pub(super) fn kind_data(kind: &str) -> List {
    match kind {
        "bridge" => BRIDGE,
        "vxlan" => VXLAN,
        "tun" => NUMBERS,
        "macvlan" | "macvtap" => &[(1, Keep), (2, Keep), (7, Keep), (8, Keep)],
        "ipvlan" | "ipvtap" => &[(1, Keep), (2, Keep)],
        "vlan" => &[(1, Keep), (2, Keep), (3, Keep), (4, Keep), (5, Keep)],
        "vrf" => &[(1, Keep)],
        "bond" => BOND,
        "netkit" => &[(2, Keep), (3, Keep), (4, Keep), (5, Keep)],
        "geneve" => &[(1, Keep), (2, Address), (3, Keep), (4, Keep), (5, Keep), (7, Address)],
        "gre" | "gretap" | "ip6gre" | "ip6gretap" | "erspan" => GRE,
        "ipip" | "sit" | "ip6tnl" => &[(1, Keep), (2, Address), (3, Address), (4, Keep), (5, Keep)],
        _ => &[],
    }
}

/// IFLA_INFO_SLAVE_DATA by what its master made of it.
pub(super) fn port_data(kind: &str) -> List {
    match kind {
        "bridge" => PORT,
        "bond" => &[(1, Keep), (2, Keep), (4, Address)],
        "vrf" => &[(1, Keep)],
        _ => &[],
    }
}

const NUMBERS: List = &[
    (1, Keep),
    (2, Keep),
    (3, Keep),
    (4, Keep),
    (5, Keep),
    (6, Keep),
    (7, Keep),
    (8, Keep),
    (9, Keep),
];

const BRIDGE: List = &[
    (1, Keep),
    (2, Keep),
    (3, Keep),
    (4, Keep),
    (5, Keep),
    (6, Keep),
    (7, Keep),
    (8, Keep),
    (9, Keep),
    (10, Bridge),
    (11, Bridge),
    (20, Address),
    (22, Keep),
    (23, Keep),
    (24, Keep),
    (25, Keep),
    (34, Keep),
    (36, Keep),
    (37, Keep),
    (38, Keep),
    (39, Keep),
    (43, Keep),
    (44, Keep),
    (46, Keep),
];

const VXLAN: List = &[
    (1, Keep),
    (2, Address),
    (3, Keep),
    (4, Address),
    (5, Keep),
    (6, Keep),
    (7, Keep),
    (8, Keep),
    (9, Keep),
    (10, Keep),
    (11, Keep),
    (12, Keep),
    (13, Keep),
    (14, Keep),
    (15, Keep),
    (16, Address),
    (17, Address),
    (25, Keep),
    (29, Keep),
];

const BOND: List = &[
    (1, Keep),
    (2, Keep),
    (3, Keep),
    (4, Keep),
    (5, Keep),
    (6, Keep),
    (7, Keep),
    (11, Keep),
    (12, Keep),
    (13, Keep),
    (14, Keep),
    (17, Keep),
    (18, Keep),
    (20, Keep),
    (21, Keep),
    (27, Keep),
    (33, Keep),
];

const GRE: List = &[
    (1, Keep),
    (2, Keep),
    (3, Keep),
    (4, Keep),
    (5, Keep),
    (6, Address),
    (7, Address),
    (8, Keep),
    (9, Keep),
    (10, Keep),
];

const PORT: List = &[
    (1, Keep),
    (2, Keep),
    (3, Keep),
    (4, Keep),
    (5, Keep),
    (6, Keep),
    (7, Keep),
    (8, Keep),
    (9, Keep),
    (10, Keep),
    (11, Keep),
    (12, Keep),
    (13, Bridge),
    (14, Bridge),
    (15, Keep),
    (16, Keep),
    (17, Keep),
    (18, Keep),
    (25, Keep),
    (27, Keep),
    (28, Keep),
    (30, Keep),
    (32, Keep),
    (33, Keep),
    (34, Keep),
    (39, Keep),
];
