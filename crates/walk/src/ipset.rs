//! Sets of ipset: which part of a packet each type looks for (the `kadt` functions of
//! `net/netfilter/ipset`), and whether that is in the set.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::{
    Hook, IpSet, IpSetEntry, IpSetPart, IpSetType, LinkKind, Mac, Namespace, XtSet, XtSetRef,
    XtSetTarget,
};

use crate::Payload;
use crate::chain::{Added, Chains, Changes};
use crate::hash::Map;
use crate::load::arphrd;
use crate::rule::{Effect, pass};

/// ARPHRD_ETHER.
const ETHERNET: u16 = 1;
/// IPSET_FLAG_PHYSDEV among what a rule says.
const PHYSDEV: u32 = 2;
/// IPSET_FLAG_WITH_COUNTERS and _SKBINFO of a set.
const COUNTERS: u32 = 8;
const SKBINFO: u32 = 64;
/// What stands for a table where a rule has changed a set: no table has that position.
const NO_TABLE: usize = usize::MAX;

/// The sets of a namespace.
#[derive(Debug, Default)]
pub(crate) struct IpSets<'a> {
    sets: Vec<Index<'a>>,
    by_number: Map<u16, usize>,
    by_name: Map<&'a str, usize>,
    /// What is in sets was not understood, or not read.
    gap: bool,
}

/// A set, so that finding something in it costs the same however much it holds.
#[derive(Debug)]
struct Index<'a> {
    set: &'a IpSet,
    kind: Option<IpSetType>,
    /// Lengths of the prefixes of both addresses, in the order in which the kernel tries them.
    lengths: Vec<(u8, u8)>,
    entries: Map<Key, Vec<&'a IpSetEntry>>,
}

/// What an entry is found by. A link's name, and the Ethernet address beside an address of a bitmap,
/// are compared with what is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Key {
    ip: Option<IpAddr>,
    ip2: Option<IpAddr>,
    lengths: (u8, u8),
    port: (u8, u16),
    mac: Option<Mac>,
    mark: u32,
}

/// What a packet has in place of an entry.
#[derive(Clone, Debug, Default)]
struct Sought<'s> {
    key: Key,
    link: Option<(&'s str, bool)>,
    mac: Option<Mac>,
}

/// Why nothing is looked for.
enum Not {
    /// The packet has no such part: the kernel answers that it is not in the set.
    There,
    /// It is not known.
    Known(String),
}

/// What a set says of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says<'a> {
    In(&'a IpSetEntry),
    Excepted(&'a IpSetEntry),
    Nothing,
}

/// What a rule asks.
struct Asked<'s> {
    named: &'s XtSetRef,
    flags: u32,
    /// What entries have counted matters.
    counted: bool,
}

impl<'a> IpSets<'a> {
    pub(crate) fn new(ns: &'a Namespace) -> Self {
        let numbers = ns.ipsets.iter().enumerate();
        Self {
            sets: ns.ipsets.iter().map(Index::new).collect(),
            by_number: numbers.clone().filter_map(|(at, set)| Some((set.index?, at))).collect(),
            by_name: numbers.map(|(at, set)| (set.name.as_str(), at)).collect(),
            gap: ns.gap("ipsets").is_some(),
        }
    }

    fn named(&self, name: &str) -> Option<&Index<'a>> {
        self.sets.get(*self.by_name.get(name)?)
    }

    /// The set that a rule names.
    fn get(&self, set: &XtSetRef) -> Result<&Index<'a>, String> {
        let called = || match &set.name {
            Some(name) => format!("ipset {name}"),
            None => format!("ipset number {}", set.index),
        };
        if self.gap {
            return Err(format!("{}, which could not be read", called()));
        }
        let found = match &set.name {
            Some(name) => self.named(name),
            None => self.by_number.get(&set.index).and_then(|at| self.sets.get(*at)),
        };
        found.ok_or_else(|| format!("{}, which was not read", called()))
    }
}

impl<'a> Index<'a> {
    fn new(set: &'a IpSet) -> Self {
        let kind = IpSetType::of(&set.kind);
        let mut index = Self { set, kind, lengths: Vec::new(), entries: Map::default() };
        let Some(IpSetType::Parts(parts)) = kind else { return index };
        for entry in &set.entries {
            if let Some(key) = index.key(parts, entry) {
                index.entries.entry(key).or_default().push(entry);
            }
        }
        // Each length of the one address with each of the other, the longest first
        // (`mtype_test_cidrs`).
        let lengths: BTreeSet<_> = index.entries.keys().map(|key| Reverse(key.lengths)).collect();
        index.lengths = lengths.into_iter().map(|Reverse(lengths)| lengths).collect();
        index
    }

    /// None: the entry is none of this type's.
    fn key(&self, parts: &[IpSetPart], entry: &IpSetEntry) -> Option<Key> {
        let mut key = Key::default();
        let mut second = false;
        for part in parts {
            match part {
                IpSetPart::Ip | IpSetPart::Net => {
                    let (ip, prefix) = match second {
                        false => (entry.ip?, entry.prefix),
                        true => (entry.ip2?, entry.prefix2),
                    };
                    let length = match part {
                        IpSetPart::Net => prefix.unwrap_or(width(ip)),
                        _ => width(ip),
                    };
                    if length > width(ip) {
                        return None;
                    }
                    let ip = if second { ip } else { self.cut(ip) };
                    put(&mut key, second, masked(ip, length), length);
                    second = true;
                }
                IpSetPart::Port => key.port = (entry.protocol?, entry.port?),
                IpSetPart::AnyPort => key.port = (0, entry.port?),
                IpSetPart::Mac if self.compares_mac() => {}
                IpSetPart::Mac => key.mac = Some(entry.mac?),
                IpSetPart::Mark => key.mark = entry.mark? & self.mark_mask(),
                IpSetPart::Link => _ = entry.link.as_ref()?,
            }
        }
        Some(key)
    }

    /// What of an address counts, by the set's own mask.
    fn cut(&self, ip: IpAddr) -> IpAddr {
        let ip = masked(ip, self.set.options.netmask.unwrap_or(width(ip)));
        self.set.options.bitmask.map_or(ip, |mask| and(ip, mask))
    }

    fn mark_mask(&self) -> u32 {
        self.set.options.markmask.unwrap_or(u32::MAX)
    }

    /// An address has one entry, whose Ethernet address may yet be unknown.
    fn compares_mac(&self) -> bool {
        self.set.kind == "bitmap:ip,mac"
    }

    /// `mtype_test` and `mtype_test_cidrs`.
    fn find(&self, sought: &Sought<'_>) -> Result<Says<'a>, Not> {
        let mut hidden = false;
        for lengths in &self.lengths {
            let mut key = Key { lengths: *lengths, ..sought.key };
            key.ip = key.ip.map(|ip| masked(ip, lengths.0));
            key.ip2 = key.ip2.map(|ip| masked(ip, lengths.1));
            let Some(entries) = self.entries.get(&key) else { continue };
            for entry in entries {
                if self.is(entry, sought)? {
                    if hidden {
                        let cause = "a prefix for links of another kind";
                        return Err(Not::Known(format!("ipset {}: {cause}", self.set.name)));
                    }
                    let nomatch = entry.has(IpSetEntry::NOMATCH);
                    return Ok(if nomatch { Says::Excepted(entry) } else { Says::In(entry) });
                }
            }
            // Of a prefix with other links, shorter ones are not tried (`multi`). Whether one with
            // links of another kind is met at all hangs on where the kernel's hash puts it.
            if let Some((_, physdev)) = sought.link {
                hidden = true;
                if entries.iter().any(|entry| entry.has(IpSetEntry::PHYSDEV) == physdev) {
                    break;
                }
            }
        }
        Ok(Says::Nothing)
    }

    /// What is not part of the key.
    fn is(&self, entry: &IpSetEntry, sought: &Sought<'_>) -> Result<bool, Not> {
        if let Some((link, physdev)) = sought.link {
            let name = entry.link.as_deref().unwrap_or_default();
            let same = match entry.has(IpSetEntry::WILDCARD) {
                true => link.starts_with(name),
                false => link == name,
            };
            return Ok(same && entry.has(IpSetEntry::PHYSDEV) == physdev);
        }
        match entry.mac {
            _ if !self.compares_mac() => Ok(true),
            Some(mac) => Ok(sought.mac == Some(mac)),
            // The first packet's is taken, and counts from then on.
            None => Err(Not::Known(format!(
                "ipset {}: an address whose Ethernet address is not yet known",
                self.set.name
            ))),
        }
    }
}

impl<'a> Chains<'a, '_> {
    /// `set_match_v1` to `_v4`.
    pub(crate) fn ip_set_match(&self, info: &XtSet, revision: u32, changes: &Changes) -> Effect {
        let mut flags = if revision < 3 { 0 } else { info.flags };
        if revision < 3 && info.set.flags & 128 != 0 {
            flags |= XtSet::RETURN_NOMATCH;
        }
        let counted = info.packets.op != 0 || info.bytes.op != 0;
        let asked = Asked { named: &info.set, flags, counted };
        let index = match self.place.ipsets.get(&info.set) {
            Ok(index) => index,
            Err(cause) => return Effect::Doubts(cause),
        };
        match self.is_in(index, &asked, changes) {
            Ok(found) => pass(found.is_some() != info.set.is_inverted()),
            Err(cause) => Effect::Doubts(cause),
        }
    }

    /// `set_target_v1` to `_v3`: what is added or taken out counts for later packets.
    pub(crate) fn ip_set_target(&self, info: &XtSetTarget, changes: &mut Changes) -> Effect {
        for set in [&info.add, &info.del].into_iter().filter(|set| set.is_some()) {
            match self.place.ipsets.get(set) {
                Ok(index) => self.touch(index, changes),
                Err(cause) => return Effect::NotKnown(cause),
            }
        }
        if !info.map.is_some() || info.flags & XtSetTarget::MAP_MARK == 0 {
            return Effect::Goes;
        }
        let asked = Asked { named: &info.map, flags: info.flags, counted: false };
        let found = self.place.ipsets.get(&info.map);
        match found.and_then(|index| self.is_in(index, &asked, changes)) {
            Ok(Some(entry)) => {
                if let Some((mark, mask)) = entry.skb_mark {
                    changes.mark = (changes.mark & !mask) ^ mark;
                }
                Effect::Goes
            }
            Ok(None) => Effect::Goes,
            Err(cause) => Effect::NotKnown(cause),
        }
    }

    fn touch(&self, index: &Index<'_>, changes: &mut Changes) {
        let set = index.set.name.clone();
        let ns = self.place.ns.id;
        changes.added.push(Added { ns, table: NO_TABLE, set, key: Vec::new(), present: None });
    }

    /// `ip_set_test`: the entry that makes the packet one of the set's.
    fn is_in(
        &self,
        index: &Index<'a>,
        asked: &Asked<'_>,
        changes: &Changes,
    ) -> Result<Option<&'a IpSetEntry>, String> {
        let set = index.set;
        let Some(kind) = index.kind else {
            return Err(format!("ipset {} of type {}", set.name, set.kind));
        };
        let family = self.skb.packet.family();
        if usize::from(asked.named.dim) < kind.dimension()
            || set.family.is_some_and(|of| of != family)
        {
            return Ok(None);
        }
        if self.is_touched(set, changes) {
            return Err(format!("ipset {}, which a rule on the way has changed", set.name));
        }
        let parts = match kind {
            IpSetType::Parts(parts) => parts,
            IpSetType::List => return self.is_in_list(index, asked, changes),
        };
        let says = match self.sought(parts, index, asked, changes) {
            Ok(sought) => index.find(&sought),
            Err(not) => Err(not),
        };
        let nomatch = asked.flags & XtSet::RETURN_NOMATCH != 0;
        let found = match says {
            Ok(Says::In(_)) if nomatch && excepts(parts) => None,
            Ok(Says::In(entry)) => Some(entry),
            Ok(Says::Excepted(entry)) if nomatch => Some(entry),
            Ok(Says::Excepted(_) | Says::Nothing) | Err(Not::There) => None,
            Err(Not::Known(cause)) => return Err(cause),
        };
        self.by_count(set, asked, found)
    }

    /// An entry that counts may have to have counted so much, which is told but for this packet.
    fn by_count(
        &self,
        set: &IpSet,
        asked: &Asked<'_>,
        found: Option<&'a IpSetEntry>,
    ) -> Result<Option<&'a IpSetEntry>, String> {
        match asked.counted && set.options.flags & COUNTERS != 0 && found.is_some() {
            true => Err(format!("ipset {}: what an entry has counted", set.name)),
            false => Ok(found),
        }
    }

    /// `list_set_ktest`: the sets in their order. None of them is a list.
    fn is_in_list(
        &self,
        index: &Index<'a>,
        asked: &Asked<'_>,
        changes: &Changes,
    ) -> Result<Option<&'a IpSetEntry>, String> {
        let inner = Asked { counted: false, ..*asked };
        for entry in &index.set.entries {
            let name = entry.set.as_deref().unwrap_or_default();
            let member = self.place.ipsets.named(name);
            let Some(member) = member.filter(|of| of.kind != Some(IpSetType::List)) else {
                return Err(format!("ipset {name} in {}, which was not read", index.set.name));
            };
            if let Some(found) = self.is_in(member, &inner, changes)? {
                // What the list's own entry says counts behind what the set's says.
                let own = if index.set.options.flags & SKBINFO != 0 { entry } else { found };
                return self.by_count(index.set, asked, Some(own));
            }
        }
        Ok(None)
    }

    fn is_touched(&self, set: &IpSet, changes: &Changes) -> bool {
        let here = |a: &Added| a.ns == self.place.ns.id && a.table == NO_TABLE && a.set == set.name;
        changes.added.iter().chain(self.added).any(here)
    }

    /// What of the packet is looked for.
    fn sought(
        &self,
        parts: &[IpSetPart],
        index: &Index<'_>,
        asked: &Asked<'_>,
        changes: &Changes,
    ) -> Result<Sought<'a>, Not> {
        let packet = &self.skb.packet;
        let mut sought = Sought::default();
        let mut second = false;
        for (nth, part) in parts.iter().enumerate() {
            let source = asked.named.is_source(nth);
            match part {
                IpSetPart::Ip | IpSetPart::Net => {
                    let ip = if source { packet.src } else { packet.dst };
                    let ip = if second { ip } else { index.cut(ip) };
                    // `hash_ip4_kadt`.
                    if index.set.kind == "hash:ip" && ip.is_unspecified() {
                        return Err(Not::There);
                    }
                    put(&mut sought.key, second, ip, width(ip));
                    second = true;
                }
                IpSetPart::Port => sought.key.port = self.port(source)?,
                IpSetPart::AnyPort => sought.key.port = (0, self.any_port(source)?),
                IpSetPart::Mac => {
                    let mac = self.ethernet(source)?;
                    sought.mac = Some(mac);
                    sought.key.mac = (!index.compares_mac()).then_some(mac);
                }
                IpSetPart::Mark => sought.key.mark = changes.mark & index.mark_mask(),
                IpSetPart::Link => {
                    let physdev = asked.flags & PHYSDEV != 0;
                    sought.link = Some((self.device(source, physdev)?, physdev));
                }
            }
        }
        Ok(sought)
    }

    /// `ip_set_get_ip4_port` and `_ip6_`: protocol and port; of ICMP, type and code.
    fn port(&self, source: bool) -> Result<(u8, u16), Not> {
        /// SCTP and UDP-Lite, which have ports as well.
        const WITH_PORTS: [u8; 2] = [132, 136];
        let packet = &self.skb.packet;
        if self.skb.fragment.is_some() && !self.place.tables.tracks(packet.family()) {
            return Err(Not::Known("the ports of a packet in fragments".to_owned()));
        }
        let port = match packet.payload {
            Payload::Tcp { sport: 0, .. } | Payload::Udp { sport: 0, .. } if source => {
                return Err(Not::Known("the source port of a tunnel".to_owned()));
            }
            Payload::Tcp { sport, dport, .. } | Payload::Udp { sport, dport } => {
                if source {
                    sport
                } else {
                    dport
                }
            }
            Payload::Icmp { kind, .. } => {
                let (kind, code) = kind.numbers(packet.is_ipv6());
                u16::from_be_bytes([kind, code])
            }
            Payload::Other(protocol) if WITH_PORTS.contains(&protocol) => {
                return Err(Not::Known(format!("the ports of protocol {protocol}")));
            }
            Payload::Other(_) => 0,
        };
        Ok((packet.protocol(), port))
    }

    /// `ip_set_get_ip_port`: of TCP and UDP alone.
    fn any_port(&self, source: bool) -> Result<u16, Not> {
        match self.skb.packet.payload {
            Payload::Tcp { .. } | Payload::Udp { .. } => self.port(source).map(|(_, port)| port),
            _ => Err(Not::There),
        }
    }

    /// The address in the frame that the packet came in, which it keeps until it leaves; what is sent
    /// from here has none.
    fn ethernet(&self, source: bool) -> Result<Mac, Not> {
        let not_known = || Not::Known("the Ethernet address of a packet".to_owned());
        if self.skb.iif.is_none() {
            return Err(Not::There);
        }
        let at = if self.hook == Hook::Postrouting { self.oif } else { self.skb.iif };
        let link = at.and_then(|index| self.place.link(index)).ok_or_else(not_known)?;
        if matches!(link.kind, LinkKind::Tunnel(_) | LinkKind::Other(_)) {
            return Err(not_known());
        }
        let packet = &self.skb.packet;
        match if source { packet.src_mac } else { packet.dst_mac } {
            _ if arphrd(link) != ETHERNET => Err(Not::There),
            Some(mac) if mac == Mac::default() => Err(Not::There),
            Some(mac) => Ok(mac),
            None => Err(not_known()),
        }
    }

    /// `hash_netiface4_kadt`.
    fn device(&self, source: bool, physdev: bool) -> Result<&'a str, Not> {
        let index = match (physdev, source) {
            (false, true) => self.iif,
            (false, false) => self.oif,
            (true, true) => self.skb.physin,
            (true, false) => self.skb.physout,
        };
        let Some(index) = index else { return Err(Not::There) };
        match self.place.link(index) {
            Some(link) => Ok(&link.name),
            None => Err(Not::Known("a link that was not read".to_owned())),
        }
    }
}

/// IPSET_TYPE_NOMATCH: the type has entries that are exceptions.
fn excepts(parts: &[IpSetPart]) -> bool {
    parts.contains(&IpSetPart::Net)
}

fn put(key: &mut Key, second: bool, ip: IpAddr, length: u8) {
    match second {
        false => (key.ip, key.lengths.0) = (Some(ip), length),
        true => (key.ip2, key.lengths.1) = (Some(ip), length),
    }
}

const fn width(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

/// The address with all but its first bits cleared.
fn masked(ip: IpAddr, length: u8) -> IpAddr {
    let cleared = u32::from(width(ip).saturating_sub(length));
    match ip {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(cleared).unwrap_or(0);
            Ipv4Addr::from_bits(ip.to_bits() & mask).into()
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(cleared).unwrap_or(0);
            Ipv6Addr::from_bits(ip.to_bits() & mask).into()
        }
    }
}

/// Both addresses' common bits; of two families the first.
fn and(ip: IpAddr, mask: IpAddr) -> IpAddr {
    match (ip, mask) {
        (IpAddr::V4(ip), IpAddr::V4(mask)) => (ip & mask).into(),
        (IpAddr::V6(ip), IpAddr::V6(mask)) => (ip & mask).into(),
        _ => ip,
    }
}
