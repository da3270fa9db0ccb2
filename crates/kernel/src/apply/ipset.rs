//! Sets of ipset.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use model::{IpSet, Table};
use rustix::io::Errno;
use wire::ipset::{self, request};

use super::{Builder, Cause};
use crate::netlink::{NetlinkError, Protocol, Request, Socket};

/// How many entries are sent at once.
const AT_ONCE: usize = 512;
/// The name under which what is to take another's place is made.
const NEW: &str = ".nestwork-new";
/// The kernel lets go of a set a little later than of the rule that named it.
const LET_GO_WITHIN: Duration = Duration::from_secs(2);
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(2);

impl Builder<'_> {
    pub(super) fn make_ipset(&self, ns: &str, set: &IpSet) -> Result<(), Cause> {
        make(&mut self.ipsets(ns)?, set, &set.name)
    }

    /// What names the set goes on naming it: it gets what the new one holds. Of another type, it is
    /// made anew.
    pub(super) fn alter_ipset(&self, ns: &str, from: &IpSet, to: &IpSet) -> Result<(), Cause> {
        let mut socket = self.ipsets(ns)?;
        if (&from.kind, from.family) != (&to.kind, to.family) {
            destroy(&mut socket, &from.name)?;
            return make(&mut socket, to, &to.name);
        }
        // Of a run that was killed.
        let _ = socket.ack(request::destroy(NEW));
        make(&mut socket, to, NEW)?;
        socket.ack(request::swap(NEW, &to.name))?;
        destroy(&mut socket, NEW)
    }

    pub(super) fn remove_ipset(&self, ns: &str, name: &str) -> Result<(), Cause> {
        destroy(&mut self.ipsets(ns)?, name)
    }

    /// Gives the sets that a table's rules name the numbers that they have in this namespace.
    pub(super) fn number_ipsets(&self, ns: &str, table: &mut Table) -> Result<(), Cause> {
        let replies = self.ipsets(ns)?.dump(request::headers())?;
        let (sets, _) = ipset::decode(&replies.bytes);
        let numbers: BTreeMap<&str, u16> =
            sets.iter().filter_map(|set| Some((set.name.as_str(), set.index?))).collect();
        for named in table.ip_sets_mut() {
            let Some(name) = named.name.as_deref() else { continue };
            let missing = || Cause::new(format!("the ipset {name} is not there"));
            named.index = *numbers.get(name).ok_or_else(missing)?;
        }
        Ok(())
    }

    fn ipsets(&self, ns: &str) -> Result<Socket, Cause> {
        Ok(Socket::open_in(&self.space(ns)?.net, Protocol::Netfilter)?)
    }
}

fn make(socket: &mut Socket, set: &IpSet, name: &str) -> Result<(), Cause> {
    let reply = socket.get(request::kind(&set.kind, set.family)).map_err(lacking)?;
    let revision = ipset::revision(&reply).unwrap_or_default();
    socket.ack(request::create(set, name, revision))?;
    for entries in set.entries.chunks(AT_ONCE) {
        let requests: Vec<Request> =
            entries.iter().map(|entry| request::add(name, entry).into()).collect();
        if let Some(refused) = socket.batch(&requests)?.into_iter().next() {
            let entry = entries.get(refused.index).map(|e| wire::ipset_text::entry(set, e));
            let cause = Cause::from(refused.error);
            return Err(cause.about(&entry.unwrap_or_default()));
        }
    }
    Ok(())
}

/// No part of the kernel takes messages of ipset.
fn lacking(error: NetlinkError) -> Cause {
    let missing = error.errno == Errno::INVAL && error.words.is_none();
    let cause = Cause::from(error);
    if missing { cause.about("this kernel may lack ipset") } else { cause }
}

fn destroy(socket: &mut Socket, name: &str) -> Result<(), Cause> {
    let until = Instant::now() + LET_GO_WITHIN;
    loop {
        match socket.ack(request::destroy(name)) {
            Err(error) if error.own == Some(ipset::BUSY) && Instant::now() < until => {
                std::thread::sleep(LOOK_AGAIN_AFTER);
            }
            done => return Ok(done?),
        }
    }
}
