//! Expressions that count, ask elsewhere, or do something beside deciding.

use model::{Expr, Exthdr, FibResult, HashOf, ObjectKind, Reg, RtKey, SetOp, SocketKey};

use super::field::{self, Field};
use super::value::Kind;
use super::{Held, Reader};

impl Reader<'_> {
    /// Says an expression of the rarer kinds.
    pub(super) fn rare(&mut self, expr: &Expr) {
        if let Some((dreg, held)) = self.loaded(expr) {
            return self.hold(dreg, held);
        }
        match expr {
            Expr::ExthdrSet { field, sreg: Some(sreg) } => {
                let to = self.value(*sreg, Kind::Number);
                self.say(format!("{} set {to}", exthdr(*field)));
            }
            Expr::ExthdrSet { field, sreg: None } => {
                self.say(format!("reset {}", exthdr(Exthdr { present: true, ..*field })));
            }
            Expr::PayloadSet { base, offset, len, sreg, .. } => {
                let field = field::payload(self.layers, *base, *offset, *len);
                self.use_field(&field);
                let to = self.value(*sreg, field.kind);
                self.say(format!("{} set {to}", field.name));
            }
            Expr::CtSet { key, dir, sreg } => {
                let field = field::ct(*key, *dir);
                let to = self.value(*sreg, field.kind);
                self.say(format!("{} set {to}", field.name));
            }
            Expr::Dup { addr, dev } => {
                let addr = addr.map(|reg| format!(" to {}", self.value(reg, Kind::Ip4)));
                let dev = dev.map(|reg| format!(" device {}", self.value(reg, Kind::Host)));
                self.say(format!("dup{}{}", addr.unwrap_or_default(), dev.unwrap_or_default()));
            }
            Expr::Fwd { dev, addr } => {
                let dev = self.value(*dev, Kind::Host);
                let addr = addr.map(|(reg, _)| self.value(reg, Kind::Ip4));
                self.say(match addr {
                    Some(addr) => format!("fwd to {addr} device {dev}"),
                    None => format!("fwd to {dev}"),
                });
            }
            Expr::ObjectMap { sreg, set } => {
                let key = self.value(*sreg, Kind::Bytes);
                self.say(format!("objref {key} map @{set}"));
            }
            Expr::Dynset { set, op, key, data, timeout, exprs, .. } => {
                self.dynset(set, *op, (*key, *data), *timeout, exprs);
            }
            // What it turns round was not there.
            Expr::Byteorder { .. } => {}
            other => self.say(plain(other)),
        }
    }

    /// What an expression brings into a register, and into which.
    fn loaded(&mut self, expr: &Expr) -> Option<(Reg, Held)> {
        Some(match expr {
            Expr::Fib { result, flags, dreg } => (*dreg, Held::Field(fib(*result, *flags))),
            Expr::Numgen { dreg, modulus, random, offset } => {
                let kind = if *random { "random" } else { "inc" };
                let text = format!("numgen {kind} mod {modulus}{}", offset_text(*offset));
                (*dreg, Held::Field(Field::plain(text, Kind::Host, 4)))
            }
            Expr::Hash { of, dreg, modulus, offset } => {
                let text = format!("{} mod {modulus}{}", self.hash(*of), offset_text(*offset));
                (*dreg, Held::Field(Field::plain(text, Kind::Host, 4)))
            }
            Expr::Exthdr { field, dreg } => {
                let kind = if field.present { Kind::Exists } else { Kind::Number };
                (*dreg, Held::Field(Field::plain(exthdr(*field), kind, field.len)))
            }
            Expr::Rt { key, dreg } => (*dreg, Held::Field(rt(*key))),
            Expr::Socket { key, level, dreg } => (*dreg, Held::Field(socket(*key, *level))),
            Expr::Byteorder { sreg, dreg, .. } => (*dreg, self.held(*sreg).cloned()?),
            Expr::Shift { sreg, dreg, right, by, .. } => {
                let from = self.value(*sreg, Kind::Host);
                let sign = if *right { ">>" } else { "<<" };
                (*dreg, Held::Text(format!("{from} {sign} {by}")))
            }
            _ => return None,
        })
    }

    fn dynset(
        &mut self,
        set: &str,
        op: SetOp,
        (key, data): (Reg, Option<Reg>),
        timeout: Option<u64>,
        exprs: &[Expr],
    ) {
        let len = self.sets.iter().find(|s| s.name == set).map_or(0, |s| s.key_len);
        let names: Vec<String> = self.keys(key, len).into_iter().map(|f| f.name).collect();
        let mut text = names.join(" . ");
        if let Some(ms) = timeout {
            text += &format!(" timeout {}", duration(ms));
        }
        for expr in exprs {
            text += &format!(" {}", plain(expr));
        }
        if let Some(data) = data {
            text += &format!(" : {}", self.value(data, Kind::Bytes));
        }
        let word = match op {
            SetOp::Add => "add",
            SetOp::Update => "update",
            SetOp::Delete => "delete",
        };
        self.say(format!("{word} @{set} {{ {text} }}"));
    }

    fn hash(&mut self, of: HashOf) -> String {
        match of {
            HashOf::Flow => "symhash".to_owned(),
            HashOf::Register { sreg, len, .. } => {
                let names: Vec<String> = self.keys(sreg, len).into_iter().map(|f| f.name).collect();
                format!("jhash {}", names.join(" . "))
            }
        }
    }

    fn value(&self, reg: Reg, kind: Kind) -> String {
        self.registers_text((reg, None), kind)
    }
}

/// Expressions that need no register.
fn plain(expr: &Expr) -> String {
    let over = |over: bool| if over { "over " } else { "" };
    match expr {
        Expr::Counter { .. } => "counter".to_owned(),
        Expr::Limit { rate, unit, burst, bytes, over: o } => {
            format!("limit rate {}{}", over(*o), rate_text(*rate, *unit, *burst, *bytes))
        }
        Expr::Quota { bytes, over: o, .. } => format!("quota {}{}", over(*o), bytes_text(*bytes)),
        Expr::Connlimit { count, over: o } => format!("ct count {}{count}", over(*o)),
        Expr::Notrack => "notrack".to_owned(),
        Expr::Last { .. } => "last".to_owned(),
        Expr::Log { .. } => log(expr),
        Expr::Object { kind, name } => object(*kind, name),
        other => format!("<unknown: {}>", super::name(other)),
    }
}

fn rate_text(rate: u64, unit: u64, burst: u32, bytes: bool) -> String {
    let per = match unit {
        1 => "second".to_owned(),
        60 => "minute".to_owned(),
        3600 => "hour".to_owned(),
        86400 => "day".to_owned(),
        604_800 => "week".to_owned(),
        n => format!("{n} seconds"),
    };
    if bytes {
        let burst =
            if burst == 0 { String::new() } else { format!(" burst {}", bytes_text(burst.into())) };
        return format!("{}/{per}{burst}", bytes_text(rate));
    }
    let burst =
        if burst == 5 || burst == 0 { String::new() } else { format!(" burst {burst} packets") };
    format!("{rate}/{per}{burst}")
}

fn bytes_text(n: u64) -> String {
    match n {
        n if n > 0 && n % (1 << 20) == 0 => format!("{} mbytes", n >> 20),
        n if n > 0 && n % (1 << 10) == 0 => format!("{} kbytes", n >> 10),
        n => format!("{n} bytes"),
    }
}

/// Milliseconds as nft writes them: `1d2h3m4s`.
fn duration(ms: u64) -> String {
    let (s, rest) = (ms / 1000, ms % 1000);
    let parts =
        [(s / 86400, "d"), (s / 3600 % 24, "h"), (s / 60 % 60, "m"), (s % 60, "s"), (rest, "ms")];
    parts.into_iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect()
}

fn log(expr: &Expr) -> String {
    let Expr::Log { prefix, group, snaplen, threshold, level, flags } = expr else {
        return String::new();
    };
    const LEVELS: [&str; 8] = ["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"];
    let mut out = "log".to_owned();
    prefix.iter().for_each(|text| out += &format!(" prefix \"{text}\""));
    group.iter().for_each(|n| out += &format!(" group {n}"));
    snaplen.iter().filter(|n| **n > 0).for_each(|n| out += &format!(" snaplen {n}"));
    threshold.iter().filter(|n| **n > 0).for_each(|n| out += &format!(" queue-threshold {n}"));
    let named = level.filter(|n| *n != 4).and_then(|n| LEVELS.get(n as usize));
    named.iter().for_each(|name| out += &format!(" level {name}"));
    flags.iter().filter(|n| **n == 0x1f).for_each(|_| out += " flags all");
    out
}

fn object(kind: ObjectKind, name: &str) -> String {
    match kind {
        ObjectKind::Counter => format!("counter name \"{name}\""),
        ObjectKind::Quota => format!("quota name \"{name}\""),
        ObjectKind::Limit => format!("limit name \"{name}\""),
        ObjectKind::Connlimit => format!("ct count name \"{name}\""),
        ObjectKind::CtHelper => format!("ct helper set \"{name}\""),
        ObjectKind::CtTimeout => format!("ct timeout set \"{name}\""),
        ObjectKind::CtExpectation => format!("ct expectation set \"{name}\""),
        ObjectKind::Secmark => format!("meta secmark set \"{name}\""),
        ObjectKind::Synproxy => format!("synproxy name \"{name}\""),
        ObjectKind::Tunnel => format!("tunnel name \"{name}\""),
        ObjectKind::Other(n) => format!("<unknown: object {n} {name}>"),
    }
}

fn fib(result: FibResult, flags: u32) -> Field {
    const NAMES: [(u32, &str); 5] =
        [(1, "saddr"), (2, "daddr"), (4, "mark"), (8, "iif"), (16, "oif")];
    let of: Vec<&str> = NAMES.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, n)| *n).collect();
    let (what, kind, len) = match result {
        FibResult::Oif if flags & 32 != 0 => ("oif", Kind::Exists, 1),
        FibResult::Oif => ("oif", Kind::Host, 4),
        FibResult::OifName => ("oifname", Kind::LinkName, 16),
        FibResult::AddrType => ("type", Kind::AddrType, 4),
    };
    Field::plain(format!("fib {} {what}", of.join(" . ")), kind, len)
}

fn rt(key: RtKey) -> Field {
    match key {
        RtKey::Classid => Field::plain("rt classid".to_owned(), Kind::Host, 4),
        RtKey::Nexthop4 => Field::plain("rt ip nexthop".to_owned(), Kind::Ip4, 4),
        RtKey::Nexthop6 => Field::plain("rt ip6 nexthop".to_owned(), Kind::Ip6, 16),
        RtKey::TcpMss => Field::plain("rt mtu".to_owned(), Kind::Host, 2),
        RtKey::Xfrm => Field::plain("rt ipsec".to_owned(), Kind::Exists, 1),
        RtKey::Other(n) => Field::unknown(format!("<unknown: rt {n}>"), 4),
    }
}

fn socket(key: SocketKey, level: Option<u32>) -> Field {
    match key {
        SocketKey::Transparent => Field::plain("socket transparent".to_owned(), Kind::Host, 1),
        SocketKey::Mark => Field::plain("socket mark".to_owned(), Kind::Mark, 4),
        SocketKey::Wildcard => Field::plain("socket wildcard".to_owned(), Kind::Host, 1),
        SocketKey::CgroupV2 => {
            let level = level.unwrap_or(0);
            Field::plain(format!("socket cgroupv2 level {level}"), Kind::Bytes, 8)
        }
        SocketKey::Other(n) => Field::unknown(format!("<unknown: socket {n}>"), 4),
    }
}

fn exthdr(field: Exthdr) -> String {
    match (field.op, field.kind, field.offset) {
        (1, 2, 2) if !field.present => "tcp option maxseg size".to_owned(),
        (1, kind, _) if field.present => format!("tcp option {}", tcp_option(kind)),
        (1, kind, offset) => {
            format!("tcp option @{kind},{},{}", u64::from(offset) * 8, u64::from(field.len) * 8)
        }
        (op, kind, _) => format!("<unknown: exthdr {op} {kind}>"),
    }
}

fn tcp_option(kind: u8) -> String {
    match kind {
        2 => "maxseg".to_owned(),
        3 => "window".to_owned(),
        4 => "sack-perm".to_owned(),
        5 => "sack".to_owned(),
        8 => "timestamp".to_owned(),
        n => n.to_string(),
    }
}

fn offset_text(offset: u32) -> String {
    if offset == 0 { String::new() } else { format!(" offset {offset}") }
}
