//! NFTA_TABLE_*.

use model::Table;

use super::attr::{Attrs, Writer};
use super::family;
use super::message::Message;

const NAME: u16 = 1;
const FLAGS: u16 = 2;

/// A table without its parts; None if it has no name or is of no known family.
pub(super) fn decode(message: &Message<'_>) -> Option<Table> {
    let attrs = Attrs::parse(message.body)?;
    let mut table = Table::new(family(message.family)?, &attrs.text(NAME)?);
    table.flags = attrs.u32(FLAGS).unwrap_or(0);
    Some(table)
}

pub(super) fn encode(table: &Table) -> Writer {
    let mut w = Writer::default();
    w.text(NAME, &table.name);
    if table.flags != 0 {
        w.u32(FLAGS, table.flags);
    }
    w
}

pub(super) fn encode_name(name: &str) -> Writer {
    let mut w = Writer::default();
    w.text(NAME, name);
    w
}
