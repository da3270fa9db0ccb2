//! What each namespace is called.

use model::{Name, NameSource, Namespace, NsId};

use super::KnownName;
use super::find::{Finds, id};

/// Directories whose files are names: where `ip netns` keeps its own.
const NAMED: &str = "/run/netns/";

/// Fills in names, best first.
pub(super) fn name(finds: &mut Finds, known: &[KnownName]) {
    let host = finds.host;
    for candidate in &mut finds.candidates {
        let names = names(&candidate.namespace, known, host);
        candidate.namespace.names = names;
    }
}

fn names(namespace: &Namespace, known: &[KnownName], host: NsId) -> Vec<Name> {
    let mut names = Vec::new();
    for known in known.iter().filter(|k| id((k.dev, k.ino)) == namespace.id) {
        let source = NameSource::Lab(known.lab.clone());
        names.push(Name { text: known.name.clone(), source });
    }
    if namespace.id == host {
        let uname = rustix::system::uname();
        let text = uname.nodename().to_string_lossy().into_owned();
        names.push(Name { text, source: NameSource::Host });
    }
    for file in &namespace.files {
        if let Some(text) = file.path.strip_prefix(NAMED).filter(|t| !t.contains('/')) {
            names.push(Name { text: text.to_owned(), source: NameSource::File });
        }
    }
    if let (true, Some(process)) = (names.is_empty(), namespace.processes.first()) {
        names.push(Name { text: process.comm.clone(), source: NameSource::Process });
    }
    names
}
