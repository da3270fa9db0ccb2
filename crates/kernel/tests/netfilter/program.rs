//! XDP and tcx: what a program makes of a frame is not known, and which one it is, is said. (A lab file
//! knows no programs: these are two instructions each, by bpf(2).)

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::PathBuf;

use trial::{Needs, Test};

use crate::bench::Bench;
use crate::space::Space;

pub(crate) fn tests() -> Vec<Test> {
    vec![
        trial::test("program_xdp", &[Needs::Drops, Needs::Tool("busybox")], xdp),
        trial::test("program_cgroup", &[Needs::Drops, Needs::Trying("cgroup", no_groups)], cgroup),
        trial::test("program_tcx", &[Needs::Drops, Needs::Trying("tcx", missing)], tcx),
    ]
}

const XDP_DROP: i32 = 1;
const XDP_PASS: i32 = 2;

fn xdp() {
    let bench = Bench::new();
    let arrives =
        || bench.shell("a", "busybox ping -c 1 -W 1 10.1.0.2 > /dev/null && echo yes || echo no");
    assert!(bench.send("a icmp 10.1.0.2"));
    assert_eq!(arrives(), "yes\n");
    for (returns, arrived) in [(XDP_PASS, "yes\n"), (XDP_DROP, "no\n")] {
        let program = load(XDP, returns).unwrap();
        let index: u32 =
            bench.shell("r", "ip -o link show eth1 | cut -d: -f1").trim().parse().unwrap();
        let mut link = None;
        bench.r.enter(|| link = Some(attach(&program, index, BPF_XDP).unwrap()));
        let number = id(&program);
        // What comes back from b meets it: all that goes to b alone does not.
        assert_eq!(bench.stopped("a icmp 10.1.0.2"), format!("XDP program {number}"));
        assert_eq!(arrives(), arrived, "a program that returns {returns}");
        // `trace --live` tells what became of it, and that the kernel threw it away there.
        let told = bench.watched("a icmp 10.1.0.2");
        let (thrown, end) = match returns {
            XDP_DROP => (true, "live: the packet did not arrive; nothing was foretold"),
            _ => (false, "live: the packet arrived; nothing was foretold"),
        };
        assert!(told.trim_end().ends_with(end), "{told}");
        let said = told.lines().find(|line| line.starts_with("kernel: the answer thrown away on"));
        assert_eq!(said.is_some_and(|line| line.contains(":eth1: ")), thrown, "{told}");
        assert!(bench.send("a icmp 10.0.0.1"), "by another link");
        drop(link);
    }
    assert!(bench.send("a icmp 10.1.0.2"), "without it");
}

const TCX_DROP: i32 = 2;

/// Programs run before all filters, and where there is no place for filters, too.
fn tcx() {
    let bench = Bench::new();
    let index = |link: &str| -> u32 {
        bench.shell("r", &format!("ip -o link show {link} | cut -d: -f1")).trim().parse().unwrap()
    };
    let (br0, eth1) = (index("br0"), index("eth1"));
    let run = |program: &OwnedFd, link, way| {
        let mut held = None;
        bench.r.enter(|| held = Some(attach(program, link, way)));
        held.unwrap()
    };
    assert!(bench.send("a icmp 10.1.0.2"));
    let program = load(SCHED_CLS, TCX_DROP).unwrap();
    let held = run(&program, eth1, BPF_TCX_EGRESS).unwrap();
    let number = id(&program);
    let stopped = bench.stopped("a icmp 10.1.0.2");
    assert!(stopped.contains(&format!("program {number}")), "{stopped}");
    let told = bench.watched("a icmp 10.1.0.2");
    assert!(told.contains("the packet did not arrive"), "{told}");
    assert!(bench.send("a icmp 10.0.0.1"), "by another link");
    drop(held);
    assert!(bench.send("a icmp 10.1.0.2"), "without it");
    let (first, second) = (load(SCHED_CLS, -1).unwrap(), load(SCHED_CLS, 0).unwrap());
    let _held = [&first, &second].map(|program| run(program, br0, BPF_TCX_INGRESS).unwrap());
    let snapshot = bench.read();
    let tc = bench.r.of(&snapshot).links[&br0].tc.as_deref().unwrap();
    let numbers: Vec<u32> = tc.ingress.iter().map(|filter| filter.handle).collect();
    assert_eq!((numbers, tc.egress.len()), (vec![id(&first), id(&second)], 0));
}

/// A cgroup of version 2 for a test; gone with it, and its processes back where they were.
struct Group(PathBuf);

impl Group {
    fn new() -> Option<Self> {
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
        let mount = mounts.lines().find(|line| line.contains(" - cgroup2 "))?.split(' ').nth(4)?;
        let path = PathBuf::from(format!("{mount}/nestwork-test-{}", std::process::id()));
        std::fs::create_dir(&path).ok().map(|()| Self(path))
    }

    fn take(&self, pid: u32) {
        std::fs::write(self.0.join("cgroup.procs"), pid.to_string()).unwrap();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let procs = std::fs::read_to_string(self.0.join("cgroup.procs")).unwrap_or_default();
        for pid in procs.lines() {
            let _ = std::fs::write(self.0.with_file_name("cgroup.procs"), pid);
        }
        let _ = std::fs::remove_dir(&self.0);
    }
}

/// What all processes of a namespace are under is said, of what they send and of what they get.
fn cgroup() {
    let bench = Bench::new();
    let group = Group::new().unwrap();
    let program = load(CGROUP_SKB, 1).unwrap();
    let folder = std::fs::File::open(&group.0).unwrap();
    let held = attach(&program, folder.as_raw_fd().unsigned_abs(), BPF_CGROUP_INET_EGRESS).unwrap();
    assert!(bench.send("a udp 10.1.0.2:7"));
    group.take(bench.a.pid);
    let said = format!("BPF on its processes' cgroup (egress {})", id(&program));
    assert_eq!(bench.opaque("a udp 10.1.0.2:7"), said);
    assert_eq!(bench.opaque("b udp 10.0.0.2:7"), said);
    drop(held);
    assert!(bench.send("a udp 10.1.0.2:7"), "without it");
}

/// Why there is no cgroup of version 2 to be made.
fn no_groups(_: &str) -> Option<String> {
    Group::new().is_none().then(|| "no cgroup of version 2 can be made".to_owned())
}

/// Why no program can be attached that way.
fn missing(_: &str) -> Option<String> {
    let space = Space::new(&["--net"]);
    let mut error = None;
    space.enter(|| {
        let attached = load(SCHED_CLS, 0).and_then(|program| attach(&program, 1, BPF_TCX_INGRESS));
        error = attached.err().map(|error| format!("a program at tcx: {error}"));
    });
    error
}

/// bpf(2) with as many bytes of its union as the command takes.
fn bpf(command: libc::c_long, attributes: &[u8]) -> io::Result<OwnedFd> {
    // SAFETY: the attributes are alive for the call, and their length goes along; both commands
    // return a new descriptor that nobody else owns.
    unsafe {
        let fd = libc::syscall(libc::SYS_bpf, command, attributes.as_ptr(), attributes.len());
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(OwnedFd::from_raw_fd(i32::try_from(fd).unwrap()))
    }
}

/// Kinds of programs, and what they are attached to.
const SCHED_CLS: u32 = 3;
const CGROUP_SKB: u32 = 8;
const BPF_CGROUP_INET_EGRESS: u32 = 1;
const XDP: u32 = 6;
const BPF_XDP: u32 = 37;
const BPF_TCX_INGRESS: u32 = 46;
const BPF_TCX_EGRESS: u32 = 47;

/// BPF_PROG_LOAD of `r0 = returns; exit`.
fn load(kind: u32, returns: i32) -> io::Result<OwnedFd> {
    const PROG_LOAD: libc::c_long = 5;
    const MOVE: u64 = 0xb7;
    const EXIT: u64 = 0x95;
    let program = [MOVE | u64::from(returns.cast_unsigned()) << 32, EXIT].map(u64::to_le_bytes);
    let license = c"MIT";
    let words = [
        u64::from(kind) | (program.len() as u64) << 32,
        program.as_ptr() as u64,
        license.as_ptr() as u64,
        0,
        0,
        0,
    ];
    bpf(PROG_LOAD, &words.map(u64::to_ne_bytes).concat())
}

/// BPF_LINK_CREATE: a link of this thread's namespace runs the program, until the descriptor is closed.
fn attach(program: &OwnedFd, index: u32, way: u32) -> io::Result<OwnedFd> {
    const LINK_CREATE: libc::c_long = 28;
    let words = [program.as_raw_fd().unsigned_abs(), index, way, 0];
    bpf(LINK_CREATE, &words.map(u32::to_ne_bytes).concat())
}

/// The program's number, as /proc tells it.
fn id(program: &OwnedFd) -> u32 {
    let info = format!("/proc/self/fdinfo/{}", program.as_raw_fd());
    let text = std::fs::read_to_string(info).unwrap();
    let line = text.lines().find_map(|l| l.strip_prefix("prog_id:")).unwrap();
    line.trim().parse().unwrap()
}
