//! Every file of `scenarios/` on the real kernel: what is foretold is what the file says, and what
//! is seen is what was foretold.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test program of its own")]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

use kernel::Program;
use kernel::probe::Tag;
use model::{LinkId, NsId, Snapshot};
use oracle::{Bench, Outcome, Rig, Spec, Trouble};
use trial::{Needs, test};
use walk::{Cause, Disposition, Loss, Trace};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    if let Some(code) = kernel::role::play(&words) {
        return ExitCode::from(u8::try_from(code).unwrap_or(1));
    }
    let tests = files().into_iter().map(|file| {
        let name: &'static str = file.file_stem().unwrap().to_string_lossy().into_owned().leak();
        let text = std::fs::read_to_string(&file).unwrap();
        let needs: &'static [Needs] = match text.lines().any(|l| l.starts_with("# needs: ")) {
            true => vec![Needs::Trying(name, refused)].leak(),
            false => &[],
        };
        test(name, needs, move || shows(name, &text))
    });
    let table = test("the table of scenarios is whole", &[], the_table_is_whole);
    trial::main(tests.chain([table]).collect())
}

/// The README names a file for each step of the kernel and for each surprise, and each is there.
fn the_table_is_whole() {
    let text = std::fs::read_to_string(folder().join("README.md")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    let rows: Vec<(&str, Vec<&str>)> = rows
        .map(|(row, rest)| (row, rest.split('`').skip(1).step_by(2).collect()))
        .filter(|(_, files): &(&str, Vec<&str>)| !files.is_empty())
        .collect();
    let steps = "A1 A2 B C1 C2 C3 C4 C5 C6 D1 D2 D3 D4 D5 D6 D7 D8 E F G H I J K L";
    for row in steps.split(' ').chain("1 2 3 4 5 6 7 8 9 10 11 12".split(' ')) {
        assert!(rows.iter().any(|(name, _)| *name == row), "no scenario of {row}");
    }
    let steps_only = rows.iter().filter(|(name, _)| !name.starts_with('`'));
    for file in steps_only.flat_map(|(_, files)| files) {
        assert!(folder().join(format!("{file}.yaml")).exists(), "{file}");
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

fn files() -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|file| file.extension().is_some_and(|e| e == "yaml")).collect();
    files.sort();
    files
}

fn bench(name: &str) -> Bench {
    let name = format!("nestwork-scenario-{}-{name}", std::process::id());
    Bench::new(Program::current().unwrap(), &std::env::temp_dir().join(name)).unwrap()
}

/// What its packets are known by: the kernel tells of all packets that it throws away, those of other
/// tests, too.
fn family(name: &str) -> Tag {
    let mut hash = std::hash::DefaultHasher::new();
    std::hash::Hash::hash(&(name, std::process::id()), &mut hash);
    let [a, b, c, d, e, ..] = std::hash::Hasher::finish(&hash).to_le_bytes();
    Tag([0x73, a, b, 0, c, d, e, 6])
}

/// Why the kernel does not take a network: it says so, or passes over what it does not know.
fn refused(name: &str) -> Option<String> {
    let text = std::fs::read_to_string(folder().join(format!("{name}.yaml"))).unwrap();
    let bench = bench(name);
    match Rig::build(&bench, &text, family(name)) {
        Err(Trouble::Refused(why) | Trouble::ReadBack(why)) => Some(why),
        _ => None,
    }
}

/// The packets of a file, each with what must come of it.
fn packets(text: &str) -> Vec<(Spec, String)> {
    let mut found = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(packet) = line.strip_prefix("# packet: ") else { continue };
        let result = lines.peek().and_then(|next| next.strip_prefix("# result: "));
        let result = result.unwrap_or_else(|| panic!("no result follows {packet:?}"));
        found.push((packet.parse().unwrap(), result.to_owned()));
    }
    assert!(!found.is_empty(), "there is no packet");
    found
}

fn shows(name: &str, text: &str) {
    let bench = bench(name);
    let mut rig = Rig::build(&bench, text, family(name)).unwrap_or_else(|t| panic!("{t:?}"));
    let _processes = change(&mut rig, text);
    for (n, (packet, result)) in packets(text).into_iter().enumerate() {
        let judged = oracle::judge(&mut rig, &packet, oracle::member(n), None).unwrap();
        let came = all_words(&judged.ways, &rig.snapshot);
        assert_eq!(came, result, "{packet}");
        match judged.outcome {
            Outcome::Agreed => {}
            Outcome::Unknown(_) if result == "unknown" => {}
            other => panic!("{packet}: {other:?}"),
        }
    }
}

/// Does what no lab file says: a command in a namespace, or a process there.
fn change(rig: &mut Rig<'_>, text: &str) -> Vec<Running> {
    let mut processes = Vec::new();
    let mut changed = false;
    let lines = text.lines().filter_map(|l| l.strip_prefix("# ")?.split_once(": "));
    for (key, line) in lines.filter(|(key, _)| ["run", "process"].contains(key)) {
        let (ns, command) = line.split_once(' ').unwrap();
        let fd = std::os::fd::AsRawFd::as_raw_fd(&rig.net(ns).unwrap());
        let net = format!("--net=/proc/{}/fd/{fd}", std::process::id());
        let mut there = Command::new("nsenter");
        there.args([&net, "sh", "-c", command]).current_dir(folder());
        changed = true;
        if key == "process" {
            processes.push(Running::begin(there));
            continue;
        }
        let ran = there.output().unwrap();
        assert!(ran.status.success(), "{line}: {}", String::from_utf8_lossy(&ran.stderr));
    }
    if changed {
        rig.read_again().unwrap_or_else(|t| panic!("{t:?}"));
    }
    processes
}

/// A process that ends when its input does.
struct Running(Child);

impl Running {
    /// It says in a line that it is ready.
    fn begin(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "{command:?} ended");
        Self(child)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// What the ways that a packet may take come to, as the files say it, each once.
fn all_words(ways: &[Trace], snapshot: &Snapshot) -> String {
    let mut all: Vec<String> = ways.iter().map(|way| words(way, snapshot)).collect();
    all.dedup();
    all.join(" or ")
}

/// What a trace comes to.
fn words(trace: &Trace, snapshot: &Snapshot) -> String {
    let ns = |id: NsId| short(&snapshot.name_of(id));
    let there = &trace.there.disposition;
    let answered = || match trace.back.as_ref().map(|way| (way.cause, &way.disposition)) {
        None => None,
        Some((_, Disposition::Lost(loss))) => Some(format!("answer {}", lost(loss, snapshot))),
        Some((_, Disposition::Unknown(_))) => Some("unknown".to_owned()),
        Some((Cause::IcmpError, _)) => Some("refused by".to_owned()),
        Some(_) => Some("answered by".to_owned()),
    };
    match (there, answered()) {
        (Disposition::Unknown(_), _) => "unknown".to_owned(),
        (Disposition::Ignored, _) => "ignored".to_owned(),
        (Disposition::Lost(loss), _) => lost(loss, snapshot),
        (Disposition::Left(link), _) => format!("left {}", at(*link, snapshot)),
        (Disposition::Delivered(id), None) => format!("delivered {}", ns(*id)),
        (Disposition::Delivered(id), Some(by)) if by.ends_with(" by") => {
            format!("{by} {}", ns(*id))
        }
        (Disposition::Delivered(_), Some(other)) => other,
    }
}

fn lost(loss: &Loss, snapshot: &Snapshot) -> String {
    let place = loss.link.map_or_else(|| short(&snapshot.name_of(loss.ns)), |l| at(l, snapshot));
    let reason = format!("{:?}", loss.reason);
    let variant = reason.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    format!("lost {place} {variant}")
}

fn at(link: LinkId, snapshot: &Snapshot) -> String {
    short(&snapshot.link_name(link))
}

/// Without the lab that it is in.
fn short(name: &str) -> String {
    name.rsplit('/').next().unwrap_or(name).to_owned()
}
