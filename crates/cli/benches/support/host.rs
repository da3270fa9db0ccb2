//! A host with many network namespaces, made in the namespaces of the calling thread.

use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kernel::netlink::{Protocol, Request, Socket};
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{
    InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteMessage, RouteProtocol, RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use rustix::mount::{MountFlags, mount};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// How many namespaces hang on one bridge.
const PORTS: usize = 1000;
/// ifindexes of bridges; those of ports come from the kernel.
const FIRST_BRIDGE: usize = 1_000_000;

/// The host, and how many namespaces it has.
pub(crate) struct Host {
    socket: Socket,
    count: usize,
}

impl Host {
    /// With none yet. Lays an empty /run over the one there is.
    pub(crate) fn new() -> Outcome<Self> {
        mount("tmpfs", "/run", "tmpfs", MountFlags::empty(), None)?;
        std::fs::create_dir("/run/netns")?;
        Ok(Self { socket: Socket::open(Protocol::Route)?, count: 0 })
    }

    /// Until there are so many.
    pub(crate) fn grow(&mut self, count: usize) -> Outcome<()> {
        namespaces(self.count..count)?;
        for nth in self.count..count {
            if nth % PORTS == 0 {
                self.socket.ack(Request::from(bridge(nth / PORTS)).create())?;
            }
            let space = File::open(format!("/run/netns/n{nth}"))?;
            self.socket.ack(Request::from(veth(nth, &space)).create())?;
            inside(nth, &space)?;
            // They end with the PID namespace that all this is in.
            let net = format!("--net=/run/netns/n{nth}");
            Command::new("nsenter").args([&net, "sleep", "infinity"]).spawn()?;
        }
        self.count = count;
        Ok(())
    }
}

/// So many new links first tell each other about themselves, and the kernel clears the last host
/// away: waits until the processors have little to do, or the time is over.
pub(crate) fn calm(most: Duration) -> Outcome<()> {
    let end = Instant::now() + most;
    while Instant::now() < end {
        let before = idle()?;
        std::thread::sleep(Duration::from_secs(1));
        let after = idle()?;
        if (after.0 - before.0) * 10 > (after.1 - before.1) * 8 {
            return Ok(());
        }
    }
    println!("(the machine did not come to rest: these figures are too high)");
    Ok(())
}

/// How long all processors did nothing, and how long there was, since the machine began.
fn idle() -> Outcome<(u64, u64)> {
    let text = std::fs::read_to_string("/proc/stat")?;
    let times = text.lines().next().ok_or("no processors")?.split_whitespace().skip(1);
    let times = times.map(str::parse).collect::<Result<Vec<u64>, _>>()?;
    Ok((times.get(3).copied().unwrap_or_default(), times.iter().sum()))
}

fn namespaces(which: Range<usize>) -> Outcome<()> {
    let mut ip = Command::new("ip").args(["-batch", "-"]).stdin(Stdio::piped()).spawn()?;
    let text: String = which.map(|n| format!("netns add n{n}\n")).collect();
    ip.stdin.take().ok_or("no pipe")?.write_all(text.as_bytes())?;
    if !ip.wait()?.success() {
        return Err("ip -batch failed".into());
    }
    Ok(())
}

fn index(bridge: usize) -> u32 {
    u32::try_from(FIRST_BRIDGE + bridge).unwrap_or(u32::MAX)
}

fn up() -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.flags = LinkFlags::Up;
    message.header.change_mask = LinkFlags::Up;
    message
}

fn bridge(nth: usize) -> RouteNetlinkMessage {
    let mut message = up();
    message.header.index = index(nth);
    message.attributes.push(LinkAttribute::IfName(format!("br{nth}")));
    message.attributes.push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Bridge)]));
    RouteNetlinkMessage::NewLink(message)
}

fn veth(nth: usize, space: &File) -> RouteNetlinkMessage {
    let mut peer = LinkMessage::default();
    peer.attributes.push(LinkAttribute::IfName("eth0".into()));
    peer.attributes.push(LinkAttribute::NetNsFd(space.as_raw_fd()));
    let mut message = up();
    message.attributes.push(LinkAttribute::IfName(format!("v{nth}")));
    message.attributes.push(LinkAttribute::Controller(index(nth / PORTS)));
    let data = LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(peer)));
    message.attributes.push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Veth), data]));
    RouteNetlinkMessage::NewLink(message)
}

fn inside(nth: usize, space: &File) -> Outcome<()> {
    let mut socket = Socket::open_in(space, Protocol::Route)?;
    let mut link = up();
    link.header.index = 2;
    socket.ack(RouteNetlinkMessage::SetLink(link))?;
    let [.., high, low] = u32::try_from(nth + 2)?.to_be_bytes();
    let mut address = AddressMessage::default();
    address.header.family = AddressFamily::Inet;
    address.header.prefix_len = 16;
    address.header.index = 2;
    let ip = IpAddr::from(Ipv4Addr::new(10, 77, high, low));
    address.attributes.push(AddressAttribute::Local(ip));
    address.attributes.push(AddressAttribute::Address(ip));
    socket.ack(Request::from(RouteNetlinkMessage::NewAddress(address)).create())?;
    let mut route = RouteMessage::default();
    route.header.address_family = AddressFamily::Inet;
    route.header.table = 254;
    route.header.protocol = RouteProtocol::Boot;
    route.header.kind = RouteType::Unicast;
    let gateway = RouteAddress::Inet(Ipv4Addr::new(10, 77, 0, 1));
    route.attributes.push(RouteAttribute::Gateway(gateway));
    socket.ack(Request::from(RouteNetlinkMessage::NewRoute(route)).create())?;
    Ok(())
}
