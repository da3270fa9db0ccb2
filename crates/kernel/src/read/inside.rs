//! What is asked from within a namespace: the calling thread is in it.

use std::net::IpAddr;

use rustix::net::{self, AddressFamily, SocketType};
use wire::gathered::{Answer, Answers, BridgesAsk, Question};
use wire::rtnl::{self, ConfOf, RTM_GETNETCONF};

use super::Parts;
use super::listener;
use super::modules::Present;
use super::netfilter;
use super::programs;
use super::sysctl::Source;
use super::wireguard;
use crate::netlink::{NetlinkError, Protocol, Replies, Request, Socket};

/// All parts that need somebody inside.
pub(super) const PARTS: [&str; 8] =
    ["routes", "rules", "sysctls", "neighbours", "fdb", "netfilter", "conntrack", "listeners"];

const INSIDE: Parts = Parts::ROUTES
    .union(Parts::SETTINGS)
    .union(Parts::NEIGHBOURS)
    .union(Parts::NETFILTER)
    .union(Parts::CONNTRACK)
    .union(Parts::LISTENERS)
    .union(Parts::TUNNELS);

const BY_ROUTE_SOCKET: Parts = Parts::ROUTES
    .union(Parts::SETTINGS)
    .union(Parts::NEIGHBOURS)
    .union(Parts::BRIDGES)
    .union(Parts::NETFILTER);

/// Whether anybody has to go in at all.
pub(super) fn wanted(parts: Parts) -> bool {
    parts.intersects(INSIDE)
}

/// Notes that nobody could go in.
pub(super) fn denied(parts: Parts, error: &std::io::Error, answers: &mut Answers) {
    let of = |name: &str| match name {
        "routes" | "rules" => Parts::ROUTES,
        "sysctls" => Parts::SETTINGS,
        "neighbours" | "fdb" => Parts::NEIGHBOURS,
        "netfilter" => Parts::NETFILTER,
        "listeners" => Parts::LISTENERS,
        _ => Parts::CONNTRACK,
    };
    for part in PARTS.into_iter().filter(|p| parts.contains(of(p))) {
        answers.gap(part, error);
    }
    if parts.contains(Parts::TUNNELS) && !answers.wireguard_links().is_empty() {
        answers.gap("wireguard", error);
    }
}

/// Links and addresses of the namespace of this very thread, for a reader that has no observer.
pub(super) fn own(parts: Parts, answers: &mut Answers) {
    match Socket::open(Protocol::Route) {
        Ok(mut socket) => {
            ask(&mut socket, answers, outside(None, parts));
        }
        Err(error) => answers.gap("links", error),
    }
}

/// The forwarding database of the namespace of this very thread.
pub(super) fn fdb(answers: &mut Answers) {
    match Socket::open(Protocol::Route) {
        Ok(mut socket) => ask(&mut socket, answers, [(Question::Fdb, rtnl::get_fdb())]),
        Err(error) => answers.gap("fdb", error),
    }
}

/// Asks for the parts.
pub(super) fn read(parts: Parts, present: &Present, settings: &mut Source, answers: &mut Answers) {
    if parts.intersects(BY_ROUTE_SOCKET) {
        match Socket::open(Protocol::Route) {
            Ok(mut socket) => by_route_socket(parts, &mut socket, settings, answers),
            Err(error) => denied(parts, &error.into(), answers),
        }
    }
    netfilter::read(parts, present, answers);
    if parts.contains(Parts::LISTENERS) {
        listener::read(answers);
    }
    wireguard::read(parts, present, answers);
}

fn by_route_socket(
    parts: Parts,
    socket: &mut Socket,
    settings: &mut Source,
    answers: &mut Answers,
) {
    if parts.contains(Parts::ROUTES) {
        let questions = [
            (Question::RoutesIpv4, rtnl::get_routes(false)),
            (Question::RoutesIpv6, rtnl::get_routes(true)),
            (Question::Rules, rtnl::get_rules()),
        ];
        ask(socket, answers, questions);
        learned(socket, answers);
        let labels = Request::new(rtnl::RTM_GETADDRLABEL, rtnl::get_address_labels());
        ask(socket, answers, [(Question::AddressLabels, labels)]);
        let request = Request::new(rtnl::RTM_GETROUTE, rtnl::get_route_to_loopback());
        answers.put(Question::RouteToLoopback, whole(socket.get(request)));
    }
    if parts.contains(Parts::SETTINGS) {
        let defaults = parts.contains(Parts::DEFAULTS) || answers.need_defaults();
        sysctls(socket, settings, defaults, answers);
    }
    if parts.contains(Parts::NEIGHBOURS) {
        let questions = [
            (Question::Neighbours, rtnl::get_neighbours(false)),
            (Question::ProxyNeighbours, rtnl::get_neighbours(true)),
        ];
        ask(socket, answers, questions);
        if answers.have_fdb() {
            ask(socket, answers, [(Question::Fdb, rtnl::get_fdb())]);
        }
    }
    if parts.intersects(Parts::NEIGHBOURS | Parts::BRIDGES) {
        bridges(socket, answers);
    }
    if parts.contains(Parts::NETFILTER) {
        ask(socket, answers, [(Question::Qdiscs, rtnl::get_qdiscs())]);
        filters(socket, answers);
        programs::of_links(answers);
    }
}

fn learned(socket: &mut Socket, answers: &mut Answers) {
    for (question, ipv6) in [(Question::LearnedIpv4, false), (Question::LearnedIpv6, true)] {
        let request = Request::new(rtnl::RTM_GETROUTE, rtnl::get_learned(ipv6));
        ask(socket, answers, [(question, request)]);
    }
}

/// What was learned of single destinations. Of IPv4, the kernel tells of nothing that nobody has heeded
/// since: so it is asked for its way to each of these first.
pub(super) fn learned_of(about: &[IpAddr], answers: &mut Answers) {
    match Socket::open(Protocol::Route) {
        Ok(mut socket) => {
            for dst in about {
                // That there is no way is no matter here.
                let request = Request::new(rtnl::RTM_GETROUTE, rtnl::get_route_to(*dst));
                let _ = socket.get(request);
            }
            learned(&mut socket, answers);
        }
        Err(error) => answers.gap("learned routes", error),
    }
}

/// What tc does where it has a place for filters: links without one are not asked about.
fn filters(socket: &mut Socket, answers: &mut Answers) {
    let places = rtnl::get_filters(&answers.qdiscs());
    let (mut all, mut whole) = (Vec::new(), true);
    for place in places {
        match socket.dump(place) {
            Ok(Replies { bytes, consistent }) => {
                all.extend(bytes);
                whole &= consistent;
            }
            // The link is gone since.
            Err(error) if error.errno == rustix::io::Errno::NODEV => {}
            Err(error) => {
                answers.put(Question::Filters, Answer::Refused(error.to_string()));
                return;
            }
        }
    }
    for root in rtnl::get_roots(&all) {
        // Without it, what these filters do stays open.
        all.extend(socket.get(Request::from(root)).unwrap_or_default());
    }
    answers.put(Question::Filters, Answer::Reply { bytes: all, consistent: whole });
}

/// What bridges filter by, and whom they hand multicasts to.
fn bridges(socket: &mut Socket, answers: &mut Answers) {
    let BridgesAsk { vlans, mdb, .. } = answers.bridges_ask();
    if vlans {
        ask(socket, answers, [(Question::BridgeVlans, rtnl::get_bridge_vlans())]);
    }
    if mdb {
        ask(socket, answers, [(Question::Mdb, Request::new(rtnl::RTM_GETMDB, rtnl::get_mdb()))]);
    }
}

/// Most settings are in files; those that netlink tells cost far less that way.
fn sysctls(socket: &mut Socket, settings: &mut Source, defaults: bool, answers: &mut Answers) {
    let told = [
        (Question::NetconfAll, ConfOf::All),
        (Question::NetconfAllIpv6, ConfOf::AllIpv6),
        (Question::NetconfDefault, ConfOf::Default),
    ];
    for (question, of) in told.into_iter().take(if defaults { 3 } else { 2 }) {
        let request = Request::new(RTM_GETNETCONF, rtnl::get_netconf(of));
        answers.put(question, whole(socket.get(request)));
    }
    answers.put(Question::Sysctls, whole(settings.read(defaults)));
    if let Ok(igmp) = std::fs::read_to_string("/proc/thread-self/net/igmp") {
        let igmp6 = std::fs::read_to_string("/proc/thread-self/net/igmp6").unwrap_or_default();
        let lines = wire::groups::lines(&igmp) + &wire::groups::lines6(&igmp6);
        answers.put(Question::Groups, Answer::whole(lines.into_bytes()));
    }
    bonds(answers);
}

/// In which order bonds go through their ports, netlink does not tell.
fn bonds(answers: &mut Answers) {
    let Ok(files) = std::fs::read_dir("/proc/thread-self/net/bonding") else { return };
    let Ok(socket) = net::socket(AddressFamily::UNIX, SocketType::DGRAM, None) else { return };
    let index = |name: &str| net::netdevice::name_to_index(&socket, name).ok();
    let mut lines = String::new();
    for file in files.flatten() {
        let name = file.file_name();
        let bond = name.to_str().and_then(index);
        let (Some(bond), Ok(text)) = (bond, std::fs::read_to_string(file.path())) else { continue };
        let ports = wire::bonds::ports(&text).filter_map(index);
        let numbers = std::iter::once(bond).chain(ports).map(|number| number.to_string());
        lines += &(numbers.collect::<Vec<_>>().join(" ") + "\n");
    }
    answers.put(Question::Bonds, Answer::whole(lines.into_bytes()));
}

/// Asks for lists, and keeps what comes back.
pub(super) fn ask<R: Into<Request>>(
    socket: &mut Socket,
    answers: &mut Answers,
    questions: impl IntoIterator<Item = (Question, R)>,
) {
    for (question, request) in questions {
        answers.put(question, list(socket.dump(request)));
    }
}

/// What can be asked of the namespace with that number; None: of the one that the socket is in.
pub(super) fn outside(
    number: Option<u32>,
    parts: Parts,
) -> impl Iterator<Item = (Question, Request)> {
    let links = [(Question::Links, rtnl::get_links(number).into())];
    let addresses = [
        (Question::AddressesIpv4, rtnl::get_addresses(number, false).into()),
        (Question::AddressesIpv6, rtnl::get_addresses(number, true).into()),
    ];
    let wanted = if parts.contains(Parts::ADDRESSES) { addresses.len() } else { 0 };
    links.into_iter().chain(addresses.into_iter().take(wanted))
}

/// What came back for a list.
pub(super) fn list(replies: Result<Replies, NetlinkError>) -> Answer {
    match replies {
        Ok(Replies { bytes, consistent }) => Answer::Reply { bytes, consistent },
        Err(error) => Answer::Refused(error.to_string()),
    }
}

/// What came back whole.
pub(super) fn whole(reply: Result<Vec<u8>, impl ToString>) -> Answer {
    reply.map_or_else(|error| Answer::Refused(error.to_string()), Answer::whole)
}
