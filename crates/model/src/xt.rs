//! xtables extensions, as iptables-nft puts them into nftables rules.

use std::net::IpAddr;

use crate::Mac;

/// A match or target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Xt {
    /// Name (`addrtype`, `MASQUERADE`).
    pub name: String,
    /// Revision: which struct `info` is.
    pub revision: u32,
    /// What it says.
    pub info: XtInfo,
}

impl Xt {
    /// The sets of ipset that it names.
    pub fn ip_sets_mut(&mut self) -> impl Iterator<Item = &mut XtSetRef> {
        let all = match &mut self.info {
            XtInfo::Set(set) => vec![&mut set.set],
            XtInfo::SetTarget(target) => {
                let XtSetTarget { add, del, map, .. } = &mut **target;
                vec![add, del, map]
            }
            _ => Vec::new(),
        };
        all.into_iter().filter(|set| set.is_some())
    }

    /// The same, to look at.
    pub fn ip_sets(&self) -> impl Iterator<Item = &XtSetRef> {
        let all = match &self.info {
            XtInfo::Set(set) => vec![&set.set],
            XtInfo::SetTarget(target) => vec![&target.add, &target.del, &target.map],
            _ => Vec::new(),
        };
        all.into_iter().filter(|set| set.is_some())
    }
}

/// What an extension says. Which are matches and which targets is evident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum XtInfo {
    /// `-m addrtype` (revision 1).
    Addrtype(XtAddrtype),
    /// `-m conntrack` (revision 3).
    Conntrack(Box<XtConntrack>),
    /// `-m comment`.
    Comment(String),
    /// `-m tcp`/`-m udp`: port ranges and what is inverted (bit 0 source, bit 1 destination).
    Ports {
        /// Source ports.
        sport: (u16, u16),
        /// Destination ports.
        dport: (u16, u16),
        /// XT_TCP_INV_*/XT_UDP_INV_*.
        invert: u8,
        /// TCP only: option, mask, compare.
        tcp: Option<(u8, u8, u8)>,
    },
    /// `-m icmp --icmp-type`, `-m icmp6 --icmpv6-type`.
    Icmp {
        /// Type; 255: any.
        kind: u8,
        /// First and last code.
        codes: (u8, u8),
        /// `!`.
        invert: bool,
    },
    /// `-m multiport` (revision 1).
    Multiport {
        /// XT_MULTIPORT_*: 0 source ports, 1 destination ports, 2 either.
        which: u8,
        /// First and last port of each; at most 15 numbers, of which a range takes two.
        ports: Vec<(u16, Option<u16>)>,
        /// `!`.
        invert: bool,
    },
    /// `-m physdev`.
    Physdev {
        /// Port that the frame came in by, without the `+` of a wildcard; None: any.
        physin: Option<String>,
        /// Port that it leaves by, likewise.
        physout: Option<String>,
        /// The name is the beginning of many (`eth+`): (in, out).
        wildcard: (bool, bool),
        /// XT_PHYSDEV_OP_* that are inverted.
        invert: u8,
        /// XT_PHYSDEV_OP_* that are asked.
        bitmask: u8,
    },
    /// `-m mac --mac-source`.
    MacSource {
        /// Address.
        mac: Mac,
        /// `!`.
        invert: bool,
    },
    /// `-m mark` (revision 1).
    Mark {
        /// Value.
        mark: u32,
        /// Mask.
        mask: u32,
        /// `!`.
        invert: bool,
    },
    /// `-j MASQUERADE`, `SNAT`, `DNAT`, `REDIRECT`: to where.
    Nat(XtNatRange),
    /// `-j MARK --set-xmark`.
    SetMark {
        /// Xor.
        mark: u32,
        /// And-not.
        mask: u32,
    },
    /// `-j REJECT --reject-with`: IPT_ICMP_* number; 7 is a TCP reset.
    Reject(u32),
    /// `-j LOG`: changes nothing.
    Log {
        /// The struct as it came.
        data: Vec<u8>,
    },
    /// `-m state`.
    State {
        /// Bits as of [`XtConntrack::state_mask`], without those of translation.
        mask: u32,
    },
    /// `-m connmark` (revision 1).
    Connmark {
        /// Value.
        mark: u32,
        /// Mask.
        mask: u32,
        /// `!`.
        invert: bool,
    },
    /// `-m iprange` (revision 1); addresses are IPv4 or IPv6 by the rule's family, raw.
    IpRange {
        /// First and last source.
        src: ([u8; 16], [u8; 16]),
        /// First and last destination.
        dst: ([u8; 16], [u8; 16]),
        /// 1 source is asked, 2 destination, 16 and 32: inverted.
        flags: u8,
    },
    /// `-m limit`: one packet per `avg` ten-thousandths of a second, `burst` of them at once.
    Limit {
        /// Ten-thousandths of a second for one.
        avg: u32,
        /// How many at once.
        burst: u32,
    },
    /// `-m statistic`.
    Statistic {
        /// One of so many, and which (XT_STATISTIC_MODE_NTH); None: by chance.
        nth: Option<(u32, u32)>,
        /// Of 2^31, how likely.
        probability: u32,
        /// `!`.
        invert: bool,
    },
    /// `-m owner` (revision 1).
    Owner {
        /// First and last user.
        uid: (u32, u32),
        /// First and last group.
        gid: (u32, u32),
        /// XT_OWNER_* that are asked (1 user, 2 group, 4 socket, 8 further groups).
        asked: u8,
        /// Those that are inverted.
        invert: u8,
    },
    /// `-m pkttype`: PACKET_*.
    PktType {
        /// Which.
        kind: u32,
        /// `!`.
        invert: bool,
    },
    /// `-m length`.
    Length {
        /// Bytes of the IP packet, at least.
        min: u16,
        /// At most.
        max: u16,
        /// `!`.
        invert: bool,
    },
    /// `-m ttl` and `-m hl`.
    Ttl {
        /// 0 equal, 1 other than, 2 below, 3 above.
        mode: u8,
        /// What.
        ttl: u8,
    },
    /// `-m dscp`.
    Dscp {
        /// Value.
        dscp: u8,
        /// `!`.
        invert: bool,
    },
    /// `-m tos` (revision 1).
    Tos {
        /// Mask.
        mask: u8,
        /// Value.
        value: u8,
        /// `!`.
        invert: bool,
    },
    /// `-m rpfilter`: XT_RPFILTER_* (1 loose, 2 with the mark, 4 accept local, 8 inverted).
    RpFilter(u8),
    /// `-m policy`: whether IPsec took or takes it.
    Policy {
        /// XT_POLICY_MATCH_* (1 in, 2 out, 4 none, 8 strict).
        flags: u16,
        /// How many elements.
        len: u16,
        /// The elements as they came.
        elements: Vec<u8>,
    },
    /// `-j CONNMARK`.
    SetConnmark {
        /// XT_CONNMARK_*: 0 set, 1 save, 2 restore.
        mode: u8,
        /// Value.
        ctmark: u32,
        /// Mask of the connection's mark.
        ctmask: u32,
        /// Mask of the packet's mark.
        nfmask: u32,
        /// Revision 2: to the right, and how many bits.
        shift: Option<(u8, u8)>,
    },
    /// `-j CT`.
    Ct {
        /// XT_CT_* (1 not tracked, 4 and 8: zone of the original or reply direction only, 16 zone
        /// by mark).
        flags: u16,
        /// Zone.
        zone: u16,
        /// Events that are told: of connections, of expectations.
        events: (u32, u32),
        /// Helper.
        helper: String,
        /// Revisions 1 and 2: timeout policy.
        timeout: Option<String>,
    },
    /// `-j TCPMSS`: 65535: the path's.
    TcpMss(u16),
    /// `-j DSCP`.
    SetDscp(u8),
    /// `-j TOS`.
    SetTos {
        /// Xor.
        value: u8,
        /// And-not.
        mask: u8,
    },
    /// `-j TTL` and `-j HL`.
    SetTtl {
        /// 0 set, 1 up, 2 down.
        mode: u8,
        /// By or to how much.
        ttl: u8,
    },
    /// `-j NFLOG`: changes nothing.
    NfLog {
        /// Bytes of the packet that are copied.
        len: u32,
        /// Group.
        group: u16,
        /// Packets that are sent at once.
        threshold: u16,
        /// XT_NFLOG_F_*.
        flags: u16,
        /// What each line begins with.
        prefix: String,
    },
    /// `-j CLASSIFY`: the packet's priority.
    Classify(u32),
    /// `-j CHECKSUM`: changes nothing on its way.
    Checksum(u8),
    /// `-m recent`: a list of addresses by its name.
    Recent(Box<XtRecent>),
    /// `-m hashlimit`: a limit for each of many.
    HashLimit {
        /// XT_HASHLIMIT_* (16 matches what is over the limit, 32 counts bytes, 64 matches by rate).
        mode: u32,
        /// The struct as it came.
        data: Vec<u8>,
    },
    /// `-m rt`: a routing header of IPv6; the struct as it came.
    RoutingHeader(Vec<u8>),
    /// `-m set` (revisions 1 to 4): whether the packet is in a set of ipset.
    Set(Box<XtSet>),
    /// `-j SET` (revisions 1 to 3): adds the packet to sets, takes it out, or takes over a mark.
    SetTarget(Box<XtSetTarget>),
    /// One that says nothing beside its name: `NOTRACK`, `TRACE`.
    Empty,
    /// Any other: the struct as it came.
    Opaque(Vec<u8>),
}

/// `-m set`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct XtSet {
    /// Which set, and what of the packet is looked for in it.
    pub set: XtSetRef,
    /// Revisions 3 and 4: what the entry must have counted, in packets.
    pub packets: XtSetCounter,
    /// The same in bytes.
    pub bytes: XtSetCounter,
    /// Revisions 3 and 4: IPSET_FLAG_* (8 counts nothing, 16 counts nothing in sets of a list,
    /// 128 [`XtSet::RETURN_NOMATCH`]).
    pub flags: u32,
}

impl XtSet {
    /// `--return-nomatch`: matches what is excepted, and nothing else.
    pub const RETURN_NOMATCH: u32 = 128;
}

/// A condition about a number that an entry has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct XtSetCounter {
    /// IPSET_COUNTER_*: 0 none, 1 equal, 2 other than, 3 below, 4 above.
    pub op: u8,
    /// The number.
    pub value: u64,
}

/// A set as a rule names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XtSetRef {
    /// Its number in the namespace; [`XtSetRef::NONE`]: none is meant.
    pub index: u16,
    /// Its name, where that is known: no rule has it, so that whoever reads a rule looks it up by the
    /// number, and whoever writes one looks up the number by it.
    pub name: Option<String>,
    /// How many sides are named.
    pub dim: u8,
    /// Bit 0: `!`; bits 1 to 6: for that part of an entry, the packet's source is taken, else its
    /// destination; bit 7 (of revisions 1 and 2): `--return-nomatch`.
    pub flags: u8,
}

impl XtSetRef {
    /// IPSET_INVALID_ID.
    pub const NONE: u16 = u16::MAX;

    /// Whether it means a set.
    #[must_use]
    pub const fn is_some(&self) -> bool {
        self.index != Self::NONE || self.name.is_some()
    }

    /// `!`.
    #[must_use]
    pub const fn is_inverted(&self) -> bool {
        self.flags & 1 != 0
    }

    /// Whether the packet's source is taken for a part, counted from 0.
    #[must_use]
    pub const fn is_source(&self, part: usize) -> bool {
        part < 6 && self.flags & (2 << part) != 0
    }
}

impl Default for XtSetRef {
    fn default() -> Self {
        Self { index: Self::NONE, name: None, dim: 0, flags: 0 }
    }
}

/// `-j SET`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct XtSetTarget {
    /// `--add-set`.
    pub add: XtSetRef,
    /// `--del-set`.
    pub del: XtSetRef,
    /// `--map-set` (revision 3).
    pub map: XtSetRef,
    /// Revisions 2 and 3: IPSET_FLAG_* (1 `--exist`, 256 `--map-mark`, 512 `--map-prio`, 1024
    /// `--map-queue`).
    pub flags: u32,
    /// Revisions 2 and 3: how long an entry is to stay, in seconds; `u32::MAX`: as its set says.
    pub timeout: u32,
}

impl XtSetTarget {
    /// `--map-mark`.
    pub const MAP_MARK: u32 = 256;
}

/// `-m recent`, revisions 0 and 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XtRecent {
    /// Hits that are too old to count, in seconds; 0: none is.
    pub seconds: u32,
    /// How many hits it takes.
    pub hits: u32,
    /// XT_RECENT_*: 1 asks, 2 puts the address into the list, 4 asks and renews, 8 removes, 16 with
    /// the TTL, 32 throws old ones away.
    pub check_set: u8,
    /// `!`.
    pub invert: bool,
    /// Name of the list, in a field of which iptables leaves the rest as it was: [`Self::name`].
    pub name_field: Vec<u8>,
    /// 0: the source address, 1: the destination address.
    pub side: u8,
    /// Revision 1: what of the address counts.
    pub mask: Option<[u8; 16]>,
}

impl XtRecent {
    /// Name of the list.
    #[must_use]
    pub fn name(&self) -> std::borrow::Cow<'_, str> {
        let end = self.name_field.iter().position(|b| *b == 0);
        String::from_utf8_lossy(&self.name_field[..end.unwrap_or(self.name_field.len())])
    }
}

/// `-m addrtype`, revision 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct XtAddrtype {
    /// `--src-type`, empty: not asked.
    pub src: AddrTypes,
    /// `--dst-type`, empty: not asked.
    pub dst: AddrTypes,
    /// XT_ADDRTYPE_*: 1 invert source, 2 invert destination, 4 limit to the link in, 8 to the link out.
    pub flags: u32,
}

/// A set of [`AddrType`]s: bit n is RTN_n.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddrTypes(pub u16);

impl AddrTypes {
    /// Only that one.
    #[must_use]
    pub const fn only(kind: AddrType) -> Self {
        Self(1 << kind as u16)
    }

    /// Whether it is in the set.
    #[must_use]
    pub const fn contains(self, kind: AddrType) -> bool {
        self.0 & (1 << kind as u16) != 0
    }
}

/// RTN_* as address types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are iptables'")]
pub enum AddrType {
    Unspec = 0,
    Unicast = 1,
    Local = 2,
    Broadcast = 3,
    Anycast = 4,
    Multicast = 5,
    Blackhole = 6,
    Unreachable = 7,
    Prohibit = 8,
}

/// `-m conntrack`, revision 3. Addresses are IPv4 or IPv6 by the rule's family, raw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct XtConntrack {
    /// origsrc, origdst, replsrc, repldst, each address and mask.
    pub addresses: [([u8; 16], [u8; 16]); 4],
    /// Expiry range.
    pub expires: (u32, u32),
    /// Protocol.
    pub l4proto: u16,
    /// origsrc, origdst, replsrc, repldst: first ports.
    pub ports: [u16; 4],
    /// XT_CONNTRACK_* that are asked (1: state).
    pub match_flags: u16,
    /// Those that are inverted.
    pub invert_flags: u16,
    /// Bits: 1 INVALID, 2 ESTABLISHED, 4 RELATED, 8 NEW, 64 SNAT, 128 DNAT,
    /// 256 UNTRACKED.
    pub state_mask: u16,
    /// IPS_* bits.
    pub status_mask: u16,
    /// Last ports.
    pub ports_high: [u16; 4],
}

/// Where NAT targets send to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct XtNatRange {
    /// NF_NAT_RANGE_*: 1 map addresses, 2 ports specified.
    pub flags: u32,
    /// The struct is that of IPv6, whose addresses are longer.
    pub ipv6: bool,
    /// First and last address, of that family; none where not mapped.
    pub addr: Option<(IpAddr, IpAddr)>,
    /// First and last port.
    pub port: Option<(u16, u16)>,
    /// DNAT revision 2: base port of a shifted range.
    pub base_port: u16,
}
