//! Addresses, routes, routing rules and neighbours as they are, in the words that would make them.

use std::net::IpAddr;

use ipnet::Ipv6Net;

use model::{
    AddressLabels, AddressSpec, Fact, HopSpec, LinkRef, NeighbourState, Route, RouteSpec, Rule,
};

use crate::State;
use crate::key::metric;

impl State {
    pub(super) fn address(&self, spec: &AddressSpec) -> Option<AddressSpec> {
        let link = self.link(&spec.link)?;
        let mut addresses = self.space(&spec.link.ns)?.addresses_of(link.index);
        let found = addresses.find(|a| a.net == spec.net)?;
        Some(AddressSpec {
            link: spec.link.clone(),
            net: found.net,
            broadcast: found.broadcast,
            scope: found.scope,
            // A Snapshot does not show the flag.
            no_prefix_route: spec.no_prefix_route,
        })
    }

    pub(super) fn route(&self, spec: &RouteSpec) -> Option<RouteSpec> {
        let space = self.space(&spec.ns)?;
        let same = |r: &&Route| {
            r.dst == spec.dst
                && r.table == spec.table
                && metric(r.dst, r.metric) == metric(spec.dst, spec.metric)
                && r.tos == spec.tos
        };
        let specs = space.routes.iter().filter(same).map(|r| {
            let (hop, more) = match r.nexthops.split_first() {
                Some((hop, more)) => (Some(hop), more),
                None => (None, [].as_slice()),
            };
            let dev = |h: &model::Nexthop| space.links.get(&h.link).map(|l| l.name.clone());
            RouteSpec {
                ns: spec.ns.clone(),
                dst: r.dst,
                via: hop.and_then(|h| h.gateway),
                dev: hop.and_then(dev),
                src: r.prefsrc,
                metric: r.metric,
                table: r.table,
                protocol: r.protocol,
                scope: r.scope,
                onlink: hop.is_some_and(|h| h.onlink),
                kind: r.kind,
                tos: r.tos,
                metrics: r.metrics,
                weight: hop.map_or(1, |h| h.weight),
                more: more
                    .iter()
                    .map(|h| HopSpec { via: h.gateway, dev: dev(h), weight: h.weight })
                    .collect(),
            }
        });
        let specs: Vec<RouteSpec> = specs.collect();
        let equal = specs.iter().position(|s| crate::same::routes(spec, s));
        specs.into_iter().nth(equal.unwrap_or(0))
    }

    pub(super) fn rule(&self, ns: &str, like: &Rule) -> Option<Fact> {
        let mut rules = self.space(ns)?.rules.iter();
        let rule = rules.find(|r| (r.ipv6, r.priority) == (like.ipv6, like.priority))?;
        Some(Fact::Rule { ns: ns.to_owned(), rule: rule.clone() })
    }

    /// The link on which alone a label counts; the inner None: on all.
    #[allow(clippy::option_option, reason = "all links, and one that is not there, are two things")]
    pub(crate) fn label_link(&self, ns: &str, dev: Option<&String>) -> Option<Option<u32>> {
        dev.map_or(Some(None), |dev| Some(Some(self.link(&LinkRef::new(ns, dev))?.index)))
    }

    /// The label that a network has by an entry of its own, where it is another than at first.
    pub(super) fn address_label(
        &self,
        ns: &str,
        net: Ipv6Net,
        dev: Option<&String>,
    ) -> Option<Fact> {
        let link = self.label_link(ns, dev)?;
        let label = self.space(ns)?.address_labels.entry(net, link)?;
        let usual = AddressLabels::usual(net, link) == Some(label);
        let dev = dev.cloned();
        (!usual).then(|| Fact::AddressLabel { ns: ns.to_owned(), net, dev, label })
    }

    /// A usable entry; its address only if it is permanent, as one that was asked for may change.
    pub(super) fn neighbour(&self, name: &LinkRef, ip: IpAddr) -> Option<Fact> {
        let link = self.link(name)?;
        let found = self
            .space(&name.ns)?
            .neighbours
            .iter()
            .find(|n| n.link == link.index && n.ip == ip && !n.proxy && n.state.is_valid())?;
        let permanent = found.state == NeighbourState::Permanent;
        let mac = found.mac.filter(|_| permanent);
        Some(Fact::Neighbour { link: name.clone(), ip, mac })
    }

    /// Whether it answers for that address.
    pub(super) fn proxy(&self, name: &LinkRef, ip: IpAddr) -> bool {
        let Some((index, space)) = self.place(name) else { return false };
        space.neighbours.iter().any(|n| n.proxy && n.link == index && n.ip == ip)
    }
}
