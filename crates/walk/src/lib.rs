//! The forwarding of Linux as a function: a Snapshot and a packet in, a [`Trace`] out.
//!
//! Nothing here asks the kernel, reads a clock or chooses words: a Trace is plain data, and what
//! cannot be known becomes [`Disposition::Unknown`] with its cause, never a guess.
//!
//! One file per part of the kernel, in the order of a packet's way: `ip` (socket, routing,
//! forwarding, delivery) with `route` and `validate`, `ip6` with `route6`, `source6` and `nd`; `hook`, `tables`, `chain`, `rule`,
//! `load`, `lookup`, `register`, `header`, `set`, `guard`, `xt`, `ipset` (the rules), `conntrack`, `nat`; `neighbour` and `arp`; `link` (handed to a link, taken from one) and `tc`;
//! `macvlan`, `ipvlan`, `vlan`, `bond`, `tunnel`, `vxlan` and `wireguard`; `bridge`, `bridge_vlan`, `snoop` and `br_netfilter`; `icmp` and `icmp6` (errors); `border` (from beyond this host). `walker` hands
//! the packet from one to the next; `asked` walks a `question` there and back, `answer` makes the packet that comes back, `verdict` says what it comes to;
//! `explain` tells what else was tried. Where the verdict alone is wanted (`outcome`), `memory` and `silent` cut ways short.
//!
//! What is assumed of the world beyond a border link: whoever a packet is for answers it, and
//! answers to every address of the segment, and to no other; a next hop out there exists unless a
//! neighbour entry says that it did not answer.

#![forbid(unsafe_code)]

mod answer;
mod arp;
mod asked;
mod beyond;
mod bond;
mod border;
mod br_netfilter;
mod bridge;
mod bridge_arp;
mod bridge_hook;
mod bridge_vlan;
mod chain;
mod change;
mod check;
mod choice;
mod compare;
mod conntrack;
mod disposition;
mod drop_reason;
mod explain;
mod fdb;
mod fib;
mod fib6;
mod group;
mod guard;
mod hash;
mod header;
mod hook;
mod icmp;
mod icmp6;
mod icmp_limit;
mod indexed;
mod ip;
mod ip6;
mod ipset;
mod ipvlan;
mod learned;
mod link;
mod links;
mod live;
mod load;
mod lookup;
mod macvlan;
mod memory;
mod mend;
mod met;
mod nat;
mod nat_choice;
mod nd;
mod neighbour;
mod outcome;
mod overlay;
mod packet;
mod question;
mod queue;
mod register;
mod reply;
mod reset;
mod route;
mod route6;
mod rule;
mod segment;
mod set;
mod silent;
mod sink;
mod skb;
mod snoop;
mod source6;
mod tables;
mod taught;
mod tc;
mod tc_selector;
mod trace;
mod tunnel;
mod validate;
mod verdict;
mod vlan;
mod vrf;
mod vxlan;
mod walker;
mod wireguard;
mod xt;
mod xt_plain;

pub use asked::{trace, walk};
pub use beyond::beyond;
pub use change::{Change, Ip};
pub use check::check;
pub use compare::{Difference, Expected, compare};
pub use disposition::{Disposition, Loss, Reason, RejectWith, Unknown};
pub use explain::{
    Considered, FilterWhy, IpSetFound, Looked, RouteWhy, RuleWhy, Selector, SetFound, SourceWhy,
    Tried, TriedFilter,
};
pub use icmp_limit::icmp_interval;
pub use indexed::Indexed;
pub use live::{Checked, KernelDrop, Leg, Mark, Sighting, TapPoint};
pub use mend::{Mend, Then};
pub use met::{Matched, Met, RuleMark, RuleMet};
pub use outcome::Outcome;
pub use overlay::Overlay;
pub use packet::{IcmpKind, Packet, Payload};
pub use question::{Known, Place, Protocol, Question};
pub use sink::{Quiet, Recorder, Sink};
pub use trace::{
    Action, ArpAnswer, BondChoice, Branch, Cause, ChainRef, FilterRef, Fork, Hop, NatStep, RuleRef,
    Stage, Step, Trace, VlanStep, Way,
};
pub use verdict::Verdict;
