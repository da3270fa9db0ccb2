//! Ports that rules hand on to containers.

use std::net::IpAddr;

use model::{Expr, NatKind, NftRule, NsId, PayloadBase, Reg, Snapshot, XtInfo};
use walk::{Protocol, RuleRef};

use crate::patient::rules;

/// A port that a rule translates to an address behind the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The rule.
    pub rule: RuleRef,
    /// The port that is asked for.
    pub protocol: Protocol,
    /// Whom it is handed on to.
    pub to: IpAddr,
    /// At this address only.
    pub at: Option<IpAddr>,
}

impl Published {
    /// Where.
    pub(crate) const fn ns(&self) -> NsId {
        self.rule.chain.ns
    }
}

/// All of them.
pub(crate) fn published(snapshot: &Snapshot) -> Vec<Published> {
    let all = snapshot.namespaces.values().flat_map(rules);
    all.filter_map(|(name, _, rule)| {
        let to = target(rule)?;
        let protocol = protocol(rule)?;
        Some(Published { rule: name, protocol, to, at: destination(rule) })
    })
    .collect()
}

/// The one address that a rule's DNAT leads to.
fn target(rule: &NftRule) -> Option<IpAddr> {
    let mut loaded: Option<(Reg, Vec<u8>)> = None;
    for expr in &rule.exprs {
        match expr {
            Expr::Immediate { dreg, data: model::Data::Value(bytes) } if bytes.len() >= 4 => {
                loaded = Some((*dreg, bytes.clone()));
            }
            Expr::Nat { kind: NatKind::Dnat, addr: Some((reg, _)), .. } => {
                let (_, bytes) = loaded.as_ref().filter(|(at, _)| at == reg)?;
                return ip(bytes);
            }
            Expr::Target(xt) if xt.name == "DNAT" => {
                let XtInfo::Nat(range) = &xt.info else { return None };
                let (first, last) = range.addr.filter(|_| range.flags & 1 != 0)?;
                return (first == last).then_some(first);
            }
            _ => {}
        }
    }
    None
}

/// The one port that a rule asks for.
pub(crate) fn protocol(rule: &NftRule) -> Option<Protocol> {
    let mut protocol = None;
    let mut port = None;
    let mut loaded = None;
    for expr in &rule.exprs {
        match expr {
            Expr::Meta { key: model::MetaKey::L4proto, .. } => loaded = Some(What::Protocol),
            Expr::Payload { base: PayloadBase::Network, offset: 9, len: 1, .. } => {
                loaded = Some(What::Protocol);
            }
            Expr::Payload { base: PayloadBase::Transport, offset: 2, len: 2, .. } => {
                loaded = Some(What::Port);
            }
            Expr::Cmp { op: model::CmpOp::Eq, data, .. } => match (loaded.take(), &**data) {
                (Some(What::Protocol), [number]) => protocol = Some(*number),
                (Some(What::Port), [a, b]) => port = Some(u16::from_be_bytes([*a, *b])),
                _ => {}
            },
            Expr::Match(xt) => match &xt.info {
                XtInfo::Ports { dport: (first, last), invert: 0, tcp, .. } if first == last => {
                    port = Some(*first);
                    protocol = protocol.or(Some(if tcp.is_some() { 6 } else { 17 }));
                }
                _ => {}
            },
            _ => loaded = None,
        }
    }
    match (protocol?, port?) {
        (6, port) => Some(Protocol::Tcp(port)),
        (17, port) => Some(Protocol::Udp(port)),
        _ => None,
    }
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    let four: Result<[u8; 4], _> = bytes.try_into();
    let sixteen: Result<[u8; 16], _> = bytes.try_into();
    four.map(IpAddr::from).or(sixteen.map(IpAddr::from)).ok()
}

enum What {
    Protocol,
    Port,
}

/// The one address that a rule asks for.
pub(crate) fn destination(rule: &NftRule) -> Option<IpAddr> {
    let mut exprs = rule.exprs.iter().peekable();
    while let Some(expr) = exprs.next() {
        let Expr::Payload { base: PayloadBase::Network, offset, len, .. } = expr else { continue };
        if let ((16, 4) | (24, 16), Some(Expr::Cmp { op: model::CmpOp::Eq, data, .. })) =
            ((*offset, *len), exprs.peek())
        {
            return ip(data);
        }
    }
    None
}
