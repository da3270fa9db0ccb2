//! What filters and translates in the calling thread's namespace, and what it tracks.

use std::fs;

use wire::gathered::{Answer, Answers, Question};
use wire::nft::{self, NftReplies};
use wire::{conntrack, ipset, rtnl};

use super::Parts;
use super::inside::{list, whole};
use super::legacy;
use super::modules::Present;
use crate::netlink::{NetlinkError, Protocol, Request, Socket};

/// How often the ruleset is read again because it changed meanwhile.
const ATTEMPTS: usize = 5;

/// The ruleset, what else decides about packets, and tracked connections, as far as they are among
/// the parts.
pub(super) fn read(parts: Parts, present: &Present, answers: &mut Answers) {
    let mut socket = None;
    if parts.contains(Parts::NETFILTER) {
        rules(present, &mut socket, answers);
    }
    if parts.contains(Parts::CONNTRACK) {
        connections(present, &mut socket, answers);
    }
}

/// Opens the socket that both are asked by.
fn open(socket: &mut Option<Socket>) -> Result<&mut Socket, NetlinkError> {
    match socket {
        Some(socket) => Ok(socket),
        None => Ok(socket.insert(Socket::open(Protocol::Netfilter)?)),
    }
}

fn rules(present: &Present, socket: &mut Option<Socket>, answers: &mut Answers) {
    if present.nft {
        match open(socket).and_then(ruleset) {
            Ok(Some(replies)) => answers.put_ruleset(replies),
            Ok(None) => {
                let cause = "the ruleset changed each time that it was read";
                answers.put(Question::NftTables, Answer::Refused(cause.to_owned()));
            }
            Err(error) => answers.put(Question::NftTables, Answer::Refused(error.to_string())),
        }
    }
    for (question, file) in &present.legacy {
        answers.put(*question, text(file));
    }
    legacy::tables(answers);
    ipsets(present, socket, answers);
    if present.ipvs {
        answers.put(Question::Ipvs, text("ip_vs"));
    }
    if present.xfrm {
        answers.put(Question::XfrmInfo, whole(policies()));
    }
}

/// The sets of ipset alone.
pub(super) fn sets(present: &Present, answers: &mut Answers) {
    ipsets(present, &mut None, answers);
}

fn ipsets(present: &Present, socket: &mut Option<Socket>, answers: &mut Answers) {
    if present.ipset {
        let sets = open(socket).and_then(|socket| socket.dump(ipset::request::list()));
        answers.put(Question::Ipsets, list(sets));
    }
}

fn connections(present: &Present, socket: &mut Option<Socket>, answers: &mut Answers) {
    if !present.conntrack {
        return;
    }
    if !present.ctnetlink {
        // Asking would load it.
        answers.gap("conntrack", "the module nf_conntrack_netlink is not loaded");
        return;
    }
    match open(socket) {
        Ok(socket) => tracked(socket, answers),
        Err(error) => answers.gap("conntrack", error),
    }
}

/// All replies of one generation; None if it never stood still.
fn ruleset(socket: &mut Socket) -> Result<Option<NftReplies>, NetlinkError> {
    for _ in 0..ATTEMPTS {
        let generation = socket.get(nft::request::generation())?;
        let (mut replies, consistent) = dumps(socket)?;
        if consistent && replies.tables.is_empty() {
            // One answer says it all, so that nothing can have changed between several.
            replies.generation = generation;
            return Ok(Some(replies));
        }
        let after = socket.get(nft::request::generation())?;
        if consistent && nft::generation(&generation) == nft::generation(&after) {
            replies.generation = generation;
            return Ok(Some(replies));
        }
    }
    Ok(None)
}

fn dumps(socket: &mut Socket) -> Result<(NftReplies, bool), NetlinkError> {
    let tables = socket.dump(nft::request::tables())?;
    let mut consistent = tables.consistent;
    let mut replies = NftReplies { tables: tables.bytes, ..NftReplies::default() };
    if replies.tables.is_empty() {
        return Ok((replies, consistent));
    }
    let mut list = |request: nft::Request| {
        let part = socket.dump(request)?;
        consistent &= part.consistent;
        Ok::<_, NetlinkError>(part.bytes)
    };
    replies.chains = list(nft::request::chains())?;
    replies.rules = list(nft::request::rules())?;
    replies.sets = list(nft::request::sets())?;
    for set in nft::set_names(&replies.sets) {
        match list(nft::request::set_elements(&set)) {
            Ok(elements) => replies.elements.extend(elements),
            // Gone since: the generation has moved, and all is read again.
            Err(error) if error.errno == rustix::io::Errno::NOENT => {}
            Err(error) => return Err(error),
        }
    }
    // A kernel without flowtables refuses, and has none.
    replies.flowtables = list(nft::request::flowtables()).unwrap_or_default();
    Ok((replies, consistent))
}

/// A file of /proc/net, whole; one that cannot be read has nothing in it.
fn text(file: &str) -> Answer {
    Answer::whole(fs::read(format!("/proc/thread-self/net/{file}")).unwrap_or_default())
}

const XFRM_MSG_GETSPDINFO: u16 = 0x25;

/// How many IPsec policies there are.
fn policies() -> Result<Vec<u8>, NetlinkError> {
    Socket::open(Protocol::Xfrm)?.get(Request::new(XFRM_MSG_GETSPDINFO, vec![0; 4]))
}

fn tracked(socket: &mut Socket, answers: &mut Answers) {
    let stats = socket.get(Request::new(conntrack::GET_STATS, conntrack::any_family()));
    let none =
        |reply: &Vec<u8>| rtnl::messages(reply).find_map(|m| conntrack::count(&m)) == Some(0);
    // The list is the whole machine's, looked through for this namespace's: not for nothing.
    let list_it = stats.as_ref().is_ok_and(|reply| !none(reply));
    answers.put(Question::ConntrackStats, whole(stats));
    if list_it {
        let request = Request::new(conntrack::GET, conntrack::any_family());
        answers.put(Question::Conntrack, list(socket.dump(request)));
    }
}
