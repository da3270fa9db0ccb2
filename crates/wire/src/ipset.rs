//! ipset as the kernel speaks it: nfnetlink messages ↔ [`IpSet`].
//!
//! Reading: send [`request::list`], keep the raw replies, [`decode`]. Writing: [`request::kind`] asks
//! which revision of a type the kernel has, then [`request::create`] and [`request::add`]; what is to be
//! replaced while rules name it is made under another name and swapped ([`request::swap`]).
//!
//! Sources: `include/uapi/linux/netfilter/ipset/ip_set.h`, `net/netfilter/ipset`.

mod attribute;
mod decode;
pub mod request;

pub use decode::{BUSY, decode, refusal, revision};

/// NFNL_SUBSYS_IPSET, the high byte of every message type here.
const SUBSYSTEM: u16 = 6;
/// IPSET_PROTOCOL: that of Linux 4.20 and later, by which a set's number is told.
const PROTOCOL: u8 = 7;

/// IPSET_CMD_*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
enum Command {
    Create = 2,
    Destroy = 3,
    Swap = 6,
    List = 7,
    Add = 9,
    Type = 13,
}

impl Command {
    const fn number(self) -> u16 {
        SUBSYSTEM << 8 | self as u16
    }
}
