use std::net::IpAddr;

use model::{LinkId, Mac, Neighbour, NsId, Snapshot};
use walk::Loss;

use super::case::{Case, Said, said};
use crate::trace::shell;
use crate::words as w;

pub(super) fn dead_end(c: Case<'_>, ip: IpAddr) -> Said {
    let what = match c.loss.link.and_then(|l| c.snapshot.link(l)) {
        Some(l) if l.master.is_none() && !w::has_address(c.snapshot, c.loss) => {
            ", which has no address and is no port of a bridge"
        }
        _ => "",
    };
    said(format!("the question who has {ip} ends at {}{what}", c.link()))
        .advise(c.here(format!("ip addr add {ip}/PREFIX dev {}", c.dev())))
}

pub(super) fn none(
    c: Case<'_>,
    ip: IpAddr,
    entry: Option<&Neighbour>,
    because: Option<&Loss>,
) -> Said {
    let entry = entry.map_or_else(String::new, |e| format!(" (entry {})", e.state.as_str()));
    let why = because.map_or_else(String::new, |inner| {
        format!(": the request or its answer is lost at {}", c.beneath(inner).because)
    });
    said(format!("nobody on {} answers for {ip}{entry}{why}", c.link())).advise(wanted(c, ip))
}

fn wanted(c: Case<'_>, ip: IpAddr) -> String {
    let dev = c.dev();
    if is_gateway(c.snapshot, c.loss.ns, ip) {
        return c.here(format!("ip route replace default via GATEWAY dev {dev}"));
    }
    let ns = shell::namespace(c.snapshot, c.loss.ns);
    format!("give {ip} to a link that {ns}:{dev} reaches, and bring it up")
}

fn is_gateway(snapshot: &Snapshot, ns: NsId, ip: IpAddr) -> bool {
    let ns = snapshot.namespaces.get(&ns);
    let mut hops = ns.into_iter().flat_map(|n| &n.routes).flat_map(|r| &r.nexthops);
    hops.any(|hop| hop.gateway == Some(ip))
}

pub(super) fn duplicate(c: Case<'_>, ip: IpAddr, owners: &[(LinkId, Mac)]) -> Said {
    let owner = |(l, mac): &(LinkId, Mac)| format!("{} ({mac})", c.snapshot.link_name(*l));
    let list: Vec<String> = owners.iter().map(owner).collect();
    said(format!("{ip} is given twice: {}", list.join(" and ")))
        .advise(format!("give {ip} to one link only"))
}

pub(super) fn not_from_the_link(hop_limit: u8) -> Said {
    said(format!(
        "its hop limit is {hop_limit}: neighbour discovery believes only what comes with 255"
    ))
    .advise("leave the hop limit of neighbour discovery at 255")
}

pub(super) fn no_link_local(c: Case<'_>) -> Said {
    said(format!("{} has no link-local address that is ready to ask from", c.link()))
        .advise(c.here(format!("ip addr add fe80::1/64 dev {} nodad", c.dev())))
}
