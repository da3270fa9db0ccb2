//! Inputs to begin with: what the project's fixtures hold, in the form that each target takes, and the
//! texts in `seeds/`.

use std::net::Ipv4Addr;

use bundle::Bundle;
use model::{Expr, IpSet, NsId, Ruleset, Snapshot, Xt};
use pasted::File;
use wire::gathered::{Answer, Answers, Question};
use wire::{legacy, nft, rtnl};

use crate::section::joined;

/// Captures of rtnetlink, as hexadecimal digits below the commands that made them.
const CAPTURES: [&str; 21] = [
    include_str!("../../wire/tests/captures/links.hex"),
    include_str!("../../wire/tests/captures/links_elsewhere.hex"),
    include_str!("../../wire/tests/captures/links6.hex"),
    include_str!("../../wire/tests/captures/addresses.hex"),
    include_str!("../../wire/tests/captures/addresses6.hex"),
    include_str!("../../wire/tests/captures/routes.hex"),
    include_str!("../../wire/tests/captures/routes6.hex"),
    include_str!("../../wire/tests/captures/rules.hex"),
    include_str!("../../wire/tests/captures/neighbours.hex"),
    include_str!("../../wire/tests/captures/fdb.hex"),
    include_str!("../../wire/tests/captures/qdiscs.hex"),
    include_str!("../../wire/tests/captures/filters.hex"),
    QDISCS,
    QUEUES,
    FILTERS,
    BLOCK,
    RULES_OF_GROUPS,
    ADDRESS_LABELS,
    LEARNED,
    LEARNED6,
    MDB,
];
/// Two links that share a block of filters.
const QDISCS: &str = include_str!("../../wire/tests/captures/qdiscs_blocks.hex");
const QUEUES: &str = include_str!("../../wire/tests/captures/qdiscs_that_drop.hex");
const BLOCK: &str = include_str!("../../wire/tests/captures/filters_block.hex");
/// Of matchall, gact and flower.
const FILTERS: &str = include_str!("../../wire/tests/captures/filters_more.hex");
const RULES_OF_GROUPS: &str = include_str!("../../wire/tests/captures/rules_groups.hex");
const LEARNED: &str = include_str!("../../wire/tests/captures/learned.hex");
const LEARNED6: &str = include_str!("../../wire/tests/captures/learned6.hex");
const ADDRESS_LABELS: &str = include_str!("../../wire/tests/captures/address_labels.hex");
const MDB: &str = include_str!("../../wire/tests/captures/mdb.hex");
const CONNTRACK: &str = include_str!("../../wire/tests/captures/conntrack.hex");
const WIREGUARD: [&str; 2] = [
    include_str!("../../wire/tests/captures/wireguard.hex"),
    include_str!("../../wire/tests/captures/wireguard_large.hex"),
];
const IPSETS: &str = include_str!("../../wire/tests/captures/ipsets.hex");
const IPSET_SAVE: &[u8] = include_bytes!("../../wire/fixtures/ipset-7.17.txt");
const RULES: &str = include_str!("../../wire/fixtures/iptables-1.8.9.txt");
const RULESET: &str = include_str!("../../wire/fixtures/nft-1.0.6.txt");
const ENGINES: [&[u8]; 4] = [
    include_bytes!("../../wire/tests/captures/docker-20.10-containers.json"),
    include_bytes!("../../wire/tests/captures/docker-20.10-networks.json"),
    include_bytes!("../../wire/tests/captures/podman-4.3-containers.json"),
    include_bytes!("../../wire/tests/captures/podman-4.3-networks.json"),
];
/// `two-namespaces` is the oldest bundle; `hosts` was made by `nestwork collect` beside two labs,
/// with rules of iptables-nft, iptables-legacy and nft, and connections under way.
const BUNDLES: [&[u8]; 2] = [
    include_bytes!("../../../fixtures/bundles/two-namespaces.tar.gz"),
    include_bytes!("../seeds/hosts.tar.gz"),
];
const LABS: [&str; 9] = [
    include_str!("../../../examples/proxmox-docker.yaml"),
    include_str!("../../../examples/docker-in-docker.yaml"),
    include_str!("../../../examples/two-networks.yaml"),
    include_str!("../../../examples/skip-level.yaml"),
    include_str!("../../oracle/kept/stray-answer-refused.yaml"),
    include_str!("../../oracle/scenarios/filters-by-flower.yaml"),
    include_str!("../../oracle/scenarios/a-route-by-a-link-of-a-group.yaml"),
    include_str!("../../oracle/scenarios/sets-of-ipset.yaml"),
    include_str!("../../oracle/scenarios/wireguard-pair.yaml"),
];
const CHECKS: [&str; 3] = [
    include_str!("../../../examples/two-networks.check.yaml"),
    include_str!("../../cli/tests/check/causes.check.yaml"),
    "'net:[1] -> net:[2]': [deny, 80, 53/udp, icmp]\ngroups: {a: {name: '*'}}\n* -> a: deny 22\n",
];
/// What the author of the seed pasted: namespace, file, text.
const PASTED: [(&str, &str); 17] = {
    macro_rules! pasted {
        ($path:literal) => {
            ($path, include_str!(concat!("../../../fixtures/seed/", $path)))
        };
    }
    [
        pasted!("alpine01/ip-link.iproute2.txt"),
        pasted!("alpine01/ip-4-addr.default-busybox.txt"),
        pasted!("alpine01/ip-netns-list-id.txt"),
        pasted!("alpine01/ip-route.txt"),
        pasted!("alpine01/lsns-t-net.txt"),
        pasted!("docker01/cat-proc-sys-net-ipv4-ip_forward.txt"),
        pasted!("docker01/ip-br-4-addr.txt"),
        pasted!("docker01/ip-link.txt"),
        pasted!("docker01/ip-netns-list-id.txt"),
        pasted!("docker01/ip-route.txt"),
        pasted!("docker01/iptables-t-nat-L-n.txt"),
        pasted!("docker01/lsns-t-net.txt"),
        pasted!("pve1/bridge-fdb-show-br-fwbr111i0.txt"),
        pasted!("pve1/ip-br-4-addr.txt"),
        pasted!("pve1/ip-link.txt"),
        pasted!("pve1/ip-netns-list-id.txt"),
        pasted!("pve1/ip-route.txt"),
    ]
};

/// The inputs that a target begins with, those in `seeds/` aside.
#[must_use]
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    match target {
        "rtnetlink" => CAPTURES.iter().flat_map(|text| messages(text)).collect(),
        "conntrack" => [vec![hex(CONNTRACK)], messages(CONNTRACK)].concat(),
        "wireguard" => WIREGUARD.iter().map(|text| hex(text)).collect(),
        "expressions" => lists(),
        "xt" => extensions(),
        "ruleset" | "walked-rules" => rulesets(),
        "ipsets" => {
            vec![joined([("sets".into(), hex(IPSETS).as_slice()), ("text".into(), IPSET_SAVE)])]
        }
        "legacy" => bundles().iter().flat_map(blobs).collect(),
        "answers" => bundles().iter().flat_map(|b| [vec![answers(b)], alone(b)].concat()).collect(),
        "bundle" => {
            let packed = bundles().into_iter().skip(BUNDLES.len()).filter_map(|b| b.pack().ok());
            BUNDLES.iter().map(|bytes| bytes.to_vec()).chain(packed).collect()
        }
        "manifest" => bundles().iter().map(files).collect(),
        "pasted" => vec![joined(PASTED.map(|(path, text)| (path.to_owned(), text.as_bytes())))],
        "check" => CHECKS.iter().map(|text| text.as_bytes().to_vec()).collect(),
        "lab" => LABS.iter().map(|text| text.as_bytes().to_vec()).collect(),
        "engine-api" => ENGINES.iter().map(|bytes| bytes.to_vec()).collect(),
        _ => Vec::new(),
    }
}

/// Hexadecimal digits, lines with `#` aside.
fn hex(text: &str) -> Vec<u8> {
    let digits = text.lines().filter(|l| !l.starts_with('#')).flat_map(str::chars);
    let digits: Vec<u8> =
        digits.filter_map(|c| c.to_digit(16)).filter_map(|d| u8::try_from(d).ok()).collect();
    digits.chunks_exact(2).map(|two| two[0] << 4 | two[1]).collect()
}

/// The same where `_N_` stands for N zero bytes.
fn hex_with_zeros(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (nth, piece) in text.trim().split('_').enumerate() {
        match piece.parse::<usize>() {
            Ok(zeros) if nth % 2 == 1 => bytes.resize(bytes.len() + zeros, 0),
            _ => bytes.extend(hex(piece)),
        }
    }
    bytes
}

/// Each netlink message of a capture.
fn messages(capture: &str) -> Vec<Vec<u8>> {
    let bytes = hex(capture);
    let mut rest = bytes.as_slice();
    let mut all = Vec::new();
    while let Some(message) = rtnl::messages(rest).next() {
        let len = (16 + message.body.len()).next_multiple_of(4).min(rest.len());
        all.push(rest[..len].to_vec());
        rest = &rest[len..];
    }
    all
}

/// The lists of expressions that iptables wrote.
fn lists() -> Vec<Vec<u8>> {
    RULES.lines().filter_map(|line| line.strip_prefix("read ")).map(hex_with_zeros).collect()
}

/// The structs that they hold, one of each kind and length.
fn extensions() -> Vec<Vec<u8>> {
    let mut found: Vec<(String, Vec<u8>)> = Vec::new();
    for one in lists().iter().flat_map(|list| nft::decode_exprs(list)) {
        let (Expr::Match(ext) | Expr::Target(ext)) = one else { continue };
        let Xt { name, revision, .. } = &ext;
        let (head, bytes) = (format!("{name} {revision}"), wire::xt::encode(&ext));
        if !found.iter().any(|(known, other)| *known == head && other.len() == bytes.len()) {
            found.push((head, bytes));
        }
    }
    found.iter().map(|(head, bytes)| joined([(head.clone(), bytes.as_slice())])).collect()
}

fn rulesets() -> Vec<Vec<u8>> {
    let named = |line: &str| {
        let (head, rest) = line.split_once(' ')?;
        let known = ["generation", "tables", "chains", "rules", "sets", "elements", "flowtables"];
        known.contains(&head).then(|| (head.to_owned(), hex_with_zeros(rest)))
    };
    let parts: Vec<(String, Vec<u8>)> = RULESET.lines().filter_map(named).collect();
    let mut all = vec![joined(parts.iter().map(|(head, bytes)| (head.clone(), bytes.as_slice())))];
    for answers in bundles().iter().flat_map(|b| b.gathered.answers.values()) {
        let replies = answers.ruleset();
        let parts = [
            ("tables", &replies.tables),
            ("chains", &replies.chains),
            ("rules", &replies.rules),
            ("sets", &replies.sets),
            ("elements", &replies.elements),
        ];
        if !replies.rules.is_empty() {
            all.push(joined(parts.map(|(head, bytes)| (head.to_owned(), bytes.as_slice()))));
        }
    }
    all
}

fn bundles() -> Vec<Bundle> {
    let read: Vec<Bundle> = BUNDLES.iter().filter_map(|b| Bundle::unpack(b).ok()).collect();
    let captured = read.first().cloned().map(captured);
    read.into_iter().chain(captured).collect()
}

/// The same, whose first namespace answers what captures have: of kinds that no bundle here has.
fn captured(mut bundle: Bundle) -> Bundle {
    let links = [include_str!("../../wire/tests/captures/links.hex")];
    let all: [(Question, &[&str]); 11] = [
        (Question::Links, &links),
        (Question::Qdiscs, &[QDISCS]),
        (Question::Filters, &[FILTERS, BLOCK]),
        (Question::Rules, &[RULES_OF_GROUPS]),
        (Question::AddressLabels, &[ADDRESS_LABELS]),
        (Question::LearnedIpv4, &[LEARNED]),
        (Question::LearnedIpv6, &[LEARNED6]),
        (Question::Mdb, &[MDB]),
        (Question::RoutesIpv6, &[include_str!("../../wire/tests/captures/routes6.hex")]),
        (Question::Wireguard, &WIREGUARD),
        (Question::Ipsets, &[IPSETS]),
    ];
    let Some(answers) = bundle.gathered.answers.values_mut().next() else { return bundle };
    for (question, texts) in all {
        answers.put(question, Answer::whole(texts.iter().flat_map(|text| hex(text)).collect()));
    }
    for (question, lines) in [
        (Question::Groups, "7 224.0.0.251\n9 ff02::fb\n7 ff02::1:ff00:2\n9 ff05::2\n"),
        (Question::Resolvers, "127.0.0.53\n10.0.0.2\nfd00::53\n"),
        (Question::UdpPorts, "53\n51820\n"),
        (Question::Bonds, "7 9 12\n"),
        (Question::CgroupPrograms, "egress 3\nconnect4 4 5\n"),
        (Question::Programs, "7 ingress 12 9\n9 egress 7\n"),
    ] {
        answers.put(question, Answer::whole(lines.as_bytes().to_vec()));
    }
    bundle
}

/// The tables of iptables-legacy in a bundle, each with its head.
fn blobs(bundle: &Bundle) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for answers in bundle.gathered.answers.values() {
        let mut rest = answers.bytes(Question::IptablesLegacy);
        while let Some((info, behind)) = rest.split_at_checked(legacy::INFO) {
            let size = info.last_chunk().map_or(0, |b| u32::from_ne_bytes(*b) as usize);
            let Some((_, behind)) = behind.split_at_checked(size) else { break };
            all.push(rest[..legacy::INFO + size].to_vec());
            rest = behind;
        }
    }
    all
}

/// What the namespaces of a bundle answer, by their order.
fn answers(bundle: &Bundle) -> Vec<u8> {
    let all = bundle.gathered.answers.values().enumerate();
    joined(all.flat_map(|(nth, answers)| replies(nth, answers)))
}

/// Each namespace's by itself.
fn alone(bundle: &Bundle) -> Vec<Vec<u8>> {
    bundle.gathered.answers.values().map(|answers| joined(replies(0, answers))).collect()
}

fn replies(nth: usize, answers: &Answers) -> Vec<(String, &[u8])> {
    let reply = |(question, answer)| {
        let (question, answer): (&Question, &Answer) = (question, answer);
        let Answer::Reply { bytes, .. } = answer else { return None };
        (!bytes.is_empty()).then(|| (format!("{nth} {}", question.as_str()), bytes.as_slice()))
    };
    answers.by_question.iter().filter_map(reply).collect()
}

fn files(bundle: &Bundle) -> Vec<u8> {
    let files = bundle.files().unwrap_or_default();
    joined(files.iter().map(|(path, bytes)| (path.clone(), bytes.as_slice())))
}

/// The seed's three namespaces, all of whose packets pass this ruleset, which may ask these sets, in
/// the second.
pub(crate) fn router(ruleset: Ruleset, ipsets: Vec<IpSet>) -> Snapshot {
    let file = |(path, text): (&str, &str)| File { path: path.to_owned(), text: text.to_owned() };
    let mut snapshot = pasted::read(&PASTED.map(file));
    let Ok(router) = snapshot.resolve_ns("docker01") else { return snapshot };
    if let Some(namespace) = snapshot.namespaces.get_mut(&router) {
        (namespace.ruleset, namespace.ipsets) = (ruleset, ipsets);
    }
    snapshot
}

/// Who sends through the router.
pub(crate) fn sender(snapshot: &Snapshot) -> Option<NsId> {
    snapshot.resolve_ns("alpine01").ok()
}

/// To whom.
pub(crate) const RECEIVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
