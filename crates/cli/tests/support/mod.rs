//! Running the program on the real kernel, each test with labs and state of its own.
#![allow(dead_code, reason = "every test file uses a part of it")]

pub(crate) mod stack;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

/// The program under test.
pub(crate) const NESTWORK: &str = env!("CARGO_BIN_EXE_nestwork");

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// One of the examples.
pub(crate) fn example(name: &str) -> PathBuf {
    repository().join("examples").join(name)
}

/// A script for the tests.
pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support").join(name)
}

/// A file below `fixtures/`.
pub(crate) fn fixture(name: &str) -> String {
    let path = repository().join("fixtures").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A folder for one test's labs; whatever of them still lives is ended when it goes.
pub(crate) struct Bench {
    folder: PathBuf,
}

impl Bench {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let n = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("nestwork-test-{}-{n}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self { folder }
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    /// A path in its folder.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }

    /// Writes a lab file.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(NESTWORK);
        command.env("NESTWORK_STATE", self.state()).env_remove("NESTWORK_FAULT").args(args);
        command
    }

    /// Runs it; what it printed and its exit status.
    #[track_caller]
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        Ran::from(self.command(args).output().unwrap())
    }

    /// Runs it, and expects that exit status.
    #[track_caller]
    pub(crate) fn expect(&self, status: i32, args: &[&str]) -> Ran {
        let ran = self.run(args);
        assert_eq!(ran.status, status, "nestwork {args:?}\n{}{}", ran.out, ran.err);
        ran
    }

    /// Runs it with success.
    #[track_caller]
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        self.expect(0, args).out
    }

    /// Makes a lab from one of the examples.
    #[track_caller]
    pub(crate) fn up_example(&self, name: &str) {
        self.ok(&["up", example(name).to_str().unwrap()]);
    }

    /// Makes a lab from text.
    #[track_caller]
    pub(crate) fn up(&self, text: &str) -> PathBuf {
        let file = self.file("lab.yaml", text);
        self.ok(&["up", file.to_str().unwrap()]);
        file
    }

    /// A command in all namespaces of a container of the lab.
    #[track_caller]
    pub(crate) fn exec(&self, ns: &str, command: &str) -> String {
        let mut args = vec!["exec", "-a", ns, "--"];
        args.extend(command.split(' '));
        self.ok(&args)
    }

    /// PIDs of the lab processes that the state tells of.
    pub(crate) fn pids(&self) -> Vec<u32> {
        let mut pids = Vec::new();
        for lab in std::fs::read_dir(self.state().join("labs")).into_iter().flatten().flatten() {
            let journal = std::fs::read_to_string(lab.path().join("journal")).unwrap_or_default();
            pids.extend(journal.lines().filter_map(|l| l.split(' ').next()?.parse::<u32>().ok()));
        }
        pids
    }
}

impl Drop for Bench {
    /// Removes all that the test made, and fails it if something of that stays.
    fn drop(&mut self) {
        let pids = self.pids();
        for lab in std::fs::read_dir(self.state().join("labs")).into_iter().flatten().flatten() {
            let name = lab.file_name();
            let _ = self.command(&["down", name.to_str().unwrap_or_default()]).output();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
        let left = alive(&pids);
        assert!(left.is_empty() || std::thread::panicking(), "left behind: {left:?}");
    }
}

/// Those of these processes that still run.
pub(crate) fn alive(pids: &[u32]) -> Vec<u32> {
    let runs = |pid: &&u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let state = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        !state.is_empty() && !state.starts_with(['Z', 'X'])
    };
    pids.iter().filter(runs).copied().collect()
}

/// What a run gave.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
        Self {
            status: output.status.code().unwrap_or(-1),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}
