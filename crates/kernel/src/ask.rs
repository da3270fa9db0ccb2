//! Asking the engines that run for the names of what they hold.
//!
//! An engine is asked through a socket only while its own process holds it, so that nothing is
//! woken and nobody else sees a connection ([`listener`]). All are asked at the same time, each by
//! one connection after the other, and none is waited for longer than [`PATIENCE`].

mod connection;
mod deadline;
mod dialect;
mod listener;

use std::collections::HashSet;
use std::io;
use std::sync::mpsc::{Receiver, channel};
use std::thread::Builder;
use std::time::Duration;

use model::{Engine, Network};
use wire::engine_api::{AnswerError, Running};
use wire::http::HttpError;

use deadline::Deadline;
pub(crate) use dialect::{engine, serves};

/// How long all engines together are waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// How many engines are asked. A container can run any number of processes that call themselves one.
pub(crate) const MOST: usize = 32;

/// An engine's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Daemon {
    /// Whose it is.
    pub(crate) engine: Engine,
    /// Its PID, as the reader sees it.
    pub(crate) pid: u32,
    /// Its uid.
    pub(crate) uid: u32,
    /// It is in the reader's own PID namespace, so not a container's.
    pub(crate) outermost: bool,
}

/// What an engine said. What it said before something went wrong is kept.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Its running containers.
    pub(crate) containers: Vec<Running>,
    /// Its networks.
    pub(crate) networks: Vec<Network>,
    /// Why there may be more.
    pub(crate) trouble: Option<AskError>,
}

/// Why an engine did not say all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// It may not be seen which sockets are its own, or they may not be used.
    #[error("may not be asked ({0})")]
    Denied(#[source] io::Error),
    /// It did not answer.
    #[error("did not answer within {} s", PATIENCE.as_secs())]
    Late,
    /// The connection failed.
    #[error("could not be asked: {0}")]
    Failed(#[source] io::Error),
    /// It is too long.
    #[error("was not listened to: its answer is longer than {} MiB", .0 >> 20)]
    TooLong(usize),
    /// What it said.
    #[error("gave no good answer: {0}")]
    Http(#[from] HttpError),
    /// What it said.
    #[error("gave no good answer: {0}")]
    Answer(#[from] AnswerError),
}

impl From<io::Error> for AskError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Self::Late,
            io::ErrorKind::PermissionDenied => Self::Denied(error),
            _ => Self::Failed(error),
        }
    }
}

/// Engines that are being asked.
pub(crate) struct Asking {
    daemons: Vec<Daemon>,
    answers: Receiver<(usize, Told)>,
    until: Deadline,
}

/// Begins to ask. Where an engine does not list the PIDs of its containers, it is asked for those of
/// containers that are not among the ids beside it.
pub(crate) fn start(daemons: Vec<(Daemon, HashSet<String>)>) -> Asking {
    let until = Deadline::after(PATIENCE);
    let (sender, answers) = channel();
    let mut asked = Vec::new();
    for (n, (daemon, known)) in daemons.into_iter().enumerate() {
        asked.push(daemon);
        let sender = sender.clone();
        // Nobody may be left to hear it. One that cannot be started is not heard from, either.
        let ask = move || _ = sender.send((n, ask(daemon, &known, until)));
        let _ = Builder::new().name("ask".into()).spawn(ask);
    }
    Asking { daemons: asked, answers, until }
}

impl Asking {
    /// Waits until all have answered, or the time is up. A thread that the kernel holds longer (a
    /// socket's file can lie on a file system that some program serves) is left to itself.
    pub(crate) fn finish(self) -> Vec<(Daemon, Told)> {
        let late = || Told { trouble: Some(AskError::Late), ..Told::default() };
        let mut all: Vec<_> = self.daemons.into_iter().map(|d| (d, late())).collect();
        // A little longer than the answers themselves, so that those in time are understood, too.
        let until = self.until.later(Duration::from_millis(250));
        while let Some((n, told)) =
            until.left().ok().and_then(|d| self.answers.recv_timeout(d).ok())
        {
            if let Some(entry) = all.get_mut(n) {
                entry.1 = told;
            }
        }
        all
    }
}

fn ask(daemon: Daemon, known: &HashSet<String>, until: Deadline) -> Told {
    let mut told = Told::default();
    told.trouble = converse(daemon, known, until, &mut told).err();
    told
}

fn converse(
    daemon: Daemon,
    known: &HashSet<String>,
    until: Deadline,
    told: &mut Told,
) -> Result<(), AskError> {
    let service = match listener::find(daemon, until) {
        Ok(Some(service)) => service,
        Err(error) if !is_gone(&error) => return Err(error.into()),
        _ => return Ok(()),
    };
    let get = |path: &str| connection::get(&service, path, limit(daemon), until);
    let paths = dialect::paths(daemon.engine);
    told.containers = dialect::containers(daemon.engine, &get(paths.containers)?)?;
    told.networks = dialect::networks(daemon.engine, &get(paths.networks)?)?;
    for running in &mut told.containers {
        let Some(details) = running.details.as_deref().filter(|_| running.pid.is_none()) else {
            continue;
        };
        if known.contains(&running.container.id) {
            continue;
        }
        match get(details) {
            Ok(answer) => running.pid = dialect::pid(daemon.engine, &answer)?,
            // It ended meanwhile.
            Err(AskError::Http(HttpError::Refused(404))) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether it says that the process has ended.
fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error())
}

/// The longest answer that is listened to, in bytes. A container's engine has less to tell.
const fn limit(daemon: Daemon) -> usize {
    if daemon.outermost { 16 << 20 } else { 4 << 20 }
}
