//! Namespaces for tests: processes that hold them, and tools run inside.

#![allow(dead_code, reason = "every test file uses its own part")]

use std::io::{BufRead, BufReader};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use model::{HostId, Namespace, NsId, NsKey, Snapshot};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Runs a test with root's rights, once more in namespaces of its own: as an ordinary user in a user
/// namespace; as root in a PID namespace, where it sees (and so reads) nothing of the tests beside
/// it nor of the machine's own containers, however many those are.
pub(crate) fn privileged(name: &str, test: impl FnOnce()) {
    const APART: &str = "NESTWORK_TEST_APART";
    if std::env::var_os(APART).is_some() {
        return test();
    }
    let exe = std::env::current_exe().unwrap();
    let mut again = Command::new("unshare");
    if rustix::process::geteuid().is_root() {
        again.args(["--pid", "--fork", "--kill-child", "--mount-proc", "--"]);
    } else {
        again.args(["--user", "--map-root-user", "--net", "--mount", "--"]);
    }
    again.arg(exe).args([name, "--exact", "--nocapture"]).env(APART, "yes");
    assert!(again.status().unwrap().success(), "{name} failed in namespaces of its own");
}

/// A process in namespaces of its own. It ends, and they with it, when this is dropped.
pub(crate) struct Space {
    child: Child,
    /// PID of the process that is inside.
    pub(crate) pid: u32,
}

/// Starts a process in namespaces of its own, as engines' monitors do.
pub(crate) const START: &str = "unshare --net --mount --pid --fork --kill-child \
                                sh -c 'echo ready; exec cat'; :";

impl Space {
    /// `flags` are those of unshare(1).
    pub(crate) fn new(flags: &[&str]) -> Self {
        Self::spawn(Command::new("unshare"), flags)
    }

    /// The same, from within this one.
    pub(crate) fn inside(&self, flags: &[&str]) -> Self {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.pid.to_string(), "-n", "-m", "-p", "unshare"]);
        Self::spawn(command, flags)
    }

    /// The same as the child of a program, which runs in this one, and which starts what the
    /// script [`START`] is at its own first argument.
    pub(crate) fn child_of(&self, program: &[&str]) -> Self {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.pid.to_string(), "-n", "-m", "-p"]);
        Self::start(command, program)
    }

    /// The same, for one in a user namespace of its own.
    pub(crate) fn inside_user(&self, flags: &[&str]) -> Self {
        let mut command = Command::new("nsenter");
        let pid = self.pid.to_string();
        command.args(["-t", &pid, "-U", "-n", "--preserve-credentials", "unshare"]);
        Self::spawn(command, flags)
    }

    /// One more process in its network namespace.
    pub(crate) fn inside_net(&self) -> Self {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.pid.to_string(), "-n"]);
        Self::spawn(command, &[])
    }

    fn spawn(mut command: Command, flags: &[&str]) -> Self {
        command.args(flags);
        Self::start(command, &["sh", "-c", "echo ready; exec cat"])
    }

    /// The last process of the line is the one inside, and stays until its input ends.
    fn start(mut command: Command, program: &[&str]) -> Self {
        let mut child = command
            .args(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "{program:?}");
        let pid = last_child(child.id());
        Self { child, pid }
    }

    /// Identity of its network namespace.
    pub(crate) fn id(&self) -> NsId {
        use std::os::unix::fs::MetadataExt;
        let meta = std::fs::metadata(format!("/proc/{}/ns/net", self.pid)).unwrap();
        NsId { host: HostId(0), key: NsKey::Inode { dev: meta.dev(), ino: meta.ino() } }
    }

    /// Its network namespace, open.
    pub(crate) fn file(&self) -> std::fs::File {
        std::fs::File::open(format!("/proc/{}/ns/net", self.pid)).unwrap()
    }

    /// What was read of it.
    pub(crate) fn of<'a>(&self, snapshot: &'a Snapshot) -> &'a Namespace {
        &snapshot.namespaces[&self.id()]
    }

    /// Runs `work` in a thread in its network namespace.
    pub(crate) fn enter(&self, work: impl FnOnce() + Send) {
        let net = std::fs::File::open(format!("/proc/{}/ns/net", self.pid)).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                move_into_link_name_space(net.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
                work();
            });
        });
    }

    /// Runs a shell command in all its namespaces, and returns what it prints.
    pub(crate) fn run(&self, command: &str) -> String {
        let pids = |of: &str| std::fs::read_link(format!("/proc/{of}/ns/pid")).unwrap();
        let pid = self.pid.to_string();
        let mut nsenter = Command::new("nsenter");
        nsenter.args(["-t", &pid, "-n", "-m"]);
        // Into what is not its own, an ordinary user may not even go where they are.
        if pids(&pid) != pids("self") {
            nsenter.arg("-p");
        }
        nsenter.args(["sh", "-e", "-c", command]);
        output(nsenter)
    }

    /// The same with the host's files, for what needs this process's file names.
    pub(crate) fn run_net(&self, command: &str) -> String {
        let mut nsenter = Command::new("nsenter");
        nsenter.args(["-t", &self.pid.to_string(), "-n", "sh", "-e", "-c", command]);
        // iptables-legacy locks one file of the host, which only root may, though these tables are
        // nobody else's: a file that every process has of its own.
        nsenter.env("XTABLES_LOCKFILE", "/proc/self/comm");
        output(nsenter)
    }
}

fn output(mut command: Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// `unshare --fork` stays outside as a parent of the one inside.
pub(crate) fn last_child(mut pid: u32) -> u32 {
    loop {
        let path = format!("/proc/{pid}/task/{pid}/children");
        let children = std::fs::read_to_string(path).unwrap_or_default();
        match children.split_whitespace().next() {
            Some(child) => pid = child.parse().unwrap(),
            None => return pid,
        }
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        // End of input ends the one inside; whoever waits for it then ends too.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
