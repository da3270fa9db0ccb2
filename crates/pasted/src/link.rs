//! `ip link` and `ip addr`, iproute2's and busybox's, also `-d`, `-o` and `-br`.

use model::{LinkFlags, Mac, OperState};

use crate::address::{self, PartAddress};
use crate::report::Report;
use crate::words::Words;

/// What one output tells of a link. What it does not tell is None.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PartLink {
    pub(crate) index: Option<u32>,
    pub(crate) name: String,
    /// What stands behind `@`.
    pub(crate) at: Option<At>,
    /// Where that is, if elsewhere: `link-netnsid 0`, `link-netns x`.
    pub(crate) far: Option<Far>,
    pub(crate) flags: Option<LinkFlags>,
    pub(crate) mtu: Option<u32>,
    pub(crate) qdisc: Option<String>,
    pub(crate) master: Option<String>,
    pub(crate) state: Option<OperState>,
    pub(crate) txqlen: Option<u32>,
    pub(crate) group: Option<u32>,
    pub(crate) mac: Option<Mac>,
    pub(crate) loopback: bool,
    pub(crate) altnames: Vec<String>,
    pub(crate) alias: Option<String>,
    pub(crate) xdp: Option<u32>,
    /// `promiscuity` is not 0.
    pub(crate) promiscuous: bool,
    /// IFLA_INFO_KIND and its details as words, where the output tells the kind of every link.
    pub(crate) kind: Option<(String, Vec<String>)>,
    /// The same of what it is a port or slave of.
    pub(crate) slave: Option<(String, Vec<String>)>,
    /// The output tells kinds: none told, there is none.
    pub(crate) detailed: bool,
}

/// The other link, as `ip` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum At {
    Name(String),
    Index(u32),
}

/// The other link's namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Far {
    NsId(i32),
    Name(String),
}

/// All links of an output, and their addresses where it shows them.
pub(crate) fn parse(
    text: &str,
    details: bool,
    report: &mut Report<'_>,
) -> (Vec<PartLink>, Vec<PartAddress>) {
    let (mut links, mut addresses) = (Vec::<PartLink>::new(), Vec::new());
    // Of `ip -o addr`, every line names the link.
    let mut named = None;
    for (number, line) in report.lines(text) {
        for (n, part) in line.split('\\').enumerate() {
            let head = n == 0 && part.starts_with(|c: char| c.is_ascii_digit());
            let rest = if head { head_of(part, &mut links, &mut named) } else { Some(part) };
            let Some(rest) = rest else {
                report.line(number, "no link of `ip link`");
                continue;
            };
            let Some(link) = links.last_mut() else {
                report.line(number, "what comes before the first link");
                continue;
            };
            let whose = named.as_ref().unwrap_or(&link.name).clone();
            if !below(rest, link, &whose, details, &mut addresses) {
                report.line(number, "not understood");
            }
        }
    }
    (links, addresses)
}

/// `2: eth0@if5: <UP> mtu 1500 …`, or `2: eth0    inet …`, whose rest is given back.
fn head_of<'t>(
    line: &'t str,
    links: &mut Vec<PartLink>,
    named: &mut Option<String>,
) -> Option<&'t str> {
    let (index, rest) = line.split_once(':')?;
    let index = index.parse().ok()?;
    let rest = rest.trim_start();
    let end = rest.find(char::is_whitespace)?;
    let (name, rest) = rest.split_at(end);
    let Some(name) = name.strip_suffix(':') else {
        *named = Some(name.split('@').next().unwrap_or(name).to_owned());
        if links.is_empty() {
            links.push(PartLink { index: Some(index), ..PartLink::default() });
        }
        return Some(rest);
    };
    let (name, at) = split_at(name);
    let mut link = PartLink { index: Some(index), name, at, ..PartLink::default() };
    let (flags, rest) = rest.trim_start().strip_prefix('<')?.split_once('>')?;
    link.loopback = flags.split(',').any(|f| f == "LOOPBACK");
    link.flags = Some(flags_of(flags.split(',')));
    attributes(rest, &mut link);
    links.push(link);
    Some("")
}

/// `eth0@if5`, `v0@v1`, `lo`.
pub(crate) fn split_at(name: &str) -> (String, Option<At>) {
    let Some((name, at)) = name.split_once('@') else { return (name.to_owned(), None) };
    let at = match at.strip_prefix("if").and_then(|n| n.parse().ok()) {
        Some(index) => Some(At::Index(index)),
        None => (at != "NONE").then(|| At::Name(at.to_owned())),
    };
    (name.to_owned(), at)
}

pub(crate) fn flags_of<'f>(flags: impl Iterator<Item = &'f str>) -> LinkFlags {
    let one = |flag| match flag {
        "UP" => LinkFlags::UP | LinkFlags::RUNNING,
        "BROADCAST" => LinkFlags::BROADCAST,
        "LOOPBACK" => LinkFlags::LOOPBACK,
        "POINTOPOINT" => LinkFlags::POINTOPOINT,
        "NOARP" => LinkFlags::NOARP,
        "PROMISC" => LinkFlags::PROMISC,
        "ALLMULTI" => LinkFlags::ALLMULTI,
        "MULTICAST" => LinkFlags::MULTICAST,
        "LOWER_UP" => LinkFlags::LOWER_UP,
        "DORMANT" => LinkFlags::DORMANT,
        _ => LinkFlags::empty(),
    };
    let mut flags: Vec<&str> = flags.collect();
    // Running is what `ip` does not say: it says NO-CARRIER of what is up and is not.
    let carrier = !flags.contains(&"NO-CARRIER");
    flags.retain(|f| *f != "NO-CARRIER");
    let mut all = flags.into_iter().map(one).fold(LinkFlags::empty(), |all, f| all | f);
    if !carrier {
        all.remove(LinkFlags::RUNNING);
    }
    all
}

pub(crate) fn state_of(word: &str) -> Option<OperState> {
    let all = [
        OperState::Unknown,
        OperState::NotPresent,
        OperState::Down,
        OperState::LowerLayerDown,
        OperState::Testing,
        OperState::Dormant,
        OperState::Up,
    ];
    all.into_iter().find(|state| state.as_str() == word)
}

/// A group; names but the usual one's are known to the host alone (/etc/iproute2/group).
pub(crate) fn group(word: &str) -> Option<u32> {
    if word == "default" { Some(0) } else { word.parse().ok() }
}

/// `mtu 1500 qdisc noqueue master br0 state UP … qlen 1000 link-netnsid 0`.
fn attributes(text: &str, link: &mut PartLink) {
    let mut words = Words::new(text);
    while let Some(word) = words.next() {
        match word {
            "mtu" => link.mtu = words.value(),
            "qdisc" => link.qdisc = words.next().map(str::to_owned),
            "master" => link.master = words.next().map(str::to_owned),
            "state" => link.state = words.next().and_then(state_of),
            "qlen" => link.txqlen = words.value(),
            "group" => link.group = words.next().and_then(group),
            "link-netnsid" => link.far = words.value().map(Far::NsId),
            "link-netns" => link.far = words.next().map(|w| Far::Name(w.to_owned())),
            w if w.starts_with("xdp") => link.xdp = link.xdp.or(Some(0)),
            _ => {}
        }
    }
}

/// A line below a link's first.
fn below(
    line: &str,
    link: &mut PartLink,
    whose: &str,
    details: bool,
    addresses: &mut Vec<PartAddress>,
) -> bool {
    let mut words = Words::new(line);
    let Some(first) = words.next() else { return true };
    match first {
        "inet" | "inet6" => {
            let address = address::line(whose, first == "inet6", words);
            let understood = address.is_some();
            addresses.extend(address);
            understood
        }
        "altname" => {
            link.altnames.extend(words.next().map(str::to_owned));
            true
        }
        "alias" => {
            link.alias = line.trim_start().strip_prefix("alias").map(|a| a.trim().to_owned());
            true
        }
        w if w.starts_with("link/") => {
            link.mac = words.next().and_then(|m| m.parse().ok());
            link.loopback |= w == "link/loopback";
            // With -d, more stands behind it, and the kind on the lines below.
            link.detailed |= details || line.contains(" promiscuity ");
            let count = line.split_once(" promiscuity ").and_then(|(_, n)| n.split(' ').next());
            link.promiscuous |= count.is_some_and(|n| n != "0");
            attributes(line, link);
            true
        }
        "valid_lft" | "RX:" | "TX:" | "RX" | "TX" | "vf" | "prog/xdp" | "parentbus" => {
            if first == "prog/xdp" {
                let number = line.split_once(" id ").and_then(|(_, n)| n.split(' ').next());
                link.xdp = Some(number.and_then(|n| n.parse().ok()).unwrap_or(0));
            }
            true
        }
        w if w.starts_with(|c: char| c.is_ascii_digit()) => true,
        w if link.detailed => {
            let all: Vec<String> = words.map(str::to_owned).collect();
            match w.strip_suffix("_slave") {
                Some(kind) => link.slave = Some((kind.to_owned(), all)),
                None if link.kind.is_none() => link.kind = Some((w.to_owned(), all)),
                None => {}
            }
            true
        }
        _ => false,
    }
}

/// `eth0@if5   UP   192.0.2.1/24 …`, or with a MAC and flags.
pub(crate) fn brief(text: &str, report: &mut Report<'_>) -> (Vec<PartLink>, Vec<PartAddress>) {
    let (mut links, mut addresses) = (Vec::new(), Vec::new());
    for (number, line) in report.lines(text) {
        let mut words = Words::new(line);
        let (Some(name), Some(state)) = (words.next(), words.next().and_then(state_of)) else {
            report.line(number, "not NAME STATE …");
            continue;
        };
        let (name, at) = split_at(name);
        // The kernel calls no other link so.
        let loopback = name == "lo";
        let mut link = PartLink { name, at, loopback, state: Some(state), ..PartLink::default() };
        while let Some(word) = words.next() {
            if let Some(flags) = word.strip_prefix('<').and_then(|w| w.strip_suffix('>')) {
                link.flags = Some(flags_of(flags.split(',')));
                link.loopback |= flags.contains("LOOPBACK");
            } else if let Ok(mac) = word.parse() {
                link.mac = Some(mac);
            } else if let Some(address) = address::brief(&link.name, word) {
                addresses.push(address);
                // `peer A/N` and `metric N` follow an address that has them.
                match words.peek() {
                    Some("peer") => {
                        words.next();
                        let peer = words.next().and_then(|w| w.split('/').next()?.parse().ok());
                        if let Some(last) = addresses.last_mut() {
                            last.peer = peer;
                        }
                    }
                    Some("metric") => _ = (words.next(), words.next()),
                    _ => {}
                }
            } else if !matches!(word, "metric" | "peer") {
                report.line(number, "no address");
            }
        }
        links.push(link);
    }
    (links, addresses)
}
