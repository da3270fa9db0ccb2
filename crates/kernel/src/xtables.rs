//! The socket by which the tables of iptables-legacy are asked for and replaced, in the namespace in
//! which it was opened. Whoever asks for a table that is not there makes it.

use std::io;
use std::os::fd::OwnedFd;

use model::Family;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use wire::legacy::{INFO, Replace};

use crate::sys;

/// IPT_SO_GET_INFO, _ENTRIES, _REVISION_MATCH and _REVISION_TARGET. They are the same for IPv6, but
/// for the last two.
const GET_INFO: i32 = 64;
const GET_ENTRIES: i32 = 65;
const GET_REVISION: [i32; 2] = [66, 67];
const GET_REVISION6: [i32; 2] = [68, 69];
/// Where in struct ipt_getinfo the number of entries is, and the size of all.
const NUMBER: usize = 76;
const SIZE: usize = 80;
/// offsetof(struct ipt_get_entries, entrytable).
const HEAD: usize = 40;
/// More than the kernel lets a table have.
const MOST: usize = 512 << 20;

pub(crate) struct Xtables {
    socket: OwnedFd,
    family: Family,
    level: i32,
}

impl Xtables {
    pub(crate) fn open(family: Family) -> io::Result<Self> {
        let (domain, level) = match family {
            Family::Ip6 => (AddressFamily::INET6, libc::SOL_IPV6),
            _ => (AddressFamily::INET, libc::SOL_IP),
        };
        let protocol = Some(rustix::net::ipproto::RAW);
        let socket =
            rustix::net::socket_with(domain, SocketType::RAW, SocketFlags::CLOEXEC, protocol)?;
        Ok(Self { socket, family, level })
    }

    /// struct ipt_getinfo of a table.
    pub(crate) fn info(&self, name: &str) -> io::Result<Vec<u8>> {
        let mut info = named(name, INFO)?;
        sys::socket_option(&self.socket, self.level, GET_INFO, &mut info)?;
        Ok(info)
    }

    /// All entries of the table that this is the info of; EAGAIN if it has another size by now.
    pub(crate) fn entries(&self, name: &str, info: &[u8]) -> io::Result<Vec<u8>> {
        let size = usize::try_from(word(info, SIZE)).unwrap_or(MOST);
        if size >= MOST {
            return Err(io::Error::from(io::ErrorKind::InvalidData));
        }
        let mut entries = named(name, HEAD + size)?;
        entries[32..36].copy_from_slice(&info[SIZE..INFO]);
        sys::socket_option(&self.socket, self.level, GET_ENTRIES, &mut entries)?;
        Ok(entries.split_off(HEAD))
    }

    /// Puts another table into the place of the one that this is the info of; EAGAIN if that has
    /// another number of entries by now.
    pub(crate) fn replace(&self, info: &[u8], by: Replace) -> io::Result<()> {
        sys::replace_table(&self.socket, self.level, by, word(info, NUMBER))
    }

    /// Whether the kernel has a match, or a target, of that name and revision.
    pub(crate) fn has(&self, target: bool, name: &str, revision: u32) -> bool {
        /// sizeof(struct xt_get_revision): a name, and a revision.
        const ASKED: usize = 30;
        let ipv6 = self.family == Family::Ip6;
        let option = (if ipv6 { GET_REVISION6 } else { GET_REVISION })[usize::from(target)];
        let Ok(mut asked) = named(name, ASKED) else { return false };
        asked[ASKED - 1] = u8::try_from(revision).unwrap_or(u8::MAX);
        sys::socket_option(&self.socket, self.level, option, &mut asked).is_ok()
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_ne_bytes)
}

/// A struct of that size, which begins with a name.
fn named(name: &str, size: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; size];
    if name.len() >= size.min(32) {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    Ok(bytes)
}
