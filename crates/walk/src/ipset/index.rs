//! A namespace's sets, read so that finding something in one costs the same however much it holds.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::net::IpAddr;

use model::{IpSet, IpSetEntry, IpSetPart, IpSetType, Mac, Namespace, XtSetRef};

use super::Not;
use super::mask::{and, masked, width};
use super::sought::Sought;
use crate::hash::Map;

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
pub(super) struct Index<'a> {
    pub(super) set: &'a IpSet,
    pub(super) kind: Option<IpSetType>,
    /// Lengths of the prefixes of both addresses, in the order in which the kernel tries them.
    lengths: Vec<(u8, u8)>,
    entries: Map<Key, Vec<&'a IpSetEntry>>,
}

/// What an entry is found by. A link's name, and the Ethernet address beside an address of a bitmap,
/// are compared with what is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) ip: Option<IpAddr>,
    pub(super) ip2: Option<IpAddr>,
    pub(super) lengths: (u8, u8),
    pub(super) port: (u8, u16),
    pub(super) mac: Option<Mac>,
    pub(super) mark: u32,
}

/// What a set says of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says<'a> {
    In(&'a IpSetEntry),
    Excepted(&'a IpSetEntry),
    Nothing,
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

    pub(super) fn named(&self, name: &str) -> Option<&Index<'a>> {
        self.sets.get(*self.by_name.get(name)?)
    }

    /// The set that a rule names.
    pub(super) fn get(&self, set: &XtSetRef) -> Result<&Index<'a>, String> {
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
    pub(super) fn cut(&self, ip: IpAddr) -> IpAddr {
        let ip = masked(ip, self.set.options.netmask.unwrap_or(width(ip)));
        self.set.options.bitmask.map_or(ip, |mask| and(ip, mask))
    }

    pub(super) fn mark_mask(&self) -> u32 {
        self.set.options.markmask.unwrap_or(u32::MAX)
    }

    /// An address has one entry, whose Ethernet address may yet be unknown.
    pub(super) fn compares_mac(&self) -> bool {
        self.set.kind == "bitmap:ip,mac"
    }

    /// `mtype_test` and `mtype_test_cidrs`.
    pub(super) fn find(&self, sought: &Sought<'_>) -> Result<Says<'a>, Not> {
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

pub(super) fn put(key: &mut Key, second: bool, ip: IpAddr, length: u8) {
    match second {
        false => (key.ip, key.lengths.0) = (Some(ip), length),
        true => (key.ip2, key.lengths.1) = (Some(ip), length),
    }
}
