//! The one executor: makes each change of a plan so, in order.
//!
//! It decides nothing: a change says all that is to be done. Whatever fails is told with the
//! change that it was, and nothing is undone here: that is a plan of its own.

mod ipset;
mod legacy;
mod link;
mod namespace;
mod network;
mod process;
mod tc;

pub use legacy::legacy_table;
pub(crate) use link::{has_mab, learns_at_most};
pub(crate) use network::passed_over;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use model::{Change, Fact, PortState};
use rustix::io::Errno;

use crate::netlink::{NetlinkError, Protocol, Socket};
use crate::process::Process;
use crate::spawn::{Beginning, Program, SpawnError};
use crate::state::{LabState, Role};

/// Builds one lab.
pub struct Builder<'a> {
    program: &'a Program,
    lab: LabState,
    leash: Option<BorrowedFd<'a>>,
    spaces: BTreeMap<String, Space>,
}

/// A living container of the lab.
struct Space {
    process: Process,
    net: OwnedFd,
    route: Socket,
    /// Its first process may still be mounting; its network is there from the start.
    beginning: Option<Beginning>,
}

impl Space {
    fn of(process: Process) -> Result<Self, Cause> {
        let net = process.open_namespace("net")?;
        let route = Socket::open_in(&net, Protocol::Route)?;
        Ok(Self { process, net, route, beginning: None })
    }

    /// Waits until its mounts and its host name are there too.
    fn ready(&mut self) -> Result<&Process, Cause> {
        if let Some(beginning) = self.beginning.take() {
            beginning.wait()?;
        }
        Ok(&self.process)
    }

    /// ifindex of a link here.
    fn index(&self, link: &str) -> Result<u32, Cause> {
        Ok(rustix::net::netdevice::name_to_index(self.route.as_fd(), link)?)
    }
}

impl<'a> Builder<'a> {
    /// A builder of that lab, with its living containers.
    ///
    /// `leash`: when the other end of it closes, new containers end.
    ///
    /// # Errors
    /// If a container cannot be looked into.
    pub fn new(
        program: &'a Program,
        lab: LabState,
        leash: Option<BorrowedFd<'a>>,
    ) -> Result<Self, Cause> {
        let mut spaces = BTreeMap::new();
        for (name, entry) in lab.containers() {
            if let Some(process) = entry.process()? {
                spaces.insert(name.to_owned(), Space::of(process)?);
            }
        }
        Ok(Self { program, lab, leash, spaces })
    }

    /// The lab as it is now remembered.
    #[must_use]
    pub const fn lab(&self) -> &LabState {
        &self.lab
    }

    /// Makes one change.
    ///
    /// # Errors
    /// Why it could not be made; it may then be half done.
    pub fn apply(&mut self, change: &Change) -> Result<(), Cause> {
        match change {
            Change::Make(fact) => self.make(fact),
            Change::Alter { from, to } => self.alter(from, to),
            Change::Remove(fact) => self.remove(fact),
        }
    }

    /// Waits until all containers are ready, and lets the kernel tell every link's state at once, where it would else do so within a second.
    ///
    /// It puts off what a new carrier means for the operational state, but not for a link that is
    /// asked for by its index.
    ///
    /// # Errors
    /// If a namespace cannot be asked.
    pub fn settle(&mut self) -> Result<(), Cause> {
        for space in self.spaces.values_mut() {
            space.ready()?;
        }
        self.settle_links()
    }

    fn settle_links(&mut self) -> Result<(), Cause> {
        // Twice: a bridge's state follows from its ports', whatever their order.
        for _ in 0..2 {
            for space in self.spaces.values_mut() {
                link::settle_all(&mut space.route)?;
            }
        }
        Ok(())
    }

    fn make(&mut self, fact: &Fact) -> Result<(), Cause> {
        match fact {
            Fact::Namespace(spec) => self.make_namespace(spec),
            Fact::Nsid { ns, nsid, target } => self.make_nsid(ns, *nsid, target),
            Fact::NsFile { ns, path, target } => self.make_file(ns, path, target),
            Fact::Link(spec) => self.make_link(spec),
            Fact::Cable(spec) => self.make_cable(spec),
            Fact::Master { link, bridge, port } => self.set_master(link, bridge.as_deref(), port),
            Fact::Backup { link, port } => self.set_backup(link, Some(port)),
            Fact::PortState { link, state } => self.set_port_state(link, *state),
            Fact::BondPort { bond, role, port } => self.set_bond_port(bond, *role, Some(port)),
            Fact::Up { link, up } => self.set_up(link, *up),
            Fact::Mtu { link, mtu } => self.set_mtu(link, *mtu),
            Fact::Address(spec) => self.make_address(spec),
            Fact::Route(spec) => self.make_route(spec),
            Fact::Rule { ns, rule } => self.make_rule(ns, rule),
            Fact::AddressLabel { ns, net, dev, label } => {
                self.set_label(ns, *net, dev.as_ref(), Some(*label))
            }
            Fact::Neighbour { link, ip, mac } => self.make_neighbour(link, *ip, *mac),
            Fact::Proxy { link, ip } => self.make_proxy(link, *ip),
            Fact::Fdb { link, mac } => self.make_fdb(link, *mac),
            Fact::Vlan { link, id, pvid, untagged } => self.make_vlan(link, *id, *pvid, *untagged),
            Fact::Mdb { link, group } => self.make_mdb(link, *group),
            Fact::Tc { link, tc } => self.make_tc(link, tc),
            Fact::Queue { link, queue } => self.make_queue(link, queue),
            Fact::Sysctl { ns, key, value } => self.set_sysctl(ns, key, value),
            Fact::IpSet { ns, set } => self.make_ipset(ns, set),
            Fact::Table { ns, table } => self.set_table(ns, table, false),
            Fact::Service { ns, spec } => self.make_service(ns, spec),
        }
    }

    fn alter(&mut self, from: &Fact, to: &Fact) -> Result<(), Cause> {
        match (from, to) {
            (Fact::Link(from), Fact::Link(to)) => self.alter_link(from, to),
            (Fact::IpSet { set: from, .. }, Fact::IpSet { ns, set }) => {
                self.alter_ipset(ns, from, set)
            }
            (_, Fact::Table { ns, table }) => self.set_table(ns, table, true),
            (
                _,
                Fact::Master { .. }
                | Fact::Backup { .. }
                | Fact::PortState { .. }
                | Fact::BondPort { .. }
                | Fact::Up { .. }
                | Fact::Mtu { .. }
                | Fact::Vlan { .. }
                | Fact::Sysctl { .. },
            ) => self.make(to),
            _ => {
                self.remove(from)?;
                self.make(to)
            }
        }
    }

    fn remove(&mut self, fact: &Fact) -> Result<(), Cause> {
        match fact {
            Fact::Namespace(spec) => self.end_namespace(&spec.name),
            Fact::NsFile { ns, path, .. } => self.remove_file(ns, path),
            Fact::Link(spec) => self.remove_link(&spec.link),
            Fact::Cable(spec) => self.end_cable(spec),
            Fact::Master { link, port, .. } => self.set_master(link, None, port),
            Fact::Backup { link, .. } => self.set_backup(link, None),
            Fact::PortState { link, .. } => self.set_port_state(link, PortState::Forwarding),
            Fact::BondPort { bond, role, .. } => self.set_bond_port(bond, *role, None),
            Fact::Up { link, up } => self.set_up(link, !*up),
            Fact::Address(spec) => self.remove_address(spec),
            Fact::Route(spec) => self.remove_route(spec),
            Fact::Rule { ns, rule } => self.remove_rule(ns, rule),
            Fact::AddressLabel { ns, net, dev, .. } => self.set_label(ns, *net, dev.as_ref(), None),
            Fact::Neighbour { link, ip, .. } => self.remove_neighbour(link, *ip),
            Fact::Proxy { link, ip } => self.remove_proxy(link, *ip),
            Fact::Fdb { link, mac } => self.remove_fdb(link, *mac),
            Fact::Vlan { link, id, .. } => self.remove_vlan(link, *id),
            Fact::Mdb { link, group } => self.remove_mdb(link, *group),
            Fact::Tc { link, .. } => self.remove_tc(link),
            Fact::Queue { link, .. } => self.remove_queue(link),
            Fact::IpSet { ns, set } => self.remove_ipset(ns, &set.name),
            Fact::Table { ns, table } => self.remove_table(ns, table),
            Fact::Service { ns, .. } => {
                self.end_process(|role| matches!(role, Role::Service(name, _) if name == ns))
            }
            Fact::Sysctl { ns, key, .. } => self.reset_sysctl(ns, key),
            // Neither has a value to go back to: an nsid goes with its namespace, and an MTU that
            // nobody wants any more stays.
            Fact::Nsid { .. } | Fact::Mtu { .. } => Ok(()),
        }
    }

    fn space(&self, name: &str) -> Result<&Space, Cause> {
        self.spaces.get(name).ok_or_else(|| Cause::no_namespace(name))
    }

    fn space_mut(&mut self, name: &str) -> Result<&mut Space, Cause> {
        self.spaces.get_mut(name).ok_or_else(|| Cause::no_namespace(name))
    }
}

/// Why something could not be done.
#[derive(Debug)]
pub struct Cause {
    /// In words.
    pub text: String,
    /// The kernel's error number, if it was the kernel.
    pub errno: Option<Errno>,
}

impl Cause {
    /// A cause in words.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), errno: None }
    }

    fn no_namespace(name: &str) -> Self {
        Self::new(format!("the namespace {name} is not there"))
    }

    /// The same, with what was being done.
    fn about(self, doing: &str) -> Self {
        Self { text: format!("{doing}: {}", self.text), ..self }
    }

    /// Whether the caller lacks a right.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        matches!(self.errno, Some(Errno::PERM | Errno::ACCESS))
    }

    /// Whether the kernel lacks a feature.
    #[must_use]
    pub fn is_lacking(&self) -> bool {
        matches!(
            self.errno,
            Some(Errno::OPNOTSUPP | Errno::AFNOSUPPORT | Errno::PROTONOSUPPORT | Errno::NOSYS)
        )
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Cause {}

impl From<io::Error> for Cause {
    fn from(e: io::Error) -> Self {
        Self { text: model::plain(&e), errno: Errno::from_io_error(&e) }
    }
}

impl From<Errno> for Cause {
    fn from(e: Errno) -> Self {
        io::Error::from(e).into()
    }
}

impl From<NetlinkError> for Cause {
    fn from(e: NetlinkError) -> Self {
        Self { text: e.to_string(), errno: Some(e.errno) }
    }
}

impl From<SpawnError> for Cause {
    fn from(e: SpawnError) -> Self {
        Self {
            text: format!("{}: {}", e.doing, model::plain(&e.source)),
            errno: Errno::from_io_error(&e.source),
        }
    }
}
