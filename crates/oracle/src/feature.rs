//! How often each feature decided something: without it, the prediction is another.

mod bridge;
mod ipv6;
mod links;
mod netfilter;
mod tc;

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::{
    LearnedRoute, LinkKind, Namespace, RouteKind, RuleAction, Snapshot, TABLE_LOCAL, TABLE_MAIN,
};
use walk::{Indexed, Payload, Question, Trace};

use crate::generate::{Kind, Kinds};

/// Takes a feature away; false: there is none of it here.
type Without = fn(&mut Snapshot, &mut Question) -> bool;

/// All features that are counted, by name. Of those that are there more than once, each says another
/// way to be without it, and one of them is enough to have decided.
const FEATURES: &[(&str, Without)] = &[
    ("packet: icmp", |_, q| is(q, 1)),
    ("packet: tcp", |_, q| is(q, 6)),
    ("packet: udp", |_, q| is(q, 17)),
    ("packet: ttl", |_, q| std::mem::replace(&mut q.packet.ttl, 64) < 64),
    ("packet: df", |_, q| std::mem::take(&mut q.packet.df)),
    ("packet: tos", |_, q| std::mem::take(&mut q.packet.tos) != 0),
    ("packet: mark", |_, q| std::mem::take(&mut q.mark) != 0),
    ("packet: source", |_, q| {
        !std::mem::replace(&mut q.packet.src, std::net::Ipv4Addr::UNSPECIFIED.into())
            .is_unspecified()
    }),
    ("packet: a later segment", |_, q| match &mut q.packet.payload {
        Payload::Tcp { flags, .. } => {
            q.packet.mss = Some(kernel::probe::MSS);
            std::mem::replace(flags, kernel::probe::SYN) != kernel::probe::SYN
        }
        _ => false,
    }),
    ("connection: known", |s, _| each(s, |n| !std::mem::take(&mut n.conntrack).is_empty())),
    ("service", |s, _| each(s, |n| !std::mem::take(&mut n.listeners).is_empty())),
    ("forwarding off", |s, _| {
        each(s, |n| {
            let links = n.links.values_mut().filter_map(|l| l.inet.as_mut());
            all(links, |c| !std::mem::replace(&mut c.forwarding, true))
        })
    }),
    ("forwarding on", |s, _| {
        each(s, |n| {
            let links = n.links.values_mut().filter_map(|l| l.inet.as_mut());
            all(links, |c| std::mem::take(&mut c.forwarding))
        })
    }),
    ("rp_filter", |s, _| {
        each(s, |n| {
            let all = std::mem::take(&mut n.sysctls.all.rp_filter) > 0;
            let links = n.links.values_mut().filter_map(|l| l.inet.as_mut());
            links.fold(all, |any, c| std::mem::take(&mut c.rp_filter) > 0 || any)
        })
    }),
    ("learned: redirect", |s, _| learned(s, |l| l.redirected)),
    ("learned: path mtu", |s, _| learned(s, |l| l.mtu.is_some())),
    ("send_redirects", |s, _| conf(s, |c| std::mem::take(&mut c.send_redirects))),
    ("shared_media 0", |s, _| conf(s, |c| !std::mem::replace(&mut c.shared_media, true))),
    ("fwmark_reflect", |s, _| {
        each(s, |n| {
            let six = std::mem::take(&mut n.sysctls.ipv6_fwmark_reflect);
            std::mem::take(&mut n.sysctls.fwmark_reflect) || six
        })
    }),
    ("tcp_fwmark_accept", |s, _| each(s, |n| std::mem::take(&mut n.sysctls.tcp_fwmark_accept))),
    ("tcp_reflect_tos", |s, _| each(s, |n| std::mem::take(&mut n.sysctls.tcp_reflect_tos))),
    ("ip_no_pmtu_disc", |s, _| each(s, |n| std::mem::take(&mut n.sysctls.no_pmtu_discovery))),
    ("nf_conntrack_tcp_loose 0", |s, _| {
        each(s, |n| std::mem::take(&mut n.sysctls.tracks_from_syn))
    }),
    ("icmp_errors_use_inbound_ifaddr", |s, _| {
        each(s, |n| std::mem::take(&mut n.sysctls.icmp_errors_use_inbound_ifaddr))
    }),
    ("drop_unicast_in_l2_multicast", |s, _| {
        conf(s, |c| std::mem::take(&mut c.drop_unicast_in_l2_multicast))
    }),
    ("icmp_msgs_per_sec 0", |s, _| each(s, |n| n.sysctls.icmp_messages.take() == Some(0))),
    ("icmp_echo_ignore_all", |s, _| {
        each(s, |n| std::mem::take(&mut n.sysctls.icmp_echo_ignore_all))
    }),
    ("ip_default_ttl", |s, _| each(s, |n| std::mem::replace(&mut n.sysctls.default_ttl, 64) != 64)),
    ("mtu", |s, _| {
        each(s, |n| {
            let links = n.links.values_mut().filter(|l| l.kind != LinkKind::Loopback);
            all(links.filter(|l| l.mtu < 9000), |l| std::mem::replace(&mut l.mtu, 9000) < 9000)
        })
    }),
    ("link down", |s, _| {
        let up = model::LinkFlags::UP | model::LinkFlags::RUNNING;
        let any = s.namespaces.values().flat_map(|n| n.links.values()).any(|l| !l.is_up());
        let links = s.namespaces.values_mut().flat_map(|n| n.links.values_mut());
        links.filter(|_| any).for_each(|l| l.flags |= up);
        any
    }),
    ("route: gateway", |s, _| {
        each(s, |n| routes(n, |r| r.nexthops.iter().any(|h| h.gateway.is_some())))
    }),
    ("route: default", |s, _| {
        each(s, |n| routes(n, |r| r.dst.prefix_len() == 0 && r.table == TABLE_MAIN))
    }),
    ("route: multipath", |s, _| {
        each(s, |n| {
            all(n.routes.iter_mut(), |r| r.nexthops.drain(1.min(r.nexthops.len())..).count() > 0)
        })
    }),
    ("route: tos", |s, _| each(s, |n| routes(n, |r| r.tos != 0))),
    ("route: mtu lock", |s, _| {
        each(s, |n| all(n.routes.iter_mut(), |r| std::mem::take(&mut r.metrics.mtu_locked)))
    }),
    ("route: hoplimit", |s, _| {
        each(s, |n| all(n.routes.iter_mut(), |r| r.metrics.hop_limit.take().is_some()))
    }),
    ("route: advmss", |s, _| {
        each(s, |n| all(n.routes.iter_mut(), |r| r.metrics.advmss.take().is_some()))
    }),
    ("route: mtu", |s, _| {
        each(s, |n| all(n.routes.iter_mut(), |r| r.metrics.mtu.take().is_some()))
    }),
    ("route: gateway of IPv6", |s, _| {
        each(s, |n| {
            routes(n, |r| {
                let six = |h: &model::Nexthop| h.gateway.is_some_and(|ip| ip.is_ipv6());
                r.dst.addr().is_ipv4() && r.nexthops.iter().any(six)
            })
        })
    }),
    ("route: host", |s, _| {
        each(s, |n| routes(n, |r| r.dst.prefix_len() == 32 && r.table == TABLE_MAIN))
    }),
    ("route: metric", |s, _| each(s, |n| routes(n, |r| r.metric > 0))),
    ("route: src", |s, _| {
        each(s, |n| {
            let asked = |r: &&mut model::Route| {
                r.table == TABLE_MAIN && r.protocol != model::Protocol::Kernel
            };
            all(n.routes.iter_mut().filter(asked), |r| r.prefsrc.take().is_some())
        })
    }),
    ("route: blackhole", |s, _| kind(s, RouteKind::Blackhole)),
    ("route: unreachable", |s, _| kind(s, RouteKind::Unreachable)),
    ("route: prohibit", |s, _| kind(s, RouteKind::Prohibit)),
    ("route: throw", |s, _| kind(s, RouteKind::Throw)),
    ("rule: from", |s, _| rules(s, |r| r.src.take().is_some())),
    ("rule: to", |s, _| rules(s, |r| r.dst.take().is_some())),
    ("rule: fwmark", |s, _| rules(s, |r| r.mark.take().is_some())),
    ("rule: iif", |s, _| rules(s, |r| r.iif.take().is_some())),
    ("rule: tos", |s, _| rules(s, |r| std::mem::take(&mut r.tos) != 0)),
    ("rule: ipproto", |s, _| rules(s, |r| r.protocol.take().is_some())),
    ("rule: ports", |s, _| rules(s, |r| r.sport.take().is_some() | r.dport.take().is_some())),
    ("rule: ports by a mask", |s, _| {
        rules(s, |r| std::mem::take(&mut r.port_masks) != (None, None))
    }),
    ("rule: dscp", |s, _| rules(s, |r| r.dscp.take().is_some())),
    ("rule: uidrange", |s, _| rules(s, |r| r.uids.take().is_some())),
    ("rule: not", |s, _| rules(s, |r| std::mem::take(&mut r.invert))),
    ("rule: suppress_prefixlength", |s, _| rules(s, |r| r.suppress_prefixlength.take().is_some())),
    ("rule: suppress_ifgroup", |s, _| rules(s, |r| r.suppress_ifgroup.take().is_some())),
    ("rule: from", |s, _| asking(s, |r| r.src.is_some())),
    ("rule: to", |s, _| asking(s, |r| r.dst.is_some())),
    ("rule: fwmark", |s, _| asking(s, |r| r.mark.is_some())),
    ("rule: iif", |s, _| asking(s, |r| r.iif.is_some())),
    ("rule: tos", |s, _| asking(s, |r| r.tos != 0)),
    ("rule: ipproto", |s, _| asking(s, |r| r.protocol.is_some())),
    ("rule: ports", |s, _| asking(s, |r| r.sport.is_some() || r.dport.is_some())),
    ("rule: ports by a mask", |s, _| asking(s, |r| r.port_masks != (None, None))),
    ("rule: dscp", |s, _| asking(s, |r| r.dscp.is_some())),
    ("rule: uidrange", |s, _| asking(s, |r| r.uids.is_some())),
    ("rule: suppress_prefixlength", |s, _| asking(s, |r| r.suppress_prefixlength.is_some())),
    ("rule: prohibit", |s, _| action(s, &RuleAction::Prohibit)),
    ("rule: unreachable", |s, _| action(s, &RuleAction::Unreachable)),
    ("rule: blackhole", |s, _| action(s, &RuleAction::Blackhole)),
    ("rule: goto", |s, _| {
        rules(s, |r| match r.action {
            RuleAction::Goto(_) => {
                r.action = RuleAction::Nop;
                true
            }
            _ => false,
        })
    }),
    ("rule: table", |s, _| each(s, |n| routes(n, |r| r.table < 200))),
    ("local before main, by a rule", |s, _| {
        each(s, |n| {
            let own = n.rules.iter().filter(|r| !r.ipv6).count() > 3;
            n.rules.retain(|r| r.ipv6);
            n.rules.splice(0..0, model::Rule::defaults());
            own
        })
    }),
    ("accept_local", |s, _| conf(s, |c| std::mem::take(&mut c.accept_local))),
    ("route_localnet", |s, _| conf(s, |c| std::mem::take(&mut c.route_localnet))),
    ("src_valid_mark", |s, _| conf(s, |c| std::mem::take(&mut c.src_valid_mark))),
    ("address: secondary", |s, _| {
        each(s, |n| {
            let (gone, left) =
                std::mem::take(&mut n.addresses).into_iter().partition(|a| a.secondary);
            n.addresses = left;
            let gone: Vec<IpAddr> = gone.iter().map(model::Address::ip).collect();
            n.routes.retain(|r| r.table != TABLE_LOCAL || !gone.contains(&r.dst.addr()));
            !gone.is_empty()
        })
    }),
    ("neighbour: known", |s, _| {
        each(s, |n| {
            let before = n.neighbours.len();
            n.neighbours.retain(|x| x.state == model::NeighbourState::Permanent);
            n.neighbours.len() != before
        })
    }),
    ("neighbour: permanent", |s, _| {
        each(s, |n| {
            let before = n.neighbours.len();
            n.neighbours.retain(|x| x.state != model::NeighbourState::Permanent);
            n.neighbours.len() != before
        })
    }),
    ("bridge: known behind a port", |s, _| each(s, |n| !std::mem::take(&mut n.fdb).is_empty())),
    ("bridge: its own address", |s, _| {
        each(s, |n| {
            let bridges: Vec<u32> = n
                .links
                .values()
                .filter(|l| matches!(l.kind, LinkKind::Bridge(_)))
                .map(|l| l.index)
                .collect();
            let before = n.addresses.len();
            n.addresses.retain(|a| !bridges.contains(&a.link));
            n.addresses.len() != before
        })
    }),
    ("duplicate address", duplicates),
];

/// The features of all files.
const SETS: &[&[(&str, Without)]] = &[
    FEATURES,
    bridge::FEATURES,
    links::FEATURES,
    netfilter::FEATURES,
    tc::FEATURES,
    ipv6::FEATURES,
];

/// How often each was there, and how often it decided.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exercised(BTreeMap<&'static str, Count>);

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    present: usize,
    decided: usize,
    unknown: usize,
}

impl Exercised {
    /// Counts one case: without which features would it be foretold otherwise?
    pub(crate) fn count(&mut self, snapshot: &Snapshot, ways: &[Trace], unknown: bool) {
        let Some(question) = ways.first().map(|trace| &trace.question) else { return };
        let told: Vec<_> = ways.iter().map(|trace| (trace.expected(), end(trace))).collect();
        let mut here: BTreeMap<&'static str, Count> = BTreeMap::new();
        let mut scratch = snapshot.clone();
        for (name, without) in SETS.iter().copied().flatten() {
            let mut question = question.clone();
            let count = here.entry(name).or_default();
            // Nothing is taken away of what is not there.
            if !without(&mut scratch, &mut question) {
                continue;
            }
            let less = std::mem::replace(&mut scratch, snapshot.clone());
            count.present = 1;
            let others = Indexed::new(&less).with_listeners().possibilities(&question);
            let others = others.iter().map(|(trace, _)| (trace.expected(), end(trace)));
            if whole(name) || !others.eq(told.iter().cloned()) {
                count.decided = 1;
                count.unknown = usize::from(unknown);
            }
        }
        self.add(&Self(here));
    }

    #[cfg(test)]
    pub(crate) fn of(decided: &[(&'static str, usize)]) -> Self {
        let count = |decided| Count { decided, ..Count::default() };
        Self(decided.iter().map(|(name, n)| (*name, count(*n))).collect())
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (name, more) in &other.0 {
            let count = self.0.entry(name).or_default();
            count.present += more.present;
            count.decided += more.decided;
            count.unknown += more.unknown;
        }
    }

    /// How often each decided.
    pub(crate) fn decided(&self) -> impl Iterator<Item = (&'static str, usize)> {
        self.0.iter().map(|(name, count)| (*name, count.decided))
    }

    /// How much is missing of each until it has decided as often as is wanted of so many cases, or so
    /// many percent of that.
    pub(crate) fn missing(&self, cases: usize, percent: usize) -> BTreeMap<&'static str, usize> {
        let enough = wanted(cases) * percent / 100;
        self.decided().map(|(name, n)| (name, enough.saturating_sub(n))).collect()
    }

    /// Features that this run has networks of, and that decided less often than the 100 times in
    /// 20,000 cases that are wanted: how often, and how often they should have.
    /// What this kernel lacks is not among them.
    pub(crate) fn neglected(
        &self,
        cases: usize,
        kinds: Kinds,
    ) -> Vec<(&'static str, usize, usize)> {
        let wanted = wanted(cases);
        let lacking = Kind::ALL.into_iter().filter(|kind| !kinds.has(*kind));
        let lacking: Vec<&str> = lacking.flat_map(Kind::features).copied().collect();
        let there = self.0.iter().filter(|(name, _)| !lacking.contains(name));
        let few = there.filter(|(_, c)| c.decided < wanted);
        few.map(|(name, c)| (*name, c.decided, wanted)).collect()
    }

    /// Features of which more than one in twenty cases cannot be told: how many of how many.
    pub(crate) fn obscure(&self) -> Vec<(&'static str, usize, usize)> {
        const ONE_OF: usize = 20;
        let many = self.0.iter().filter(|(_, c)| c.unknown * ONE_OF > c.decided);
        many.map(|(name, c)| (*name, c.unknown, c.decided)).collect()
    }

    /// A line for each feature.
    pub(crate) fn table(&self) -> String {
        let mut text =
            format!("{:<32} {:>8} {:>8} {:>8}\n", "feature", "decided", "there", "unknown");
        for (name, c) in &self.0 {
            text += &format!("{name:<32} {:>8} {:>8} {:>8}\n", c.decided, c.present, c.unknown);
        }
        text
    }
}

/// So often each is to decide: 100 times in 20,000 cases.
const fn wanted(cases: usize) -> usize {
    const ONE_OF: usize = 200;
    cases / ONE_OF
}

/// What a packet is made of cannot be taken away: it counts wherever it is.
fn whole(name: &str) -> bool {
    let kinds =
        ["packet: icmp", "packet: tcp", "packet: udp", "ipv6: icmp", "ipv6: tcp", "ipv6: udp"];
    kinds.contains(&name)
}

fn end(trace: &Trace) -> (walk::Disposition, Option<walk::Disposition>) {
    (trace.there.disposition.clone(), trace.back.as_ref().map(|way| way.disposition.clone()))
}

fn is(question: &Question, protocol: u8) -> bool {
    let payload: Payload = question.packet.payload;
    payload.protocol() == protocol
}

/// Changes them all; true: some were otherwise before.
fn all<T>(items: impl Iterator<Item = T>, change: impl Fn(T) -> bool) -> bool {
    let mut any = false;
    for item in items {
        any |= change(item);
    }
    any
}

/// What namespaces have learned of single destinations.
fn learned(snapshot: &mut Snapshot, is_one: impl Fn(&LearnedRoute) -> bool) -> bool {
    each(snapshot, |n| {
        let before = n.learned.len();
        n.learned.retain(|l| !is_one(l));
        n.learned.len() != before
    })
}

fn each(snapshot: &mut Snapshot, change: impl Fn(&mut Namespace) -> bool) -> bool {
    all(snapshot.namespaces.values_mut(), change)
}

fn routes(namespace: &mut Namespace, gone: impl Fn(&model::Route) -> bool) -> bool {
    let before = namespace.routes.len();
    namespace.routes.retain(|r| !gone(r));
    namespace.routes.len() != before
}

fn rules(snapshot: &mut Snapshot, change: impl Fn(&mut model::Rule) -> bool) -> bool {
    each(snapshot, |n| {
        let own = n.rules.iter_mut().filter(|r| (1..32766).contains(&r.priority));
        all(own, &change)
    })
}

/// Takes away rules that ask for something.
fn asking(snapshot: &mut Snapshot, asks: impl Fn(&model::Rule) -> bool) -> bool {
    each(snapshot, |n| {
        let before = n.rules.len();
        n.rules.retain(|r| !(1..32766).contains(&r.priority) || !asks(r));
        n.rules.len() != before
    })
}

fn action(snapshot: &mut Snapshot, action: &RuleAction) -> bool {
    each(snapshot, |n| {
        let before = n.rules.len();
        n.rules.retain(|r| r.action != *action);
        n.rules.len() != before
    })
}

fn conf(snapshot: &mut Snapshot, change: impl Fn(&mut model::InetConf) -> bool) -> bool {
    each(snapshot, |n| {
        let all = change(&mut n.sysctls.all);
        let links = n.links.values_mut().filter_map(|l| l.inet.as_mut());
        links.fold(all, |any, c| change(c) || any)
    })
}

fn kind(snapshot: &mut Snapshot, kind: RouteKind) -> bool {
    each(snapshot, |n| routes(n, |r| r.kind == kind))
}

/// Of two that have one address, the second loses it.
fn duplicates(snapshot: &mut Snapshot, _: &mut Question) -> bool {
    let mut seen: Vec<IpAddr> = vec![IpAddr::from([127, 0, 0, 1])];
    let mut found = false;
    for namespace in snapshot.namespaces.values_mut() {
        let mut own = Vec::new();
        namespace.addresses.retain(|a| {
            own.push(a.ip());
            let twice = seen.contains(&a.ip()) && !a.ip().is_loopback();
            found |= twice;
            !twice
        });
        seen.extend(own);
    }
    found
}
