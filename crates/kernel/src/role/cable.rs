//! A cable between two network cards. Each card is a tap, so the kernel shows a plain interface
//! without a peer; this process carries frames from one to the other.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags};

use crate::sys;

/// The device that taps are made with. Closed to ordinary users on most systems.
pub(crate) const TUN: &str = "/dev/net/tun";

/// Largest frame: a jumbo MTU with its header.
const FRAME: usize = 65_550;

/// Descriptors 3 and 4 are the cards, 5 is a pidfd of the far card's container: when that ends, so
/// does the cable (else it would hold that container's namespace).
pub(super) fn run() -> i32 {
    let (Some(a), Some(b), Some(far)) = (sys::inherited(3), sys::inherited(4), sys::inherited(5))
    else {
        return 1;
    };
    let mut frame = vec![0; FRAME];
    loop {
        let mut polls = [&a, &b, &far].map(|fd| PollFd::new(fd, PollFlags::IN));
        match poll(&mut polls, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return 1,
        }
        let [from_a, from_b, ended] = polls.map(|p| !p.revents().is_empty());
        if ended {
            return 0;
        }
        if from_a && carry(a.as_fd(), b.as_fd(), &mut frame).is_err()
            || from_b && carry(b.as_fd(), a.as_fd(), &mut frame).is_err()
        {
            return 0;
        }
    }
}

/// Carries what waits. A frame that the other card does not take (it is down) is lost, as on a
/// real cable; only a card that is gone is an error.
fn carry(from: BorrowedFd<'_>, to: BorrowedFd<'_>, frame: &mut [u8]) -> io::Result<()> {
    const BURST: usize = 64;
    for _ in 0..BURST {
        match rustix::io::read(from, &mut *frame) {
            Ok(0) | Err(rustix::io::Errno::AGAIN) => return Ok(()),
            Ok(len) => {
                let _ = rustix::io::write(to, &frame[..len]);
            }
            Err(rustix::io::Errno::BADFD | rustix::io::Errno::NODEV) => {
                return Err(io::ErrorKind::NotConnected.into());
            }
            Err(_) => return Ok(()),
        }
    }
    Ok(())
}

/// Opens the device that cards are made with. What is made with it belongs to the network namespace
/// that it was opened in.
pub(crate) fn open_tun() -> io::Result<OwnedFd> {
    Ok(rustix::fs::open(TUN, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?)
}

/// Makes a card in the calling thread's network namespace. It lives as long as the descriptor,
/// unless it is to stay without one.
pub(crate) fn make_card(
    tun: OwnedFd,
    name: &str,
    index: Option<u32>,
    stays: bool,
) -> io::Result<OwnedFd> {
    sys::make_tap(tun.as_fd(), name, index, stays)?;
    rustix::io::ioctl_fionbio(&tun, true)?;
    Ok(tun)
}
