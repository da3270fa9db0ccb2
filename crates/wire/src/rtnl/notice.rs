//! What rtnetlink tells by itself → [`Notice`].

use model::{Address, BridgePort, FdbEntry, Neighbour};

use super::address::address;
use super::attr::{Attr, attrs_behind, find, u32_at};
use super::link::{IFINFOMSG, RTM_NEWLINK, RawLink, link, port};
use super::message::Message;
use super::neighbour::{fdb, neighbour};
use super::nsid::{NETNSA_NSID, RTGENMSG};

const RTM_DELLINK: u16 = 17;
const RTM_NEWADDR: u16 = 20;
const RTM_DELADDR: u16 = 21;
const RTM_NEWROUTE: u16 = 24;
const RTM_DELROUTE: u16 = 25;
const RTM_NEWNEIGH: u16 = 28;
const RTM_DELNEIGH: u16 = 29;
const RTM_NEWRULE: u16 = 32;
const RTM_DELRULE: u16 = 33;
const RTM_NEWQDISC: u16 = 36;
const RTM_DELQDISC: u16 = 37;
const RTM_NEWTFILTER: u16 = 44;
const RTM_DELTFILTER: u16 = 45;
const RTM_NEWACTION: u16 = 48;
const RTM_DELACTION: u16 = 49;
const RTM_NEWNETCONF: u16 = 80;
const RTM_NEWMDB: u16 = 84;
const RTM_DELMDB: u16 = 85;
const RTM_DELNSID: u16 = 89;
const RTM_NEWCHAIN: u16 = 100;
const RTM_DELCHAIN: u16 = 101;
const RTM_NEWNEXTHOP: u16 = 104;
const RTM_DELNEXTHOP: u16 = 105;
const RTM_NEWVLAN: u16 = 112;
const RTM_DELVLAN: u16 = 113;

const AF_BRIDGE: u8 = 7;
const IFLA_MASTER: u16 = 10;
const IFLA_WIRELESS: u16 = 11;
const IFLA_PROTINFO: u16 = 12;
const IFLA_NEW_NETNSID: u16 = 45;
const IFLA_NEW_IFINDEX: u16 = 49;

/// Something that happened in a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A link is new, or not as it was. Its numbers of namespaces are those of its own one.
    Link(Box<RawLink>),
    /// What a bridge says of one of its ports.
    Port {
        /// ifindex.
        link: u32,
        /// ifindex of the bridge.
        bridge: Option<u32>,
        /// As it is now.
        port: BridgePort,
    },
    /// A link is gone.
    LinkGone {
        /// ifindex that it had.
        link: u32,
        /// ifindex that it has in the namespace that it was moved to; None: it was removed.
        moved: Option<u32>,
    },
    /// An address is new, or not as it was.
    Address(Address),
    /// An address is gone.
    AddressGone(Address),
    /// A neighbour is new, or not as it was.
    Neighbour(Neighbour),
    /// A neighbour is forgotten.
    NeighbourGone(Neighbour),
    /// An FDB entry is new, or not as it was.
    Fdb(FdbEntry),
    /// An FDB entry is gone.
    FdbGone(FdbEntry),
    /// Something about routes, rules or settings, which the kernel takes away without a word too; or
    /// about what tc does, or about a bridge's VLANs and groups, whose messages tell a part each.
    ToReadAgain,
    /// A number of the hearer's own stands for nothing any more.
    NsidGone(u32),
}

/// What a message tells; None: nothing of these, or cut short.
#[must_use]
pub fn notice(message: &Message<'_>) -> Option<Notice> {
    let bridge = message.body.first() == Some(&AF_BRIDGE);
    // Said with the number of what is new, so that it reads like one.
    let gone = |kind| Message { kind, ..*message };
    match message.kind {
        RTM_NEWLINK if bridge => bridge_port(message),
        // A bridge lets go of a port; the port itself is told of apart.
        RTM_DELLINK if bridge => None,
        RTM_NEWLINK if has(message, IFLA_WIRELESS) => None,
        RTM_NEWLINK => link(message).map(|l| Notice::Link(Box::new(l))),
        RTM_DELLINK => {
            let moved = attr(message, IFLA_NEW_IFINDEX).and_then(Attr::u32);
            // Where both are equal, only the number of the namespace is told.
            let link = u32_at(message.body, 4)?;
            let moved = moved.or_else(|| has(message, IFLA_NEW_NETNSID).then_some(link));
            Some(Notice::LinkGone { link, moved })
        }
        RTM_NEWADDR => address(message).map(Notice::Address),
        RTM_DELADDR => address(&gone(RTM_NEWADDR)).map(Notice::AddressGone),
        RTM_NEWNEIGH if bridge => fdb(message).map(Notice::Fdb),
        RTM_DELNEIGH if bridge => fdb(&gone(RTM_NEWNEIGH)).map(Notice::FdbGone),
        RTM_NEWNEIGH => neighbour(message).map(Notice::Neighbour),
        RTM_DELNEIGH => neighbour(&gone(RTM_NEWNEIGH)).map(Notice::NeighbourGone),
        RTM_NEWROUTE | RTM_DELROUTE | RTM_NEWRULE | RTM_DELRULE | RTM_NEWNETCONF
        | RTM_NEWNEXTHOP | RTM_DELNEXTHOP => Some(Notice::ToReadAgain),
        RTM_NEWQDISC | RTM_DELQDISC | RTM_NEWTFILTER | RTM_DELTFILTER | RTM_NEWACTION
        | RTM_DELACTION | RTM_NEWCHAIN | RTM_DELCHAIN => Some(Notice::ToReadAgain),
        RTM_NEWMDB | RTM_DELMDB | RTM_NEWVLAN | RTM_DELVLAN => Some(Notice::ToReadAgain),
        RTM_DELNSID => {
            let nsid = attrs_behind(message.body, RTGENMSG).find(|a| a.kind == NETNSA_NSID)?;
            Some(Notice::NsidGone(u32::try_from(nsid.i32()?).ok()?))
        }
        _ => None,
    }
}

fn attr<'a>(message: &Message<'a>, kind: u16) -> Option<Attr<'a>> {
    attrs_behind(message.body, IFINFOMSG).find(|a| a.kind == kind)
}

fn has(message: &Message<'_>, kind: u16) -> bool {
    attr(message, kind).is_some()
}

fn bridge_port(message: &Message<'_>) -> Option<Notice> {
    let info = attr(message, IFLA_PROTINFO)?;
    // A bridge speaks of itself in other attributes.
    find(info.value, port::IFLA_BRPORT_STATE)?;
    Some(Notice::Port {
        link: u32_at(message.body, 4)?,
        bridge: attr(message, IFLA_MASTER).and_then(Attr::u32),
        port: port::decode(info.value),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, body: &[u8]) -> Message<'_> {
        Message { kind, flags: 0, sequence: 0, body }
    }

    /// `struct ifinfomsg` of ifindex 7, and one attribute.
    fn link_body(family: u8, kind: u16, value: &[u8]) -> Vec<u8> {
        let mut body = vec![family, 0, 1, 0, 7, 0, 0, 0];
        body.extend([0; 8]);
        body.extend(u16::try_from(4 + value.len()).unwrap().to_ne_bytes());
        body.extend(kind.to_ne_bytes());
        body.extend(value);
        body
    }

    #[test]
    fn a_link_that_goes_says_where_to() {
        let gone = link_body(0, IFLA_NEW_IFINDEX, &9u32.to_ne_bytes());
        let told = notice(&message(RTM_DELLINK, &gone));
        assert_eq!(told, Some(Notice::LinkGone { link: 7, moved: Some(9) }));
        let gone = link_body(0, IFLA_NEW_NETNSID, &0u32.to_ne_bytes());
        let told = notice(&message(RTM_DELLINK, &gone));
        assert_eq!(told, Some(Notice::LinkGone { link: 7, moved: Some(7) }));
        let gone = link_body(0, 99, &[0; 4]);
        let told = notice(&message(RTM_DELLINK, &gone));
        assert_eq!(told, Some(Notice::LinkGone { link: 7, moved: None }));
    }

    #[test]
    fn what_a_bridge_says_is_no_link_of_its_own() {
        let letting_go = link_body(AF_BRIDGE, 99, &[0; 4]);
        assert_eq!(notice(&message(RTM_DELLINK, &letting_go)), None);
        let state = [5, 0, 1, 0, 3, 0, 0, 0];
        let port = link_body(AF_BRIDGE, IFLA_PROTINFO, &state);
        let told = notice(&message(RTM_NEWLINK, &port));
        assert!(matches!(told, Some(Notice::Port { link: 7, bridge: None, .. })), "{told:?}");
    }

    #[test]
    fn a_number_that_stands_for_nothing() {
        let mut body = vec![0; 4];
        body.extend([8, 0, 1, 0, 5, 0, 0, 0]);
        assert_eq!(notice(&message(RTM_DELNSID, &body)), Some(Notice::NsidGone(5)));
        assert_eq!(notice(&message(RTM_DELNSID, &body[..6])), None);
    }
}
