//! xtables extensions.

use std::hash::BuildHasher;
use std::net::IpAddr;

use model::{XtConntrack, XtInfo};

use super::super::StandIns;
use super::register::{Field, Kind};

pub(super) fn replace<K: BuildHasher>(keys: &StandIns<K>, info: &mut XtInfo) {
    match info {
        XtInfo::Conntrack(conntrack) => addresses(keys, conntrack),
        XtInfo::Comment(text) => *text = keys.name(text),
        XtInfo::Physdev { physin, physout, .. } => {
            for name in [physin, physout].into_iter().flatten() {
                *name = keys.link(name);
            }
        }
        XtInfo::MacSource { mac, .. } => *mac = keys.mac(*mac),
        XtInfo::Nat(range) => {
            if let Some((first, last)) = &mut range.addr {
                match (*first, *last) {
                    (IpAddr::V4(a), IpAddr::V4(b)) => {
                        let (mut from, mut to) = (a.octets(), b.octets());
                        Field::new(0, 4, Kind::Ip4).range(keys, &mut from, &mut to);
                        (*first, *last) = (from.into(), to.into());
                    }
                    (IpAddr::V6(a), IpAddr::V6(b)) => {
                        let (mut from, mut to) = (a.octets(), b.octets());
                        Field::new(0, 16, Kind::Ip6).range(keys, &mut from, &mut to);
                        (*first, *last) = (from.into(), to.into());
                    }
                    _ => {}
                }
            }
        }
        // Level and flags, then a text.
        XtInfo::Log { data } => data.iter_mut().skip(2).for_each(|byte| *byte = 0),
        XtInfo::IpRange { src, dst, .. } => {
            for (first, last) in [src, dst] {
                let four = first[4..].iter().chain(&last[4..]).all(|byte| *byte == 0);
                let (kind, length) = if four { (Kind::Ip4, 4) } else { (Kind::Ip6, 16) };
                let range = Field::new(0, length, kind);
                range.range(keys, &mut first[..length], &mut last[..length]);
            }
        }
        XtInfo::Policy { elements, .. } => elements.fill(0),
        XtInfo::NfLog { prefix, .. } => prefix.clear(),
        XtInfo::Ct { timeout: Some(name), .. } => *name = keys.name(name),
        XtInfo::Recent(recent) => {
            let mut name = keys.name(&recent.name()).into_bytes();
            name.resize(recent.name_field.len(), 0);
            recent.name_field = name;
        }
        // Its name stands first, in 16 or 256 bytes.
        XtInfo::HashLimit { data, .. } => {
            let name = if data.len() < 256 { 16 } else { 256 };
            data.iter_mut().take(name).skip(1).for_each(|byte| *byte = 0);
        }
        XtInfo::RoutingHeader(data) | XtInfo::Opaque(data) => data.fill(0),
        _ => {}
    }
}

/// Each with its mask. IPv4 takes the first four bytes.
fn addresses<K: BuildHasher>(keys: &StandIns<K>, conntrack: &mut XtConntrack) {
    for (address, mask) in &mut conntrack.addresses {
        let four = address[4..].iter().chain(&mask[4..]).all(|byte| *byte == 0);
        let (kind, length) = if four { (Kind::Ip4, 4) } else { (Kind::Ip6, 16) };
        kind.replace(keys, &mut address[..length], Some(&mask[..length]));
    }
}
