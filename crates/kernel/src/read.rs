//! Reading the live kernel into a [`Snapshot`], without changing anything on the host.
//!
//! First, every namespace that a process or a mount shows is found ([`find`]). Then an observer, a
//! network namespace of our own, gives each of them a number of its own choice and asks for their
//! links from there ([`observer`]): all peers come back in one numbering, and no number is allotted
//! in anybody else's table. What cannot be asked from outside is read by two threads that enter
//! each namespace in turn ([`inside`]). What engines call their containers is told by cgroups,
//! command lines and the engines' files ([`container`]), which are read [`beneath`] the root of a
//! process that is beside the container, never of one in it.

pub(crate) mod beneath;
mod container;
mod denied;
mod descriptor;
pub(crate) mod door;
mod file;
mod files;
pub(crate) mod find;
mod flight;
mod inside;
mod kin;
mod legacy;
mod listener;
pub(crate) mod modules;
pub(crate) mod mount;
mod name;
mod nesting;
mod netclass;
mod netfilter;
mod nsfs;
mod observer;
mod partial;
pub(crate) mod process;
mod programs;
mod public;
mod scope;
mod share;
mod survey;
mod sysctl;
mod told;
mod wireguard;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use model::{Link, LinkKind, Namespace, NsId, Release, Snapshot, Warning};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use wire::gathered::{Answers, Gathered, Holders, Reading, hold};

pub use file::file_of;

use find::Finds;
use process::Seen;
use survey::{Raw, Survey};
pub(crate) use wireguard::wipe;

bitflags::bitflags! {
    /// What is read of each namespace, beside what it is and its links.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Parts: u32 {
        /// Its own table of nsids.
        const NSIDS = 1;
        /// Routes and rules.
        const ROUTES = 1 << 1;
        /// Neighbours and forwarding databases.
        const NEIGHBOURS = 1 << 2;
        /// nftables, what else filters, and hooks before and behind links.
        const NETFILTER = 1 << 3;
        /// Tracked connections.
        const CONNTRACK = 1 << 4;
        /// Where to look for namespaces: also behind every open descriptor. A host with many open
        /// files takes its time.
        const DESCRIPTORS = 1 << 16;
        /// Sockets that wait for somebody, and whose they are; and whom it asks for names.
        const LISTENERS = 1 << 8;
        /// Addresses.
        const ADDRESSES = 1 << 9;
        /// The settings of a whole namespace (sysctls).
        const SETTINGS = 1 << 11;
        /// With [`Parts::SETTINGS`], also those that new links begin with; else only where there
        /// is a link without settings of its own, for which they count.
        const DEFAULTS = 1 << 10;
        /// What tunnels have of their own beside what their links tell: WireGuard's peers.
        const TUNNELS = 1 << 12;
        /// Of [`Parts::NEIGHBOURS`], what bridges filter by and whom they hand multicasts to.
        const BRIDGES = 1 << 13;
    }
}

/// A namespace that is already known by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownName {
    /// The lab that it is part of.
    pub lab: String,
    /// Its name there.
    pub name: String,
    /// `st_dev` of its nsfs file.
    pub dev: u64,
    /// `st_ino` of its nsfs file.
    pub ino: u64,
    /// The name, in the same lab, of the one that it is inside of; None: directly on the host.
    pub parent: Option<String>,
}

/// What to read.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// Which parts of each namespace.
    pub parts: Parts,
    /// Names that are already known.
    pub names: Vec<KnownName>,
    /// Ask the container engines that run, for two seconds at most.
    pub api: bool,
}

impl Default for ReadOptions {
    /// Everything that the kernel and files tell.
    fn default() -> Self {
        Self { parts: Parts::all(), names: Vec::new(), api: false }
    }
}

/// Why nothing at all could be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no /proc, or it is not the kernel's.
    #[error("cannot read /proc: {0}")]
    Proc(#[source] io::Error),
}

/// Reads this host. What vanishes or is denied on the way becomes a gap or a warning in the
/// result.
///
/// # Errors
/// Only if there is nothing to begin with.
pub fn read(options: &ReadOptions) -> Result<Snapshot, ReadError> {
    look(options, Which::All, Raw::Drop).map(finish)
}

/// Reads this host as [`read`] does, but of all namespaces other than the one that `word` names
/// (or that has the link that it names) no more than their links and nsids. The second part of
/// the result is that namespace; None: all were read, since it could not be told beforehand.
///
/// # Errors
/// Only if there is nothing to begin with.
pub fn read_one(options: &ReadOptions, word: &str) -> Result<(Snapshot, Option<NsId>), ReadError> {
    let look = look(options, Which::One(word), Raw::Drop)?;
    let only = look.only;
    Ok((finish(look), only))
}

/// Reads these namespaces of this host, and those that only their links' peers show.
///
/// # Errors
/// Only if there is nothing to begin with.
pub fn read_these(options: &ReadOptions, these: &[NsId]) -> Result<Snapshot, ReadError> {
    look(options, Which::These(these), Raw::Drop).map(finish)
}

/// Reads some parts of all namespaces of a Snapshot once more: what packets teach, so that nothing
/// else can have changed. (Of links, what WireGuard ones know of their peers.) A namespace that cannot be entered any more is an error.
///
/// # Errors
/// If a namespace has ended.
pub fn refresh(snapshot: &mut Snapshot, parts: Parts) -> io::Result<()> {
    let present = modules::Present::find(parts);
    let ids: Vec<NsId> = snapshot.namespaces.keys().copied().collect();
    for id in ids {
        let Some(namespace) = snapshot.namespaces.get_mut(&id) else { continue };
        let now = again(namespace, parts, &present)?;
        if parts.contains(Parts::NEIGHBOURS) {
            (namespace.neighbours, namespace.fdb) = (now.neighbours, now.fdb);
        }
        if parts.contains(Parts::CONNTRACK) {
            namespace.conntrack = now.conntrack;
        }
        if parts.contains(Parts::TUNNELS) {
            peers(namespace, now.links);
        }
    }
    Ok(())
}

/// What namespaces have learned of these destinations, by another reading, where that is another than
/// the Snapshot says. Namespaces that cannot be entered are left out.
#[must_use]
pub fn learned(
    snapshot: &Snapshot,
    about: &BTreeSet<(NsId, IpAddr)>,
) -> BTreeMap<NsId, Vec<model::LearnedRoute>> {
    let mut by_space: BTreeMap<NsId, Vec<IpAddr>> = BTreeMap::new();
    for (ns, dst) in about {
        by_space.entry(*ns).or_default().push(*dst);
    }
    let now = by_space.into_iter().filter_map(|(id, about)| {
        let namespace = snapshot.namespaces.get(&id)?;
        let now = visit(namespace, |answers| inside::learned_of(&about, answers)).ok()?;
        (now.learned != namespace.learned).then_some((id, now.learned))
    });
    now.collect()
}

/// What WireGuard links say of their peers now; the rest of the links is not looked at.
pub(crate) fn peers(namespace: &mut Namespace, mut now: BTreeMap<u32, Link>) {
    for link in namespace.links.values_mut() {
        let told = now.remove(&link.index).map(|now| now.kind);
        if let (LinkKind::Wireguard(own), Some(LinkKind::Wireguard(Some(mut told)))) =
            (&mut link.kind, told)
        {
            // By its own namespace alone it may not be found.
            told.socket = own.as_ref().map_or(told.socket, |own| own.socket);
            *own = Some(told);
        }
    }
}

fn finish(look: Look) -> Snapshot {
    let Look { found, survey, mut holders, processes, .. } = look;
    let mut snapshot = survey.join(found);
    holders.sockets = listener::holders(&snapshot, &processes);
    hold(&mut snapshot, &holders);
    container::settle(&mut snapshot);
    snapshot
}

/// Reads this host as [`read`] does, and keeps the kernel's replies as they came: what a bundle is
/// made of.
///
/// # Errors
/// Only if there is nothing to begin with.
pub fn gather(options: &ReadOptions) -> Result<Gathered, ReadError> {
    let Look { found, survey, holders, processes, .. } = look(options, Which::All, Raw::Keep)?;
    let mut gathered = survey.keep(found);
    gathered.holders = holders;
    gathered.answers.values_mut().for_each(wireguard::forget_stand_ins);
    let mut settled = gathered.snapshot();
    gathered.holders.sockets = listener::holders(&settled, &processes);
    container::settle(&mut settled);
    for (id, namespace) in settled.namespaces {
        if let Some(found) = gathered.found.namespaces.get_mut(&id) {
            found.networks = namespace.networks;
        }
    }
    Ok(gathered)
}

/// What there is, and what it answers.
struct Look {
    found: Snapshot,
    survey: Survey,
    holders: Holders,
    processes: Vec<Seen>,
    /// The only one that was read as a whole.
    only: Option<NsId>,
}

/// Which namespaces are read.
enum Which<'a> {
    All,
    /// Of all others no more than their links and nsids.
    One(&'a str),
    /// The others are left alone.
    These(&'a [NsId]),
}

fn look(options: &ReadOptions, which: Which<'_>, raw: Raw) -> Result<Look, ReadError> {
    let word = match which {
        Which::One(word) => Some(word),
        Which::All | Which::These(_) => None,
    };
    let mut warnings = Vec::new();
    let mut found = find::find(options.parts.contains(Parts::DESCRIPTORS), &mut warnings)
        .map_err(ReadError::Proc)?;
    if let Which::These(these) = which {
        found.candidates.retain(|candidate| these.contains(&candidate.id()));
    }
    nesting::nest(&mut found, &options.names);
    container::find(&mut found, &mut warnings);
    let asking = options.api.then(|| told::ask(&found, &mut warnings));
    let only = word.and_then(|word| named(&mut found, &options.names, word));
    let wanted = survey::Wanted { parts: options.parts, only };
    let survey = survey::survey(&found.candidates, wanted, raw);
    if let Some(asking) = asking {
        told::join(&mut found, asking.finish(), &mut warnings);
    }
    name::name(&mut found, &options.names);
    let mut snapshot = Snapshot {
        viewer: Some(found.viewer),
        kernel: Release::parse(&rustix::system::uname().release().to_string_lossy()),
        taken: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs()),
        warnings,
        ..Snapshot::default()
    };
    for candidate in found.candidates {
        snapshot.namespaces.insert(candidate.namespace.id, candidate.namespace);
    }
    let holders = Holders { taps: found.taps.into_iter().collect(), ..Holders::default() };
    Ok(Look { found: snapshot, survey, holders, processes: found.processes, only })
}

/// The namespace that a word names, by what is known before anything is read of any.
fn named(found: &mut Finds, names: &[KnownName], word: &str) -> Option<NsId> {
    name::name(found, names);
    let all = found.candidates.iter().map(|c| (c.id(), c.namespace.clone()));
    let snapshot =
        Snapshot { viewer: Some(found.viewer), namespaces: all.collect(), ..Snapshot::default() };
    let of_link = || snapshot.resolve_ns(word.rsplit_once(':')?.0).ok();
    snapshot.resolve_ns(word).ok().or_else(of_link)
}

/// What is told of single links, so that it takes to know which there are.
const OF_LINKS: Parts = Parts::TUNNELS.union(Parts::BRIDGES).union(Parts::NETFILTER);

/// Parts of one namespace once more, all but its addresses. Of links, only what those parts tell
/// means anything: whom they are joined to is not found out.
///
/// # Errors
/// If it cannot be entered any more.
pub(crate) fn again(
    namespace: &Namespace,
    parts: Parts,
    present: &modules::Present,
) -> io::Result<Namespace> {
    visit(namespace, |answers| {
        if parts.intersects(OF_LINKS) {
            inside::own(Parts::empty(), answers);
        }
        inside::read(parts, present, &mut sysctl::Source::default(), answers);
        // Whether there is any, a whole read finds out by the links that it read.
        if parts.contains(Parts::NEIGHBOURS) && has_fdb(namespace) {
            inside::fdb(answers);
        }
    })
}

/// Of one namespace once more what the kernel changes without telling anybody: sets of ipset, and
/// the peers of its WireGuard links.
///
/// # Errors
/// If it cannot be entered any more.
pub(crate) fn untold(namespace: &Namespace, present: &modules::Present) -> io::Result<Namespace> {
    visit(namespace, |answers| {
        netfilter::sets(present, answers);
        if has_tunnels(namespace) {
            inside::own(Parts::empty(), answers);
            wireguard::read(Parts::TUNNELS, present, answers);
        }
    })
}

/// What somebody inside of a namespace is answered.
fn visit(namespace: &Namespace, ask: impl FnOnce(&mut Answers) + Send) -> io::Result<Namespace> {
    let net = crate::open::open(namespace)?;
    let mut answers = Answers::default();
    thread::scope(|scope| {
        // The thread that goes there ends there.
        let read = scope.spawn(|| {
            move_into_link_name_space(net.as_fd(), Some(LinkNameSpaceType::Network))?;
            ask(&mut answers);
            io::Result::Ok(())
        });
        read.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })?;
    let mut found = Snapshot::default();
    found.namespaces.insert(namespace.id, Namespace::new(namespace.id));
    let reading = (namespace.id, Reading::of(&answers));
    let mut read = wire::gathered::join(found, [reading], None);
    read.namespaces.remove(&namespace.id).ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// Whether it has WireGuard links.
pub(crate) fn has_tunnels(namespace: &Namespace) -> bool {
    namespace.links.values().any(|link| matches!(link.kind, LinkKind::Wireguard(_)))
}

fn has_fdb(namespace: &Namespace) -> bool {
    let mut kinds = namespace.links.values().map(|link| &link.kind);
    kinds.any(|kind| matches!(kind, LinkKind::Bridge(_) | LinkKind::Vxlan(_)))
}

fn warning(text: impl Into<String>) -> Warning {
    Warning { ns: None, text: text.into() }
}
