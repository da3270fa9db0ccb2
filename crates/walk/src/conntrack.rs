//! Connection tracking: which connection a packet belongs to.

use model::{Conntrack, ConntrackStatus, Gap, Hook, Room, Tuple};

use crate::indexed::Place;
use crate::overlay::{Bound, Connection, Membership};
use crate::packet::tcp::{ACK, FIN, RST, SYN};
use crate::skb::{Skb, Stop};
use crate::walker::{Walker, tell};
use crate::{Action, IcmpKind, Packet, Payload, Reason, Sink, Stage};

/// IPS_SRC_NAT_DONE.
pub(crate) const SOURCE_DONE: u32 = 1 << 7;
/// IPS_DST_NAT_DONE.
pub(crate) const DESTINATION_DONE: u32 = 1 << 8;

/// `ct state` bits, as nft has them.
pub(crate) mod state {
    pub(crate) const INVALID: u32 = 1;
    pub(crate) const ESTABLISHED: u32 = 2;
    pub(crate) const RELATED: u32 = 4;
    pub(crate) const NEW: u32 = 8;
    pub(crate) const UNTRACKED: u32 = 64;
}

pub(crate) const fn is_redirect(skb: &Skb) -> bool {
    matches!(skb.packet.payload, Payload::Icmp { kind: IcmpKind::Redirect, .. })
}

/// A tuple of the kernel's has ICMP's type, too: that of a request is never that of an answer
/// (`icmp_pkt_to_tuple`). True: it is an answer's.
fn direction(packet: &Packet) -> Option<bool> {
    match packet.payload {
        Payload::Icmp { kind, .. } if kind.is_echo() => Some(kind == IcmpKind::EchoReply),
        _ => None,
    }
}

/// The state of a packet, as nft's `ct state` bits.
pub(crate) fn state_of(skb: &Skb, connection: Option<&Conntrack>) -> u32 {
    let Some((member, entry)) = skb.ct.zip(connection) else {
        return if skb.untracked { state::UNTRACKED } else { state::INVALID };
    };
    match member {
        Membership { related: true, .. } => state::RELATED,
        Membership { reply: true, .. } => state::ESTABLISHED,
        _ if entry.status.contains(ConntrackStatus::SEEN_REPLY) => state::ESTABLISHED,
        _ => state::NEW,
    }
}

impl<'a, S: Sink> Walker<'a, '_, S> {
    /// `nf_conntrack_in`.
    pub(crate) fn track(&mut self, skb: &mut Skb, place: &'a Place<'a>, hook: Hook) {
        // `nf_conntrack_icmpv6_error`: what links say to themselves is no connection.
        skb.untracked |= skb.is_discovery() && skb.arp.is_none();
        if skb.ct.is_some() || skb.untracked || skb.sought {
            // An error belongs to the connection of what it is about from the start.
            if hook == Hook::Output && skb.about.is_some() {
                self.tell_tracked(skb, hook);
            }
            return;
        }
        skb.ct = match &skb.about {
            Some(about) => self.find_related(skb, place, about),
            None => {
                let known = self.find(skb, place, &skb.packet.tuple(), direction(&skb.packet));
                known.or_else(|| self.begin_where_there_is_room(skb, place, hook))
            }
        };
        self.end_refused(skb);
        if let Some(member) = skb.ct.filter(|m| m.reply && !m.related) {
            let entry = &mut self.overlay.connections[member.connection].entry;
            entry.status |= ConntrackStatus::SEEN_REPLY;
        }
        self.tell_tracked(skb, hook);
    }

    /// `nf_conntrack_tcp_packet`: a connection ends with a reset that is all of its answer; what comes
    /// behind it does not belong to it.
    fn end_refused(&mut self, skb: &Skb) {
        let resets = matches!(skb.packet.payload, Payload::Tcp { flags, .. } if flags & RST != 0);
        let Some(member) = skb.ct.filter(|member| resets && !member.related) else { return };
        let connection = &mut self.overlay.connections[member.connection];
        if !connection.entry.status.contains(ConntrackStatus::SEEN_REPLY) {
            connection.kill();
        }
    }

    /// The connection of an error, which goes against the packet that it is about.
    fn find_related(
        &mut self,
        skb: &Skb,
        place: &'a Place<'a>,
        about: &Packet,
    ) -> Option<Membership> {
        let direction = direction(about).map(|reply| !reply);
        let member = self.find(skb, place, &about.tuple().reversed(), direction)?;
        Some(Membership { related: true, ..member })
    }

    /// Looks now for the connection of an error that is sent later.
    pub(crate) fn track_ahead(&mut self, skb: &mut Skb) {
        let Some(about) = skb.about.take() else { return };
        let place = self.known_place(skb.ns);
        skb.ct = place.and_then(|place| self.find_related(skb, place, &about));
        (skb.sought, skb.about) = (skb.ct.is_none(), Some(about));
    }

    fn tell_tracked(&mut self, skb: &Skb, hook: Hook) {
        let entry = skb.ct.map(|m| &self.overlay.connections[m.connection].entry);
        let state = state_of(skb, entry);
        let told = || Action::Tracked { state, entry: entry.cloned().map(Box::new) };
        tell(&mut self.sink, skb, Stage::Hook(hook), told);
    }

    /// `nf_conntrack_confirm`: what leaves the last hook is remembered, and found from now on. A new
    /// connection whose answers would look like those of another one is not (`nf_ct_resolve_clash`).
    pub(crate) fn confirm(
        &mut self,
        skb: &Skb,
        place: &'a Place<'a>,
        hook: Hook,
    ) -> Result<(), Stop> {
        let Some(member) = skb.ct.filter(|m| !m.related) else { return Ok(()) };
        if let Some(other) = self.clash(skb, place, member) {
            let reason = Reason::AnswersTaken { by: other.original };
            return Err(Stop::lost(Stage::Hook(hook), skb.ns, None, reason));
        }
        self.overlay.connections[member.connection].keep();
        Ok(())
    }

    /// The connection that has the same answers as this new one. (One that no chain of nat was asked
    /// about would take the packet for its own: it can have the same only if that is so.)
    fn clash(&self, skb: &Skb, place: &'a Place<'a>, member: Membership) -> Option<&Conntrack> {
        let own = &self.overlay.connections[member.connection];
        if own.confirmed || own.entry.status.contains(ConntrackStatus::CONFIRMED) {
            return None;
        }
        let other = self.taken_by(skb, place, member, &own.entry.reply.reversed())?;
        (other.status.bits() & (SOURCE_DONE | DESTINATION_DONE) != 0).then_some(other)
    }

    /// The connection with that tuple, in that direction if it is known: one that a packet of ours
    /// began, or one that was read.
    fn find(
        &mut self,
        skb: &Skb,
        place: &'a Place<'a>,
        tuple: &Tuple,
        direction: Option<bool>,
    ) -> Option<Membership> {
        let known = self.overlay.connection_with(skb.ns, tuple, skb.zone, direction, None);
        if known.is_some() {
            return known;
        }
        if self.overlay.forgets {
            return None;
        }
        let (entry, reply) = place.tracked.with(tuple, skb.zone, direction)?;
        if self.overlay.has_ended(skb.ns, &entry.original) {
            return None;
        }
        self.overlay.connections.push(Connection {
            ns: skb.ns,
            zones: (entry.zone, entry.zone),
            entry: entry.clone(),
            source_settled: true,
            destination_settled: true,
            bound: Bound::Unread,
            confirmed: true,
        });
        let connection = self.overlay.connections.len() - 1;
        Some(Membership { connection, reply, related: false })
    }

    /// `__nf_conntrack_alloc`: where the table is full, one that was never answered is forgotten for it
    /// (`early_drop`), if there is such a one near; else the packet is thrown away.
    fn begin_where_there_is_room(
        &mut self,
        skb: &Skb,
        place: &Place<'_>,
        hook: Hook,
    ) -> Option<Membership> {
        let begun = self.begin(skb, place);
        if let Some(Room { taken, most }) =
            place.ns.sysctls.connections.filter(|room| room.is_full())
            && begun.is_some()
        {
            let cause =
                format!("the table is full ({taken} of {most}): what is new may be dropped");
            let gap = Gap::assumed("connections", cause, "an old one makes room for it");
            self.assume(skb, Stage::Hook(hook), vec![gap]);
        }
        begun
    }

    /// A connection begins with this packet; None: it cannot (INVALID).
    fn begin(&mut self, skb: &Skb, place: &Place<'_>) -> Option<Membership> {
        let begins = match skb.packet.payload {
            Payload::Tcp { flags, .. } if flags & SYN != 0 => flags & (RST | ACK) == 0,
            // In the middle of one, too (`tcp_new`).
            Payload::Tcp { flags, .. } => {
                let midway = !place.ns.sysctls.tracks_from_syn;
                midway && flags & (RST | FIN) == 0 && flags & ACK != 0
            }
            Payload::Icmp { kind, .. } => kind == IcmpKind::EchoRequest,
            Payload::Udp { .. } | Payload::Other(_) => true,
        };
        if !begins {
            return None;
        }
        let original = skb.packet.tuple();
        let entry = Conntrack {
            original,
            reply: original.reversed(),
            zone: if skb.zone.0 == skb.zone.1 { skb.zone.0 } else { 0 },
            mark: 0,
            status: ConntrackStatus::empty(),
        };
        self.overlay.connections.push(Connection {
            ns: skb.ns,
            zones: skb.zone,
            entry,
            source_settled: false,
            destination_settled: false,
            bound: Bound::Free,
            confirmed: false,
        });
        let connection = self.overlay.connections.len() - 1;
        Some(Membership { connection, reply: false, related: false })
    }
}
