//! Files ↔ one compressed archive.

use std::io::Read;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use tar::{Archive, Builder, EntryType, Header};

use crate::manifest::MANIFEST;
use crate::{Error, Files};

/// How many bytes a bundle may have when it is unpacked: ten thousand namespaces take a fifth.
pub const MOST_BYTES: u64 = 256 << 20;
/// How many files a bundle may have.
pub const MOST_FILES: usize = 500_000;
/// How long a file's path may be.
const MOST_PATH: usize = 255;

const GZIP: [u8; 2] = [0x1f, 0x8b];

pub(crate) fn pack(files: &Files, taken: u64) -> Result<Vec<u8>, Error> {
    let size: usize = files.values().map(|bytes| bytes.len() + 1024).sum();
    if size as u64 > MOST_BYTES || files.len() > MOST_FILES {
        return Err(Error::TooLarge);
    }
    let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    // Whoever looks into it sees first what it is.
    let (first, rest): (Vec<_>, Vec<_>) = files.iter().partition(|(path, _)| *path == MANIFEST);
    for (path, bytes) in first.into_iter().chain(rest) {
        let mut header = Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        header.set_mtime(taken);
        builder.append_data(&mut header, path, bytes.as_slice()).map_err(damaged)?;
    }
    builder.into_inner().and_then(GzEncoder::finish).map_err(damaged)
}

pub(crate) fn unpack(bytes: &[u8]) -> Result<Files, Error> {
    if !bytes.starts_with(&GZIP) {
        return Err(Error::Foreign);
    }
    let mut tar = Vec::new();
    GzDecoder::new(bytes).take(MOST_BYTES + 1).read_to_end(&mut tar).map_err(damaged)?;
    if tar.len() as u64 > MOST_BYTES {
        return Err(Error::TooLarge);
    }
    let mut files = Files::new();
    for entry in Archive::new(tar.as_slice()).entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        match entry.header().entry_type() {
            EntryType::Directory => continue,
            EntryType::Regular => {}
            _ => return Err(Error::NoFile),
        }
        // A name to look files up by; nothing is opened by it.
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let path = path.strip_prefix("./").map_or(path.clone(), str::to_owned);
        if files.len() >= MOST_FILES || path.len() > MOST_PATH || entry.size() > MOST_BYTES {
            return Err(Error::TooLarge);
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(damaged)?;
        files.insert(path, content);
    }
    Ok(files)
}

fn damaged(error: impl ToString) -> Error {
    Error::Damaged(error.to_string())
}
