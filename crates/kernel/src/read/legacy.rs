//! The tables of iptables-legacy in the calling thread's namespace: only those that are there, since
//! to ask for another would make it.

use std::io;

use model::Family;
use wire::gathered::{Answer, Answers, Question};

use crate::xtables::Xtables;

/// How often a table is read again because it changed meanwhile.
const ATTEMPTS: usize = 5;

/// Asks for the tables that are named in what was read of /proc/net.
pub(super) fn tables(answers: &mut Answers) {
    for (names, question, family) in [
        (Question::IptablesNames, Question::IptablesLegacy, Family::Ip),
        (Question::Ip6tablesNames, Question::Ip6tablesLegacy, Family::Ip6),
    ] {
        let names = String::from_utf8_lossy(answers.bytes(names)).into_owned();
        let mut whole = Vec::new();
        for name in names.lines() {
            match table(family, name) {
                Ok(bytes) => whole.extend(bytes),
                Err(error) => {
                    answers.gap("netfilter", format_args!("iptables-legacy {name}: {error}"));
                }
            }
        }
        if !whole.is_empty() {
            answers.put(question, Answer::whole(whole));
        }
    }
}

/// Its struct ipt_getinfo, and its entries.
fn table(family: Family, name: &str) -> io::Result<Vec<u8>> {
    let socket = Xtables::open(family)?;
    let mut error = io::Error::from(io::ErrorKind::Interrupted);
    for _ in 0..ATTEMPTS {
        let info = socket.info(name)?;
        match socket.entries(name, &info) {
            Ok(entries) => return Ok([info, entries].concat()),
            Err(e) => error = e,
        }
    }
    Err(error)
}
