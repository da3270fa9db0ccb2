//! Making a lab so: from its file to a plan, and from the plan to the kernel, or back.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

use engine::Known;
use kernel::apply::{Builder, Cause};
use kernel::read::{KnownName, Parts, ReadOptions};
use kernel::state::{Entry, LabState, Lock, Role, State};
use kernel::{Inode, Program};
use model::{CableSpec, Change, Fact, LinkKind, LinkRef, NsId, NsKey, Snapshot, Wanted};

use crate::failure::{Failure, OrFail};

/// A lab file and what it wants.
pub(crate) struct Design {
    pub(crate) source: PathBuf,
    pub(crate) text: String,
    pub(crate) wanted: Wanted,
    /// What cannot be as the file says, for an ordinary user.
    pub(crate) differs: Vec<String>,
}

impl Design {
    /// Reads a lab file.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let shown = path.display().to_string();
        let text = read_text(path).map_err(|e| {
            let failure = Failure::usage(format!("cannot read {shown}")).because(&e);
            match e.kind() {
                std::io::ErrorKind::NotFound => failure.hint(
                    "name a lab file, or put a nestwork.yaml here; examples/ holds some to start from",
                ),
                _ => failure,
            }
        })?;
        let source = path.canonicalize().or_fail("cannot find the lab file's path")?;
        Self::parse(source, &shown, text)
    }

    /// A lab file's text.
    pub(crate) fn parse(source: PathBuf, shown: &str, text: String) -> Result<Self, Failure> {
        let mut lab = lab::parse(&text, shown).map_err(|errors| {
            let lines: Vec<String> = errors.iter().map(|e| render::clean(&e.to_string())).collect();
            Failure::usage(lines.join("\nerror: "))
        })?;
        let privileged = kernel::rootless::has_all_ids();
        let differs = if privileged { Vec::new() } else { lab.without_privileges() };
        Ok(Self { source, text, wanted: lab::expand(&lab), differs })
    }
}

/// A file's text, if it is no longer than a lab file may be.
fn read_text(path: &Path) -> std::io::Result<String> {
    /// Far more than a lab of a thousand containers takes.
    const MOST: u64 = 16 << 20;
    let mut text = String::new();
    std::fs::File::open(path)?.take(MOST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MOST {
        return Err(std::io::Error::other("it is longer than 16 MiB"));
    }
    Ok(text)
}

/// What a plan is made from.
pub(crate) struct Before {
    /// What an earlier run was told to make.
    pub(crate) wanted: Option<Wanted>,
    pub(crate) known: Known,
    pub(crate) snapshot: Snapshot,
    /// What an earlier run was making so when it was broken off.
    unfinished: Option<String>,
}

impl Before {
    /// What of a lab is there. One that was never begun is not looked for.
    pub(crate) fn look(lab: Option<&LabState>, wanted: &Wanted) -> Result<Self, Failure> {
        let Some(lab) = lab else {
            return Ok(Self {
                wanted: None,
                known: Known::default(),
                snapshot: Snapshot::default(),
                unfinished: None,
            });
        };
        let earlier = earlier(lab);
        let (known, snapshot) = look(lab, [Some(wanted), earlier.as_ref()].into_iter().flatten())?;
        Ok(Self { wanted: earlier, known, snapshot, unfinished: lab.pending.clone() })
    }

    /// What is to change.
    pub(crate) fn plan(&self, wanted: &Wanted) -> Vec<Change> {
        engine::plan(wanted, self.wanted.as_ref(), &self.known, &self.snapshot)
    }
}

/// All that earlier runs may have made: what was once wholly so, and what was begun since.
fn earlier(lab: &LabState) -> Option<Wanted> {
    let source = lab.source.display().to_string();
    let design = |text: &String| Design::parse(lab.source.clone(), &source, text.clone()).ok();
    let applied = lab.applied.as_ref().and_then(design).map(|d| d.wanted);
    let pending = lab.pending.as_ref().and_then(design).map(|d| d.wanted);
    match (applied, pending) {
        (Some(mut applied), Some(pending)) => {
            let begun: Vec<Fact> =
                pending.facts.into_iter().filter(|f| !applied.facts.contains(f)).collect();
            applied.facts.extend(begun);
            Some(applied)
        }
        (applied, pending) => applied.or(pending),
    }
}

/// Looks at a lab's living namespaces, and at all that facts of these plans speak of.
fn look<'a>(
    lab: &LabState,
    plans: impl Iterator<Item = &'a Wanted>,
) -> Result<(Known, Snapshot), Failure> {
    let mut known = Known::default();
    let mut alive = BTreeMap::new();
    for (name, entry) in lab.containers() {
        if let Some(process) = entry.process().or_fail("cannot look at the lab's processes")? {
            known.namespaces.insert(name.to_owned(), ns_id(entry.net));
            alive.insert(name.to_owned(), process);
        }
    }
    for entry in &lab.entries {
        if entry.process().or_fail("cannot look at the lab's processes")?.is_none() {
            continue;
        }
        match &entry.role {
            Role::Service(ns, ports) => {
                known.services.insert(ns.clone(), kernel::role::service(ports));
            }
            Role::Cable(a, b) => {
                known.cables.extend(link_ref(a).map(|a| (a, link_ref(b))));
            }
            Role::Container(_) | Role::Owner => {}
        }
    }
    // What a lab made has a process or a file; nothing else is its business.
    let others = Parts::CONNTRACK | Parts::DESCRIPTORS | Parts::LISTENERS;
    let options = ReadOptions { parts: Parts::all() - others, names: known_names(lab), api: false };
    let snapshot = kernel::read::read(&options).or_fail("cannot read this host")?;
    for fact in plans.flat_map(|w| &w.facts) {
        if let Fact::Cable(CableSpec { a, b: None }) = fact
            && is_tap(&snapshot, &known, &a.link)
        {
            // Nothing is plugged in, so no process tells of it.
            known.cables.insert((a.link.clone(), None));
        }
        if let Fact::Sysctl { ns, key, .. } = fact
            && let Some(process) = alive.get(ns)
            && let Ok(value) = kernel::read_sysctl(process, key)
        {
            known.sysctls.insert((ns.clone(), key.clone()), value);
        }
    }
    Ok((known, snapshot))
}

fn is_tap(snapshot: &Snapshot, known: &Known, link: &LinkRef) -> bool {
    let ns = known.namespaces.get(&link.ns).and_then(|id| snapshot.namespaces.get(id));
    let link = ns.and_then(|ns| ns.link_named(&link.name));
    matches!(link.map(|l| &l.kind), Some(LinkKind::Tap(_)))
}

/// `NS:LINK`.
fn link_ref(text: &str) -> Option<LinkRef> {
    text.split_once(':').map(|(ns, link)| LinkRef::new(ns, link))
}

const fn ns_id(inode: Inode) -> NsId {
    NsId { host: model::HostId(0), key: NsKey::Inode { dev: inode.dev, ino: inode.ino } }
}

/// What a lab calls its namespaces.
pub(crate) fn known_names(lab: &LabState) -> Vec<KnownName> {
    let parents = parents(lab);
    lab.containers()
        .map(|(name, entry)| KnownName {
            lab: lab.name.clone(),
            name: name.to_owned(),
            dev: entry.net.dev,
            ino: entry.net.ino,
            parent: parents.get(name).cloned().flatten(),
        })
        .collect()
}

/// Who is inside of whom, by the lab's file.
fn parents(lab: &LabState) -> BTreeMap<String, Option<String>> {
    let facts = earlier(lab).map(|w| w.facts).unwrap_or_default();
    let spec = |fact| match fact {
        Fact::Namespace(spec) => Some((spec.name, spec.inside)),
        _ => None,
    };
    facts.into_iter().filter_map(spec).collect()
}

/// Told of each change before it is made; an error stops the run there, as if the change had
/// failed.
pub(crate) type Watch<'a> = &'a mut dyn FnMut(usize, &Change) -> Result<(), Cause>;

/// Makes a plan so. What fails is undone, so that the host is as it was.
pub(crate) fn make(
    lock: &Lock,
    design: &Design,
    before: &Before,
    changes: &[Change],
    leash: Option<BorrowedFd<'_>>,
    watch: Watch<'_>,
) -> Result<LabState, Failure> {
    let program = Program::current().or_fail("cannot find this program")?;
    let name = &design.wanted.name;
    let lab =
        lock.begin(name, &design.source, &design.text).or_fail("cannot write the lab's state")?;
    let lab =
        if leash.is_some() { owned(lab).or_fail("cannot write the lab's state")? } else { lab };
    let mut builder = Builder::new(&program, lab, leash).or_fail("cannot look at the lab")?;
    if let Err(failure) = apply(&mut builder, changes, watch) {
        return Err(match undo(lock, design, before, builder) {
            Ok(keyless) if keyless.is_empty() => failure,
            Ok(keyless) => failure.hint(format!(
                "all is as it was before, but for keys of WireGuard that were set by hand, which nobody \
                 is told: `wg set` them on {}",
                keyless.join(", ")
            )),
            Err(worse) => failure.hint(format!(
                "undoing it failed too ({worse}); `nestwork down {name}` removes the lab"
            )),
        });
    }
    lock.finish(builder.lab()).or_fail("cannot write the lab's state")?;
    Ok(builder.lab().clone())
}

fn apply(builder: &mut Builder<'_>, changes: &[Change], watch: Watch<'_>) -> Result<(), Failure> {
    for (n, change) in changes.iter().enumerate() {
        let made = watch(n, change).and_then(|()| builder.apply(change));
        made.map_err(|cause| explain(change, &cause))?;
    }
    builder.settle().or_fail("cannot wait for the lab's containers and links")
}

/// A lab that is to go when this program ends, however it ends.
fn owned(mut lab: LabState) -> std::io::Result<LabState> {
    let this = kernel::Process::of(std::process::id())?;
    let net = this.namespace("net")?;
    lab.record(Entry { role: Role::Owner, pid: this.pid, started: this.started, net })?;
    Ok(lab)
}

/// Brings the host back to how it was before this run. The links that lack keys then, which nobody
/// knows.
fn undo(
    lock: &Lock,
    design: &Design,
    before: &Before,
    builder: Builder<'_>,
) -> Result<Vec<String>, Failure> {
    let lab = builder.lab().clone();
    if lab.applied.is_none() && before.unfinished.is_none() {
        return remove(lock, &lab).map(|()| Vec::new());
    }
    let plans = [Some(&design.wanted), before.wanted.as_ref()];
    let (known, snapshot) = look(&lab, plans.into_iter().flatten())?;
    let changes = engine::undo(
        before.wanted.as_ref(),
        &design.wanted,
        &before.snapshot,
        &before.known,
        &snapshot,
        &known,
    );
    let mut builder = builder;
    for change in &changes {
        builder.apply(change).map_err(|cause| explain(change, &cause))?;
    }
    lock.give_up(builder.lab(), before.unfinished.as_deref())
        .or_fail("cannot write the lab's state")?;
    Ok(engine::keyless(&changes).into_iter().map(ToString::to_string).collect())
}

/// Ends all that a lab has, and forgets it.
pub(crate) fn remove(lock: &Lock, lab: &LabState) -> Result<(), Failure> {
    // Latest first: a cable or service before the container that it is in.
    for entry in lab.entries.iter().rev().filter(|e| e.role != Role::Owner) {
        if let Some(process) = entry.process().or_fail("cannot look at the lab's processes")? {
            process.kill().or_fail("cannot end one of the lab's processes")?;
        }
    }
    lock.forget(lab).or_fail("cannot remove the lab's state")
}

/// Takes the right to change labs, and removes what programs left behind that were killed while
/// they held a lab on a leash.
pub(crate) fn lock(state: &State) -> Result<Lock, Failure> {
    let lock = state.lock().or_fail("cannot lock the labs' state")?;
    let labs = labs(state)?;
    labs.iter().filter(|lab| is_abandoned(lab)).try_for_each(|lab| remove(&lock, lab))?;
    Ok(lock)
}

/// All labs, without those that were left behind.
pub(crate) fn living_labs(state: &State) -> Result<Vec<LabState>, Failure> {
    let found = labs(state)?;
    if !found.iter().any(is_abandoned) {
        return Ok(found);
    }
    drop(lock(state)?);
    labs(state)
}

fn labs(state: &State) -> Result<Vec<LabState>, Failure> {
    state.labs().or_fail("cannot read the labs' state")
}

fn is_abandoned(lab: &LabState) -> bool {
    let owner = lab.entries.iter().find(|e| e.role == Role::Owner);
    owner.is_some_and(|e| matches!(e.process(), Ok(None)))
}

/// A change that failed, as a person is told it.
fn explain(change: &Change, cause: &Cause) -> Failure {
    let what = render::change(change);
    let failure = Failure::failed(format!("cannot make this change: {what}")).because(cause);
    if cause.is_denied() {
        failure.hint("run it as root, or as an ordinary user in a user namespace: `nestwork demo`")
    } else if cause.is_lacking() {
        failure.hint("this kernel was built without that feature, or its module is not loaded")
    } else {
        failure
    }
}
