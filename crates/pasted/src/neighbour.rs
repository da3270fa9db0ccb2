//! `ip neighbour`.

use std::net::IpAddr;

use model::{Mac, NeighbourState};

use crate::report::Report;
use crate::words::Words;

/// An entry, with its link by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartNeighbour {
    pub(crate) dev: String,
    pub(crate) ip: IpAddr,
    pub(crate) mac: Option<Mac>,
    pub(crate) state: NeighbourState,
    pub(crate) proxy: bool,
}

/// All entries of an output. `dev` is what was asked for, which the lines then leave out.
pub(crate) fn parse(text: &str, dev: Option<&str>, report: &mut Report<'_>) -> Vec<PartNeighbour> {
    let mut entries = Vec::new();
    for (number, line) in report.lines(text) {
        match line_of(line, dev) {
            Some(entry) => entries.push(entry),
            None => report.line(number, "no entry of `ip neigh`"),
        }
    }
    entries
}

/// `192.0.2.1 dev eth0 lladdr 02:00:00:00:00:01 REACHABLE`.
fn line_of(line: &str, dev: Option<&str>) -> Option<PartNeighbour> {
    let mut words = Words::new(line);
    let ip = words.value()?;
    let (mut dev, mut mac, mut proxy) = (dev.map(str::to_owned), None, false);
    let mut state = None;
    while let Some(word) = words.next() {
        match word {
            "dev" => dev = Some(words.next()?.to_owned()),
            "lladdr" => mac = words.next().and_then(|m| m.parse().ok()),
            "proxy" => proxy = true,
            "used" | "probes" | "ref" | "nud" => _ = words.next(),
            word => state = state_of(word).or(state),
        }
    }
    let state = state.or(proxy.then_some(NeighbourState::None))?;
    Some(PartNeighbour { dev: dev?, ip, mac, state, proxy })
}

pub(crate) fn state_of(word: &str) -> Option<NeighbourState> {
    let all = [
        NeighbourState::None,
        NeighbourState::Incomplete,
        NeighbourState::Reachable,
        NeighbourState::Stale,
        NeighbourState::Delay,
        NeighbourState::Probe,
        NeighbourState::Failed,
        NeighbourState::Noarp,
        NeighbourState::Permanent,
    ];
    all.into_iter().find(|state| state.as_str().eq_ignore_ascii_case(word))
}
