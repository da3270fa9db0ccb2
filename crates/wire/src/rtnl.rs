//! rtnetlink ↔ model: what `ip` and `bridge` ask of the kernel, as bytes.
//!
//! Requests are messages of `netlink-packet-route`. Replies are read here, attribute by attribute:
//! one of a length that nobody expected (a newer kernel's, an older one's) then costs that one fact
//! and not the whole link.

mod address;
mod address_label;
pub(crate) mod attr;
mod bridge;
mod filter;
pub(crate) mod link;
mod message;
mod neighbour;
mod netconf;
mod notice;
mod nsid;
mod qdisc;
mod request;
mod route;
mod rule;

pub use address::address;
pub use address_label::address_label;
pub use bridge::{Mdb, bridge_vlans, mdb};
pub use filter::{FilterRow, filter, tc};
pub use link::{Joined, RawLink, link, link_index};
pub use message::{Message, messages};
pub use neighbour::{fdb, neighbour};
pub use netconf::{ConfOf, NetConf, RTM_GETNETCONF, get_netconf, netconf};
pub use notice::{Notice, notice};
pub use nsid::{NsidRow, nsid};
pub use qdisc::{Qdisc, qdisc, queues};
pub use request::{
    RTM_GETADDRLABEL, RTM_GETMDB, get_address_labels, get_addresses, get_bridge_vlans, get_fdb,
    get_filters, get_link, get_links, get_mdb, get_neighbours, get_nsid, get_nsid_of, get_nsids,
    get_qdiscs, get_roots, get_routes, get_rules, new_nsid,
};
pub use route::{
    RTM_GETROUTE, RawRoute, get_learned, get_route_to, get_route_to_loopback, learned, route,
    tables_split,
};
pub use rule::rule;
