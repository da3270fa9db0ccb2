//! The tables of iptables-legacy, each of which the kernel takes as a whole.

use std::io;

use model::{Expr, Table, Xt};
use rustix::io::Errno;
use wire::legacy::{self, Replace};

use super::{Builder, Cause};
use crate::netns;
use crate::xtables::Xtables;

/// How often it is tried again because somebody else changed the table meanwhile.
const ATTEMPTS: usize = 5;

impl Builder<'_> {
    pub(super) fn set_legacy(&self, ns: &str, table: &Table) -> Result<(), Cause> {
        netns::within(&self.space(ns)?.net, || legacy_table(table))?
    }

    /// No table goes before its namespace does: it is left with nothing in it.
    pub(super) fn clear_legacy(&self, ns: &str, table: &Table) -> Result<(), Cause> {
        self.set_legacy(ns, &table.emptied())
    }
}

/// Writes a table of iptables-legacy in the calling thread's namespace, in the place of the one that is there.
///
/// # Errors
/// Why the kernel does not take it: it may have no such tables, or not all that the rules use.
pub fn legacy_table(table: &Table) -> Result<(), Cause> {
    let cannot = || Cause::new(format!("iptables-legacy cannot say what {} holds", table.name));
    let replace = legacy::replace(table).ok_or_else(cannot)?;
    let socket = Xtables::open(table.family)?;
    match write(&socket, &replace)? {
        Ok(()) => Ok(()),
        Err(error) => Err(refused(&socket, table, error)),
    }
}

/// The inner error is about what is in the table, the outer one about the table.
fn write(socket: &Xtables, replace: &Replace) -> Result<io::Result<()>, Cause> {
    let name = replace.name();
    let mut tried = 1;
    loop {
        let info = socket.info(&name).map_err(|error| no_table(&name, error))?;
        match socket.replace(&info, replace.clone()) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && tried < ATTEMPTS => {
                tried += 1;
            }
            done => return Ok(done),
        }
    }
}

/// ENOPROTOOPT: nobody takes such options; ENOENT: somebody does, who has no such table.
fn no_table(name: &str, error: io::Error) -> Cause {
    let lacking = match Errno::from_io_error(&error) {
        Some(Errno::NOPROTOOPT) => "this kernel has no tables of iptables-legacy".to_owned(),
        Some(Errno::NOENT) => format!("this kernel has no table {name} of iptables-legacy"),
        _ => return error.into(),
    };
    let text = format!(
        "{lacking}: try `modprobe iptable_{name}` (`ip6table_{name}`) as root, or say the rules \
         under `iptables`; a Linux of 6.17 or later may be built without (CONFIG_NETFILTER_XTABLES_LEGACY)"
    );
    Cause { text, errno: Some(Errno::OPNOTSUPP) }
}

/// The kernel says no more than an error number about all of it.
fn refused(socket: &Xtables, table: &Table, error: io::Error) -> Cause {
    let rules = table.chains.iter().flat_map(|c| &c.rules);
    let missing = rules.flat_map(|r| &r.exprs).find_map(|expr| match expr {
        Expr::Match(xt) if !socket.has(false, &xt.name, xt.revision) => Some(("match", xt)),
        Expr::Target(xt) if !socket.has(true, &xt.name, xt.revision) => Some(("target", xt)),
        _ => None,
    });
    match missing {
        Some((kind, Xt { name, revision, .. })) => Cause {
            text: format!("this kernel has no {kind} {name} of revision {revision}"),
            errno: Some(Errno::OPNOTSUPP),
        },
        None => Cause::from(error).about(&format!("the kernel does not take {}", table.name)),
    }
}
