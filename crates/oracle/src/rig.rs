//! A network on the kernel, made and read by the project's own code, and packets through it.

mod made;
mod refused;

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kernel::Program;
use kernel::drops::{Drops, NoDrops, Tracepoint};
use kernel::probe::{self, Barrier, Kind, Posts, Probe, Tag};
use kernel::read::Parts;
use kernel::state::{LabState, Lock, State};
use model::{Conntrack, LinkKind, NeighbourState, NsId, Snapshot, Wanted};
use walk::{KernelDrop, Protocol, Question, Sighting};

use crate::packet::{Carries, Spec};
use made::{broken, end, id, is_unready, known, look, make, read_back};
use refused::Redirected;

/// So many markers follow a packet on each CPU: more than there are links between two places
/// where a packet shows itself (an ARP request and its answer, through all bridges).
const MARKERS: usize = 24;
/// A packet that shows itself more often than this goes round without end.
const STORM: usize = 20_000;
/// How long a link takes to report the groups that it has joined, two ticks after it has.
const REPORTS_WITHIN: Duration = Duration::from_millis(50);
/// How long addresses of IPv6 may take until they are used.
const READY_WITHIN: Duration = Duration::from_secs(3);
/// How long a process may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// How long the kernel may take to give up a neighbour. The networks say 100 ms.
const NEIGHBOUR_WITHIN: Duration = Duration::from_secs(3);

/// What a worker has for all its networks.
pub struct Bench {
    program: Program,
    barrier: Barrier,
    folder: PathBuf,
    /// What the kernel tells of packets that it throws away, if it does.
    drops: Result<Tracepoint, NoDrops>,
}

impl Bench {
    /// A bench that keeps its journal in a folder of its own.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn new(program: Program, folder: &Path) -> io::Result<Self> {
        let (barrier, drops) = (Barrier::new()?, Tracepoint::find());
        Ok(Self { program, barrier, folder: folder.to_owned(), drops })
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // Nothing is to be left, and nobody is there to be told.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Why a network is not on the kernel, or not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The lab file is no good, or the kernel does not take it: the generator's fault, or a
    /// feature that is not here.
    Refused(String),
    /// What is read is not what was written.
    ReadBack(String),
    /// Something of the machinery failed.
    Broken(String),
}

/// A network on the kernel.
pub struct Rig<'b> {
    bench: &'b Bench,
    lock: Lock,
    lab: LabState,
    /// When it is dropped, the containers end.
    _leash: OwnedFd,
    names: BTreeMap<String, NsId>,
    nets: Vec<(NsId, OwnedFd)>,
    posts: Posts,
    drops: Option<Drops<'b>>,
    family: Tag,
    /// How often a sender was refused by a namespace because no route leads on.
    refusals: BTreeMap<(NsId, IpAddr), usize>,
    redirected: BTreeMap<(NsId, IpAddr), Redirected>,
    /// As it was read after the last packet.
    pub snapshot: Snapshot,
}

/// What became of a packet.
#[derive(Debug)]
pub struct Seen {
    /// Everywhere it was seen, in order of time.
    pub sightings: Vec<Sighting>,
    /// Its sender's socket got the answer.
    pub received: bool,
    /// What was tracked then in each namespace.
    pub tracked: BTreeMap<NsId, Vec<Conntrack>>,
    /// What the kernel says that it threw away; None: it does not say.
    pub dropped: Option<Vec<KernelDrop>>,
    /// Why the kernel did not send it.
    pub refused: Option<io::Error>,
}

impl<'b> Rig<'b> {
    /// Makes the network of a lab file, and reads it back.
    ///
    /// # Errors
    /// Why it is not there as the file says.
    pub fn build(bench: &'b Bench, text: &str, family: Tag) -> Result<Self, Trouble> {
        let lab = lab::parse(text, "case").map_err(|errors| {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            Trouble::Refused(lines.join("; "))
        })?;
        let wanted = lab::expand(&lab);
        let lock = State::at(bench.folder.clone()).lock().map_err(broken)?;
        let (ours, theirs) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
            .map_err(|e| broken(e.into()))?;
        let lab = make(bench, &lock, &wanted, text, ours.as_fd())?;
        match Self::read(bench, &lab, &wanted, family) {
            Ok((snapshot, names, nets, posts)) => Self {
                bench,
                lock,
                lab,
                _leash: theirs,
                names,
                nets,
                posts,
                drops: bench.drops.as_ref().ok().and_then(|d| d.watch(family).ok()),
                family,
                refusals: BTreeMap::new(),
                redirected: BTreeMap::new(),
                snapshot,
            }
            .quieted(),
            Err(trouble) => {
                end(&lock, &lab);
                Err(trouble)
            }
        }
    }

    /// Where there is IPv6, what is only the kernel's own is waited for: links' first reports, from
    /// which bridges learn.
    fn quieted(mut self) -> Result<Self, Trouble> {
        let six = |ns: &model::Namespace| ns.addresses.iter().any(|a| a.ip().is_ipv6());
        if self.snapshot.namespaces.values().any(six) {
            self.posts.wait(REPORTS_WITHIN).map_err(broken)?;
            self.bench.barrier.pass(MARKERS).map_err(broken)?;
            kernel::read::refresh(&mut self.snapshot, Parts::NEIGHBOURS).map_err(broken)?;
        }
        Ok(self)
    }

    #[allow(clippy::type_complexity, reason = "private, and taken apart at once")]
    fn read(
        bench: &Bench,
        lab: &LabState,
        wanted: &Wanted,
        family: Tag,
    ) -> Result<(Snapshot, BTreeMap<String, NsId>, Vec<(NsId, OwnedFd)>, Posts), Trouble> {
        let known = known(lab, wanted).map_err(broken)?;
        let begun = Instant::now();
        let mut snapshot = look(lab, &known.namespaces)?;
        while is_unready(&snapshot) && begun.elapsed() < READY_WITHIN {
            bench.barrier.pass(MARKERS).map_err(broken)?;
            snapshot = look(lab, &known.namespaces)?;
        }
        read_back(wanted, &known, &snapshot)?;
        let open = |(_, entry): (&str, &kernel::state::Entry)| {
            let process = entry.process()?.ok_or(io::ErrorKind::NotFound)?;
            Ok((id(entry.net), process.open_namespace("net")?))
        };
        let nets: Vec<(NsId, OwnedFd)> =
            lab.containers().map(open).collect::<io::Result<_>>().map_err(broken)?;
        let watched: Vec<(NsId, BorrowedFd<'_>)> =
            nets.iter().map(|(id, net)| (*id, net.as_fd())).collect();
        let posts = Posts::open(&watched, family).map_err(broken)?;
        Ok((snapshot, known.namespaces, nets, posts))
    }

    /// Reads the network anew: it was changed by something else than packets.
    ///
    /// # Errors
    /// If a namespace has ended.
    pub fn read_again(&mut self) -> Result<(), Trouble> {
        self.snapshot = look(&self.lab, &self.names)?;
        Ok(())
    }

    /// The question that a packet is, for the walk.
    #[must_use]
    pub fn question(&self, spec: &Spec) -> Option<Question> {
        let from = walk::Place::Namespace(*self.names.get(&spec.from)?);
        let protocol = match spec.carries {
            Carries::Icmp(_) => Protocol::Icmp,
            Carries::Udp(_, dport) => Protocol::Udp(dport),
            Carries::Tcp(_, dport) => Protocol::Tcp(dport),
        };
        let (Carries::Icmp(sport) | Carries::Udp(sport, _) | Carries::Tcp(sport, _)) = spec.carries;
        let mut question = Question::new(from, spec.to, protocol)
            .sport(sport)
            .dont_fragment(spec.df)
            .mark(spec.mark);
        question.packet.len = spec.len;
        if let walk::Payload::Tcp { flags, .. } = &mut question.packet.payload {
            *flags = spec.flags;
            question.packet.mss = (spec.flags & probe::SYN != 0).then_some(probe::MSS);
        }
        (question.packet.ttl, question.packet.tos) = (spec.ttl, spec.tos);
        if let Some(src) = spec.src {
            question = question.source(src);
        }
        Some(question.bound(self.bound(spec)))
    }

    /// The ifindex of the link that the packet's socket is bound to.
    fn bound(&self, spec: &Spec) -> Option<u32> {
        let ns = self.snapshot.namespaces.get(self.names.get(&spec.from)?)?;
        Some(ns.link_named(spec.dev.as_deref()?)?.index)
    }

    /// Sends a packet and watches until nothing more can come of it; then reads what it taught.
    /// `awaited`: so many sightings are foretold, of which a process's answer may be one.
    ///
    /// # Errors
    /// If the machinery fails.
    pub fn send(&mut self, spec: &Spec, number: u8, awaited: usize) -> io::Result<Seen> {
        let probe = self.probe(spec, number);
        let started = std::time::SystemTime::now();
        let sent = self.send_probe(spec, &probe)?;
        let at = sent.as_ref().map_or(started, |sent| sent.at);
        let mut sightings = self.watch(&probe, at, awaited)?;
        sightings.sort_by_key(|s| s.after);
        let received = sent.as_ref().is_ok_and(probe::Sent::is_answered);
        // A reset takes connections away again: they are read before.
        kernel::read::refresh(&mut self.snapshot, Parts::CONNTRACK)?;
        let spaces = self.snapshot.namespaces.values();
        let tracked = spaces.map(|ns| (ns.id, ns.conntrack.clone())).collect();
        // What it may have opened is closed; that this may be refused is no news.
        let _ = probe::reset(self.net(&spec.from)?, &probe);
        self.settle()?;
        self.posts.take(&probe, at)?;
        let dropped = self.drops.as_ref().map(|d| d.collect(&probe, &self.snapshot)).transpose()?;
        let refused = self.close(spec, &probe, sent)?;
        let seen = Seen { sightings, received, tracked, dropped, refused };
        let taught = Parts::NEIGHBOURS | Parts::CONNTRACK | self.tunnels();
        kernel::read::refresh(&mut self.snapshot, taught)?;
        Ok(seen)
    }

    /// What packets teach tunnels, where there are such.
    fn tunnels(&self) -> Parts {
        let mut links = self.snapshot.namespaces.values().flat_map(|ns| ns.links.values());
        match links.any(|link| matches!(link.kind, LinkKind::Wireguard(_))) {
            true => Parts::TUNNELS,
            false => Parts::empty(),
        }
    }

    /// A socket that has been closed may live on for a moment in a process that is just being made:
    /// its port is waited for.
    fn send_probe(&self, spec: &Spec, probe: &Probe) -> io::Result<io::Result<probe::Sent>> {
        let begun = Instant::now();
        loop {
            match probe::send(self.net(&spec.from)?, probe) {
                Err(error)
                    if error.kind() == io::ErrorKind::AddrInUse
                        && begun.elapsed() < ANSWER_WITHIN =>
                {
                    self.posts.wait(Duration::from_millis(20))?;
                }
                sent => return Ok(sent),
            }
        }
    }

    /// Closes the socket of a probe, and waits until nobody else has it: what comes to its port next
    /// is not for it.
    fn close(
        &self,
        spec: &Spec,
        probe: &Probe,
        sent: io::Result<probe::Sent>,
    ) -> io::Result<Option<io::Error>> {
        match sent {
            Err(error) => return Ok(Some(error)),
            Ok(sent) => drop(sent),
        }
        let begun = Instant::now();
        while !probe::is_port_free(self.net(&spec.from)?, probe)? && begun.elapsed() < ANSWER_WITHIN
        {
            self.posts.wait(Duration::from_millis(20))?;
        }
        Ok(None)
    }

    /// Whether this kernel has a reason of that name for throwing a packet away.
    pub(crate) fn has_drop_reason(&self, name: &str) -> bool {
        self.bench.drops.as_ref().is_ok_and(|kernel| kernel.has_reason(name))
    }

    /// A namespace of the network.
    ///
    /// # Errors
    /// If there is none of that name.
    pub fn net(&self, name: &str) -> io::Result<BorrowedFd<'_>> {
        let ns = self.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        let net = self.nets.iter().find(|(id, _)| id == ns).ok_or(io::ErrorKind::NotFound)?;
        Ok(net.1.as_fd())
    }

    fn watch(
        &mut self,
        probe: &Probe,
        at: std::time::SystemTime,
        awaited: usize,
    ) -> io::Result<Vec<Sighting>> {
        let begun = Instant::now();
        let mut seen = Vec::new();
        loop {
            self.bench.barrier.pass(MARKERS)?;
            let more = self.posts.take(probe, at)?;
            if !more.is_empty() {
                seen.extend(more);
                if seen.len() > STORM {
                    return Err(io::Error::other("what was sent goes round without end"));
                }
            } else if seen.len() < awaited && begun.elapsed() < ANSWER_WITHIN
                || self.due()? && begun.elapsed() < NEIGHBOUR_WITHIN
            {
                self.posts.wait(Duration::from_millis(20))?;
            } else {
                // What came between the last look and this one.
                self.bench.barrier.pass(MARKERS)?;
                let last = self.posts.take(probe, at)?;
                if last.is_empty() {
                    return Ok(seen);
                }
                seen.extend(last);
            }
        }
    }

    /// Waits for what is still under way, questions for a neighbour included.
    fn settle(&mut self) -> io::Result<()> {
        let begun = Instant::now();
        self.bench.barrier.pass(MARKERS)?;
        while self.due()? && begun.elapsed() < NEIGHBOUR_WITHIN {
            self.posts.wait(Duration::from_millis(20))?;
            self.bench.barrier.pass(MARKERS)?;
        }
        Ok(())
    }

    /// Somebody still asks for a neighbour.
    fn due(&mut self) -> io::Result<bool> {
        kernel::read::refresh(&mut self.snapshot, Parts::NEIGHBOURS)?;
        let mut neighbours = self.snapshot.namespaces.values().flat_map(|ns| &ns.neighbours);
        Ok(neighbours.any(|n| n.state == NeighbourState::Incomplete))
    }

    /// A multicast, or a broadcast to somebody, as only his own table tells.
    fn is_to_many(&self, spec: &Spec) -> bool {
        let subnet =
            |r: &model::Route| r.kind == model::RouteKind::Broadcast && r.dst.addr() == spec.to;
        spec.to.is_multicast()
            || spec.to == std::net::Ipv4Addr::BROADCAST
            || self.snapshot.namespaces.values().any(|ns| ns.routes.iter().any(subnet))
    }

    fn probe(&self, spec: &Spec, number: u8) -> Probe {
        let kind = match spec.carries {
            Carries::Icmp(id) => Kind::Icmp(id),
            Carries::Udp(sport, dport) => Kind::Udp(sport, dport),
            Carries::Tcp(sport, dport) => Kind::Tcp(sport, dport),
        };
        Probe {
            src: spec.src,
            dst: spec.to,
            kind,
            len: spec.len,
            df: spec.df,
            ttl: Some(spec.ttl),
            tos: spec.tos,
            mark: spec.mark,
            bound: self.bound(spec),
            flags: spec.flags,
            to_many: self.is_to_many(spec),
            tag: self.family.member(number),
        }
    }
}

impl Drop for Rig<'_> {
    fn drop(&mut self) {
        end(&self.lock, &self.lab);
    }
}
