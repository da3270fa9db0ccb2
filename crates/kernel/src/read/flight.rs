//! Descriptors in flight: sent over a unix socket and not yet received. Nothing shows what they
//! stand for; that there are some, the socket tells.

use std::os::fd::{AsRawFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::fstat;
use rustix::net::{AddressFamily, sockopt::socket_domain};

/// The inode of a socket in which some wait, and how many; those of connections that nobody has
/// accepted yet included.
pub(super) fn waiting(socket: &OwnedFd) -> Option<(u64, u32)> {
    if socket_domain(socket) != Ok(AddressFamily::UNIX) || !is_readable(socket) {
        return None;
    }
    let path = format!("/proc/thread-self/fdinfo/{}", socket.as_raw_fd());
    let count = count(&std::fs::read_to_string(path).ok()?);
    (count > 0).then_some((fstat(socket).ok()?.st_ino, count))
}

/// Whether anything waits at all: asked in no time, and nearly always answered with no. Of other
/// sockets than these even that question may throw packets away.
fn is_readable(socket: &OwnedFd) -> bool {
    let mut asked = [PollFd::new(socket, PollFlags::IN)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut asked, Some(&at_once)).is_ok() && asked[0].revents().contains(PollFlags::IN)
}

/// `scm_fds: 1`, a line of /proc/PID/fdinfo/N of a unix socket.
fn count(fdinfo: &str) -> u32 {
    let line = fdinfo.lines().find_map(|l| l.strip_prefix("scm_fds:"));
    line.and_then(|number| number.trim().parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_socket_tells() {
        assert_eq!(count("pos:\t0\nflags:\t02000002\nino:\t8\nscm_fds: 3\n"), 3);
        assert_eq!(count("pos:\t0\nflags:\t02000002\n"), 0);
    }
}
