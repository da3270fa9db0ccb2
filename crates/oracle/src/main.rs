//! `oracle`: random networks and packets, foretold by the walk, and held against the real kernel.

#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program of its own, for developers"
)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use clap::Parser;
use kernel::Program;
use oracle::{Bench, Draw, Kind, Kinds, Order, Outcome, Rig, Tally};

/// Builds random networks on the real kernel, foretells packets, sends them, and compares.
#[derive(Parser)]
struct Args {
    /// How many cases (a case is one packet; 20 on one network). The last ones of a long run are of
    /// what has decided too seldom until then.
    #[arg(long, default_value_t = 1000)]
    cases: usize,
    /// Which networks: the same seed gives the same ones.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many networks of 100 tell stories, in which features are made to decide; the others are of
    /// everything a little.
    #[arg(long, default_value_t = Draw::STORIES, value_parser = clap::value_parser!(u8).range(0..=100))]
    stories: u8,
    /// Only stories of what not every kernel has: vlan, vlan-filtering, ipvlan, vrf, dummy, bond, ifb, iptables-legacy; can be
    /// said again. Else of those that this kernel has, among all others.
    #[arg(long = "kind")]
    kinds: Vec<Kind>,
    /// How many networks at a time; else four for each CPU, since most of the time is spent
    /// waiting.
    #[arg(long)]
    jobs: Option<usize>,
    /// This case alone (with the packets before it on its network), told in full.
    #[arg(long)]
    only: Option<usize>,
    /// The network of a lab file, with the packets of its lines `# packet: …`, told in full.
    #[arg(long, conflicts_with = "only")]
    file: Option<PathBuf>,
    /// Begin no network after so many seconds.
    #[arg(long)]
    seconds: Option<u64>,
    /// Folder for the disagreements that were shrunk; with --only, for that one.
    #[arg(long)]
    keep: Option<PathBuf>,
    /// Shrink so many disagreements.
    #[arg(long, default_value_t = 3)]
    shrink: usize,
    /// Tell all disagreements, not only the first ones.
    #[arg(long)]
    all: bool,
}

impl Args {
    fn draw(&self) -> Draw {
        let of_kinds = !self.kinds.is_empty();
        let kinds = match of_kinds {
            true => self.kinds.iter().copied().collect(),
            false => Kinds::here(),
        };
        Draw { seed: self.seed, stories: self.stories, kinds, of_kinds }
    }
}

fn main() -> ExitCode {
    let words: Vec<String> =
        std::env::args_os().map(|a| a.to_string_lossy().into_owned()).collect();
    if let Some(code) = kernel::role::play(&words) {
        return ExitCode::from(u8::try_from(code).unwrap_or(1));
    }
    let args = Args::parse();
    match start(&args) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(3)
        }
    }
}

/// What was wrong.
const WRONG: u8 = 1;
/// Nothing was wrong, but the cases were not those that they should be.
const NEGLECTED: u8 = 2;

fn start(args: &Args) -> std::io::Result<u8> {
    if !kernel::rootless::missing_capabilities()?.is_empty() {
        kernel::rootless::enter_own_user_namespace()?;
    }
    let folder = std::env::temp_dir().join(format!("nestwork-oracle-{}", std::process::id()));
    let folder = folder.display().to_string();
    if let Some(number) = args.only {
        return only(args, number, &folder).map(|right| if right { 0 } else { WRONG });
    }
    if let Some(path) = &args.file {
        let kept = oracle::Kept::parse(&std::fs::read_to_string(path)?);
        let kept = kept.map_err(std::io::Error::other)?;
        let bench = Bench::new(Program::current()?, folder.as_ref())?;
        let family = oracle::family(args.seed, 0);
        let wrong = told(&bench, &kept.text, &kept.packets, family, true)?;
        return Ok(if wrong.is_none() { 0 } else { WRONG });
    }
    let stop: &'static AtomicBool = Box::leak(Box::new(AtomicBool::new(false)));
    kernel::on_interrupt(|| stop.store(true, std::sync::atomic::Ordering::Relaxed))?;
    let begun = Instant::now();
    let order = Order {
        cases: args.cases,
        draw: args.draw(),
        jobs: args.jobs.unwrap_or_else(jobs),
        keep: args.keep.clone(),
        shrink: args.shrink,
        until: args.seconds.map(|s| begun + Duration::from_secs(s)),
        lie: None,
        watch: progress,
    };
    let tally = oracle::run(&order, &folder, stop)?;
    tell(args, &tally, begun.elapsed());
    Ok(match (tally.is_clean(), tally.shortcomings(args.draw().kinds).is_empty()) {
        (false, _) => WRONG,
        (true, false) => NEGLECTED,
        (true, true) => 0,
    })
}

/// Long runs say how far they are, and what they found, at once, on stderr.
fn progress(so_far: &Tally, found: &[String]) {
    for line in found {
        eprintln!("{line}");
    }
    if so_far.cases() / 1000 > (so_far.cases() - so_far.cases().min(oracle::PACKETS)) / 1000 {
        eprintln!("{} cases, {} of them wrong", so_far.cases(), so_far.wrong);
    }
}

fn jobs() -> usize {
    4 * std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn tell(args: &Args, tally: &Tally, took: Duration) {
    let most = if args.all { usize::MAX } else { 20 };
    for line in tally.told.iter().take(most) {
        println!("{line}");
    }
    if tally.told.len() > most {
        println!("… and {} more (--all)", tally.told.len() - most);
    }
    println!("\n{}{}", tally.table(), oracle::lacking());
    for (cause, n) in &tally.causes {
        println!("unknown {n:>6}  {cause}");
    }
    for line in tally.shortcomings(args.draw().kinds) {
        println!("{line}");
    }
    println!(
        "seed {}: {} cases in {:.1} s: {} agreed, {} unknown, {} wrong, {} unsteady, {} spared; networks: {} read otherwise than written, {} refused, {} broken",
        args.seed,
        tally.cases(),
        took.as_secs_f64(),
        tally.agreed,
        tally.unknown,
        tally.wrong,
        tally.unsteady,
        tally.spared,
        tally.read_back,
        tally.refused,
        tally.broken,
    );
}

/// One case, with all that there is to be said.
fn only(args: &Args, number: usize, folder: &str) -> std::io::Result<bool> {
    let (text, packets, family) = oracle::one(args.draw(), number);
    let bench = Bench::new(Program::current()?, folder.as_ref())?;
    println!("{text}");
    let Some(wrong) = told(&bench, &text, &packets, family, false)? else { return Ok(true) };
    if let Some(folder) = &args.keep {
        std::fs::create_dir_all(folder)?;
        let path = folder.join(format!("seed{}-case{number}.yaml", args.seed));
        std::fs::write(&path, oracle::least(&bench, args.draw(), number, &wrong))?;
        println!("  kept as {}", path.display());
    }
    Ok(false)
}

/// Sends packets over a network, one after the other, and tells how each went, with the traces of
/// the last one or of all. What was wrong with the last that was.
fn told(
    bench: &Bench,
    text: &str,
    packets: &[oracle::Spec],
    family: kernel::probe::Tag,
    all: bool,
) -> std::io::Result<Option<Vec<String>>> {
    let mut rig = Rig::build(bench, text, family)
        .map_err(|trouble| std::io::Error::other(format!("{trouble:?}")))?;
    let mut found = None;
    for (n, packet) in packets.iter().enumerate() {
        let snapshot = rig.snapshot.clone();
        let judged = oracle::judge(&mut rig, packet, oracle::member(n), None)?;
        println!("{packet}");
        if all || n + 1 == packets.len() {
            let style = render::Style::default();
            for way in &judged.ways {
                println!("{}", render::trace(&snapshot, way, None, true, &style));
            }
        }
        match judged.outcome {
            Outcome::Agreed => println!("  agreed"),
            Outcome::Spared => {
                println!("  not sent: the kernel may hold an error back, or takes any port");
            }
            Outcome::Unknown(why) => println!("  unknown: {why:?}"),
            Outcome::Wrong(wrong) => {
                println!("  wrong:\n    {}", wrong.join("\n    "));
                found = Some(wrong);
            }
        }
    }
    Ok(found)
}
