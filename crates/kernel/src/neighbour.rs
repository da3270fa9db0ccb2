//! Waiting for a neighbour to answer.

use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::time::Instant;

use netlink_packet_core::Parseable;
use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState,
};
use wire::rtnl;

use crate::listen::{Group, Listener};

/// Listens to what the kernel tells of neighbours.
pub(crate) struct Watch(Listener);

impl Watch {
    pub(crate) fn open_in(namespace: impl AsFd) -> io::Result<Self> {
        Ok(Self(Listener::open_in(namespace, Group::Neighbours)?))
    }

    /// Waits until the neighbour is reachable (true), or failed or silent until then (false).
    pub(crate) fn resolved(&self, link: u32, ip: IpAddr, until: Instant) -> io::Result<bool> {
        while let Some(bytes) = self.0.hear(until)? {
            for state in rtnl::messages(&bytes).filter_map(|m| state_of(m.body, link, ip)) {
                match state {
                    NeighbourState::Reachable | NeighbourState::Permanent => return Ok(true),
                    NeighbourState::Failed => return Ok(false),
                    _ => {}
                }
            }
        }
        Ok(false)
    }
}

/// The state that a message tells, if it is about that neighbour.
fn state_of(body: &[u8], link: u32, ip: IpAddr) -> Option<NeighbourState> {
    let message = NeighbourMessage::parse(body).ok()?;
    let about = message.attributes.iter().any(|a| match (a, ip) {
        (NeighbourAttribute::Destination(NeighbourAddress::Inet(a)), IpAddr::V4(b)) => *a == b,
        (NeighbourAttribute::Destination(NeighbourAddress::Inet6(a)), IpAddr::V6(b)) => *a == b,
        _ => false,
    });
    (about && message.header.ifindex == link).then_some(message.header.state)
}
