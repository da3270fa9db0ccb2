//! Running a command inside a namespace.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::process::Process;
use crate::spawn::{ContainerEntry, SpawnError};
use crate::sys::{self, Forked, Spaces};

/// What a command joins.
pub enum Join<'a> {
    /// A network namespace; all else stays this program's.
    Network(OwnedFd),
    /// All namespaces of the container that this is the first process of.
    Container(&'a Process),
}

/// Why a command did not run.
#[derive(Debug)]
pub enum ExecError {
    /// The namespace could not be entered.
    Enter(io::Error),
    /// The command could not be started.
    Start(io::Error),
}

/// Runs a command there, with this program's terminal, and waits for it. Its exit status; 128 and
/// the signal's number if a signal ended it, as shells tell it.
///
/// To be called when all other threads of this program have ended.
///
/// # Errors
/// If it could not be run.
pub fn exec(join: &Join<'_>, command: &[OsString]) -> Result<i32, ExecError> {
    let (program, args) = command
        .split_first()
        .ok_or_else(|| ExecError::Start(io::ErrorKind::InvalidInput.into()))?;
    let mut command = Command::new(program);
    command.args(args);
    match join {
        Join::Network(net) => {
            sys::setns(net.as_fd(), Spaces::NET).map_err(ExecError::Enter)?;
            // Nothing else is to be done here: the command takes this process's place.
            Err(ExecError::Start(command.exec()))
        }
        Join::Container(process) => in_container(process, &mut command),
    }
}

/// A thread that was joined is still there for a moment, and a process with two threads may not
/// enter a user namespace (EINVAL, `userns_install`).
fn await_threads() {
    let begun = Instant::now();
    let others = || fs::read_dir("/proc/self/task").is_ok_and(|tasks| tasks.count() > 1);
    while others() && begun.elapsed() < Duration::from_secs(1) {
        std::thread::yield_now();
    }
}

/// Enters, and forks: only a child is in the PID namespace entered.
fn in_container(process: &Process, command: &mut Command) -> Result<i32, ExecError> {
    let entry = ContainerEntry::of(process).map_err(|e: SpawnError| ExecError::Enter(e.source))?;
    await_threads();
    entry.enter(Spaces::CONTAINER).map_err(ExecError::Enter)?;
    std::env::set_current_dir("/").map_err(ExecError::Enter)?;
    let (heard, told) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
        .map_err(|e| ExecError::Enter(e.into()))?;
    match sys::fork().map_err(ExecError::Enter)? {
        Forked::Child => {
            let error = command.exec().raw_os_error().unwrap_or(libc::EIO);
            let _ = rustix::io::write(&told, &error.to_ne_bytes());
            sys::exit(127)
        }
        Forked::Parent(pid) => {
            drop(told);
            // End of file: the command has started, and its copy of the pipe was closed by that.
            let mut errno = [0; 4];
            let failed = matches!(rustix::io::read(&heard, &mut errno), Ok(4));
            let status = sys::wait(pid).map_err(ExecError::Enter)?;
            if failed {
                let error = io::Error::from_raw_os_error(i32::from_ne_bytes(errno));
                return Err(ExecError::Start(error));
            }
            let status = std::process::ExitStatus::from_raw(status);
            Ok(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)))
        }
    }
}
