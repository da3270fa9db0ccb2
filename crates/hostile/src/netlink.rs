//! Netlink messages, and the kernel's own types.

use model::{HostId, NsId, NsKey};
use wire::btf::Btf;
use wire::rtnl::{self, Message};
use wire::{request, tc_text};

/// Every reader of rtnetlink on every message: what a message says that it is decides which takes it.
pub(crate) fn rtnetlink(data: &[u8]) {
    for message in rtnl::messages(data) {
        decode(&message);
    }
    filters(data);
}

/// What tc does: said in words, which are read again, and written as requests.
fn filters(data: &[u8]) {
    let rows: Vec<_> = rtnl::messages(data).filter_map(|m| rtnl::filter(&m)).collect();
    let _ = rtnl::get_roots(data);
    let place = |link| rtnl::Qdisc {
        handle: 0xffff_0000,
        parent: 0xffff_fff1,
        does: None,
        link,
        kind: "clsact".to_owned(),
        ingress_block: None,
        egress_block: Some(1),
    };
    let told = rtnl::messages(data).filter_map(|m| rtnl::qdisc(&m));
    let guessed = rows.iter().filter_map(|row| row.link).map(place);
    let places: Vec<_> = told.take(4).chain(guessed.take(4)).collect();
    let _ = rtnl::get_filters(&places);
    let all: Vec<_> = rtnl::messages(data).filter_map(|m| rtnl::qdisc(&m)).take(64).collect();
    for (_, queues) in rtnl::queues(&all) {
        queues.iter().for_each(|queue| _ = queue.to_string());
    }
    for (link, tc) in rtnl::tc(&places, &rows, true) {
        for filter in tc.ingress.iter().chain(&tc.egress) {
            let _ = tc_text::parse(&tc_text::filter(filter));
            let _ = request::filter(link, true, filter);
        }
    }
}

fn decode(message: &Message<'_>) {
    let ns = |number: u32| NsId { host: HostId(0), key: NsKey::Unseen(number) };
    if let Some(raw) = rtnl::link(message) {
        let namespace = |number: i32| u32::try_from(number).ok().map(ns);
        let _ = raw.peer(ns(0), namespace);
        let _ = raw.resolve(ns(0), namespace);
    }
    let _ = (rtnl::address(message), rtnl::route(message), rtnl::rule(message));
    let _ = (rtnl::address_label(message), rtnl::learned(message));
    let _ = (rtnl::neighbour(message), rtnl::fdb(message), rtnl::nsid(message));
    let _ = (rtnl::bridge_vlans(message), rtnl::mdb(message));
    let _ = (rtnl::qdisc(message), rtnl::netconf(message), rtnl::notice(message));
}

pub(crate) fn conntrack(data: &[u8]) {
    for message in rtnl::messages(data) {
        let _ = (wire::conntrack::conntrack(&message), wire::conntrack::count(&message));
    }
}

pub(crate) fn wireguard(data: &[u8]) {
    let _ = (wire::wireguard::family(data), wire::wireguard::devices(data));
    let stripped = wire::wireguard::without_secrets(data);
    // Nothing but secrets is lost.
    assert_eq!(wire::wireguard::without_secrets(&stripped), stripped);
    let stood_for =
        wire::wireguard::with_stand_ins(data, |key| key.first().copied().map(u64::from));
    let _ = wire::wireguard::devices(&stood_for);
    assert_eq!(wire::wireguard::without_secrets(&stood_for), stripped);
}

pub(crate) fn btf(data: &[u8]) {
    let Ok(types) = Btf::parse(data) else { return };
    for (structure, field) in [("sk_buff", "len"), ("net", "ns"), ("", ""), ("a", "b")] {
        let _ = types.offset(structure, field);
    }
    let _ = (types.names("skb_drop_reason"), types.names(""), types.names("e"));
}
