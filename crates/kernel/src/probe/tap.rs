//! Sockets that see tagged packets on links, without changing anything there.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant, SystemTime};

use model::LinkId;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use walk::{Leg, Sighting};

use super::{Probe, Tag, filter, frame};
use crate::{netns, sys};

/// The sockets, one per link.
pub struct Taps {
    sockets: Vec<(LinkId, OwnedFd)>,
    /// Links that could not be watched, and why.
    pub refused: Vec<(LinkId, io::Error)>,
}

impl Taps {
    /// Opens a socket on each link. Each lets in only packets with that tag, from the first on.
    #[must_use]
    pub fn open(links: &[(LinkId, BorrowedFd<'_>)], tag: Tag) -> Self {
        let program = filter::program(tag);
        let mut taps = Self { sockets: Vec::new(), refused: Vec::new() };
        for (link, net) in links {
            match netns::within(net, || sys::packet_socket(&program, link.index)) {
                Ok(Ok(socket)) => taps.sockets.push((*link, socket)),
                Ok(Err(e)) | Err(e) => taps.refused.push((*link, e)),
            }
        }
        taps
    }

    /// The links that are watched.
    #[must_use]
    pub fn watched(&self) -> Vec<LinkId> {
        self.sockets.iter().map(|(link, _)| *link).collect()
    }

    /// Collects what is seen of a probe that was sent at `sent`, in order of time, until `enough`
    /// says so or nothing more has come for `patience`.
    ///
    /// # Errors
    /// If the sockets cannot be waited for.
    pub fn collect(
        &self,
        probe: &Probe,
        sent: SystemTime,
        patience: Duration,
        enough: impl Fn(&[Sighting]) -> bool,
    ) -> io::Result<Vec<Sighting>> {
        /// What follows the last packet that was waited for (its copy on the next link) is due by
        /// then.
        const GRACE: Duration = Duration::from_millis(20);
        let mut seen: Vec<Sighting> = Vec::new();
        let mut until = Instant::now() + patience;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let before = seen.len();
            self.wait(left)?;
            for (link, socket) in &self.sockets {
                while let Some(s) = receive(*link, socket, probe, sent) {
                    seen.push(s);
                }
            }
            if seen.len() > before {
                until = Instant::now() + if enough(&seen) { GRACE } else { patience };
            }
        }
        seen.sort_by_key(|s| s.after);
        Ok(seen)
    }

    fn wait(&self, at_most: Duration) -> io::Result<()> {
        let mut polls: Vec<PollFd<'_>> =
            self.sockets.iter().map(|(_, s)| PollFd::new(s, PollFlags::IN)).collect();
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

/// The next packet that waits on a socket, if it is the probe's.
fn receive(link: LinkId, socket: &OwnedFd, probe: &Probe, sent: SystemTime) -> Option<Sighting> {
    loop {
        let mut bytes = [0; 2048];
        let packet = sys::receive_packet(socket.as_fd(), &mut bytes).ok()?;
        let after = packet.at.duration_since(sent).unwrap_or_default();
        if let Some((packet_seen, leg)) = frame::received(&bytes[..packet.len], packet.bare, probe)
        {
            return Some(Sighting {
                link,
                outgoing: packet.outgoing,
                after,
                packet: packet_seen,
                leg,
            });
        }
    }
}

/// Whether the answer (or an error) has come in by one of those links, which is where a probe's
/// sender gets it.
#[must_use]
pub fn answered(seen: &[Sighting], links: &[LinkId]) -> bool {
    seen.iter().any(|s| s.leg != Leg::There && !s.outgoing && links.contains(&s.link))
}
