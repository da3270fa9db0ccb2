use std::net::IpAddr;

use model::Mac;
use walk::Loss;

use super::case::{Case, Said, said};

pub(super) fn no_remote(c: Case<'_>) -> Said {
    let mac = c.packet.dst_mac.map_or_else(|| "it".to_owned(), |mac| mac.to_string());
    let command = format!("bridge fdb append 00:00:00:00:00:00 dev {} dst REMOTE", c.dev());
    said(format!("{} does not know where {mac} is, and has no remote for such", c.link()))
        .advise(c.here(command))
}

pub(super) fn no_route(c: Case<'_>, remote: IpAddr, because: &Loss) -> Said {
    let inner = c.beneath(because);
    let link = c.link();
    let because = format!("{link} does not get it to its other end {remote}: {}", inner.because);
    Said { because, ..inner }
}

pub(super) fn goes_round(c: Case<'_>) -> Said {
    said(format!("{} would have to carry what it has sent itself", c.link()))
        .advise(format!("give {} a remote that is reached by another link", c.dev()))
}

pub(super) fn no_end(c: Case<'_>, id: u32, port: u16) -> Said {
    let kind = format!("type vxlan id {id} dstport {port}");
    said(format!("no tunnel here that is up takes packets of {id} on UDP port {port}"))
        .advise(c.here(format!("ip link add NAME up {kind} remote {}", c.packet.src)))
}

pub(super) fn remote_fixed(c: Case<'_>, mac: Mac) -> Said {
    said(format!("by an entry of {}'s, {mac} is behind another remote", c.link()))
        .advise(c.here(format!("bridge fdb del {mac} dev {}", c.dev())))
}
