//! RTM_NEWADDRLABEL → [`AddressLabel`].

use std::net::IpAddr;

use ipnet::Ipv6Net;
use model::AddressLabel;

use super::attr::{Attr, attrs_behind, u32_at};
use super::message::Message;

const RTM_NEWADDRLABEL: u16 = 72;
/// Length of `struct ifaddrlblmsg`: family, a reserved byte, length of the prefix, flags, link, and
/// a number.
const HEADER: usize = 12;
const IFAL_ADDRESS: u16 = 1;
const IFAL_LABEL: u16 = 2;

/// The label that a message tells of; None: it is no RTM_NEWADDRLABEL, or cut short.
#[must_use]
pub fn address_label(message: &Message<'_>) -> Option<AddressLabel> {
    let [_, _, length, ..] = *message.body.first_chunk::<HEADER>()?;
    if message.kind != RTM_NEWADDRLABEL {
        return None;
    }
    let find = |kind| attrs_behind(message.body, HEADER).find(|a| a.kind == kind);
    let Some(IpAddr::V6(ip)) = find(IFAL_ADDRESS).and_then(Attr::ip) else { return None };
    Some(AddressLabel {
        net: Ipv6Net::new(ip, length).ok()?.trunc(),
        link: u32_at(message.body, 4).filter(|link| *link != 0),
        label: find(IFAL_LABEL).and_then(Attr::u32)?,
    })
}
