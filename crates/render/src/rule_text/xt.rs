//! xtables extensions in iptables' words.

use model::{Xt, XtAddrtype, XtConntrack, XtInfo, XtNatRange};

use super::number::masked;
use super::{xt_plain, xt_set};

/// First and last port.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) invert: bool,
    pub(super) first: u16,
    pub(super) last: u16,
}

/// `-m tcp` and its like: what iptables-nft writes partly as native expressions.
#[derive(Default)]
pub(super) struct Ports {
    pub(super) name: String,
    pub(super) source: Option<Range>,
    pub(super) destination: Option<Range>,
    pub(super) option: Option<(u8, bool)>,
    /// Mask, what must be set of it, inverted.
    pub(super) flags: Option<(u8, u8, bool)>,
}

const FLAGS: [&str; 6] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG"];

impl Ports {
    pub(super) fn text(&self) -> String {
        let mut out = format!("-m {}", self.name);
        for (range, option) in [(self.source, "--sport"), (self.destination, "--dport")] {
            let Some(Range { invert, first, last }) = range else { continue };
            out += &format!(" {}{option} {}", not(invert), port_range(first, last, ':'));
        }
        if let Some((option, invert)) = self.option {
            out += &format!(" {}--tcp-option {option}", not(invert));
        }
        if let Some((mask, compare, invert)) = self.flags {
            out += &format!(" {}--tcp-flags {} {}", not(invert), flags(mask), flags(compare));
        }
        out
    }
}

pub(super) const fn not(invert: bool) -> &'static str {
    if invert { "! " } else { "" }
}

fn port_range(first: u16, last: u16, between: char) -> String {
    if first == last { first.to_string() } else { format!("{first}{between}{last}") }
}

fn flags(bits: u8) -> String {
    let names: Vec<&str> =
        (0..).zip(FLAGS).filter(|(n, _)| bits & (1 << n) != 0).map(|(_, name)| name).collect();
    if names.is_empty() { "NONE".to_owned() } else { names.join(",") }
}

/// The match of ports that it is, if it is one.
pub(super) fn ports(ext: &Xt) -> Option<Ports> {
    let XtInfo::Ports { sport, dport, invert, tcp } = &ext.info else { return None };
    let range = |(first, last): (u16, u16), bit: u8| {
        let invert = invert & bit != 0;
        ((first, last) != (0, u16::MAX) || invert).then_some(Range { invert, first, last })
    };
    let (option, mask, compare) = tcp.unwrap_or_default();
    Some(Ports {
        name: ext.name.clone(),
        source: range(*sport, 1),
        destination: range(*dport, 2),
        option: (option != 0 || invert & 8 != 0).then_some((option, invert & 8 != 0)),
        flags: (mask != 0 || invert & 4 != 0).then_some((mask, compare, invert & 4 != 0)),
    })
}

/// A match of any other kind.
pub(super) fn matching(ext: &Xt) -> String {
    match &ext.info {
        XtInfo::Addrtype(info) => addrtype(*info),
        XtInfo::Conntrack(info) => conntrack(info),
        XtInfo::Comment(text) => format!("-m comment --comment {}", quoted(text)),
        XtInfo::Icmp { kind, codes, invert } => {
            let option = if ext.name == "icmp6" { "icmpv6" } else { "icmp" };
            format!("-m {} {}--{option}-type {}", ext.name, not(*invert), icmp(*kind, *codes))
        }
        XtInfo::Multiport { which, ports, invert } => multiport(*which, ports, *invert),
        XtInfo::Physdev { physin, physout, wildcard, invert, bitmask } => {
            let name = |name: &Option<String>, wild: bool| {
                name.clone().unwrap_or_default() + if wild { "+" } else { "" }
            };
            physdev(name(physin, wildcard.0), name(physout, wildcard.1), *invert, *bitmask)
        }
        XtInfo::MacSource { mac, invert } => format!("-m mac {}--mac-source {mac}", not(*invert)),
        XtInfo::Mark { mark: value, mask, invert } => mark(*value, *mask, *invert),
        XtInfo::Set(info) => xt_set::matching(info),
        other => xt_plain::matching(&ext.name, other)
            .unwrap_or_else(|| format!("<unknown: match {}>", ext.name)),
    }
}

/// `-m limit`, as a rate per so many seconds.
pub(super) fn limit(rate: u64, unit: u64, burst: u32) -> String {
    let per = match unit {
        1 => "sec".to_owned(),
        60 => "min".to_owned(),
        3600 => "hour".to_owned(),
        86400 => "day".to_owned(),
        n => format!("{n}sec"),
    };
    let burst = if burst == 5 { String::new() } else { format!(" --limit-burst {burst}") };
    format!("-m limit --limit {rate}/{per}{burst}")
}

/// `-m mark`.
pub(super) fn mark(mark: u32, mask: u32, invert: bool) -> String {
    let mask = if mask == u32::MAX { String::new() } else { format!("/{mask:#x}") };
    format!("-m mark {}--mark {mark:#x}{mask}", not(invert))
}

fn addrtype(info: XtAddrtype) -> String {
    const TYPES: [&str; 9] = [
        "UNSPEC",
        "UNICAST",
        "LOCAL",
        "BROADCAST",
        "ANYCAST",
        "MULTICAST",
        "BLACKHOLE",
        "UNREACHABLE",
        "PROHIBIT",
    ];
    let mut out = "-m addrtype".to_owned();
    for (types, option, bit) in [(info.src, "--src-type", 1), (info.dst, "--dst-type", 2)] {
        if types.0 != 0 {
            let types = names(types.0, &TYPES.map(Some));
            out += &format!(" {}{option} {types}", not(info.flags & bit != 0));
        }
    }
    for (bit, option) in [(4, " --limit-iface-in"), (8, " --limit-iface-out")] {
        if info.flags & bit != 0 {
            out += option;
        }
    }
    out
}

/// Names of the bits that are set; a bit without one by its number.
pub(super) fn names(bits: u16, known: &[Option<&str>]) -> String {
    let name = |n: usize| known.get(n).copied().flatten();
    let names: Vec<String> = (0..16)
        .filter(|n| bits & (1 << n) != 0)
        .map(|n| name(n).map_or_else(|| format!("{:#x}", 1 << n), str::to_owned))
        .collect();
    names.join(",")
}

/// iptables' own order of states is not that of the bits.
pub(super) fn states(bits: u16) -> String {
    const STATES: [(&str, u16); 7] = [
        ("INVALID", 1),
        ("NEW", 8),
        ("RELATED", 4),
        ("ESTABLISHED", 2),
        ("UNTRACKED", 256),
        ("SNAT", 64),
        ("DNAT", 128),
    ];
    let names: Vec<&str> =
        STATES.iter().filter(|(_, bit)| bits & bit != 0).map(|(name, _)| *name).collect();
    names.join(",")
}

fn conntrack(info: &XtConntrack) -> String {
    const STATUSES: [Option<&str>; 4] =
        [Some("EXPECTED"), Some("SEEN_REPLY"), Some("ASSURED"), Some("CONFIRMED")];
    let asked = |bit: u16| info.match_flags & bit != 0;
    let inverted = |bit: u16| not(info.invert_flags & bit != 0);
    if asked(0x2000) {
        return format!("-m state {}--state {}", inverted(1), states(info.state_mask));
    }
    let mut out = "-m conntrack".to_owned();
    let mut say = |bit: u16, option: &str, value: String| {
        if asked(bit) {
            out += &format!(" {}{option} {value}", inverted(bit));
        }
    };
    say(1, "--ctstate", states(info.state_mask));
    say(2, "--ctproto", info.l4proto.to_string());
    let sides = ["origsrc", "origdst", "replsrc", "repldst"];
    for (n, side) in sides.into_iter().enumerate() {
        let (address, mask) = info.addresses[n];
        say(4 << n, &format!("--ct{side}"), conntrack_address(address, mask));
    }
    for (n, side) in sides.into_iter().enumerate() {
        let ports = port_range(info.ports[n], info.ports_high[n], ':');
        say(0x100 << n, &format!("--ct{side}port"), ports);
    }
    let statuses = names(info.status_mask, &STATUSES);
    say(0x40, "--ctstatus", if statuses.is_empty() { "NONE".to_owned() } else { statuses });
    let (low, high) = info.expires;
    let expires = if low == high { low.to_string() } else { format!("{low}:{high}") };
    say(0x80, "--ctexpire", expires);
    if asked(0x1000) {
        let reply = info.invert_flags & 0x1000 != 0;
        out += if reply { " --ctdir REPLY" } else { " --ctdir ORIGINAL" };
    }
    out
}

fn conntrack_address(address: [u8; 16], mask: [u8; 16]) -> String {
    let first = |bytes: [u8; 16]| [bytes[0], bytes[1], bytes[2], bytes[3]];
    let text = masked(first(address), first(mask));
    text.strip_suffix("/32").map_or_else(|| text.clone(), str::to_owned)
}

fn icmp(kind: u8, (first, last): (u8, u8)) -> String {
    match (kind, first, last) {
        (255, 0, 255) => "any".to_owned(),
        (kind, 0, 255) => kind.to_string(),
        (kind, first, last) if first == last => format!("{kind}/{first}"),
        (kind, first, last) => format!("{kind}/{first}-{last}"),
    }
}

fn multiport(which: u8, ports: &[(u16, Option<u16>)], invert: bool) -> String {
    let option = match which {
        0 => "--sports",
        1 => "--dports",
        _ => "--ports",
    };
    let ports: Vec<String> = ports
        .iter()
        .map(|(first, last)| match last {
            Some(last) => format!("{first}:{last}"),
            None => first.to_string(),
        })
        .collect();
    format!("-m multiport {}{option} {}", not(invert), ports.join(","))
}

fn physdev(physin: String, physout: String, invert: u8, bitmask: u8) -> String {
    // iptables prints those of the way in first.
    let options = [
        (8, "--physdev-is-in", String::new()),
        (1, "--physdev-in", physin),
        (16, "--physdev-is-out", String::new()),
        (2, "--physdev-out", physout),
        (4, "--physdev-is-bridged", String::new()),
    ];
    let mut out = "-m physdev".to_owned();
    for (bit, option, value) in options {
        if bitmask & bit != 0 {
            out += &format!(" {}{option} {value}", not(invert & bit != 0));
            out.truncate(out.trim_end().len());
        }
    }
    out
}

/// `-j` and what the target says, in a table of IPv6 or another.
pub(super) fn target(ext: &Xt, ipv6: bool) -> String {
    /// XT_CT_NOTRACK_ALIAS: it was said in one word.
    const ALIAS: u16 = 2;
    let name = &ext.name;
    if matches!(&ext.info, XtInfo::Ct { flags, .. } if flags & ALIAS != 0) {
        return "-j NOTRACK".to_owned();
    }
    let said = match &ext.info {
        XtInfo::Nat(range) => nat(name, range),
        XtInfo::SetMark { mark, mask } => format!(" --set-xmark {mark:#x}/{mask:#x}"),
        XtInfo::Reject(with) => reject(*with, ipv6),
        XtInfo::Log { data } => log(data),
        XtInfo::Opaque(_) => format!(" <unknown: target {name}>"),
        XtInfo::SetTarget(info) => xt_set::target(info),
        other => xt_plain::target(other),
    };
    format!("-j {name}{said}")
}

fn nat(name: &str, range: &XtNatRange) -> String {
    let address = match range.addr {
        Some((first, last)) if first == last => first.to_string(),
        Some((first, last)) => format!("{first}-{last}"),
        None => String::new(),
    };
    let bracketed = range.ipv6 && range.addr.is_some() && range.port.is_some();
    let address = if bracketed { format!("[{address}]") } else { address };
    let mut ports = range.port.map(|(first, last)| port_range(first, last, '-'));
    if range.flags & 32 != 0 {
        ports = ports.map(|p| format!("{p}/{}", range.base_port));
    }
    let option = match name {
        "SNAT" => "--to-source",
        "DNAT" => "--to-destination",
        _ => "--to-ports",
    };
    let mut out = match ports {
        Some(ports) if option == "--to-ports" => format!(" {option} {ports}"),
        Some(ports) => format!(" {option} {address}:{ports}"),
        None if address.is_empty() => String::new(),
        None => format!(" {option} {address}"),
    };
    for (bit, flag) in [(4, " --random"), (16, " --random-fully"), (8, " --persistent")] {
        if range.flags & bit != 0 {
            out += flag;
        }
    }
    out
}

fn reject(with: u32, ipv6: bool) -> String {
    const WITH6: [&str; 9] = [
        "icmp6-no-route",
        "icmp6-adm-prohibited",
        "<unknown: 2>",
        "icmp6-addr-unreachable",
        "icmp6-port-unreachable",
        "<unknown: 5>",
        "tcp-reset",
        "icmp6-policy-fail",
        "icmp6-reject-route",
    ];
    const WITH: [&str; 9] = [
        "icmp-net-unreachable",
        "icmp-host-unreachable",
        "icmp-proto-unreachable",
        "icmp-port-unreachable",
        "<unknown: 4>",
        "icmp-net-prohibited",
        "icmp-host-prohibited",
        "tcp-reset",
        "icmp-admin-prohibited",
    ];
    let names = if ipv6 { WITH6 } else { WITH };
    let name = usize::try_from(with).ok().and_then(|n| names.get(n));
    let name = name.map_or_else(|| format!("<unknown: {with}>"), |name| (*name).to_owned());
    format!(" --reject-with {name}")
}

fn log(data: &[u8]) -> String {
    let [level, flags, prefix @ ..] = data else { return String::new() };
    let end = prefix.iter().position(|b| *b == 0).unwrap_or(prefix.len());
    let mut out = String::new();
    if end > 0 {
        out += &format!(" --log-prefix {}", quoted(&String::from_utf8_lossy(&prefix[..end])));
    }
    if *level != 4 {
        out += &format!(" --log-level {level}");
    }
    let names = [
        (1, " --log-tcp-sequence"),
        (2, " --log-tcp-options"),
        (4, " --log-ip-options"),
        (8, " --log-uid"),
        (32, " --log-macdecode"),
    ];
    names.iter().filter(|(bit, _)| flags & bit != 0).for_each(|(_, name)| out += name);
    out
}

/// As iptables-save quotes: everything but plain words.
pub(super) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    let mut out = "\"".to_owned();
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '\'') {
            out.push('\\');
        }
        out.push(c);
    }
    out + "\""
}
