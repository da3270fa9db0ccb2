//! What rules do.

use std::net::IpAddr;

use model::{Csum, CtKey, Data, Expr, Family, MetaKey, NatKind, PayloadBase, Reg, Verdict};

use super::field::Needs;
use super::rule::{REG, Rule};
use super::set::Value;
use super::value::{Kind, endpoint, number};
use super::words::{Word, WordError, Words};

/// The register of ports.
const PORT: Reg = Reg(2);
/// NF_NAT_RANGE_MAP_IPS and NF_NAT_RANGE_PROTO_SPECIFIED, which the kernel adds by itself.
const MAPS: u32 = 1;
const PORTS: u32 = 2;
/// NFT_REJECT_*.
const ICMP: u32 = 0;
const RESET: u32 = 1;
const ICMPX: u32 = 2;
/// LOGLEVEL_WARNING, which is the kernel's own choice.
const WARNING: u32 = 4;

/// Takes a statement that begins with this word; false: it begins none.
pub(super) fn parse(
    rule: &mut Rule<'_>,
    word: &Word,
    words: &mut Words,
) -> Result<bool, WordError> {
    if let Some(verdict) = verdict(&word.text, words)? {
        let data = Data::Verdict(verdict);
        rule.exprs.push(Expr::Immediate { dreg: Reg(0), data });
        return Ok(true);
    }
    match word.text.as_str() {
        "counter" => rule.exprs.push(Expr::Counter { packets: 0, bytes: 0 }),
        "notrack" => rule.exprs.push(Expr::Notrack),
        "log" => rule.exprs.push(log(words)?),
        "limit" => rule.exprs.push(limit(words)?),
        "reject" => reject(rule, words)?,
        "masquerade" => rule.exprs.push(Expr::Masq { flags: 0, port: None }),
        "redirect" => redirect(rule, words)?,
        "snat" => nat(rule, NatKind::Snat, words)?,
        "dnat" => nat(rule, NatKind::Dnat, words)?,
        "meta" | "ct" | "ip" => return set(rule, word, words),
        _ => return Ok(false),
    }
    Ok(true)
}

/// `accept`, `jump CHAIN`.
pub(super) fn verdict(word: &str, words: &mut Words) -> Result<Option<Verdict>, WordError> {
    Ok(Some(match word {
        "accept" => Verdict::Accept,
        "drop" => Verdict::Drop,
        "continue" => Verdict::Continue,
        "return" => Verdict::Return,
        "jump" => Verdict::Jump(words.next()?.text),
        "goto" => Verdict::Goto(words.next()?.text),
        _ => return Ok(None),
    }))
}

fn log(words: &mut Words) -> Result<Expr, WordError> {
    let prefix = if words.take("prefix") { Some(words.next()?.text) } else { None };
    let (group, snaplen, threshold, flags) = (None, None, None, None);
    Ok(Expr::Log { prefix, group, snaplen, threshold, level: Some(WARNING), flags })
}

/// `limit rate over 10/second burst 5 packets`.
fn limit(words: &mut Words) -> Result<Expr, WordError> {
    words.expect("rate")?;
    let over = words.take("over");
    let word = words.next()?;
    let (rate, unit) = word.text.split_once('/').ok_or_else(|| word.wrong("is no rate"))?;
    let unit = match unit {
        "second" => 1,
        "minute" => 60,
        "hour" => 3600,
        "day" => 86400,
        _ => return Err(word.wrong("has no unit that is known here")),
    };
    let rate = rate.parse().map_err(|_| word.wrong("is no rate"))?;
    let mut burst = 5;
    if words.take("burst") {
        burst = words.number()?;
        words.expect("packets")?;
    }
    Ok(Expr::Limit { rate, unit, burst, bytes: false, over })
}

/// `reject with tcp reset`, `reject with icmp host-prohibited`.
fn reject(rule: &mut Rule<'_>, words: &mut Words) -> Result<(), WordError> {
    let ip = matches!(rule.table.family, Family::Ip | Family::Ip6);
    // Port unreachable.
    let (mut kind, mut code) = match rule.table.family {
        Family::Ip => (ICMP, 3),
        Family::Ip6 => (ICMP, 4),
        _ => (ICMPX, 1),
    };
    if words.take("with") {
        let word = words.next()?;
        (kind, code) = match word.text.as_str() {
            "tcp" => {
                words.expect("reset")?;
                (RESET, 0)
            }
            "icmp" if rule.table.family != Family::Ip6 => (ICMP, named(words, ICMP_CODES)?),
            "icmpx" if !ip => (ICMPX, named(words, ICMPX_CODES)?),
            _ => return Err(word.wrong("is nothing to reject with here")),
        };
        let l3 = (kind == ICMP && !ip).then_some(0x0800);
        rule.need(Needs { l3, l4: (kind == RESET).then_some(6), ether: false });
    }
    rule.exprs.push(Expr::Reject { kind, code });
    Ok(())
}

const ICMP_CODES: &[(&str, u8)] = &[
    ("net-unreachable", 0),
    ("host-unreachable", 1),
    ("prot-unreachable", 2),
    ("port-unreachable", 3),
    ("net-prohibited", 9),
    ("host-prohibited", 10),
    ("admin-prohibited", 13),
];
const ICMPX_CODES: &[(&str, u8)] =
    &[("no-route", 0), ("port-unreachable", 1), ("host-unreachable", 2), ("admin-prohibited", 3)];

fn named(words: &mut Words, codes: &[(&str, u8)]) -> Result<u8, WordError> {
    words.take("type");
    let word = words.next()?;
    let found = codes.iter().find(|(name, _)| *name == word.text);
    found.map(|(_, code)| *code).ok_or_else(|| word.wrong("is no such code"))
}

/// `redirect`, `redirect to :80`.
fn redirect(rule: &mut Rule<'_>, words: &mut Words) -> Result<(), WordError> {
    if !words.take("to") {
        rule.exprs.push(Expr::Redir { flags: 0, port: None });
        return Ok(());
    }
    let word = words.next()?;
    let Some((None, Some(port))) = endpoint(&word.text) else {
        return Err(word.wrong("should be `:` and a port"));
    };
    rule.exprs.push(immediate(REG, port.to_be_bytes().to_vec()));
    rule.exprs.push(Expr::Redir { flags: PORTS, port: Some((REG, None)) });
    Ok(())
}

/// `dnat to 10.0.0.1:80`, `dnat to numgen inc mod 2 map { 0 : 10.0.0.1, 1 : 10.0.0.2 }`.
fn nat(rule: &mut Rule<'_>, kind: NatKind, words: &mut Words) -> Result<(), WordError> {
    let said = words.take("ip");
    words.expect("to")?;
    let word = words.next()?;
    if let Some(fields) = rule.selector(&word, words)? {
        words.expect("map")?;
        rule.load(&fields);
        let kinds: Vec<Kind> = fields.iter().map(|f| f.kind).collect();
        let set = rule.set(&kinds, Some(Value::Of(Kind::Ip4)), words)?;
        rule.exprs.push(Expr::Lookup { set, sreg: REG, dreg: Some(REG), invert: false });
        let addr = Some((REG, None));
        rule.exprs.push(Expr::Nat { kind, family: Family::Ip, addr, port: None, flags: MAPS });
        return Ok(());
    }
    let found = endpoint(&word.text).ok_or_else(|| word.wrong("is no address"))?;
    let (ip, port) = found;
    let family = match ip {
        Some(IpAddr::V6(_)) => Family::Ip6,
        _ if said || rule.table.family != Family::Ip6 => Family::Ip,
        _ => Family::Ip6,
    };
    let mut flags = 0;
    if let Some(ip) = ip {
        let bytes = match ip {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        rule.exprs.push(immediate(REG, bytes));
        flags |= MAPS;
    }
    if let Some(port) = port {
        rule.exprs.push(immediate(PORT, port.to_be_bytes().to_vec()));
        flags |= PORTS;
    }
    let (addr, port) = (ip.map(|_| (REG, None)), port.map(|_| (PORT, None)));
    rule.exprs.push(Expr::Nat { kind, family, addr, port, flags });
    Ok(())
}

fn immediate(dreg: Reg, value: Vec<u8>) -> Expr {
    Expr::Immediate { dreg, data: Data::Value(value) }
}

/// `meta mark set 1`, `ct mark set meta mark`, `ct zone set 5`, `ip ttl set 9`; false: it is a
/// comparison.
fn set(rule: &mut Rule<'_>, word: &Word, words: &mut Words) -> Result<bool, WordError> {
    let Some(what) = words.set() else { return Ok(false) };
    match (word.text.as_str(), what.text.as_str()) {
        ("meta", "mark") => {
            mark(rule, words)?;
            rule.exprs.push(Expr::MetaSet { key: MetaKey::Mark, sreg: REG });
        }
        ("ct", "mark") => {
            mark(rule, words)?;
            rule.exprs.push(Expr::CtSet { key: CtKey::Mark, dir: None, sreg: REG });
        }
        ("ct", "zone") => {
            let zone: u16 = words.number()?;
            rule.exprs.push(immediate(REG, zone.to_ne_bytes().to_vec()));
            rule.exprs.push(Expr::CtSet { key: CtKey::Zone, dir: None, sreg: REG });
        }
        ("ip", "ttl") => header_byte(rule, 8, words.number()?, 0),
        ("ip", "dscp") => header_byte(rule, 0, words.number::<u8>()? << 2, 1),
        _ => return Err(what.wrong("cannot be set here")),
    }
    Ok(true)
}

/// A number, or the other mark.
fn mark(rule: &mut Rule<'_>, words: &mut Words) -> Result<(), WordError> {
    let word = words.next()?;
    match word.text.as_str() {
        "meta" => {
            words.expect("mark")?;
            rule.exprs.push(Expr::Meta { key: MetaKey::Mark, dreg: REG });
        }
        "ct" => {
            words.expect("mark")?;
            rule.exprs.push(Expr::Ct { key: CtKey::Mark, dir: None, dreg: REG });
        }
        text => {
            let mark = number(text).ok_or_else(|| word.wrong("is no mark"))?;
            rule.exprs.push(immediate(REG, mark.to_ne_bytes().to_vec()));
        }
    }
    Ok(())
}

/// Of a byte of the IPv4 header, the two that the checksum counts together are written.
fn header_byte(rule: &mut Rule<'_>, offset: u32, byte: u8, place: usize) {
    let (base, len) = (PayloadBase::Network, 2);
    rule.need(Needs { l3: Some(0x0800), ..Needs::default() });
    // Two bits of congestion stay beside a DSCP.
    let (mut mask, mut xor) = (vec![0xff, 0xff], vec![0, 0]);
    (mask[place], xor[place]) = (if place == 1 { 3 } else { 0 }, byte);
    let csum = Csum { kind: 1, offset: 10, flags: 0 };
    rule.exprs.extend([
        Expr::Payload { base, offset, len, dreg: REG },
        Expr::Bitwise { sreg: REG, dreg: REG, len, mask, xor },
        Expr::PayloadSet { base, offset, len, sreg: REG, csum },
    ]);
}
