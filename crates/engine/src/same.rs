//! Whether what is there is what is wanted.

use std::collections::BTreeSet;

use model::{
    BondOption, BondSpec, CableSpec, Fact, LinkSpec, LinkSpecKind, Mac, MacvlanMode, NicSpec, Pins,
    RouteSpec, VxlanSpec,
};

use crate::key::metric;

/// How far apart two facts about the same thing are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Distance {
    /// Nothing to do.
    Same,
    /// Other values: they can be changed.
    Other,
    /// It must be removed and made again.
    Remake,
}

/// How far `seen` is from `wanted`, which leaves open what it does not say.
pub(crate) fn distance(wanted: &Fact, seen: &Fact) -> Distance {
    match (wanted, seen) {
        (Fact::Link(wanted), Fact::Link(seen)) => links(wanted, seen),
        (Fact::Cable(wanted), Fact::Cable(seen)) => cables(wanted, seen),
        (Fact::NsFile { target: a, .. }, Fact::NsFile { target: b, .. }) if a != b => {
            Distance::Remake
        }
        (Fact::Master { bridge: a, port: p, .. }, Fact::Master { bridge: b, port: q, .. }) => {
            other_unless(a == b && p.fits(q))
        }
        (Fact::Route(a), Fact::Route(b)) => other_unless(routes(a, b)),
        (Fact::Sysctl { value: a, .. }, Fact::Sysctl { value: b, .. }) => {
            other_unless(a.split_whitespace().eq(b.split_whitespace()))
        }
        (Fact::Table { table: a, .. }, Fact::Table { table: b, .. }) => {
            other_unless(a.normalised() == b.normalised())
        }
        // The kernel exchanges what two sets of one type hold.
        (Fact::IpSet { set: a, .. }, Fact::IpSet { set: b, .. }) => {
            match (&a.kind, a.family) == (&b.kind, b.family) {
                true => other_unless(a.normalised() == b.normalised()),
                false => Distance::Remake,
            }
        }
        (a, b) => other_unless(a == b),
    }
}

const fn other_unless(same: bool) -> Distance {
    if same { Distance::Same } else { Distance::Other }
}

/// A value that is not said fits any.
fn fits<T: PartialEq>(wanted: Option<&T>, seen: Option<&T>) -> bool {
    wanted.is_none() || wanted == seen
}

fn links(wanted: &LinkSpec, seen: &LinkSpec) -> Distance {
    let own = pins(&wanted.pins, &seen.pins);
    let kind = match (&wanted.kind, &seen.kind) {
        (LinkSpecKind::Veth(a), LinkSpecKind::Veth(b)) if a.link == b.link => {
            pins(&a.pins, &b.pins)
        }
        (LinkSpecKind::Bridge(a), LinkSpecKind::Bridge(b)) => other_unless(a.fits(b)),
        (LinkSpecKind::Tap, LinkSpecKind::Tap) => Distance::Same,
        (
            LinkSpecKind::Macvlan { lower: a, mode: m, sources: s },
            LinkSpecKind::Macvlan { lower: b, mode: n, sources: t },
        ) if a == b && sorted(s) == sorted(t) => match (m, n) {
            _ if m == n => Distance::Same,
            // The kernel changes neither from nor to passthru.
            (MacvlanMode::Passthru, _) | (_, MacvlanMode::Passthru) => Distance::Remake,
            _ => Distance::Other,
        },
        (LinkSpecKind::Vlan { lower: a, vlan: v }, LinkSpecKind::Vlan { lower: b, vlan: w })
            if a == b && v == w =>
        {
            Distance::Same
        }
        (
            LinkSpecKind::Ipvlan { lower: a, ipvlan: v },
            LinkSpecKind::Ipvlan { lower: b, ipvlan: w },
        ) if a == b && v == w => Distance::Same,
        (LinkSpecKind::Bond(a), LinkSpecKind::Bond(b)) => bonds(a, b),
        (LinkSpecKind::Vrf(a), LinkSpecKind::Vrf(b)) if a == b => Distance::Same,
        (LinkSpecKind::Dummy, LinkSpecKind::Dummy) | (LinkSpecKind::Ifb, LinkSpecKind::Ifb) => {
            Distance::Same
        }
        (LinkSpecKind::Vxlan(a), LinkSpecKind::Vxlan(b)) if vxlans(a, b) => Distance::Same,
        (LinkSpecKind::Wireguard(a), LinkSpecKind::Wireguard(b)) => other_unless(a.fits(b)),
        _ => Distance::Remake,
    };
    own.max(kind)
}

fn vxlans(wanted: &VxlanSpec, seen: &VxlanSpec) -> bool {
    let sorted = |spec: &VxlanSpec| {
        let mut remotes = spec.remotes.clone();
        remotes.sort_unstable_by_key(|(mac, ip)| (mac.0, *ip));
        remotes
    };
    (&wanted.lower, &wanted.vxlan) == (&seen.lower, &seen.vxlan) && sorted(wanted) == sorted(seen)
}

/// The kernel tells them in an order of its own.
fn sorted(sources: &[Mac]) -> Vec<Mac> {
    let mut sorted = sources.to_vec();
    sorted.sort_unstable_by_key(|mac| mac.0);
    sorted
}

/// The kernel changes some of its options only while it is down or has no ports.
fn bonds(wanted: &BondSpec, seen: &BondSpec) -> Distance {
    let stays = |option: &BondOption| {
        matches!(
            option,
            BondOption::Mode
                | BondOption::FailOverMac
                | BondOption::LacpRate
                | BondOption::TlbDynamicLb
        )
    };
    let changed = wanted.changed_from(seen);
    if wanted.arp_targets != seen.arp_targets || changed.options.said().any(|(o, _)| stays(&o)) {
        return Distance::Remake;
    }
    other_unless(wanted.fits(seen))
}

fn cables(wanted: &CableSpec, seen: &CableSpec) -> Distance {
    let ends = |c: &CableSpec| -> Vec<NicSpec> {
        std::iter::once(c.a.clone()).chain(c.b.clone()).collect()
    };
    let mut pairs = ends(wanted).into_iter().zip(ends(seen));
    // A cable is a process that holds its cards: it is made as a whole or not at all.
    let same = pairs.all(|(a, b)| pins(&a.pins, &b.pins) == Distance::Same);
    if same { Distance::Same } else { Distance::Remake }
}

fn pins(wanted: &Pins, seen: &Pins) -> Distance {
    if !fits(wanted.index.as_ref(), seen.index.as_ref()) {
        return Distance::Remake;
    }
    let names = |p: &Pins| p.altnames.iter().cloned().collect::<BTreeSet<_>>();
    other_unless(
        fits(wanted.mac.as_ref(), seen.mac.as_ref())
            && fits(wanted.mtu.as_ref(), seen.mtu.as_ref())
            && fits(wanted.txqlen.as_ref(), seen.txqlen.as_ref())
            && fits(wanted.group.as_ref(), seen.group.as_ref())
            && names(wanted) == names(seen),
    )
}

pub(crate) fn routes(wanted: &RouteSpec, seen: &RouteSpec) -> bool {
    // The kernel puts IPv6's blackholes onto lo.
    let dev = fits(wanted.dev.as_ref(), seen.dev.as_ref());
    dev && metric(wanted.dst, wanted.metric) == metric(seen.dst, seen.metric)
        && RouteSpec { dev: seen.dev.clone(), metric: seen.metric, ..wanted.clone() } == *seen
}

/// What `wanted` no longer says but `before` did goes back to the kernel's own value.
pub(crate) fn complete_fact(wanted: &mut Fact, before: &Fact) {
    match (wanted, before) {
        (Fact::Link(now), Fact::Link(then)) => {
            complete_link(now, then);
        }
        (Fact::Cable(now), Fact::Cable(then)) => {
            complete_pins(&mut now.a.pins, &then.a.pins);
            if let (Some(now), Some(then)) = (&mut now.b, &then.b) {
                complete_pins(&mut now.pins, &then.pins);
            }
        }
        (Fact::Master { port: now, .. }, Fact::Master { port: then, .. }) => {
            for (option, _) in then.said() {
                now.set(option, now.get(option).or(Some(option.usual())));
            }
        }
        _ => {}
    }
}

fn complete_link(now: &mut LinkSpec, then: &LinkSpec) {
    match (&mut now.kind, &then.kind) {
        (LinkSpecKind::Veth(now_end), LinkSpecKind::Veth(then_end)) => {
            let (mut a, mut b) = (&then.pins, &then_end.pins);
            if now.link != then.link {
                std::mem::swap(&mut a, &mut b);
            }
            complete_pins(&mut now.pins, a);
            complete_pins(&mut now_end.pins, b);
        }
        (LinkSpecKind::Bridge(now_spec), LinkSpecKind::Bridge(then_spec)) => {
            now_spec.fill(then_spec.said().map(|(option, _)| (option, option.usual())));
            complete_pins(&mut now.pins, &then.pins);
        }
        (LinkSpecKind::Bond(now_spec), LinkSpecKind::Bond(then_spec)) => {
            let then_said = then_spec.options.said();
            now_spec.options.fill(then_said.map(|(option, _)| (option, option.usual())));
            complete_pins(&mut now.pins, &then.pins);
        }
        (LinkSpecKind::Tap, LinkSpecKind::Tap) | (LinkSpecKind::Dummy, LinkSpecKind::Dummy) => {
            complete_pins(&mut now.pins, &then.pins);
        }
        // Their MTU follows that of the link below.
        _ => {
            complete(&mut now.pins.txqlen, then.pins.txqlen, 1000);
            complete(&mut now.pins.group, then.pins.group, 0);
        }
    }
}

fn complete_pins(now: &mut Pins, then: &Pins) {
    complete(&mut now.mtu, then.mtu, 1500);
    complete(&mut now.txqlen, then.txqlen, 1000);
    complete(&mut now.group, then.group, 0);
}

fn complete<T: Copy>(now: &mut Option<T>, then: Option<T>, usual: T) {
    if then.is_some() && now.is_none() {
        *now = Some(usual);
    }
}

/// Says what is left open as it is, so that the two differ just in what is to change.
pub(crate) fn fill(wanted: &mut Fact, seen: &Fact) {
    match (wanted, seen) {
        (Fact::Link(now), Fact::Link(then)) => {
            fill_pins(&mut now.pins, &then.pins);
            match (&mut now.kind, &then.kind) {
                (LinkSpecKind::Veth(a), LinkSpecKind::Veth(b)) => fill_pins(&mut a.pins, &b.pins),
                (LinkSpecKind::Bond(a), LinkSpecKind::Bond(b)) => a.options.fill(b.options.said()),
                (LinkSpecKind::Bridge(a), LinkSpecKind::Bridge(b)) => a.fill(b.said()),
                _ => {}
            }
        }
        (Fact::Master { port: now, .. }, Fact::Master { port: then, .. }) => now.fill(then.said()),
        _ => {}
    }
}

fn fill_pins(now: &mut Pins, then: &Pins) {
    now.index = now.index.or(then.index);
    now.mac = now.mac.or(then.mac);
    now.mtu = now.mtu.or(then.mtu);
    now.txqlen = now.txqlen.or(then.txqlen);
    now.group = now.group.or(then.group);
}
