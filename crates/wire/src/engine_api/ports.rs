//! Published ports, counted over a whole answer: one line of it can stand for 65,535.

use std::collections::HashSet;
use std::net::IpAddr;

use model::Publish;

use super::{AnswerError, MOST};

/// How many more may come.
pub(super) struct Ports {
    left: usize,
}

/// A run of ports that an engine publishes.
pub(super) struct Run<'a> {
    pub(super) protocol: &'a str,
    /// Empty, or any address's zeros: all of the host's.
    pub(super) host: &'a str,
    pub(super) host_port: u16,
    pub(super) port: u16,
    pub(super) length: u16,
}

impl Ports {
    pub(super) const fn new() -> Self {
        Self { left: MOST }
    }

    /// The ports of one container, each once: an engine that listens on all addresses of both
    /// families lists both.
    pub(super) fn of<'a>(
        &mut self,
        runs: impl Iterator<Item = Run<'a>>,
    ) -> Result<Vec<Publish>, AnswerError> {
        let (mut publishes, mut seen) = (Vec::new(), HashSet::new());
        for run in runs {
            let host = run.host.parse().ok().filter(|host: &IpAddr| !host.is_unspecified());
            for (host_port, port) in run.pairs() {
                if seen.insert((run.protocol, host, host_port, port)) {
                    self.left = self.left.checked_sub(1).ok_or(AnswerError::TooMany)?;
                    let protocol = run.protocol.to_owned();
                    publishes.push(Publish { protocol, host, host_port, port });
                }
            }
        }
        Ok(publishes)
    }
}

impl Run<'_> {
    /// The host's ports and the container's.
    fn pairs(&self) -> impl Iterator<Item = (u16, u16)> + use<> {
        let (host_port, port) = (self.host_port, self.port);
        (0..self.length).map_while(move |n| Some((host_port.checked_add(n)?, port.checked_add(n)?)))
    }
}
