//! Sets of ipset: what iptables' `-m set` asks, by the set's number.

use std::net::IpAddr;

use crate::{Family, Mac};

/// A set, as `ipset save` tells of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IpSet {
    /// Its number in its namespace, by which rules name it. None: kernels before 4.20 do not tell it.
    pub index: Option<u16>,
    /// Its name (IPSET_MAXNAMELEN: at most 31 bytes).
    pub name: String,
    /// Its type, as the kernel writes it: `hash:net,port`. [`IpSetType::of`] says what that is.
    pub kind: String,
    /// Whose packets it sees: IPv4's or IPv6's. None: both.
    pub family: Option<Family>,
    /// What it was made with.
    pub options: IpSetOptions,
    /// What is in it: of `list:set` in its order, of others as the kernel tells it.
    pub entries: Vec<IpSetEntry>,
}

/// What a set was made with (`ipset create`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IpSetOptions {
    /// `bitmap:ip` and `bitmap:ip,mac`: first and last address.
    pub range: Option<(IpAddr, IpAddr)>,
    /// `bitmap:port`: first and last port.
    pub ports: Option<(u16, u16)>,
    /// `netmask`: how many bits of an address count. None: all.
    pub netmask: Option<u8>,
    /// `bitmask`: which bits of an address count.
    pub bitmask: Option<IpAddr>,
    /// `markmask` of `hash:ip,mark`: which bits of a mark count.
    pub markmask: Option<u32>,
    /// `hashsize`: how many buckets there are now; the kernel makes more as it needs them.
    pub hash_size: Option<u32>,
    /// `maxelem`: how many entries it takes.
    pub max_elem: Option<u32>,
    /// `size` of `list:set`: how many sets it takes.
    pub size: Option<u32>,
    /// `timeout`: how long an entry stays unless it says otherwise, in seconds; 0: for ever. None:
    /// entries have no time limit at all.
    pub timeout: Option<u32>,
    /// IPSET_FLAG_WITH_*: 8 `counters`, 16 `comment`, 32 `forceadd`, 64 `skbinfo`.
    pub flags: u32,
}

/// An entry of a set. Which parts it has, its set's type says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IpSetEntry {
    /// Address.
    pub ip: Option<IpAddr>,
    /// Length of its prefix; None: of one address.
    pub prefix: Option<u8>,
    /// IP protocol that `port` is of.
    pub protocol: Option<u8>,
    /// Port; of ICMP, type (high byte) and code.
    pub port: Option<u16>,
    /// Second address.
    pub ip2: Option<IpAddr>,
    /// Length of its prefix.
    pub prefix2: Option<u8>,
    /// Ethernet address. `bitmap:ip,mac` without: the next packet's is taken.
    pub mac: Option<Mac>,
    /// Name of a link.
    pub link: Option<String>,
    /// Mark of a packet.
    pub mark: Option<u32>,
    /// `list:set`: name of the set that is meant.
    pub set: Option<String>,
    /// IPSET_FLAG_*: [`Self::PHYSDEV`], [`Self::NOMATCH`], [`Self::WILDCARD`].
    pub flags: u32,
    /// How long it stays yet, in seconds; 0: for ever.
    pub timeout: Option<u32>,
    /// Packets and bytes that it has counted.
    pub counters: Option<(u64, u64)>,
    /// `comment`.
    pub comment: Option<String>,
    /// `skbmark`: mark and mask, for `-j SET --map-set --map-mark`.
    pub skb_mark: Option<(u32, u32)>,
    /// `skbprio`: major and minor number of a traffic class.
    pub skb_priority: Option<u32>,
    /// `skbqueue`: a link's queue.
    pub skb_queue: Option<u16>,
}

impl IpSetEntry {
    /// The link is a bridge's port.
    pub const PHYSDEV: u32 = 2;
    /// What is in it is not in the set.
    pub const NOMATCH: u32 = 4;
    /// The name is the beginning of many links'.
    pub const WILDCARD: u32 = 128;

    /// Whether it has that flag.
    #[must_use]
    pub const fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }
}

impl IpSet {
    /// The same set without what differs between two equal ones: its number, what it has counted,
    /// how long entries stay yet, how many buckets the kernel has made, the order of a hash.
    #[must_use]
    pub fn normalised(&self) -> Self {
        let mut set = Self { index: None, ..self.clone() };
        set.options.hash_size = None;
        let limited = set.options.timeout.unwrap_or(0) != 0;
        for entry in &mut set.entries {
            entry.counters = None;
            entry.normalise(limited);
        }
        if set.kind != "list:set" {
            set.entries.sort_by_cached_key(IpSetEntry::place);
        }
        set
    }
}

impl IpSetEntry {
    /// `limited`: the set gives every entry a time limit that says none itself.
    fn normalise(&mut self, limited: bool) {
        // An entry that counts down is the same all the time; one that stays is another.
        self.timeout = match self.timeout {
            Some(0) if limited => Some(0),
            Some(0) | None => None,
            Some(_) if limited => None,
            Some(_) => Some(1),
        };
        let whole = |ip: Option<IpAddr>| ip.map(|ip| if ip.is_ipv4() { 32 } else { 128 });
        self.prefix = self.prefix.filter(|length| Some(*length) != whole(self.ip));
        self.prefix2 = self.prefix2.filter(|length| Some(*length) != whole(self.ip2));
        self.skb_mark = self.skb_mark.filter(|mark| *mark != (0, 0));
        self.skb_priority = self.skb_priority.filter(|priority| *priority != 0);
        self.skb_queue = self.skb_queue.filter(|queue| *queue != 0);
        self.comment = self.comment.take().filter(|text| !text.is_empty());
    }

    fn place(&self) -> impl Ord + use<> {
        let first = (self.ip, self.prefix, self.protocol, self.port);
        let second = (self.ip2, self.prefix2, self.mac.map(|mac| mac.0), self.mark);
        (first, second, self.link.clone(), self.flags)
    }
}

/// What a type of sets holds, in the order in which a rule says `src` or `dst` for each part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IpSetType {
    /// `bitmap:…` and `hash:…`.
    Parts(&'static [IpSetPart]),
    /// `list:set`: what is in one of other sets.
    List,
}

/// A part of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IpSetPart {
    /// One address.
    Ip,
    /// A prefix of addresses.
    Net,
    /// Protocol and port.
    Port,
    /// `bitmap:port`: a port of TCP or UDP, whichever.
    AnyPort,
    /// Ethernet address.
    Mac,
    /// The packet's mark; it has no side.
    Mark,
    /// Name of a link.
    Link,
}

impl IpSetType {
    /// All types that there are up to Linux 6.18.
    pub const ALL: [(&'static str, Self); 16] = {
        use IpSetPart::{AnyPort, Ip, Link, Mac, Mark, Net, Port};
        [
            ("bitmap:ip", Self::Parts(&[Ip])),
            ("bitmap:ip,mac", Self::Parts(&[Ip, Mac])),
            ("bitmap:port", Self::Parts(&[AnyPort])),
            ("hash:ip", Self::Parts(&[Ip])),
            ("hash:ip,mac", Self::Parts(&[Ip, Mac])),
            ("hash:ip,mark", Self::Parts(&[Ip, Mark])),
            ("hash:ip,port", Self::Parts(&[Ip, Port])),
            ("hash:ip,port,ip", Self::Parts(&[Ip, Port, Ip])),
            ("hash:ip,port,net", Self::Parts(&[Ip, Port, Net])),
            ("hash:mac", Self::Parts(&[Mac])),
            ("hash:net", Self::Parts(&[Net])),
            ("hash:net,iface", Self::Parts(&[Net, Link])),
            ("hash:net,net", Self::Parts(&[Net, Net])),
            ("hash:net,port", Self::Parts(&[Net, Port])),
            ("hash:net,port,net", Self::Parts(&[Net, Port, Net])),
            ("list:set", Self::List),
        ]
    };

    /// The type of that name; None: one that is not known here.
    #[must_use]
    pub fn of(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(name, _)| *name == kind).map(|(_, kind)| kind)
    }

    /// How many sides a rule has to name at least (`dimension`, of which a list has one).
    #[must_use]
    pub const fn dimension(self) -> usize {
        match self {
            Self::Parts(parts) => parts.len(),
            Self::List => 1,
        }
    }
}
