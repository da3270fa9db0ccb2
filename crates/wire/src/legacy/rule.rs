//! What an entry asks for and does, as expressions.

use std::collections::BTreeMap;

use model::{CmpOp, Data, Expr, Family, MetaKey, PayloadBase, Reg, Verdict, Xt};

use super::entry::{Entry, Extension, Kind, u16_at};
use crate::xt;

/// IP6T_F_PROTO: IPv6 asks for the protocol only then.
pub(super) const WITH_PROTOCOL: u8 = 1;
/// IPT_F_FRAG.
pub(super) const FRAGMENT: u8 = 1;
/// IPT_INV_*.
pub(super) mod invert {
    pub(in super::super) const VIA_IN: u8 = 1;
    pub(in super::super) const VIA_OUT: u8 = 2;
    pub(in super::super) const SOURCE: u8 = 8;
    pub(in super::super) const DESTINATION: u8 = 16;
    pub(in super::super) const FRAGMENT: u8 = 32;
    pub(in super::super) const PROTOCOL: u8 = 64;
}

/// IFNAMSIZ.
pub(super) const NAME: usize = 16;
/// What iptables-nft compares with where no link at all is asked for: no link is called so.
pub(super) const NO_LINK: &[u8] = b"INVAL/D\0";
const REG: Reg = Reg(1);

/// The expressions of a rule; None if it jumps to where no chain begins.
pub(super) fn exprs(entry: &Entry<'_>, chains: &BTreeMap<u32, String>) -> Option<Vec<Expr>> {
    let mut out = Vec::new();
    head(entry, &mut out)?;
    out.extend(entry.matches.iter().map(|m| Expr::Match(extension(m))));
    out.push(Expr::Counter { packets: 0, bytes: 0 });
    let verdict = match &entry.kind {
        Kind::Falls => return Some(out),
        Kind::Begins(_) => return None,
        Kind::Target(target) => {
            out.push(Expr::Target(extension(target)));
            return Some(out);
        }
        Kind::Verdict(verdict) => verdict.clone(),
        Kind::Jump(to) => {
            let goto = entry.head[entry.layout.flags] & goto(entry.layout.family) != 0;
            let name = chains.get(to)?.clone();
            if goto { Verdict::Goto(name) } else { Verdict::Jump(name) }
        }
    };
    out.push(Expr::Immediate { dreg: Reg(0), data: Data::Verdict(verdict) });
    Some(out)
}

/// IPT_F_GOTO, and IP6T_F_GOTO.
pub(super) const fn goto(family: Family) -> u8 {
    if matches!(family, Family::Ip6) { 4 } else { 2 }
}

/// Where the source is in the header; the destination follows it.
pub(super) const fn source(family: Family) -> usize {
    if matches!(family, Family::Ip6) { 8 } else { 12 }
}

fn extension(of: &Extension<'_>) -> Xt {
    let info = xt::decode(&of.name, of.revision, of.info);
    Xt { name: of.name.clone(), revision: of.revision, info }
}

fn head(entry: &Entry<'_>, out: &mut Vec<Expr>) -> Option<()> {
    let (layout, head) = (entry.layout, entry.head);
    let inverted = |bit: u8| head[layout.invert] & bit != 0;
    let name = |n: usize| {
        let mask = layout.links + NAME * (n + 2);
        let name = head.get(layout.links + NAME * n..)?.get(..NAME)?;
        let covered = head.get(mask..mask + NAME)?.iter().take_while(|b| **b != 0).count();
        Some(name[..covered.min(NAME)].to_vec())
    };
    for (n, key, bit) in
        [(0, MetaKey::IifName, invert::VIA_IN), (1, MetaKey::OifName, invert::VIA_OUT)]
    {
        let (data, inverted) = (name(n)?, inverted(bit));
        let any = data.is_empty() && !inverted;
        let said = head.get(layout.links + NAME * n) != Some(&0);
        if !any || said {
            out.push(Expr::Meta { key, dreg: REG });
        }
        match data.is_empty() {
            _ if any => {}
            true => out.push(compare(NO_LINK.to_vec(), false)),
            false => out.push(compare(data, inverted)),
        }
    }
    let protocol = u16_at(head, layout.protocol)?;
    let asked = layout.family == Family::Ip || head[layout.flags] & WITH_PROTOCOL != 0;
    if protocol != 0 && asked {
        out.push(Expr::Meta { key: MetaKey::L4proto, dreg: REG });
        let data = vec![u8::try_from(protocol).ok()?];
        out.push(compare(data, inverted(invert::PROTOCOL)));
    }
    addresses(entry, out)?;
    // Only IPv4 has fragments that are known by the header itself.
    if layout.family == Family::Ip && head[layout.flags] & FRAGMENT != 0 {
        let base = PayloadBase::Network;
        out.push(Expr::Payload { base, offset: 6, len: 2, dreg: REG });
        out.push(mask(vec![0x1f, 0xff]));
        out.push(compare(vec![0, 0], !inverted(invert::FRAGMENT)));
    }
    Some(())
}

/// Source, destination, and the mask of each.
fn addresses(entry: &Entry<'_>, out: &mut Vec<Expr>) -> Option<()> {
    let (layout, head) = (entry.layout, entry.head);
    let size = layout.address;
    let first = source(layout.family);
    for (n, bit) in [(0, invert::SOURCE), (1, invert::DESTINATION)] {
        let field = |n: usize| Some(head.get(n * size..)?.get(..size)?.to_vec());
        let (address, bits) = (field(n)?, field(n + 2)?);
        let inverted = head[layout.invert] & bit != 0;
        if bits.iter().all(|b| *b == 0) && !inverted {
            continue;
        }
        let (offset, len) = (u32::try_from(first + n * size).ok()?, u32::try_from(size).ok()?);
        out.push(Expr::Payload { base: PayloadBase::Network, offset, len, dreg: REG });
        if bits.iter().any(|b| *b != 0xff) {
            out.push(mask(bits));
        }
        out.push(compare(address, inverted));
    }
    Some(())
}

fn mask(bits: Vec<u8>) -> Expr {
    let len = u32::try_from(bits.len()).unwrap_or(0);
    Expr::Bitwise { sreg: REG, dreg: REG, len, xor: vec![0; bits.len()], mask: bits }
}

fn compare(data: Vec<u8>, inverted: bool) -> Expr {
    Expr::Cmp { sreg: REG, op: if inverted { CmpOp::Neq } else { CmpOp::Eq }, data }
}
