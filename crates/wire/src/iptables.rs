//! iptables' own language: a rule as `iptables -A CHAIN` takes it and `-S` prints it, into the
//! expressions that Debian 12's iptables-nft 1.8.9 writes, byte for byte.
//!
//! And that of ip6tables. What a rule may say: `-s -d -i -o -p -f` with `!`, the matches addrtype, comment,
//! connmark, conntrack, dscp, hashlimit, icmp (icmp6), iprange, length, limit, mac, mark, multiport, owner,
//! physdev, pkttype, recent, set, state, statistic, tcp, tos, ttl (hl), udp, and the targets ACCEPT, DROP,
//! RETURN, chains (also with `-g`), CONNMARK, CT, DNAT, DSCP, LOG, MARK, MASQUERADE, NETMAP, NFLOG, NOTRACK,
//! REDIRECT, REJECT, SET, SNAT, TCPMSS, TOS, TTL (HL). Everything else is refused by name.

mod base;
mod error;
mod matches;
mod parser;
mod targets;
mod value;
mod words;

pub use base::{ChainSpec, TableError, base_chains, legacy_table, table, table6};
pub use error::{ErrorKind, ParseError};
pub use parser::{parse_rule, parse_rule6};
