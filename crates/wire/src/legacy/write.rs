//! [`Table`] → the blob that the kernel takes for it, as iptables-legacy would write it.

use std::collections::BTreeMap;

use model::{CmpOp, Data, Expr, Family, Hook, MetaKey, NftRule, PayloadBase, Policy, Table};
use model::{Verdict, Xt};

use super::entry::Layout;
use super::rule::{FRAGMENT, NAME, NO_LINK, WITH_PROTOCOL, goto, invert, source};
use super::{INFO, PREFIX, table};
use crate::xt;

/// Of struct ipt_replace, which the entries follow: up to the number of the old table's entries; where
/// the old counters go to; all of it.
const OLD: usize = 84;
const COUNTERS: usize = 88;
const HEAD: usize = 96;
/// sizeof(struct xt_counters): packets and bytes.
const COUNTER: usize = 16;
/// XT_EXTENSION_MAXNAMELEN and XT_FUNCTION_MAXNAMELEN.
const EXTENSION: usize = 29;
const FUNCTION: usize = 30;

/// What replaces a table: the argument of IPT_SO_SET_REPLACE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replace(Vec<u8>);

impl Replace {
    /// The bytes; what the old counters are written to stands in them as an address.
    ///
    /// `old` are the entries of the table that is there, and `counters` the address of as many struct
    /// xt_counters.
    #[must_use]
    pub fn bytes(mut self, old: u32, counters: u64) -> Vec<u8> {
        self.0[OLD..OLD + 4].copy_from_slice(&old.to_ne_bytes());
        self.0[COUNTERS..HEAD].copy_from_slice(&counters.to_ne_bytes());
        self.0
    }

    /// Bytes that the counters of so many entries take.
    #[must_use]
    pub const fn counters(old: u32) -> usize {
        old as usize * COUNTER
    }

    /// The table's name, as the kernel has it.
    #[must_use]
    pub fn name(&self) -> String {
        super::entry::text(&self.0[..32])
    }
}

/// What replaces the table of that name by this one; None if it holds what iptables-legacy cannot say.
#[must_use]
pub fn replace(table: &Table) -> Option<Replace> {
    let name = table.name.strip_prefix(PREFIX).filter(|name| name.len() < 32)?;
    let mut blob = Blob::new(Layout::of(table.family)?);
    for chain in &table.chains {
        blob.chain(chain)?;
    }
    blob.error("ERROR")?;
    blob.lead()?;
    let mut bytes = field(name.as_bytes(), 32)?;
    let words = [blob.hooks, blob.entries, u32::try_from(blob.bytes.len()).ok()?];
    for word in words.into_iter().chain(blob.first).chain(blob.policy) {
        bytes.extend(word.to_ne_bytes());
    }
    bytes.resize(HEAD, 0);
    bytes.extend(blob.bytes);
    Some(Replace(bytes))
}

/// The table as it is read once it has been written: there are several ways to say the same. None if
/// it cannot be written.
#[must_use]
pub fn as_read(of: &Table) -> Option<Table> {
    let Replace(bytes) = replace(of)?;
    // struct ipt_getinfo has the same fields in another order.
    let (name, hooks) = (&bytes[..32], &bytes[32..36]);
    let (sizes, offsets) = (&bytes[36..44], &bytes[44..OLD]);
    let info = [name, hooks, offsets, sizes].concat();
    debug_assert_eq!(info.len(), INFO, "it is struct ipt_getinfo");
    let mut read = table(of.family, &info, &bytes[HEAD..])?;
    for (named, of) in read.ip_sets_mut().zip(of.ip_sets()) {
        named.name.clone_from(&of.name);
    }
    Some(read)
}

/// The entries as far as they are written.
struct Blob<'t> {
    layout: Layout,
    bytes: Vec<u8>,
    entries: u32,
    hooks: u32,
    first: [u32; 5],
    policy: [u32; 5],
    /// Where chains of one's own begin.
    chains: BTreeMap<&'t str, u32>,
    /// Where it is to be said, and of which chain.
    jumps: Vec<(usize, &'t str)>,
}

impl<'t> Blob<'t> {
    const fn new(layout: Layout) -> Self {
        Self {
            layout,
            bytes: Vec::new(),
            entries: 0,
            hooks: 0,
            first: [0; 5],
            policy: [0; 5],
            chains: BTreeMap::new(),
            jumps: Vec::new(),
        }
    }

    fn at(&self) -> Option<u32> {
        u32::try_from(self.bytes.len()).ok()
    }

    fn chain(&mut self, chain: &'t model::Chain) -> Option<()> {
        let hook = match &chain.base {
            Some(base) => Some((number(base.hook)?, base.policy)),
            None => {
                self.error(&chain.name)?;
                let begin = self.at()?;
                self.chains.insert(&chain.name, begin);
                None
            }
        };
        let first = self.at()?;
        for rule in &chain.rules {
            self.rule(rule)?;
        }
        let end = self.at()?;
        match hook {
            None => self.verdict(&Verdict::Return)?,
            Some((hook, policy)) => {
                self.hooks |= 1 << hook;
                (self.first[hook], self.policy[hook]) = (first, end);
                self.verdict(match policy {
                    Policy::Accept => &Verdict::Accept,
                    Policy::Drop => &Verdict::Drop,
                })?;
            }
        }
        Some(())
    }

    /// What stands before a chain of one's own, and at the end of all.
    fn error(&mut self, name: &str) -> Option<()> {
        let target = extension("ERROR", 0, &aligned(field(name.as_bytes(), FUNCTION)?))?;
        self.entry(&Asked::of(self.layout), target)
    }

    fn verdict(&mut self, verdict: &Verdict) -> Option<()> {
        let target = standard(code(verdict)?)?;
        self.entry(&Asked::of(self.layout), target)
    }

    fn rule(&mut self, rule: &'t NftRule) -> Option<()> {
        let mut asked = Asked::of(self.layout);
        let mut exprs = rule.exprs.as_slice();
        while !exprs.is_empty() {
            match asked.take(exprs)? {
                Taken::Rest(rest) => exprs = rest,
                Taken::Does(does) => return self.does(asked, does),
            }
        }
        // On to the next entry, by its offset.
        let size = asked.head.len() + asked.matches.len() + standard(0)?.len();
        let next = self.at()?.checked_add(u32::try_from(size).ok()?)?;
        self.entry(&asked, standard(next.cast_signed())?)
    }

    fn does(&mut self, mut asked: Asked, does: &'t Expr) -> Option<()> {
        match does {
            Expr::Target(xt) => self.entry(&asked, xt_struct(xt)?),
            Expr::Immediate { data: Data::Verdict(verdict), .. } => {
                if let Verdict::Jump(to) | Verdict::Goto(to) = verdict {
                    if matches!(verdict, Verdict::Goto(_)) {
                        asked.head[self.layout.flags] |= goto(self.layout.family);
                    }
                    self.entry(&asked, standard(0)?)?;
                    self.jumps.push((self.bytes.len() - 8, to));
                    return Some(());
                }
                self.entry(&asked, standard(code(verdict)?)?)
            }
            _ => None,
        }
    }

    fn entry(&mut self, asked: &Asked, target: Vec<u8>) -> Option<()> {
        let offset = asked.head.len() + asked.matches.len();
        let (target_at, next) = (u16::try_from(offset), u16::try_from(offset + target.len()));
        let mut head = asked.head.clone();
        let place = self.layout.offsets;
        head[place..place + 2].copy_from_slice(&target_at.ok()?.to_ne_bytes());
        head[place + 2..place + 4].copy_from_slice(&next.ok()?.to_ne_bytes());
        self.bytes.extend(head);
        self.bytes.extend(&asked.matches);
        self.bytes.extend(target);
        self.entries += 1;
        Some(())
    }

    /// Says where chains begin, now that it is known.
    fn lead(&mut self) -> Option<()> {
        for (place, name) in std::mem::take(&mut self.jumps) {
            let to = self.chains.get(name)?;
            self.bytes[place..place + 4].copy_from_slice(&to.to_ne_bytes());
        }
        Some(())
    }
}

const fn number(hook: Hook) -> Option<usize> {
    Some(match hook {
        Hook::Prerouting => 0,
        Hook::Input => 1,
        Hook::Forward => 2,
        Hook::Output => 3,
        Hook::Postrouting => 4,
        _ => return None,
    })
}

/// The negative of a verdict, less one.
const fn code(verdict: &Verdict) -> Option<i32> {
    Some(match verdict {
        Verdict::Drop => -1,
        Verdict::Accept => -2,
        Verdict::Queue(_) => -4,
        Verdict::Return => -5,
        _ => return None,
    })
}

/// struct xt_standard_target.
fn standard(code: i32) -> Option<Vec<u8>> {
    extension("", 0, &aligned(code.to_ne_bytes().to_vec()))
}

fn xt_struct(ext: &Xt) -> Option<Vec<u8>> {
    extension(&ext.name, ext.revision, &aligned(xt::encode(ext)))
}

/// struct xt_entry_match, the same as xt_entry_target.
fn extension(name: &str, revision: u32, info: &[u8]) -> Option<Vec<u8>> {
    const HEAD: usize = 32;
    let mut bytes = u16::try_from(HEAD + info.len()).ok()?.to_ne_bytes().to_vec();
    bytes.extend(field(name.as_bytes(), EXTENSION)?);
    bytes.push(u8::try_from(revision).ok()?);
    bytes.extend(info);
    Some(bytes)
}

/// XT_ALIGN.
fn aligned(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

fn field(text: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut bytes = text.to_vec();
    (bytes.len() < size).then(|| bytes.resize(size, 0))?;
    Some(bytes)
}

/// What a rule asks of a packet.
struct Asked {
    layout: Layout,
    head: Vec<u8>,
    matches: Vec<u8>,
}

/// What has been made of the first expressions.
enum Taken<'e> {
    /// They ask for something; these follow.
    Rest(&'e [Expr]),
    /// The rule ends with what it does.
    Does(&'e Expr),
}

impl Asked {
    fn of(layout: Layout) -> Self {
        Self { layout, head: vec![0; layout.matches], matches: Vec::new() }
    }

    /// None: iptables-legacy cannot ask for it.
    fn take<'e>(&mut self, exprs: &'e [Expr]) -> Option<Taken<'e>> {
        let rest = match exprs {
            [Expr::Meta { key, .. }, Expr::Cmp { op, data, .. }, rest @ ..] => {
                let inverted = inverted(*op)?;
                match key {
                    MetaKey::IifName => self.link(0, invert::VIA_IN, inverted, data)?,
                    MetaKey::OifName => self.link(1, invert::VIA_OUT, inverted, data)?,
                    MetaKey::L4proto => self.protocol(inverted, data)?,
                    _ => return None,
                }
                rest
            }
            // Any link at all.
            [Expr::Meta { key: MetaKey::IifName, .. }, rest @ ..] => {
                self.link(0, invert::VIA_IN, false, &[])?;
                rest
            }
            [Expr::Meta { key: MetaKey::OifName, .. }, rest @ ..] => {
                self.link(1, invert::VIA_OUT, false, &[])?;
                rest
            }
            [
                Expr::Payload { base: PayloadBase::Network, offset, .. },
                Expr::Bitwise { mask, .. },
                Expr::Cmp { op, data, .. },
                rest @ ..,
            ] => {
                self.payload(*offset, mask, inverted(*op)?, data)?;
                rest
            }
            [
                Expr::Payload { base: PayloadBase::Network, offset, .. },
                Expr::Cmp { op, data, .. },
                rest @ ..,
            ] => {
                self.payload(*offset, &vec![0xff; data.len()], inverted(*op)?, data)?;
                rest
            }
            [Expr::Match(xt), rest @ ..] => {
                self.matches.extend(xt_struct(xt)?);
                rest
            }
            [Expr::Counter { .. }, rest @ ..] => rest,
            [does @ (Expr::Target(_) | Expr::Immediate { .. })] => return Some(Taken::Does(does)),
            _ => return None,
        };
        Some(Taken::Rest(rest))
    }

    fn put(&mut self, at: usize, bytes: &[u8]) -> Option<()> {
        self.head.get_mut(at..at + bytes.len())?.copy_from_slice(bytes);
        Some(())
    }

    fn invert(&mut self, bit: u8, inverted: bool) {
        if inverted {
            self.head[self.layout.invert] |= bit;
        }
    }

    /// Its name, or the beginning of it. What can never be is the opposite of any link at all.
    fn link(&mut self, n: usize, bit: u8, inverted: bool, data: &[u8]) -> Option<()> {
        let never = data == NO_LINK && !inverted;
        let known = if never { &[] } else { data };
        (known.len() <= NAME).then_some(())?;
        let place = self.layout.links + NAME * n;
        self.put(place, known)?;
        if !known.ends_with(&[0]) && known.len() < NAME {
            self.put(place + known.len(), b"+")?;
        }
        self.put(place + NAME * 2, &vec![0xff; known.len()])?;
        self.invert(bit, inverted || never);
        Some(())
    }

    fn protocol(&mut self, inverted: bool, data: &[u8]) -> Option<()> {
        let [number] = data else { return None };
        self.put(self.layout.protocol, &u16::from(*number).to_ne_bytes())?;
        if self.layout.family == Family::Ip6 {
            self.head[self.layout.flags] |= WITH_PROTOCOL;
        }
        self.invert(invert::PROTOCOL, inverted);
        Some(())
    }

    fn payload(&mut self, offset: u32, mask: &[u8], inverted: bool, data: &[u8]) -> Option<()> {
        let (first, size) = (source(self.layout.family), self.layout.address);
        let offset = usize::try_from(offset).ok()?;
        if offset == 6 && (mask, data) == (&[0x1f, 0xff], &[0, 0]) && first == 12 {
            self.head[self.layout.flags] |= FRAGMENT;
            self.invert(invert::FRAGMENT, !inverted);
            return Some(());
        }
        let n = offset.checked_sub(first)? / size;
        let fits = n < 2 && offset == first + n * size && data.len() <= size;
        (fits && mask.len() == data.len()).then_some(())?;
        self.put(n * size, data)?;
        self.put((n + 2) * size, mask)?;
        self.invert([invert::SOURCE, invert::DESTINATION][n], inverted);
        Some(())
    }
}

const fn inverted(op: CmpOp) -> Option<bool> {
    match op {
        CmpOp::Eq => Some(false),
        CmpOp::Neq => Some(true),
        _ => None,
    }
}
