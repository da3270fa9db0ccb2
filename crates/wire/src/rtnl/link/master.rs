//! IFLA_INFO_DATA of links that others are ports or members of.

use std::net::Ipv4Addr;

use model::{Bond, BondOption, Bridge, StpState, Vrf};

use super::super::attr::{Attr, attrs, find};

const IFLA_BR_FORWARD_DELAY: u16 = 1;
const IFLA_BR_AGEING_TIME: u16 = 4;
const IFLA_BR_STP_STATE: u16 = 5;
const IFLA_BR_VLAN_FILTERING: u16 = 7;
const IFLA_BR_VLAN_PROTOCOL: u16 = 8;
const IFLA_BR_GROUP_FWD_MASK: u16 = 9;
const IFLA_BR_MCAST_ROUTER: u16 = 22;
const IFLA_BR_MCAST_SNOOPING: u16 = 23;
const IFLA_BR_MCAST_QUERIER: u16 = 25;
const IFLA_BR_MCAST_QUERIER_INTVL: u16 = 32;
const IFLA_BR_MCAST_QUERY_RESPONSE_INTVL: u16 = 34;
const IFLA_BR_NF_CALL_IPTABLES: u16 = 36;
const IFLA_BR_NF_CALL_ARPTABLES: u16 = 38;
const IFLA_BR_NF_CALL_IP6TABLES: u16 = 37;
const IFLA_BR_VLAN_DEFAULT_PVID: u16 = 39;
const IFLA_BR_MCAST_IGMP_VERSION: u16 = 43;
const IFLA_BR_MCAST_MLD_VERSION: u16 = 44;
pub(crate) const IFLA_BR_MULTI_BOOLOPT: u16 = 46;
const IFLA_BR_MCAST_QUERIER_STATE: u16 = 47;
pub(crate) const IFLA_BR_FDB_MAX_LEARNED: u16 = 49;
const BRIDGE_QUERIER_IP_OTHER_TIMER: u16 = 3;
const BRIDGE_QUERIER_IPV6_ADDRESS: u16 = 5;
const BRIDGE_QUERIER_IPV6_OTHER_TIMER: u16 = 7;
/// Bits of `struct br_boolopt_multi`.
pub(crate) const BR_BOOLOPT_NO_LL_LEARN: u32 = 1;
const BR_BOOLOPT_MCAST_VLAN_SNOOPING: u32 = 1 << 1;
const BR_BOOLOPT_MST_ENABLE: u32 = 1 << 2;

pub(super) fn bridge(data: &[u8]) -> Bridge {
    let mut bridge = Bridge::default();
    for attr in attrs(data) {
        match attr.kind {
            IFLA_BR_FORWARD_DELAY => bridge.forward_delay = attr.u32().unwrap_or_default(),
            IFLA_BR_AGEING_TIME => bridge.ageing_time = attr.u32().unwrap_or_default(),
            IFLA_BR_STP_STATE => {
                bridge.stp = match attr.u32() {
                    Some(0) | None => StpState::Off,
                    Some(2) => StpState::User,
                    Some(_) => StpState::Kernel,
                }
            }
            IFLA_BR_VLAN_FILTERING => bridge.vlan_filtering = attr.flag(),
            IFLA_BR_GROUP_FWD_MASK => bridge.group_fwd_mask = attr.u16().unwrap_or_default(),
            IFLA_BR_MCAST_SNOOPING => bridge.multicast_snooping = attr.flag(),
            IFLA_BR_MCAST_ROUTER => bridge.multicast_router = attr.u8().unwrap_or_default(),
            IFLA_BR_MCAST_QUERIER => bridge.multicast_querier = attr.flag(),
            // Another querier is told of with the time that it has left (BRIDGE_QUERIER_IP_OTHER_TIMER).
            IFLA_BR_MCAST_QUERIER_STATE => {
                bridge.querier_seen = find(attr.value, BRIDGE_QUERIER_IP_OTHER_TIMER).is_some();
                bridge.querier_seen6 = asks_ipv6(attr);
                let interval = find(data, IFLA_BR_MCAST_QUERIER_INTVL).and_then(Attr::u64);
                let new = |kind| is_new(find(attr.value, kind), interval);
                bridge.querier_new = new(BRIDGE_QUERIER_IP_OTHER_TIMER);
                bridge.querier_new6 = new(BRIDGE_QUERIER_IPV6_OTHER_TIMER);
            }
            IFLA_BR_MCAST_QUERY_RESPONSE_INTVL => {
                let ticks = attr.u64().and_then(|n| n.try_into().ok());
                bridge.query_response_interval = ticks.unwrap_or(u32::MAX);
            }
            IFLA_BR_VLAN_PROTOCOL => bridge.vlan_protocol = attr.be16().unwrap_or_default(),
            IFLA_BR_VLAN_DEFAULT_PVID => bridge.default_pvid = attr.u16().unwrap_or_default(),
            IFLA_BR_MCAST_IGMP_VERSION => bridge.igmp_version = attr.u8().unwrap_or_default(),
            IFLA_BR_MCAST_MLD_VERSION => bridge.mld_version = attr.u8().unwrap_or_default(),
            IFLA_BR_MULTI_BOOLOPT => {
                let on = attr.u32().unwrap_or_default();
                bridge.no_linklocal_learn = on & BR_BOOLOPT_NO_LL_LEARN != 0;
                bridge.mst = on & BR_BOOLOPT_MST_ENABLE != 0;
                bridge.mcast_vlan_snooping = on & BR_BOOLOPT_MCAST_VLAN_SNOOPING != 0;
            }
            IFLA_BR_FDB_MAX_LEARNED => bridge.fdb_max_learned = attr.u32().unwrap_or_default(),
            IFLA_BR_NF_CALL_ARPTABLES => bridge.nf_call_arptables = attr.flag(),
            IFLA_BR_NF_CALL_IPTABLES => bridge.nf_call_iptables = attr.flag(),
            IFLA_BR_NF_CALL_IP6TABLES => bridge.nf_call_ip6tables = attr.flag(),
            _ => {}
        }
    }
    bridge
}

/// Whether another querier may be one that is not relied upon yet: for as long as members may take
/// to answer its first question, at most 25.5 s. Each question winds its timer up again.
fn is_new(left: Option<Attr<'_>>, interval: Option<u64>) -> bool {
    const LONGEST: u64 = 2550;
    let Some(left) = left.and_then(Attr::u64) else { return false };
    interval.is_none_or(|interval| left.saturating_add(LONGEST) >= interval)
}

/// Of IPv6: another's questions, or one's own, which are sent once there is an address to send
/// them from.
fn asks_ipv6(querier: Attr<'_>) -> bool {
    let own = find(querier.value, BRIDGE_QUERIER_IPV6_ADDRESS);
    find(querier.value, BRIDGE_QUERIER_IPV6_OTHER_TIMER).is_some()
        || own.is_some_and(|a| a.value.iter().any(|byte| *byte != 0))
}

const IFLA_BOND_ACTIVE_SLAVE: u16 = 2;
const IFLA_BOND_ARP_IP_TARGET: u16 = 8;
const IFLA_BOND_PRIMARY: u16 = 11;

/// IFLA_BOND_* of an option.
pub(crate) const fn bond_option(option: BondOption) -> u16 {
    match option {
        BondOption::Mode => 1,
        BondOption::Miimon => 3,
        BondOption::Updelay => 4,
        BondOption::Downdelay => 5,
        BondOption::ArpInterval => 7,
        BondOption::PrimaryReselect => 12,
        BondOption::FailOverMac => 13,
        BondOption::XmitHashPolicy => 14,
        BondOption::AllSlavesActive => 17,
        BondOption::MinLinks => 18,
        BondOption::PacketsPerSlave => 20,
        BondOption::LacpRate => 21,
        BondOption::TlbDynamicLb => 27,
        BondOption::BroadcastNeighbor => 33,
    }
}

pub(super) fn bond(data: &[u8]) -> Bond {
    let mut bond = Bond::default();
    for option in BondOption::ALL {
        let attr = find(data, bond_option(option));
        // Some are a byte, others four.
        if let Some(value) = attr.and_then(|attr| attr.u32().or(attr.u8().map(u32::from))) {
            bond.options.set(option, value);
        }
    }
    let port = |kind| find(data, kind).and_then(Attr::u32).filter(|index| *index != 0);
    (bond.active, bond.primary) = (port(IFLA_BOND_ACTIVE_SLAVE), port(IFLA_BOND_PRIMARY));
    let targets = find(data, IFLA_BOND_ARP_IP_TARGET).map_or(&[][..], |attr| attr.value);
    let ips = attrs(targets).filter_map(|attr| <[u8; 4]>::try_from(attr.value).ok());
    bond.arp_targets = ips.map(Ipv4Addr::from).collect();
    bond
}

const IFLA_VRF_TABLE: u16 = 1;

pub(super) fn vrf(data: &[u8]) -> Vrf {
    Vrf { table: find(data, IFLA_VRF_TABLE).and_then(Attr::u32).unwrap_or_default() }
}
