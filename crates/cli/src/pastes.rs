//! A folder of pasted outputs, read whole.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use model::Snapshot;

use crate::failure::Failure;

/// More bytes than a folder of outputs ever has.
const MOST_BYTES: u64 = 256 << 20;
/// More files than that, too.
const MOST_FILES: usize = 100_000;
/// Folders within folders, one for a namespace in another.
const DEEPEST: usize = 16;

/// What the folder tells.
pub(crate) fn read(path: &Path) -> Result<Snapshot, Failure> {
    let shown = render::clean(&path.display().to_string());
    let fail = |cause: String| {
        Failure::usage(format!("cannot read the outputs in {shown}"))
            .because(render::clean(&cause))
            .hint(
                "a folder is wanted, with a file for each command, named after it; \
                   `nestwork collect --script` prints what makes one",
            )
    };
    let mut folder = Folder { files: Vec::new(), room: MOST_BYTES };
    folder.take(path, "", 0).map_err(|e| fail(e.to_string()))?;
    folder.files.sort_by(|a, b| a.path.cmp(&b.path));
    let snapshot = pasted::read(&folder.files);
    if snapshot.namespaces.is_empty() {
        return Err(fail("no file in it is the output of a command that is known".to_owned()));
    }
    Ok(snapshot)
}

struct Folder {
    files: Vec<pasted::File>,
    room: u64,
}

impl Folder {
    /// The plain files of a folder and of those in it. No link is followed.
    fn take(&mut self, path: &Path, inside: &str, depth: usize) -> io::Result<()> {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry.file_type()?;
            if name.starts_with('.') {
                continue;
            }
            let name = if inside.is_empty() { name } else { format!("{inside}/{name}") };
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
        let left = self.room.checked_sub(bytes.len() as u64);
        self.room = left.filter(|_| self.files.len() < MOST_FILES).ok_or_else(too_large)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        self.files.push(pasted::File { path: name, text });
        Ok(())
    }
}

fn too_large() -> io::Error {
    io::Error::other("it is larger than outputs of commands are")
}
