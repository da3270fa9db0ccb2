//! The answer: a tree of ways.
//!
//! A packet can be copied (flooded), asked for (ARP), refused (ICMP error) or answered: each of
//! these is a [`Way`] of its own, child of the step that made it.

mod action;
mod refer;

use std::collections::BTreeSet;
use std::net::IpAddr;

use model::{LinkId, NsId, Route};

use crate::{Disposition, Packet, Question};

pub use action::{Action, ArpAnswer, BondChoice, NatStep, Stage, Step, VlanStep};
pub use refer::{ChainRef, FilterRef, RuleRef};

/// What was asked, and the whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// From where to where.
    pub question: Question,
    /// The way there.
    pub there: Way,
    /// The way of the answer; None where the packet does not arrive, or none is due.
    pub back: Option<Way>,
    /// Answers of the others whom a broadcast or multicast came to.
    pub others: Vec<Way>,
    /// Where it hangs on chance, or on a rule that is not understood: the ways by each
    /// possibility. If all come to the same, `there` and `back` are those of the first; else they
    /// end where they part.
    pub branches: Vec<Branch>,
}

impl Trace {
    /// Where a way out was looked for on these ways, and to whom.
    #[must_use]
    pub fn destinations(&self) -> BTreeSet<(NsId, IpAddr)> {
        let hops = std::iter::once(&self.there).chain(&self.back).flat_map(|way| &way.hops);
        let steps = hops.flat_map(|hop| hop.steps.iter().map(|step| (hop.ns, step)));
        let routed = steps.filter(|(_, step)| {
            matches!(step.action, Action::Routed { local: false, .. })
                && !step.packet.dst.is_multicast()
        });
        routed.map(|(ns, step)| (ns, step.packet.dst)).collect()
    }
}

/// One of the possibilities where a way parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// On what it hangs.
    pub fork: Fork,
    /// What of it: `statistic`, `numgen random`, `multipath`. Of a rule with two possibilities, the
    /// first is that it matches.
    pub what: String,
    /// Which possibility, from 0.
    pub option: u32,
    /// Of how many.
    pub of: u32,
    /// What then happens.
    pub trace: Trace,
}

/// On what it hangs which way is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fork {
    /// A rule (or the first of its chain).
    Rule(RuleRef),
    /// A route with several ways out, of which the kernel takes one by a hash that nobody can
    /// foretell (its key is drawn at boot).
    Route {
        /// Whose.
        ns: NsId,
        /// Which.
        route: Box<Route>,
    },
    /// A bond whose ports take turns, or whose choice is not known.
    Bond {
        /// Which.
        bond: LinkId,
    },
}

/// One way of one packet from where it appears to where it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Why there is this packet.
    pub cause: Cause,
    /// As it was at the start.
    pub packet: Packet,
    /// One per namespace entered, in order.
    pub hops: Vec<Hop>,
    /// How it ended.
    pub disposition: Disposition,
}

/// Why there is a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It was asked about.
    Asked,
    /// It answers the one that was asked about.
    Answer,
    /// A copy, made by flooding out of this port.
    Copy(LinkId),
    /// An ARP request, to find a next hop.
    ArpRequest,
    /// An ICMP error about it.
    IcmpError,
    /// A message of a handshake that it waits for.
    Handshake,
}

/// What happens to a packet within one namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Where.
    pub ns: NsId,
    /// What, in order.
    pub steps: Vec<Step>,
}
