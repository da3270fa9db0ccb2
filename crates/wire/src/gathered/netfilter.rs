//! What filters and translates, and what is tracked.

use std::collections::BTreeMap;

use model::{Family, IpSet, Opaque, Ruleset, Table};

use super::{Answer, Answers, Question, Reading};
use crate::nft::{self, NftReplies};
use crate::rtnl::messages;
use crate::{conntrack, ipset, legacy, rtnl};

pub(super) fn read(reading: &mut Reading, answers: &Answers) {
    match answers.by_question.get(&Question::NftTables) {
        Some(Answer::Refused(cause)) => reading.gap(Question::NftTables, cause),
        Some(Answer::Reply { .. }) => ruleset(reading, answers),
        None => {}
    }
    iptables_legacy(reading, answers);
    ipsets(reading, answers);
    // Its header is always there.
    let services = reading.reply(answers, Question::Ipvs);
    if services.split(|b| *b == b'\n').filter(|line| !line.is_empty()).count() > IPVS_HEADER {
        reading.opaque.push(Opaque::Ipvs);
    }
    if policies(reading.reply(answers, Question::XfrmInfo)) > 0 {
        reading.opaque.push(Opaque::Xfrm);
    }
    reading.reply(answers, Question::ConntrackStats);
    reading.conntrack = reading.list(answers, Question::Conntrack, conntrack::conntrack);
}

/// Lines of /proc/net/ip_vs that are always there.
const IPVS_HEADER: usize = 3;

impl Answers {
    /// The replies that make up the ruleset.
    #[must_use]
    pub fn ruleset(&self) -> NftReplies {
        let bytes = |question| self.bytes(question).to_vec();
        NftReplies {
            generation: bytes(Question::NftGeneration),
            tables: bytes(Question::NftTables),
            chains: bytes(Question::NftChains),
            rules: bytes(Question::NftRules),
            sets: bytes(Question::NftSets),
            elements: bytes(Question::NftElements),
            flowtables: bytes(Question::NftFlowtables),
        }
    }

    /// Keeps the replies that make up a ruleset.
    pub fn put_ruleset(&mut self, replies: NftReplies) {
        let NftReplies { generation, tables, chains, rules, sets, elements, flowtables } = replies;
        for (question, bytes) in [
            (Question::NftGeneration, generation),
            (Question::NftTables, tables),
            (Question::NftChains, chains),
            (Question::NftRules, rules),
            (Question::NftSets, sets),
            (Question::NftElements, elements),
            (Question::NftFlowtables, flowtables),
        ] {
            self.put(question, Answer::whole(bytes));
        }
    }
}

fn ruleset(reading: &mut Reading, answers: &Answers) {
    let (ruleset, warnings) = nft::decode_ruleset(&answers.ruleset());
    for text in warnings {
        // What could not be read of a ruleset could change any verdict.
        reading.gap(Question::NftRules, text);
    }
    let flowtables = ruleset.tables.iter().flat_map(|t| &t.flowtables);
    reading.opaque.extend(flowtables.cloned().map(Opaque::Flowtable));
    reading.ruleset = ruleset;
}

/// iptables-legacy. Tables whose rules were not read are named, and opaque.
fn iptables_legacy(reading: &mut Reading, answers: &Answers) {
    let tools = [
        (Question::IptablesNames, Some((Question::IptablesLegacy, Family::Ip)), "iptables"),
        (Question::Ip6tablesNames, Some((Question::Ip6tablesLegacy, Family::Ip6)), "ip6tables"),
        (Question::ArptablesNames, None, "arptables"),
    ];
    let mut opaque = Vec::new();
    for (names, rules, tool) in tools {
        let text = String::from_utf8_lossy(reading.reply(answers, names)).into_owned();
        let tables = match rules {
            Some((question, family)) => legacy_tables(family, reading.reply(answers, question)),
            None => Vec::new(),
        };
        let read =
            |name: &str| tables.iter().any(|t| t.name.strip_prefix(legacy::PREFIX) == Some(name));
        let rest = text.lines().filter(|name| !read(name));
        opaque.extend(rest.map(|table| format!("{tool}: {table}")));
        reading.ruleset.tables.extend(tables);
    }
    if !opaque.is_empty() {
        reading.opaque.push(Opaque::LegacyTables(opaque));
    }
}

/// Sets of ipset, and their names for the rules that ask them.
fn ipsets(reading: &mut Reading, answers: &Answers) {
    let (sets, warnings) = ipset::decode(reading.reply(answers, Question::Ipsets));
    for text in warnings {
        reading.gap(Question::Ipsets, text);
    }
    name_ipsets(&mut reading.ruleset, &sets);
    reading.ipsets = sets;
}

/// Gives the sets that rules name by number their names.
fn name_ipsets(ruleset: &mut Ruleset, sets: &[IpSet]) {
    let names: BTreeMap<u16, &str> =
        sets.iter().filter_map(|set| Some((set.index?, set.name.as_str()))).collect();
    for named in ruleset.tables.iter_mut().flat_map(Table::ip_sets_mut) {
        named.name = names.get(&named.index).map(|name| (*name).to_owned());
    }
}

/// The tables whose heads and entries stand one behind the other, as far as they are understood.
fn legacy_tables(family: Family, mut bytes: &[u8]) -> Vec<Table> {
    let mut tables = Vec::new();
    while let Some((info, rest)) = bytes.split_at_checked(legacy::INFO) {
        let size = info.last_chunk().map_or(0, |b| u32::from_ne_bytes(*b) as usize);
        let Some((entries, rest)) = rest.split_at_checked(size) else { break };
        tables.extend(legacy::table(family, info, entries));
        bytes = rest;
    }
    tables
}

const XFRM_MSG_NEWSPDINFO: u16 = 0x24;

/// How many IPsec policies there are, those of sockets aside.
fn policies(reply: &[u8]) -> u32 {
    let mut infos = messages(reply).filter(|m| m.kind == XFRM_MSG_NEWSPDINFO);
    // The flags, an attribute's head, then struct xfrmu_spdinfo: in, out, forwarded, ….
    let counts = infos.next().and_then(|m: rtnl::Message<'_>| m.body.get(8..20));
    let numbers = counts.unwrap_or_default().chunks_exact(4).filter_map(|c| c.first_chunk());
    numbers.map(|c| u32::from_ne_bytes(*c)).fold(0, u32::saturating_add)
}
