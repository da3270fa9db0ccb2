//! The sockets that hear, in a namespace of our own that numbers all others.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use model::{LinkId, Namespace, NsId, NsKey, Relation, Snapshot};
use netlink_sys::Socket as RawSocket;
use rustix::thread::UnshareFlags;
use wire::rtnl::{self, RawLink};

use super::Options;
use crate::netlink::{Protocol, Request, Socket};
use crate::sys;

/// What rtnetlink tells of (RTNLGRP_*): links, addresses, neighbours, routes, rules and settings of
/// both families, numbers of namespaces; what tc does (4), multicast databases (26), nexthop objects
/// (32), VLANs of bridges (33).
const GROUPS: [u32; 14] = [1, 3, 4, 5, 7, 8, 9, 11, 19, 24, 26, 28, 32, 33];
/// NFNLGRP_NFTABLES.
const NFTABLES: u32 = 7;
/// Bytes of messages that may wait: some ten thousand.
const BUFFER: usize = 32 << 20;
/// Our own numbers begin here; what the kernel numbers by itself comes from 0 on.
const FIRST: u32 = 1 << 20;
/// So many namespaces are held open at a time.
const CHUNK: usize = 128;

/// What became of hearing.
pub(super) enum Heard {
    /// All that waited was told.
    All,
    /// The kernel lost some.
    Lost,
    /// Whoever was told wants no more.
    Stop,
}

#[derive(Debug)]
pub(super) struct Post {
    asks: Socket,
    routes: RawSocket,
    netfilter: Option<RawSocket>,
    /// Without the right to make a namespace: the only one that is heard.
    own: Option<NsId>,
    numbers: BTreeMap<NsId, u32>,
    names: HashMap<u32, NsId>,
    next: u32,
    /// Those that could not be opened: not tried again, since searching for a way in takes long.
    closed: BTreeSet<NsId>,
    buffer: Vec<u8>,
}

struct Sockets {
    asks: Socket,
    routes: RawSocket,
    netfilter: Option<RawSocket>,
}

impl Post {
    pub(super) fn open(first: &Snapshot, nft: bool, options: &Options) -> io::Result<Self> {
        let open = || Sockets::open(nft, options.buffer.unwrap_or(BUFFER));
        let (sockets, own) = match in_new_namespace(open) {
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => (open()?, first.viewer),
            sockets => (sockets?, None),
        };
        let Sockets { asks, routes, netfilter } = sockets;
        Ok(Self {
            asks,
            routes,
            netfilter,
            own,
            numbers: BTreeMap::new(),
            names: HashMap::new(),
            next: FIRST,
            closed: BTreeSet::new(),
            buffer: vec![0; 64 << 10],
        })
    }

    /// Numbers the namespaces that have no number yet. Those that cannot be opened stay unheard.
    pub(super) fn number(&mut self, snapshot: &Snapshot) {
        if self.own.is_some() {
            return;
        }
        let new: Vec<&Namespace> = snapshot
            .namespaces
            .values()
            .filter(|n| matches!(n.id.key, NsKey::Inode { .. }))
            .filter(|n| !self.numbers.contains_key(&n.id) && !self.closed.contains(&n.id))
            .collect();
        for chunk in new.chunks(CHUNK) {
            self.number_some(chunk);
        }
    }

    fn number_some(&mut self, spaces: &[&Namespace]) {
        let mut opened = Vec::new();
        let mut requests: Vec<Request> = Vec::new();
        for ns in spaces {
            let Ok(net) = crate::open::open(ns) else {
                self.closed.insert(ns.id);
                continue;
            };
            let Ok(fd) = u32::try_from(net.as_raw_fd()) else { continue };
            self.next += 1;
            requests.push(rtnl::new_nsid(fd, self.next).into());
            opened.push((ns.id, net, fd, self.next));
        }
        let refused = self.asks.batch(&requests).unwrap_or_default();
        for (place, (id, _net, fd, number)) in opened.into_iter().enumerate() {
            let given = if refused.iter().any(|r| r.index == place) {
                // The kernel numbered it when a link that leads there was asked for.
                self.number_of(fd)
            } else {
                Some(number)
            };
            if let Some(number) = given {
                self.names.insert(number, id);
                self.numbers.insert(id, number);
            }
        }
    }

    fn number_of(&mut self, fd: u32) -> Option<u32> {
        let reply = self.asks.get(Request::from(rtnl::get_nsid_of(fd))).ok()?;
        rtnl::messages(&reply).find_map(|m| rtnl::nsid(&m))?.nsid
    }

    /// Finds out which numbers the namespaces have that only a link's peer shows. Returns those of
    /// them that are known: they have lost what else showed them, and live on.
    pub(super) fn learn(&mut self, snapshot: &Snapshot) -> Vec<(NsId, NsId)> {
        self.names.retain(|_, id| matches!(id.key, NsKey::Inode { .. }));
        self.numbers.retain(|id, _| matches!(id.key, NsKey::Inode { .. }));
        let mut known = Vec::new();
        let mut to_do = unseen_peers(snapshot);
        // One may be reached only through another of them.
        loop {
            let before = to_do.len();
            to_do.retain(|(ns, link, far)| {
                let nsid = self.ask(*ns, *link).and_then(|raw| raw.joined.nsid);
                let Some(number) = nsid.and_then(|n| u32::try_from(n).ok()) else { return true };
                match self.names.get(&number) {
                    Some(id) if id != far => known.push((*far, *id)),
                    _ => _ = self.names.insert(number, *far),
                }
                self.numbers.insert(*far, number);
                false
            });
            if to_do.len() == before {
                known.sort_unstable();
                known.dedup();
                return known;
            }
        }
    }

    /// Whether what happens there is heard.
    pub(super) fn hears(&self, ns: NsId) -> bool {
        self.own == Some(ns) || self.numbers.contains_key(&ns)
    }

    /// The namespace that the number of a message stands for; None as number: the socket's own.
    pub(super) fn whose(&self, nsid: Option<u32>) -> Option<NsId> {
        match nsid {
            Some(number) => self.names.get(&number).copied(),
            None => self.own,
        }
    }

    /// A number stands for nothing any more.
    pub(super) fn forget(&mut self, number: u32) -> Option<NsId> {
        let id = self.names.remove(&number)?;
        self.numbers.remove(&id);
        Some(id)
    }

    /// The link as it is now, with our own numbers.
    pub(super) fn ask(&mut self, ns: NsId, link: u32) -> Option<RawLink> {
        let number = match self.own {
            Some(_) => None,
            None => Some(*self.numbers.get(&ns)?),
        };
        let reply = self.asks.get(Request::from(rtnl::get_link(number, link))).ok()?;
        rtnl::messages(&reply).find_map(|m| rtnl::link(&m))
    }

    pub(super) fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        std::iter::once(&self.routes).chain(&self.netfilter).map(fd)
    }

    /// The next message of rtnetlink's, and the number of the namespace that it is of. None: there
    /// is none now.
    pub(super) fn next(&mut self) -> io::Result<Option<(Vec<u8>, Option<u32>)>> {
        receive(&self.routes, &mut self.buffer)
    }

    /// The same of nftables.
    pub(super) fn next_of_netfilter(&mut self) -> io::Result<Option<(Vec<u8>, Option<u32>)>> {
        match &self.netfilter {
            Some(socket) => receive(socket, &mut self.buffer),
            None => Ok(None),
        }
    }

    /// Forgets all that waits.
    pub(super) fn discard(&mut self) {
        let waits = |result: io::Result<Option<_>>| !matches!(result, Ok(None));
        // Bounded: whoever changes things without end must not hold us here.
        for _ in 0..1_000_000 {
            let routes = waits(self.next());
            if !waits(self.next_of_netfilter()) && !routes {
                return;
            }
        }
    }
}

impl Sockets {
    fn open(nft: bool, buffer: usize) -> io::Result<Self> {
        Ok(Self {
            asks: Socket::open(Protocol::Route).map_err(io::Error::from)?,
            routes: listener(Protocol::Route, &GROUPS, buffer)?,
            netfilter: nft
                .then(|| listener(Protocol::Netfilter, &[NFTABLES], buffer))
                .transpose()?,
        })
    }
}

/// Links whose peer is in a namespace that nothing else shows: where, which, and that one.
fn unseen_peers(snapshot: &Snapshot) -> Vec<(NsId, u32, NsId)> {
    let mut found = Vec::new();
    for ns in snapshot.namespaces.values() {
        for link in ns.links.values() {
            if let Relation::Peer(LinkId { ns: far, .. }) = link.relation
                && matches!(far.key, NsKey::Unseen(_))
            {
                found.push((ns.id, link.index, far));
            }
        }
    }
    found
}

fn listener(protocol: Protocol, groups: &[u32], buffer: usize) -> io::Result<RawSocket> {
    use rustix::net::sockopt;
    let mut socket = RawSocket::new(protocol.number())?;
    socket.bind_auto()?;
    socket.set_non_blocking(true)?;
    // Refused to those without rights, who then hear their own namespace only.
    let _ = socket.set_listen_all_namespaces(true);
    let size = |s: &RawSocket| {
        sockopt::set_socket_recv_buffer_size_force(fd(s), buffer)
            .or_else(|_| sockopt::set_socket_recv_buffer_size(fd(s), buffer))
    };
    size(&socket)?;
    for group in groups {
        socket.add_membership(*group)?;
    }
    Ok(socket)
}

fn fd(socket: &RawSocket) -> BorrowedFd<'_> {
    // SAFETY: the descriptor is open as long as `socket`, which the result borrows.
    unsafe { BorrowedFd::borrow_raw(socket.as_raw_fd()) }
}

fn receive(socket: &RawSocket, buffer: &mut Vec<u8>) -> io::Result<Option<(Vec<u8>, Option<u32>)>> {
    loop {
        match sys::receive_notice(fd(socket).as_fd(), buffer) {
            Ok((length, nsid)) if length <= buffer.len() => {
                return Ok(Some((buffer[..length].to_vec(), nsid)));
            }
            // Cut short: what it said is lost.
            Ok((length, _)) => {
                buffer.resize(length, 0);
                return Err(io::Error::from_raw_os_error(libc::ENOBUFS));
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(e) => return Err(e),
        }
    }
}

/// Opens sockets in a new network namespace, which dies with the last of them. The thread that goes
/// there ends there.
fn in_new_namespace<T: Send>(open: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    let act = || {
        // SAFETY: UnshareFlags::FILES is not among the flags: descriptors stay shared.
        unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNET) }?;
        open()
    };
    std::thread::scope(|scope| match scope.spawn(act).join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}
