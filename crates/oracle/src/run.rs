//! Many cases, on several benches.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use kernel::Program;
use kernel::probe::Tag;

use crate::case::{self, Lie, Outcome};
use crate::feature::Exercised;
use crate::file;
use crate::generate::{Case, Draw, Kinds, PACKETS, SCENES, generate, scene_of, tells};
use crate::rig::{Bench, Rig, Trouble};
use crate::schedule::{Next, Schedule};
use crate::shrink::shrink;

/// What to run.
#[derive(Clone, Debug)]
pub struct Order {
    /// How many cases.
    pub cases: usize,
    /// Of which networks.
    pub draw: Draw,
    /// On how many benches.
    pub jobs: usize,
    /// Where disagreements are kept; None: they are told only.
    pub keep: Option<PathBuf>,
    /// So many disagreements are shrunk.
    pub shrink: usize,
    /// No new network is begun after that.
    pub until: Option<Instant>,
    /// For a test of the oracle itself.
    pub lie: Option<Lie>,
    /// Is given what was found so far, after each network, and what was found on that.
    pub watch: fn(&Tally, &[String]),
}

/// What a run of fewer cases meets is chance.
pub(crate) const LONG: usize = 2000;

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Foretold as it was.
    pub agreed: usize,
    /// Not foretold.
    pub unknown: usize,
    /// Foretold wrongly.
    pub wrong: usize,
    /// Not sent, because the kernel may hold an error back.
    pub spared: usize,
    /// Wrong at first, and not when the same was done once more: the machine's doing, or the
    /// harness's. Neither agreed nor wrong.
    pub unsteady: usize,
    /// Networks that were not as their file says.
    pub read_back: usize,
    /// Networks that the kernel did not take.
    pub refused: usize,
    /// Failures of the machinery.
    pub broken: usize,
    /// How many unknowns of each cause.
    pub causes: BTreeMap<String, usize>,
    /// What was wrong, in words, with the number of its case.
    pub told: Vec<String>,
    exercised: Exercised,
}

impl Tally {
    /// Cases that were run.
    #[must_use]
    pub const fn cases(&self) -> usize {
        self.agreed + self.unknown + self.wrong
    }

    /// How often each feature decided.
    #[must_use]
    pub fn table(&self) -> String {
        self.exercised.table()
    }

    /// Features that decided too seldom for a run of that length, and that are too often unknown: a
    /// line for each. Nothing is said of a short run.
    #[must_use]
    pub fn shortcomings(&self, kinds: Kinds) -> Vec<String> {
        if self.cases() < LONG {
            return Vec::new();
        }
        let few = self.exercised.neglected(self.cases(), kinds).into_iter();
        let few = few.map(|(name, n, wanted)| {
            format!("the generator fails: {name} decided {n} times, {wanted} are wanted")
        });
        let dark = self.exercised.obscure().into_iter();
        few.chain(dark.map(|(name, n, of)| format!("{name} is unknown in {n} of {of} cases")))
            .collect()
    }

    /// Nothing was wrong.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.wrong + self.read_back + self.broken == 0
    }

    fn add(&mut self, other: Self) {
        self.agreed += other.agreed;
        self.unknown += other.unknown;
        self.wrong += other.wrong;
        self.spared += other.spared;
        self.unsteady += other.unsteady;
        self.read_back += other.read_back;
        self.refused += other.refused;
        self.broken += other.broken;
        for (cause, n) in other.causes {
            *self.causes.entry(cause).or_default() += n;
        }
        self.told.extend(other.told);
        self.exercised.add(&other.exercised);
    }
}

/// Runs the cases. `stop` breaks off between two of them.
///
/// # Errors
/// If no bench can be made.
pub fn run(order: &Order, folder: &str, stop: &AtomicBool) -> std::io::Result<Tally> {
    let shrunk = AtomicU64::new(0);
    let networks = order.cases.div_ceil(PACKETS) as u64;
    let so_far = Mutex::new((Tally::default(), Schedule::new(networks)));
    let work = |n: usize| {
        let bench = Bench::new(Program::current()?, &PathBuf::from(format!("{folder}-{n}")))?;
        while let Some(next) = next(order, &so_far, stop) {
            let (done, scenes) = network(order, &bench, next, &shrunk, stop);
            let (total, schedule) = &mut *locked(&so_far);
            if tells(order.draw, next.number) {
                schedule.done(next, &scenes);
            }
            let before = total.told.len();
            total.add(done);
            (order.watch)(total, &total.told[before..]);
        }
        std::io::Result::Ok(())
    };
    std::thread::scope(|scope| {
        let work = &work;
        let workers: Vec<_> = (0..order.jobs).map(|n| scope.spawn(move || work(n))).collect();
        workers.into_iter().try_for_each(|worker| {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    })?;
    let (total, _) = &mut *locked(&so_far);
    Ok(std::mem::take(total))
}

/// What is found, and what is still to be looked at.
type SoFar = Mutex<(Tally, Schedule)>;

fn locked(so_far: &SoFar) -> MutexGuard<'_, (Tally, Schedule)> {
    so_far.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The next network; None: all are begun, or it is late.
fn next(order: &Order, so_far: &SoFar, stop: &AtomicBool) -> Option<Next> {
    let late = order.until.is_some_and(|until| Instant::now() > until);
    if late || stop.load(Ordering::Relaxed) {
        return None;
    }
    let (total, schedule) = &mut *locked(so_far);
    schedule.next(&total.exercised)
}

/// The bytes that all packets of a network share.
#[must_use]
pub fn family(seed: u64, number: u64) -> Tag {
    let [a, b, c, d, ..] = (seed ^ number.wrapping_mul(0x9e37_79b9)).to_le_bytes();
    Tag([0x5a, a, b, 0, c, d, 0xa5, 0x0f])
}

/// What each scene of a network exercised.
type Scenes = [Exercised; SCENES];

/// One network with its packets.
fn network(
    order: &Order,
    bench: &Bench,
    Next { number, before }: Next,
    shrunk: &AtomicU64,
    stop: &AtomicBool,
) -> (Tally, Scenes) {
    let (mut tally, mut scenes) = (Tally::default(), Scenes::default());
    let case = generate(order.draw, number);
    let mut rig =
        match Rig::build(bench, &case.network.to_string(), family(order.draw.seed, number)) {
            Ok(rig) => rig,
            Err(trouble) => {
                tally.trouble(number, &trouble);
                return (tally, scenes);
            }
        };
    let rest = order.cases.saturating_sub(usize::try_from(before).unwrap_or(0) * PACKETS);
    let mut found = Vec::new();
    for (n, packet) in case.packets.iter().enumerate().take(rest) {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        case::ask_what_was_learned(&mut rig, packet);
        let before = rig.snapshot.clone();
        let judged = match case::run_as_asked(&mut rig, packet, crate::member(n), order.lie) {
            Ok(judged) => judged,
            Err(error) => {
                tally.trouble(number, &Trouble::Broken(error.to_string()));
                break;
            }
        };
        if matches!(judged.outcome, Outcome::Spared) {
            tally.spared += 1;
            continue;
        }
        let unknown = matches!(judged.outcome, Outcome::Unknown(_));
        scenes[scene_of(n)].count(&before, &judged.ways, unknown);
        match judged.outcome {
            Outcome::Agreed | Outcome::Spared => tally.agreed += 1,
            Outcome::Unknown(why) => {
                tally.unknown += 1;
                *tally.causes.entry(cause(&why)).or_default() += 1;
            }
            Outcome::Wrong(wrong) => found.push((n, wrong)),
        }
    }
    drop(rig);
    scenes.iter().for_each(|scene| tally.exercised.add(scene));
    for (n, wrong) in found {
        if order.lie.is_none()
            && crate::shrink::disagreement(bench, &case.network, &case.packets[..=n], order.lie)
                .is_none()
        {
            tally.unsteady += 1;
            let k = usize::try_from(number).unwrap_or(0) * PACKETS + n;
            tally.told.push(format!("case {k}: unsteady: {}", wrong.join("\n    ")));
            continue;
        }
        tally.wrong += 1;
        tally.told.push(disagreement(order, bench, number, &case, n, &wrong, shrunk));
    }
    (tally, scenes)
}

fn disagreement(
    order: &Order,
    bench: &Bench,
    number: u64,
    case: &Case,
    n: usize,
    wrong: &[String],
    shrunk: &AtomicU64,
) -> String {
    let k = usize::try_from(number).unwrap_or(0) * PACKETS + n;
    let packet = &case.packets[n];
    let mut told = format!("case {k}: {packet}\n    {}", wrong.join("\n    "));
    if shrunk.fetch_add(1, Ordering::Relaxed) < order.shrink as u64 {
        let least = shrink(bench, case, n, wrong, order.lie);
        let origin = format!("oracle {} --only {k}", order.draw);
        let text = file::text(&least.network.to_string(), &least.packets, wrong, &origin);
        match &order.keep {
            Some(folder) => {
                let path = folder.join(format!("seed{}-case{k}.yaml", order.draw.seed));
                let kept =
                    std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, &text));
                match kept {
                    Ok(()) => told += &format!("\n    kept as {}", path.display()),
                    Err(error) => told += &format!("\n    cannot be kept: {error}"),
                }
            }
            None => told += &format!("\n{text}"),
        }
    }
    told
}

impl Tally {
    fn trouble(&mut self, number: u64, trouble: &Trouble) {
        let network = usize::try_from(number).unwrap_or(0) * PACKETS;
        match trouble {
            Trouble::Refused(why) => {
                self.refused += 1;
                self.told.push(format!("network of case {network}: refused: {why}"));
            }
            Trouble::ReadBack(what) => {
                self.read_back += 1;
                self.told.push(format!(
                    "network of case {network}: read otherwise than written: {what}"
                ));
            }
            Trouble::Broken(why) => {
                self.broken += 1;
                self.told.push(format!("network of case {network}: {why}"));
            }
        }
    }
}

/// The kind of an unknown, without names.
fn cause(unknown: &walk::Unknown) -> String {
    use walk::Unknown;
    match unknown {
        Unknown::Opaque { what, .. } => format!("{what:?}"),
        Unknown::Link { what, .. }
        | Unknown::Rule { what, .. }
        | Unknown::Filter { what, .. }
        | Unknown::Netfilter { what, .. }
        | Unknown::Routing { what, .. }
        | Unknown::Gap { what, .. } => what.clone(),
        Unknown::Packet(what) => {
            let words = what.split_whitespace();
            words.filter(|w| !w.contains('.')).collect::<Vec<_>>().join(" ")
        }
    }
}
