//! The files of one mount namespace, with what was already read there.

use std::collections::HashMap;

use model::{Container, Network, NsId};
use wire::container::{docker, passwd};

use crate::read::beneath::{Refusal, Root};
use crate::read::process::{Identity, Seen};

/// No file that is read here is larger, but for the lists of all containers.
pub(super) const FILE: usize = 1 << 20;

/// The list of all containers of a storage.
pub(super) const LIST: usize = 8 << 20;

/// No folder that is looked through has more entries.
pub(super) const ENTRIES: usize = 1024;

pub(super) struct Desk {
    root: Result<Root, Refusal>,
    /// The network namespace of the process that stands for it.
    pub(super) net: Option<NsId>,
    /// Folders that Docker's containers can be in, likeliest first.
    pub(super) docker: Vec<String>,
    /// What Podman's storages list, by the lists' paths.
    pub(super) stored: HashMap<String, Vec<Container>>,
    /// Podman's networks, by their folder, once they were read.
    pub(super) networks: HashMap<String, Vec<Network>>,
    refused: Vec<String>,
}

impl Desk {
    /// Of the mount namespace that `side` is in.
    pub(super) fn new(side: &Seen, mnt: Identity, processes: &[Seen]) -> Self {
        let root = Root::of(side.task, mnt);
        let mut desk = Self {
            root,
            net: side.net,
            docker: Vec::new(),
            stored: HashMap::new(),
            networks: HashMap::new(),
            refused: Vec::new(),
        };
        desk.docker = desk.docker_roots(processes.iter().filter(|p| p.mnt == Some(mnt)));
        desk
    }

    /// A file; None if it is not there. That it may not be read is remembered.
    pub(super) fn read(&mut self, path: &str, cap: usize) -> Option<Vec<u8>> {
        let result = self.root.as_ref().ok()?.read(path, cap);
        self.note(path, result)
    }

    /// The same, as text.
    pub(super) fn text(&mut self, path: &str) -> Option<String> {
        let result = self.root.as_ref().ok()?.text(path, FILE);
        self.note(path, result)
    }

    /// The names in a folder; none if it is not there.
    pub(super) fn list(&mut self, path: &str) -> Vec<String> {
        let Ok(root) = &self.root else { return Vec::new() };
        let result = root.list(path, ENTRIES);
        self.note(path, result).unwrap_or_default()
    }

    /// The home folder of a user other than root, by its own uid in the reader's eyes.
    pub(super) fn home(&mut self, uid: u32) -> Option<String> {
        let passwd = self.text("/etc/passwd").filter(|_| uid != 0)?;
        passwd::home(&passwd, uid).map(str::to_owned)
    }

    /// What was refused, in words.
    pub(super) fn warning(&self) -> Option<String> {
        match (&self.root, self.refused.as_slice()) {
            (Err(error), _) => Some(format!("files of engines here cannot be read: {error}")),
            (Ok(_), []) => None,
            (Ok(_), [one]) => Some(format!("not read: {one}")),
            (Ok(_), [one, more @ ..]) => {
                Some(format!("{} files of engines were not read; one: {one}", more.len() + 1))
            }
        }
    }

    fn note<T>(&mut self, path: &str, result: Result<T, Refusal>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                let text = format!("{path}: {error}");
                if !error.is_absence() && !self.refused.contains(&text) {
                    self.refused.push(text);
                }
                None
            }
        }
    }

    /// By the command line of a dockerd that runs here, else its configuration, else as Docker
    /// does it unless told otherwise.
    fn docker_roots<'a>(&mut self, here: impl Iterator<Item = &'a Seen>) -> Vec<String> {
        let mut roots = Vec::new();
        let mut config = None;
        for daemon in here.filter(|p| p.process.comm == "dockerd") {
            let cmdline = std::fs::read(format!("/proc/{}/cmdline", daemon.task));
            match docker::data_root(&cmdline.unwrap_or_default()) {
                Ok(root) => roots.push(root),
                Err(path) => config = path,
            }
        }
        let path = config.as_deref().unwrap_or("/etc/docker/daemon.json");
        roots.extend(self.read(path, FILE).and_then(|file| docker::configured_root(&file)));
        roots.push("/var/lib/docker".to_owned());
        roots.push("/var/snap/docker/common/var-lib-docker".to_owned());
        roots
    }
}
