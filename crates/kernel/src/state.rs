//! What a lab must remember outside the kernel: who its processes are, and which file made it.
//!
//! `ROOT/labs/NAME/` holds `source` (path of the lab file), `applied` (its text as last made so),
//! `pending` (the text being made so, while that goes on) and `journal`: a line for each process,
//! written before it may run. All else of a lab lives in its namespaces and dies with them.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rustix::fs::FlockOperation;

use crate::process::{Inode, Process};

/// Where the labs of this user are kept.
#[derive(Clone, Debug)]
pub struct State {
    root: PathBuf,
}

impl State {
    /// State below that folder, which need not exist.
    #[must_use]
    pub fn at(root: PathBuf) -> Self {
        Self { root }
    }

    /// All labs, by name.
    ///
    /// # Errors
    /// If the folder is there and cannot be read.
    pub fn labs(&self) -> io::Result<Vec<LabState>> {
        self.refuse_strangers()?;
        let entries = match fs::read_dir(self.root.join("labs")) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(e),
        };
        let mut labs = Vec::new();
        for entry in entries {
            labs.push(LabState::read(entry?.path())?);
        }
        labs.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(labs)
    }

    /// A journal names processes to be ended: one that somebody else could write is not believed.
    fn refuse_strangers(&self) -> io::Result<()> {
        match fs::symlink_metadata(&self.root) {
            Ok(m) if m.is_dir() && m.uid() == rustix::process::geteuid().as_raw() => Ok(()),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            Ok(_) => Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!("{} is not a folder of this user's own", self.root.display()),
            )),
            Err(e) => Err(e),
        }
    }

    /// The lab of that name, if there is one.
    ///
    /// # Errors
    /// If its folder cannot be read.
    pub fn lab(&self, name: &str) -> io::Result<Option<LabState>> {
        Ok(self.labs()?.into_iter().find(|lab| lab.name == name))
    }

    /// Takes the only right to change labs, waiting for it. It is given back when dropped.
    ///
    /// # Errors
    /// If the folder cannot be made or locked.
    pub fn lock(&self) -> io::Result<Lock> {
        loop {
            self.refuse_strangers()?;
            fs::DirBuilder::new().recursive(true).mode(0o755).create(self.root.join("labs"))?;
            let path = self.root.join("lock");
            let file = match OpenOptions::new().create(true).append(true).open(&path) {
                Ok(file) => file,
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(e) => return Err(e),
            };
            rustix::fs::flock(&file, FlockOperation::LockExclusive)?;
            // Whoever held it may have removed the folder with its last lab.
            if fs::metadata(&path).is_ok_and(|m| file.metadata().is_ok_and(|f| f.ino() == m.ino()))
            {
                return Ok(Lock { state: self.clone(), _file: file });
            }
        }
    }
}

/// The right to change labs.
#[derive(Debug)]
pub struct Lock {
    state: State,
    _file: File,
}

impl Lock {
    /// Begins (or goes on with) a lab: from now on it is known, whatever happens.
    ///
    /// # Errors
    /// If its folder cannot be written.
    pub fn begin(&self, name: &str, source: &Path, text: &str) -> io::Result<LabState> {
        let folder = self.state.root.join("labs").join(name);
        fs::create_dir_all(&folder)?;
        write_whole(&folder.join("source"), source.as_os_str().as_encoded_bytes())?;
        write_whole(&folder.join("pending"), text.as_bytes())?;
        LabState::read(folder)
    }

    /// What was begun is done.
    ///
    /// # Errors
    /// If its folder cannot be written.
    pub fn finish(&self, lab: &LabState) -> io::Result<()> {
        fs::rename(lab.folder.join("pending"), lab.folder.join("applied"))
    }

    /// What was begun is undone. `unfinished`: the text that an earlier run was making so when it
    /// was broken off; what that made is still there, and stays known.
    ///
    /// # Errors
    /// If its folder cannot be written.
    pub fn give_up(&self, lab: &LabState, unfinished: Option<&str>) -> io::Result<()> {
        match unfinished {
            Some(text) => write_whole(&lab.folder.join("pending"), text.as_bytes()),
            None if lab.applied.is_none() => self.forget(lab),
            None => fs::remove_file(lab.folder.join("pending")),
        }
    }

    /// Forgets a lab; with the last one, the whole folder.
    ///
    /// # Errors
    /// If its folder cannot be removed.
    pub fn forget(&self, lab: &LabState) -> io::Result<()> {
        fs::remove_dir_all(&lab.folder)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let root = &self.state.root;
        if fs::remove_dir(root.join("labs")).is_ok() {
            let _ = fs::remove_file(root.join("lock"));
            let _ = fs::remove_dir(root);
        }
    }
}

/// A lab as it is remembered.
#[derive(Clone, Debug)]
pub struct LabState {
    /// Its name.
    pub name: String,
    /// The file that made it.
    pub source: PathBuf,
    /// Text of that file as last made so; None: it never was, wholly.
    pub applied: Option<String>,
    /// Text that was being made so when the program ended.
    pub pending: Option<String>,
    /// Its processes, the latest of each name.
    pub entries: Vec<Entry>,
    folder: PathBuf,
}

impl LabState {
    fn read(folder: PathBuf) -> io::Result<Self> {
        let text = |file: &str| match fs::read_to_string(folder.join(file)) {
            Ok(text) => Ok(Some(text)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        };
        let mut entries: Vec<Entry> = Vec::new();
        // A last line that was cut off by a kill stands for a process that never got leave.
        for entry in text("journal")?.unwrap_or_default().lines().filter_map(|l| l.parse().ok()) {
            let entry: Entry = entry;
            entries.retain(|e| e.role != entry.role);
            entries.push(entry);
        }
        Ok(Self {
            name: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            source: PathBuf::from(text("source")?.unwrap_or_default()),
            applied: text("applied")?,
            pending: text("pending")?,
            entries,
            folder,
        })
    }

    /// Writes a process into the journal.
    ///
    /// # Errors
    /// If the journal cannot be written.
    pub fn record(&mut self, entry: Entry) -> io::Result<()> {
        let mut journal =
            OpenOptions::new().create(true).append(true).open(self.folder.join("journal"))?;
        journal.write_all(format!("{entry}\n").as_bytes())?;
        self.entries.retain(|e| e.role != entry.role);
        self.entries.push(entry);
        Ok(())
    }

    /// Its containers, in the order in which they were made.
    pub fn containers(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().filter_map(|e| match &e.role {
            Role::Container(name) => Some((name.as_str(), e)),
            _ => None,
        })
    }

    /// The first process of that container, if it lives.
    ///
    /// # Errors
    /// If the kernel refuses to say.
    pub fn container(&self, name: &str) -> io::Result<Option<Process>> {
        match self.containers().find(|(n, _)| *n == name) {
            Some((_, entry)) => entry.process(),
            None => Ok(None),
        }
    }
}

/// A process of a lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is there for.
    pub role: Role,
    /// Its number.
    pub pid: u32,
    /// When it started.
    pub started: u64,
    /// Its network namespace.
    pub net: Inode,
}

/// What a lab's process is there for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// First process of the container of that name.
    Container(String),
    /// Cable between two cards (`NS:LINK`).
    Cable(String, String),
    /// Answers in that namespace, on those ports.
    Service(String, Vec<String>),
    /// The program that holds the lab's leash: without it, the lab is to go.
    Owner,
}

impl Entry {
    /// The process itself, if it lives.
    ///
    /// # Errors
    /// If the kernel refuses to say.
    pub fn process(&self) -> io::Result<Option<Process>> {
        Process::find(self.pid, self.started)
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, started, net, .. } = self;
        write!(f, "{pid} {started} {} {} ", net.dev, net.ino)?;
        match &self.role {
            Role::Container(name) => write!(f, "container {name}"),
            Role::Cable(a, b) => write!(f, "cable {a} {b}"),
            Role::Service(name, ports) => write!(f, "service {name} {}", ports.join(" ")),
            Role::Owner => f.write_str("owner"),
        }?;
        f.write_str(" .")
    }
}

/// The line is not a whole journal line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadEntry;

impl FromStr for Entry {
    type Err = BadEntry;

    fn from_str(line: &str) -> Result<Self, BadEntry> {
        let words: Vec<&str> = line.split(' ').collect();
        let [pid, started, dev, ino, role, rest @ .., "."] = words.as_slice() else {
            return Err(BadEntry);
        };
        let role = match (*role, rest) {
            ("container", [name]) => Role::Container((*name).to_owned()),
            ("cable", [a, b]) => Role::Cable((*a).to_owned(), (*b).to_owned()),
            ("service", [name, ports @ ..]) => {
                Role::Service((*name).to_owned(), ports.iter().map(|p| (*p).to_owned()).collect())
            }
            ("owner", []) => Role::Owner,
            _ => return Err(BadEntry),
        };
        let number = |text: &str| text.parse().map_err(|_| BadEntry);
        let net = Inode { dev: number(dev)?, ino: number(ino)? };
        let pid = pid.parse().map_err(|_| BadEntry)?;
        Ok(Self { role, pid, started: number(started)?, net })
    }
}

/// Writes a file so that it is there whole or not at all.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    fs::write(&new, bytes)?;
    fs::rename(new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn journal_lines_round_trip_and_cut_ones_are_refused() {
        let roles = [
            Role::Container("web".into()),
            Role::Cable("a:eth0".into(), "b:eth1".into()),
            Role::Service("web".into(), vec!["tcp:80".into(), "udp:7".into()]),
            Role::Owner,
        ];
        for role in roles {
            let entry =
                Entry { role, pid: 12, started: 345, net: Inode { dev: 4, ino: 4_026_532_000 } };
            let line = entry.to_string();
            assert_eq!(line.parse(), Ok(entry));
            for cut in 0..line.len() {
                assert_eq!(line[..cut].parse::<Entry>(), Err(BadEntry), "{:?}", &line[..cut]);
            }
        }
    }

    #[test]
    fn a_folder_that_is_a_link_or_a_stranger_s_is_refused() {
        let here = std::env::temp_dir().join(format!("nestwork-link-{}", std::process::id()));
        std::os::unix::fs::symlink(std::env::temp_dir(), &here).unwrap();
        let state = State::at(here.clone());
        assert_eq!(state.labs().unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        assert!(state.lock().is_err());
        fs::remove_file(here).unwrap();
    }

    #[test]
    fn the_folder_goes_with_the_last_lab() {
        let root = std::env::temp_dir().join(format!("nestwork-state-{}", std::process::id()));
        let state = State::at(root.clone());
        let lock = state.lock().unwrap();
        let lab = lock.begin("one", Path::new("/x/one.yaml"), "name: one").unwrap();
        assert_eq!(lab.pending.as_deref(), Some("name: one"));
        lock.finish(&lab).unwrap();
        drop(lock);
        let lab = state.lab("one").unwrap().unwrap();
        assert_eq!((lab.applied.as_deref(), lab.pending), (Some("name: one"), None));
        assert_eq!(lab.source, Path::new("/x/one.yaml"));
        let lock = state.lock().unwrap();
        lock.forget(&state.lab("one").unwrap().unwrap()).unwrap();
        drop(lock);
        assert!(!root.exists());
    }
}
