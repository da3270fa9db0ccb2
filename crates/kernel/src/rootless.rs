//! What an ordinary user may do: everything, inside a user namespace of their own.

use std::io;

use crate::sys::{self, Spaces};

/// Whether this process has the rights that building and looking into namespaces take
/// (CAP_SYS_ADMIN and CAP_NET_ADMIN), as its own effective set says.
///
/// # Errors
/// If /proc does not tell.
pub fn missing_capabilities() -> io::Result<Vec<&'static str>> {
    const CAP_NET_ADMIN: u32 = 12;
    const CAP_NET_RAW: u32 = 13;
    const CAP_SYS_ADMIN: u32 = 21;
    let status = std::fs::read_to_string("/proc/self/status")?;
    let effective = status
        .lines()
        .find_map(|l| l.strip_prefix("CapEff:"))
        .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
        .ok_or(io::ErrorKind::InvalidData)?;
    let wanted = [
        (CAP_SYS_ADMIN, "CAP_SYS_ADMIN"),
        (CAP_NET_ADMIN, "CAP_NET_ADMIN"),
        (CAP_NET_RAW, "CAP_NET_RAW"),
    ];
    Ok(wanted.into_iter().filter(|(n, _)| effective & (1 << n) == 0).map(|(_, s)| s).collect())
}

/// Moves this process into a user namespace, a network namespace and a mount namespace of its own,
/// as root of the first. To be called while it has one thread.
///
/// # Errors
/// If the kernel (or the distribution's policy) forbids user namespaces to ordinary users.
pub fn enter_own_user_namespace() -> io::Result<()> {
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    sys::unshare(Spaces::USER.and(Spaces::NET).and(Spaces::MOUNT))?;
    std::fs::write("/proc/self/setgroups", "deny")?;
    std::fs::write("/proc/self/uid_map", format!("0 {uid} 1"))?;
    std::fs::write("/proc/self/gid_map", format!("0 {gid} 1"))?;
    Ok(())
}

/// This process's effective user id.
#[must_use]
pub fn user_id() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Whether this process's user namespace has ids to give to containers of their own (root's on the
/// host has all; one that an ordinary user made has one).
#[must_use]
pub fn has_all_ids() -> bool {
    let maps = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let count = |line: &str| line.split_whitespace().nth(2).and_then(|n| n.parse::<u64>().ok());
    maps.lines().filter_map(count).sum::<u64>() > 165_536
}
