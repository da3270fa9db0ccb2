//! (in the making)

#![forbid(unsafe_code)]

pub mod iptables;
pub mod nft;
pub mod xt;
