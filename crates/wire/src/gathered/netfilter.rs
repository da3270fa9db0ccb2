//! What filters and translates, and what is tracked.

use model::{Family, Hook, Opaque, Ruleset};

use super::{Answer, Answers, Question, Reading};
use crate::nft::{self, NftReplies};
use crate::rtnl::messages;
use crate::{conntrack, rtnl};

pub(super) fn read(reading: &mut Reading, answers: &Answers) {
    match answers.by_question.get(&Question::NftTables) {
        Some(Answer::Refused(cause)) => reading.gap(Question::NftTables, cause),
        Some(Answer::Reply { .. }) => ruleset(reading, answers),
        None => {}
    }
    legacy(reading, answers);
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
    hooked(&ruleset, reading);
    reading.ruleset = ruleset;
}

/// Links with a chain of their own before or behind them.
fn hooked(ruleset: &Ruleset, reading: &mut Reading) {
    let chains = ruleset.tables.iter().flat_map(|t| t.chains.iter().map(move |c| (t.family, c)));
    let devices: Vec<&String> = chains
        .filter_map(|(family, chain)| chain.base.as_ref().map(|base| (family, base)))
        .filter(|(family, base)| {
            *family == Family::Netdev || matches!(base.hook, Hook::Ingress | Hook::Egress)
        })
        .flat_map(|(_, base)| &base.devices)
        .collect();
    let found = reading.links.iter().filter(|l| devices.contains(&&l.link.name));
    reading.hooked.extend(found.map(|l| l.link.index));
}

/// iptables-legacy: only which tables there are, since asking for their rules makes them.
fn legacy(reading: &mut Reading, answers: &Answers) {
    let tools = [
        (Question::IptablesNames, "iptables"),
        (Question::Ip6tablesNames, "ip6tables"),
        (Question::ArptablesNames, "arptables"),
    ];
    let mut tables = Vec::new();
    for (question, tool) in tools {
        let text = String::from_utf8_lossy(reading.reply(answers, question));
        tables.extend(text.lines().map(|table| format!("{tool}: {table}")));
    }
    if !tables.is_empty() {
        reading.opaque.push(Opaque::LegacyTables(tables));
    }
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
