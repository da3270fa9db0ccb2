//! Faults of links, addresses and routes.

use std::net::IpAddr;

use doctor::{Deaf, Overlapped};
use ipnet::IpNet;
use model::LinkId;

use super::{Case, Told};
use crate::trace::place;
use crate::words as w;

pub(super) fn forwarding_off(c: &Case<'_>, link: LinkId, ipv6: bool) -> Told {
    let (seen, key) = match ipv6 {
        true => ("net.ipv6.conf.all.forwarding".to_owned(), "net.ipv6.conf.all.forwarding"),
        false => (format!("net.ipv4.conf.{}.forwarding", c.name(link)), "net.ipv4.ip_forward"),
    };
    Told {
        title: format!(
            "{} is a gateway and does not forward{}",
            c.ns(),
            if ipv6 { " IPv6" } else { "" }
        ),
        evidence: vec![
            format!("{}: {seen} = 0", c.ns()),
            format!("its address {} is the gateway of others", c.addresses(link)),
        ],
        fix: vec![
            c.here(&format!("sysctl -w {key}=1")),
            format!(
                "in a container with /proc/sys read-only, have its manager set it (LXC: lxc.sysctl.{key} = 1)"
            ),
        ],
    }
}

pub(super) fn overlap(c: &Case<'_>, link: LinkId, net: IpNet, other: &Overlapped) -> Told {
    let of_docker0 = if net.addr().is_ipv6() { "\"fixed-cidr-v6\"" } else { "\"bip\"" };
    let addresses = |link| c.addresses_of(link, net.addr().is_ipv6());
    let (what, seen) = match other {
        Overlapped::Link(there, net) => {
            (*net, format!("{} has {} in {net}", c.link(*there), addresses(*there)))
        }
        Overlapped::Route(at, route) => {
            let text = c.s.namespaces.get(at).map(|n| w::route_short(n, route));
            (route.dst, format!("{}: route {}", c.s.name_of(*at), text.unwrap_or_default()))
        }
    };
    Told {
        title: format!("{net} on {} is in use further out", c.link(link)),
        evidence: vec![format!("{} has {}", c.link(link), addresses(link)), seen],
        fix: vec![format!(
            "give the network of {} other addresses than {what}: Docker's daemon.json, {of_docker0} for docker0, \"default-address-pools\" for the rest; then make the network anew",
            c.link(link)
        )],
    }
}

pub(super) fn accept_ra(c: &Case<'_>, link: LinkId) -> Told {
    let name = c.name(link);
    let of_ns = c.s.namespaces.get(&link.ns);
    let mut public = of_ns.into_iter().flat_map(|ns| ns.addresses_of(link.index));
    let public = public.find(|a| doctor::is_public(a.ip()));
    Told {
        title: format!("{} heeds no router of IPv6, and has no default route", c.ns()),
        evidence: vec![
            format!("{}: net.ipv6.conf.{name}.forwarding = 1, accept_ra = 1", c.ns()),
            format!(
                "{} has {}, and there is no default route",
                c.link(link),
                public.map_or_else(String::new, |a| a.net.to_string())
            ),
        ],
        fix: vec![
            c.here(&format!("sysctl -w net.ipv6.conf.{name}.accept_ra=2")),
            "the default route comes back with the router's next advertisement".to_owned(),
        ],
    }
}

pub(super) fn cut_off(c: &Case<'_>, link: LinkId, port: LinkId) -> Told {
    let ns = c.s.namespaces.get(&link.ns);
    let all = ns.into_iter().flat_map(|ns| ns.addresses_of(link.index));
    let addresses: Vec<String> = all.map(|a| a.net.to_string()).collect();
    let master = c.s.link(port).and_then(|l| l.master);
    let bridge = master.map_or_else(String::new, |index| c.name(LinkId { ns: port.ns, index }));
    Told {
        title: format!("{} is down, and its end at the bridge is up", c.link(link)),
        evidence: vec![
            format!("{} is down and has {}", c.link(link), addresses.join(", ")),
            format!("{} is up, a port of {bridge}", c.link(port)),
        ],
        fix: vec![c.at(link.ns, &format!("ip link set {} up", c.name(link)))],
    }
}

pub(super) fn name_server(c: &Case<'_>, servers: &[IpAddr], why: &Deaf) -> Told {
    let list = servers.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(", ");
    let first = servers.first().map_or_else(String::new, IpAddr::to_string);
    let seen = match why {
        Deaf::Nobody(at) => format!("nobody in {} waits at {first} port 53", c.s.name_of(*at)),
        Deaf::Lost(loss) => {
            format!("{first}: lost at {}: {}", place(c.s, loss), c.because(loss))
        }
    };
    // A stub of the host's, in a file that was copied from it.
    let own = servers.iter().all(IpAddr::is_loopback);
    let which = if own { ", as in the host's /run/systemd/resolve/resolv.conf" } else { "" };
    Told {
        title: format!("{} has no name server that answers", c.ns()),
        evidence: vec![format!("{}: /etc/resolv.conf names {list}", c.ns()), seen],
        fix: vec![format!(
            "give it name servers that it reaches{which}: Docker's daemon.json or --dns, Proxmox's `pct set --nameserver`, else its own /etc/resolv.conf"
        )],
    }
}
