//! Routes and neighbours.

use std::net::IpAddr;

use ipnet::IpNet;
use model::{AddressLabels, Fact, LinkRef, RouteKind, RouteSpec, Scope};

use super::{Making, Told};
use crate::error::{Errors, Problem};
use crate::file::{LabelEntry, RouteEntry, Space};

impl<'l> Making<'l> {
    pub(super) fn routes(&mut self, space: &'l Space) {
        for said in &space.routes {
            let r = &said.what;
            let spec = RouteSpec {
                ns: space.name.clone(),
                dst: r.to,
                via: r.via,
                dev: r.dev.as_ref().map(|d| d.what.clone()),
                src: r.src,
                metric: r.metric,
                table: r.table,
                protocol: r.proto,
                scope: r.scope.unwrap_or_else(|| usual_scope(r)),
                onlink: r.onlink,
                kind: r.kind,
                tos: r.tos,
                metrics: r.metrics,
                weight: r.weight,
                more: r.more.clone(),
            };
            self.tell(said.at, Fact::Route(spec));
        }
        for said in &space.neighbours {
            let link = LinkRef::new(&space.name, &said.what.dev.what);
            let (ip, mac) = (said.what.ip, said.what.mac);
            self.tell(
                said.at,
                match said.what.proxy {
                    true => Fact::Proxy { link, ip },
                    false => Fact::Neighbour { link, ip, mac },
                },
            );
        }
    }

    /// What every namespace starts with is there already.
    pub(super) fn labels(&mut self, space: &'l Space) {
        for said in &space.labels {
            let LabelEntry { net, dev, label } = said.what.clone();
            let dev = dev.map(|dev| dev.what);
            if dev.is_some() || AddressLabels::usual(net, None) != Some(label) {
                let ns = space.name.clone();
                self.tell(said.at, Fact::AddressLabel { ns, net, dev, label });
            }
        }
    }

    /// Behind all routes: the kernel looks for a route's gateway by the rules that there are.
    pub(super) fn rules(&mut self, space: &'l Space) {
        for said in &space.rules {
            let (ns, rule) = (space.name.clone(), said.what.clone());
            self.tell(said.at, Fact::Rule { ns, rule });
        }
    }
}

/// As `ip route add` chooses (and IPv6 has no scopes).
fn usual_scope(route: &RouteEntry) -> Scope {
    match route.kind {
        _ if matches!(route.to, IpNet::V6(_)) => Scope::Global,
        RouteKind::Local => Scope::Host,
        RouteKind::Broadcast => Scope::Link,
        RouteKind::Unicast if route.via.is_none() => Scope::Link,
        _ => Scope::Global,
    }
}

/// A route that names a gateway alone goes by the link that has the gateway's subnet.
pub(super) fn find_links(facts: &mut [Told], errors: &mut Errors) {
    let addresses: Vec<(String, String, IpNet)> = facts
        .iter()
        .filter_map(|t| match &t.what {
            Fact::Address(a) => Some((a.link.ns.clone(), a.link.name.clone(), a.net)),
            _ => None,
        })
        .collect();
    for told in facts {
        let Fact::Route(route) = &mut told.what else { continue };
        let on_link = |via: IpAddr| {
            let around =
                addresses.iter().filter(|(ns, _, net)| *ns == route.ns && net.contains(&via));
            around.max_by_key(|(_, _, net)| net.prefix_len()).map(|(_, link, _)| link.clone())
        };
        let mut ways = vec![(&mut route.dev, route.via)];
        ways.extend(route.more.iter_mut().map(|hop| (&mut hop.dev, hop.via)));
        for (dev, via) in ways {
            let (None, Some(via)) = (&dev, via) else { continue };
            *dev = on_link(via);
            if dev.is_none() {
                let (ns, via) = (route.ns.clone(), via.to_string());
                errors.push(told.at, Problem::GatewayUnreachable { ns, via, dev: None });
            }
        }
    }
}
