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
    if draft.links.values().any(snoops) {
        missing("mdb");
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
    if !shown.ipsec && !draft.about.without_ipsec {
        assumed("ipsec", "no policies");
    }
    if !shown.ipvs && !draft.about.without_ipvs {
        assumed("ipvs", "no services");
    }
    if !shown.neighbours {
        assumed("neighbours", "who is not known is asked");
    }
    let bridges: Vec<&PartLink> = draft.links.values().filter(|p| is_bridge(&p.name)).collect();
    let dark = |p: &&PartLink| !shown.fdb_of.contains(&p.name);
    if !shown.fdb && bridges.iter().any(dark) {
        assumed("fdb", "bridges know only what is shown and what they learn now");
    }
    if bridges.iter().any(|b| !b.detailed) || draft.links.values().any(|p| dim(draft, p)) {
        assumed("ports", "bridges and their ports as the kernel makes them");
    }
    if draft.links.values().any(|p| !p.detailed && p.at.is_none() && !p.loopback) {
        assumed("kinds", "what queues and has no other end is a card");
    }
    if !shown.qdiscs {
        assumed("qdiscs", "no filters");
    }
    gaps.extend(processes(draft));
    gaps
}

/// A port of a bridge of which nothing shows whether it forwards.
fn dim(draft: &Draft, part: &PartLink) -> bool {
    let told = draft.ports.iter().any(|p| p.name == part.name && p.detailed);
    part.master.is_some() && part.slave.is_none() && !told
}

/// `lsns` names but one process of a namespace.
fn processes(draft: &Draft) -> Option<Gap> {
    let row = draft.rows.iter().find(|r| Some(r.inode) == draft.inode)?;
    let count = row.count.filter(|count| *count > 1)?;
    Some(Gap::new("processes", format_args!("lsns shows the first of {count}")))
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

/// A bridge that asks who wants multicasts, and hands them to nobody else.
fn snoops(link: &PartLink) -> bool {
    let Some((kind, words)) = &link.kind else { return false };
    let on = |key| crate::words::flag(words, key).unwrap_or(false);
    kind == "bridge" && on("mcast_querier") && on("mcast_snooping")
}
