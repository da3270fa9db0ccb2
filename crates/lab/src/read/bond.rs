//! `kind: bond`.

use std::net::Ipv4Addr;

use model::{BondOption, BondSpec, BondValues};

use super::{Fields, flag, items, link_name, number, parsed, text};
use crate::error::{Errors, Problem};
use crate::file::{BondEntry, Kind};
use crate::node::Node;

pub(super) const KEYS: &[&str] = &[
    "mode",
    "miimon",
    "updelay",
    "downdelay",
    "arp_interval",
    "arp_ip_target",
    "primary",
    "primary_reselect",
    "active_slave",
    "fail_over_mac",
    "xmit_hash_policy",
    "all_slaves_active",
    "min_links",
    "packets_per_slave",
    "lacp_rate",
    "tlb_dynamic_lb",
    "broadcast_neighbor",
];

pub(super) fn bond(fields: &Fields<'_>, errors: &mut Errors) -> Kind {
    let mut spec = BondSpec::default();
    for option in BondOption::ALL {
        spec.options
            .set(option, fields.get(option.as_str()).and_then(|n| value(option, n, errors)));
    }
    if let Some(node) = fields.get("arp_ip_target") {
        for node in items(node, "arp_ip_target", errors) {
            let hint = "an address of IPv4 is wanted, as in 192.0.2.1";
            let ip = parsed::<Ipv4Addr>(node, "address", hint, errors);
            spec.arp_targets.extend(ip.map(|said| said.what));
        }
    }
    let mut port = |key| fields.get(key).and_then(|n| link_name(n, key, errors));
    Kind::Bond(BondEntry { spec, primary: port("primary"), active: port("active_slave") })
}

fn value(option: BondOption, node: &Node, errors: &mut Errors) -> Option<u32> {
    let key = option.as_str();
    match option.values() {
        BondValues::Number(most) => number(node, key, (0, most), errors),
        BondValues::Switch => flag(node, key, errors).map(u32::from),
        BondValues::Words(words) => {
            let said = text(node, key, errors)?;
            let value = option.parse(&said.what);
            if value.is_none() {
                let hint = format!("there are {}", words.join(", "));
                errors.push(said.at, Problem::BadValue { what: key, found: said.what, hint });
            }
            value
        }
    }
}
