//! Reads every namespace that was found, and those that only a link's peer shows.

mod mend;

use std::collections::BTreeSet;
use std::io;
use std::os::fd::AsFd;

use model::{Found, HostId, Namespace, NsId, NsKey, Owner, Snapshot, Warning};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use wire::gathered::{Answer, Answers, Gathered, Numbering, Question, Reading};

use super::Parts;
use super::file;
use super::find::Candidate;
use super::inside;
use super::modules::Present;
use super::nsfs;
use super::observer::{Observer, View, number, unseen};
use super::programs;
use super::public;
use super::share::{WORKERS, share};
use super::sysctl::Source;
use crate::netlink::NetlinkError;

/// What is done with replies once they are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Raw {
    /// They are let go.
    Drop,
    /// They are kept, for a bundle.
    Keep,
}

/// What was read of one namespace.
#[derive(Debug)]
struct Surveyed {
    id: NsId,
    owner: Owner,
    /// It was gone before anything could be read.
    ended: bool,
    /// What it answered; empty once that is understood, unless it is kept.
    answers: Answers,
    reading: Reading,
}

impl Surveyed {
    fn new(id: NsId) -> Self {
        Self {
            id,
            owner: Owner::default(),
            ended: false,
            answers: Answers::default(),
            reading: Reading::default(),
        }
    }

    /// The observer's number for it, by its place: candidates come first, in their order. None: it
    /// has none, since nobody may open it.
    fn number(&self, place: usize) -> Option<u32> {
        match self.id.key {
            NsKey::Unseen(n) => Some(n),
            NsKey::Inode { .. } => Some(number(place)),
            NsKey::Net(_) => None,
        }
    }

    /// Understands the answers.
    fn understand(mut self, raw: Raw) -> Self {
        self.reading = Reading::of(&self.answers);
        if raw == Raw::Drop {
            self.answers = Answers::default();
        }
        self
    }
}

/// Everything that was read.
#[derive(Debug, Default)]
pub(super) struct Survey {
    spaces: Vec<Surveyed>,
    numbering: Option<Numbering>,
    warnings: Vec<Warning>,
}

/// What is read of whom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// What of all, or of only one.
    pub(super) parts: Parts,
    /// That one.
    pub(super) only: Option<NsId>,
}

impl Wanted {
    /// Of others than the one that is asked for, links tell how it is joined to them. A WireGuard link
    /// of its own may send from any of them: `tunnels`, whether there can be such.
    fn of(&self, id: NsId, tunnels: bool) -> Parts {
        let all = self.only.is_none_or(|only| only == id);
        let of_others = if tunnels { Parts::NSIDS | Parts::TUNNELS } else { Parts::NSIDS };
        if all { self.parts } else { self.parts & of_others }
    }
}

/// Reads the candidates.
pub(super) fn survey(candidates: &[Candidate], wanted: Wanted, raw: Raw) -> Survey {
    let parts = wanted.parts;
    let mut observer = match Observer::new(candidates, WORKERS) {
        Ok(observer) => observer,
        Err(error) => return alone(candidates, parts, raw, &error),
    };
    let mut survey = Survey::default();
    let present = Present::find(parts);
    survey.spaces = share(Worker::all(&mut observer), candidates.len(), |worker, place| {
        let candidate = &candidates[place];
        read(worker, place, candidate, wanted.of(candidate.id(), present.wireguard), &present)
            .understand(raw)
    });
    follow_peers(&mut survey.spaces, &mut observer, parts, raw);
    mend::mend(&mut survey.spaces, &mut observer, wanted, raw);
    if parts.contains(Parts::NSIDS) {
        tables(&mut survey.spaces, &mut observer, raw);
    }
    survey.numbering = Some(observer.numbering());
    survey
}

/// What a worker has of its own.
struct Worker<'a> {
    view: View<'a>,
    settings: Source,
}

impl<'a> Worker<'a> {
    fn all(observer: &'a mut Observer) -> impl Iterator<Item = Self> {
        observer.views().map(|view| Self { view, settings: Source::default() })
    }
}

/// One candidate, from outside and from inside. The calling thread ends up in its namespace.
fn read(
    worker: &mut Worker<'_>,
    place: usize,
    candidate: &Candidate,
    parts: Parts,
    present: &Present,
) -> Surveyed {
    let id = candidate.id();
    if matches!(id.key, NsKey::Net(_)) {
        return from_afar(candidate, parts, &io::ErrorKind::PermissionDenied.into());
    }
    let mut space = Surveyed::new(id);
    worker.view.outside(number(place), parts, &mut space.answers);
    if parts.contains(Parts::LISTENERS) {
        resolvers(&candidate.namespace, &mut space.answers);
    }
    if parts.contains(Parts::NETFILTER) {
        let pids = candidate.namespace.processes.iter().map(|process| process.pid);
        programs::of_processes(present.cgroups.as_deref(), pids, &mut space.answers);
    }
    let net = match candidate.open() {
        Ok(net) => net,
        Err(error) => {
            let links = space.answers.by_question.get(&Question::Links);
            space.ended = matches!(links, Some(Answer::Refused(_))) && !is_denied(&error);
            inside::denied(parts, &error, &mut space.answers);
            if !space.ended {
                public::read(candidate, parts, &mut space.answers);
            }
            return space;
        }
    };
    space.owner = nsfs::owner(&net);
    if inside::wanted(parts) {
        match move_into_link_name_space(net.as_fd(), Some(LinkNameSpaceType::Network)) {
            Ok(()) => inside::read(parts, present, &mut worker.settings, &mut space.answers),
            Err(error) => {
                inside::denied(parts, &error.into(), &mut space.answers);
                public::read(candidate, parts, &mut space.answers);
            }
        }
    }
    space
}

/// The name servers in its own file of them.
fn resolvers(namespace: &Namespace, answers: &mut Answers) {
    if let Some(text) = file::other_file_of(namespace, "/etc/resolv.conf") {
        let lines = wire::resolv::servers(&text).map(|ip| format!("{ip}\n"));
        answers.put(Question::Resolvers, Answer::whole(lines.collect::<String>().into_bytes()));
    }
}

/// One that is neither numbered nor entered.
fn from_afar(candidate: &Candidate, parts: Parts, why: &io::Error) -> Surveyed {
    let mut space = Surveyed::new(candidate.id());
    if let Ok(net) = candidate.open() {
        space.owner = nsfs::owner(&net);
    }
    space.answers.gap("links", why);
    space.answers.gap("addresses", why);
    if parts.contains(Parts::NSIDS) {
        space.answers.gap("nsids", why);
    }
    inside::denied(parts, why, &mut space.answers);
    public::read(candidate, parts, &mut space.answers);
    space
}

fn is_denied(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}

/// Walks on into namespaces that only a link's peer shows, until no new one comes up.
fn follow_peers(spaces: &mut Vec<Surveyed>, observer: &mut Observer, parts: Parts, raw: Raw) {
    let mut known: BTreeSet<u32> = spaces
        .iter()
        .filter_map(|s| if let NsKey::Unseen(n) = s.id.key { Some(n) } else { None })
        .collect();
    let mut at = 0;
    let Some(mut view) = observer.views().next() else { return };
    while at < spaces.len() {
        let links = &spaces[at].reading.links;
        let peers: Vec<u32> = links
            .iter()
            .filter_map(|l| unseen(l.joined.nsid?))
            .filter(|n| known.insert(*n))
            .collect();
        for number in peers {
            let id = NsId { host: HostId(0), key: NsKey::Unseen(number) };
            let mut space = Surveyed::new(id);
            view.outside(number, parts, &mut space.answers);
            for part in inside::PARTS {
                space.answers.gap(part, "no process or file leads into this namespace");
            }
            spaces.push(space.understand(raw));
        }
        at += 1;
    }
}

/// The tables of nsids, now that every namespace has the observer's number.
fn tables(spaces: &mut [Surveyed], observer: &mut Observer, raw: Raw) {
    let numbers: Vec<Option<u32>> =
        spaces.iter().enumerate().map(|(place, space)| space.number(place)).collect();
    let tables = share(observer.views(), numbers.len(), |view, place| {
        let mut answers = Answers::default();
        if let Some(number) = numbers[place] {
            view.nsids(number, &mut answers);
        }
        answers
    });
    for (space, table) in spaces.iter_mut().zip(tables) {
        space.reading.nsids(&table);
        if raw == Raw::Keep {
            space.answers.by_question.extend(table.by_question);
        }
    }
}

/// Without an observer: the reader's own namespace, by itself.
fn alone(candidates: &[Candidate], parts: Parts, raw: Raw, error: &NetlinkError) -> Survey {
    let why = if error.is_denied() {
        "without CAP_SYS_ADMIN and CAP_NET_ADMIN"
    } else {
        "since no other can be made"
    };
    let text = format!(
        "the view is partial: {why} only this program's own network namespace can be read ({error})"
    );
    let mut survey = Survey { warnings: vec![Warning { ns: None, text }], ..Survey::default() };
    let own = rustix::fs::stat("/proc/thread-self/ns/net").map(|s| super::door::identity(&s));
    let denied = io::Error::from(error.errno);
    for candidate in candidates {
        if !own.is_ok_and(|own| super::find::id(own) == candidate.id()) {
            survey.spaces.push(from_afar(candidate, parts, &denied).understand(raw));
            continue;
        }
        let mut space = Surveyed::new(candidate.id());
        inside::own(parts, &mut space.answers);
        inside::read(parts, &Present::find(parts), &mut Source::default(), &mut space.answers);
        survey.spaces.push(space.understand(raw));
    }
    survey
}

impl Survey {
    /// Puts what was read into what was found.
    pub(super) fn join(mut self, mut found: Snapshot) -> Snapshot {
        self.note(&mut found);
        let readings = self.spaces.into_iter().map(|space| (space.id, space.reading));
        wire::gathered::join(found, readings, self.numbering.as_ref())
    }

    /// What was found, and the replies.
    pub(super) fn keep(mut self, mut found: Snapshot) -> Gathered {
        self.note(&mut found);
        let answers = self.spaces.into_iter().map(|space| (space.id, space.answers)).collect();
        Gathered { found, numbering: self.numbering, answers, ..Gathered::default() }
    }

    /// Notes what came to light about the namespaces themselves.
    fn note(&mut self, found: &mut Snapshot) {
        found.warnings.append(&mut self.warnings);
        self.spaces.retain_mut(|space| {
            if space.ended {
                found.namespaces.remove(&space.id);
                let text = format!("{} ended while it was read", space.id);
                found.warnings.push(Warning { ns: None, text });
                return false;
            }
            let namespace = found.namespaces.entry(space.id).or_insert_with(|| Namespace {
                found: vec![Found::Peer],
                ..Namespace::new(space.id)
            });
            namespace.owner = std::mem::take(&mut space.owner);
            true
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_of_others() {
        let (shown, other) = (NsId::inode(1), NsId::inode(2));
        let parts = Parts::all() - Parts::CONNTRACK;
        let wanted = Wanted { parts, only: Some(shown) };
        assert_eq!(wanted.of(shown, false), parts);
        assert_eq!(wanted.of(other, false), Parts::NSIDS);
        // One of them may have the socket of a tunnel that was moved.
        assert_eq!(wanted.of(other, true), Parts::NSIDS | Parts::TUNNELS);
        let links = Wanted { parts: Parts::NSIDS, only: Some(shown) };
        assert_eq!(links.of(other, true), Parts::NSIDS);
        assert_eq!(Wanted { only: None, ..wanted }.of(other, false), parts);
    }
}
