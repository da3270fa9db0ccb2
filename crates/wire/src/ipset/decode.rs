//! What the kernel answers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::{Family, IpSet, IpSetEntry, IpSetOptions, Mac};

use super::Command;
use super::attribute::{command, data, entry, set};
use crate::nft::attr::Attrs;
use crate::rtnl::{Message, messages};

/// struct nlmsghdr.
const NLMSG: usize = 16;
/// struct nfgenmsg.
const NFGEN: usize = 4;
/// Attributes of a set that are looked at, or say nothing about what is in it.
const OF_SET: [u16; 20] = [
    data::IP,
    data::IP_TO,
    data::PREFIX,
    data::PORT,
    data::PORT_TO,
    data::TIMEOUT,
    data::PROTOCOL,
    data::FLAGS,
    data::MARK_MASK,
    data::BITMASK,
    set::INIT,
    set::HASH_SIZE,
    set::MAX_ELEM,
    set::NETMASK,
    set::BUCKET_SIZE,
    set::RESIZE,
    set::SIZE,
    set::ELEMENTS,
    set::REFERENCES,
    set::MEMORY,
];
/// The same of an entry.
const OF_ENTRY: [u16; 19] = [
    data::IP,
    data::PREFIX,
    data::PORT,
    data::TIMEOUT,
    data::PROTOCOL,
    data::FLAGS,
    data::MARK,
    entry::MAC,
    entry::NAME,
    entry::IP2,
    entry::PREFIX2,
    entry::LINK,
    entry::BYTES,
    entry::PACKETS,
    entry::COMMENT,
    entry::SKB_MARK,
    entry::SKB_PRIORITY,
    entry::SKB_QUEUE,
    entry::PAD,
];

/// The sets that replies to IPSET_CMD_LIST tell of, and what of them is not understood: what is in a
/// set is then not known. A large set comes in several messages.
#[must_use]
pub fn decode(bytes: &[u8]) -> (Vec<IpSet>, Vec<String>) {
    let mut sets: Vec<IpSet> = Vec::new();
    let mut warnings = Vec::new();
    let mut told = 0;
    for message in messages(bytes) {
        told += (NLMSG + message.body.len()).next_multiple_of(4);
        if message.kind == Command::List.number() && one(&message, &mut sets).is_none() {
            warnings.push("a message about ipsets is not understood".to_owned());
        }
    }
    if told < bytes.len() {
        warnings.push("what is told of ipsets ends within a message".to_owned());
    }
    (sets, warnings)
}

/// None: something in it is not understood. What is, is there.
fn one(message: &Message<'_>, sets: &mut Vec<IpSet>) -> Option<()> {
    let attributes = Attrs::parse(message.body.get(NFGEN..)?)?;
    let name = attributes.text(command::NAME)?;
    if attributes.get(command::TYPE).is_some() {
        sets.push(head(&name, &attributes)?);
    }
    let set = sets.last_mut().filter(|set| set.name == name)?;
    let Some(entries) = attributes.get(command::ENTRIES) else { return Some(()) };
    for (kind, bytes) in Attrs::parse(entries)?.iter() {
        // The first part of those that follow is a line's number in what was sent.
        if kind == command::DATA {
            set.entries.push(element(bytes)?);
        }
    }
    Some(())
}

fn head(name: &str, attributes: &Attrs<'_>) -> Option<IpSet> {
    let index = attributes.u16(command::INDEX);
    let kind = attributes.text(command::TYPE)?;
    let family = match attributes.u8(command::FAMILY)? {
        0 => None,
        number => Some(crate::nft::family(number)?),
    };
    let options = match attributes.nest(command::DATA) {
        Some(all) => options(&all)?,
        None => IpSetOptions::default(),
    };
    Some(IpSet { index, name: name.to_owned(), kind, family, options, entries: Vec::new() })
}

fn options(all: &Attrs<'_>) -> Option<IpSetOptions> {
    all.only(&OF_SET)?;
    let (first, last) = (all.get(data::IP), all.get(data::IP_TO));
    let ports = (all.u16(data::PORT), all.u16(data::PORT_TO));
    let of_host = |bytes: &[u8]| bytes.try_into().ok().map(u32::from_ne_bytes);
    Some(IpSetOptions {
        range: first.and_then(address).zip(last.and_then(address)),
        ports: ports.0.zip(ports.1),
        netmask: all.u8(set::NETMASK),
        bitmask: all.get(data::BITMASK).map(address).transposed()?,
        markmask: all.get(data::MARK_MASK).and_then(of_host),
        hash_size: all.u32(set::HASH_SIZE),
        max_elem: all.u32(set::MAX_ELEM),
        size: all.u32(set::SIZE),
        timeout: all.u32(data::TIMEOUT),
        flags: all.u32(data::FLAGS).unwrap_or(0),
    })
}

/// `Some(None)` is what could not be read.
trait Transposed<T> {
    #[allow(clippy::option_option, reason = "`?` tells what cannot be read from what is not there")]
    fn transposed(self) -> Option<Option<T>>;
}

impl<T> Transposed<T> for Option<Option<T>> {
    fn transposed(self) -> Self {
        match self {
            None => Some(None),
            Some(None) => None,
            whole => whole,
        }
    }
}

fn element(bytes: &[u8]) -> Option<IpSetEntry> {
    let all = Attrs::parse(bytes)?;
    all.only(&OF_ENTRY)?;
    let mark = all.u64(entry::SKB_MARK);
    Some(IpSetEntry {
        ip: all.get(data::IP).map(address).transposed()?,
        prefix: all.u8(data::PREFIX),
        protocol: all.u8(data::PROTOCOL),
        port: all.u16(data::PORT),
        ip2: all.get(entry::IP2).map(address).transposed()?,
        prefix2: all.u8(entry::PREFIX2),
        mac: all.get(entry::MAC).map(Mac::from_slice).transposed()?,
        link: all.text(entry::LINK),
        mark: all.u32(data::MARK),
        set: all.text(entry::NAME),
        flags: all.u32(data::FLAGS).unwrap_or(0),
        timeout: all.u32(data::TIMEOUT),
        counters: all.u64(entry::PACKETS).zip(all.u64(entry::BYTES)),
        comment: all.text(entry::COMMENT),
        skb_mark: mark.map(|both| (half(both >> 32), half(both & u64::from(u32::MAX)))),
        skb_priority: all.u32(entry::SKB_PRIORITY),
        skb_queue: all.u16(entry::SKB_QUEUE),
    })
}

fn half(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// IPSET_ATTR_IPADDR_*.
fn address(bytes: &[u8]) -> Option<IpAddr> {
    let all = Attrs::parse(bytes)?;
    if let Some(four) = all.get(1) {
        return <[u8; 4]>::try_from(four).ok().map(|ip| Ipv4Addr::from(ip).into());
    }
    <[u8; 16]>::try_from(all.get(2)?).ok().map(|ip| Ipv6Addr::from(ip).into())
}

/// The newest revision of a type that the kernel has, by its reply to
/// [`request::kind`](super::request::kind).
#[must_use]
pub fn revision(reply: &[u8]) -> Option<u8> {
    let message = messages(reply).find(|m| m.kind == Command::Type.number())?;
    Attrs::parse(message.body.get(NFGEN..)?)?.u8(command::REVISION)
}

/// IPSET_ERR_BUSY: something names the set.
pub const BUSY: i32 = 4100;

/// What the kernel means by one of ipset's own error numbers (IPSET_ERR_*), which begin at 4096.
#[must_use]
pub const fn refusal(code: i32) -> Option<&'static str> {
    Some(match code {
        4097 => "this kernel speaks another protocol of ipset",
        4098 => "this kernel has no such type of ipset",
        4099 => "there are as many ipsets as there may be",
        BUSY => "the ipset is in use: a rule or a list names it",
        4101 => "there is an ipset of that name already",
        4102 => "the ipsets are of different types",
        4103 => "the entry is in the ipset already, or not in it",
        4104 => "the length of a prefix is not one of an ipset's",
        4105 => "the netmask is not one of an ipset's",
        4106 => "the ipset is of the other family",
        4107 => "the ipset has no time limits",
        4108 => "the ipset is in use",
        4109 => "an address of IPv4 is wanted",
        4110 => "an address of IPv6 is wanted",
        4111 => "the ipset has no counters",
        4112 => "the ipset has no comments",
        4113 => "the mask of marks is not one of an ipset's",
        4114 => "the ipset has no skbinfo",
        4352.. => "the ipset's type does not take that",
        _ => return None,
    })
}

/// The family's number (NFPROTO_*); 0: both.
pub(super) const fn family_number(family: Option<Family>) -> u8 {
    match family {
        Some(family) => crate::nft::family_number(family),
        None => 0,
    }
}
