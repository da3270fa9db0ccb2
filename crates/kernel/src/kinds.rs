//! Which kinds of links and filters this kernel makes: found out by making one, where nobody sees it.

use std::io;
use std::path::Path;

use model::{
    BridgeOption, BridgeSpec, Family, Pins, PortOption, PortSpec, Rule, TcAction, TcControl,
    TcDoing, TcFilter, TcSelector,
};
use netlink_packet_route::RouteNetlinkMessage as Message;
use netlink_packet_route::link::LinkMessage;
use rustix::io::Errno;
use wire::request::{self, Far, NewLink, Place};

use crate::apply::{has_mab, learns_at_most, passed_over};
use crate::netlink::{Protocol, Request, Socket};
use crate::sys::{self, Spaces};
use crate::xtables::Xtables;

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
    is_known(request::bare_link("asked", kind))
}

/// Whether bridges of this kernel can filter VLANs, found out in the same way.
///
/// # Errors
/// If that cannot be tried.
pub fn bridges_filter_vlans() -> io::Result<bool> {
    let mut spec = BridgeSpec::default();
    spec.set(BridgeOption::VlanFiltering, Some(1));
    is_known(request::new_link("asked", &Pins::default(), &NewLink::Bridge(&spec)))
}

/// Whether tc's filters of that kind with the action `gact` are known, found out in the same way.
///
/// # Errors
/// If that cannot be tried.
pub fn has_filters(selector: TcSelector) -> io::Result<bool> {
    /// lo.
    const LINK: u32 = 1;
    let drops = TcAction { doing: TcDoing::Nothing, then: TcControl::Drop };
    let (chain, priority, protocol, handle, actions) = (0, 1, None, 0, vec![drops]);
    let filter = TcFilter { chain, priority, protocol, handle, selector, actions };
    let Some(filter) = request::filter(LINK, true, &filter) else { return Ok(false) };
    elsewhere(move |socket| {
        let place = Request::new(request::RTM_NEWQDISC, request::clsact(LINK)).create();
        let filter = Request::new(request::RTM_NEWTFILTER, filter).create();
        socket.ack(place).and_then(|()| socket.ack(filter)).is_ok()
    })
}

/// Whether the kernel knows all that such a routing rule asks for, found out in the same way.
///
/// # Errors
/// If that cannot be tried.
pub fn knows_rule(rule: &Rule) -> io::Result<bool> {
    elsewhere(|socket| {
        let made = socket.ack(Request::from(Message::NewRule(request::rule(rule))).create());
        made.is_ok() && matches!(passed_over(socket, rule), Ok(None))
    })
}

/// Whether bridges know a limit of how many addresses they learn, found out in the same way.
///
/// # Errors
/// If that cannot be tried.
pub fn bridges_limit_learning() -> io::Result<bool> {
    const BRIDGE: u32 = 10;
    let mut spec = BridgeSpec::default();
    spec.set(BridgeOption::FdbMaxLearned, Some(7));
    let pins = Pins { index: Some(BRIDGE), ..Pins::default() };
    let bridge = request::new_link("b", &pins, &NewLink::Bridge(&spec));
    elsewhere(move |socket| {
        socket.ack(Request::from(Message::NewLink(bridge)).create()).is_ok()
            && learns_at_most(socket, BRIDGE).is_ok_and(|most| most == 7)
    })
}

/// Whether ports of bridges know MAC authentication bypass, found out in the same way.
///
/// # Errors
/// If that cannot be tried.
pub fn ports_know_mab() -> io::Result<bool> {
    const BRIDGE: u32 = 10;
    const PORT: u32 = 11;
    let pins = |index| Pins { index: Some(index), ..Pins::default() };
    let far = Far { name: "far", pins: &Pins::default(), place: Place::Here };
    let plain = BridgeSpec::default();
    let bridge = request::new_link("b", &pins(BRIDGE), &NewLink::Bridge(&plain));
    let veth = request::new_link("v", &pins(PORT), &NewLink::Veth(far));
    let mut spec = PortSpec::default();
    spec.set(PortOption::Locked, Some(1));
    spec.set(PortOption::Mab, Some(1));
    let (set, port) = request::master(PORT, BRIDGE, &spec);
    elsewhere(move |socket| {
        let mut make = |link| socket.ack(Request::from(Message::NewLink(link)).create()).is_ok();
        make(bridge)
            && make(veth)
            && socket.ack(Message::SetLink(set)).is_ok()
            && port.is_some_and(|port| socket.ack(Message::NewLink(port)).is_ok())
            && has_mab(socket, PORT).unwrap_or(false)
    })
}

/// Whether the kernel has the tables of iptables-legacy, of IPv4 and IPv6, found out in the same way.
///
/// # Errors
/// If that cannot be tried.
pub fn has_legacy_tables() -> io::Result<bool> {
    elsewhere(|_| {
        let asks = |family, table| Xtables::open(family).and_then(|socket| socket.info(table));
        let tables = ["filter", "nat", "mangle", "raw"];
        let has = |family| tables.iter().all(|table| asks(family, table).is_ok());
        has(Family::Ip) && has(Family::Ip6)
    })
}

/// Whether the kernel knows what such a link is, in a namespace of its own.
fn is_known(link: LinkMessage) -> io::Result<bool> {
    elsewhere(|socket| {
        let request = Request::from(Message::NewLink(link)).create();
        // Whatever else is wrong with it, the kind is known.
        socket.ack(request).err().is_none_or(|e| e.errno != Errno::OPNOTSUPP)
    })
}

/// Asks in a namespace of its own.
fn elsewhere(ask: impl FnOnce(&mut Socket) -> bool + Send) -> io::Result<bool> {
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| -> io::Result<bool> {
            sys::unshare(Spaces::NET)?;
            let mut socket = Socket::open(Protocol::Route).map_err(io::Error::other)?;
            Ok(ask(&mut socket))
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
