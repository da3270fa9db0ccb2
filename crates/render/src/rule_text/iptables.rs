//! A rule as `iptables -S` prints it.

use model::{CmpOp, Data, Expr, MetaKey, PayloadBase, Reg, Verdict, Xt};

use super::number::{be16, host32, masked, padded, protocol};
use super::xt;

/// The text: addresses, links and protocol first, then the matches in their order, then the target.
pub(super) fn rule(exprs: &[Expr]) -> String {
    let mut reader = Reader::default();
    for expr in exprs {
        reader.expr(expr);
    }
    reader.finish()
}

/// What is in the register.
enum Load<'a> {
    Meta(MetaKey),
    Payload(PayloadBase, u32, u32),
    Unknown(&'a str),
}

/// What a comparison is with.
enum Test<'a> {
    Cmp(CmpOp, &'a [u8]),
    Range(bool, &'a [u8], &'a [u8]),
}

/// A match: of ports, which later expressions may add to, or any other.
enum Match {
    Ports(xt::Ports),
    Text(String),
}

#[derive(Default)]
struct Reader<'a> {
    load: Option<(Reg, Load<'a>)>,
    mask: Option<&'a [u8]>,
    /// In the order of printing: `-s`, `-d`, `-i`, `-o`, `-p`, `-f`.
    head: [Option<String>; 6],
    protocol: Option<u8>,
    matches: Vec<Match>,
    target: Option<String>,
}

impl<'a> Reader<'a> {
    fn expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Meta { key, dreg } => self.load(*dreg, Load::Meta(*key)),
            Expr::Payload { base, offset, len, dreg } => {
                self.load(*dreg, Load::Payload(*base, *offset, *len));
            }
            Expr::Bitwise { sreg, dreg, mask, xor, .. } => {
                if sreg == dreg && xor.iter().all(|b| *b == 0) && self.mask.is_none() {
                    self.mask = Some(mask);
                } else {
                    self.load(*dreg, Load::Unknown("bitwise"));
                }
            }
            Expr::Cmp { op, data, sreg } => self.test(*sreg, &Test::Cmp(*op, data)),
            Expr::Range { op, from, to, sreg } => {
                self.test(*sreg, &Test::Range(*op == CmpOp::Neq, from, to));
            }
            Expr::Counter { .. } => {}
            Expr::Immediate { data: Data::Verdict(verdict), .. } => {
                self.target = Some(verdict_text(verdict));
            }
            Expr::Match(ext) => self.xt_match(ext),
            Expr::Target(ext) => self.target = Some(xt::target(ext, false)),
            Expr::Hidden { what, .. } => {
                self.matches.push(Match::Text(format!("<hidden: {what}>")));
            }
            Expr::Opaque { name, .. } => self.unknown(name),
            Expr::Limit { rate, unit, burst, bytes: false, over: false } => {
                self.matches.push(Match::Text(xt::limit(*rate, *unit, *burst)));
            }
            Expr::Immediate { .. } => self.unknown("immediate"),
            other => self.unknown(super::nft::name(other)),
        }
    }

    fn load(&mut self, reg: Reg, load: Load<'a>) {
        (self.load, self.mask) = (Some((reg, load)), None);
    }

    fn unknown(&mut self, name: &str) {
        self.matches.push(Match::Text(format!("<unknown: {name}>")));
    }

    fn xt_match(&mut self, ext: &Xt) {
        self.matches.push(match xt::ports(ext) {
            Some(ports) => Match::Ports(ports),
            None => Match::Text(xt::matching(ext)),
        });
    }

    fn test(&mut self, reg: Reg, test: &Test<'_>) {
        let mask = self.mask.take();
        let (name, understood) = match self.load.take() {
            Some((to, Load::Meta(key))) if to == reg => ("meta", self.meta(key, mask, test)),
            Some((to, Load::Payload(base, offset, len))) if to == reg => {
                let understood = match base {
                    PayloadBase::Network => self.network(offset, len, mask, test),
                    PayloadBase::Transport => self.transport(offset, len, mask, test),
                    PayloadBase::LinkLayer | PayloadBase::Inner | PayloadBase::Other(_) => None,
                };
                ("payload", understood)
            }
            Some((_, Load::Unknown(name))) => (name, None),
            _ => ("cmp", None),
        };
        if understood.is_none() {
            self.unknown(name);
        }
    }

    fn meta(&mut self, key: MetaKey, mask: Option<&[u8]>, test: &Test<'_>) -> Option<()> {
        let (invert, data) = test.equal()?;
        match (key, mask) {
            (MetaKey::IifName, None) => self.head(2, "-i", invert, &link(data)),
            (MetaKey::OifName, None) => self.head(3, "-o", invert, &link(data)),
            (MetaKey::L4proto, None) => {
                let [number] = *data else { return None };
                self.protocol = (!invert).then_some(number);
                self.head(4, "-p", invert, &protocol(number))
            }
            (MetaKey::Mark, mask) => {
                let mask = mask.map_or(Some(u32::MAX), host32)?;
                let text = xt::mark(host32(data)?, mask, invert);
                self.matches.push(Match::Text(text));
                Some(())
            }
            _ => None,
        }
    }

    fn network(
        &mut self,
        offset: u32,
        len: u32,
        mask: Option<&[u8]>,
        test: &Test<'_>,
    ) -> Option<()> {
        let (invert, data) = test.equal()?;
        if (offset, len, mask) == (6, 2, Some(&[0x1f, 0xff])) && data == [0, 0] {
            self.head[5] = Some(if invert { "-f" } else { "! -f" }.to_owned());
            return Some(());
        }
        let (place, option) = match offset {
            12 => (0, "-s"),
            16 => (1, "-d"),
            _ => return None,
        };
        let whole = vec![0xff; usize::try_from(len).ok().filter(|len| *len == data.len())?];
        let mask = padded(mask.unwrap_or(&whole))?;
        self.head(place, option, invert, &masked(padded(data)?, mask))
    }

    fn transport(
        &mut self,
        offset: u32,
        len: u32,
        mask: Option<&[u8]>,
        test: &Test<'_>,
    ) -> Option<()> {
        let name = protocol(self.protocol?);
        if (offset, len) == (13, 1) && name == "tcp" {
            let (invert, data) = test.equal()?;
            let ([compare], [mask]) = (data, mask.unwrap_or(&[0xff])) else { return None };
            self.ports(name).flags = Some((*mask, *compare, invert));
            return Some(());
        }
        if let (0, 4, None, (invert, &[a, b, c, d])) =
            (offset, len, mask, test.equal().unwrap_or_default())
        {
            let one = |port| xt::Range { invert, first: port, last: port };
            let ports = self.ports(name);
            ports.source = Some(one(u16::from_be_bytes([a, b])));
            ports.destination = Some(one(u16::from_be_bytes([c, d])));
            return Some(());
        }
        let range = if mask.is_none() && len == 2 { test.range() } else { None };
        match (offset, range?) {
            (0, range) => self.ports(name).source = Some(range),
            (2, range) => self.ports(name).destination = Some(range),
            _ => return None,
        }
        Some(())
    }

    /// The match of ports that expressions add to.
    fn ports(&mut self, name: String) -> &mut xt::Ports {
        let own = |m: &Match| matches!(m, Match::Ports(ports) if ports.name == name);
        let place = self.matches.iter().position(own).unwrap_or(self.matches.len());
        if place == self.matches.len() {
            self.matches.push(Match::Ports(xt::Ports::default()));
        }
        match &mut self.matches[place] {
            Match::Ports(ports) => {
                ports.name = name;
                ports
            }
            Match::Text(_) => unreachable!("the place is one of ports"),
        }
    }

    /// A second one of the same cannot be said.
    fn head(&mut self, place: usize, option: &str, invert: bool, value: &str) -> Option<()> {
        let (invert, value) = if value == NO_LINK { (true, "+") } else { (invert, value) };
        let not = if invert { "! " } else { "" };
        let free = self.head[place].is_none();
        self.head[place] = Some(format!("{not}{option} {value}"));
        free.then_some(())
    }

    fn finish(self) -> String {
        let matches = self.matches.into_iter().map(|m| match m {
            Match::Ports(ports) => ports.text(),
            Match::Text(text) => text,
        });
        let words: Vec<String> =
            self.head.into_iter().flatten().chain(matches).chain(self.target).collect();
        words.join(" ")
    }
}

/// What iptables-nft compares with where no link is to match.
const NO_LINK: &str = "INVAL/D";

/// With its NUL it is a name, without the beginning of one.
fn link(data: &[u8]) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match data.iter().position(|b| *b == 0) {
        Some(end) => text(&data[..end]),
        None => text(data) + "+",
    }
}

fn verdict_text(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Accept => "-j ACCEPT".to_owned(),
        Verdict::Drop => "-j DROP".to_owned(),
        Verdict::Return => "-j RETURN".to_owned(),
        Verdict::Jump(chain) => format!("-j {chain}"),
        Verdict::Goto(chain) => format!("-g {chain}"),
        Verdict::Queue(code) => format!("-j NFQUEUE --queue-num {}", code >> 16),
        Verdict::Continue => "<unknown: continue>".to_owned(),
        Verdict::Break => "<unknown: break>".to_owned(),
    }
}

impl<'t> Test<'t> {
    /// Inverted, and with what; None if it is another comparison.
    const fn equal(&self) -> Option<(bool, &'t [u8])> {
        match self {
            Self::Cmp(CmpOp::Eq, data) => Some((false, data)),
            Self::Cmp(CmpOp::Neq, data) => Some((true, data)),
            _ => None,
        }
    }

    /// As a range of ports.
    fn range(&self) -> Option<xt::Range> {
        let (invert, first, last) = match self {
            Self::Range(invert, from, to) => (*invert, be16(from)?, be16(to)?),
            Self::Cmp(op, data) => {
                let port = be16(data)?;
                match op {
                    CmpOp::Eq => (false, port, port),
                    CmpOp::Neq => (true, port, port),
                    CmpOp::Lte => (false, 0, port),
                    CmpOp::Gte => (false, port, u16::MAX),
                    CmpOp::Lt => (false, 0, port.checked_sub(1)?),
                    CmpOp::Gt => (false, port.checked_add(1)?, u16::MAX),
                }
            }
        };
        Some(xt::Range { invert, first, last })
    }
}
