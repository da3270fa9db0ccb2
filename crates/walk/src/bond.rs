//! Bonds that use one port at a time (`drivers/net/bonding/bond_main.c`).

use model::{Bond, BondMode, Link, LinkId, Member};

use crate::skb::{Next, Stop};
use crate::walker::Walker;
use crate::{Reason, Sink, Stage, Unknown};

impl<S: Sink> Walker<'_, '_, S> {
    /// `bond_xmit_activebackup`: out by the port in use.
    pub(crate) fn bond_out(&self, id: LinkId, bond: &Bond) -> Result<Next, Stop> {
        active_backup(id, bond)?;
        match bond.active {
            Some(index) => Ok(Next::Transmit(LinkId { ns: id.ns, index })),
            None => Err(Stop::lost(Stage::Transmit, id.ns, Some(id), Reason::NoPort)),
        }
    }

    /// `bond_handle_frame`: what comes in by a port comes in by the bond; by one that stands by it
    /// does not (`bond_should_deliver_exact_match`).
    pub(crate) fn bond_in(&self, port: LinkId, link: &Link, bond: &Bond) -> Result<Next, Stop> {
        active_backup(port, bond)?;
        let Some(master) = link.master.map(|index| LinkId { ns: port.ns, index }) else {
            return Ok(Next::Up(port));
        };
        match &link.member {
            Some(Member::Bond(of)) if of.backup => {
                Err(Stop::lost(Stage::Receive, port.ns, Some(port), Reason::StandsBy))
            }
            _ => Ok(Next::Receive(master)),
        }
    }
}

/// How the other modes choose a port depends on hashes and on what partners say.
fn active_backup(id: LinkId, bond: &Bond) -> Result<(), Stop> {
    if bond.mode() == BondMode::ActiveBackup {
        return Ok(());
    }
    let what = format!("bond of mode {}", bond.mode().as_str());
    Err(Stop::unknown(Stage::Transmit, Unknown::Link { link: id, what }))
}
