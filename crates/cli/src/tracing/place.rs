//! What the words FROM and TO mean.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::{LinkId, LinkKind, Namespace, NsId, Scope, Snapshot, TABLE_MAIN, Target};

use crate::failure::Failure;
use crate::session::find;

/// Addresses beyond every host, for a packet to `outside` (RFC 5737, TEST-NET-1; RFC 9637).
const BEYOND: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    IpAddr::V6(Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 1)),
];

/// Whether an address stands for a host that nobody named.
pub(super) fn is_beyond(ip: IpAddr) -> bool {
    BEYOND.contains(&ip)
}

/// Which addresses are meant, where there are those of both families.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// IPv4, and IPv6 where there is no other.
    Either,
    Ipv4,
    Ipv6,
}

impl Family {
    /// By `-4` and `-6`.
    pub(crate) const fn asked(ipv4: bool, ipv6: bool) -> Self {
        match (ipv4, ipv6) {
            (true, _) => Self::Ipv4,
            (_, true) => Self::Ipv6,
            _ => Self::Either,
        }
    }

    /// The family of an address.
    pub(super) const fn like(ip: IpAddr) -> Self {
        if ip.is_ipv6() { Self::Ipv6 } else { Self::Ipv4 }
    }

    /// What it comes to with what is said of the sender: an address, or a namespace that has
    /// addresses of IPv6 alone.
    pub(super) fn of(self, snapshot: &Snapshot, from: &str, source: Option<IpAddr>) -> Self {
        if self != Self::Either {
            return self;
        }
        if let Some(ip) = source.or_else(|| from.parse().ok()) {
            return Self::like(ip);
        }
        let only_six = |ns: &Namespace| {
            let ips = || ns.addresses.iter().map(model::Address::ip).filter(|ip| !ip.is_loopback());
            ips().any(|ip| ip.is_ipv6() && !is_link_local(ip)) && !ips().any(|ip| ip.is_ipv4())
        };
        let ns = find(snapshot, from).ok().map(|target| match target {
            Target::Namespace(ns) => ns,
            Target::Link(link) => link.ns,
        });
        match ns.and_then(|ns| snapshot.namespaces.get(&ns)) {
            Some(ns) if only_six(ns) => Self::Ipv6,
            _ => Self::Either,
        }
    }

    const fn has(self, ip: IpAddr) -> bool {
        match self {
            Self::Either => true,
            Self::Ipv4 => ip.is_ipv4(),
            Self::Ipv6 => ip.is_ipv6(),
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Either => "IP",
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
        }
    }
}

/// fe80::/10: good on one link only.
const fn is_link_local(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local())
}

/// Refuses what no packet can be from and to.
pub(super) fn one_family(source: IpAddr, to: IpAddr) -> Result<(), Failure> {
    match source.is_ipv6() == to.is_ipv6() {
        true => Ok(()),
        false => Err(Failure::usage(format!("no packet goes from {source} to {to}"))
            .because("one is of IPv4, the other of IPv6")),
    }
}

/// `HOST:PORT`, `HOST`, `NS:LINK`, `NS:LINK:PORT`; an address of IPv6 in brackets where a port
/// follows.
pub(super) fn split_port(text: &str) -> Result<(&str, Option<u16>), Failure> {
    if split_zone(text).0.parse::<Ipv6Addr>().is_ok() {
        return Ok((text, None));
    }
    if let Some((host, rest)) = text.strip_prefix('[').and_then(|t| t.split_once(']')) {
        return match rest.strip_prefix(':') {
            _ if rest.is_empty() => Ok((host, None)),
            Some(port) => match port.parse() {
                Ok(port) if port > 0 => Ok((host, Some(port))),
                _ => Err(no_port(port)),
            },
            None => Err(Failure::usage(format!("{} is no address", render::clean(text)))
                .hint("as in [2001:db8::1]:80")),
        };
    }
    match text.rsplit_once(':') {
        Some((host, port)) if !host.ends_with("pid") => match port.parse() {
            Ok(port) if port > 0 => Ok((host, Some(port))),
            Ok(_) | Err(_) if host.parse::<Ipv4Addr>().is_ok() || port == "0" => Err(no_port(port)),
            _ => Ok((text, None)),
        },
        _ => Ok((text, None)),
    }
}

fn no_port(word: &str) -> Failure {
    Failure::usage(format!("{} is no port", render::clean(word))).hint("ports are 1 to 65535")
}

/// Where a packet starts, and the source address that this implies, of the family that it is to
/// be of.
pub(super) fn origin(
    snapshot: &Snapshot,
    word: &str,
    family: Family,
) -> Result<(NsId, Option<IpAddr>), Failure> {
    if let Ok(ip) = word.parse::<IpAddr>() {
        return match only_owner(snapshot, ip)? {
            Some(ns) => Ok((ns, Some(ip))),
            None => Err(Failure::usage(format!("no namespace here has the address {ip}"))
                .hint("from elsewhere packets come from `outside`")),
        };
    }
    match find(snapshot, word)? {
        Target::Namespace(ns) => Ok((ns, None)),
        Target::Link(link) => Ok((link.ns, Some(address_of(snapshot, link, family)?))),
    }
}

/// Refuses an address that the kernel lets no process of that namespace send from, by that link.
pub(super) fn sends_from(
    snapshot: &Snapshot,
    ns: NsId,
    ip: IpAddr,
    bound: Option<u32>,
) -> Result<(), Failure> {
    let addresses = snapshot.namespaces.get(&ns).into_iter().flat_map(|ns| &ns.addresses);
    let mut own = addresses.filter(|a| a.ip() == ip);
    // `ipv6_chk_addr`: one that is good on one link has to be that link's.
    if ip.is_loopback() || own.any(|a| !is_link_local(ip) || Some(a.link) == bound) {
        return Ok(());
    }
    let whose = match bound.filter(|_| is_link_local(ip)) {
        Some(index) => snapshot.link_name(LinkId { ns, index }),
        None => snapshot.name_of(ns),
    };
    Err(Failure::usage(format!("{ip} is not an address of {}", render::clean(&whose)))
        .because("the kernel lets no process send from it"))
}

/// The namespaces that have this address.
fn owners(snapshot: &Snapshot, ip: IpAddr) -> impl Iterator<Item = NsId> {
    let has = move |ns: &&Namespace| ns.addresses.iter().any(|a| a.ip() == ip);
    snapshot.namespaces.values().filter(has).map(|ns| ns.id)
}

/// The address that a word stands for, which may be a name in the sender's own /etc/hosts.
pub(super) fn destination(
    snapshot: &Snapshot,
    from: &str,
    word: &str,
    family: Family,
) -> Result<IpAddr, Failure> {
    if word == "outside" {
        return Ok(BEYOND[usize::from(family == Family::Ipv6)]);
    }
    if let Ok(ip) = word.parse::<IpAddr>() {
        return Ok(ip);
    }
    match find(snapshot, word) {
        Ok(Target::Link(link)) => address_of(snapshot, link, family),
        Ok(Target::Namespace(ns)) => first_address(snapshot, ns, family),
        Err(failure) => match in_hosts(snapshot, from, word, family) {
            Some(ip) => Ok(ip),
            None if word.contains('.') => Err(failure.hint(
                "host names are looked up in the sender's own /etc/hosts only: give the address",
            )),
            None => Err(failure),
        },
    }
}

/// The address that the sender's own /etc/hosts has for a name, where the sender is on this host.
fn in_hosts(snapshot: &Snapshot, from: &str, name: &str, family: Family) -> Option<IpAddr> {
    if snapshot.origin.is_some() {
        return None;
    }
    let (ns, _) = origin(snapshot, from, Family::Either).ok()?;
    let text = kernel::read::file_of(snapshot.namespaces.get(&ns)?, "/etc/hosts")?;
    let all: Vec<IpAddr> = wire::hosts::addresses(&text, name).collect();
    let good = |family: Family| all.iter().copied().find(|ip| family.has(*ip));
    match family {
        Family::Either => good(Family::Ipv4).or_else(|| good(Family::Ipv6)),
        one => good(one),
    }
}

/// `ADDRESS%LINK`: an address that is good on one link only, and which.
pub(crate) fn split_zone(host: &str) -> (&str, Option<&str>) {
    match host.split_once('%') {
        Some((ip, link)) if ip.parse::<Ipv6Addr>().is_ok() => (ip, Some(link)),
        _ => (host, None),
    }
}

/// The link by which a packet is sent there, where its sender has to name one, or does.
pub(super) fn by_link<'w>(
    to: IpAddr,
    zone: Option<&'w str>,
    interface: Option<&'w str>,
) -> Result<Option<&'w str>, Failure> {
    // A group is spoken to by any link, if its sender names none.
    let by_one = is_link_local(to) || to.is_ipv6() && to.is_multicast();
    match (zone, interface) {
        (Some(zone), _) if !by_one => Err(Failure::usage(format!(
            "{to} is good on every link, not on {} alone",
            render::clean(zone)
        ))
        .hint("--interface LINK binds its sender to a link")),
        (Some(zone), Some(interface)) if zone != interface => {
            Err(Failure::usage("the address names one link, --interface another"))
        }
        (None, None) if is_link_local(to) => {
            Err(Failure::usage(format!("{to} is good on one link only"))
                .hint(format!("say by which link of FROM it is to go: {to}%LINK")))
        }
        (zone, interface) => Ok(zone.or(interface)),
    }
}

/// Its first address of the family, one of IPv4 before one of IPv6.
fn address_of(snapshot: &Snapshot, link: LinkId, family: Family) -> Result<IpAddr, Failure> {
    let addresses = snapshot.namespaces[&link.ns].addresses_of(link.index);
    let usable = addresses.filter(|a| a.scope != Scope::Link || a.ip().is_ipv4());
    let all: Vec<IpAddr> = usable.map(model::Address::ip).filter(|ip| family.has(*ip)).collect();
    let four = all.iter().find(|ip| ip.is_ipv4());
    four.or_else(|| all.first()).copied().ok_or_else(|| {
        let name = render::clean(&snapshot.link_name(link));
        Failure::usage(format!("{name} has no {} address", family.words()))
    })
}

/// The address that a namespace is best known by: of the link that its default route goes by, else
/// the first that is not a loopback's.
fn first_address(snapshot: &Snapshot, ns: NsId, family: Family) -> Result<IpAddr, Failure> {
    let namespace = &snapshot.namespaces[&ns];
    let mut defaults: Vec<&model::Route> = namespace
        .routes
        .iter()
        .filter(|r| r.table == TABLE_MAIN && r.dst.prefix_len() == 0 && family.has(r.dst.addr()))
        .collect();
    defaults.sort_by_key(|r| (r.dst.addr().is_ipv6(), r.metric));
    let outwards = defaults.first().and_then(|r| r.nexthops.first()).map(|n| n.link);
    let others = namespace.links.values().filter(|l| l.kind != LinkKind::Loopback).map(|l| l.index);
    let links: Vec<u32> = outwards.into_iter().chain(others).collect();
    let first = |family| {
        let of = |index: &u32| address_of(snapshot, LinkId { ns, index: *index }, family).ok();
        links.iter().find_map(of)
    };
    let found = match family {
        Family::Either => first(Family::Ipv4).or_else(|| first(Family::Ipv6)),
        one => first(one),
    };
    found.ok_or_else(|| {
        let name = render::clean(&snapshot.name_of(ns));
        Failure::usage(format!("{name} has no {} address but its loopback's", family.words()))
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
    to: IpAddr,
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
fn only_owner(snapshot: &Snapshot, ip: IpAddr) -> Result<Option<NsId>, Failure> {
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
