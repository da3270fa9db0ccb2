//! RTM_NEWADDR → [`Address`].

use std::net::IpAddr;

use ipnet::IpNet;
use model::{Address, AddressFlags, Scope};

use super::attr::{Attr, attrs_behind, u32_at};
use super::message::Message;

const RTM_NEWADDR: u16 = 20;
/// Length of `struct ifaddrmsg`.
const IFADDRMSG: usize = 8;

const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_LABEL: u16 = 3;
const IFA_BROADCAST: u16 = 4;
const IFA_FLAGS: u16 = 8;
/// The same bit says `temporary` of an IPv6 address.
const IFA_F_SECONDARY: u32 = 1;

/// The address that a message tells of; None: it is no RTM_NEWADDR of IP, or cut short.
#[must_use]
pub fn address(message: &Message<'_>) -> Option<Address> {
    let body = message.body;
    if message.kind != RTM_NEWADDR || body.len() < IFADDRMSG {
        return None;
    }
    let find = |kind| attrs_behind(body, IFADDRMSG).find(|a| a.kind == kind);
    let far = find(IFA_ADDRESS).and_then(Attr::ip);
    let ip = find(IFA_LOCAL).and_then(Attr::ip).or(far)?;
    let flags = find(IFA_FLAGS).and_then(Attr::u32).unwrap_or_else(|| u32::from(body[2]));
    let broadcast = match find(IFA_BROADCAST).and_then(Attr::ip) {
        Some(IpAddr::V4(ip)) => Some(ip),
        _ => None,
    };
    Some(Address {
        link: u32_at(body, 4)?,
        net: IpNet::new(ip, body[1]).ok()?,
        peer: far.filter(|f| *f != ip),
        broadcast,
        scope: Scope::from(body[3]),
        secondary: ip.is_ipv4() && flags & IFA_F_SECONDARY != 0,
        label: find(IFA_LABEL).map(Attr::text),
        flags: match ip {
            IpAddr::V4(_) => AddressFlags::empty(),
            IpAddr::V6(_) => AddressFlags::from_bits_truncate(flags),
        },
    })
}
