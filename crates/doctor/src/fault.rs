//! The faults, a file each.

mod accept_ra;
mod asymmetric;
mod blind_rule;
mod bridged_drop;
mod cut_off;
mod forwarding_off;
mod hairpin;
mod hidden_port;
mod mac_filter;
mod name_server;
mod narrow_uplink;
mod open_ipv6;
mod other_source;
mod overlap;
mod raw_drop;
mod routed_drop;
mod skipped_nat;
mod source_filter;
mod unequal_ports;

use crate::Finding;
use crate::patient::Patient;

/// What looks for each.
pub(crate) const ALL: [fn(&Patient<'_>) -> Vec<Finding>; 19] = [
    forwarding_off::find,
    bridged_drop::find,
    routed_drop::find,
    raw_drop::find,
    open_ipv6::find,
    blind_rule::find,
    asymmetric::find,
    hidden_port::find,
    mac_filter::find,
    source_filter::find,
    skipped_nat::find,
    narrow_uplink::find,
    overlap::find,
    accept_ra::find,
    hairpin::find,
    other_source::find,
    unequal_ports::find,
    cut_off::find,
    name_server::find,
];
