//! Namespaces, their numbers for each other, and the files that they are mounted on.

use std::os::fd::{AsFd, AsRawFd};
use std::path::{Component, Path};

use model::NamespaceSpec;
use netlink_packet_route::RouteNetlinkMessage as Message;
use rustix::fs::{Mode, OFlags};
use rustix::mount::{MoveMountFlags, OpenTreeFlags, UnmountFlags, move_mount, open_tree, unmount};
use wire::request;

use super::{Builder, Cause, Space};
use crate::netlink::Request;
use crate::spawn::{self, Birth, ContainerEntry};
use crate::state::{Entry, Role};
use crate::sys::Spaces;

impl Builder<'_> {
    pub(super) fn make_namespace(&mut self, spec: &NamespaceSpec) -> Result<(), Cause> {
        if let Some(name) = &spec.inside {
            self.space_mut(name)?.ready()?;
        }
        let inside = match &spec.inside {
            Some(name) => Some(&self.space(name)?.process),
            None => None,
        };
        let birth = Birth { name: &spec.name, inside, user: spec.user, leash: self.leash };
        let newborn = spawn::container(self.program, &birth)?;
        self.lab.record(Entry {
            role: Role::Container(spec.name.clone()),
            pid: newborn.process.pid,
            started: newborn.process.started,
            net: newborn.process.namespace("net")?,
        })?;
        let (process, beginning) = newborn.let_go()?;
        let mut space = Space::of(process)?;
        space.beginning = Some(beginning);
        self.spaces.insert(spec.name.clone(), space);
        Ok(())
    }

    /// Ends a container, with all that are inside of it.
    pub(super) fn end_namespace(&mut self, name: &str) -> Result<(), Cause> {
        if let Some(space) = self.spaces.remove(name) {
            space.process.kill()?;
        }
        self.spaces.retain(|_, space| space.process.is_alive());
        Ok(())
    }

    pub(super) fn make_nsid(&mut self, ns: &str, nsid: u32, target: &str) -> Result<(), Cause> {
        let fd = self.space(target)?.net.as_raw_fd();
        let request = Request::from(Message::NewNsId(request::nsid(nsid, fd)));
        Ok(self.space_mut(ns)?.route.ack(request.create())?)
    }

    pub(super) fn make_file(&mut self, ns: &str, path: &str, target: &str) -> Result<(), Cause> {
        let target = format!("/proc/self/fd/{}", self.space(target)?.net.as_raw_fd());
        let home = ContainerEntry::of(self.space_mut(ns)?.ready()?)?;
        let path = Path::new(path);
        spawn::in_child(|| {
            // Taken before the mount namespace is left: that path leads nowhere in the other.
            let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
            let tree = open_tree(rustix::fs::CWD, target.as_str(), flags)?;
            home.enter(Spaces::MOUNT)?;
            make_empty_file(path)?;
            let empty = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
            move_mount(tree.as_fd(), "", rustix::fs::CWD, path, empty)?;
            Ok(())
        })?;
        Ok(())
    }

    pub(super) fn remove_file(&mut self, ns: &str, path: &str) -> Result<(), Cause> {
        let home = ContainerEntry::of(&self.space(ns)?.process)?;
        spawn::in_child(|| {
            home.enter(Spaces::MOUNT)?;
            unmount(path, UnmountFlags::DETACH)?;
            std::fs::remove_file(path)
        })?;
        Ok(())
    }
}

/// Makes a file and the folders above it, in the mount namespace of a lab's own container.
fn make_empty_file(path: &Path) -> std::io::Result<()> {
    if path.components().any(|c| c == Component::ParentDir) {
        return Err(std::io::ErrorKind::InvalidInput.into());
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDONLY | OFlags::CLOEXEC;
    match rustix::fs::open(path, flags, Mode::from_raw_mode(0o444)) {
        Ok(_) | Err(rustix::io::Errno::EXIST) => Ok(()),
        Err(e) => Err(e.into()),
    }
}
