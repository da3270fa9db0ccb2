//! tc's own language: filters as `tc filter add … ` takes them, behind the link and the side of it.

mod flower;

use std::fmt::{Display, Write as _};
use std::net::IpAddr;

use ipnet::IpNet;
use model::{Queue, TcAction, TcControl, TcDoing, TcFilter, TcSelector, TcU32, TcU32Key};

/// Where IPv4 and IPv6 have their addresses: of the source, of the destination.
const IPV4: [i32; 2] = [12, 16];
const IPV6: [i32; 2] = [8, 24];

/// What stands behind a link, as `tc qdisc add dev … root ` takes it: `blackhole`, `pfifo limit 0`,
/// `bfifo limit 600`.
///
/// # Errors
///
/// What there is to say instead.
pub fn queue(text: &str) -> Result<Queue, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let limit = |n: &str| n.parse().map_err(|_| format!("{n:?} is no number of bytes"));
    match words.as_slice() {
        [kind @ "blackhole"] | [kind @ "pfifo", "limit", "0"] => {
            Ok(Queue::Swallows { kind: (*kind).to_owned() })
        }
        [kind @ "bfifo", "limit", n] => {
            Ok(Queue::UpTo { kind: (*kind).to_owned(), most: limit(n)? })
        }
        _ => Err(format!(
            "{text:?} cannot be made: say `blackhole` or `pfifo limit 0` (all is thrown away), or \
             `bfifo limit BYTES` (what is larger)"
        )),
    }
}

/// `pref 10 protocol ip u32 match ip dst 10.0.0.2/32 action mirred egress redirect dev ifb0`.
pub fn filter<L: Display>(filter: &TcFilter<L>) -> String {
    let mut text = String::new();
    if filter.chain != 0 {
        let _ = write!(text, "chain {} ", filter.chain);
    }
    if filter.priority != 0 {
        let _ = write!(text, "pref {} ", filter.priority);
    }
    let _ = write!(text, "protocol {} {}", protocol(filter.protocol), selector(filter));
    for action in &filter.actions {
        let _ = write!(text, " action {}", self::action(action));
    }
    text
}

fn protocol(protocol: Option<u16>) -> String {
    let named = PROTOCOLS.iter().find(|(_, number)| Some(*number) == protocol);
    match (named, protocol) {
        (Some((name, _)), _) => (*name).to_owned(),
        (None, Some(number)) => format!("{number:#x}"),
        (None, None) => "all".to_owned(),
    }
}

const PROTOCOLS: [(&str, u16); 5] =
    [("ip", 0x800), ("arp", 0x806), ("ipv6", 0x86dd), ("802.1q", 0x8100), ("802.1ad", 0x88a8)];

fn selector<L>(filter: &TcFilter<L>) -> String {
    match &filter.selector {
        TcSelector::All => "matchall".to_owned(),
        TcSelector::U32(u32) => u32_words(u32),
        TcSelector::Flower(keys) => format!("flower{}", flower::words(keys, filter.protocol)),
        TcSelector::Opaque { kind, what } if what.is_empty() => kind.clone(),
        TcSelector::Opaque { kind, what } => format!("{kind} ({what})").trim_start().to_owned(),
    }
}

fn u32_words(u32: &TcU32) -> String {
    let mut text = "u32".to_owned();
    if let Some((value, mask)) = u32.mark {
        let _ = write!(text, " match mark {value:#x} {mask:#x}");
    }
    for key in &u32.keys {
        let _ = write!(text, " match {}", key_words(key));
    }
    if let Some(link) = &u32.indev {
        let _ = write!(text, " indev {link}");
    }
    text.push_str(if u32.idle { " (never tried)" } else { "" });
    text
}

fn key_words(key: &TcU32Key) -> String {
    let (value, mask) = (u32::from_be_bytes(key.value), u32::from_be_bytes(key.mask));
    let length = mask.leading_ones();
    let prefix = mask != 0 && mask.checked_shl(length).unwrap_or(0) == 0;
    match IPV4.iter().position(|at| *at == key.offset && prefix) {
        Some(which) => {
            let side = if which == 0 { "src" } else { "dst" };
            format!("ip {side} {}/{length}", std::net::Ipv4Addr::from(value))
        }
        None => format!("u32 {value:#010x} {mask:#010x} at {}", key.offset),
    }
}

fn action<L: Display>(action: &TcAction<L>) -> String {
    let then = action.then;
    let usual = usual(&action.doing);
    let behind = if Some(then) == usual { String::new() } else { format!(" {}", control(then)) };
    match &action.doing {
        TcDoing::Nothing => control(then),
        TcDoing::Hand { to, ingress, copy } => {
            let side = if *ingress { "ingress" } else { "egress" };
            let how = if *copy { "mirror" } else { "redirect" };
            format!("mirred {side} {how} dev {to}{behind}")
        }
        TcDoing::Mark(mark, u32::MAX) => format!("skbedit mark {mark:#x}{behind}"),
        TcDoing::Mark(mark, mask) => format!("skbedit mark {mark:#x}/{mask:#x}{behind}"),
        TcDoing::Opaque(name) => name.clone(),
    }
}

/// What comes behind an action where nothing is said.
const fn usual<L>(doing: &TcDoing<L>) -> Option<TcControl> {
    match doing {
        TcDoing::Hand { copy: false, .. } => Some(TcControl::Stolen),
        TcDoing::Hand { copy: true, .. } | TcDoing::Mark(..) => Some(TcControl::Pipe),
        TcDoing::Nothing | TcDoing::Opaque(_) => None,
    }
}

fn control(control: TcControl) -> String {
    match CONTROLS.iter().find(|(_, c)| *c == control) {
        Some((name, _)) => (*name).to_owned(),
        None => match control {
            TcControl::Chain(chain) => format!("goto chain {chain}"),
            TcControl::Jump(count) => format!("jump {count}"),
            other => format!("control {}", other.number()),
        },
    }
}

const CONTROLS: [(&str, TcControl); 6] = [
    ("ok", TcControl::Ok),
    ("drop", TcControl::Drop),
    ("pipe", TcControl::Pipe),
    ("stolen", TcControl::Stolen),
    ("continue", TcControl::Continue),
    ("reclassify", TcControl::Reclassify),
];

/// The filter that the text says.
///
/// # Errors
/// What of it is not understood.
pub fn parse(text: &str) -> Result<TcFilter<String>, String> {
    let mut words = Words { words: text.split_whitespace().collect(), at: 0 };
    let mut filter = TcFilter {
        chain: 0,
        priority: 0,
        protocol: None,
        handle: 0,
        selector: TcSelector::All,
        actions: Vec::new(),
    };
    loop {
        match words.needed("u32, flower or matchall")? {
            "chain" => filter.chain = words.number("the number of a chain")?,
            "pref" => filter.priority = words.number::<u16>("a pref")?.into(),
            "protocol" => filter.protocol = words.protocol()?,
            "matchall" => break,
            "u32" => {
                filter.selector = TcSelector::U32(words.u32()?);
                break;
            }
            "flower" => {
                filter.selector = TcSelector::Flower(flower::parse(&mut words, filter.protocol)?);
                break;
            }
            other => {
                return Err(format!(
                    "`{other}` is not chain, pref, protocol, u32, flower or matchall"
                ));
            }
        }
    }
    while let Some(word) = words.next() {
        match word {
            "action" => filter.actions.push(words.action()?),
            other => return Err(format!("`{other}` is not action")),
        }
    }
    Ok(filter)
}

struct Words<'t> {
    words: Vec<&'t str>,
    at: usize,
}

impl<'t> Words<'t> {
    fn next(&mut self) -> Option<&'t str> {
        self.at += 1;
        self.words.get(self.at - 1).copied()
    }

    fn peek(&self) -> Option<&'t str> {
        self.words.get(self.at).copied()
    }

    fn take(&mut self, word: &str) -> bool {
        let there = self.peek() == Some(word);
        self.at += usize::from(there);
        there
    }

    fn needed(&mut self, what: &str) -> Result<&'t str, String> {
        self.next().ok_or_else(|| format!("it ends where {what} is wanted"))
    }

    fn number<N: TryFrom<i64>>(&mut self, what: &str) -> Result<N, String> {
        let word = self.needed(what)?;
        number(word)
            .and_then(|n| n.try_into().ok())
            .ok_or_else(|| format!("`{word}` is not {what}"))
    }

    fn protocol(&mut self) -> Result<Option<u16>, String> {
        let word = self.needed("a protocol")?;
        let named = PROTOCOLS.iter().find(|(name, _)| *name == word).map(|(_, number)| *number);
        let found = named.or_else(|| number(word).and_then(|n| n.try_into().ok()));
        match found {
            _ if word == "all" => Ok(None),
            Some(found) => Ok(Some(found)),
            None => Err(format!("`{word}` is not a protocol (all, ip, ipv6, arp, …)")),
        }
    }

    fn u32(&mut self) -> Result<TcU32, String> {
        let mut u32 = TcU32::default();
        while self.take("match") {
            match self.needed("what to match")? {
                "mark" => {
                    u32.mark = Some((self.number("a mark")?, self.number("a mask")?));
                }
                "ip" => u32.keys.extend(self.of_ip(IPV4)?),
                "ip6" => u32.keys.extend(self.of_ip(IPV6)?),
                "u32" => u32.keys.push(self.word()?),
                other => return Err(format!("`{other}` is not ip, ip6, u32 or mark")),
            }
        }
        if u32.keys.is_empty() && u32.mark.is_none() {
            return Err("u32 without a match".to_owned());
        }
        Ok(u32)
    }

    /// `src NET`, `dst NET`, and of IPv4 `protocol N`, `sport N` and `dport N`.
    fn of_ip(&mut self, [src, dst]: [i32; 2]) -> Result<Vec<TcU32Key>, String> {
        let four = src == IPV4[0];
        let key = |offset, value: u32, mask: u32| TcU32Key {
            offset,
            value: value.to_be_bytes(),
            mask: mask.to_be_bytes(),
        };
        Ok(match self.needed("src or dst")? {
            "src" => self.net(src, four)?,
            "dst" => self.net(dst, four)?,
            "protocol" if four => {
                vec![key(8, self.number::<u8>("a protocol")? as u32 * 0x1_0000, 0xff_0000)]
            }
            "sport" if four => {
                vec![key(20, self.number::<u16>("a port")? as u32 * 0x1_0000, 0xffff_0000)]
            }
            "dport" if four => vec![key(20, self.number::<u16>("a port")?.into(), 0xffff)],
            other => return Err(format!("`{other}` is not src, dst, protocol, sport or dport")),
        })
    }

    fn net(&mut self, offset: i32, four: bool) -> Result<Vec<TcU32Key>, String> {
        let word = self.needed("a network")?;
        let net =
            word.parse::<IpNet>().ok().or_else(|| word.parse::<IpAddr>().ok().map(IpNet::from));
        let net = net.filter(|net| net.addr().is_ipv4() == four);
        let Some(net) = net else {
            return Err(format!("`{word}` is not a network of that family"));
        };
        let bytes = |ip: IpAddr| match ip {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        let (value, mask) = (bytes(net.network()), bytes(net.netmask()));
        let words = value.chunks_exact(4).zip(mask.chunks_exact(4)).zip((offset..).step_by(4));
        let key = |((value, mask), offset): ((&[u8], &[u8]), i32)| {
            Some(TcU32Key { offset, value: *value.first_chunk()?, mask: *mask.first_chunk()? })
        };
        let all: Vec<TcU32Key> = words.filter_map(key).collect();
        let some: Vec<TcU32Key> = all.iter().copied().filter(|key| key.mask != [0; 4]).collect();
        Ok(if some.is_empty() { all.into_iter().take(1).collect() } else { some })
    }

    /// `VALUE MASK at OFFSET`.
    fn word(&mut self) -> Result<TcU32Key, String> {
        let (value, mask) = (self.number::<u32>("a value")?, self.number::<u32>("a mask")?);
        if !self.take("at") {
            return Err("u32 VALUE MASK wants `at OFFSET`".to_owned());
        }
        let offset: i32 = self.number("an offset")?;
        if offset % 4 != 0 && offset != -14 {
            return Err(format!("`{offset}` is not a multiple of four (or -14)"));
        }
        Ok(TcU32Key { offset, value: (value & mask).to_be_bytes(), mask: mask.to_be_bytes() })
    }

    fn action(&mut self) -> Result<TcAction<String>, String> {
        let doing = match self.needed("an action")? {
            "mirred" => self.mirred()?,
            "skbedit" if self.take("mark") => TcDoing::Mark(self.number("a mark")?, u32::MAX),
            "gact" => TcDoing::Nothing,
            _ => {
                self.at -= 1;
                TcDoing::Nothing
            }
        };
        let then = match self.control() {
            Some(then) => then,
            None => usual(&doing).ok_or_else(|| {
                let word = self.peek().unwrap_or_default();
                format!(
                    "`{word}` is not an action (mirred, skbedit mark, ok, drop, pipe, continue, …)"
                )
            })?,
        };
        Ok(TcAction { doing, then })
    }

    fn mirred(&mut self) -> Result<TcDoing<String>, String> {
        let side = self.needed("ingress or egress")?;
        let how = self.needed("redirect or mirror")?;
        if !["ingress", "egress"].contains(&side) || !["redirect", "mirror"].contains(&how) {
            return Err(format!(
                "`{side} {how}` is not ingress or egress, then redirect or mirror"
            ));
        }
        if !self.take("dev") {
            return Err("mirred wants `dev LINK`".to_owned());
        }
        let to = self.needed("a link")?.to_owned();
        Ok(TcDoing::Hand { to, ingress: side == "ingress", copy: how == "mirror" })
    }

    fn control(&mut self) -> Option<TcControl> {
        let word = self.peek()?;
        let operand = |at: usize| self.words.get(at).and_then(|w| number(w)?.try_into().ok());
        let named = CONTROLS.iter().find(|(name, _)| *name == word).map(|(_, control)| *control);
        let (found, length) = match word {
            "jump" => (operand(self.at + 1).map(TcControl::Jump), 2),
            "goto" => (operand(self.at + 2).map(TcControl::Chain), 3),
            _ => (named, 1),
        };
        self.at += if found.is_some() { length } else { 0 };
        found
    }
}

fn number(word: &str) -> Option<i64> {
    match word.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_was_read() {
        for text in [
            "pref 10 protocol ip u32 match ip dst 10.0.0.2/32 action mirred egress redirect dev ifb0",
            "protocol all matchall action drop",
            "chain 3 pref 1 protocol ipv6 matchall action skbedit mark 0x7 action goto chain 4",
            "protocol ip u32 match mark 0x7 0xff match u32 0x00060000 0x00ff0000 at 8 action mirred ingress mirror dev b continue",
            "protocol all u32 match u32 0x00000000 0x00000000 at 0 action mirred egress mirror dev a action ok",
            "protocol arp matchall action jump 2 action pipe",
            "protocol ip flower ip_proto tcp src_ip 10.1.0.0/16 dst_ip 10.0.0.2 src_port 80/0xfff0 dst_port 1000 action drop",
            "protocol ipv6 flower ip_proto icmpv6 dst_ip 2001:db8::/32 action reclassify",
            "protocol ip flower dst_mac 02:00:00:00:00:01/ff:ff:00:00:00:00 src_mac 02:00:00:00:00:02 ip_proto 0x2f ip_tos 0x8/0xfc ip_ttl 64 action ok",
            "protocol all flower action pipe",
        ] {
            assert_eq!(filter(&parse(text).unwrap()), text);
        }
    }

    #[test]
    fn other_words_for_the_same() {
        #[track_caller]
        fn check(text: &str, expected: &str) {
            let found = parse(text).map(|f| filter(&f)).unwrap_or_else(|e| e);
            assert_eq!(found, expected);
        }
        check(
            "protocol ip u32 match ip dport 80 match ip protocol 6 match ip src 10.1.2.3/8 action ok",
            "protocol ip u32 match u32 0x00000050 0x0000ffff at 20 match u32 0x00060000 0x00ff0000 at 8 match ip src 10.0.0.0/8 action ok",
        );
        check(
            "protocol ipv6 u32 match ip6 dst fd00::5/128 action drop",
            "protocol ipv6 u32 match u32 0xfd000000 0xffffffff at 24 match u32 0x00000000 0xffffffff at 28 match u32 0x00000000 0xffffffff at 32 match u32 0x00000005 0xffffffff at 36 action drop",
        );
        check(
            "matchall action fly",
            "`fly` is not an action (mirred, skbedit mark, ok, drop, pipe, continue, …)",
        );
        check("u32 action ok", "u32 without a match");
        check("protocol ip u32 match ip dst fd00::1", "`fd00::1` is not a network of that family");
        check("fw", "`fw` is not chain, pref, protocol, u32, flower or matchall");
        check(
            "protocol ip flower dst_port 80 action ok",
            "ports are wanted without `ip_proto tcp` or `ip_proto udp`",
        );
        check("protocol ip flower dst_ip fd00::1", "`fd00::1` is not of IPv4");
        check(
            "protocol ip flower ip_tos 10 ip_proto 17 dst_ip 10.0.0.9/24 action ok",
            "protocol ip flower ip_proto 0x17 ip_tos 0x10 dst_ip 10.0.0.0/24 action ok",
        );
        check("matchall action mirred egress redirect", "mirred wants `dev LINK`");
    }
}
