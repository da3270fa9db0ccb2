//! Bytes ↔ model: netlink messages, nftables expressions, the text of /proc and of commands, and
//! what container engines answer.
//!
//! Nothing here does I/O: sockets are in `kernel`.

#![forbid(unsafe_code)]

pub mod bonds;
pub mod btf;
pub mod conntrack;
pub mod container;
pub mod engine_api;
pub mod gathered;
pub mod groups;
pub mod hosts;
pub mod http;
pub mod ipset;
pub mod ipset_text;
pub mod iptables;
pub mod legacy;
pub mod nft;
pub mod nft_text;
pub mod proc_net;
mod programs;
pub mod request;
pub mod resolv;
pub mod rtnl;
pub mod sockets;
pub mod tc_text;
pub mod wireguard;
pub mod xt;
