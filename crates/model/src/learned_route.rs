//! What a namespace has learned of the way to one address: exceptions to its routes.

use std::net::IpAddr;

/// An exception to a route, for one destination (`struct fib_nh_exception`, `struct rt6_exception`;
/// `ip route show cache`): an ICMP redirect or error has told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LearnedRoute {
    /// For whom.
    pub dst: IpAddr,
    /// The table of the route that it is an exception to.
    pub table: u32,
    /// ifindex of the link out.
    pub link: u32,
    /// By whom; None: on the link itself.
    pub gateway: Option<IpAddr>,
    /// The largest packet that gets through, in bytes.
    pub mtu: Option<u32>,
    /// That is smaller than this host believes errors to be (`min_pmtu`): packets may be broken up.
    pub mtu_locked: bool,
    /// A router has said that this gateway is nearer.
    pub redirected: bool,
}
