//! The tables of iptables-legacy in the calling thread's namespace: only those that are there, since
//! to ask for another would make it.

use std::io;

use rustix::net::{AddressFamily, SocketFlags, SocketType};
use wire::gathered::{Answer, Answers, Question};
use wire::legacy::INFO;

use crate::sys;

/// IPT_SO_GET_INFO and _ENTRIES, the same for IPv6.
const GET_INFO: i32 = 64;
const GET_ENTRIES: i32 = 65;
/// offsetof(struct ipt_get_entries, entrytable).
const HEAD: usize = 40;
/// Where the size of all entries is in struct ipt_getinfo.
const SIZE: usize = 80;
/// More than the kernel lets a table have.
const MOST: usize = 512 << 20;
/// How often a table is read again because it changed meanwhile.
const ATTEMPTS: usize = 5;

/// Asks for the tables that are named in what was read of /proc/net.
pub(super) fn tables(answers: &mut Answers) {
    for (names, question, family, level) in [
        (Question::IptablesNames, Question::IptablesLegacy, AddressFamily::INET, libc::SOL_IP),
        (Question::Ip6tablesNames, Question::Ip6tablesLegacy, AddressFamily::INET6, libc::SOL_IPV6),
    ] {
        let names = String::from_utf8_lossy(answers.bytes(names)).into_owned();
        let mut whole = Vec::new();
        for name in names.lines() {
            match table(family, level, name) {
                Ok(bytes) => whole.extend(bytes),
                Err(error) => {
                    answers.gap("netfilter", format_args!("iptables-legacy {name}: {error}"));
                }
            }
        }
        if !whole.is_empty() {
            answers.put(question, Answer::whole(whole));
        }
    }
}

/// Its struct ipt_getinfo, and its entries.
fn table(family: AddressFamily, level: i32, name: &str) -> io::Result<Vec<u8>> {
    let socket = rustix::net::socket_with(
        family,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        Some(rustix::net::ipproto::RAW),
    )?;
    let mut error = io::Error::from(io::ErrorKind::Interrupted);
    for _ in 0..ATTEMPTS {
        let mut info = named(name, INFO)?;
        sys::socket_option(&socket, level, GET_INFO, &mut info)?;
        let size =
            info.get(SIZE..INFO).and_then(|b| b.try_into().ok()).map_or(0, u32::from_ne_bytes);
        let size = usize::try_from(size).unwrap_or(MOST);
        if size >= MOST {
            return Err(io::Error::from(io::ErrorKind::InvalidData));
        }
        let mut entries = named(name, HEAD + size)?;
        entries[32..36].copy_from_slice(&info[SIZE..INFO]);
        // It has another size by now: EAGAIN.
        match sys::socket_option(&socket, level, GET_ENTRIES, &mut entries) {
            Ok(()) => return Ok([info, entries.split_off(HEAD)].concat()),
            Err(e) => error = e,
        }
    }
    Err(error)
}

/// A struct of that size, which begins with the table's name.
fn named(name: &str, size: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; size];
    if name.len() > 31 {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    Ok(bytes)
}
