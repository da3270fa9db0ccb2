use model::NsId;

use crate::{Action, Cause, Considered, Disposition, Hop, Packet, Stage, Step, Way};

/// Who is told of a packet's way: [`Recorder`] keeps all of it, [`Quiet`] nothing but the end.
pub trait Sink: Sized {
    /// Whether it keeps what it is told of packets that come of others. If not, those of which it is
    /// known what they come to need not be walked.
    const KEEPS: bool = true;
    /// A step in that namespace, with the packet as it is after it. What it says is made only where
    /// somebody wants it.
    fn step(&mut self, ns: NsId, stage: Stage, packet: &Packet, action: impl FnOnce() -> Action);
    /// A sink for a packet that comes of this one.
    #[must_use]
    fn branch(&self) -> Self;
    /// Which step was told last: of which hop, and which of its steps.
    fn last(&self) -> (usize, usize) {
        (0, 0)
    }
    /// That packet came of that step, and went the way told to `branch`.
    fn child_of(
        &mut self,
        step: (usize, usize),
        cause: Cause,
        packet: &Packet,
        branch: Self,
        end: &Disposition,
    ) {
        let _ = (step, cause, packet, branch, end);
    }
    /// The same of the last step.
    fn child(&mut self, cause: Cause, packet: &Packet, branch: Self, end: &Disposition) {
        self.child_of(self.last(), cause, packet, branch, end);
    }
    /// What was told to `branch` is this packet's own further way.
    fn go_on(&mut self, branch: Self);
    /// Whether it wants to know what else was tried before a step.
    fn explains(&self) -> bool {
        false
    }
    /// This was tried on the way to the next step.
    fn consider(&mut self, considered: Considered) {
        drop(considered);
    }
}

/// Keeps every step.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    hops: Vec<Hop>,
    explains: bool,
    /// What was tried since the last step.
    considered: Vec<Considered>,
}

impl Recorder {
    /// One that also keeps what was tried on the way to each step.
    #[must_use]
    pub fn explaining() -> Self {
        Self { explains: true, ..Self::default() }
    }

    /// What was told so far.
    #[must_use]
    pub fn hops(&self) -> &[Hop] {
        &self.hops
    }

    /// The way, as told so far.
    #[must_use]
    pub fn into_way(self, cause: Cause, packet: Packet, disposition: Disposition) -> Way {
        Way { cause, packet, hops: self.hops, disposition }
    }
}

impl Sink for Recorder {
    fn step(&mut self, ns: NsId, stage: Stage, packet: &Packet, action: impl FnOnce() -> Action) {
        let considered = std::mem::take(&mut self.considered);
        let (action, packet, children) = (action(), packet.clone(), Vec::new());
        let step = Step { stage, action, packet, considered, children };
        match self.hops.last_mut().filter(|hop| hop.ns == ns) {
            Some(hop) => hop.steps.push(step),
            None => self.hops.push(Hop { ns, steps: vec![step] }),
        }
    }

    fn branch(&self) -> Self {
        Self { explains: self.explains, ..Self::default() }
    }

    fn last(&self) -> (usize, usize) {
        let steps = self.hops.last().map_or(0, |hop| hop.steps.len());
        (self.hops.len().saturating_sub(1), steps.saturating_sub(1))
    }

    fn child_of(
        &mut self,
        (hop, step): (usize, usize),
        cause: Cause,
        packet: &Packet,
        branch: Self,
        end: &Disposition,
    ) {
        let way = branch.into_way(cause, packet.clone(), end.clone());
        if let Some(step) = self.hops.get_mut(hop).and_then(|hop| hop.steps.get_mut(step)) {
            step.children.push(way);
        }
    }

    fn go_on(&mut self, branch: Self) {
        for hop in branch.hops {
            match self.hops.last_mut().filter(|last| last.ns == hop.ns) {
                Some(last) => last.steps.extend(hop.steps),
                None => self.hops.push(hop),
            }
        }
        self.considered = branch.considered;
    }

    fn explains(&self) -> bool {
        self.explains
    }

    fn consider(&mut self, considered: Considered) {
        self.considered.push(considered);
    }
}

/// Keeps nothing: for a verdict alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet;

impl Sink for Quiet {
    const KEEPS: bool = false;

    fn step(&mut self, _: NsId, _: Stage, _: &Packet, _: impl FnOnce() -> Action) {}

    fn branch(&self) -> Self {
        Self
    }

    fn go_on(&mut self, _: Self) {}
}
