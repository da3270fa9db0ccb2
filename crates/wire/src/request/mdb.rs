//! Entries of a bridge's multicast table.

use std::net::IpAddr;

/// Adds an entry.
pub const RTM_NEWMDB: u16 = 84;
/// Takes it away.
pub const RTM_DELMDB: u16 = 85;

const AF_BRIDGE: u8 = 7;
const MDBA_SET_ENTRY: u16 = 1;
const MDB_PERMANENT: u8 = 1;
/// Length of `struct br_mdb_entry`.
const ENTRY: usize = 28;

/// The body of an RTM_NEWMDB or RTM_DELMDB: `group` is wanted behind `port` for good, or by the
/// host of the bridge, if that is the port (such an entry ages as others do).
#[must_use]
pub fn mdb(bridge: u32, port: u32, group: IpAddr) -> Vec<u8> {
    // struct br_port_msg
    let mut body = vec![AF_BRIDGE, 0, 0, 0];
    body.extend(bridge.to_ne_bytes());
    let length = u16::try_from(ENTRY + 4).unwrap_or_default();
    body.extend(length.to_ne_bytes());
    body.extend(MDBA_SET_ENTRY.to_ne_bytes());
    let state = if port == bridge { 0 } else { MDB_PERMANENT };
    // struct br_mdb_entry: port, state, flags, VLAN, address, EtherType.
    body.extend(port.to_ne_bytes());
    body.extend([state, 0, 0, 0]);
    let (mut address, protocol) = match group {
        IpAddr::V4(ip) => (ip.octets().to_vec(), [0x08, 0x00]),
        IpAddr::V6(ip) => (ip.octets().to_vec(), [0x86, 0xdd]),
    };
    address.resize(16, 0);
    body.extend(address);
    body.extend(protocol);
    body.extend([0, 0]);
    body
}
