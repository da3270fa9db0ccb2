//! IFLA_INFO_SLAVE_DATA of what is in a bond or a VRF → [`Member`].

use model::{BondPort, Member, MiiStatus};

use super::super::attr::{Attr, find};

const IFLA_BOND_SLAVE_STATE: u16 = 1;
const IFLA_BOND_SLAVE_MII_STATUS: u16 = 2;
const IFLA_BOND_SLAVE_PERM_HWADDR: u16 = 4;
const BOND_STATE_BACKUP: u8 = 1;
const IFLA_VRF_PORT_TABLE: u16 = 1;

pub(super) fn decode(kind: &str, data: &[u8]) -> Member {
    let number = |kind| find(data, kind);
    match kind {
        "bond" => Member::Bond(BondPort {
            backup: number(IFLA_BOND_SLAVE_STATE).and_then(Attr::u8) == Some(BOND_STATE_BACKUP),
            own_mac: number(IFLA_BOND_SLAVE_PERM_HWADDR).and_then(Attr::mac),
            mii: mii(number(IFLA_BOND_SLAVE_MII_STATUS).and_then(Attr::u8).unwrap_or_default()),
        }),
        "vrf" => Member::Vrf {
            table: number(IFLA_VRF_PORT_TABLE).and_then(Attr::u32).unwrap_or_default(),
        },
        other => Member::Other(other.to_owned()),
    }
}

/// BOND_LINK_*.
fn mii(number: u8) -> MiiStatus {
    match number {
        0 => MiiStatus::Up,
        1 => MiiStatus::GoingDown,
        2 => MiiStatus::Down,
        _ => MiiStatus::GoingBack,
    }
}
