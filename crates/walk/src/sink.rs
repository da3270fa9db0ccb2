use model::NsId;

use crate::{Action, Cause, Disposition, Hop, Packet, Stage, Step, Way};

/// Who is told of a packet's way: [`Recorder`] keeps all of it, [`Quiet`] nothing but the end.
pub trait Sink: Sized {
    /// A step in that namespace, with the packet as it is after it. What it says is made only where
    /// somebody wants it.
    fn step(&mut self, ns: NsId, stage: Stage, packet: &Packet, action: impl FnOnce() -> Action);
    /// A sink for a packet that comes of this one.
    #[must_use]
    fn branch(&self) -> Self;
    /// That packet came of the last step, and went the way told to `branch`.
    fn child(&mut self, cause: Cause, packet: &Packet, branch: Self, end: &Disposition);
    /// What was told to `branch` is this packet's own further way.
    fn go_on(&mut self, branch: Self);
}

/// Keeps every step.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    hops: Vec<Hop>,
}

impl Recorder {
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
        let step = Step { stage, action: action(), packet: packet.clone(), children: Vec::new() };
        match self.hops.last_mut().filter(|hop| hop.ns == ns) {
            Some(hop) => hop.steps.push(step),
            None => self.hops.push(Hop { ns, steps: vec![step] }),
        }
    }

    fn branch(&self) -> Self {
        Self::default()
    }

    fn child(&mut self, cause: Cause, packet: &Packet, branch: Self, end: &Disposition) {
        let way = branch.into_way(cause, packet.clone(), end.clone());
        if let Some(step) = self.hops.last_mut().and_then(|hop| hop.steps.last_mut()) {
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
    }
}

/// Keeps nothing: for a verdict alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet;

impl Sink for Quiet {
    fn step(&mut self, _: NsId, _: Stage, _: &Packet, _: impl FnOnce() -> Action) {}

    fn branch(&self) -> Self {
        Self
    }

    fn child(&mut self, _: Cause, _: &Packet, _: Self, _: &Disposition) {}

    fn go_on(&mut self, _: Self) {}
}
