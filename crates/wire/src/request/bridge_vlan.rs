//! VLANs of ports of bridges.

/// Puts a port into a VLAN.
pub const RTM_SETLINK: u16 = 19;
/// Takes it out of one.
pub const RTM_DELLINK: u16 = 17;

const AF_BRIDGE: u8 = 7;
const IFLA_AF_SPEC: u16 = 26;
const IFLA_BRIDGE_FLAGS: u16 = 0;
const IFLA_BRIDGE_VLAN_INFO: u16 = 2;
const BRIDGE_FLAGS_SELF: u16 = 2;
const BRIDGE_VLAN_INFO_MASTER: u16 = 1;
const BRIDGE_VLAN_INFO_PVID: u16 = 1 << 1;
const BRIDGE_VLAN_INFO_UNTAGGED: u16 = 1 << 2;

/// The body of an RTM_SETLINK or RTM_DELLINK of AF_BRIDGE: the port of that index, or (`own`) the
/// bridge itself, and a VLAN.
#[must_use]
pub fn bridge_vlan(index: u32, own: bool, id: u16, pvid: bool, untagged: bool) -> Vec<u8> {
    let mut flags = if own { BRIDGE_VLAN_INFO_MASTER } else { 0 };
    flags |= if pvid { BRIDGE_VLAN_INFO_PVID } else { 0 };
    flags |= if untagged { BRIDGE_VLAN_INFO_UNTAGGED } else { 0 };
    let mut spec = Vec::new();
    if own {
        spec.extend(attribute(IFLA_BRIDGE_FLAGS, &BRIDGE_FLAGS_SELF.to_ne_bytes()));
    }
    let info = [flags.to_ne_bytes(), id.to_ne_bytes()].concat();
    spec.extend(attribute(IFLA_BRIDGE_VLAN_INFO, &info));
    // struct ifinfomsg
    let mut body = vec![AF_BRIDGE, 0, 0, 0];
    body.extend(index.to_ne_bytes());
    body.extend([0; 8]);
    body.extend(attribute(IFLA_AF_SPEC, &spec));
    body
}

/// A netlink attribute, filled up to four bytes.
pub(super) fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + value.len()).unwrap_or_default();
    let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}
