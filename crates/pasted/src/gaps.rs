//! A gap for every part that no file shows, with what is taken for it.

use model::Gap;

use crate::draft::Draft;
use crate::link::PartLink;

/// What stands behind every gap of a part that no file tells of.
const NOT_SHOWN: &str = "no file shows it";

/// What no file shows.
pub(crate) fn gaps(
    draft: &Draft,
    all_settings: bool,
    is_bridge: impl Fn(&str) -> bool,
) -> Vec<Gap> {
    let shown = &draft.shown;
    let mut gaps = Vec::new();
    let mut missing = |part: &str| gaps.push(Gap::new(part, NOT_SHOWN));
    if !shown.links && draft.links.is_empty() {
        missing("links");
    }
    if !shown.addresses {
        missing("addresses");
    }
    if !draft.routes.iter().any(|r| r.rank & 2 != 0) {
        missing("routes");
    }
    let mut assumed = |part: &str, what: &str| gaps.push(Gap::assumed(part, NOT_SHOWN, what));
    if !shown.links && !draft.links.is_empty() {
        assumed("links", "there are no others");
    }
    if draft.rules.is_none() {
        assumed("rules", "the default ones");
    }
    if !all_settings {
        assumed("sysctls", &settings(draft));
    }
    if !shown.nft {
        assumed("netfilter", &netfilter(draft));
    }
    if !shown.neighbours {
        assumed("neighbours", "who is not known is asked");
    }
    let bridges: Vec<&PartLink> = draft.links.values().filter(|p| is_bridge(&p.name)).collect();
    let dark = |p: &&PartLink| !shown.fdb_of.contains(&p.name);
    if !shown.fdb && bridges.iter().any(dark) {
        assumed("fdb", "bridges know only what is shown and what they learn now");
    }
    if draft.links.values().any(|p| !p.detailed && p.at.is_none() && !p.loopback) {
        assumed("kinds", "what queues and has no other end is a card");
    }
    if !shown.qdiscs {
        assumed("qdiscs", "no filters");
    }
    gaps
}

/// What is taken for the settings.
fn settings(draft: &Draft) -> String {
    let forward = draft.settings.get("net/ipv4/ip_forward");
    match forward {
        Some(value) => format!("ip_forward {value} as shown, else as a kernel starts"),
        None => "as a kernel starts (ip_forward 0)".to_owned(),
    }
}

/// What is taken for the tables that are not shown.
fn netfilter(draft: &Draft) -> String {
    let mut names: Vec<&str> =
        draft.iptables.iter().map(|(_, table)| table.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    match (draft.shown.iptables, names.as_slice()) {
        (true, _) => "no tables but those of iptables".to_owned(),
        (false, []) => "no tables".to_owned(),
        (false, [one]) => format!("no tables but {one}, which is shown"),
        (false, many) => format!("no tables but {}, which are shown", many.join(", ")),
    }
}
