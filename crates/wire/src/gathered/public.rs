//! What /proc/PID/net tells of a namespace that may not be entered: it fills what is a gap for want of
//! rights, and the gap then says what is still missing.

use super::{Answers, Question, Reading};
use crate::proc_net::{Texts, Told, told};
use crate::rtnl::{Joined, RawLink};

pub(super) fn read(reading: &mut Reading, answers: &Answers) {
    if !answers.by_question.contains_key(&Question::ProcDev) {
        return;
    }
    let text = |question| String::from_utf8_lossy(answers.bytes(question)).into_owned();
    let told = told(&Texts {
        dev: text(Question::ProcDev),
        dev_mcast: text(Question::ProcDevMcast),
        igmp: text(Question::ProcIgmp),
        if_inet6: text(Question::ProcIfInet6),
        fib_trie: text(Question::ProcFibTrie),
        route: text(Question::ProcRoute),
        arp: text(Question::ProcArp),
    });
    fill(told, reading);
}

fn fill(told: Told, reading: &mut Reading) {
    let raw = |link| RawLink { link, joined: Joined::default(), slave_kind: None };
    if lacks(reading, "links", &told.links_lack) {
        reading.links = told.links.into_iter().map(raw).collect();
    }
    if lacks(reading, "addresses", &told.addresses_lack) {
        reading.addresses = told.addresses;
    }
    if lacks(reading, "routes", &told.routes_lack) {
        reading.routes = told.routes;
    }
    if lacks(reading, "neighbours", &told.neighbours_lack) {
        reading.neighbours = told.neighbours;
    }
}

/// Whether a part is a gap; that then says what is missing now.
fn lacks(reading: &mut Reading, part: &str, lack: &str) -> bool {
    let Some(gap) = reading.gaps.iter_mut().find(|g| g.part == part) else { return false };
    gap.cause = format!("{}; of what /proc/PID/net tells anybody, {lack}", gap.cause);
    true
}
