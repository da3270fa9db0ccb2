//! Bytes ↔ model: netlink messages, nftables expressions, and the text of /proc and of commands.
//!
//! Nothing here does I/O: sockets are in `kernel`.

#![forbid(unsafe_code)]

pub mod conntrack;
pub mod container;
pub mod iptables;
pub mod nft;
pub mod request;
pub mod rtnl;
pub mod xt;
