//! Which rules a probe meets, as the kernel itself tells it (`meta nftrace`).
//!
//! For that, each namespace on the way gets two tables of ours (for IP, and for what a bridge
//! passes), whose rules have the kernel trace what carries the probe's tag, before all other rules.
//! They are the only thing that nestwork ever changes for a trace. Each belongs to the socket that
//! made it (NFT_TABLE_F_OWNER, Linux 5.12): the kernel takes it away when that is closed, however
//! this program ends, `kill -9` included. Nothing has to be remembered, nothing can stay.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;

use model::{Family, NsId, plain};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use walk::{ChainRef, Met, RuleMet};
use wire::nft::{self, What};

use crate::netlink::{NetlinkError, Protocol, Request, Socket};
use crate::probe::{self, Tag};

/// What our tables are called.
pub const TABLE: &str = "nestwork-trace";

/// The kernel tells which rules a tagged packet meets, for as long as this lives.
#[derive(Debug)]
pub struct RuleTraces {
    spaces: BTreeMap<NsId, Space>,
    /// Why it cannot be told of some namespaces.
    pub refused: Vec<(NsId, String)>,
}

#[derive(Debug)]
struct Space {
    ears: Socket,
    /// Our tables go with this.
    _owner: Socket,
}

impl RuleTraces {
    /// Begins in each of these namespaces.
    #[must_use]
    pub fn begin(nets: &BTreeMap<NsId, OwnedFd>, tag: Tag) -> Self {
        let mut traces = Self { spaces: BTreeMap::new(), refused: Vec::new() };
        for (ns, net) in nets {
            match Space::new(net, tag) {
                Ok(space) => _ = traces.spaces.insert(*ns, space),
                Err(e) => traces.refused.push((*ns, plain(&e))),
            }
        }
        traces
    }

    /// The namespaces of which it is told.
    #[must_use]
    pub fn watched(&self) -> Vec<NsId> {
        self.spaces.keys().copied().collect()
    }

    /// What was told since the last call, of each namespace in order; ends when nothing more has
    /// come for a moment: a packet is seen on a link just before the hooks behind it.
    ///
    /// # Errors
    /// If the kernel told more than there was room for.
    pub fn collect(&mut self) -> Result<Vec<RuleMet>, NetlinkError> {
        let mut met = Vec::new();
        loop {
            for (ns, space) in &mut self.spaces {
                let heard = nft::traced(&space.ears.heard()?);
                met.extend(heard.into_iter().filter_map(|one| rule_met(*ns, one)));
            }
            if !self.more_comes()? {
                return Ok(met);
            }
        }
    }

    fn more_comes(&self) -> Result<bool, NetlinkError> {
        const QUIET: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
        let ears = self.spaces.values().map(|space| &space.ears);
        let mut ears: Vec<PollFd<'_>> = ears.map(|e| PollFd::new(e, PollFlags::IN)).collect();
        match poll(&mut ears, Some(&QUIET)) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::INTR) => Ok(true),
            Err(e) => Err(NetlinkError::new(e)),
        }
    }
}

impl Space {
    fn new(net: &OwnedFd, tag: Tag) -> Result<Self, NetlinkError> {
        let mut ears = Socket::open_in(net, Protocol::Netfilter)?;
        ears.hear(nft::TRACE_GROUP)?;
        let mut owner = Socket::open_in(net, Protocol::Netfilter)?;
        let places = probe::places(tag);
        for family in [Family::Inet, Family::Bridge] {
            let table = nft::tracing_table(family, TABLE, &places);
            let batch = nft::replace_table(false, &table);
            let messages = batch.messages.into_iter();
            let requests: Vec<Request> =
                messages.map(|m| Request::new(m.kind, m.body).with(m.flags)).collect();
            if let Some(refused) = owner.batch(&requests)?.into_iter().next() {
                return Err(refused.error);
            }
        }
        Ok(Self { ears, _owner: owner })
    }
}

/// Of policies, only those that throw away are of interest; of rules, all but ours.
fn rule_met(ns: NsId, one: nft::Traced) -> Option<RuleMet> {
    /// NF_*.
    const DROP: i32 = 0;
    const ACCEPT: i32 = 1;
    if one.table == TABLE {
        return None;
    }
    let chain = ChainRef { ns, family: one.family, table: one.table, chain: one.chain };
    let (handle, verdict) = match one.what {
        What::Rule(handle, ACCEPT) => (handle, Met::Accept),
        What::Rule(handle, DROP) => (handle, Met::Drop),
        What::Rule(handle, _) => (handle, Met::GoesOn),
        What::Policy(DROP) => (0, Met::Drop),
        What::Policy(_) => return None,
    };
    Some(RuleMet { chain, handle, verdict })
}
