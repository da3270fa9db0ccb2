//! The manifest: all that no reply tells, as JSON. It has types of its own, so that the model may
//! change and old bundles still be read.

mod found;
mod id;

use std::collections::BTreeMap;

use model::{Gap, Holder, NsId, Release, Snapshot, Warning};
use serde::{Deserialize, Serialize};
use wire::gathered::{Answer, Answers, Gathered, Holders, Numbering, Question};

use crate::{Bundle, Error, Files, Origin};
use found::{Namespace, Process};
use id::Id;

/// Its path within a bundle.
pub const MANIFEST: &str = "manifest.json";

const FORMAT: &str = "nestwork-bundle";
/// Grows when an older version could misunderstand what a newer one wrote.
const VERSION: u32 = 1;
const ORDER: &str = if cfg!(target_endian = "little") { "little" } else { "big" };

/// What says whether the rest can be understood at all.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
    byte_order: String,
    word_bits: u32,
}

#[derive(Serialize, Deserialize)]
struct Manifest {
    format: String,
    version: u32,
    /// `little` or `big`.
    byte_order: String,
    word_bits: u32,
    /// Version of nestwork.
    nestwork: String,
    host: String,
    kernel: String,
    /// Seconds since 1970.
    taken: u64,
    stand_ins: bool,
    viewer: Option<Id>,
    numbering: Option<Numbers>,
    /// Who holds tun and tap devices.
    #[serde(default)]
    holders: Vec<Held>,
    /// Processes that hold sockets that wait, by the socket's inode.
    #[serde(default)]
    sockets: BTreeMap<u64, Vec<Process>>,
    warnings: Vec<Warned>,
    namespaces: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Numbers {
    first: u32,
    namespaces: Vec<Id>,
}

#[derive(Serialize, Deserialize)]
struct Held {
    namespace: Id,
    link: String,
    pid: u32,
    comm: String,
}

#[derive(Serialize, Deserialize)]
struct Warned {
    about: Option<Id>,
    text: String,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    found: Namespace,
    /// Where its answers are.
    folder: String,
    /// By question.
    answers: BTreeMap<String, Outcome>,
    /// What could not be asked.
    unasked: Vec<Part>,
}

/// What came of a question.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    /// An answer; with bytes in it, it is the file of the question's name.
    Answered { bytes: u64 },
    /// One that changed during each of several attempts to read it.
    Inconsistent { bytes: u64 },
    /// A refusal.
    Refused(String),
}

#[derive(Serialize, Deserialize)]
struct Part {
    part: String,
    cause: String,
    /// What stands in its place.
    #[serde(default)]
    assumed: Option<String>,
}

pub(crate) fn write(bundle: &Bundle) -> Result<Files, Error> {
    let Bundle { origin, gathered } = bundle;
    let mut files = Files::new();
    let found = &gathered.found;
    let manifest = Manifest {
        format: FORMAT.to_owned(),
        version: VERSION,
        byte_order: ORDER.to_owned(),
        word_bits: usize::BITS,
        nestwork: origin.nestwork.clone(),
        host: origin.host.clone(),
        kernel: origin.kernel.clone(),
        taken: found.taken,
        stand_ins: origin.stand_ins,
        viewer: found.viewer.map(Id::from),
        numbering: gathered.numbering.as_ref().map(|n| Numbers {
            first: n.first,
            namespaces: n.namespaces.iter().copied().map(Id::from).collect(),
        }),
        holders: gathered.holders.taps.iter().map(Held::from).collect(),
        sockets: by_inode(&gathered.holders.sockets),
        warnings: found
            .warnings
            .iter()
            .map(|w| Warned { about: w.ns.map(Id::from), text: w.text.clone() })
            .collect(),
        namespaces: found
            .namespaces
            .values()
            .map(|ns| entry(ns, gathered.answers.get(&ns.id), &mut files))
            .collect(),
    };
    let text = serde_json::to_vec_pretty(&manifest).map_err(unreadable)?;
    files.insert(MANIFEST.to_owned(), text);
    Ok(files)
}

fn entry(namespace: &model::Namespace, answers: Option<&Answers>, files: &mut Files) -> Entry {
    let mut entry = Entry {
        found: Namespace::from(namespace),
        folder: Id::from(namespace.id).folder(),
        answers: BTreeMap::new(),
        unasked: Vec::new(),
    };
    for (question, answer) in answers.iter().flat_map(|a| &a.by_question) {
        let name = question.as_str();
        let outcome = match answer {
            Answer::Refused(cause) => Outcome::Refused(cause.clone()),
            Answer::Reply { bytes, consistent } => {
                if !bytes.is_empty() {
                    files.insert(format!("{}/{name}", entry.folder), bytes.clone());
                }
                let bytes = bytes.len() as u64;
                if *consistent {
                    Outcome::Answered { bytes }
                } else {
                    Outcome::Inconsistent { bytes }
                }
            }
        };
        entry.answers.insert(name.to_owned(), outcome);
    }
    entry.unasked = answers.iter().flat_map(|a| &a.gaps).map(Part::from).collect();
    entry
}

pub(crate) fn read(mut files: Files) -> Result<Bundle, Error> {
    let text = files.remove(MANIFEST).ok_or(Error::NoManifest)?;
    let head: Head = serde_json::from_slice(&text).map_err(unreadable)?;
    check(head)?;
    let manifest: Manifest = serde_json::from_slice(&text).map_err(unreadable)?;
    let mut gathered = Gathered {
        found: Snapshot {
            viewer: manifest.viewer.map(NsId::from),
            taken: manifest.taken,
            kernel: Release::parse(&manifest.kernel),
            warnings: manifest.warnings.into_iter().map(Warning::from).collect(),
            ..Snapshot::default()
        },
        numbering: manifest.numbering.map(|n| Numbering {
            first: n.first,
            namespaces: n.namespaces.into_iter().map(NsId::from).collect(),
        }),
        answers: BTreeMap::new(),
        holders: Holders {
            taps: manifest.holders.into_iter().map(Held::pair).collect(),
            sockets: by_inode(&manifest.sockets),
        },
    };
    for entry in manifest.namespaces {
        take(entry, &mut files, &mut gathered)?;
    }
    let origin = Origin {
        host: manifest.host,
        kernel: manifest.kernel,
        nestwork: manifest.nestwork,
        stand_ins: manifest.stand_ins,
    };
    Ok(Bundle { origin, gathered })
}

fn check(head: Head) -> Result<(), Error> {
    if head.format != FORMAT {
        return Err(Error::Manifest(format!("it does not say that it is a {FORMAT}")));
    }
    if head.version > VERSION {
        return Err(Error::Later(head.version, VERSION));
    }
    if head.byte_order != ORDER || head.word_bits != usize::BITS {
        let order = if head.byte_order == "little" { "little" } else { "big" };
        return Err(Error::Machine(head.word_bits, order.to_owned()));
    }
    Ok(())
}

fn take(entry: Entry, files: &mut Files, gathered: &mut Gathered) -> Result<(), Error> {
    let namespace = model::Namespace::try_from(entry.found)?;
    let id = namespace.id;
    let mut answers = Answers::default();
    for (name, outcome) in entry.answers {
        let Some(question) = Question::named(&name) else {
            let text = format!("this version does not understand the bundle's {name:?}");
            gathered.found.warnings.push(Warning { ns: Some(id), text });
            continue;
        };
        let (length, consistent) = match outcome {
            Outcome::Refused(cause) => {
                answers.put(question, Answer::Refused(cause));
                continue;
            }
            Outcome::Answered { bytes } => (bytes, true),
            Outcome::Inconsistent { bytes } => (bytes, false),
        };
        let path = format!("{}/{name}", entry.folder);
        let bytes = match length {
            0 => Vec::new(),
            _ => files.remove(&path).ok_or_else(|| Error::Missing(path.clone()))?,
        };
        if bytes.len() as u64 != length {
            return Err(Error::Damaged(format!("{path} is not as long as it was")));
        }
        answers.put(question, Answer::Reply { bytes, consistent });
    }
    answers.gaps = entry.unasked.into_iter().map(Gap::from).collect();
    gathered.answers.insert(id, answers);
    gathered.found.namespaces.insert(id, namespace);
    Ok(())
}

fn by_inode<A: Clone, B: From<A>>(sockets: &BTreeMap<u64, Vec<A>>) -> BTreeMap<u64, Vec<B>> {
    let list = |all: &Vec<A>| all.iter().cloned().map(B::from).collect();
    sockets.iter().map(|(inode, all)| (*inode, list(all))).collect()
}

impl From<(&(NsId, String), &Holder)> for Held {
    fn from(((id, link), holder): (&(NsId, String), &Holder)) -> Self {
        let comm = holder.comm.clone();
        Self { namespace: Id::from(*id), link: link.clone(), pid: holder.pid, comm }
    }
}

impl Held {
    fn pair(self) -> ((NsId, String), Holder) {
        let holder = Holder { pid: self.pid, comm: self.comm };
        ((NsId::from(self.namespace), self.link), holder)
    }
}

impl From<&Gap> for Part {
    fn from(gap: &Gap) -> Self {
        let assumed = gap.assumed.clone();
        Self { part: gap.part.clone(), cause: gap.cause.clone(), assumed }
    }
}

impl From<Part> for Gap {
    fn from(part: Part) -> Self {
        Self { part: part.part, cause: part.cause, assumed: part.assumed }
    }
}

impl From<Warned> for Warning {
    fn from(warned: Warned) -> Self {
        Self { ns: warned.about.map(NsId::from), text: warned.text }
    }
}

fn unreadable(error: impl ToString) -> Error {
    Error::Manifest(error.to_string())
}
