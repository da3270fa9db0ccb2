//! The main job, whole: build, draw, trace with a real packet, remove.

use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::Instant;

use kernel::read::Parts;
use kernel::rootless;
use model::{Fact, Snapshot, Wanted};

use crate::building::{self, Before, Design};
use crate::failure::{Exit, Failure, OrFail};

use crate::output;
use crate::session::Session;
use crate::tracing;

/// The lab that is shown.
const EXAMPLE: &str = include_str!("../../../../examples/proxmox-docker.yaml");

pub(crate) fn run(session: &Session) -> Result<Exit, Failure> {
    let missing = rootless::missing_capabilities().or_fail("cannot read this process's rights")?;
    if !missing.is_empty() {
        rootless::enter_own_user_namespace().map_err(|e| {
            Failure::failed("cannot make a user namespace, which an ordinary user needs")
                .because(e)
                .hint("run it as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns)")
        })?;
    }
    let mut design = Design::parse(PathBuf::from("(built in)"), "demo", EXAMPLE.to_owned())?;
    design.wanted.name = format!("demo-{}", std::process::id());
    for sentence in &design.differs {
        output::line(&format!("as an ordinary user: {sentence}"));
    }
    let start = Instant::now();
    let (leash, hold) =
        rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).or_fail("cannot make a pipe")?;
    let lock = building::lock(&session.state)?;
    let before = Before::look(None, &design.wanted)?;
    let changes = before.plan(&design.wanted);
    let lab =
        building::make(&lock, &design, &before, &changes, Some(leash.as_fd()), &mut |_, _| Ok(()))?;
    drop(lock);
    output::line(&format!(
        "built with {} changes in {:.0} ms\n",
        changes.len(),
        start.elapsed().as_secs_f64() * 1e3
    ));
    let outcome = show(session, &design.wanted);
    let lock = session.state.lock().or_fail("cannot lock the labs' state")?;
    building::remove(&lock, &lab)?;
    drop(hold);
    let exit = outcome?;
    output::line(&format!("\nremoved; {:.1} s in all", start.elapsed().as_secs_f64()));
    Ok(exit)
}

/// Draws the lab and traces through it.
fn show(session: &Session, wanted: &Wanted) -> Result<Exit, Failure> {
    let snapshot = only(session.snapshot(Parts::all() - Parts::LISTENERS)?, &wanted.name);
    output::print(&render::map(&snapshot, None, &session.style));
    let (from, to) =
        farthest(wanted).ok_or_else(|| Failure::failed("the example has nothing to trace"))?;
    output::line(&format!("\nnestwork trace {from} {to} --live\n"));
    tracing::trace(session, &snapshot, &tracing::Wish::ping(from, to))
}

/// The part of a Snapshot that belongs to one lab.
fn only(mut snapshot: Snapshot, lab: &str) -> Snapshot {
    snapshot.namespaces.retain(|_, ns| ns.lab() == Some(lab));
    let kept = &snapshot.namespaces;
    snapshot.warnings.retain(|w| w.ns.is_some_and(|ns| kept.contains_key(&ns)));
    snapshot
}

/// The namespace that was made last, and the address of the first host that answers.
fn farthest(wanted: &Wanted) -> Option<(String, String)> {
    let from = wanted.facts.iter().rev().find_map(|f| match f {
        Fact::Namespace(spec) => Some(spec.name.clone()),
        _ => None,
    })?;
    let answers = wanted.facts.iter().find_map(|f| match f {
        Fact::Service { ns, .. } => Some(ns),
        _ => None,
    })?;
    let to = wanted.facts.iter().find_map(|f| match f {
        Fact::Address(a) if a.link.ns == *answers => Some(a.net.addr().to_string()),
        _ => None,
    })?;
    Some((from, to))
}
