//! Bundles as files: found, read whole, and written without treading on anything.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use bundle::{Bundle, Files, MANIFEST, MOST_BYTES, MOST_FILES};
use model::Snapshot;

use crate::failure::{Failure, OrFail};

/// A Snapshot that was not read from this host, and where it is from.
pub(crate) struct Elsewhere {
    pub(crate) snapshot: Snapshot,
    /// In words, to be shown above every view.
    pub(crate) origin: String,
}

/// Reads a bundle: a file as `collect` writes it, or a folder that one was unpacked into.
pub(crate) fn read(path: &Path) -> Result<Elsewhere, Failure> {
    let shown = render::clean(&path.display().to_string());
    let fail = |cause: String| {
        Failure::usage(format!("cannot read the bundle {shown}"))
            .because(render::clean(&cause))
            .hint("`nestwork collect` makes a bundle")
    };
    let bundle = if path.is_dir() {
        let files = folder(path).map_err(|e| fail(e.to_string()))?;
        Bundle::from_files(files).map_err(|e| fail(e.to_string()))?
    } else {
        let bytes = file(path).map_err(|e| fail(e.to_string()))?;
        Bundle::unpack(&bytes).map_err(|e| fail(e.to_string()))?
    };
    Ok(Elsewhere { snapshot: bundle.gathered.snapshot(), origin: origin(&bundle) })
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
    if !path.join(MANIFEST).is_file() {
        return Err(io::Error::other(format!("there is no {MANIFEST} in this folder")));
    }
    let mut files = Files::new();
    let mut room = MOST_BYTES;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() {
            for inner in fs::read_dir(entry.path())? {
                let inner = inner?;
                let name = format!("{name}/{}", inner.file_name().to_string_lossy());
                take(&inner, name, &mut files, &mut room)?;
            }
        } else {
            take(&entry, name, &mut files, &mut room)?;
        }
    }
    Ok(files)
}

fn take(entry: &fs::DirEntry, name: String, files: &mut Files, room: &mut u64) -> io::Result<()> {
    if !entry.file_type()?.is_file() {
        return Ok(());
    }
    let mut bytes = Vec::new();
    File::open(entry.path())?.take(*room + 1).read_to_end(&mut bytes)?;
    *room = room.checked_sub(bytes.len() as u64).ok_or_else(too_large)?;
    files.insert(name, bytes);
    if files.len() > MOST_FILES { Err(too_large()) } else { Ok(()) }
}

fn too_large() -> io::Error {
    io::Error::other("it is larger than any bundle may be")
}

/// Writes a file that only its owner may read: whole, or not at all.
pub(crate) fn write(path: &Path, bytes: &[u8], replace: bool) -> Result<(), Failure> {
    let shown = render::clean(&path.display().to_string());
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
