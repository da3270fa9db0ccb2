//! What the files of engines tell of their containers. They are read as the engine's side sees
//! them, beneath its root: what a container's own files say is used for what is inside it, and for
//! nothing else.

mod desk;
mod docker;
mod kubernetes;
mod lxc;
mod podman;

use std::collections::HashMap;

use model::{Engine, Network, Warning};

use self::desk::Desk;
use super::evidence::Shown;
use crate::read::process::{Identity, Seen};

/// All engines' files, a desk for each mount namespace.
pub(super) struct Files<'a> {
    processes: &'a [Seen],
    desks: HashMap<Identity, Desk>,
}

impl<'a> Files<'a> {
    pub(super) fn new(processes: &'a [Seen]) -> Self {
        Self { processes, desks: HashMap::new() }
    }

    /// Adds to a container what files tell of it, and returns the networks that they tell of.
    pub(super) fn tell(&mut self, shown: &mut Shown) -> Vec<Network> {
        let Some(side) = shown.side.map(|side| &self.processes[side]) else { return Vec::new() };
        let Some(mnt) = side.mnt else { return Vec::new() };
        let open = || Desk::new(side, mnt, self.processes);
        let desk = self.desks.entry(mnt).or_insert_with(open);
        let user = User { uid: side.process.uid, inner: self.processes[shown.lead].process.uid };
        match shown.container.engine {
            Engine::Docker => docker::tell(desk, user, shown),
            Engine::Podman => podman::tell(desk, user, shown),
            Engine::Containerd => kubernetes::containerd(desk, side.task, shown),
            Engine::Crio => kubernetes::crio(desk, shown),
            Engine::Lxc => lxc::tell(desk, shown),
            Engine::Nspawn => lxc::machine(desk, shown),
            Engine::Incus | Engine::Lxd | Engine::Proxmox | Engine::Systemd => Vec::new(),
        }
    }

    /// What could not be read.
    pub(super) fn warnings(&self) -> impl Iterator<Item = Warning> {
        let one = |desk: &Desk| Some(Warning { ns: desk.net, text: desk.warning()? });
        self.desks.values().filter_map(one)
    }
}

/// Whose an engine is, and as whom its container runs, as the reader sees uids.
#[derive(Clone, Copy)]
struct User {
    uid: u32,
    inner: u32,
}
