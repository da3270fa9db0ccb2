//! Namespace-wide settings out of /proc/sys/net, which shows those of the reading thread's
//! namespace.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags, open, openat};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};
use wire::gathered::SETTINGS;

/// How many namespaces are read through one instance of procfs.
const USES: u32 = 16;

/// Where a worker reads settings.
///
/// The kernel keeps the entries of all namespaces under one name in one chain of its cache, so that
/// a thousand namespaces read through the same /proc take a million comparisons, now and by
/// everybody else later. Hence an instance of procfs of our own, mounted nowhere, and a new one
/// before the chain is long.
#[derive(Debug, Default)]
pub(super) struct Source {
    instance: Option<OwnedFd>,
    uses: u32,
}

impl Source {
    /// The settings of the calling thread's namespace: `path = value`, a line each. Those of
    /// `conf/default` only if they are wanted.
    pub(super) fn read(&mut self, defaults: bool) -> io::Result<Vec<u8>> {
        if self.uses.is_multiple_of(USES) {
            self.instance = instance().ok();
        }
        self.uses = self.uses.wrapping_add(1);
        match &self.instance {
            Some(root) => {
                read(&openat(root, format!("sys/net/{FOLDER}"), DIRECTORY, NONE)?, defaults)
            }
            None => read(&open(format!("/proc/sys/net/{FOLDER}"), DIRECTORY, NONE)?, defaults),
        }
    }
}

/// Where most of the settings are.
const FOLDER: &str = "ipv4/conf/all/";
const DIRECTORY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
const NONE: Mode = Mode::empty();

/// A procfs that is mounted nowhere. Without the right to mount, the one at /proc has to do.
fn instance() -> io::Result<OwnedFd> {
    let context = fsopen("proc", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_create(context.as_fd())?;
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID
        | MountAttrFlags::MOUNT_ATTR_NODEV
        | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    Ok(fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes)?)
}

fn read(folder: &OwnedFd, defaults: bool) -> io::Result<Vec<u8>> {
    let mut text = Vec::with_capacity(1024);
    for path in SETTINGS {
        if !defaults && path.starts_with("ipv4/conf/default/") {
            continue;
        }
        match path.strip_prefix(FOLDER) {
            Some(name) => line(folder, name, path, &mut text),
            None => line(folder, &format!("../../../{path}"), path, &mut text),
        }
    }
    Ok(text)
}

/// Appends a setting; nothing, if there is no such file.
fn line(dir: &OwnedFd, name: &str, path: &str, text: &mut Vec<u8>) {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let Ok(file) = openat(dir, name, flags, NONE) else { return };
    let mut buffer = [0; 256];
    let Ok(length) = rustix::io::read(&file, &mut buffer[..]) else { return };
    text.extend_from_slice(path.as_bytes());
    text.extend_from_slice(b" = ");
    text.extend_from_slice(buffer[..length].trim_ascii());
    text.push(b'\n');
}
