//! The observer: a network namespace of our own whose numbers stand for all the others.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use model::{HostId, NsId, NsKey};
use rustix::thread::{UnshareFlags, unshare_unsafe};
use wire::rtnl::{self, NsidRow, RawLink};

use super::find::Candidate;
use crate::netlink::{NetlinkError, Protocol, Request, Socket};

/// Number of the first candidate. What the kernel numbers by itself comes from 0 on, so that the
/// two never meet.
const FIRST: u32 = 1 << 20;
/// How many namespaces are numbered, and so held open, at a time.
const CHUNK: usize = 128;
/// A table of nsids comes in one piece of at most this size, and ends there without a word.
const PIECE: usize = 32 << 10;

/// Sockets in the observer's namespace. It dies with the last of them.
#[derive(Debug)]
pub(super) struct Observer {
    sockets: Vec<Socket>,
    ids: Vec<NsId>,
}

/// One worker's socket, and what the numbers mean.
#[derive(Debug)]
pub(super) struct View<'a> {
    socket: &'a mut Socket,
    ids: &'a [NsId],
}

impl Observer {
    /// Makes the namespace, with a socket for each of `workers`, and numbers the candidates there.
    pub(super) fn new(candidates: &[Candidate], workers: usize) -> Result<Self, NetlinkError> {
        let mut observer = Self {
            sockets: sockets(workers)?,
            ids: candidates.iter().map(|c| c.namespace.id).collect(),
        };
        for (nth, chunk) in candidates.chunks(CHUNK).enumerate() {
            observer.number(nth * CHUNK, chunk)?;
        }
        Ok(observer)
    }

    /// Those that cannot be opened or numbered are found out when they are asked.
    fn number(&mut self, first: usize, chunk: &[Candidate]) -> Result<(), NetlinkError> {
        let fds: Vec<io::Result<OwnedFd>> = chunk.iter().map(Candidate::open).collect();
        let requests: Vec<Request> = fds
            .iter()
            .enumerate()
            .filter_map(|(i, fd)| {
                let fd = u32::try_from(fd.as_ref().ok()?.as_raw_fd()).ok()?;
                Some(rtnl::new_nsid(fd, number(first + i)).into())
            })
            .collect();
        let Some(socket) = self.sockets.first_mut() else { return Ok(()) };
        socket.batch(&requests).map(drop)
    }

    /// One view per worker.
    pub(super) fn views(&mut self) -> impl Iterator<Item = View<'_>> {
        self.sockets.iter_mut().map(|socket| View { socket, ids: &self.ids })
    }

    /// The namespace that a number of the observer's stands for.
    pub(super) fn namespace(&self, nsid: i32) -> Option<NsId> {
        namespace(&self.ids, nsid)
    }
}

/// The observer's number for the candidate at that place.
pub(super) fn number(place: usize) -> u32 {
    FIRST + u32::try_from(place).unwrap_or(u32::MAX - FIRST)
}

/// The number of a namespace that only the kernel numbered.
pub(super) fn unseen(nsid: i32) -> Option<u32> {
    u32::try_from(nsid).ok().filter(|n| *n < FIRST)
}

fn namespace(ids: &[NsId], nsid: i32) -> Option<NsId> {
    let number = u32::try_from(nsid).ok()?;
    match number.checked_sub(FIRST) {
        Some(place) => ids.get(usize::try_from(place).ok()?).copied(),
        None => Some(NsId { host: HostId(0), key: NsKey::Unseen(number) }),
    }
}

impl View<'_> {
    /// The links of the namespace with that number.
    pub(super) fn links(&mut self, number: u32) -> Result<(Vec<RawLink>, bool), NetlinkError> {
        let replies = self.socket.dump(Request::from(rtnl::get_links(Some(number))))?;
        let links = replies.messages().filter_map(|m| rtnl::link(&m)).collect();
        Ok((links, replies.consistent))
    }

    /// The addresses of the namespace with that number.
    pub(super) fn addresses(
        &mut self,
        number: u32,
        ipv6: bool,
    ) -> Result<(Vec<model::Address>, bool), NetlinkError> {
        let replies = self.socket.dump(Request::from(rtnl::get_addresses(Some(number), ipv6)))?;
        let addresses = replies.messages().filter_map(|m| rtnl::address(&m)).collect();
        Ok((addresses, replies.consistent))
    }

    /// The table of nsids of the namespace with that number: own number, and whom it stands for
    /// where the observer knows it.
    pub(super) fn nsids(&mut self, of: u32) -> Result<Vec<(u32, Option<NsId>)>, NetlinkError> {
        let replies = self.socket.dump(Request::from(rtnl::get_nsids(Some(of))))?;
        let mut rows: Vec<NsidRow> = replies.messages().filter_map(|m| rtnl::nsid(&m)).collect();
        if replies.bytes.len() + 64 > PIECE {
            rows.extend((0..self.ids.len()).filter_map(|i| self.row(of, number(i))));
        }
        let known = |row: NsidRow| {
            let whom = row.current.and_then(|n| namespace(self.ids, n.cast_signed()));
            Some((row.nsid?, whom))
        };
        Ok(rows.into_iter().filter_map(known).collect())
    }

    /// One row of a table that is too long to come whole.
    fn row(&mut self, of: u32, about: u32) -> Option<NsidRow> {
        let reply = self.socket.get(Request::from(rtnl::get_nsid(of, about))).ok()?;
        let row = rtnl::messages(&reply).find_map(|m| rtnl::nsid(&m))?;
        Some(NsidRow { current: Some(about), ..row })
    }
}

/// Opens sockets in a new namespace. The thread that goes there ends there.
fn sockets(count: usize) -> Result<Vec<Socket>, NetlinkError> {
    let open = || {
        // SAFETY: UnshareFlags::FILES is not among the flags: descriptors stay shared.
        unsafe { unshare_unsafe(UnshareFlags::NEWNET) }?;
        (0..count).map(|_| Socket::open(Protocol::Route)).collect()
    };
    std::thread::scope(|scope| match scope.spawn(open).join() {
        Ok(sockets) => sockets,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}
