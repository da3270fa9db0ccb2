//! bpf(2): a program on a tracepoint, and the queue that it writes to.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// One instruction of BPF (struct bpf_insn).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instruction {
    pub(crate) code: u8,
    /// Destination in the lower four bits, source in the upper.
    pub(crate) registers: u8,
    pub(crate) offset: i16,
    pub(crate) value: i32,
}

const MAP_CREATE: libc::c_long = 0;
const PROG_LOAD: libc::c_long = 5;
const PROG_QUERY: libc::c_long = 16;
const RAW_TRACEPOINT_OPEN: libc::c_long = 17;
const MAP_LOOKUP_AND_DELETE_ELEM: libc::c_long = 21;

/// The parts of union bpf_attr that are used here, each as long as what it is for.
#[repr(C)]
#[derive(Default)]
struct MapCreate {
    kind: u32,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
    flags: u32,
}

#[repr(C)]
#[derive(Default)]
struct ProgLoad {
    kind: u32,
    instructions: u32,
    instruction: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    version: u32,
    flags: u32,
}

/// So many programs a list of them has at most (BPF_MPROG_MAX).
const MOST: usize = 64;

#[repr(C)]
#[derive(Default)]
struct ProgQuery {
    target: u32,
    way: u32,
    query_flags: u32,
    attach_flags: u32,
    numbers: u64,
    count: u32,
    _unused: u32,
    flags_of_each: u64,
    links: u64,
    flags_of_links: u64,
    revision: u64,
}

#[repr(C)]
struct RawTracepointOpen {
    name: u64,
    program: u32,
    _unused: u32,
}

#[repr(C)]
struct Element {
    map: u32,
    _unused: u32,
    key: u64,
    value: u64,
    flags: u64,
}

/// What the kernel answers it writes into the attributes.
fn bpf<T>(command: libc::c_long, attributes: &mut T) -> io::Result<libc::c_long> {
    // SAFETY: `T` is one of the structs above, laid out as the kernel's union for this command;
    // its size goes along, and what it points to is alive in the caller for the whole call.
    let result = unsafe {
        libc::syscall(libc::SYS_bpf, command, std::ptr::from_mut(attributes), size_of::<T>())
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn descriptor(command: libc::c_long, mut attributes: impl Sized) -> io::Result<OwnedFd> {
    let fd = bpf(command, &mut attributes)?;
    let fd = RawFd::try_from(fd).map_err(io::Error::other)?;
    // SAFETY: these commands return a new descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn number(fd: BorrowedFd<'_>) -> u32 {
    fd.as_raw_fd().unsigned_abs()
}

/// A queue of so many values of that size.
pub(crate) fn queue(value_size: u32, max_entries: u32) -> io::Result<OwnedFd> {
    const QUEUE: u32 = 22;
    let map = MapCreate { kind: QUEUE, value_size, max_entries, ..MapCreate::default() };
    descriptor(MAP_CREATE, map)
}

/// Takes the first value out of a queue of values of that length; None if it is empty.
pub(crate) fn pop(queue: BorrowedFd<'_>, value: &mut [u8]) -> io::Result<Option<()>> {
    let value = value.as_mut_ptr() as u64;
    let mut element = Element { map: number(queue), _unused: 0, key: 0, value, flags: 0 };
    match bpf(MAP_LOOKUP_AND_DELETE_ELEM, &mut element) {
        Ok(_) => Ok(Some(())),
        Err(e) if e.raw_os_error() == Some(libc::ENOENT) => Ok(None),
        Err(e) => Err(e),
    }
}

/// Loads a program for a raw tracepoint. It is gone when the descriptor is closed.
pub(crate) fn load(program: &[Instruction]) -> io::Result<OwnedFd> {
    const RAW_TRACEPOINT: u32 = 17;
    // What reads the kernel's memory is for programs under a licence that goes with the GPL; this
    // project's MIT does.
    const LICENSE: &CStr = c"Dual MIT/GPL";
    descriptor(
        PROG_LOAD,
        ProgLoad {
            kind: RAW_TRACEPOINT,
            instructions: u32::try_from(program.len()).map_err(io::Error::other)?,
            instruction: program.as_ptr() as u64,
            license: LICENSE.as_ptr() as u64,
            ..ProgLoad::default()
        },
    )
}

/// Numbers of the programs that are attached to a link of this thread's namespace in that way
/// (BPF_TCX_INGRESS, …), in the order in which they run.
pub(crate) fn attached(link: u32, way: u32) -> io::Result<Vec<u32>> {
    query(link, way, 0)
}

/// The same of a cgroup (BPF_CGROUP_INET_EGRESS, …), with those of the groups around it that count there.
pub(crate) fn attached_to(cgroup: BorrowedFd<'_>, way: u32) -> io::Result<Vec<u32>> {
    const EFFECTIVE: u32 = 1;
    query(number(cgroup), way, EFFECTIVE)
}

fn query(target: u32, way: u32, query_flags: u32) -> io::Result<Vec<u32>> {
    let mut programs = [0_u32; MOST];
    let mut query = ProgQuery {
        target,
        way,
        query_flags,
        numbers: programs.as_mut_ptr() as u64,
        count: u32::try_from(MOST).unwrap_or(0),
        ..ProgQuery::default()
    };
    bpf(PROG_QUERY, &mut query)?;
    let count = usize::try_from(query.count).unwrap_or(0).min(MOST);
    Ok(programs[..count].to_vec())
}

/// Runs a program at each pass of a raw tracepoint, until the descriptor is closed.
pub(crate) fn attach(program: BorrowedFd<'_>, tracepoint: &CStr) -> io::Result<OwnedFd> {
    let name = tracepoint.as_ptr() as u64;
    let open = RawTracepointOpen { name, program: number(program), _unused: 0 };
    descriptor(RAW_TRACEPOINT_OPEN, open)
}
