//! Stand-ins for what a bundle tells of its host: addresses and names, the same everywhere, so that
//! routes still match, wires still join, and every packet goes the way that it went.
//!
//! What is not known to be harmless is left out: an attribute that nobody here knows, an extension
//! without a type. So a bundle with stand-ins gains less from later versions than a true one.

mod address;
mod found;
mod message;
mod name;
mod netfilter;
mod socket;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hash::BuildHasher;

use model::{Holder, NsId};
use wire::gathered::{Answer, Answers, Holders, Question};

use crate::Bundle;

/// How often other keys are tried until no stand-in is by chance somebody's true address or name.
const ATTEMPTS: usize = 16;

/// The bundle with stand-ins. `keys` gives keys that nobody else knows: with the same keys, the same
/// address gets the same stand-in.
#[must_use]
pub fn stand_ins<K: BuildHasher>(bundle: &Bundle, keys: impl Fn() -> K) -> Bundle {
    let mut made = StandIns::new(keys()).bundle(bundle);
    for _ in 1..ATTEMPTS {
        if made.1 {
            break;
        }
        made = StandIns::new(keys()).bundle(bundle);
    }
    made.0
}

/// Who stands for whom.
struct StandIns<K> {
    keys: K,
    /// All that were replaced, as text: for sentences, and to see that no one stands for another.
    replaced: RefCell<BTreeMap<String, String>>,
}

impl<K: BuildHasher> StandIns<K> {
    const fn new(keys: K) -> Self {
        Self { keys, replaced: RefCell::new(BTreeMap::new()) }
    }

    /// The bundle, and whether nobody's stand-in is somebody else's true address or name.
    fn bundle(&self, bundle: &Bundle) -> (Bundle, bool) {
        let mut made = bundle.clone();
        made.origin.stand_ins = true;
        made.origin.host = self.name(&bundle.origin.host);
        found::replace(self, &mut made.gathered.found);
        for answers in made.gathered.answers.values_mut() {
            self.answers(answers);
        }
        self.holders(&mut made.gathered.holders);
        // Last, when all that sentences could speak of is known.
        for answers in made.gathered.answers.values_mut() {
            answers.gaps.iter_mut().for_each(|gap| gap.cause = self.sentence(&gap.cause));
        }
        for warning in &mut made.gathered.found.warnings {
            warning.text = self.sentence(&warning.text);
        }
        let replaced = self.replaced.borrow();
        let apart = !replaced.values().any(|image| replaced.contains_key(image));
        drop(replaced);
        (made, apart)
    }

    fn holders(&self, holders: &mut Holders) {
        let taps = std::mem::take(&mut holders.taps).into_iter();
        let named = |((id, link), holder): ((NsId, String), Holder)| {
            let comm = self.name(&holder.comm);
            ((id, self.link(&link)), Holder { pid: holder.pid, comm })
        };
        holders.taps = taps.map(named).collect();
        for process in holders.sockets.values_mut().flatten() {
            process.comm = self.name(&process.comm);
        }
    }

    fn answers(&self, answers: &mut Answers) {
        netfilter::replace(self, answers);
        // Without its text nothing is made of the others; the gaps say that nothing is known.
        answers.by_question.remove(&Question::ProcDev);
        for (question, answer) in &mut answers.by_question {
            let Answer::Reply { bytes, .. } = answer else { continue };
            match question {
                // Written anew above; numbers; names that the kernel gives.
                Question::NftGeneration
                | Question::NftTables
                | Question::NftChains
                | Question::NftRules
                | Question::NftSets
                | Question::NftElements
                | Question::NftFlowtables
                | Question::Sysctls
                | Question::XfrmInfo
                | Question::ConntrackStats
                | Question::IptablesNames
                | Question::Ip6tablesNames
                | Question::ArptablesNames
                | Question::Groups
                | Question::Bonds
                | Question::Programs
                | Question::CgroupPrograms
                | Question::UdpPorts => {}
                Question::Ipvs => *bytes = services(bytes),
                Question::Resolvers => *bytes = self.addresses(bytes),
                Question::Tcp | Question::Tcp6 => *bytes = socket::replace(self, 6, bytes),
                Question::Udp | Question::Udp6 => *bytes = socket::replace(self, 17, bytes),
                // Texts in many forms, and structs whose rules would have to be written anew.
                Question::IptablesLegacy
                | Question::Ip6tablesLegacy
                | Question::ProcDev
                | Question::ProcDevMcast
                | Question::ProcIgmp
                | Question::ProcIfInet6
                | Question::ProcFibTrie
                | Question::ProcRoute
                | Question::ProcArp => bytes.clear(),
                _ => *bytes = message::replace(self, *question, bytes),
            }
        }
    }

    /// Addresses, a line each.
    fn addresses(&self, text: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(text);
        let all = text.lines().filter_map(|line| line.parse().ok());
        all.map(|ip| format!("{}\n", self.ip(ip))).collect::<String>().into_bytes()
    }

    /// A number that only who has the keys can tell.
    fn secret(&self, about: impl std::hash::Hash) -> u64 {
        self.keys.hash_one(about)
    }

    fn note(&self, original: String, image: String) {
        if original != image && original.len() > 1 {
            self.replaced.borrow_mut().insert(original, image);
        }
    }
}

/// /proc/net/ip_vs, of which it matters only whether there is anything.
fn services(text: &[u8]) -> Vec<u8> {
    let lines = text.split(|b| *b == b'\n').filter(|line| !line.is_empty()).count();
    b"-\n".repeat(lines)
}
