use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use model::{AddressFlags, Scope};

use crate::words::Words;

/// An address, with its link by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartAddress {
    pub(crate) link: String,
    pub(crate) net: IpNet,
    pub(crate) peer: Option<IpAddr>,
    pub(crate) broadcast: Option<Ipv4Addr>,
    /// None: not shown (`ip -br`).
    pub(crate) scope: Option<Scope>,
    pub(crate) secondary: bool,
    pub(crate) label: Option<String>,
    pub(crate) flags: AddressFlags,
}

impl PartAddress {
    pub(crate) fn new(link: &str, net: IpNet) -> Self {
        Self {
            link: link.to_owned(),
            net,
            peer: None,
            broadcast: None,
            scope: None,
            secondary: false,
            label: None,
            flags: AddressFlags::empty(),
        }
    }
}

/// What stands behind `inet`: `192.0.2.1/24 brd 192.0.2.255 scope global eth0`.
pub(crate) fn line(link: &str, six: bool, mut words: Words<'_>) -> Option<PartAddress> {
    let own = words.next()?;
    let mut address = PartAddress::new(link, net(own)?);
    let mut last = None;
    while let Some(word) = words.next() {
        match word {
            "peer" => {
                // The prefix length stands at the peer.
                let peer = net(words.next()?)?;
                address.peer = Some(peer.addr()).filter(|p| *p != address.net.addr());
                address.net = IpNet::new(address.net.addr(), peer.prefix_len()).ok()?;
            }
            "brd" => address.broadcast = words.value(),
            "scope" => address.scope = words.next().and_then(scope),
            "metric" | "proto" | "any" => _ = words.next(),
            "secondary" => address.secondary = true,
            "dynamic" | "noprefixroute" | "permanent" | "mngtmpaddr" | "nodad" | "home" => {}
            other => match flag(other) {
                Some(flag) => address.flags |= flag,
                None => last = Some(other.to_owned()),
            },
        }
    }
    address.label = last.filter(|_| !six);
    Some(address)
}

/// A flag that decides what an IPv6 address is used for.
pub(crate) fn flag(word: &str) -> Option<AddressFlags> {
    Some(match word {
        "temporary" => AddressFlags::TEMPORARY,
        "optimistic" => AddressFlags::OPTIMISTIC,
        "dadfailed" => AddressFlags::DADFAILED,
        "deprecated" => AddressFlags::DEPRECATED,
        "tentative" => AddressFlags::TENTATIVE,
        _ => return None,
    })
}

/// `192.0.2.1/24`, as `ip -br addr` lists them.
pub(crate) fn brief(link: &str, word: &str) -> Option<PartAddress> {
    Some(PartAddress::new(link, net(word)?))
}

/// An address with or without its prefix length.
pub(crate) fn net(word: &str) -> Option<IpNet> {
    word.parse().ok().or_else(|| Some(IpNet::from(word.parse::<IpAddr>().ok()?)))
}

pub(crate) fn scope(word: &str) -> Option<Scope> {
    Some(match word {
        "global" => Scope::Global,
        "site" => Scope::Site,
        "link" => Scope::Link,
        "host" => Scope::Host,
        "nowhere" => Scope::Nowhere,
        number => Scope::from(number.parse::<u8>().ok()?),
    })
}
