//! The observer: a network namespace of our own whose numbers stand for all the others.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use model::NsId;
use rustix::thread::{UnshareFlags, unshare_unsafe};
use wire::gathered::{Answer, Answers, Numbering, Question};
use wire::rtnl;

use super::Parts;
use super::find::Candidate;
use super::inside::{ask, list, outside};
use super::share::share;
use crate::netlink::{NetlinkError, Protocol, Request, Socket};

/// Number of the first candidate. What the kernel numbers by itself comes from 0 on, so that the
/// two never meet.
const FIRST: u32 = 1 << 20;
/// How many namespaces each worker numbers, and so holds open, at a time.
const CHUNK: usize = 64;
/// A table of nsids comes in one piece of at most this size, and ends there without a word.
const PIECE: usize = 32 << 10;

/// Sockets in the observer's namespace. It dies with the last of them.
#[derive(Debug)]
pub(super) struct Observer {
    sockets: Vec<Socket>,
    ids: Vec<NsId>,
}

/// One worker's socket, and how many namespaces have a number.
#[derive(Debug)]
pub(super) struct View<'a> {
    socket: &'a mut Socket,
    count: usize,
}

impl Observer {
    /// Makes the namespace, with a socket for each of `workers`, and numbers the candidates there.
    pub(super) fn new(candidates: &[Candidate], workers: usize) -> Result<Self, NetlinkError> {
        let mut sockets = sockets(workers)?;
        let chunks: Vec<&[Candidate]> = candidates.chunks(CHUNK).collect();
        let number =
            |socket: &mut &mut Socket, nth: usize| number_all(socket, nth * CHUNK, chunks[nth]);
        share(&mut sockets, chunks.len(), number).into_iter().collect::<Result<(), _>>()?;
        Ok(Self { sockets, ids: candidates.iter().map(|c| c.namespace.id).collect() })
    }

    /// One view per worker.
    pub(super) fn views(&mut self) -> impl Iterator<Item = View<'_>> {
        let count = self.ids.len();
        self.sockets.iter_mut().map(move |socket| View { socket, count })
    }

    /// Whom the numbers stand for.
    pub(super) fn numbering(&self) -> Numbering {
        Numbering { first: FIRST, namespaces: self.ids.clone() }
    }
}

/// Gives numbers to candidates, from that place on. Those that cannot be opened or numbered are
/// found out when they are asked; what is denied for one (CAP_NET_ADMIN) is denied for all.
fn number_all(socket: &mut Socket, first: usize, chunk: &[Candidate]) -> Result<(), NetlinkError> {
    let fds: Vec<io::Result<OwnedFd>> = chunk.iter().map(Candidate::open).collect();
    let request = |(i, fd): (usize, &io::Result<OwnedFd>)| {
        let fd = u32::try_from(fd.as_ref().ok()?.as_raw_fd()).ok()?;
        Some(rtnl::new_nsid(fd, number(first + i)).into())
    };
    let requests: Vec<Request> = fds.iter().enumerate().filter_map(request).collect();
    let denied =
        |refusal: crate::netlink::Refusal| refusal.error.is_denied().then_some(refusal.error);
    socket.batch(&requests)?.into_iter().find_map(denied).map_or(Ok(()), Err)
}

/// The observer's number for the candidate at that place.
pub(super) fn number(place: usize) -> u32 {
    FIRST + u32::try_from(place).unwrap_or(u32::MAX - FIRST)
}

/// The number of a namespace that only the kernel numbered.
pub(super) fn unseen(nsid: i32) -> Option<u32> {
    u32::try_from(nsid).ok().filter(|n| *n < FIRST)
}

impl View<'_> {
    /// Asks for the links of the namespace with that number, and for its addresses if they are
    /// among the parts.
    pub(super) fn outside(&mut self, number: u32, parts: Parts, answers: &mut Answers) {
        ask(self.socket, answers, outside(Some(number), parts));
    }

    /// Asks for the table of nsids of the namespace with that number.
    pub(super) fn nsids(&mut self, of: u32, answers: &mut Answers) {
        let replies = self.socket.dump(Request::from(rtnl::get_nsids(Some(of))));
        let cut = replies.as_ref().is_ok_and(|r| r.bytes.len() + 64 > PIECE);
        answers.put(Question::Nsids, list(replies));
        if cut {
            let rows = (0..self.count).filter_map(|i| self.row(of, number(i))).flatten();
            answers.put(Question::NsidRows, Answer::whole(rows.collect()));
        }
    }

    /// One row of a table that is too long to come whole. What is there said of whom it is about
    /// is the question's own sequence number.
    fn row(&mut self, of: u32, about: u32) -> Option<Vec<u8>> {
        let mut reply = self.socket.get(Request::from(rtnl::get_nsid(of, about))).ok()?;
        reply.get_mut(8..12)?.copy_from_slice(&about.to_ne_bytes());
        Some(reply)
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
