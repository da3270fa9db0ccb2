//! The last word on order: nothing stands before what it needs.

use std::collections::{HashMap, HashSet};

use ipnet::IpNet;
use model::{Fact, LinkRef, LinkSpecKind, TcDoing, VxlanSpec};

use super::{Told, link_of};
use crate::error::{Errors, Problem};

/// What a fact needs to be so before it.
#[derive(Clone, Debug)]
enum Need {
    /// The link exists.
    Link(LinkRef),
    /// The link is up.
    Up(LinkRef),
    /// An address of the namespace is this one.
    Own(String, std::net::IpAddr),
    /// The namespace has a link with this gateway in its subnet.
    Gateway(LinkRef, std::net::IpAddr),
    /// Somebody in the lab has this address.
    Answers(std::net::IpAddr),
}

/// Puts each fact behind what it needs, and otherwise leaves the order alone. What is never made
/// is reported.
pub(super) fn settle(facts: Vec<Told>, errors: &mut Errors) -> Vec<Told> {
    let mut so = So::of(&facts);
    let mut settled = Vec::with_capacity(facts.len());
    let mut held: Vec<Told> = Vec::new();
    for told in facts {
        if !so.allows(&told.what) {
            held.push(told);
            continue;
        }
        let news = so.learn(&told.what);
        settled.push(told);
        if news {
            release(&mut held, &mut settled, &mut so);
        }
    }
    for told in held.iter().filter(|t| matches!(t.what, Fact::Link(_))) {
        // Its own lack is reported; what waits for it is not to be.
        so.learn(&told.what);
    }
    for told in held {
        report(&told, &so, errors);
        settled.push(told);
    }
    settled
}

/// Lets go of all that was held and now can be, which may let go of more.
fn release(held: &mut Vec<Told>, settled: &mut Vec<Told>, so: &mut So) {
    while let Some(i) = held.iter().position(|t| so.allows(&t.what)) {
        let told = held.remove(i);
        so.learn(&told.what);
        settled.push(told);
    }
}

/// What is so at a point of the list.
#[derive(Default)]
struct So {
    links: HashSet<LinkRef>,
    up: HashSet<LinkRef>,
    nets: HashMap<String, Vec<(String, IpNet)>>,
    addresses: HashSet<std::net::IpAddr>,
    /// Addresses that will be somebody's in the end.
    in_the_end: HashSet<std::net::IpAddr>,
}

impl So {
    fn of(facts: &[Told]) -> Self {
        let mut so = Self::default();
        for told in facts {
            match &told.what {
                Fact::Address(a) => {
                    so.in_the_end.insert(a.net.addr());
                }
                Fact::Namespace(n) => {
                    so.links.insert(LinkRef::new(&n.name, "lo"));
                }
                _ => {}
            }
        }
        so
    }

    fn allows(&self, fact: &Fact) -> bool {
        needs(fact).iter().all(|n| self.has(n))
    }

    fn has(&self, need: &Need) -> bool {
        let nets = |ns: &str| self.nets.get(ns).into_iter().flatten();
        match need {
            Need::Link(link) => self.links.contains(link),
            Need::Up(link) => self.up.contains(link),
            Need::Own(ns, ip) => nets(ns).any(|(_, net)| net.addr() == *ip),
            Need::Gateway(link, via) => {
                nets(&link.ns).any(|(dev, net)| *dev == link.name && net.contains(via))
            }
            Need::Answers(ip) => self.addresses.contains(ip) || !self.in_the_end.contains(ip),
        }
    }

    /// True if something else may wait for this.
    fn learn(&mut self, fact: &Fact) -> bool {
        match fact {
            Fact::Link(spec) => {
                self.links.insert(spec.link.clone());
                if let LinkSpecKind::Veth(end) = &spec.kind {
                    self.links.insert(end.link.clone());
                }
            }
            Fact::Cable(cable) => {
                self.links.insert(cable.a.link.clone());
                self.links.extend(cable.b.as_ref().map(|b| b.link.clone()));
            }
            Fact::Up { link, up: true } => {
                self.up.insert(link.clone());
            }
            Fact::Address(a) => {
                let nets = self.nets.entry(a.link.ns.clone()).or_default();
                nets.push((a.link.name.clone(), a.net));
                self.addresses.insert(a.net.addr());
            }
            Fact::Route(r) if r.via.is_none() => {
                let nets = self.nets.entry(r.ns.clone()).or_default();
                nets.extend(r.dev.clone().map(|dev| (dev, r.dst)));
            }
            _ => return false,
        }
        true
    }
}

fn needs(fact: &Fact) -> Vec<Need> {
    match fact {
        Fact::Link(spec) => match &spec.kind {
            LinkSpecKind::Macvlan { lower, .. }
            | LinkSpecKind::Ipvlan { lower, .. }
            | LinkSpecKind::Vlan { lower, .. } => {
                vec![Need::Link(lower.clone())]
            }
            LinkSpecKind::Vxlan(VxlanSpec { lower: Some(lower), .. }) => {
                vec![Need::Link(LinkRef::new(&spec.link.ns, lower))]
            }
            _ => Vec::new(),
        },
        Fact::Master { link, bridge: Some(bridge), .. } => {
            vec![Need::Link(link.clone()), Need::Link(LinkRef::new(&link.ns, bridge))]
        }
        Fact::Backup { link, port } => {
            vec![Need::Link(link.clone()), Need::Link(LinkRef::new(&link.ns, port))]
        }
        Fact::Master { link, .. }
        | Fact::PortState { link, .. }
        | Fact::Proxy { link, .. }
        | Fact::Fdb { link, .. }
        | Fact::Mdb { link, .. }
        | Fact::Vlan { link, .. }
        | Fact::Queue { link, .. }
        | Fact::Up { link, .. }
        | Fact::Mtu { link, .. } => vec![Need::Link(link.clone())],
        Fact::BondPort { bond, port, .. } => {
            vec![Need::Link(bond.clone()), Need::Link(LinkRef::new(&bond.ns, port))]
        }
        Fact::Tc { link, tc } => {
            let all = tc.ingress.iter().chain(&tc.egress).flat_map(|f| &f.actions);
            let others = all.filter_map(|action| match &action.doing {
                TcDoing::Hand { to, .. } => Some(Need::Link(LinkRef::new(&link.ns, to))),
                _ => None,
            });
            std::iter::once(Need::Link(link.clone())).chain(others).collect()
        }
        Fact::Address(a) => vec![Need::Link(a.link.clone())],
        Fact::Route(r) => {
            let mut needs: Vec<Need> =
                r.src.map(|src| Need::Own(r.ns.clone(), src)).into_iter().collect();
            let more = r.more.iter().map(|hop| (&hop.dev, hop.via));
            for (dev, via) in std::iter::once((&r.dev, r.via)).chain(more) {
                let Some(dev) = dev else { continue };
                let link = LinkRef::new(&r.ns, dev);
                needs.extend([Need::Link(link.clone()), Need::Up(link.clone())]);
                if let Some(via) = via.filter(|via| !r.onlink && !link_local(*via)) {
                    needs.push(Need::Gateway(link, via));
                }
            }
            needs
        }
        Fact::Neighbour { link, mac: Some(_), .. } => {
            vec![Need::Link(link.clone()), Need::Up(link.clone())]
        }
        Fact::Neighbour { link, ip, mac: None } => {
            vec![Need::Link(link.clone()), Need::Up(link.clone()), Need::Answers(*ip)]
        }
        Fact::AddressLabel { ns, dev, .. } => {
            dev.iter().map(|dev| Need::Link(LinkRef::new(ns, dev))).collect()
        }
        Fact::Sysctl { ns, key, .. } => {
            link_of(key).map(|link| Need::Link(LinkRef::new(ns, link))).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// fe80::/10 is on every link.
fn link_local(ip: std::net::IpAddr) -> bool {
    matches!(ip, std::net::IpAddr::V6(ip) if ip.segments()[0] & 0xffc0 == 0xfe80)
}

/// Says what a fact waits for in vain, unless a better error says it already.
fn report(told: &Told, so: &So, errors: &mut Errors) {
    let lacking = needs(&told.what).into_iter().find(|n| !so.has(n));
    let problem = match (lacking, &told.what) {
        (Some(Need::Link(link)), _) => {
            let known = so.links.iter().filter(|l| l.ns == link.ns).map(|l| l.name.as_str());
            let nearest = crate::error::nearest(&link.name, known);
            Problem::NoLink { ns: link.ns, name: link.name, nearest }
        }
        (Some(Need::Up(link)), Fact::Route(r)) => Problem::RouteByDownLink {
            ns: link.ns,
            to: super::check::destination(r.dst),
            dev: link.name,
        },
        (Some(Need::Gateway(link, via)), _) => {
            Problem::GatewayUnreachable { ns: link.ns, via: via.to_string(), dev: Some(link.name) }
        }
        (Some(Need::Up(link)), _) => Problem::NeverMade {
            what: "asking a neighbour".to_owned(),
            of: format!("{link} up"),
            hint: "remove its `up: false`",
        },
        (Some(Need::Own(ns, ip)), _) => Problem::NeverMade {
            what: "a route's `src`".to_owned(),
            of: format!("the address {ip} in {ns}"),
            hint: "give it to a link, or remove `src:`",
        },
        (Some(Need::Answers(ip)), _) => Problem::NeverMade {
            what: "asking a neighbour".to_owned(),
            of: format!("the address {ip}"),
            hint: "two entries wait for each other",
        },
        (None, _) => return,
    };
    errors.push(told.at, problem);
}
