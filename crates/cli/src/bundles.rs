//! Bundles as files: found, read whole, and written without treading on anything.

use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use bundle::{Bundle, Files, MANIFEST, MOST_BYTES, MOST_FILES};
use model::Snapshot;

use crate::failure::{Failure, OrFail};

/// Folders within folders, one for a namespace in another.
const DEEPEST: usize = 16;

/// Reads a file as `collect` writes it, a folder that one was unpacked into, or a folder of pasted
/// outputs. The Snapshot says where it is from.
pub(crate) fn read(path: &Path) -> Result<Snapshot, Failure> {
    if !path.is_dir() {
        let bundle = file(path).and_then(|bytes| Bundle::unpack(&bytes).map_err(io::Error::other));
        return Ok(saved(&bundle.map_err(|e| unread(path, &e, SAVED))?));
    }
    let files = folder(path).map_err(|e| unread(path, &e, PASTED))?;
    if files.contains_key(MANIFEST) {
        return Ok(saved(&Bundle::from_files(files).map_err(|e| unread(path, &e, SAVED))?));
    }
    let mut snapshot = pasted::read(&files.into_iter().map(text).collect::<Vec<_>>());
    if snapshot.namespaces.is_empty() {
        return Err(unread(path, &"no file in it is the output of a known command", PASTED));
    }
    let shown = render::clean(&path.display().to_string());
    snapshot.origin = Some(format!("from the outputs in {shown}"));
    Ok(snapshot)
}

const SAVED: &str = "`nestwork collect` makes a bundle";
const PASTED: &str = "a folder has a file for each command, named after it; \
                      `nestwork collect --script` prints what makes one";

fn unread(path: &Path, cause: &dyn Display, hint: &str) -> Failure {
    let shown = render::clean(&path.display().to_string());
    Failure::usage(format!("cannot read the bundle {shown}"))
        .because(render::clean(&cause.to_string()))
        .hint(hint)
}

fn saved(bundle: &Bundle) -> Snapshot {
    Snapshot { origin: Some(origin(bundle)), ..bundle.gathered.snapshot() }
}

fn text((path, bytes): (String, Vec<u8>)) -> pasted::File {
    pasted::File { path, text: String::from_utf8_lossy(&bytes).into_owned() }
}

fn origin(bundle: &Bundle) -> String {
    let host = render::clean(&bundle.origin.host);
    let taken = bundle::date(bundle.gathered.found.taken);
    let stand_ins =
        if bundle.origin.stand_ins { "; names and addresses are stand-ins" } else { "" };
    format!("from a bundle of {host}, taken {taken}{stand_ins}")
}

/// A file's bytes; `-` is standard input.
fn file(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let input: Box<dyn Read> = match path.to_str() {
        Some("-") => Box::new(io::stdin()),
        _ => Box::new(File::open(path)?),
    };
    input.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES { Err(too_large()) } else { Ok(bytes) }
}

/// The plain files of a folder and of those in it. No link is followed.
fn folder(path: &Path) -> io::Result<Files> {
    let mut folder = Folder { files: Files::new(), room: MOST_BYTES };
    folder.take(path, "", 0)?;
    Ok(folder.files)
}

struct Folder {
    files: Files,
    room: u64,
}

impl Folder {
    fn take(&mut self, path: &Path, inside: &str, depth: usize) -> io::Result<()> {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            let name = if inside.is_empty() { name } else { format!("{inside}/{name}") };
            let kind = entry.file_type()?;
            if kind.is_dir() && depth < DEEPEST {
                self.take(&entry.path(), &name, depth + 1)?;
            } else if kind.is_file() {
                self.file(&entry.path(), name)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, name: String) -> io::Result<()> {
        let mut bytes = Vec::new();
        File::open(path)?.take(self.room + 1).read_to_end(&mut bytes)?;
        self.room = self.room.checked_sub(bytes.len() as u64).ok_or_else(too_large)?;
        self.files.insert(name, bytes);
        if self.files.len() > MOST_FILES { Err(too_large()) } else { Ok(()) }
    }
}

fn too_large() -> io::Error {
    io::Error::other("it is larger than any bundle may be")
}

/// Writes a file that only its owner may read: whole, or not at all.
pub(crate) fn write(path: &Path, bytes: &[u8], replace: bool) -> Result<(), Failure> {
    let shown = render::clean(&path.display().to_string());
    if replace && fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        return Err(Failure::usage(format!("{shown} is no file that could be replaced"))
            .hint("give another name, or `-` for standard output"));
    }
    let target = if replace { beside(path) } else { path.to_owned() };
    let mut options = OpenOptions::new();
    let mut file = match options.write(true).create_new(true).mode(0o600).open(&target) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            return Err(Failure::usage(format!("{shown} is there already"))
                .hint("give another name, or --force to replace it"));
        }
        file => file.or_fail(&format!("cannot make {shown}"))?,
    };
    let done = file.write_all(bytes).and_then(|()| file.sync_all());
    let done = done.and_then(|()| if replace { fs::rename(&target, path) } else { Ok(()) });
    if done.is_err() {
        // It is ours, made just above; half a bundle helps nobody.
        let _ = fs::remove_file(&target);
    }
    done.or_fail(&format!("cannot write {shown}"))
}

/// A name in the same folder that nobody else uses.
fn beside(path: &Path) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", std::process::id()));
    name.into()
}
