//! What is asked of the kernel, and told to it, on a blocking NETLINK_NETFILTER socket.

use std::net::IpAddr;

use model::{Family, IpSet, IpSetEntry, IpSetOptions};

use super::attribute::{NET, command, data, entry, set};
use super::decode::family_number;
use super::{Command, PROTOCOL};
use crate::nft::Request;
use crate::nft::attr::Writer;

const NLM_F_REQUEST: u16 = 1;
const NLM_F_EXCL: u16 = 0x200;
const NLM_F_DUMP: u16 = 0x300;
const NLM_F_CREATE: u16 = 0x400;
/// IPSET_FLAG_LIST_HEADER.
const HEADER: u32 = 4;

/// All sets with all that is in them; lists come last.
#[must_use]
pub fn list() -> Request {
    request(Command::List, NLM_F_DUMP, None, |_| {})
}

/// All sets, without what is in them.
#[must_use]
pub fn headers() -> Request {
    request(Command::List, NLM_F_DUMP, None, |w| w.u32(command::FLAGS | NET, HEADER))
}

/// Which revisions of a type there are. May load the type's module.
#[must_use]
pub fn kind(kind: &str, family: Option<Family>) -> Request {
    request(Command::Type, 0, family, |w| {
        w.text(command::TYPE, kind);
        w.u8(command::FAMILY, family_number(family));
    })
}

/// Makes a set, as yet without entries, of that revision of its type.
#[must_use]
pub fn create(set: &IpSet, name: &str, revision: u8) -> Request {
    request(Command::Create, NLM_F_CREATE | NLM_F_EXCL, set.family, |w| {
        w.text(command::NAME, name);
        w.text(command::TYPE, &set.kind);
        w.u8(command::REVISION, revision);
        w.u8(command::FAMILY, family_number(set.family));
        w.nest(command::DATA, |w| options(&set.options, w));
    })
}

/// Adds an entry to the set of that name.
#[must_use]
pub fn add(name: &str, entry: &IpSetEntry) -> Request {
    let family = match entry.ip {
        Some(IpAddr::V6(_)) => Family::Ip6,
        _ => Family::Ip,
    };
    request(Command::Add, NLM_F_CREATE, Some(family), |w| {
        w.text(command::NAME, name);
        w.nest(command::DATA, |w| self::entry(entry, w));
    })
}

/// Exchanges what two sets hold, and what names them: rules that named the one then ask what was the
/// other. They must be of one type.
#[must_use]
pub fn swap(name: &str, other: &str) -> Request {
    request(Command::Swap, 0, None, |w| {
        w.text(command::NAME, name);
        w.text(command::NAME2, other);
    })
}

/// Removes a set, unless something names it.
#[must_use]
pub fn destroy(name: &str) -> Request {
    request(Command::Destroy, 0, None, |w| w.text(command::NAME, name))
}

fn request(
    command: Command,
    flags: u16,
    family: Option<Family>,
    fill: impl FnOnce(&mut Writer),
) -> Request {
    let mut attributes = Writer::default();
    attributes.u8(command::PROTOCOL, PROTOCOL);
    fill(&mut attributes);
    // NFNETLINK_V0, and no resource.
    let mut body = vec![family_number(family), 0, 0, 0];
    body.extend(attributes.finish());
    Request { kind: command.number(), flags: flags | NLM_F_REQUEST, body }
}

fn options(options: &IpSetOptions, w: &mut Writer) {
    if let Some((first, last)) = options.range {
        address(data::IP, first, w);
        address(data::IP_TO, last, w);
    }
    if let Some((first, last)) = options.ports {
        w.u16(data::PORT | NET, first);
        w.u16(data::PORT_TO | NET, last);
    }
    for (kind, number) in [
        (data::MARK_MASK, options.markmask),
        (set::HASH_SIZE, options.hash_size),
        (set::MAX_ELEM, options.max_elem),
        (set::SIZE, options.size),
        (data::TIMEOUT, options.timeout),
        (data::FLAGS, Some(options.flags).filter(|flags| *flags != 0)),
    ] {
        if let Some(number) = number {
            w.u32(kind | NET, number);
        }
    }
    if let Some(netmask) = options.netmask {
        w.u8(set::NETMASK, netmask);
    }
    if let Some(mask) = options.bitmask {
        address(data::BITMASK, mask, w);
    }
}

fn entry(e: &IpSetEntry, w: &mut Writer) {
    for (kind, ip) in [(data::IP, e.ip), (entry::IP2, e.ip2)] {
        if let Some(ip) = ip {
            address(kind, ip, w);
        }
    }
    for (kind, byte) in
        [(data::PREFIX, e.prefix), (entry::PREFIX2, e.prefix2), (data::PROTOCOL, e.protocol)]
    {
        if let Some(byte) = byte {
            w.u8(kind, byte);
        }
    }
    for (kind, number) in [(data::PORT, e.port), (entry::SKB_QUEUE, e.skb_queue)] {
        if let Some(number) = number {
            w.u16(kind | NET, number);
        }
    }
    for (kind, number) in [
        (data::MARK, e.mark),
        (data::TIMEOUT, e.timeout),
        (entry::SKB_PRIORITY, e.skb_priority),
        (data::FLAGS, Some(e.flags).filter(|flags| *flags != 0)),
    ] {
        if let Some(number) = number {
            w.u32(kind | NET, number);
        }
    }
    if let Some(mac) = e.mac {
        w.bytes(entry::MAC, &mac.0);
    }
    for (kind, text) in
        [(entry::LINK, &e.link), (entry::NAME, &e.set), (entry::COMMENT, &e.comment)]
    {
        if let Some(text) = text {
            w.text(kind, text);
        }
    }
    for (kind, number) in [
        (entry::PACKETS, e.counters.map(|(packets, _)| packets)),
        (entry::BYTES, e.counters.map(|(_, bytes)| bytes)),
        (entry::SKB_MARK, e.skb_mark.map(|(mark, mask)| u64::from(mark) << 32 | u64::from(mask))),
    ] {
        if let Some(number) = number {
            w.u64(kind | NET, number);
        }
    }
}

/// IPSET_ATTR_IPADDR_*.
fn address(kind: u16, ip: IpAddr, w: &mut Writer) {
    w.nest(kind, |w| match ip {
        IpAddr::V4(ip) => w.bytes(1 | NET, &ip.octets()),
        IpAddr::V6(ip) => w.bytes(2 | NET, &ip.octets()),
    });
}
