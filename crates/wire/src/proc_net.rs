//! What /proc/PID/net tells of a network namespace to anybody, even to those who may not look at
//! the namespace itself: names of links, addresses, routes and ARP entries, each only in part.

mod address;
mod link;
mod neighbour;
mod route;

use model::{Address, Link, Neighbour, Route};

use link::Known;

/// The texts of the files of those names. A file that could not be read is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the file of that name in /proc/PID/net")]
pub struct Texts {
    pub dev: String,
    pub dev_mcast: String,
    pub igmp: String,
    pub if_inet6: String,
    pub fib_trie: String,
    pub route: String,
    pub arp: String,
}

/// What they tell, and in `…_lack` what they do not, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Links: names, and ifindexes where those are told. The kind of all but `lo` is not.
    pub links: Vec<Link>,
    /// What is missing of the links.
    pub links_lack: String,
    /// IPv6 addresses as they are; IPv4 addresses with the link of the connected route around them.
    pub addresses: Vec<Address>,
    /// What is missing of the addresses.
    pub addresses_lack: String,
    /// IPv4 routes of the main table, of several ways the first.
    pub routes: Vec<Route>,
    /// What is missing of the routes.
    pub routes_lack: String,
    /// ARP entries.
    pub neighbours: Vec<Neighbour>,
    /// What is missing of the neighbours.
    pub neighbours_lack: String,
}

/// Puts together what the files tell.
#[must_use]
pub fn told(texts: &Texts) -> Told {
    let known = Known::read(texts);
    let routes = route::routes(&texts.route, &known);
    let (addresses, homeless) = address::addresses(texts, &routes);
    Told {
        links_lack: link::lack(&known),
        links: known.links(),
        addresses_lack: address::lack(&homeless),
        addresses,
        routes,
        routes_lack: "only the main table's IPv4 routes are told, and of several ways the first"
            .to_owned(),
        neighbours: neighbour::neighbours(&texts.arp, &known),
        neighbours_lack: "only ARP is told, and what is shown as STALE may be in any state in \
                          which the address is used"
            .to_owned(),
    }
}
