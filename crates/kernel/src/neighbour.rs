//! Waiting for a neighbour to answer.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Instant;

use netlink_packet_core::Parseable;
use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState,
};
use netlink_sys::Socket;
use netlink_sys::protocols::NETLINK_ROUTE;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use wire::rtnl;

use crate::netns;

const RTNLGRP_NEIGH: u32 = 3;

/// Listens to what the kernel tells of neighbours.
pub(crate) struct Watch(Socket);

impl Watch {
    pub(crate) fn open_in(namespace: impl AsFd) -> io::Result<Self> {
        let mut socket = netns::within(namespace, || Socket::new(NETLINK_ROUTE))??;
        socket.bind_auto()?;
        socket.add_membership(RTNLGRP_NEIGH)?;
        socket.set_non_blocking(true)?;
        Ok(Self(socket))
    }

    /// Waits until the neighbour is reachable (true), or failed or silent until then (false).
    pub(crate) fn resolved(&self, link: u32, ip: IpAddr, until: Instant) -> io::Result<bool> {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            // SAFETY: the descriptor is open as long as `self.0`, which outlives this borrow.
            let fd = unsafe { std::os::fd::BorrowedFd::borrow_raw(self.0.as_raw_fd()) };
            let mut polls = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
            let timeout = Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: i64::from(left.subsec_nanos()),
            };
            poll(&mut polls, Some(&timeout))?;
            let Ok((bytes, _)) = self.0.recv_from_full() else { continue };
            for state in rtnl::messages(&bytes).filter_map(|m| state_of(m.body, link, ip)) {
                match state {
                    NeighbourState::Reachable | NeighbourState::Permanent => return Ok(true),
                    NeighbourState::Failed => return Ok(false),
                    _ => {}
                }
            }
        }
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
