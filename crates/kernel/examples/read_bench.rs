//! How long a whole read takes beside the floor: the same dumps, asked namespace by namespace and
//! thrown away.
//!
//! `cargo run --release -p kernel --example read_bench -- 1000 [files|processes [PART]]` as root. Makes that
//! many namespaces, each with a veth into one bridge, an address and a default route; shown by
//! files, or by a process each. Everything is in namespaces of its own, and gone when it ends.

#![allow(clippy::print_stdout, reason = "its result")]

use std::error::Error;
use std::fs::File;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kernel::netlink::{Protocol, Request, Socket};
use kernel::read::{Parts, ReadOptions, read};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{
    InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteMessage, RouteProtocol, RouteType,
};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_bind, mount_change};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space, unshare_unsafe};

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let mut words = std::env::args().skip(1);
    let count: usize = words.next().map_or(Ok(1000), |n| n.parse())?;
    let processes = words.next().as_deref() == Some("processes");
    let only = words.next().unwrap_or_default();
    apart()?;
    let start = Instant::now();
    let spaces = namespaces(count)?;
    let mut children = if processes { sleepers(&spaces)? } else { Vec::new() };
    println!("made {count} namespaces in {:?}", start.elapsed());

    let parts = [
        ("links and addresses", Parts::empty()),
        ("  and nsids", Parts::NSIDS),
        ("  and routes, rules, sysctls", Parts::ROUTES),
        ("  and neighbours", Parts::NEIGHBOURS),
        ("  and netfilter", Parts::NETFILTER),
        ("  and conntrack", Parts::CONNTRACK),
        ("everything", Parts::all()),
    ];
    // A thousand new links first tell each other about themselves.
    std::thread::sleep(Duration::from_secs(5));
    let (floor, cpu) = median(|| floor(&spaces))?;
    println!("{:>30} {floor:.0?}, on the processors {cpu:.0?}", "the floor");
    for (name, parts) in parts.into_iter().filter(|(name, _)| name.contains(&only)) {
        let (time, cpu) = median(|| whole(parts))?;
        let ratio = time.as_secs_f64() / floor.as_secs_f64();
        println!("{name:>30} {time:.0?}, {ratio:.2} floors, on the processors {cpu:.0?}");
    }
    for child in &mut children {
        child.kill()?;
        child.wait()?;
    }
    Ok(())
}

fn whole(parts: Parts) -> Outcome<Duration> {
    let start = Instant::now();
    let snapshot = read(&ReadOptions { parts, ..ReadOptions::default() })?;
    let time = start.elapsed();
    // Others may come and go on this machine; ours do not.
    let mut ours = snapshot.namespaces.values().filter(|n| !n.files.is_empty());
    assert!(ours.all(|n| n.gaps.is_empty()), "a gap in the view");
    Ok(time)
}

/// Of seven runs: the time, and the processor time of all threads.
fn median(mut run: impl FnMut() -> Outcome<Duration>) -> Outcome<(Duration, Duration)> {
    let (mut times, mut cpus) = (Vec::new(), Vec::new());
    for _ in 0..7 {
        let before = cpu();
        times.push(run()?);
        cpus.push(cpu().saturating_sub(before));
    }
    times.sort_unstable();
    cpus.sort_unstable();
    Ok((times[times.len() / 2], cpus[cpus.len() / 2]))
}

fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Into mount and network namespaces of its own, with an empty /run.
fn apart() -> Outcome<()> {
    // SAFETY: UnshareFlags::FILES is not among the flags; there is one thread.
    unsafe { unshare_unsafe(UnshareFlags::NEWNET | UnshareFlags::NEWNS) }?;
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    mount("tmpfs", "/run", "tmpfs", MountFlags::empty(), None)?;
    std::fs::create_dir("/run/netns")?;
    Ok(())
}

fn namespaces(count: usize) -> Outcome<Vec<File>> {
    let mut here = Socket::open(Protocol::Route)?;
    here.ack(Request::from(bridge()).create())?;
    let bridge = 2;
    let mut spaces = Vec::new();
    for nth in 0..count {
        let path = format!("/run/netns/n{nth}");
        File::create(&path)?;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // SAFETY: UnshareFlags::FILES is not among the flags.
                unsafe { unshare_unsafe(UnshareFlags::NEWNET) }?;
                mount_bind("/proc/thread-self/ns/net", path.as_str())
            });
        });
        let space = File::open(&path)?;
        here.ack(Request::from(veth(nth, bridge, &space)).create())?;
        inside(nth, &space)?;
        spaces.push(space);
    }
    Ok(spaces)
}

fn bridge() -> RouteNetlinkMessage {
    let mut message = LinkMessage::default();
    message.header.flags = LinkFlags::Up;
    message.header.change_mask = LinkFlags::Up;
    message.attributes.push(LinkAttribute::IfName("br0".into()));
    message.attributes.push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Bridge)]));
    RouteNetlinkMessage::NewLink(message)
}

fn veth(nth: usize, bridge: u32, space: &File) -> RouteNetlinkMessage {
    let mut peer = LinkMessage::default();
    peer.attributes.push(LinkAttribute::IfName("eth0".into()));
    peer.attributes.push(LinkAttribute::NetNsFd(space.as_raw_fd()));
    let mut message = LinkMessage::default();
    message.header.flags = LinkFlags::Up;
    message.header.change_mask = LinkFlags::Up;
    message.attributes.push(LinkAttribute::IfName(format!("v{nth}")));
    message.attributes.push(LinkAttribute::Controller(bridge));
    let data = LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(peer)));
    message.attributes.push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Veth), data]));
    RouteNetlinkMessage::NewLink(message)
}

fn inside(nth: usize, space: &File) -> Outcome<()> {
    let mut socket = Socket::open_in(space, Protocol::Route)?;
    let mut link = LinkMessage::default();
    link.header.index = 2;
    link.header.flags = LinkFlags::Up;
    link.header.change_mask = LinkFlags::Up;
    socket.ack(RouteNetlinkMessage::SetLink(link))?;
    let [.., high, low] = u32::try_from(nth + 2)?.to_be_bytes();
    let mut address = AddressMessage::default();
    address.header.family = netlink_packet_route::AddressFamily::Inet;
    address.header.prefix_len = 16;
    address.header.index = 2;
    let ip = IpAddr::from(Ipv4Addr::new(10, 77, high, low));
    address.attributes.push(AddressAttribute::Local(ip));
    address.attributes.push(AddressAttribute::Address(ip));
    socket.ack(Request::from(RouteNetlinkMessage::NewAddress(address)).create())?;
    let mut route = RouteMessage::default();
    route.header.address_family = netlink_packet_route::AddressFamily::Inet;
    route.header.table = 254;
    route.header.protocol = RouteProtocol::Boot;
    route.header.kind = RouteType::Unicast;
    let gateway = RouteAddress::Inet(Ipv4Addr::new(10, 77, 0, 1));
    route.attributes.push(RouteAttribute::Gateway(gateway));
    socket.ack(Request::from(RouteNetlinkMessage::NewRoute(route)).create())?;
    Ok(())
}

fn sleepers(spaces: &[File]) -> Outcome<Vec<Child>> {
    let mut children = Vec::new();
    for space in spaces {
        let fd = space.as_fd().try_clone_to_owned()?;
        let enter = move || {
            move_into_link_name_space(fd.as_fd(), Some(LinkNameSpaceType::Network))
                .map_err(Into::into)
        };
        let mut command = Command::new("sleep");
        command.arg("600").stdin(Stdio::null());
        // SAFETY: setns is all that runs between fork and exec.
        unsafe { command.pre_exec(enter) };
        children.push(command.spawn()?);
    }
    Ok(children)
}

/// One thread, the same questions, nothing decoded.
fn floor(spaces: &[File]) -> Outcome<Duration> {
    let ask = || -> Outcome<()> {
        for space in spaces {
            move_into_link_name_space(space.as_fd(), Some(LinkNameSpaceType::Network))?;
            let mut socket = Socket::open(Protocol::Route)?;
            for request in [
                wire::rtnl::get_links(None),
                wire::rtnl::get_addresses(None, false),
                wire::rtnl::get_addresses(None, true),
                wire::rtnl::get_routes(false),
                wire::rtnl::get_routes(true),
                wire::rtnl::get_rules(),
                wire::rtnl::get_neighbours(false),
                wire::rtnl::get_nsids(None),
            ] {
                socket.dump(request)?;
            }
        }
        Ok(())
    };
    let start = Instant::now();
    let run = || ask().map_err(|e| e.to_string());
    std::thread::scope(|scope| scope.spawn(run).join()).map_err(|_| "panicked")??;
    Ok(start.elapsed())
}
