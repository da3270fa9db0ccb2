//! XDP: what a program makes of a frame is not known, and which one it is, is said. (A lab file
//! knows no programs: these are two instructions each, by bpf(2).)

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use trial::{Needs, Test};

use crate::bench::Bench;

pub(crate) fn tests() -> Vec<Test> {
    vec![trial::test("program_xdp", &[Needs::Drops, Needs::Tool("busybox")], xdp)]
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
        let program = load(returns).unwrap();
        let index: u32 =
            bench.shell("r", "ip -o link show eth1 | cut -d: -f1").trim().parse().unwrap();
        let mut link = None;
        bench.r.enter(|| link = Some(attach(&program, index).unwrap()));
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

/// BPF_PROG_LOAD of `r0 = returns; exit`.
fn load(returns: i32) -> io::Result<OwnedFd> {
    const PROG_LOAD: libc::c_long = 5;
    const XDP: u32 = 6;
    const MOVE: u64 = 0xb7;
    const EXIT: u64 = 0x95;
    let program = [MOVE | u64::from(returns.unsigned_abs()) << 32, EXIT].map(u64::to_le_bytes);
    let license = c"MIT";
    let words = [
        u64::from(XDP) | (program.len() as u64) << 32,
        program.as_ptr() as u64,
        license.as_ptr() as u64,
        0,
        0,
        0,
    ];
    bpf(PROG_LOAD, &words.map(u64::to_ne_bytes).concat())
}

/// BPF_LINK_CREATE: a link of this thread's namespace runs the program, until the descriptor is closed.
fn attach(program: &OwnedFd, index: u32) -> io::Result<OwnedFd> {
    const LINK_CREATE: libc::c_long = 28;
    const BPF_XDP: u32 = 37;
    let words = [program.as_raw_fd().unsigned_abs(), index, BPF_XDP, 0];
    bpf(LINK_CREATE, &words.map(u32::to_ne_bytes).concat())
}

/// The program's number, as /proc tells it.
fn id(program: &OwnedFd) -> u32 {
    let info = format!("/proc/self/fdinfo/{}", program.as_raw_fd());
    let text = std::fs::read_to_string(info).unwrap();
    let line = text.lines().find_map(|l| l.strip_prefix("prog_id:")).unwrap();
    line.trim().parse().unwrap()
}
