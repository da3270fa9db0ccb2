//! `match` and `target`: xtables extensions inside nftables.

use model::Xt;

use crate::nft::attr::{Attrs, Writer};
use crate::xt;

const NAME: u16 = 1;
const REVISION: u16 = 2;
const INFO: u16 = 3;

pub(super) fn decode(attrs: &Attrs<'_>) -> Option<Xt> {
    attrs.only(&[NAME, REVISION, INFO])?;
    let (name, revision) = (attrs.text(NAME)?, attrs.u32(REVISION)?);
    let info = xt::decode(&name, revision, attrs.get(INFO)?);
    Some(Xt { name, revision, info })
}

pub(super) fn encode(ext: &Xt, w: &mut Writer) {
    w.text(NAME, &ext.name);
    w.u32(REVISION, ext.revision);
    w.bytes(INFO, &xt::encode(ext));
}
