//! A small blocking netlink socket, for reading and for changing.
//!
//! The kernel handles a request within `send`, so that every answer to it is there when `send`
//! returns; only the rest of a long dump is made while it is read.

mod error;
mod request;

pub use error::NetlinkError;
pub use request::Request;

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use netlink_sys::Socket as RawSocket;
use netlink_sys::protocols::{NETLINK_GENERIC, NETLINK_NETFILTER, NETLINK_ROUTE, NETLINK_XFRM};
use wire::rtnl::{Message, messages};

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_ACK: u16 = 4;
const NLM_F_DUMP: u16 = 0x300;
const NLM_F_MULTI: u16 = 2;
const NLM_F_DUMP_INTR: u16 = 0x10;

/// Larger than any answer: the kernel cuts dumps into pieces of at most 32 KiB.
const BUFFER: usize = 64 << 10;
/// How often a dump is asked again because something changed while it was read.
const ATTEMPTS: usize = 5;

/// Which part of the kernel a socket talks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Links, addresses, routes, rules, neighbours, nsids.
    Route,
    /// nftables and conntrack. Opening one may load the module `nfnetlink`.
    Netfilter,
    /// IPsec. Opening one may load the module `xfrm_user`.
    Xfrm,
    /// Families that are named (genetlink): WireGuard. Always there.
    Generic,
}

impl Protocol {
    /// Its number (`NETLINK_*`).
    #[must_use]
    pub const fn number(self) -> isize {
        match self {
            Self::Route => NETLINK_ROUTE,
            Self::Netfilter => NETLINK_NETFILTER,
            Self::Xfrm => NETLINK_XFRM,
            Self::Generic => NETLINK_GENERIC,
        }
    }
}

/// A netlink socket. It stays bound to the network namespace it was opened in, wherever its
/// thread goes later.
#[derive(Debug)]
pub struct Socket {
    raw: RawSocket,
    buffer: Vec<u8>,
    sequence: u32,
}

/// What came back for a dump.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replies {
    /// Whole messages as the kernel sent them, without the one that ends the dump.
    pub bytes: Vec<u8>,
    /// False: something changed during each of several attempts; entries may be missing or double.
    pub consistent: bool,
}

impl Replies {
    /// The messages.
    pub fn messages(&self) -> impl Iterator<Item = Message<'_>> {
        messages(&self.bytes)
    }
}

/// What a request of a [`Socket::batch`] was refused with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Which request: its place in the batch, from 0.
    pub index: usize,
    /// Why.
    pub error: NetlinkError,
}

impl Socket {
    /// Opens a socket in the network namespace of the calling thread.
    ///
    /// # Errors
    /// If the kernel lacks the protocol, or there are too many open files.
    pub fn open(protocol: Protocol) -> Result<Self, NetlinkError> {
        let raw = RawSocket::new(protocol.number())?;
        if protocol == Protocol::Route {
            // Checks dump requests strictly: an attribute that the kernel does not know is then an
            // error, where it would else silently answer something else.
            let _ = raw.set_netlink_get_strict_chk(true);
        }
        let _ = raw.set_ext_ack(true);
        let _ = raw.set_cap_ack(true);
        Ok(Self { raw, buffer: Vec::with_capacity(BUFFER), sequence: 0 })
    }

    /// Opens a socket in another network namespace, without moving the calling thread.
    ///
    /// # Errors
    /// As [`Socket::open`]; EPERM if the caller may not enter that namespace.
    pub fn open_in(namespace: impl AsFd, protocol: Protocol) -> Result<Self, NetlinkError> {
        crate::netns::within(namespace, || Self::open(protocol))?
    }

    /// Hears what the kernel tells a group (`NFNLGRP_*`) from now on.
    ///
    /// # Errors
    /// If this process may not.
    pub(crate) fn hear(&mut self, group: u32) -> Result<(), NetlinkError> {
        self.make_room(1 << 20);
        // What has no address of its own hears nothing.
        self.raw.bind_auto()?;
        Ok(self.raw.add_membership(group)?)
    }

    /// What has been heard so far, without waiting for more.
    ///
    /// # Errors
    /// If something was lost on the way.
    pub(crate) fn heard(&mut self) -> Result<Vec<u8>, NetlinkError> {
        let mut all = Vec::new();
        while self.receive(libc::MSG_DONTWAIT)? {
            all.extend_from_slice(&self.buffer);
            all.resize(all.len().next_multiple_of(4), 0);
        }
        Ok(all)
    }

    /// Overwrites what it received last: there were secrets in it.
    pub(crate) fn forget(&mut self) {
        self.buffer.resize(self.buffer.capacity(), 0);
        crate::read::wipe(&mut self.buffer);
        self.buffer.clear();
    }

    /// Sends a request that changes something, and waits until it is done.
    ///
    /// # Errors
    /// The kernel's errno and its words about it.
    pub fn ack(&mut self, request: impl Into<Request>) -> Result<(), NetlinkError> {
        self.exchange(&request.into(), NLM_F_ACK).map(drop)
    }

    /// Sends a request with one answer, and returns that as the kernel sent it.
    ///
    /// # Errors
    /// The kernel's errno and its words about it.
    pub fn get(&mut self, request: impl Into<Request>) -> Result<Vec<u8>, NetlinkError> {
        self.exchange(&request.into(), 0)
    }

    /// Asks for a list. Where the list changes while it is read, asks again a few times.
    ///
    /// # Errors
    /// The kernel's errno; a denied dump is an error, never an empty list.
    pub fn dump(&mut self, request: impl Into<Request>) -> Result<Replies, NetlinkError> {
        let request = request.into();
        let mut replies = self.dump_once(&request)?;
        for _ in 1..ATTEMPTS {
            if replies.consistent {
                break;
            }
            replies = self.dump_once(&request)?;
        }
        Ok(replies)
    }

    /// Sends many requests at once and returns those that were refused, in order. For nfnetlink,
    /// begin and end message included, it is one transaction: one refused, none is done.
    ///
    /// # Errors
    /// If the requests could not be sent, or their answers were more than the buffer holds.
    pub fn batch(&mut self, requests: &[Request]) -> Result<Vec<Refusal>, NetlinkError> {
        if requests.is_empty() {
            return Ok(Vec::new()); // nothing to send is an error to the kernel
        }
        let first = self.sequence.wrapping_add(1);
        let mut bytes = Vec::new();
        for request in requests {
            self.sequence = self.sequence.wrapping_add(1);
            request.emit(0, self.sequence, &mut bytes);
        }
        self.make_room(bytes.len());
        self.send(&bytes)?;
        let mut refused = Vec::new();
        while self.receive(libc::MSG_DONTWAIT)? {
            for message in messages(&self.buffer).filter(|m| m.kind == NLMSG_ERROR) {
                let index = message.sequence.wrapping_sub(first) as usize;
                if let (Err(error), true) = (error::read(&message), index < requests.len()) {
                    refused.push(Refusal { index, error });
                }
            }
        }
        Ok(refused)
    }

    /// One request, and what comes back for it up to its acknowledgement.
    fn exchange(&mut self, request: &Request, flags: u16) -> Result<Vec<u8>, NetlinkError> {
        let sequence = self.begin(request, flags)?;
        loop {
            self.receive(0)?;
            for message in messages(&self.buffer).filter(|m| m.sequence == sequence) {
                if message.kind == NLMSG_ERROR {
                    return error::read(&message).map(|()| Vec::new());
                }
                if flags & NLM_F_ACK == 0 {
                    return Ok(self.buffer.clone());
                }
            }
        }
    }

    fn dump_once(&mut self, request: &Request) -> Result<Replies, NetlinkError> {
        let sequence = self.begin(request, NLM_F_DUMP)?;
        let mut replies = Replies { bytes: Vec::new(), consistent: true };
        loop {
            self.receive(0)?;
            let mut whole = 0;
            for message in messages(&self.buffer).filter(|m| m.sequence == sequence) {
                replies.consistent &= message.flags & NLM_F_DUMP_INTR == 0;
                match message.kind {
                    NLMSG_ERROR | NLMSG_DONE => {
                        replies.bytes.extend_from_slice(&self.buffer[..whole]);
                        return error::read(&message).map(|()| replies);
                    }
                    _ => whole += (message.body.len() + 16).next_multiple_of(4),
                }
                if message.flags & NLM_F_MULTI == 0 {
                    // Asked for a list, answered with one: no DONE will come.
                    replies.bytes.extend_from_slice(&self.buffer[..whole]);
                    return Ok(replies);
                }
            }
            replies.bytes.extend_from_slice(&self.buffer[..whole]);
        }
    }

    fn begin(&mut self, request: &Request, flags: u16) -> Result<u32, NetlinkError> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut bytes = Vec::with_capacity(64);
        request.emit(flags, self.sequence, &mut bytes);
        self.send(&bytes)?;
        Ok(self.sequence)
    }

    fn send(&self, bytes: &[u8]) -> Result<(), NetlinkError> {
        self.raw.send(bytes, 0)?;
        Ok(())
    }

    /// Fills the buffer with the next datagram; false if there is none and `flags` say not to wait.
    fn receive(&mut self, flags: libc::c_int) -> Result<bool, NetlinkError> {
        self.buffer.clear();
        loop {
            match self.raw.recv(&mut self.buffer, flags | libc::MSG_TRUNC) {
                Ok(length) if length > self.buffer.len() => {
                    return Err(NetlinkError::new(rustix::io::Errno::MSGSIZE));
                }
                Ok(_) => return Ok(true),
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => return Ok(false),
                Err(e) => return Err(e.into()),
            }
        }
    }

    /// Makes both buffers of the socket large enough for a batch and the errors it may meet.
    fn make_room(&self, bytes: usize) {
        use rustix::net::sockopt;
        let size = bytes.saturating_mul(2).max(1 << 20);
        // Forced where privileged; the kernel's own limit else. What does not fit is an error.
        let _ = sockopt::set_socket_recv_buffer_size_force(self, size)
            .or_else(|_| sockopt::set_socket_recv_buffer_size(self, size));
        if bytes > 64 << 10 {
            let _ = sockopt::set_socket_send_buffer_size_force(self, size)
                .or_else(|_| sockopt::set_socket_send_buffer_size(self, size));
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the descriptor is open as long as `self.raw`, which the result borrows.
        unsafe { BorrowedFd::borrow_raw(self.raw.as_raw_fd()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_to_do_is_done() {
        let mut socket = Socket::open(Protocol::Route).unwrap();
        assert_eq!(socket.batch(&[]), Ok(Vec::new()));
    }
}
