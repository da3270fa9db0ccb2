//! What a bridge is for, found out from the state of its namespace.

use ipnet::{IpNet, Ipv4Net};
use model::{
    CmpOp, Data, Expr, Hook, Link, Namespace, NftRule, PayloadBase, Reg, Route, RouteKind,
    TABLE_LOCAL, Table, Verdict, XtInfo,
};

/// `L2 only`, `L2 switch with the host's own address`, `L3: routes …`.
pub(crate) fn role(ns: &Namespace, bridge: &Link) -> String {
    let nets: Vec<Ipv4Net> = ns
        .addresses_of(bridge.index)
        .filter_map(|a| match a.net {
            IpNet::V4(n) => Some(n.trunc()),
            IpNet::V6(_) => None,
        })
        .collect();
    if nets.is_empty() {
        return "L2 only".to_owned();
    }
    let (nat, plain): (Vec<Ipv4Net>, Vec<Ipv4Net>) =
        nets.iter().partition(|n| is_translated(ns, **n));
    let routed = !nat.is_empty() || leads_elsewhere(ns, bridge);
    if !ns.sysctls.ip_forward || is_way_out(ns, bridge) || !routed {
        return "L2 switch with the host's own address".to_owned();
    }
    let list =
        |nets: &[Ipv4Net]| nets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match (nat.is_empty(), plain.is_empty()) {
        (true, _) => format!("L3: routes {}", list(&plain)),
        (false, true) => format!("L3: routes and translates {}", list(&nat)),
        (false, false) => {
            format!("L3: routes {}, and translates {}", list(&plain), list(&nat))
        }
    }
}

/// The default route leads out by this bridge: what comes in by it has nowhere else to go.
fn is_way_out(ns: &Namespace, bridge: &Link) -> bool {
    let default = routes(ns).filter(|r| r.dst.prefix_len() == 0).min_by_key(|r| r.metric);
    default.is_some_and(|r| r.nexthops.iter().any(|h| h.link == bridge.index))
}

/// There is something that can be reached by another link.
fn leads_elsewhere(ns: &Namespace, bridge: &Link) -> bool {
    routes(ns).flat_map(|r| &r.nexthops).any(|h| h.link != bridge.index)
}

fn routes(ns: &Namespace) -> impl Iterator<Item = &Route> {
    ns.routes.iter().filter(|r| {
        r.table != TABLE_LOCAL && r.kind == RouteKind::Unicast && r.dst.addr().is_ipv4()
    })
}

/// Whether packets from this subnet get another source on their way out.
pub(crate) fn is_translated(ns: &Namespace, net: Ipv4Net) -> bool {
    ns.ruleset.tables.iter().filter(|t| t.flags & 1 == 0).any(|table| {
        table
            .chains
            .iter()
            .filter(|c| {
                c.base.as_ref().is_some_and(|b| b.kind == "nat" && b.hook == Hook::Postrouting)
            })
            .any(|c| chain_translates(table, &c.rules, net, 0))
    })
}

fn chain_translates(table: &Table, rules: &[NftRule], net: Ipv4Net, depth: usize) -> bool {
    // The kernel allows 16 jumps; a loop in what was read must not hang us.
    depth < 16 && rules.iter().any(|r| rule_translates(table, r, net, depth))
}

/// Whether a rule applies to the whole subnet and changes the source, itself or by a jump.
fn rule_translates(table: &Table, rule: &NftRule, net: Ipv4Net, depth: usize) -> bool {
    let mut source = SourceMatch::default();
    for e in &rule.exprs {
        if !source.allows(e, net) {
            return false;
        }
        match e {
            Expr::Masq { .. } => return true,
            Expr::Nat { kind: model::NatKind::Snat, .. } => return true,
            Expr::Target(xt) if ["MASQUERADE", "SNAT"].contains(&xt.name.as_str()) => {
                return matches!(xt.info, XtInfo::Nat(_) | XtInfo::Opaque(_));
            }
            Expr::Immediate {
                data: Data::Verdict(Verdict::Jump(to) | Verdict::Goto(to)), ..
            } => {
                let rules = table.chain(to).map(|c| c.rules.as_slice());
                if rules.is_some_and(|r| chain_translates(table, r, net, depth + 1)) {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

/// Follows the register that holds the source address.
#[derive(Default)]
struct SourceMatch {
    reg: Option<Reg>,
    mask: Option<u32>,
}

/// Where an IPv4 header has its source.
const SOURCE_OFFSET: u32 = 12;

impl SourceMatch {
    /// False once a comparison of the source excludes some of `net`.
    fn allows(&mut self, e: &Expr, net: Ipv4Net) -> bool {
        match e {
            Expr::Payload { base: PayloadBase::Network, offset: SOURCE_OFFSET, len, dreg } => {
                self.reg = Some(*dreg);
                self.mask = Some(leading(*len * 8));
                true
            }
            Expr::Payload { dreg, .. } | Expr::Meta { dreg, .. } | Expr::Ct { dreg, .. } => {
                if self.reg == Some(*dreg) {
                    self.reg = None;
                }
                true
            }
            Expr::Bitwise { sreg, dreg, mask, .. } if Some(*sreg) == self.reg => {
                self.reg = Some(*dreg);
                self.mask = Some(number(mask));
                true
            }
            Expr::Cmp { sreg, op, data } if Some(*sreg) == self.reg => {
                let mask = self.mask.unwrap_or(u32::MAX);
                let wanted = number(data);
                let first = u32::from(net.network());
                let covers = mask & u32::from(net.netmask()) == mask && first & mask == wanted;
                let misses =
                    first & mask & u32::from(net.netmask()) != wanted & u32::from(net.netmask());
                match op {
                    CmpOp::Eq => covers,
                    CmpOp::Neq => misses,
                    CmpOp::Lt | CmpOp::Lte | CmpOp::Gt | CmpOp::Gte => false,
                }
            }
            _ => true,
        }
    }
}

/// The first `bits` of an address.
fn leading(bits: u32) -> u32 {
    if bits >= 32 { u32::MAX } else { !(u32::MAX >> bits) }
}

/// Up to four bytes as the leading part of an address.
fn number(bytes: &[u8]) -> u32 {
    let mut all = [0; 4];
    for (to, from) in all.iter_mut().zip(bytes) {
        *to = *from;
    }
    u32::from_be_bytes(all)
}
