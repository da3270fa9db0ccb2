//! iptables' own language: a rule as `iptables -A CHAIN` takes it and `-S` prints it, into the
//! expressions that Debian 12's iptables-nft 1.8.9 writes, byte for byte.
//!
//! And that of ip6tables. What a rule may say: `-s -d -i -o -p -f` with `!`, the matches addrtype, comment,
//! conntrack, icmp (icmp6), mac, mark, multiport, physdev, state, tcp, udp, and the targets ACCEPT, DROP,
//! RETURN, chains (also with `-g`), MASQUERADE, SNAT, DNAT, REDIRECT, REJECT, MARK, LOG. Everything
//! else is refused by name.

mod base;
mod error;
mod matches;
mod parser;
mod targets;
mod value;
mod words;

pub use base::{ChainSpec, TableError, base_chains, table, table6};
pub use error::{ErrorKind, ParseError};
pub use parser::{parse_rule, parse_rule6};
