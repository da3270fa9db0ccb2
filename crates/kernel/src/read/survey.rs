//! Reads every namespace that was found, and those that only a link's peer shows.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use model::{Found, Gap, HostId, Namespace, NsId, NsKey, Snapshot, Warning};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use wire::rtnl::RawLink;

use super::Parts;
use super::find::Candidate;
use super::inside;
use super::modules::Present;
use super::nsfs;
use super::observer::{Observer, View, number, unseen};
use super::public;
use super::sysctl::Source;
use crate::netlink::NetlinkError;

/// Threads for the part that is read namespace by namespace. More only wait for each other.
const WORKERS: usize = 2;

/// What was read of one namespace.
#[derive(Debug)]
pub(super) struct Reading {
    /// All but its links, and but what only the search knows.
    pub(super) namespace: Namespace,
    /// Its links, not yet joined.
    pub(super) links: Vec<RawLink>,
    /// ifindexes of links that something stands before or behind.
    pub(super) hooked: BTreeSet<u32>,
    /// It was gone before anything could be read.
    pub(super) ended: bool,
    /// What went wrong without leaving a gap.
    pub(super) warnings: Vec<String>,
}

impl Reading {
    fn new(id: NsId) -> Self {
        Self {
            namespace: Namespace::new(id),
            links: Vec::new(),
            hooked: BTreeSet::new(),
            ended: false,
            warnings: Vec::new(),
        }
    }

    /// Notes that a part could not be read.
    pub(super) fn gap(&mut self, part: &str, cause: impl ToString) {
        self.namespace.gaps.push(Gap::new(part, cause.to_string()));
    }

    /// A part's value, or its gap.
    pub(super) fn part<T: Default>(
        &mut self,
        part: &str,
        result: Result<(T, bool), NetlinkError>,
    ) -> T {
        match result {
            Ok((value, consistent)) => {
                if !consistent {
                    self.warnings.push(format!("{part} changed while they were read"));
                }
                value
            }
            Err(error) => {
                self.gap(part, error);
                T::default()
            }
        }
    }
}

/// Everything that was read.
#[derive(Debug, Default)]
pub(super) struct Survey {
    readings: Vec<Reading>,
    observer: Option<Observer>,
    warnings: Vec<Warning>,
}

/// Reads the candidates.
pub(super) fn survey(candidates: &[Candidate], parts: Parts) -> Survey {
    let mut observer = match Observer::new(candidates, WORKERS) {
        Ok(observer) => observer,
        Err(error) => return alone(candidates, parts, &error),
    };
    let mut survey = Survey::default();
    let present = Present::find();
    survey.readings = share(&mut observer, candidates.len(), |worker, place| {
        candidate(worker, place, &candidates[place], parts, &present)
    });
    follow_peers(&mut survey.readings, &mut observer);
    if parts.contains(Parts::NSIDS) {
        tables(&mut survey.readings, &mut observer, candidates.len());
    }
    survey.observer = Some(observer);
    survey
}

/// What a worker has of its own.
struct Worker<'a> {
    view: View<'a>,
    settings: Source,
}

/// Runs `work` for each place below `count`, on all workers, and returns the results in order.
fn share<T: Send>(
    observer: &mut Observer,
    count: usize,
    work: impl Fn(&mut Worker<'_>, usize) -> T + Sync,
) -> Vec<T> {
    let (next, work) = (&AtomicUsize::new(0), &work);
    let run = |view: View<'_>| {
        let mut worker = Worker { view, settings: Source::default() };
        let mut done = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            if place >= count {
                return done;
            }
            done.push((place, work(&mut worker, place)));
        }
    };
    let mut all: Vec<(usize, T)> = thread::scope(|scope| {
        let workers: Vec<_> = observer.views().map(|view| scope.spawn(move || run(view))).collect();
        let joined = workers.into_iter().map(|w| match w.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        joined.flatten().collect()
    });
    all.sort_unstable_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, value)| value).collect()
}

/// One candidate, from outside and from inside. The calling thread ends up in its namespace.
fn candidate(
    worker: &mut Worker<'_>,
    place: usize,
    candidate: &Candidate,
    parts: Parts,
    present: &Present,
) -> Reading {
    let id = candidate.id();
    if matches!(id.key, NsKey::Net(_)) {
        return from_afar(candidate, parts, &io::ErrorKind::PermissionDenied.into());
    }
    let mut reading = from_outside(&mut worker.view, number(place), id);
    let net = match candidate.open() {
        Ok(net) => net,
        Err(error) => {
            reading.ended = reading.namespace.gap("links").is_some() && !is_denied(&error);
            inside::denied(parts, &error, &mut reading);
            if !reading.ended {
                public::read(candidate, parts, &error, &mut reading);
            }
            return reading;
        }
    };
    reading.namespace.owner = nsfs::owner(&net);
    if inside::wanted(parts) {
        match move_into_link_name_space(net.as_fd(), Some(LinkNameSpaceType::Network)) {
            Ok(()) => inside::read(parts, present, &mut worker.settings, &mut reading),
            Err(error) => {
                inside::denied(parts, &error.into(), &mut reading);
                public::read(candidate, parts, &error.into(), &mut reading);
            }
        }
    }
    reading
}

/// One that is neither numbered nor entered.
fn from_afar(candidate: &Candidate, parts: Parts, why: &io::Error) -> Reading {
    let mut reading = Reading::new(candidate.id());
    if let Ok(net) = candidate.open() {
        reading.namespace.owner = nsfs::owner(&net);
    }
    reading.gap("links", why);
    reading.gap("addresses", why);
    inside::denied(parts, why, &mut reading);
    public::read(candidate, parts, why, &mut reading);
    reading
}

fn is_denied(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}

fn from_outside(view: &mut View<'_>, number: u32, id: NsId) -> Reading {
    let mut reading = Reading::new(id);
    reading.links = reading.part("links", view.links(number));
    for ipv6 in [false, true] {
        let addresses = reading.part("addresses", view.addresses(number, ipv6));
        reading.namespace.addresses.extend(addresses);
    }
    reading
}

/// Walks on into namespaces that only a link's peer shows, until no new one comes up.
fn follow_peers(readings: &mut Vec<Reading>, observer: &mut Observer) {
    let mut known = BTreeSet::new();
    let mut at = 0;
    let Some(mut view) = observer.views().next() else { return };
    while at < readings.len() {
        let peers: Vec<u32> = readings[at]
            .links
            .iter()
            .filter_map(|l| unseen(l.joined.nsid?))
            .filter(|n| known.insert(*n))
            .collect();
        for number in peers {
            let id = NsId { host: HostId(0), key: NsKey::Unseen(number) };
            let mut reading = from_outside(&mut view, number, id);
            reading.namespace.found.push(Found::Peer);
            for part in inside::PARTS {
                reading.gap(part, "no process or file leads into this namespace");
            }
            readings.push(reading);
        }
        at += 1;
    }
}

/// The tables of nsids, now that every namespace has the observer's number.
fn tables(readings: &mut [Reading], observer: &mut Observer, candidates: usize) {
    let numbers: Vec<u32> = readings
        .iter()
        .enumerate()
        .map(|(place, r)| match r.namespace.id.key {
            NsKey::Unseen(n) => n,
            NsKey::Inode { .. } | NsKey::Net(_) => number(place.min(candidates)),
        })
        .collect();
    let tables = share(observer, numbers.len(), |worker, place| worker.view.nsids(numbers[place]));
    for (reading, table) in readings.iter_mut().zip(tables) {
        match table {
            Ok(rows) => note_table(reading, rows),
            Err(error) => reading.gap("nsids", error),
        }
    }
}

fn note_table(reading: &mut Reading, rows: Vec<(u32, Option<NsId>)>) {
    let (known, strange): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(_, whom)| whom.is_some());
    reading.namespace.nsids = known.into_iter().filter_map(|(n, whom)| Some((n, whom?))).collect();
    if let Some((first, _)) = strange.first() {
        let count = strange.len();
        reading.warnings.push(format!(
            "{count} of its nsids ({first}, …) stand for namespaces that nothing else shows"
        ));
    }
}

/// Without the right to make an observer: the reader's own namespace, by itself.
fn alone(candidates: &[Candidate], parts: Parts, error: &NetlinkError) -> Survey {
    let text = format!(
        "the view is partial: without CAP_SYS_ADMIN only this program's own network namespace can \
         be read ({error})"
    );
    let mut survey = Survey { warnings: vec![Warning { ns: None, text }], ..Survey::default() };
    let own = rustix::fs::stat("/proc/thread-self/ns/net").map(|s| super::door::identity(&s));
    let denied = io::Error::from(error.errno);
    for candidate in candidates {
        let id = candidate.id();
        if !own.is_ok_and(|own| super::find::id(own) == id) {
            survey.readings.push(from_afar(candidate, parts, &denied));
            continue;
        }
        let mut reading = Reading::new(id);
        inside::own(&mut reading);
        inside::read(parts, &Present::find(), &mut Source::default(), &mut reading);
        survey.readings.push(reading);
    }
    survey
}

impl Survey {
    /// Puts what was read into the snapshot that already has the namespaces' names and nesting.
    pub(super) fn join(self, snapshot: &mut Snapshot) {
        snapshot.warnings.extend(self.warnings);
        for reading in self.readings {
            let mut namespace = reading.namespace;
            let id = namespace.id;
            if reading.ended {
                snapshot.namespaces.remove(&id);
                let text = format!("{id} ended while it was read");
                snapshot.warnings.push(Warning { ns: None, text });
                continue;
            }
            let of = |nsid| self.observer.as_ref()?.namespace(nsid);
            for raw in reading.links {
                let mut link = raw.resolve(id, of);
                link.tc |= reading.hooked.contains(&link.index);
                namespace.links.insert(link.index, link);
            }
            let warning = |text| Warning { ns: Some(id), text };
            snapshot.warnings.extend(reading.warnings.into_iter().map(warning));
            if let Some(found) = snapshot.namespaces.remove(&id) {
                namespace.names = found.names;
                namespace.parent = found.parent;
                namespace.found = found.found;
                namespace.processes = found.processes;
                namespace.pid_ns = found.pid_ns;
                namespace.files = found.files;
                namespace.containers = found.containers;
                namespace.networks = found.networks;
            }
            snapshot.namespaces.insert(id, namespace);
        }
        let there: BTreeSet<NsId> = snapshot.namespaces.keys().copied().collect();
        for namespace in snapshot.namespaces.values_mut() {
            namespace.parent = namespace.parent.filter(|p| there.contains(p));
        }
    }
}
