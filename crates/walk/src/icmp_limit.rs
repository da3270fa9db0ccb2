//! How often a host tells senders of refused packets (`icmpv4_global_allow`, `icmpv4_xrlim_allow`, and
//! the same of ICMPv6).

use model::{IcmpLimit, Sysctls};

use crate::indexed::Place;
use crate::skb::{End, Skb, Stop};
use crate::walker::Walker;
use crate::{Disposition, Loss, Packet, Payload, Reason, Sink, Stage, Unknown};

/// For so many milliseconds a receiver that nothing was sent to has credit (`inet_getpeer`).
const CREDIT: u32 = 60_000;
/// ICMP destination unreachable, because it would have to be broken up.
const FRAGMENTATION_NEEDED: (u8, u8) = (3, 4);

/// Milliseconds that must pass between two such messages to one receiver, of which a few may come
/// at once; None: as many as are due.
#[must_use]
pub fn icmp_interval(sysctls: &Sysctls, message: &Packet) -> Option<u32> {
    counted(sysctls, message).map(|limit| limit.interval).filter(|interval| *interval > 0)
}

/// The limit that such a message falls under (`icmpv4_mask_allow`, `icmpv6_mask_allow`): of IPv4,
/// paths' MTUs are never kept from anybody, of IPv6, the mask alone says.
fn counted(sysctls: &Sysctls, message: &Packet) -> Option<IcmpLimit> {
    let Payload::Icmp { kind, .. } = message.payload else { return None };
    let numbers = kind.numbers(message.is_ipv6());
    let (limit, free) = match message.is_ipv6() {
        false => (sysctls.icmp_limit, numbers == FRAGMENTATION_NEEDED),
        true => (sysctls.ipv6_icmp_limit, false),
    };
    (limit.counts(numbers.0) && !free).then_some(limit)
}

impl Place<'_> {
    /// Why such a message is not sent to whom it is for, or cannot be told to be.
    pub(crate) fn withholds(&self, message: &Packet) -> Option<Disposition> {
        let sysctls = &self.ns.sysctls;
        let limit = counted(sysctls, message)?;
        // What goes by the loopback is not counted.
        if message.dst.is_loopback() || self.owner(message.dst).is_some() {
            return None;
        }
        if sysctls.icmp_messages == Some(0) {
            let reason = Reason::ErrorWithheld;
            return Some(Disposition::Lost(Loss { ns: self.ns.id, link: None, reason }));
        }
        let interval = limit.interval;
        (interval > CREDIT).then(|| {
            let name = if message.is_ipv6() { "icmp.ratelimit of IPv6" } else { "icmp_ratelimit" };
            let what = format!("{name} {interval}: when {} was last told of an error", message.dst);
            Disposition::Unknown(Unknown::Packet(what))
        })
    }
}

impl<S: Sink> Walker<'_, '_, S> {
    /// What is to be said instead of an error that is not sent.
    pub(crate) fn withheld(&self, error: &Skb) -> Option<Disposition> {
        self.known_place(error.ns)?.withholds(&error.packet)
    }

    /// It ends where it would begin.
    pub(crate) fn end_at_once(&mut self, skb: Skb, disposition: Disposition) -> End {
        let stop = Stop::new(Stage::Local, disposition);
        self.tell_end(&skb, stop.stage, &stop.disposition);
        stop.end(skb)
    }
}
