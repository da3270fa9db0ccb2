//! Markers: packets that come after, so that what went before them has been dealt with.

use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::AsFd;
use std::thread;
use std::time::Duration;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::sys::{self, Spaces};

/// A way for marker packets: the loopback of a network namespace of its own.
///
/// A packet that goes through a veth or a loopback is put at the end of its CPU's queue of received
/// packets, and taken from there in turn. A marker that is put there after it comes out after it.
/// So each marker that has come back tells that every packet that was under way on that CPU has
/// got one link further, or has come to its end; and, as the kernel does one CPU's timers and
/// receiving one after the other, that what a timer was about to send has been sent.
#[derive(Debug)]
pub struct Barrier {
    socket: UdpSocket,
    cpus: Vec<usize>,
}

impl Barrier {
    /// A namespace with nothing in it but its loopback, which ends with this value.
    ///
    /// # Errors
    /// If the kernel refuses a namespace.
    pub fn new() -> io::Result<Self> {
        let socket = thread::scope(|scope| {
            let make = scope.spawn(|| {
                sys::unshare(Spaces::NET)?;
                sys::loopback_up()?;
                let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
                socket.connect(socket.local_addr()?)?;
                socket.set_read_timeout(Some(Duration::from_secs(10)))?;
                // While some socket wants them, the kernel stamps all packets; it begins to do so
                // only a while after the first one wants them.
                sys::stamp(socket.as_fd())?;
                io::Result::Ok(socket)
            });
            make.join().unwrap_or_else(|_| Err(io::Error::other("panicked")))
        })?;
        let allowed = sched_getaffinity(None)?;
        let cpus = (0..CpuSet::MAX_CPU).filter(|cpu| allowed.is_set(*cpu)).collect();
        Ok(Self { socket, cpus })
    }

    /// Sends so many markers, one after the other, on every CPU, and waits for each.
    ///
    /// # Errors
    /// If one does not come back.
    pub fn pass(&self, markers: usize) -> io::Result<()> {
        let before = sched_getaffinity(None)?;
        let passed = self.cpus.iter().try_for_each(|cpu| {
            let mut only = CpuSet::new();
            only.set(*cpu);
            sched_setaffinity(None, &only)?;
            self.pass_here(markers)
        });
        sched_setaffinity(None, &before)?;
        passed
    }

    fn pass_here(&self, markers: usize) -> io::Result<()> {
        for marker in 0..markers {
            self.socket.send(&marker.to_ne_bytes())?;
            let mut back = [0; 8];
            self.socket.recv(&mut back)?;
        }
        Ok(())
    }
}
