//! xtables' smaller matches and targets in iptables' words.

use std::net::{Ipv4Addr, Ipv6Addr};

use model::{XtInfo, XtRecent};

use super::xt::{limit, not, quoted, states};

/// A match; None if it is none of these.
pub(super) fn matching(name: &str, info: &XtInfo) -> Option<String> {
    Some(match info {
        XtInfo::State { mask } => {
            format!("-m state --state {}", states(u16::try_from(*mask).unwrap_or(u16::MAX)))
        }
        XtInfo::Connmark { mark, mask, invert } => {
            let mask = if *mask == u32::MAX { String::new() } else { format!("/{mask:#x}") };
            format!("-m connmark {}--mark {mark:#x}{mask}", not(*invert))
        }
        XtInfo::IpRange { src, dst, flags } => iprange(*src, *dst, *flags),
        XtInfo::Limit { avg, burst } => legacy_limit(*avg, *burst),
        XtInfo::Statistic { nth, probability, invert } => statistic(*nth, *probability, *invert),
        XtInfo::Owner { uid, gid, asked, invert } => owner(*uid, *gid, *asked, *invert),
        XtInfo::PktType { kind, invert } => {
            let kind = match kind {
                0 => "unicast".to_owned(),
                1 => "broadcast".to_owned(),
                2 => "multicast".to_owned(),
                n => n.to_string(),
            };
            format!("-m pkttype {}--pkt-type {kind}", not(*invert))
        }
        XtInfo::Length { min, max, invert } => {
            let range = if min == max { min.to_string() } else { format!("{min}:{max}") };
            format!("-m length {}--length {range}", not(*invert))
        }
        XtInfo::Ttl { mode, ttl } => {
            let option = match mode {
                2 => "lt",
                3 => "gt",
                _ => "eq",
            };
            format!("-m {name} {}--{name}-{option} {ttl}", not(*mode == 1))
        }
        XtInfo::Dscp { dscp, invert } => format!("-m dscp {}--dscp {dscp:#04x}", not(*invert)),
        XtInfo::Tos { mask, value, invert } => {
            format!("-m tos {}--tos {value:#04x}/{mask:#04x}", not(*invert))
        }
        XtInfo::RpFilter(flags) => {
            const NAMES: [(u8, &str); 4] =
                [(1, " --loose"), (2, " --validmark"), (4, " --accept-local"), (8, " --invert")];
            let asked = NAMES.iter().filter(|(bit, _)| flags & bit != 0);
            asked.fold("-m rpfilter".to_owned(), |text, (_, name)| text + name)
        }
        XtInfo::Policy { flags, .. } => {
            let way = if flags & 1 != 0 { "in" } else { "out" };
            let policy = if flags & 4 != 0 { "none" } else { "ipsec" };
            let strict = if flags & 8 != 0 { " --strict" } else { "" };
            format!("-m policy --dir {way} --pol {policy}{strict}")
        }
        XtInfo::Recent(info) => recent(info),
        XtInfo::HashLimit { .. } => "-m hashlimit ...".to_owned(),
        XtInfo::RoutingHeader(_) => "-m rt ...".to_owned(),
        _ => return None,
    })
}

/// What a target says, with a blank before it.
pub(super) fn target(info: &XtInfo) -> String {
    match info {
        XtInfo::SetConnmark { mode, ctmark, ctmask, nfmask, .. } => match mode {
            0 => format!(" --set-xmark {ctmark:#x}/{ctmask:#x}"),
            1 => format!(" --save-mark --nfmask {nfmask:#x} --ctmask {ctmask:#x}"),
            _ => format!(" --restore-mark --nfmask {nfmask:#x} --ctmask {ctmask:#x}"),
        },
        XtInfo::Ct { flags, zone, helper, timeout, .. } => ct(*flags, *zone, helper, timeout),
        XtInfo::TcpMss(u16::MAX) => " --clamp-mss-to-pmtu".to_owned(),
        XtInfo::TcpMss(mss) => format!(" --set-mss {mss}"),
        XtInfo::SetDscp(dscp) => format!(" --set-dscp {dscp:#04x}"),
        XtInfo::SetTos { value, mask } => format!(" --set-tos {value:#04x}/{mask:#04x}"),
        XtInfo::SetTtl { mode, ttl } => {
            let how = match mode {
                0 => "set",
                1 => "inc",
                _ => "dec",
            };
            format!(" --ttl-{how} {ttl}")
        }
        XtInfo::NfLog { len, group, threshold, flags, prefix } => {
            let mut out = String::new();
            if !prefix.is_empty() {
                out += &format!(" --nflog-prefix {}", quoted(prefix));
            }
            if *group != 0 {
                out += &format!(" --nflog-group {group}");
            }
            if flags & 1 != 0 {
                out += &format!(" --nflog-size {len}");
            } else if *len != 0 {
                out += &format!(" --nflog-range {len}");
            }
            if *threshold != 1 {
                out += &format!(" --nflog-threshold {threshold}");
            }
            out
        }
        XtInfo::Classify(class) => format!(" --set-class {:x}:{:x}", class >> 16, class & 0xffff),
        XtInfo::Checksum(_) => " --checksum-fill".to_owned(),
        _ => String::new(),
    }
}

fn ct(flags: u16, zone: u16, helper: &str, timeout: &Option<String>) -> String {
    let mut out = String::new();
    if flags & 1 != 0 {
        out += " --notrack";
    }
    if !helper.is_empty() {
        out += &format!(" --helper {helper}");
    }
    if let Some(timeout) = timeout.as_ref().filter(|t| !t.is_empty()) {
        out += &format!(" --timeout {timeout}");
    }
    let option = match flags & 12 {
        4 => " --zone-orig",
        8 => " --zone-reply",
        _ => " --zone",
    };
    if flags & 16 != 0 {
        out += &format!("{option} mark");
    } else if zone != 0 {
        out += &format!("{option} {zone}");
    }
    out
}

fn iprange(src: ([u8; 16], [u8; 16]), dst: ([u8; 16], [u8; 16]), flags: u8) -> String {
    let mut out = "-m iprange".to_owned();
    for ((first, last), option, asked, inverted) in
        [(src, "--src-range", 1, 16), (dst, "--dst-range", 2, 32)]
    {
        if flags & asked != 0 {
            let range = format!("{}-{}", address(first), address(last));
            out += &format!(" {}{option} {range}", not(flags & inverted != 0));
        }
    }
    out
}

/// IPv4 takes the first four bytes.
fn address(bytes: [u8; 16]) -> String {
    if bytes[4..].iter().all(|b| *b == 0) {
        Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3]).to_string()
    } else {
        Ipv6Addr::from(bytes).to_string()
    }
}

/// Ten-thousandths of a second for one packet, as the largest unit that says it without a rest.
fn legacy_limit(avg: u32, burst: u32) -> String {
    const SECOND: u64 = 10_000;
    let avg = u64::from(avg.max(1));
    let mut unit = 86400;
    for shorter in [3600, 60, 1] {
        let all = shorter * SECOND;
        if avg > all || all / avg < all % avg {
            break;
        }
        unit = shorter;
    }
    limit(unit * SECOND / avg, unit, burst)
}

fn recent(info: &XtRecent) -> String {
    const OPTIONS: [(u8, &str); 6] = [
        (2, "--set"),
        (1, "--rcheck"),
        (4, "--update"),
        (8, "--remove"),
        (32, "--reap"),
        (16, "--rttl"),
    ];
    let mut out = format!("-m recent {}", not(info.invert)).trim_end().to_owned();
    for (_, option) in OPTIONS.iter().filter(|(bit, _)| info.check_set & bit != 0) {
        out += &format!(" {option}");
    }
    for (number, option) in [(info.seconds, "--seconds"), (info.hits, "--hitcount")] {
        if number != 0 {
            out += &format!(" {option} {number}");
        }
    }
    out += &format!(" --name {}", quoted(&info.name()));
    if let Some(mask) = info.mask {
        out += &format!(" --mask {}", address(mask));
    }
    out + if info.side == 0 { " --rsource" } else { " --rdest" }
}

fn statistic(nth: Option<(u32, u32)>, probability: u32, invert: bool) -> String {
    match nth {
        // One is kept as the number below.
        Some((every, packet)) => format!(
            "-m statistic --mode nth {}--every {} --packet {packet}",
            not(invert),
            u64::from(every) + 1
        ),
        None => {
            let share = f64::from(probability) / f64::from(1_u32 << 31);
            format!("-m statistic --mode random {}--probability {share:.11}", not(invert))
        }
    }
}

fn owner(uid: (u32, u32), gid: (u32, u32), asked: u8, invert: u8) -> String {
    let range = |(first, last): (u32, u32)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    };
    let options = [
        (4, "--socket-exists".to_owned()),
        (1, format!("--uid-owner {}", range(uid))),
        (2, format!("--gid-owner {}", range(gid))),
        (8, "--suppl-groups".to_owned()),
    ];
    let asked_for = options.iter().filter(|(bit, _)| asked & bit != 0);
    asked_for.fold("-m owner".to_owned(), |text, (bit, option)| {
        format!("{text} {}{option}", not(invert & bit != 0))
    })
}
