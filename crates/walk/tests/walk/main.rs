//! Networks in, traces out.

mod iptables;
mod net;
mod seed;
mod tell;
