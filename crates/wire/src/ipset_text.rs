//! ipset's own language: sets as `ipset create` and `ipset add` take them and `ipset save` prints them.
//!
//! What stands for several entries comes apart as the kernel lists it: a range of addresses of
//! `hash:ip`, the prefixes of a range of `hash:net`, each port of a range. Names of hosts and services
//! are not looked up.

mod part;

use std::fmt;
use std::net::IpAddr;

use model::{Family, IpSet, IpSetEntry, IpSetOptions, IpSetPart, IpSetType};

/// What is wrong with a set or an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextError {
    /// The offending word.
    pub word: String,
    /// What should be there instead.
    pub wanted: String,
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not {}", self.word, self.wanted)
    }
}

impl std::error::Error for TextError {}

type Result<T> = std::result::Result<T, TextError>;

fn not(word: &str, wanted: &str) -> TextError {
    TextError { word: word.to_owned(), wanted: wanted.to_owned() }
}

/// How many entries one line may stand for.
const MOST: usize = 1 << 16;
/// IPSET_MAXNAMELEN without the NUL.
const LONGEST_NAME: usize = 31;
/// IPSET_MAX_COMMENT_SIZE.
const LONGEST_COMMENT: usize = 255;

const NAME: &str = "the name of an ipset (1 to 31 bytes, no blank, no quote)";

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= LONGEST_NAME && is_plain(name)
}

/// A word that needs no quotes.
fn is_plain(word: &str) -> bool {
    !word.contains(|c: char| c.is_whitespace() || c.is_control() || c == '"')
}

/// An empty set of that type with what the kernel gives it by itself.
///
/// # Errors
/// If the name is no set's, or the type is not known.
pub fn set(name: &str, kind: &str, family: Option<Family>) -> Result<IpSet> {
    if !is_name(name) {
        return Err(not(name, NAME));
    }
    let Some(of) = IpSetType::of(kind) else {
        let known: Vec<&str> = IpSetType::ALL.iter().map(|(name, _)| *name).collect();
        return Err(not(kind, &format!("a type of ipsets ({})", known.join(", "))));
    };
    let mut set =
        IpSet { name: name.to_owned(), kind: kind.to_owned(), family, ..IpSet::default() };
    match of {
        IpSetType::List => set.options.size = Some(8),
        IpSetType::Parts(parts) => {
            let addresses = parts.iter().any(|p| matches!(p, IpSetPart::Ip | IpSetPart::Net));
            set.family = addresses.then(|| family.unwrap_or(Family::Ip));
            if kind.starts_with("hash:") {
                set.options.max_elem = Some(65536);
            }
            if parts.contains(&IpSetPart::Mark) {
                set.options.markmask = Some(u32::MAX);
            }
        }
    }
    Ok(set)
}

/// What follows `create`: name, type and options.
///
/// # Errors
/// The first word that cannot be understood.
pub fn create(text: &str) -> Result<IpSet> {
    let words = words(text)?;
    let [name, kind, options @ ..] = words.as_slice() else {
        return Err(not(text, "a name and a type"));
    };
    let family = options.iter().position(|word| word == "family").map(|at| at + 1);
    let family = match family.and_then(|at| options.get(at)).map(String::as_str) {
        Some("inet6") => Some(Family::Ip6),
        Some("inet") => Some(Family::Ip),
        Some(other) => return Err(not(other, "inet or inet6")),
        None => None,
    };
    let mut set = set(name, kind, family)?;
    let mut options = options.iter();
    while let Some(word) = options.next() {
        option(&mut set, word, &mut options)?;
    }
    settle(&mut set)?;
    Ok(set)
}

/// One option of a set, by its name in ipset, whose value, if it has one, is taken from `rest`.
fn option<'a>(
    set: &mut IpSet,
    name: &str,
    rest: &mut impl Iterator<Item = &'a String>,
) -> Result<()> {
    if let Some(flag) = flag(name) {
        set.options.flags |= flag;
        return Ok(());
    }
    let value = rest.next().ok_or_else(|| not(name, "an option of an ipset with its value"))?;
    if !takes(&set.kind, name) {
        return Err(not(name, &format!("an option of {}", set.kind)));
    }
    let options = &mut set.options;
    let wanted = "a number";
    match name {
        "family" | "bucketsize" | "initval" | "probes" | "resize" | "gc" => {}
        "hashsize" => options.hash_size = Some(number(value).ok_or_else(|| not(value, wanted))?),
        "maxelem" => options.max_elem = Some(number(value).ok_or_else(|| not(value, wanted))?),
        "size" => options.size = Some(number(value).ok_or_else(|| not(value, wanted))?),
        "timeout" => options.timeout = Some(number(value).ok_or_else(|| not(value, wanted))?),
        "markmask" => options.markmask = Some(number(value).ok_or_else(|| not(value, wanted))?),
        "netmask" => {
            options.netmask = Some(value.parse().map_err(|_| not(value, "a number of bits"))?);
        }
        "bitmask" => {
            options.bitmask = Some(value.parse().map_err(|_| not(value, "an address"))?);
        }
        "range" => range(set, value)?,
        _ => return Err(not(name, "an option of an ipset")),
    }
    Ok(())
}

/// Whether sets of a type have that option; of one that nobody has, it is told elsewhere.
fn takes(kind: &str, option: &str) -> bool {
    match option {
        "maxelem" | "hashsize" | "bitmask" => kind.starts_with("hash:"),
        "size" => kind == "list:set",
        "range" => kind.starts_with("bitmap:"),
        "markmask" => kind == "hash:ip,mark",
        "netmask" => ["bitmap:ip", "hash:ip", "hash:ip,port", "hash:net,net"].contains(&kind),
        _ => true,
    }
}

/// IPSET_FLAG_WITH_*.
fn flag(name: &str) -> Option<u32> {
    Some(match name {
        "counters" => 8,
        "comment" => 16,
        "forceadd" => 32,
        "skbinfo" => 64,
        _ => return None,
    })
}

fn range(set: &mut IpSet, value: &str) -> Result<()> {
    if set.kind == "bitmap:port" {
        set.options.ports = Some(part::ports(value)?);
        return Ok(());
    }
    set.options.range = Some(part::addresses(value, Family::Ip)?);
    Ok(())
}

/// What the kernel makes of options together.
fn settle(set: &mut IpSet) -> Result<()> {
    let width = if set.family == Some(Family::Ip6) { 128 } else { 32 };
    if set.options.netmask.is_some_and(|bits| bits == 0 || bits > width) {
        let bits = set.options.netmask.unwrap_or_default().to_string();
        return Err(not(&bits, "a number of bits of an address"));
    }
    set.options.netmask = set.options.netmask.filter(|bits| *bits < width);
    let bitmap = set.kind.starts_with("bitmap:");
    if bitmap && set.options.range.is_none() && set.options.ports.is_none() {
        return Err(not(&set.kind, "a type that does without a `range`"));
    }
    if let (Some((first, last)), Some(bits)) = (set.options.range, set.options.netmask) {
        set.options.range = Some((part::first(first, bits), part::last(last, bits)));
    }
    Ok(())
}

/// A set with options by their names in ipset: `[("timeout", "60"), ("counters", "")]`.
///
/// # Errors
/// The first that cannot be understood.
pub fn with_options(mut set: IpSet, options: &[(String, String)]) -> Result<IpSet> {
    for (name, value) in options {
        option(&mut set, name, &mut std::iter::once(value))?;
    }
    settle(&mut set)?;
    Ok(set)
}

/// The options that a set is made with, in ipset's words, but for what is so by itself.
#[must_use]
pub fn options(set: &IpSet) -> String {
    let IpSetOptions { range, ports, netmask, bitmask, markmask, timeout, flags, .. } =
        &set.options;
    let mut out = String::new();
    if set.family == Some(Family::Ip6) {
        out += " family inet6";
    }
    if let Some((first, last)) = range {
        out += &format!(" range {first}-{last}");
    }
    if let Some((first, last)) = ports {
        out += &format!(" range {first}-{last}");
    }
    if let Some(mask) = markmask.filter(|mask| *mask != u32::MAX) {
        out += &format!(" markmask {mask:#010x}");
    }
    if let Some(mask) = bitmask {
        out += &format!(" bitmask {mask}");
    }
    for (name, number) in [
        ("maxelem", set.options.max_elem.filter(|most| *most != 65536)),
        ("size", set.options.size.filter(|most| *most != 8)),
        ("netmask", netmask.map(u32::from)),
        ("timeout", *timeout),
    ] {
        if let Some(number) = number {
            out += &format!(" {name} {number}");
        }
    }
    for name in ["counters", "comment", "forceadd", "skbinfo"] {
        if flag(name).is_some_and(|flag| flags & flag != 0) {
            out += &format!(" {name}");
        }
    }
    out.trim_start().to_owned()
}

/// What follows `add NAME`: an entry of that set, or those that it stands for.
///
/// # Errors
/// The first word that cannot be understood.
pub fn add(set: &IpSet, text: &str) -> Result<Vec<IpSetEntry>> {
    let words = words(text)?;
    let Some((element, options)) = words.split_first() else {
        return Err(not(text, "an entry"));
    };
    let mut common = IpSetEntry::default();
    let mut options = options.iter();
    while let Some(word) = options.next() {
        entry_option(&mut common, word, &mut options)?;
    }
    match IpSetType::of(&set.kind) {
        Some(IpSetType::Parts(parts)) => part::entries(set, parts, element, &common),
        Some(IpSetType::List) if !is_name(element) => Err(not(element, NAME)),
        Some(IpSetType::List) => Ok(vec![IpSetEntry { set: Some(element.clone()), ..common }]),
        None => Err(not(&set.kind, "a type of ipsets that is known here")),
    }
}

fn entry_option<'a>(
    entry: &mut IpSetEntry,
    name: &str,
    rest: &mut impl Iterator<Item = &'a String>,
) -> Result<()> {
    match name {
        "nomatch" => entry.flags |= IpSetEntry::NOMATCH,
        "wildcard" => entry.flags |= IpSetEntry::WILDCARD,
        "timeout" | "packets" | "bytes" | "comment" | "skbmark" | "skbprio" | "skbqueue" => {
            let value = rest.next().ok_or_else(|| not(name, "an option with its value"))?;
            entry_value(entry, name, value)?;
        }
        _ => return Err(not(name, "an option of an entry")),
    }
    Ok(())
}

fn entry_value(entry: &mut IpSetEntry, name: &str, value: &str) -> Result<()> {
    let bad = |wanted| not(value, wanted);
    match name {
        "timeout" => entry.timeout = Some(number(value).ok_or_else(|| bad("a number"))?),
        "packets" | "bytes" => {
            let counters = entry.counters.get_or_insert_default();
            let place = if name == "packets" { &mut counters.0 } else { &mut counters.1 };
            *place = value.parse().map_err(|_| bad("a number"))?;
        }
        "comment" if value.len() > LONGEST_COMMENT || value.contains(['"', '\0']) => {
            return Err(bad("a comment (at most 255 bytes, no quote)"));
        }
        "comment" => entry.comment = Some(value.to_owned()),
        "skbmark" => {
            let (mark, mask) = value.split_once('/').unwrap_or((value, "0xffffffff"));
            let both = number(mark).zip(number(mask));
            entry.skb_mark = Some(both.ok_or_else(|| bad("a mark, or MARK/MASK"))?);
        }
        "skbprio" => {
            let half = |text| u16::from_str_radix(text, 16).ok().map(u32::from);
            let both = value.split_once(':').and_then(|(a, b)| half(a).zip(half(b)));
            let (major, minor) = both.ok_or_else(|| bad("a class, MAJOR:MINOR"))?;
            entry.skb_priority = Some(major << 16 | minor);
        }
        _ => entry.skb_queue = Some(value.parse().map_err(|_| bad("a number"))?),
    }
    Ok(())
}

/// An entry in ipset's words, with the options that it was added with.
#[must_use]
pub fn entry(set: &IpSet, entry: &IpSetEntry) -> String {
    let mut out = element(set, entry);
    if let Some(timeout) = entry.timeout {
        out += &format!(" timeout {timeout}");
    }
    if entry.has(IpSetEntry::NOMATCH) {
        out += " nomatch";
    }
    if entry.has(IpSetEntry::WILDCARD) {
        out += " wildcard";
    }
    if let Some(comment) = entry.comment.as_ref().filter(|text| !text.is_empty()) {
        out += &format!(" comment \"{comment}\"");
    }
    if let Some((mark, mask)) = entry.skb_mark.filter(|mark| *mark != (0, 0)) {
        out += &format!(" skbmark {mark:#x}/{mask:#x}");
    }
    if let Some(priority) = entry.skb_priority.filter(|priority| *priority != 0) {
        out += &format!(" skbprio {:x}:{:x}", priority >> 16, priority & 0xffff);
    }
    if let Some(queue) = entry.skb_queue.filter(|queue| *queue != 0) {
        out += &format!(" skbqueue {queue}");
    }
    out
}

/// An entry in ipset's words, without options: `10.0.0.0/8,tcp:80`.
#[must_use]
pub fn element(set: &IpSet, entry: &IpSetEntry) -> String {
    match IpSetType::of(&set.kind) {
        Some(IpSetType::Parts(parts)) => part::text(parts, entry),
        Some(IpSetType::List) => entry.set.clone().unwrap_or_default(),
        // Whatever it has, in the usual order.
        None => {
            let ip = |ip: Option<IpAddr>| ip.map(|ip| ip.to_string());
            let parts = [ip(entry.ip), entry.port.map(|p| p.to_string()), ip(entry.ip2)];
            parts.into_iter().flatten().collect::<Vec<_>>().join(",")
        }
    }
}

/// A number, also of hexadecimal digits.
fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Split at blanks; a comment may stand between `"`, and holds none.
fn words(text: &str) -> Result<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (word, behind) = match rest.strip_prefix('"') {
            Some(quoted) => {
                quoted.split_once('"').ok_or_else(|| not(rest, "a text between quotes"))?
            }
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = behind.trim_start();
    }
    Ok(words)
}
