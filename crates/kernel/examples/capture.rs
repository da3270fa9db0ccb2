//! Prints what the kernel answers in this network namespace, as the hexadecimal text that the
//! tests of `wire` read: `unshare -n sh -c 'ip link add …; capture links'`.

#![allow(clippy::print_stdout, reason = "its result")]

use std::error::Error;

use kernel::netlink::{NetlinkError, Protocol, Replies, Request, Socket};
use wire::{conntrack, ipset, rtnl};

fn main() -> Result<(), Box<dyn Error>> {
    let what = std::env::args().nth(1).unwrap_or_default();
    let mut route = Socket::open(Protocol::Route)?;
    let replies = match what.as_str() {
        "links" => route.dump(rtnl::get_links(None)),
        "addresses" => route.dump(rtnl::get_addresses(None, false)),
        "addresses6" => route.dump(rtnl::get_addresses(None, true)),
        "routes6" => route.dump(rtnl::get_routes(true)),
        "routes" => route.dump(rtnl::get_routes(false)),
        "address-labels" => {
            route.dump(Request::new(rtnl::RTM_GETADDRLABEL, rtnl::get_address_labels()))
        }
        "learned" => route.dump(Request::new(rtnl::RTM_GETROUTE, rtnl::get_learned(false))),
        "learned6" => route.dump(Request::new(rtnl::RTM_GETROUTE, rtnl::get_learned(true))),
        "rules" => route.dump(rtnl::get_rules()),
        "neighbours" => route.dump(rtnl::get_neighbours(false)),
        "fdb" => route.dump(rtnl::get_fdb()),
        "bridge-vlans" => route.dump(rtnl::get_bridge_vlans()),
        "mdb" => route.dump(Request::new(rtnl::RTM_GETMDB, rtnl::get_mdb())),
        "qdiscs" => route.dump(rtnl::get_qdiscs()),
        "filters" => filters(&mut route),
        "conntrack" => Socket::open(Protocol::Netfilter)?
            .dump(Request::new(conntrack::GET, conntrack::any_family())),
        "ipsets" => Socket::open(Protocol::Netfilter)?.dump(ipset::request::list()),
        _ => return Err("which: links, addresses, routes, rules, neighbours, …?".into()),
    }?;
    for row in replies.bytes.chunks(32) {
        let row: Vec<String> = row.chunks(4).map(|w| w.iter().map(hex).collect()).collect();
        println!("{}", row.join(" "));
    }
    Ok(())
}

/// Those of the first place that there is for them.
fn filters(route: &mut Socket) -> Result<Replies, NetlinkError> {
    let qdiscs = route.dump(rtnl::get_qdiscs())?;
    let all: Vec<_> = rtnl::messages(&qdiscs.bytes).filter_map(|m| rtnl::qdisc(&m)).collect();
    match rtnl::get_filters(&all).into_iter().next() {
        Some(place) => route.dump(place),
        None => Ok(qdiscs),
    }
}

fn hex(byte: &u8) -> String {
    format!("{byte:02x}")
}
