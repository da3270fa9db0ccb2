//! Namespace-wide settings out of /proc/sys/net, which shows those of the reading thread's
//! namespace.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use model::{InetConf, Sysctls};
use rustix::fs::{Mode, OFlags, open, openat};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};
use wire::rtnl::{self, ConfOf, NetConf};

use crate::netlink::{NetlinkError, Request, Socket};

/// How many namespaces are read through one instance of procfs.
const USES: u32 = 16;

/// Where a worker reads settings.
///
/// The kernel keeps the entries of all namespaces under one name in one chain of its cache, so that
/// a thousand namespaces read through the same /proc take a million comparisons, now and by
/// everybody else later. Hence an instance of procfs of our own, mounted nowhere, and a new one
/// before the chain is long.
#[derive(Debug, Default)]
pub(super) struct Source {
    instance: Option<OwnedFd>,
    uses: u32,
}

impl Source {
    /// The settings of the calling thread's namespace.
    pub(super) fn read(&mut self, socket: &mut Socket) -> io::Result<Sysctls> {
        if self.uses.is_multiple_of(USES) {
            self.instance = instance().ok();
        }
        self.uses = self.uses.wrapping_add(1);
        match &self.instance {
            Some(root) => read(&openat(root, "sys/net", DIRECTORY, Mode::empty())?, socket),
            None => read(&open("/proc/sys/net", DIRECTORY, Mode::empty())?, socket),
        }
    }
}

const DIRECTORY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// A procfs that is mounted nowhere. Without the right to mount, the one at /proc has to do.
fn instance() -> io::Result<OwnedFd> {
    let context = fsopen("proc", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_create(context.as_fd())?;
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID
        | MountAttrFlags::MOUNT_ATTR_NODEV
        | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    Ok(fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes)?)
}

fn read(net: &OwnedFd, socket: &mut Socket) -> io::Result<Sysctls> {
    let four = openat(net, "ipv4", DIRECTORY, Mode::empty())?;
    let bridge = openat(net, "bridge", DIRECTORY, Mode::empty()).ok();
    let bridge = |path| number(bridge.as_ref()?, path).map(|n| n != 0);
    let all = told(socket, ConfOf::All)?;
    Ok(Sysctls {
        // The file ip_forward shows this very value.
        ip_forward: all.forwarding,
        all: conf(&openat(&four, "conf/all", DIRECTORY, Mode::empty())?, all),
        default: conf(
            &openat(&four, "conf/default", DIRECTORY, Mode::empty())?,
            told(socket, ConfOf::Default)?,
        ),
        default_ttl: small(number(&four, "ip_default_ttl")),
        multipath_hash_policy: small(number(&four, "fib_multipath_hash_policy")),
        bridge_nf_call_iptables: bridge("bridge-nf-call-iptables"),
        bridge_nf_call_arptables: bridge("bridge-nf-call-arptables"),
        icmp_echo_ignore_all: small(number(&four, "icmp_echo_ignore_all")) != 0,
        // A kernel without IPv6 does not answer.
        ipv6_forwarding: told(socket, ConfOf::AllIpv6).is_ok_and(|c| c.forwarding),
    })
}

/// The settings that netlink tells, which costs far less than files.
fn told(socket: &mut Socket, of: ConfOf) -> Result<NetConf, NetlinkError> {
    let reply = socket.get(Request::new(rtnl::RTM_GETNETCONF, rtnl::get_netconf(of)))?;
    let conf = rtnl::messages(&reply).find_map(|m| rtnl::netconf(&m));
    conf.ok_or_else(|| NetlinkError::new(rustix::io::Errno::BADMSG))
}

/// `net.ipv4.conf.all` or `.default`. (Those of links come with the links.)
fn conf(dir: &OwnedFd, told: NetConf) -> InetConf {
    let value = |name| small(number(dir, name));
    let flag = |name| value(name) != 0;
    InetConf {
        forwarding: told.forwarding,
        rp_filter: told.rp_filter,
        accept_local: flag("accept_local"),
        route_localnet: flag("route_localnet"),
        arp_ignore: value("arp_ignore"),
        arp_announce: value("arp_announce"),
        arp_filter: flag("arp_filter"),
        proxy_arp: told.proxy_arp,
        proxy_arp_pvlan: flag("proxy_arp_pvlan"),
        src_valid_mark: flag("src_valid_mark"),
        ignore_routes_with_linkdown: told.ignore_routes_with_linkdown,
        send_redirects: flag("send_redirects"),
    }
}

fn small(number: Option<i64>) -> u8 {
    number.map_or(0, |n| u8::try_from(n).unwrap_or(u8::MAX))
}

/// The number in a file; None if there is no such file, or no number in it.
fn number(dir: &OwnedFd, path: &str) -> Option<i64> {
    let file = openat(dir, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let mut buffer = [0; 32];
    let length = rustix::io::read(&file, &mut buffer[..]).ok()?;
    std::str::from_utf8(&buffer[..length]).ok()?.trim().parse().ok()
}
