//! Each file to its parser, and what it tells to its namespace's draft.

use std::collections::BTreeMap;

use model::{Opaque, Warning};

use crate::command::{self, Command, Entered, Filter};
use crate::draft::{Draft, Routes};
use crate::link::{At, PartLink};
use crate::report::Report;
use crate::{
    File, fdb, ipset, iptables, json, link, listing, lsns, neighbour, nft, nft_json, port, route,
    rule, sysctl, words,
};

/// Files beyond this many are not read.
const MOST_FILES: usize = 100_000;

/// The namespaces' drafts, and what is to be said about the files.
pub(crate) fn take(files: &[File]) -> (Vec<Draft>, Vec<Warning>) {
    let mut drafts: Vec<Draft> = Vec::new();
    let mut warnings = Vec::new();
    if files.len() > MOST_FILES {
        warnings.push(Warning { ns: None, text: format!("only {MOST_FILES} files are read") });
    }
    let mut unknown = Vec::new();
    for file in files.iter().take(MOST_FILES) {
        let mut report = Report::new(&file.path);
        let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
        match command::of_file(name, &file.text) {
            Some((entered, command)) => {
                let draft = of(&mut drafts, folder, entered);
                // A first line with the command itself is none of its output's.
                let text = match file.text.strip_prefix("$ ") {
                    Some(rest) => rest.split_once('\n').map_or("", |(_, rest)| rest),
                    None => &file.text,
                };
                one(draft, command, text, &mut report);
            }
            None => unknown.push(file.path.as_str()),
        }
        warnings.extend(report.finish().into_iter().map(|text| Warning { ns: None, text }));
    }
    warnings.extend(not_read(&unknown));
    (drafts, warnings)
}

/// Files that no command is known for: one may be a note, a thousand the wrong folder.
fn not_read(files: &[&str]) -> Option<Warning> {
    /// So many are named.
    const NAMED: usize = 3;
    let named = files.get(..files.len().min(NAMED))?.join(", ");
    let text = match files.len() {
        0 => return None,
        1..=NAMED => format!("{named}: not the output of a command that is known here: not read"),
        n => format!(
            "{named} and {} more files: not the outputs of commands that are known here: not read",
            n - NAMED
        ),
    };
    Some(Warning { ns: None, text })
}

fn of<'d>(drafts: &'d mut Vec<Draft>, folder: &str, entered: Entered) -> &'d mut Draft {
    let same = |d: &Draft| d.folder == folder && d.entered == entered;
    let at = drafts.iter().position(same).unwrap_or_else(|| {
        drafts.push(Draft::new(folder, entered));
        drafts.len() - 1
    });
    &mut drafts[at]
}

fn one(draft: &mut Draft, command: Command, text: &str, report: &mut Report<'_>) {
    let is_json = json::is_json(text);
    match command {
        Command::Links { addresses, filter } => links(draft, addresses, &filter, text, report),
        Command::Brief { addresses, filter } => {
            let (links, found) =
                if is_json { json::links(text, report) } else { link::brief(text, report) };
            draft.shown.links |= filter.is_whole() && filter.family.is_none();
            draft.shown.addresses |= addresses && filter.is_whole();
            draft.parts.extend(links.into_iter().map(|l| (0, l)));
            draft.addresses.extend(found);
        }
        Command::Routes(filter) => routes(draft, &filter, text, report),
        // IPv6 has rules of its own, which are not modelled.
        Command::Rules(filter) if filter.family == Some(6) => {}
        Command::Rules(_) => {
            let rules = if is_json { json::rules(text, report) } else { rule::parse(text, report) };
            if !rules.is_empty() {
                draft.rules = Some(rules);
            }
        }
        Command::Neighbours(filter) => {
            let dev = filter.dev.as_deref();
            draft.neighbours.extend(match is_json {
                true => json::neighbours(text, dev, report),
                false => neighbour::parse(text, dev, report),
            });
            draft.shown.neighbours |= filter.is_whole();
        }
        Command::Fdb(filter) => {
            let dev = filter.dev.as_deref();
            draft.fdb.extend(match is_json {
                true => json::fdb(text, dev, report),
                false => fdb::parse(text, dev, report),
            });
            draft.shown.fdb |= filter.is_whole();
            draft.shown.fdb_of.extend(filter.bridge.filter(|_| !filter.some));
        }
        Command::Ports => draft.ports.extend(match is_json {
            true => json::ports(text, report),
            false => port::parse(text, report),
        }),
        Command::Save { table } => {
            let tables = iptables::parse(text, table.as_deref(), report);
            draft.shown.iptables |= table.is_none();
            draft.iptables.extend(tables.into_iter().map(|t| (3, t)));
        }
        Command::Listing { table } => {
            let rank = if text.contains(" pkts ") { 2 } else { 1 };
            draft.iptables.extend(listing::parse(text, &table, report).map(|t| (rank, t)));
        }
        Command::Nft { whole } => {
            draft.nft.extend(match is_json {
                true => nft_json::parse(text, report),
                false => nft::parse(text, report),
            });
            draft.shown.nft |= whole;
        }
        Command::IpSets => draft.ipsets.extend(ipset::parse(text, report)),
        other => identity(draft, other, text, report),
    }
}

/// What tells who the namespace is, and its settings.
fn identity(draft: &mut Draft, command: Command, text: &str, report: &mut Report<'_>) {
    match command {
        Command::Lsns => draft.rows.extend(lsns::parse(text, report)),
        Command::NsIds => draft.nsids.extend(lsns::ids(text, report)),
        Command::NetNs => draft.netns.extend(lsns::names(text, report)),
        Command::Setting(path) => match text.split_whitespace().next() {
            Some(value) => _ = draft.settings.insert(path, value.to_owned()),
            None => report.file("empty"),
        },
        Command::Settings => draft.settings.extend(sysctl::parse(text, report)),
        Command::Qdiscs => {
            draft.shown.qdiscs = true;
            for (number, line) in report.lines(text) {
                let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
                match (words::after(&words, "qdisc"), words::after(&words, "dev")) {
                    (Some("clsact" | "ingress"), Some(dev)) => draft.filtered.push(dev.to_owned()),
                    (Some(_), _) => {}
                    (None, _) => report.line(number, "no line of `tc qdisc`"),
                }
            }
        }
        Command::Ipsec => {
            draft.shown.ipsec = true;
            draft.opaque.extend((!text.trim().is_empty()).then_some(Opaque::Xfrm));
        }
        Command::Ipvs => {
            /// Lines that are always there.
            const HEADER: usize = 3;
            draft.shown.ipvs = true;
            draft.opaque.extend((text.lines().count() > HEADER).then_some(Opaque::Ipvs));
        }
        Command::HostName => draft.host_name = text.split_whitespace().next().map(str::to_owned),
        Command::About => draft.about = lsns::about(text, report),
        Command::LegacyTables => draft.legacy.extend(text.split_whitespace().map(str::to_owned)),
        _ => {}
    }
}

fn links(draft: &mut Draft, addresses: bool, filter: &Filter, text: &str, report: &mut Report<'_>) {
    let is_json = json::is_json(text);
    let (links, found) = match is_json {
        true => json::links(text, report),
        false => link::parse(text, filter.details, report),
    };
    let detailed = links.iter().any(|l| l.detailed);
    // busybox's has no group.
    let rank = match (detailed, is_json, text.contains(" group ")) {
        (true, true, _) => 6,
        (true, false, _) => 5,
        (false, true, _) => 4,
        (false, false, true) => 3 - u8::from(addresses),
        (false, false, false) => 1,
    };
    let links = if rank == 1 { unnamed(links) } else { links };
    // Asked for one family, `ip addr` leaves out links without such an address.
    draft.shown.links |= filter.is_whole() && !(addresses && filter.family.is_some());
    draft.shown.addresses |= addresses && filter.is_whole();
    draft.parts.extend(links.into_iter().map(|l| (rank, l)));
    draft.addresses.extend(found);
}

/// busybox names the other link by its index among the links here, though it may be elsewhere: only
/// the index can be relied on.
fn unnamed(mut links: Vec<PartLink>) -> Vec<PartLink> {
    let index: BTreeMap<String, u32> =
        links.iter().filter_map(|l| Some((l.name.clone(), l.index?))).collect();
    for link in &mut links {
        if let Some(At::Name(name)) = &link.at {
            link.at = index.get(name).map(|index| At::Index(*index));
        }
    }
    links
}

fn routes(draft: &mut Draft, filter: &Filter, text: &str, report: &mut Report<'_>) {
    let (dev, asked) = (filter.dev.as_deref(), filter.table.as_deref());
    let six = filter.family == Some(6);
    let routes = match json::is_json(text) {
        true => json::routes(text, dev, asked, six, report),
        false => route::parse(text, dev, asked, six, report),
    };
    let table = match asked {
        Some("all") => None,
        Some(name) => route::table(name),
        None => Some(model::TABLE_MAIN),
    };
    let proto = text.contains(" proto ") || text.contains("\"protocol\"");
    let whole = filter.is_whole();
    let rank = u8::from(table.is_none()) * 4 + u8::from(whole) * 2 + u8::from(proto);
    draft.routes.push(Routes { rank, table, routes });
}
