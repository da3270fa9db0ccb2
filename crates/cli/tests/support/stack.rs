//! A machine of its own with real programs on it (`stack/host.sh`, `rulesets/machine.sh`).

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use trial::Needs;

use super::{Bench, NESTWORK, Ran};

/// What it takes.
pub(crate) const NEEDS: &[Needs] = &[
    Needs::Ids,
    Needs::Tool("dockerd"),
    Needs::Tool("lxc-start"),
    Needs::Tool("podman"),
    Needs::Tool("busybox"),
    Needs::Tool("python3"),
];

/// The machine. It ends with this.
pub(crate) struct Stack {
    unshare: Child,
    /// Its first process, as this machine sees it.
    pid: u32,
    bench: Bench,
    cgroups: BTreeSet<PathBuf>,
}

impl Stack {
    /// Starts the one with the engines, and waits until all that runs on it is up.
    pub(crate) fn start() -> Self {
        Self::with("stack/host.sh", "")
    }

    /// Starts one whose first process is that script, which is told its folder and what it is for.
    pub(crate) fn with(script: &str, what: &str) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(script);
        let cgroups = cgroups();
        let bench = Bench::new();
        let log = std::fs::File::create(bench.folder.join("stack.log")).unwrap();
        let mut unshare = Command::new("unshare")
            .args(["--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child"])
            .arg("--mount-proc")
            .arg(&script)
            .arg(script.parent().unwrap())
            .arg(what)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut word = String::new();
        BufReader::new(unshare.stdout.take().unwrap()).read_line(&mut word).unwrap();
        let pid = children(unshare.id()).first().copied().unwrap_or_default();
        let stack = Self { unshare, pid, bench, cgroups };
        let log = std::fs::read_to_string(stack.bench.folder.join("stack.log"));
        assert_eq!(word, "ready\n", "{}", log.unwrap_or_default());
        stack
    }

    /// nestwork on that machine; what it printed and its exit status.
    pub(crate) fn run(&self, args: &[&str]) -> (i32, String) {
        let ran = Ran::from(self.enter().arg(NESTWORK).args(args).output().unwrap());
        (ran.status, format!("{}{}", ran.out, ran.err))
    }

    /// The same, with success; standard output only.
    #[track_caller]
    pub(crate) fn nestwork(&self, args: &[&str]) -> String {
        let ran = Ran::from(self.enter().arg(NESTWORK).args(args).output().unwrap());
        assert_eq!(ran.status, 0, "nestwork {args:?}\n{}{}", ran.out, ran.err);
        ran.out
    }

    /// What `collect` saves of it.
    pub(crate) fn bundle(&self) -> Vec<u8> {
        let output = self.enter().args([NESTWORK, "collect", "-"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// A command line on that machine.
    #[track_caller]
    pub(crate) fn host(&self, line: &str) -> String {
        succeeded(line, self.enter().args(["sh", "-c", line]).output().unwrap())
    }

    /// A command line in the LXC container.
    #[track_caller]
    pub(crate) fn guest(&self, line: &str) -> String {
        let pid = self.host("lxc-info -pHn dockerbox");
        let mut command = self.enter();
        command.args(["nsenter", "-a", "-t", &pid, "sh", "-c", line]);
        succeeded(line, command.output().unwrap())
    }

    /// A command line with the guest's tools in the network of a Docker container.
    #[track_caller]
    pub(crate) fn inside(&self, container: &str, line: &str) -> String {
        let pid = self.guest(&format!("docker inspect -f {{{{.State.Pid}}}} {container}"));
        self.guest(&format!("nsenter -n -t {pid} {line}"))
    }

    /// A command line with the machine's tools in the network of a Podman container.
    #[track_caller]
    pub(crate) fn in_podman(&self, container: &str, line: &str) -> String {
        let pid = self.host(&format!("podman inspect -f {{{{.State.Pid}}}} {container}"));
        self.host(&format!("nsenter -n -t {pid} {line}"))
    }

    /// Ends Docker's daemon as a crash would: its containers run on.
    pub(crate) fn stop_docker(&self) {
        self.guest("kill -9 $(pgrep -x dockerd)");
        self.guest("while pgrep -x dockerd; do sleep 0.05; done");
    }

    fn enter(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--all", "--target", &self.pid.to_string()]);
        command.env("NESTWORK_STATE", self.bench.state()).stdin(Stdio::null());
        command
    }
}

impl Drop for Stack {
    /// The machine's first process ends when its standard input does, and takes all others along.
    fn drop(&mut self) {
        drop(self.unshare.stdin.take());
        let _ = self.unshare.wait();
        // What is left of them are empty cgroups; deepest first.
        for cgroup in cgroups().iter().rev().filter(|c| !self.cgroups.contains(*c)) {
            let _ = std::fs::remove_dir(cgroup);
        }
    }
}

#[track_caller]
fn succeeded(line: &str, output: Output) -> String {
    let ran = Ran::from(output);
    assert_eq!(ran.status, 0, "{line}\n{}{}", ran.out, ran.err);
    ran.out.trim_end().to_owned()
}

fn children(pid: u32) -> Vec<u32> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    text.unwrap_or_default().split_whitespace().filter_map(|p| p.parse().ok()).collect()
}

/// All cgroups of this machine that such engines make.
fn cgroups() -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut next = vec![PathBuf::from("/sys/fs/cgroup")];
    while let Some(folder) = next.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|t| t.is_dir()) {
                let text = path.to_string_lossy();
                if ["/docker", "/lxc.", "/libpod"].iter().any(|engine| text.contains(engine)) {
                    found.insert(path.clone());
                }
                next.push(path);
            }
        }
    }
    found
}
