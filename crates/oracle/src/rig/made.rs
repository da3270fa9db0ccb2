//! A network, made by the project's own code, read back, and ended.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;

use engine::Known;
use kernel::Process;
use kernel::apply::Builder;
use kernel::read::{KnownName, Parts, ReadOptions};
use kernel::state::{LabState, Lock, Role};
use model::{AddressFlags, Fact, HostId, NsId, NsKey, Snapshot, Wanted};

use super::{Bench, Trouble};

pub(super) fn end(lock: &Lock, lab: &LabState) {
    for entry in lab.entries.iter().rev() {
        if let Ok(Some(process)) = entry.process() {
            // One that has ended meanwhile is no error, and the leash ends the others.
            let _ = process.kill();
        }
    }
    let _ = lock.forget(lab);
}

/// An address of IPv6 that is still to be used: a worker of the kernel does that when its link can
/// carry frames, and makes the address's route only then (`addrconf_dad_completed`).
pub(super) fn is_unready(snapshot: &Snapshot) -> bool {
    let mut all = snapshot.namespaces.values();
    all.any(|ns| {
        let carries = |index: &u32| ns.links.get(index).is_some_and(|l| l.is_running());
        let mut addresses = ns.addresses.iter();
        addresses.any(|a| a.flags.contains(AddressFlags::TENTATIVE) && carries(&a.link))
    })
}

pub(super) fn make(
    bench: &Bench,
    lock: &Lock,
    wanted: &Wanted,
    text: &str,
    leash: BorrowedFd<'_>,
) -> Result<LabState, Trouble> {
    let lab = lock.begin(&wanted.name, Path::new("case"), text).map_err(broken)?;
    let mut builder = Builder::new(&bench.program, lab, Some(leash))
        .map_err(|e| Trouble::Broken(e.to_string()))?;
    let changes = engine::plan(wanted, None, &Known::default(), &Snapshot::default());
    let made = changes.iter().try_for_each(|change| {
        let what = || format!("{}: ", render::change(change));
        builder.apply(change).map_err(|cause| what() + &cause.to_string())
    });
    let made = made.and_then(|()| builder.settle().map_err(|e| e.to_string()));
    let lab = builder.lab().clone();
    made.map(|()| lab.clone()).map_err(|why| {
        end(lock, &lab);
        Trouble::Refused(why)
    })
}

/// Everything of these namespaces.
pub(super) fn look(lab: &LabState, names: &BTreeMap<String, NsId>) -> Result<Snapshot, Trouble> {
    let these: Vec<NsId> = names.values().copied().collect();
    let parts = Parts::all() - Parts::DESCRIPTORS;
    let options = ReadOptions { parts, names: known_names(lab), api: false };
    kernel::read::read_these(&options, &these).map_err(|e| Trouble::Broken(e.to_string()))
}

/// The read must equal what was written: a plan from it has nothing to do.
pub(super) fn read_back(
    wanted: &Wanted,
    known: &Known,
    snapshot: &Snapshot,
) -> Result<(), Trouble> {
    let changes = engine::plan(wanted, Some(wanted), known, snapshot);
    if changes.is_empty() {
        return Ok(());
    }
    let told: Vec<String> = changes.iter().map(render::change).collect();
    Err(Trouble::ReadBack(told.join("; ")))
}

pub(super) fn known(lab: &LabState, wanted: &Wanted) -> io::Result<Known> {
    let mut known = Known::default();
    let mut alive: BTreeMap<String, Process> = BTreeMap::new();
    for (name, entry) in lab.containers() {
        known.namespaces.insert(name.to_owned(), id(entry.net));
        if let Some(process) = entry.process()? {
            alive.insert(name.to_owned(), process);
        }
    }
    for entry in &lab.entries {
        if let Role::Service(ns, ports) = &entry.role {
            known.services.insert(ns.clone(), kernel::role::service(ports));
        }
    }
    for fact in &wanted.facts {
        if let Fact::Sysctl { ns, key, .. } = fact
            && let Some(process) = alive.get(ns)
            && let Ok(value) = kernel::read_sysctl(process, key)
        {
            known.sysctls.insert((ns.clone(), key.clone()), value);
        }
    }
    Ok(known)
}

fn known_names(lab: &LabState) -> Vec<KnownName> {
    lab.containers()
        .map(|(name, entry)| KnownName {
            lab: lab.name.clone(),
            name: name.to_owned(),
            dev: entry.net.dev,
            ino: entry.net.ino,
            parent: None,
        })
        .collect()
}

pub(super) const fn id(inode: kernel::Inode) -> NsId {
    NsId { host: HostId(0), key: NsKey::Inode { dev: inode.dev, ino: inode.ino } }
}

pub(super) fn broken(error: io::Error) -> Trouble {
    Trouble::Broken(error.to_string())
}
