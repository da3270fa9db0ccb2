//! The forwarding of Linux as a function: a Snapshot and a packet in, a [`Trace`] out.
//!
//! Nothing here asks the kernel, reads a clock or chooses words: a Trace is plain data, and what
//! cannot be known becomes [`Disposition::Unknown`] with its cause, never a guess.

#![forbid(unsafe_code)]

mod live;
mod packet;
mod trace;

pub use live::{Checked, Leg, Mark, Sighting, TapPoint};
pub use packet::{IcmpKind, Packet, Payload};
pub use trace::{
    Action, ArpAnswer, Cause, ChainRef, Disposition, Hop, Loss, NatStep, Place, Question, Reason,
    RuleRef, Stage, Step, Trace, Unknown, Way,
};
