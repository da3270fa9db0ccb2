//! Pasted outputs of commands, a file per command, as a Snapshot.
//!
//! A crate of its own beside `wire`, because it reads what programs print for people, of several
//! namespaces at once, and has to find out how these belong together. Everything that is shown is
//! taken; what is not shown becomes a gap, with what may be assumed in its place; what cannot be
//! understood becomes a warning with file and line. Nothing here fails.

#![forbid(unsafe_code)]

mod address;
mod command;
mod draft;
mod fdb;
mod finish;
mod gaps;
mod ipset;
mod iptables;
mod join;
mod json;
mod kind;
mod link;
mod listing;
mod lsns;
mod neighbour;
mod nft;
mod nft_json;
mod port;
mod report;
mod route;
mod rule;
mod sysctl;
mod take;
mod words;

use model::Snapshot;

/// A file of the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path relative to the folder, with slashes. Its last part names the command.
    pub path: String,
    /// What the command printed.
    pub text: String,
}

/// What the files tell. Each folder is a namespace; files that are in none belong to one as well.
#[must_use]
pub fn read(files: &[File]) -> Snapshot {
    let (mut drafts, mut warnings) = take::take(files);
    join::join(&mut drafts, &mut warnings);
    finish::finish(drafts, warnings)
}
