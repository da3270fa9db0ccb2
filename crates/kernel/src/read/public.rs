//! What /proc/PID/net shows to anybody of a namespace that the reader may not enter.

use model::NsKey;
use wire::gathered::{Answer, Answers, Question};

use super::Parts;
use super::denied::mark;
use super::find::Candidate;
use super::process::network_of;

/// How many of its processes are tried.
const TRIES: usize = 4;

/// The files that tell something, and what they are asked for.
const FILES: [(Question, Parts); 7] = [
    (Question::ProcDev, Parts::empty()),
    (Question::ProcDevMcast, Parts::empty()),
    (Question::ProcIgmp, Parts::empty()),
    (Question::ProcIfInet6, Parts::empty()),
    (Question::ProcFibTrie, Parts::empty()),
    (Question::ProcRoute, Parts::empty()),
    (Question::ProcArp, Parts::NEIGHBOURS),
];

/// Keeps what is told.
pub(super) fn read(candidate: &Candidate, parts: Parts, answers: &mut Answers) {
    let processes = candidate.namespace.processes.iter().take(TRIES);
    let texts = processes.filter_map(|p| texts(candidate, parts, p.pid)).next();
    answers.by_question.extend(texts.into_iter().flatten());
}

/// The files of a process, if it is in that namespace before and after they are read.
fn texts(candidate: &Candidate, parts: Parts, pid: u32) -> Option<Vec<(Question, Answer)>> {
    if !is_in(candidate, pid) {
        return None;
    }
    let read = |(question, of): (Question, Parts)| {
        let path = format!("/proc/{pid}/net/{}", question.file()?);
        let text = std::fs::read(path).unwrap_or_default();
        parts.contains(of).then(|| (question, Answer::whole(text)))
    };
    let texts: Vec<_> = FILES.into_iter().filter_map(read).collect();
    let told = matches!(texts.first(), Some((_, Answer::Reply { bytes, .. })) if !bytes.is_empty());
    (is_in(candidate, pid) && told).then_some(texts)
}

fn is_in(candidate: &Candidate, pid: u32) -> bool {
    match candidate.id().key {
        NsKey::Net(ino) => mark(&pid.to_string()) == Ok(ino),
        NsKey::Inode { .. } => network_of(pid) == Some(candidate.id()),
        NsKey::Unseen(_) => false,
    }
}
