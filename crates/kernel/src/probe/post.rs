//! Sockets that see a family's packets on every link of a namespace.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, SystemTime};

use model::{LinkId, NsId};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use walk::Sighting;

use super::{Probe, Tag, filter, frame};
use crate::{netns, sys};

/// Room for a packet that goes round until its time to live runs out, on all links.
const ROOM: i32 = 4 << 20;

/// One socket for each namespace, for many probes one after another: closing a packet socket makes
/// the kernel wait, so that one per link and probe would take longer than all else.
#[derive(Debug)]
pub struct Posts(Vec<(NsId, OwnedFd)>);

impl Posts {
    /// Opens a socket in each namespace. It lets in only packets with tags of that family, from
    /// the first on.
    ///
    /// # Errors
    /// If a namespace cannot be watched.
    pub fn open(namespaces: &[(NsId, BorrowedFd<'_>)], tag: Tag) -> io::Result<Self> {
        let program = filter::family(tag);
        let open = |(ns, net): &(NsId, BorrowedFd<'_>)| {
            let socket = netns::within(net, || sys::packet_socket(&program, 0))??;
            sys::make_room(socket.as_fd(), ROOM)?;
            Ok((*ns, socket))
        };
        namespaces.iter().map(open).collect::<io::Result<_>>().map(Self)
    }

    /// Takes what has been seen of a probe since the last time, and of its answers and errors.
    /// What is of another probe is let go.
    ///
    /// # Errors
    /// If a frame was lost because nobody took it in time.
    pub fn take(&self, probe: &Probe, sent: SystemTime) -> io::Result<Vec<Sighting>> {
        let mut seen = Vec::new();
        for (ns, socket) in &self.0 {
            take(*ns, socket, probe, sent, &mut seen)?;
        }
        Ok(seen)
    }

    /// Waits until something is seen, or for so long.
    ///
    /// # Errors
    /// If the sockets cannot be waited for.
    pub fn wait(&self, at_most: Duration) -> io::Result<()> {
        let mut polls: Vec<PollFd<'_>> =
            self.0.iter().map(|(_, s)| PollFd::new(s, PollFlags::IN)).collect();
        let timeout = Timespec {
            tv_sec: i64::try_from(at_most.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(at_most.subsec_nanos()),
        };
        match poll(&mut polls, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }
}

fn take(
    ns: NsId,
    socket: &OwnedFd,
    probe: &Probe,
    sent: SystemTime,
    seen: &mut Vec<Sighting>,
) -> io::Result<()> {
    let mut bytes = [0; 2048];
    loop {
        let received = match sys::receive_packet(socket.as_fd(), &mut bytes) {
            Ok(received) => received,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                return match sys::frames_lost(socket.as_fd())? {
                    0 => Ok(()),
                    n => Err(io::Error::other(format!("{n} frames were not seen in time"))),
                };
            }
            Err(e) => return Err(e),
        };
        if let Some((packet, leg)) = frame::received(&bytes[..received.len], received.bare, probe) {
            let link = LinkId { ns, index: received.link };
            let after = received.at.duration_since(sent).unwrap_or_default();
            seen.push(Sighting { link, outgoing: received.outgoing, after, packet, leg });
        }
    }
}
