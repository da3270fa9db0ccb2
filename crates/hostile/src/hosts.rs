//! Whole hosts: what namespaces answer, and bundles of it.

use std::hash::{BuildHasherDefault, DefaultHasher};

use ::bundle::{Bundle, Files};
use model::{HostId, Name, NameSource, Namespace, NsId, NsKey, Snapshot};
use wire::gathered::{Answer, Gathered, Numbering, Question};

use crate::section::sections;
use crate::views;

/// How many namespaces answer.
const SPACES: u32 = 4;

/// `=== NUMBER QUESTION`: what a namespace answers to a question, by the name of a bundle's file;
/// with `!` behind it, a refusal.
pub(crate) fn answers(data: &[u8]) {
    let mut gathered = host();
    for section in sections(data) {
        let Some((number, question)) = section.head.split_once(' ') else { continue };
        let refused = question.strip_suffix('!');
        let Some(question) = Question::named(refused.unwrap_or(question)) else { continue };
        let Some(id) = number.parse().ok().filter(|n| *n < SPACES).map(space) else { continue };
        let answer = match refused {
            Some(_) => Answer::Refused(String::from_utf8_lossy(section.body).into_owned()),
            None => Answer::whole(section.body.to_vec()),
        };
        gathered.answers.entry(id).or_default().put(question, answer);
    }
    views::all(&gathered.snapshot());
}

pub(crate) fn space(number: u32) -> NsId {
    NsId { host: HostId(0), key: NsKey::Inode { dev: 4, ino: 100 + u64::from(number) } }
}

/// Namespaces, one inside the other, of which nothing is known yet.
fn host() -> Gathered {
    let mut found = Snapshot::default();
    for number in 0..SPACES {
        let mut namespace = Namespace::new(space(number));
        namespace.parent = number.checked_sub(1).map(space);
        namespace.names = vec![Name { text: format!("ns{number}"), source: NameSource::File }];
        found.namespaces.insert(space(number), namespace);
    }
    found.viewer = Some(space(0));
    let namespaces = (0..SPACES).map(space).collect();
    let numbering = Some(Numbering { first: 0, namespaces });
    Gathered { found, numbering, ..Gathered::default() }
}

/// A bundle as a file.
pub(crate) fn bundle(data: &[u8]) {
    if let Ok(bundle) = Bundle::unpack(data) {
        views::all(&bundle.gathered.snapshot());
    }
}

/// The files that a bundle is made of, a piece each. What is taken is packed and unpacked as the
/// same, and its stand-ins are a bundle, too.
pub(crate) fn manifest(data: &[u8]) {
    let files = sections(data).into_iter().map(|s| (s.head.to_owned(), s.body.to_vec()));
    let Ok(bundle) = Bundle::from_files(files.collect::<Files>()) else { return };
    views::all(&bundle.gathered.snapshot());
    if let Ok(files) = bundle.files() {
        assert_eq!(Bundle::from_files(files).as_ref(), Ok(&bundle), "what is read is written");
    }
    let replaced = ::bundle::stand_ins(&bundle, BuildHasherDefault::<DefaultHasher>::default);
    views::all(&replaced.gathered.snapshot());
}
