use std::net::IpAddr;

use model::{
    BondOption, BondRole, BondSpec, BondValues, BridgeOption, BridgeSpec, Ipvlan, IpvlanFlag,
    IpvlanMode, Mac, MacvlanMode, Pins, PortOption, PortSpec, PortState, TunnelDf, Vlan, Vrf,
    Vxlan,
};
use netlink_packet_core::DefaultNla;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::link::{
    BridgeMulticastRouterType, BridgeStpState, InfoBond, InfoBridge, InfoBridgePort, InfoData,
    InfoIpVlan, InfoKind, InfoMacVlan, InfoPortData, InfoPortKind, InfoVeth, InfoVlan, InfoVrf,
    InfoVxlan, IpVlanFlags, IpVlanMode, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
    LinkProtoInfoBridge, MacVlanMacAddressMode, MacVlanMode, Prop, State, VlanProtocol, VxlanDf,
};

use crate::rtnl::link::{
    BR_BOOLOPT_NO_LL_LEARN, IFLA_BR_FDB_MAX_LEARNED, IFLA_BR_MULTI_BOOLOPT, bond_option,
};

/// Where a new link is to be: in the socket's namespace, or in that behind a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Here.
    Here,
    /// There.
    Namespace(i32),
}

/// The far end of a new pair.
#[derive(Clone, Debug)]
pub struct Far<'a> {
    /// Its name.
    pub name: &'a str,
    /// What is fixed about it.
    pub pins: &'a Pins,
    /// Where it is born.
    pub place: Place,
}

/// What is to be made.
#[derive(Clone, Debug)]
pub enum NewLink<'a> {
    /// A veth pair.
    Veth(Far<'a>),
    /// A bridge.
    Bridge(&'a BridgeSpec),
    /// A macvlan on the link of that index in the socket's namespace.
    Macvlan {
        /// Lower link.
        lower: u32,
        /// Mode.
        mode: MacvlanMode,
        /// Mode source: whose frames it takes.
        sources: &'a [Mac],
        /// Where it is to be.
        place: Place,
    },
    /// A VLAN link on the link of that index in the socket's namespace.
    Vlan {
        /// Lower link.
        lower: u32,
        /// Its tag.
        vlan: Vlan,
        /// Where it is to be.
        place: Place,
    },
    /// An ipvlan on the link of that index in the socket's namespace.
    Ipvlan {
        /// Lower link.
        lower: u32,
        /// Mode and flag.
        ipvlan: Ipvlan,
        /// Where it is to be.
        place: Place,
    },
    /// A bond.
    Bond(&'a BondSpec),
    /// A VRF.
    Vrf(Vrf),
    /// A dummy.
    Dummy,
    /// An ifb.
    Ifb,
    /// A VXLAN.
    Vxlan {
        /// Underlay link.
        lower: Option<u32>,
        /// All that is its own.
        vxlan: &'a Vxlan,
    },
    /// A WireGuard link; what it has of its own it is told by [`super::set_wireguard`].
    Wireguard,
}

impl NewLink<'_> {
    /// The kernel's name for the kind.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Veth(_) => "veth",
            Self::Bridge(_) => "bridge",
            Self::Macvlan { .. } => "macvlan",
            Self::Vlan { .. } => "vlan",
            Self::Ipvlan { .. } => "ipvlan",
            Self::Bond(_) => "bond",
            Self::Vrf(_) => "vrf",
            Self::Dummy => "dummy",
            Self::Ifb => "ifb",
            Self::Vxlan { .. } => "vxlan",
            Self::Wireguard => "wireguard",
        }
    }
}

/// RTM_NEWLINK that makes a link with its pins (but for alternative names and transmit queue of
/// kinds that take them only afterwards: [`set_link`]).
#[must_use]
pub fn new_link(name: &str, pins: &Pins, kind: &NewLink<'_>) -> LinkMessage {
    let mut message = named(name, pins);
    let (kind, data) = match kind {
        NewLink::Veth(far) => {
            let mut peer = named(far.name, far.pins);
            put(&mut peer, far.place);
            (InfoKind::Veth, Some(InfoData::Veth(InfoVeth::Peer(peer))))
        }
        NewLink::Bridge(spec) => (InfoKind::Bridge, bridge(spec)),
        NewLink::Macvlan { lower, mode, sources, place } => {
            message.attributes.push(LinkAttribute::Link(*lower));
            put(&mut message, *place);
            let mut data = vec![InfoMacVlan::Mode(macvlan_mode(*mode))];
            if !sources.is_empty() {
                let each = sources.iter().map(|mac| InfoMacVlan::MacAddr(mac.0)).collect();
                data.push(InfoMacVlan::MacAddrMode(MacVlanMacAddressMode::Set));
                data.push(InfoMacVlan::MacAddrData(each));
            }
            (InfoKind::MacVlan, Some(InfoData::MacVlan(data)))
        }
        NewLink::Vlan { lower, vlan, place } => {
            message.attributes.push(LinkAttribute::Link(*lower));
            put(&mut message, *place);
            let protocol = VlanProtocol::from(vlan.protocol);
            let data = vec![InfoVlan::Id(vlan.id), InfoVlan::Protocol(protocol)];
            (InfoKind::Vlan, Some(InfoData::Vlan(data)))
        }
        NewLink::Ipvlan { lower, ipvlan, place } => {
            message.attributes.push(LinkAttribute::Link(*lower));
            put(&mut message, *place);
            (InfoKind::IpVlan, Some(InfoData::IpVlan(ipvlan_data(*ipvlan))))
        }
        NewLink::Bond(spec) => (InfoKind::Bond, Some(InfoData::Bond(bond_data(spec)))),
        NewLink::Vrf(vrf) => {
            let data = vec![InfoVrf::TableId(vrf.table)];
            (InfoKind::Vrf, Some(InfoData::Vrf(data)))
        }
        NewLink::Dummy => (InfoKind::Dummy, None),
        NewLink::Ifb => (InfoKind::Ifb, None),
        NewLink::Vxlan { lower, vxlan } => {
            (InfoKind::Vxlan, Some(InfoData::Vxlan(vxlan_data(*lower, vxlan))))
        }
        NewLink::Wireguard => (InfoKind::Wireguard, None),
    };
    let mut info = vec![LinkInfo::Kind(kind)];
    info.extend(data.map(LinkInfo::Data));
    message.attributes.push(LinkAttribute::LinkInfo(info));
    message
}

/// RTM_NEWLINK of a kind, with nothing else said of it.
#[must_use]
pub fn bare_link(name: &str, kind: &str) -> LinkMessage {
    let mut message = named(name, &Pins::default());
    let kind = LinkInfo::Kind(InfoKind::Other(kind.to_owned()));
    message.attributes.push(LinkAttribute::LinkInfo(vec![kind]));
    message
}

/// A message that names a link and fixes what can be fixed at birth.
fn named(name: &str, pins: &Pins) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = pins.index.unwrap_or(0);
    message.attributes.push(LinkAttribute::IfName(name.to_owned()));
    message.attributes.extend(pinned(pins));
    message
}

/// Address, MTU, queue length and group, where they are fixed.
fn pinned(pins: &Pins) -> impl Iterator<Item = LinkAttribute> {
    let mac = pins.mac.map(|mac| LinkAttribute::Address(mac.0.to_vec()));
    let mtu = pins.mtu.map(LinkAttribute::Mtu);
    let txqlen = pins.txqlen.map(LinkAttribute::TxQueueLen);
    let group = pins.group.map(LinkAttribute::Group);
    mac.into_iter().chain(mtu).chain(txqlen).chain(group)
}

fn put(message: &mut LinkMessage, place: Place) {
    if let Place::Namespace(fd) = place {
        message.attributes.push(LinkAttribute::NetNsFd(fd));
    }
}

fn bridge(spec: &BridgeSpec) -> Option<InfoData> {
    let data: Vec<InfoBridge> =
        spec.said().map(|(option, value)| option_of(option, value)).collect();
    (!data.is_empty()).then_some(InfoData::Bridge(data))
}

fn option_of(option: BridgeOption, value: u32) -> InfoBridge {
    let on = value != 0;
    let short = u16::try_from(value).unwrap_or(u16::MAX);
    match option {
        BridgeOption::ForwardDelay => InfoBridge::ForwardDelay(value),
        BridgeOption::AgeingTime => InfoBridge::AgeingTime(value),
        BridgeOption::Stp => InfoBridge::StpState(BridgeStpState::from(value)),
        BridgeOption::VlanFiltering => InfoBridge::VlanFiltering(on),
        BridgeOption::DefaultPvid => InfoBridge::VlanDefaultPvid(short),
        BridgeOption::Snooping => InfoBridge::MulticastSnooping(on),
        BridgeOption::QueryResponseInterval => {
            InfoBridge::MulticastQueryResponseInterval(value.into())
        }
        BridgeOption::Querier => InfoBridge::MulticastQuerier(on),
        BridgeOption::MulticastRouter => {
            let kind = u8::try_from(value).unwrap_or(u8::MAX);
            InfoBridge::MulticastRouter(BridgeMulticastRouterType::from(kind))
        }
        BridgeOption::GroupFwdMask => InfoBridge::GroupFwdMask(short),
        // struct br_boolopt_multi: the values, and which of them count.
        BridgeOption::NoLinklocalLearn => InfoBridge::Other(DefaultNla::new(
            IFLA_BR_MULTI_BOOLOPT,
            [u32::from(on) * BR_BOOLOPT_NO_LL_LEARN, BR_BOOLOPT_NO_LL_LEARN]
                .map(u32::to_ne_bytes)
                .concat(),
        )),
        BridgeOption::FdbMaxLearned => InfoBridge::Other(DefaultNla::new(
            IFLA_BR_FDB_MAX_LEARNED,
            value.to_ne_bytes().to_vec(),
        )),
        BridgeOption::NfCallIptables => InfoBridge::NfCallIpTables(on),
        BridgeOption::NfCallArptables => InfoBridge::NfCallArpTables(on),
    }
}

fn ipvlan_data(ipvlan: Ipvlan) -> Vec<InfoIpVlan> {
    let mode = match ipvlan.mode {
        IpvlanMode::L2 => IpVlanMode::L2,
        IpvlanMode::L3 => IpVlanMode::L3,
        IpvlanMode::L3S => IpVlanMode::L3S,
    };
    let flags = match ipvlan.flag {
        IpvlanFlag::Bridge => IpVlanFlags::empty(),
        IpvlanFlag::Private => IpVlanFlags::Private,
        IpvlanFlag::Vepa => IpVlanFlags::Vepa,
    };
    vec![InfoIpVlan::Mode(mode), InfoIpVlan::Flags(flags)]
}

/// IFLA_BOND_*: what is counted has four bytes, all else one.
fn bond_data(spec: &BondSpec) -> Vec<InfoBond> {
    let option = |(option, value): (BondOption, u32)| {
        let bytes = match option.values() {
            BondValues::Number(_) => value.to_ne_bytes().to_vec(),
            _ => vec![u8::try_from(value).unwrap_or(u8::MAX)],
        };
        InfoBond::Other(DefaultNla::new(bond_option(option), bytes))
    };
    let targets = Some(spec.arp_targets.clone()).filter(|targets| !targets.is_empty());
    spec.options.said().map(option).chain(targets.map(InfoBond::ArpIpTarget)).collect()
}

/// RTM_NEWLINK that changes what is said of a bond.
#[must_use]
pub fn set_bond(index: u32, spec: &BondSpec) -> LinkMessage {
    set_kind(index, InfoKind::Bond, InfoData::Bond(bond_data(spec)))
}

/// RTM_NEWLINK that makes a port (0: none) the one that a bond prefers, or has in use.
#[must_use]
pub fn bond_port(index: u32, role: BondRole, port: u32) -> LinkMessage {
    let data = match role {
        BondRole::Primary => InfoBond::Primary(port),
        BondRole::Active => InfoBond::ActivePort(port),
    };
    set_kind(index, InfoKind::Bond, InfoData::Bond(vec![data]))
}

const fn macvlan_mode(mode: MacvlanMode) -> MacVlanMode {
    match mode {
        MacvlanMode::Private => MacVlanMode::Private,
        MacvlanMode::Vepa => MacVlanMode::Vepa,
        MacvlanMode::Bridge => MacVlanMode::Bridge,
        MacvlanMode::Passthru => MacVlanMode::Passthrough,
        MacvlanMode::Source => MacVlanMode::Source,
    }
}

fn vxlan_data(lower: Option<u32>, vxlan: &Vxlan) -> Vec<InfoVxlan> {
    let mut data = vec![
        InfoVxlan::Id(vxlan.vni),
        InfoVxlan::Port(vxlan.port),
        InfoVxlan::Learning(vxlan.learning),
        InfoVxlan::Ttl(vxlan.ttl),
        InfoVxlan::Tos(vxlan.tos),
    ];
    data.extend(lower.map(InfoVxlan::Link));
    data.extend(vxlan.local.map(|ip| match ip {
        IpAddr::V4(ip) => InfoVxlan::Local(ip),
        IpAddr::V6(ip) => InfoVxlan::Local6(ip),
    }));
    data.extend(vxlan.remote.map(|ip| match ip {
        IpAddr::V4(ip) => InfoVxlan::Group(ip),
        IpAddr::V6(ip) => InfoVxlan::Group6(ip),
    }));
    data.extend((vxlan.source_ports != (0, 0)).then_some(InfoVxlan::PortRange(vxlan.source_ports)));
    // What older kernels do not know is said only where it is not the usual.
    data.extend((!vxlan.local_bypass).then_some(InfoVxlan::Localbypass(false)));
    data.extend(match vxlan.df {
        TunnelDf::Unset => None,
        TunnelDf::Set => Some(InfoVxlan::Df(VxlanDf::Set)),
        TunnelDf::Inherit => Some(InfoVxlan::Df(VxlanDf::Inherit)),
    });
    data
}

/// RTM_SETLINK of address, MTU and queue length. The alternative names are for RTM_NEWLINKPROP,
/// which takes the second message.
#[must_use]
pub fn set_link(index: u32, pins: &Pins) -> (Option<LinkMessage>, Option<LinkMessage>) {
    let mut set = at(index);
    set.attributes.extend(pinned(pins));
    let names = pins.altnames.iter().cloned().map(Prop::AltIfName).collect();
    let mut props = at(index);
    props.attributes.push(LinkAttribute::PropList(names));
    let set = (!set.attributes.is_empty()).then_some(set);
    (set, (!pins.altnames.is_empty()).then_some(props))
}

/// RTM_NEWLINK that changes what only a bridge has; None if nothing of that is fixed.
#[must_use]
pub fn set_bridge(index: u32, spec: &BridgeSpec) -> Option<LinkMessage> {
    Some(set_kind(index, InfoKind::Bridge, bridge(spec)?))
}

/// RTM_NEWLINK that changes a macvlan's mode.
#[must_use]
pub fn set_macvlan(index: u32, mode: MacvlanMode) -> LinkMessage {
    let data = InfoData::MacVlan(vec![InfoMacVlan::Mode(macvlan_mode(mode))]);
    set_kind(index, InfoKind::MacVlan, data)
}

fn set_kind(index: u32, kind: InfoKind, data: InfoData) -> LinkMessage {
    let mut message = at(index);
    let info = vec![LinkInfo::Kind(kind), LinkInfo::Data(data)];
    message.attributes.push(LinkAttribute::LinkInfo(info));
    message
}

fn at(index: u32) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = index;
    message
}

/// RTM_SETLINK that brings a link up or down. `settle` also says that it is operational, for a tap
/// whose driver does not.
#[must_use]
pub fn link_flags(index: u32, up: bool, settle: bool) -> LinkMessage {
    let mut message = at(index);
    message.header.change_mask = LinkFlags::Up;
    if up {
        message.header.flags = LinkFlags::Up;
    }
    if settle {
        message.attributes.push(LinkAttribute::OperState(State::Up));
    }
    message
}

/// RTM_SETLINK that makes a link a port of the bridge of that index, or (0) of none, and the
/// RTM_SETLINK (AF_UNSPEC, slave data) of what is said of the port.
#[must_use]
pub fn master(index: u32, bridge: u32, spec: &PortSpec) -> (LinkMessage, Option<LinkMessage>) {
    let mut set = at(index);
    set.attributes.push(LinkAttribute::Controller(bridge));
    let data: Vec<InfoBridgePort> =
        spec.said().map(|(option, value)| port_option_of(option, value)).collect();
    let port = (!data.is_empty() && bridge != 0).then(|| set_port(index, data));
    (set, port)
}

/// RTM_SETLINK (AF_BRIDGE) that gives a port a state. By way of RTM_NEWLINK the kernel would tell
/// itself that the port has changed, and enable it again.
#[must_use]
pub fn port_state(index: u32, state: PortState) -> LinkMessage {
    /// IFLA_BRPORT_STATE.
    const STATE: u16 = 1;
    let number = PortState::ALL.iter().position(|s| *s == state).unwrap_or_default();
    let number = DefaultNla::new(STATE, vec![u8::try_from(number).unwrap_or_default()]);
    let mut message = at(index);
    message.header.interface_family = AddressFamily::Bridge;
    let info = vec![LinkProtoInfoBridge::Other(number)];
    message.attributes.push(LinkAttribute::ProtoInfoBridge(info));
    message
}

/// RTM_NEWLINK that lets another port of its bridge, or (0) none, stand in for a port.
#[must_use]
pub fn backup_port(index: u32, backup: u32) -> LinkMessage {
    set_port(index, vec![InfoBridgePort::BackupPort(backup)])
}

fn set_port(index: u32, data: Vec<InfoBridgePort>) -> LinkMessage {
    let mut port = at(index);
    port.attributes.push(LinkAttribute::LinkInfo(vec![
        LinkInfo::PortKind(InfoPortKind::Bridge),
        LinkInfo::PortData(InfoPortData::BridgePort(data)),
    ]));
    port
}

fn port_option_of(option: PortOption, value: u32) -> InfoBridgePort {
    let on = value != 0;
    match option {
        PortOption::Hairpin => InfoBridgePort::HairpinMode(on),
        PortOption::Isolated => InfoBridgePort::Isolated(on),
        PortOption::Learning => InfoBridgePort::Learning(on),
        PortOption::Flood => InfoBridgePort::UnicastFlood(on),
        PortOption::McastFlood => InfoBridgePort::MulticastFlood(on),
        PortOption::BcastFlood => InfoBridgePort::BroadcastFlood(on),
        PortOption::NeighSuppress => InfoBridgePort::NeighSupress(on),
        PortOption::ProxyArp => InfoBridgePort::ProxyARP(on),
        PortOption::ProxyArpWifi => InfoBridgePort::ProxyARPWifi(on),
        PortOption::Locked => InfoBridgePort::Locked(on),
        PortOption::Mab => InfoBridgePort::Mab(on),
        PortOption::McastToUnicast => InfoBridgePort::MulticastToUnicast(on),
        PortOption::MulticastRouter => {
            InfoBridgePort::MulticastRouter(u8::try_from(value).unwrap_or(1).into())
        }
        PortOption::GroupFwdMask => {
            InfoBridgePort::GroupFwdMask(u16::try_from(value).unwrap_or_default())
        }
    }
}

/// RTM_SETLINK that moves a link into another namespace and renames it there.
#[must_use]
pub fn move_to(index: u32, name: &str, namespace: i32) -> LinkMessage {
    let mut message = at(index);
    message.attributes.push(LinkAttribute::NetNsFd(namespace));
    message.attributes.push(LinkAttribute::IfName(name.to_owned()));
    message
}
