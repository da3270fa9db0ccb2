//! What the words FROM and TO mean.

use std::net::{IpAddr, Ipv4Addr};

use model::{LinkId, LinkKind, NsId, Snapshot, TABLE_MAIN, Target};

use crate::failure::Failure;
use crate::session::find;

/// An address beyond every host, for a packet to `outside` (RFC 5737, TEST-NET-3's sister net 1).
pub(super) const BEYOND: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// `HOST:PORT`, `HOST`, `NS:LINK`, `NS:LINK:PORT`.
pub(super) fn split_port(text: &str) -> Result<(&str, Option<u16>), Failure> {
    if text.parse::<std::net::Ipv6Addr>().is_ok() {
        return Ok((text, None));
    }
    match text.rsplit_once(':') {
        Some((host, port)) if !host.ends_with("pid") => match port.parse() {
            Ok(port) if port > 0 => Ok((host, Some(port))),
            Ok(_) | Err(_) if host.parse::<Ipv4Addr>().is_ok() || port == "0" => {
                Err(Failure::usage(format!("{} is no port", render::clean(port)))
                    .hint("ports are 1 to 65535"))
            }
            _ => Ok((text, None)),
        },
        _ => Ok((text, None)),
    }
}

/// Where a packet starts, and the source address that this implies.
pub(super) fn origin(snapshot: &Snapshot, word: &str) -> Result<(NsId, Option<Ipv4Addr>), Failure> {
    if let Ok(ip) = word.parse::<IpAddr>() {
        let ip = v4(ip)?;
        return match only_owner(snapshot, ip)? {
            Some(ns) => Ok((ns, Some(ip))),
            None => Err(Failure::usage(format!("no namespace here has the address {ip}"))
                .hint("from elsewhere packets come from `outside`")),
        };
    }
    match find(snapshot, word)? {
        Target::Namespace(ns) => Ok((ns, None)),
        Target::Link(link) => Ok((link.ns, Some(address_of(snapshot, link)?))),
    }
}

pub(super) fn v4(ip: IpAddr) -> Result<Ipv4Addr, Failure> {
    match ip {
        IpAddr::V4(ip) => Ok(ip),
        IpAddr::V6(_) => Err(Failure::usage("IPv6 is not traced yet").hint("ask for IPv4")),
    }
}

/// The namespaces that have this address.
pub(super) fn owners(snapshot: &Snapshot, ip: Ipv4Addr) -> impl Iterator<Item = NsId> {
    let has = move |ns: &&model::Namespace| ns.addresses.iter().any(|a| a.ip() == IpAddr::V4(ip));
    snapshot.namespaces.values().filter(has).map(|ns| ns.id)
}

pub(super) fn destination(snapshot: &Snapshot, word: &str) -> Result<Ipv4Addr, Failure> {
    if word == "outside" {
        return Ok(BEYOND);
    }
    if let Ok(ip) = word.parse::<IpAddr>() {
        return v4(ip);
    }
    match find(snapshot, word) {
        Ok(Target::Link(link)) => address_of(snapshot, link),
        Ok(Target::Namespace(ns)) => first_address(snapshot, ns),
        Err(failure) if word.contains('.') => {
            Err(failure.hint("host names are not looked up here: give the address"))
        }
        Err(failure) => Err(failure),
    }
}

fn address_of(snapshot: &Snapshot, link: LinkId) -> Result<Ipv4Addr, Failure> {
    let addresses = snapshot.namespaces[&link.ns].addresses_of(link.index);
    let v4 = addresses.filter_map(|a| match a.ip() {
        IpAddr::V4(ip) => Some(ip),
        IpAddr::V6(_) => None,
    });
    v4.into_iter().next().ok_or_else(|| {
        Failure::usage(format!("{} has no IPv4 address", render::clean(&snapshot.link_name(link))))
    })
}

/// The address that a namespace is best known by: of the link that its default route goes by, else
/// the first that is not a loopback's.
fn first_address(snapshot: &Snapshot, ns: NsId) -> Result<Ipv4Addr, Failure> {
    let namespace = &snapshot.namespaces[&ns];
    let outwards = namespace
        .routes
        .iter()
        .filter(|r| r.table == TABLE_MAIN && r.dst.prefix_len() == 0 && r.dst.addr().is_ipv4())
        .min_by_key(|r| r.metric)
        .and_then(|r| r.nexthops.first())
        .map(|n| n.link);
    let others = namespace.links.values().filter(|l| l.kind != LinkKind::Loopback).map(|l| l.index);
    outwards
        .into_iter()
        .chain(others)
        .find_map(|index| address_of(snapshot, LinkId { ns, index }).ok())
        .ok_or_else(|| {
            let name = render::clean(&snapshot.name_of(ns));
            Failure::usage(format!("{name} has no IPv4 address but its loopback's"))
        })
}

/// Links by which a packet may come in from outside; at least one.
pub(super) struct Cards {
    pub(super) first: LinkId,
    pub(super) others: Vec<LinkId>,
}

/// The card that was named, or all there are, nearest to the destination first: those of its
/// namespace, then those of what it is inside of.
pub(super) fn cards(
    snapshot: &Snapshot,
    to: Ipv4Addr,
    named: Option<&str>,
) -> Result<Cards, Failure> {
    let cards_of = |ns: NsId| {
        let links = snapshot.namespaces.get(&ns).into_iter().flat_map(|n| n.links.values());
        links.filter(|l| l.is_border() && l.is_up()).map(move |l| LinkId { ns, index: l.index })
    };
    let all: Vec<LinkId> = match named.map(|word| find(snapshot, word)).transpose()? {
        Some(Target::Link(link)) => vec![link],
        Some(Target::Namespace(ns)) => cards_of(ns).collect(),
        None => {
            outwards(snapshot, only_owner(snapshot, to)?).into_iter().flat_map(cards_of).collect()
        }
    };
    match all.split_first() {
        Some((first, others)) => Ok(Cards { first: *first, others: others.to_vec() }),
        None => {
            Err(Failure::usage("nothing comes in from outside there")
                .because("no card or tap is up"))
        }
    }
}

/// The one namespace that has this address, if any has.
fn only_owner(snapshot: &Snapshot, ip: Ipv4Addr) -> Result<Option<NsId>, Failure> {
    let owners: Vec<NsId> = owners(snapshot, ip).collect();
    if let [_, _, ..] = owners.as_slice() {
        let names: Vec<String> =
            owners.iter().map(|ns| render::clean(&snapshot.path_of(*ns))).collect();
        return Err(Failure::usage(format!("several namespaces have the address {ip}"))
            .because(names.join(", "))
            .hint("say by which card the packet comes in: outside:NAMESPACE:LINK"));
    }
    Ok(owners.first().copied())
}

/// A namespace and what it is inside of, from within; then all others.
fn outwards(snapshot: &Snapshot, from: Option<NsId>) -> Vec<NsId> {
    let parent = |ns: &NsId| snapshot.namespaces.get(ns).and_then(|n| n.parent);
    let mut order: Vec<NsId> =
        std::iter::successors(from, parent).take(snapshot.namespaces.len()).collect();
    let others: Vec<NsId> =
        snapshot.namespaces.keys().filter(|ns| !order.contains(ns)).copied().collect();
    order.extend(others);
    order
}
