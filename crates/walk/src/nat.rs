//! Address translation: what the rules ask for, once per connection; and what its entry says, for
//! every packet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::{Conntrack, ConntrackStatus, Expr, Family, Hook, Reg, Scope, Tuple, XtNatRange};

use crate::chain::{At, Chains, End};
use crate::conntrack::{DESTINATION_DONE, SOURCE_DONE, is_redirect};
use crate::hook::Between;
use crate::indexed::Place;
use crate::nat_choice::{Range, is_icmp};
use crate::overlay::{Bound, Membership};
use crate::register::Registers;
use crate::rule::{Effect, is_destination};
use crate::skb::{Skb, Stop};
use crate::walker::Walker;
use crate::{Action, NatStep, Packet, Payload, Reason, Sink, Stage, Unknown};

/// What a rule asks of the nat core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) to: To,
    pub(crate) addresses: Option<(IpAddr, IpAddr)>,
    pub(crate) ports: Option<(u16, u16)>,
    /// NF_NAT_RANGE_*.
    pub(crate) flags: u32,
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

impl<'a, S: Sink> Walker<'a, '_, S> {
    /// `nf_nat_inet_fn`: asks the nat chains of the hook if nobody has yet, and rewrites the
    /// packet as its connection's entry says.
    pub(crate) fn nat(
        &mut self,
        skb: &mut Skb,
        place: &'a Place<'a>,
        hook: Hook,
        between: Between,
    ) -> Result<(), Stop> {
        let Some(member) = skb.ct else { return Ok(()) };
        let source = matches!(hook, Hook::Postrouting | Hook::Input);
        self.redirects_truly(skb, hook, member)?;
        // An error is only rewritten (`nf_nat_ipv4_fn`).
        let rule = match member.related {
            true => None,
            false => self.translation(skb, place, hook, member, source, between)?,
        };
        self.rewrite(skb, hook, member, source, rule);
        Ok(())
    }

    /// `nf_nat_inet_fn`: settles how a connection is translated, with its first packet; a later one
    /// must go out by the link that it was settled for.
    fn translation(
        &mut self,
        skb: &mut Skb,
        place: &'a Place<'a>,
        hook: Hook,
        member: Membership,
        source: bool,
        between: Between,
    ) -> Result<Option<At<'a>>, Stop> {
        if self.settled(member, source) {
            if hook == Hook::Postrouting && !member.reply {
                self.keeps_its_way(skb, member, between)?;
            }
            return Ok(None);
        }
        let rule = self.ask_nat(skb, place, hook, between)?;
        if rule.is_none() {
            self.keep_apart(skb, place, hook, member, source, between)?;
        }
        self.settle(member, source);
        Ok(rule)
    }

    /// `nf_nat_icmp_reply_translation`, and the same of ICMPv6: both ends of a translated connection would be told to
    /// speak past the translation, so that such a redirect is thrown away.
    fn redirects_truly(&self, skb: &Skb, hook: Hook, member: Membership) -> Result<(), Stop> {
        let translated = ConntrackStatus::SRC_NAT | ConntrackStatus::DST_NAT;
        let status = self.overlay.connections[member.connection].entry.status;
        let open = [SOURCE_DONE, DESTINATION_DONE].iter().any(|done| status.bits() & done == 0);
        if !(member.related && is_redirect(skb) && (open || status.intersects(translated))) {
            return Ok(());
        }
        Err(Stop::lost(Stage::Hook(hook), skb.ns, None, Reason::RedirectPastNat))
    }

    /// `nf_nat_alloc_null_binding`: where some chain translates, one that no rule translates gets
    /// another source port (an echo, another id) all the same, if its answers would look like those
    /// of another connection.
    fn keep_apart(
        &mut self,
        skb: &mut Skb,
        place: &'a Place<'a>,
        hook: Hook,
        member: Membership,
        source: bool,
        between: Between,
    ) -> Result<(), Stop> {
        let family = skb.packet.family();
        let translates = place.tables.translates(family);
        let current = self.overlay.connections[member.connection].entry.reply.reversed();
        let may_change = translates && (source || is_icmp(&current));
        if !may_change || !self.is_taken(skb, place, member, &current) {
            return Ok(());
        }
        let (to, ip) =
            if source { (To::Source, current.src) } else { (To::Destination, current.dst) };
        let request = Request { to, addresses: Some((ip, ip)), ports: None, flags: 0 };
        self.set_up(skb, place, hook, request, between)
    }

    /// `nf_nat_oif_changed`: a masqueraded connection ends with the first of its packets that goes
    /// out by another link.
    fn keeps_its_way(
        &mut self,
        skb: &Skb,
        member: Membership,
        between: Between,
    ) -> Result<(), Stop> {
        let connection = &self.overlay.connections[member.connection];
        let Some(out) = between.oif else { return Ok(()) };
        let bound = match connection.bound {
            Bound::Free => None,
            Bound::To(link) => Some(link).filter(|link| *link != out),
            Bound::Unread => self.bound_elsewhere(skb, &connection.entry, out)?,
        };
        let Some(bound) = bound else { return Ok(()) };
        self.overlay.connections[member.connection].kill();
        let reason = Reason::MasqueradeMoved { from: skb.link(bound) };
        Err(Stop::lost(Stage::Hook(Hook::Postrouting), skb.ns, Some(skb.link(out)), reason))
    }

    /// Another link that a connection which was read is bound to: the one whose address it got, if
    /// none but MASQUERADE gives any.
    fn bound_elsewhere(&self, skb: &Skb, entry: &Conntrack, out: u32) -> Result<Option<u32>, Stop> {
        let place = self.place(skb.ns, Stage::Hook(Hook::Postrouting))?;
        let source = entry.reply.dst;
        // What a link without one borrows; of IPv6, one that suits the destination best.
        let borrowed = match entry.reply.src {
            IpAddr::V4(_) => place.select_address(out, None, Scope::Global),
            IpAddr::V6(to) => place.select6_source(Some(out), to).map(IpAddr::V6),
        };
        let here = place.ns.addresses_of(out).any(|a| a.ip() == source) || borrowed == Some(source);
        let rules = &place.ns.ruleset;
        if source == entry.original.src || here || !rules.exprs().any(Expr::masquerades) {
            return Ok(None);
        }
        match place.owner(source) {
            Some(link) if !rules.exprs().any(Expr::is_snat) => Ok(Some(link)),
            _ => {
                let what = format!("by which link the connection from {source} was masqueraded");
                let unknown = Unknown::Netfilter { ns: skb.ns, what };
                Err(Stop::unknown(Stage::Hook(Hook::Postrouting), unknown))
            }
        }
    }

    fn settled(&self, member: Membership, source: bool) -> bool {
        let connection = &self.overlay.connections[member.connection];
        let seen = connection.entry.status.contains(ConntrackStatus::SEEN_REPLY);
        seen || if source { connection.source_settled } else { connection.destination_settled }
    }

    fn settle(&mut self, member: Membership, source: bool) {
        let connection = &mut self.overlay.connections[member.connection];
        let done = if source { SOURCE_DONE } else { DESTINATION_DONE };
        connection.entry.status |= ConntrackStatus::from_bits_retain(done);
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
        place: &'a Place<'a>,
        hook: Hook,
        between: Between,
    ) -> Result<Option<At<'a>>, Stop> {
        let family = skb.packet.family();
        for base in place.tables.nat(family, hook) {
            let end = self.chain(skb, place, hook, *base, between)?;
            if let (Some(End::Nat), Some(request)) = (end, self.room.request) {
                let rule = self.room.decided_by;
                self.set_up(skb, place, hook, request, between)?;
                return Ok(rule);
            }
        }
        Ok(None)
    }

    /// `nf_nat_setup_info`: writes the translation into the connection's entry.
    fn set_up(
        &mut self,
        skb: &Skb,
        place: &'a Place<'a>,
        hook: Hook,
        request: Request,
        between: Between,
    ) -> Result<(), Stop> {
        let Some(member) = skb.ct else { return Ok(()) };
        let source = matches!(request.to, To::Source | To::Masquerade);
        let addresses = self.target(skb, place, hook, request, between)?;
        if request.to == To::Masquerade {
            self.overlay.connections[member.connection].bound =
                between.oif.map_or(Bound::Free, Bound::To);
        }
        let current = self.overlay.connections[member.connection].entry.reply.reversed();
        let range = Range { addresses, ports: request.ports, flags: request.flags };
        let wanted = self.unique_tuple(skb, place, member, source, current, range);
        if wanted != current {
            let entry = &mut self.overlay.connections[member.connection].entry;
            entry.reply = wanted.reversed();
            entry.status |=
                if source { ConntrackStatus::SRC_NAT } else { ConntrackStatus::DST_NAT };
        }
        Ok(())
    }

    /// The addresses to translate to; None: it stays.
    fn target(
        &self,
        skb: &Skb,
        place: &'a Place<'a>,
        hook: Hook,
        request: Request,
        between: Between,
    ) -> Result<Option<(IpAddr, IpAddr)>, Stop> {
        let stage = Stage::Hook(hook);
        let Between { iif, oif } = between;
        let none = |link: Option<u32>| {
            let reason = Reason::NoMasqueradeAddress;
            Stop::lost(stage, skb.ns, link.map(|index| skb.link(index)), reason)
        };
        if let IpAddr::V6(dst) = skb.packet.dst {
            let found = target6(place, request, hook, between, dst);
            return found.map_err(none);
        }
        match request.to {
            To::Masquerade => {
                let out = oif.ok_or_else(|| none(None))?;
                let ip = place.select_address(out, self.masquerade_hop, Scope::Global);
                let ip = ip.ok_or_else(|| none(oif))?;
                Ok(Some((ip, ip)))
            }
            To::Redirect if hook == Hook::Output => {
                Ok(Some((Ipv4Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into())))
            }
            To::Redirect => {
                let link = iif.ok_or_else(|| none(None))?;
                let first = place.ns.addresses_of(link).map(|a| a.ip()).find(IpAddr::is_ipv4);
                let ip = first.ok_or_else(|| none(iif))?;
                Ok(Some((ip, ip)))
            }
            To::Source | To::Destination => Ok(request.addresses),
        }
    }

    /// `nf_nat_packet`: makes the packet what its connection's entry says it is here.
    fn rewrite(
        &mut self,
        skb: &mut Skb,
        hook: Hook,
        member: Membership,
        source: bool,
        rule: Option<At<'a>>,
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
            self.tell(skb, Stage::Hook(hook), || {
                let rule = rule.map(|rule| rule.refer(skb.ns));
                Action::Translated(NatStep { rule, source, before, after })
            });
        }
    }
}

/// The same of IPv6; the error: the link that has no address.
fn target6(
    place: &Place<'_>,
    request: Request,
    hook: Hook,
    Between { iif, oif }: Between,
    dst: Ipv6Addr,
) -> Result<Option<(IpAddr, IpAddr)>, Option<u32>> {
    let one = |ip: Option<Ipv6Addr>, link| {
        let ip = IpAddr::V6(ip.ok_or(link)?);
        Ok(Some((ip, ip)))
    };
    match request.to {
        // nf_nat_masquerade_ipv6
        To::Masquerade => one(oif.and_then(|out| place.select6_source(Some(out), dst)), oif),
        // nf_nat_redirect_ipv6
        To::Redirect if hook == Hook::Output => one(Some(Ipv6Addr::LOCALHOST), None),
        To::Redirect => one(iif.and_then(|link| place.redirect6_to(link, dst)), iif),
        To::Source | To::Destination => Ok(request.addresses),
    }
}

/// Writes the source or destination of a tuple into a packet.
fn write(packet: &mut Packet, tuple: &Tuple, source: bool) {
    if source {
        packet.src = tuple.src;
    } else {
        packet.dst = tuple.dst;
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
        let own = self.skb.packet.family();
        let (to, addr, port, flags) = match expr {
            // nft_nat_inet_eval: those of the other family are passed by.
            Expr::Nat { family: f @ (Family::Ip | Family::Ip6), .. } if *f != own => {
                return Effect::Goes;
            }
            Expr::Nat { kind, addr, port, flags, .. } if is_destination(*kind) => {
                (To::Destination, *addr, *port, *flags)
            }
            Expr::Nat { addr, port, flags, .. } => (To::Source, *addr, *port, *flags),
            Expr::Masq { port, flags } => (To::Masquerade, None, *port, *flags),
            Expr::Redir { port, flags } => (To::Redirect, None, *port, *flags),
            _ => return Effect::Goes,
        };
        let address = |reg: Reg| {
            if self.skb.packet.is_ipv6() {
                return r
                    .load(reg, 16)
                    .and_then(|b| <[u8; 16]>::try_from(b).ok())
                    .map(IpAddr::from);
            }
            r.load(reg, 4).and_then(|b| <[u8; 4]>::try_from(b).ok()).map(IpAddr::from)
        };
        let number =
            |reg: Reg| r.load(reg, 2).and_then(|b| b.try_into().ok()).map(u16::from_be_bytes);
        let addresses = pair(addr, address);
        let ports = pair(port, number);
        match (addresses, ports) {
            (Some(addresses), Some(ports)) => Effect::Nat(Request { to, addresses, ports, flags }),
            _ => Effect::NotKnown(r.cause()),
        }
    }

    /// xtables' SNAT, DNAT, MASQUERADE, REDIRECT.
    pub(crate) fn xt_nat(to: To, range: &XtNatRange) -> Effect {
        let addresses = range.addr.filter(|_| range.flags & 1 != 0);
        let ports = range.port.filter(|_| range.flags & 2 != 0);
        Effect::Nat(Request { to, addresses, ports, flags: range.flags })
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
