//! The forwarding of Linux as a function: a Snapshot and a packet in, a [`Trace`] out.
//!
//! Nothing here asks the kernel, reads a clock or chooses words: a Trace is plain data, and what
//! cannot be known becomes [`Disposition::Unknown`] with its cause, never a guess.

#![forbid(unsafe_code)]

mod arp;
mod border;
mod br_netfilter;
mod bridge;
mod chain;
mod check;
mod conntrack;
mod header;
mod hook;
mod icmp;
mod indexed;
mod ip;
mod link;
mod live;
mod nat;
mod neighbour;
mod overlay;
mod packet;
mod question;
mod register;
mod route;
mod sink;
mod skb;
mod trace;
mod validate;
mod walker;
mod xt;

pub use check::check;
pub use indexed::Indexed;
pub use live::{Checked, Leg, Mark, Sighting, TapPoint};
pub use overlay::Overlay;
pub use packet::{IcmpKind, Packet, Payload};
pub use question::{Protocol, Verdict, trace, walk};
pub use sink::{Quiet, Recorder, Sink};
pub use trace::{
    Action, ArpAnswer, Cause, ChainRef, Disposition, Hop, Loss, NatStep, Place, Question, Reason,
    RuleRef, Stage, Step, Trace, Unknown, Way,
};
