//! Broadcasts and multicasts.

use std::net::Ipv4Addr;

use super::Plan;
use crate::packet::{Carries, Spec};
use crate::random::Random;

/// What a namespace says to broadcasts that ask for an echo.
pub(super) fn ignores(random: &mut Random) -> u8 {
    u8::from(random.percent(40))
}

/// At times a packet is for many.
pub(super) fn to_many(plan: &Plan, packet: &mut Spec, random: &mut Random) {
    if !random.percent(8) {
        return;
    }
    let subnet = u8::try_from(random.between(1, plan.segments.len())).unwrap_or(1);
    packet.to = random
        .one(&[
            Ipv4Addr::BROADCAST,
            Ipv4Addr::new(10, 0, subnet, 255),
            Ipv4Addr::new(10, 0, subnet, 255),
            Ipv4Addr::new(10, 0, 255, 255),
            Ipv4Addr::new(224, 0, 0, 1),
            Ipv4Addr::new(224, 0, 0, 1),
            Ipv4Addr::new(224, 0, 0, 106),
            Ipv4Addr::new(239, 1, 1, 1),
        ])
        .into();
    if let Carries::Tcp(sport, _) = packet.carries {
        packet.carries =
            if random.percent(50) { Carries::Icmp(sport) } else { Carries::Udp(sport, 7) };
        (packet.len, packet.flags) = (84, kernel::probe::SYN);
    }
}
