//! Which kinds of links this kernel makes: found out by making one, where nobody sees it.

use std::io;
use std::path::Path;

use model::{BridgeOption, BridgeSpec, Pins};
use netlink_packet_route::RouteNetlinkMessage as Message;
use netlink_packet_route::link::LinkMessage;
use rustix::io::Errno;
use wire::request::NewLink;

use crate::netlink::{Protocol, Request, Socket};
use crate::sys::{self, Spaces};

/// Kinds whose module makes a link in every namespace, or in the host's, as it is loaded: they are
/// not asked for unless it is.
const MAKING: [(&str, &str); 4] =
    [("bond", "bonding"), ("gre", "ip_gre"), ("ipip", "ipip"), ("sit", "sit")];

/// Whether this kernel has links of that kind (`vlan`, `bond`, …), as RTM_NEWLINK says in a
/// namespace of its own, which ends with the question.
///
/// # Errors
/// If no namespace can be made.
pub fn has_link_kind(kind: &str) -> io::Result<bool> {
    let loads = MAKING.iter().find(|(name, _)| *name == kind);
    if loads.is_some_and(|(_, module)| !Path::new("/sys/module").join(module).exists()) {
        return Ok(false);
    }
    is_known(wire::request::bare_link("asked", kind))
}

/// Whether bridges of this kernel can filter VLANs, found out in the same way.
///
/// # Errors
/// If that cannot be tried.
pub fn bridges_filter_vlans() -> io::Result<bool> {
    let mut spec = BridgeSpec::default();
    spec.set(BridgeOption::VlanFiltering, Some(1));
    is_known(wire::request::new_link("asked", &Pins::default(), &NewLink::Bridge(&spec)))
}

/// Whether the kernel knows what such a link is, in a namespace of its own.
fn is_known(link: LinkMessage) -> io::Result<bool> {
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| -> io::Result<bool> {
            sys::unshare(Spaces::NET)?;
            let mut socket = Socket::open(Protocol::Route).map_err(io::Error::other)?;
            let request = Request::from(Message::NewLink(link)).create();
            // Whatever else is wrong with it, the kind is known.
            Ok(socket.ack(request).err().is_none_or(|e| e.errno != Errno::OPNOTSUPP))
        });
        asked.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_here_or_not() {
        // Whoever may make no namespace is told so.
        let Ok(here) = has_link_kind("veth") else { return };
        assert!(here);
        assert!(!has_link_kind("no-such-kind").expect("asked before"));
    }
}
