//! The faults, a file each.

mod blind_rule;
mod bridged_drop;
mod cut_off;
mod forwarding_off;
mod hairpin;
mod hidden_port;
mod mac_filter;
mod narrow_uplink;
mod other_source;
mod overlap;
mod routed_drop;
mod skipped_nat;
mod unequal_ports;

use crate::Finding;
use crate::patient::Patient;

/// What looks for each.
pub(crate) const ALL: [fn(&Patient<'_>) -> Vec<Finding>; 13] = [
    forwarding_off::find,
    bridged_drop::find,
    routed_drop::find,
    blind_rule::find,
    hidden_port::find,
    mac_filter::find,
    skipped_nat::find,
    narrow_uplink::find,
    overlap::find,
    hairpin::find,
    other_source::find,
    unequal_ports::find,
    cut_off::find,
];
