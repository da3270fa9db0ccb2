//! Address translation: what the rules ask for, once per connection; and what its entry says, for
//! every packet.

use std::net::{IpAddr, Ipv4Addr};

use model::{ConntrackStatus, Expr, Hook, NatKind, Reg, Scope, Tuple, XtNatRange};

use crate::chain::{Chains, Effect, End};
use crate::overlay::Membership;
use crate::register::Registers;
use crate::skb::{Skb, Stop};
use crate::walker::Walker;
use crate::{Action, NatStep, Packet, Payload, Reason, RuleRef, Sink, Stage, Unknown};

/// What a rule asks of the nat core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) to: To,
    pub(crate) addresses: Option<(Ipv4Addr, Ipv4Addr)>,
    pub(crate) ports: Option<(u16, u16)>,
}

/// Which kind of translation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum To {
    Source,
    Destination,
    /// The source becomes an address of the link out.
    Masquerade,
    /// The destination becomes this host.
    Redirect,
}

impl<S: Sink> Walker<'_, '_, S> {
    /// `nf_nat_inet_fn`: asks the nat chains of the hook if nobody has yet, and rewrites the
    /// packet as its connection's entry says.
    pub(crate) fn nat(
        &mut self,
        skb: &mut Skb,
        hook: Hook,
        iif: Option<u32>,
        oif: Option<u32>,
    ) -> Result<(), Stop> {
        let Some(member) = skb.ct else { return Ok(()) };
        let source = matches!(hook, Hook::Postrouting | Hook::Input);
        let mut rule = None;
        if !member.related && !self.settled(member, source) {
            rule = self.ask_nat(skb, hook, iif, oif)?;
            self.settle(member, source);
        }
        self.rewrite(skb, hook, member, source, rule);
        Ok(())
    }

    fn settled(&self, member: Membership, source: bool) -> bool {
        let connection = &self.overlay.connections[member.connection];
        let seen = connection.entry.status.contains(ConntrackStatus::SEEN_REPLY);
        seen || if source { connection.source_settled } else { connection.destination_settled }
    }

    fn settle(&mut self, member: Membership, source: bool) {
        let connection = &mut self.overlay.connections[member.connection];
        if source {
            connection.source_settled = true;
        } else {
            connection.destination_settled = true;
        }
    }

    /// Runs the nat chains of the hook; the first that asks for a translation gets it.
    fn ask_nat(
        &mut self,
        skb: &mut Skb,
        hook: Hook,
        iif: Option<u32>,
        oif: Option<u32>,
    ) -> Result<Option<RuleRef>, Stop> {
        let place = self.place(skb.ns, Stage::Hook(hook))?;
        for base in place.nat(hook) {
            let Some(ended) = self.chain(skb, hook, *base, iif, oif)? else { continue };
            if let End::Nat(at, request) = ended.end {
                let rule = at.refer(skb.ns);
                self.set_up(skb, hook, request, &rule, iif, oif)?;
                return Ok(Some(rule));
            }
        }
        Ok(None)
    }

    /// `nf_nat_setup_info`: writes the translation into the connection's entry.
    fn set_up(
        &mut self,
        skb: &Skb,
        hook: Hook,
        request: Request,
        rule: &RuleRef,
        iif: Option<u32>,
        oif: Option<u32>,
    ) -> Result<(), Stop> {
        let Some(member) = skb.ct else { return Ok(()) };
        let stage = Stage::Hook(hook);
        let source = matches!(request.to, To::Source | To::Masquerade);
        let address = self.target(skb, hook, request, rule, iif, oif)?;
        let current = self.overlay.connections[member.connection].entry.reply.reversed();
        let old = if source { current.sport } else { current.dport };
        let port = match request.ports {
            Some((first, last)) if first <= old && old <= last => old,
            Some((first, last)) if first == last => first,
            Some((first, last)) => {
                let what = format!("one port of {first}-{last}");
                return Err(Stop::unknown(stage, Unknown::Rule { rule: rule.clone(), what }));
            }
            None => old,
        };
        let mut wanted = current;
        let ip = address.map_or(if source { current.src } else { current.dst }, IpAddr::V4);
        if source {
            (wanted.src, wanted.sport) = (ip, port);
            self.make_unique(skb, member, &mut wanted);
        } else {
            (wanted.dst, wanted.dport) = (ip, port);
        }
        if wanted != current {
            let entry = &mut self.overlay.connections[member.connection].entry;
            entry.reply = wanted.reversed();
            entry.status |=
                if source { ConntrackStatus::SRC_NAT } else { ConntrackStatus::DST_NAT };
        }
        Ok(())
    }

    /// A source port that is taken gives way to another, so that answers can be told apart.
    fn make_unique(&self, skb: &Skb, member: Membership, wanted: &mut Tuple) {
        let taken = |tuple: &Tuple| {
            let ours = self.overlay.connection(skb.ns, &tuple.reversed());
            let read = self.net.place(skb.ns).and_then(|p| p.tracked(&tuple.reversed()));
            ours.is_some_and(|m| m.connection != member.connection)
                || (ours.is_none() && read.is_some())
        };
        for _ in 0..=u16::MAX {
            if !taken(wanted) {
                return;
            }
            wanted.sport = wanted.sport.wrapping_add(1).max(1024);
            if wanted.protocol == 1 {
                wanted.dport = wanted.sport;
            }
        }
    }

    /// The address to translate to; None: it stays.
    fn target(
        &self,
        skb: &Skb,
        hook: Hook,
        request: Request,
        rule: &RuleRef,
        iif: Option<u32>,
        oif: Option<u32>,
    ) -> Result<Option<Ipv4Addr>, Stop> {
        let stage = Stage::Hook(hook);
        let place = self.place(skb.ns, stage)?;
        let none = |link: Option<u32>| {
            let reason = Reason::NoMasqueradeAddress;
            Stop::lost(stage, skb.ns, link.map(|index| skb.link(index)), reason)
        };
        match request.to {
            To::Masquerade => {
                let out = oif.ok_or_else(|| none(None))?;
                let ip = place.select_address(out, self.masquerade_hop, Scope::Global);
                Ok(Some(ip.ok_or_else(|| none(oif))?))
            }
            To::Redirect if hook == Hook::Output => Ok(Some(Ipv4Addr::LOCALHOST)),
            To::Redirect => {
                let link = iif.ok_or_else(|| none(None))?;
                let first = place.ns.addresses_of(link).find_map(|a| match a.ip() {
                    IpAddr::V4(ip) => Some(ip),
                    IpAddr::V6(_) => None,
                });
                Ok(Some(first.ok_or_else(|| none(iif))?))
            }
            To::Source | To::Destination => match request.addresses {
                Some((first, last)) if first != last => {
                    let what = format!("one address of {first}-{last}");
                    Err(Stop::unknown(stage, Unknown::Rule { rule: rule.clone(), what }))
                }
                addresses => Ok(addresses.map(|(first, _)| first)),
            },
        }
    }

    /// `nf_nat_packet`: makes the packet what its connection's entry says it is here.
    fn rewrite(
        &mut self,
        skb: &mut Skb,
        hook: Hook,
        member: Membership,
        source: bool,
        rule: Option<RuleRef>,
    ) {
        let entry = &self.overlay.connections[member.connection].entry;
        let bit = if source != member.reply {
            ConntrackStatus::SRC_NAT
        } else {
            ConntrackStatus::DST_NAT
        };
        if !entry.status.contains(bit) {
            return;
        }
        let target = if member.reply { entry.original } else { entry.reply }.reversed();
        let before = skb.packet.tuple();
        write(&mut skb.packet, &target, source);
        if let Some(about) = skb.about.as_deref_mut() {
            // Within an error, the packet that it is about is translated the other way.
            write(about, &target.reversed(), !source);
        }
        let after = skb.packet.tuple();
        if before != after {
            let step = NatStep { rule, source, before, after };
            self.tell(skb, Stage::Hook(hook), || Action::Translated(step));
        }
    }
}

/// Writes the source or destination of a tuple into a packet.
fn write(packet: &mut Packet, tuple: &Tuple, source: bool) {
    let (IpAddr::V4(src), IpAddr::V4(dst)) = (tuple.src, tuple.dst) else { return };
    if source {
        packet.src = src;
    } else {
        packet.dst = dst;
    }
    match &mut packet.payload {
        Payload::Tcp { sport, dport, .. } | Payload::Udp { sport, dport } => {
            if source {
                *sport = tuple.sport;
            } else {
                *dport = tuple.dport;
            }
        }
        Payload::Icmp { id, kind } if kind.is_echo() => {
            *id = if source { tuple.sport } else { tuple.dport };
        }
        Payload::Icmp { .. } | Payload::Other(_) => {}
    }
}

impl<'a> Chains<'a, '_> {
    /// nft's own snat, dnat, masquerade, redirect.
    pub(crate) fn native_nat(&self, expr: &'a Expr, r: &Registers) -> Effect {
        let (to, addr, port) = match expr {
            Expr::Nat { kind: NatKind::Snat, addr, port, .. } => (To::Source, *addr, *port),
            Expr::Nat { kind: NatKind::Dnat, addr, port, .. } => (To::Destination, *addr, *port),
            Expr::Masq { port, .. } => (To::Masquerade, None, *port),
            Expr::Redir { port, .. } => (To::Redirect, None, *port),
            _ => return Effect::Goes,
        };
        let address =
            |reg: Reg| r.load(reg, 4).and_then(|b| <[u8; 4]>::try_from(b).ok()).map(Ipv4Addr::from);
        let number =
            |reg: Reg| r.load(reg, 2).and_then(|b| b.try_into().ok()).map(u16::from_be_bytes);
        let addresses = pair(addr, address);
        let ports = pair(port, number);
        match (addresses, ports) {
            (Some(addresses), Some(ports)) => Effect::Nat(Request { to, addresses, ports }),
            _ => Effect::Doubts(r.cause()),
        }
    }

    /// xtables' SNAT, DNAT, MASQUERADE, REDIRECT.
    pub(crate) fn xt_nat(to: To, range: &XtNatRange) -> Effect {
        let addresses = range.addr.filter(|_| range.flags & 1 != 0);
        let ports = range.port.filter(|_| range.flags & 2 != 0);
        Effect::Nat(Request { to, addresses, ports })
    }
}

/// The values of a pair of registers; the outer None: not known.
#[allow(clippy::option_option, reason = "not asked for, and not known, are two things")]
fn pair<T: Copy>(
    regs: Option<(Reg, Option<Reg>)>,
    read: impl Fn(Reg) -> Option<T>,
) -> Option<Option<(T, T)>> {
    let Some((first, last)) = regs else { return Some(None) };
    let first = read(first)?;
    let last = last.map_or(Some(first), read)?;
    Some(Some((first, last)))
}
