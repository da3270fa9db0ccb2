//! Namespace-wide settings out of /proc/sys/net, which shows those of the reading thread's
//! namespace.

use std::io;
use std::os::fd::OwnedFd;

use model::{InetConf, Sysctls};
use rustix::fs::{Mode, OFlags, open, openat};

/// The settings of the calling thread's namespace.
pub(super) fn read() -> io::Result<Sysctls> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let net = open("/proc/sys/net", flags, Mode::empty())?;
    let number = |path| number(&net, path);
    let bridge = |path| number(path).map(|n| n != 0);
    Ok(Sysctls {
        ip_forward: number("ipv4/ip_forward").unwrap_or_default() != 0,
        all: conf(&net, "all"),
        default: conf(&net, "default"),
        default_ttl: small(number("ipv4/ip_default_ttl")),
        multipath_hash_policy: small(number("ipv4/fib_multipath_hash_policy")),
        bridge_nf_call_iptables: bridge("bridge/bridge-nf-call-iptables"),
        bridge_nf_call_arptables: bridge("bridge/bridge-nf-call-arptables"),
        icmp_echo_ignore_all: number("ipv4/icmp_echo_ignore_all").unwrap_or_default() != 0,
        ipv6_forwarding: number("ipv6/conf/all/forwarding").unwrap_or_default() != 0,
    })
}

/// `net.ipv4.conf.all` or `.default`. (Those of links come with the links.)
fn conf(net: &OwnedFd, of: &str) -> InetConf {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(dir) = openat(net, format!("ipv4/conf/{of}"), flags, Mode::empty()) else {
        return InetConf::default();
    };
    let value = |name| small(number(&dir, name));
    let flag = |name| value(name) != 0;
    InetConf {
        forwarding: flag("forwarding"),
        rp_filter: value("rp_filter"),
        accept_local: flag("accept_local"),
        route_localnet: flag("route_localnet"),
        arp_ignore: value("arp_ignore"),
        arp_announce: value("arp_announce"),
        arp_filter: flag("arp_filter"),
        proxy_arp: flag("proxy_arp"),
        proxy_arp_pvlan: flag("proxy_arp_pvlan"),
        src_valid_mark: flag("src_valid_mark"),
        ignore_routes_with_linkdown: flag("ignore_routes_with_linkdown"),
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
