//! A bundle: what one host answered, in one file that answers elsewhere and later.
//!
//! It holds the kernel's replies as they came, and a manifest with all that no reply tells: which
//! namespaces there were, what they are called, who is inside of whom. The Snapshot is made of it
//! anew each time ([`wire::gathered`]), so that an old bundle gains what later versions understand.
//! The format is described in docs/bundles.md.
//!
//! Nothing here touches a file: bytes in, bytes out. Whatever a bundle says may be a lie; no bytes
//! make this panic or take more memory than [`MOST_BYTES`] and a few times as much.

#![forbid(unsafe_code)]

mod archive;
mod date;
mod error;
mod manifest;
mod stand_in;

use std::collections::BTreeMap;

use wire::gathered::Gathered;

pub use archive::{MOST_BYTES, MOST_FILES};
pub use date::date;
pub use error::Error;
pub use manifest::MANIFEST;
pub use stand_in::stand_ins;

/// What one host answered at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// Where it is from.
    pub origin: Origin,
    /// What was found and answered.
    pub gathered: Gathered,
}

/// Where a bundle is from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The machine's name for itself. Never print it raw.
    pub host: String,
    /// Release of its kernel (`6.18.0`). Never print it raw.
    pub kernel: String,
    /// Version of nestwork that made it. Never print it raw.
    pub nestwork: String,
    /// Addresses and names in it are stand-ins.
    pub stand_ins: bool,
}

/// Files by their paths within a bundle.
pub type Files = BTreeMap<String, Vec<u8>>;

impl Bundle {
    /// The bundle as one compressed file (`.tar.gz`). The same bundle gives the same bytes.
    ///
    /// # Errors
    /// If it is larger than could be read again.
    pub fn pack(&self) -> Result<Vec<u8>, Error> {
        archive::pack(&self.files()?, self.gathered.found.taken)
    }

    /// The bundle in a compressed file.
    ///
    /// # Errors
    /// If it is none, cut short, damaged, too large, of a later version, or from a machine of
    /// another kind.
    pub fn unpack(bytes: &[u8]) -> Result<Self, Error> {
        Self::from_files(archive::unpack(bytes)?)
    }

    /// The bundle as the files that it is made of.
    ///
    /// # Errors
    /// None that is known: all of it can be written.
    pub fn files(&self) -> Result<Files, Error> {
        manifest::write(self)
    }

    /// The bundle that these files are, as [`files`](Self::files) gives them.
    ///
    /// # Errors
    /// As [`unpack`](Self::unpack).
    pub fn from_files(files: Files) -> Result<Self, Error> {
        manifest::read(files)
    }
}
