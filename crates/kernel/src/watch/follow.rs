//! Taking up what is told, and reading again what is only hinted at.

use std::io;
use std::ops::ControlFlow;
use std::time::Instant;

use model::{Namespace, NsId, Snapshot};
use wire::rtnl::{self, Notice, RawLink};

use super::post::{Heard, Post};
use super::state::Asks;
use super::{Hint, Teller, Watch, WatchError};
use crate::read::{self, Parts};

/// Messages that are taken up before something else gets its turn.
const AT_A_TIME: usize = 4096;

/// What is read again of a namespace in which something has happened.
const AGAIN: Parts = Parts::ROUTES
    .union(Parts::SETTINGS)
    .union(Parts::DEFAULTS)
    .union(Parts::NETFILTER)
    .union(Parts::BRIDGES)
    .union(Parts::TUNNELS);

impl Asks for Post {
    fn link(&mut self, ns: NsId, link: u32) -> Option<RawLink> {
        self.ask(ns, link)
    }

    fn namespace(&self, nsid: i32) -> Option<NsId> {
        self.whose(Some(u32::try_from(nsid).ok()?))
    }
}

impl<R, E> Watch<R>
where
    R: FnMut(Parts) -> Result<Snapshot, E>,
    E: From<WatchError>,
{
    /// Takes up all that waits.
    pub(super) fn hear(&mut self, tell: &mut Teller<'_>) -> io::Result<Heard> {
        for _ in 0..AT_A_TIME {
            let (bytes, nsid) = match self.post.next() {
                Ok(Some(message)) => message,
                Ok(None) => break,
                Err(e) if is_overflow(&e) => return Ok(Heard::Lost),
                Err(e) => return Err(e),
            };
            for notice in rtnl::messages(&bytes).filter_map(|m| rtnl::notice(&m)) {
                if self.take_up(nsid, notice, tell).is_break() {
                    return Ok(Heard::Stop);
                }
            }
        }
        if self.state.lost_on_the_way(tell).is_break() {
            return Ok(Heard::Stop);
        }
        self.hear_netfilter()
    }

    fn take_up(
        &mut self,
        nsid: Option<u32>,
        notice: Notice,
        tell: &mut Teller<'_>,
    ) -> ControlFlow<()> {
        if let (Notice::NsidGone(number), None) = (&notice, nsid) {
            let Some(ns) = self.post.forget(*number) else { return ControlFlow::Continue(()) };
            self.scan.forget(ns);
            self.hinted.remove(&ns);
            return self.state.gone(ns, tell);
        }
        let Some(ns) = self.post.whose(nsid) else { return ControlFlow::Continue(()) };
        // Routes go silently with links and addresses.
        let hints = matches!(
            notice,
            Notice::ToReadAgain
                | Notice::Link(_)
                | Notice::LinkGone { .. }
                | Notice::Address(_)
                | Notice::AddressGone(_)
        );
        if hints {
            self.hint(ns);
        }
        self.state.apply(ns, notice, &mut self.post, tell)
    }

    /// A ruleset is read again as a whole: what is told of it is not its state.
    fn hear_netfilter(&mut self) -> io::Result<Heard> {
        for _ in 0..AT_A_TIME {
            match self.post.next_of_netfilter() {
                Ok(Some((_, nsid))) => {
                    if let Some(ns) = self.post.whose(nsid) {
                        self.hint(ns);
                    }
                }
                Ok(None) => break,
                Err(e) if is_overflow(&e) => return Ok(Heard::Lost),
                Err(e) => return Err(e),
            }
        }
        Ok(Heard::All)
    }

    fn hint(&mut self, ns: NsId) {
        let now = Instant::now();
        let hint = self.hinted.entry(ns).or_insert(Hint { first: now, last: now });
        hint.last = now;
    }

    /// Reads what was hinted at, where it is quiet now, and tells what differs.
    pub(super) fn read_again(&mut self, tell: &mut Teller<'_>) -> ControlFlow<()> {
        let now = Instant::now();
        let due: Vec<NsId> =
            self.hinted.iter().filter(|(_, h)| h.due() <= now).map(|(ns, _)| *ns).collect();
        for ns in due {
            self.hinted.remove(&ns);
            let Some(old) = self.state.snapshot.namespaces.get(&ns) else { continue };
            // One that has ended is told of by its number.
            let Ok(read) = read::again(old, AGAIN, &self.present) else { continue };
            let new = renewed(old, read);
            self.state.replace(new, tell)?;
        }
        ControlFlow::Continue(())
    }
}

/// A namespace with what was read of it again.
fn renewed(old: &Namespace, mut read: Namespace) -> Namespace {
    let mut new = old.clone();
    for link in new.links.values_mut() {
        // One that is gone is told of by its own message.
        if let Some(now) = read.links.get_mut(&link.index) {
            link.tc = now.tc.take();
            link.queues = std::mem::take(&mut now.queues);
        }
    }
    read::peers(&mut new, read.links);
    new.routes = read.routes;
    new.rules = read.rules;
    new.sysctls = read.sysctls;
    new.ruleset = read.ruleset;
    new.ipsets = read.ipsets;
    new.vlans = read.vlans;
    new.mdb = read.mdb;
    new.router_ports = read.router_ports;
    new.opaque = read.opaque;
    new.gaps.retain(|g| !is_of_these(&g.part));
    new.gaps.extend(read.gaps.into_iter().filter(|g| is_of_these(&g.part)));
    new
}

/// Gaps of parts that are read again here.
fn is_of_these(part: &str) -> bool {
    !matches!(part, "links" | "addresses" | "neighbours" | "fdb" | "nsids" | "conntrack")
}

fn is_overflow(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENOBUFS)
}
