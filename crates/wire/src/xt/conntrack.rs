use model::{XtConntrack, XtInfo};

use super::bytes::{Reader, Writer};

/// xt_conntrack_mtinfo3.
pub(super) fn decode(bytes: &[u8]) -> Option<XtInfo> {
    let mut r = Reader(bytes);
    let mut ct = XtConntrack::default();
    for pair in &mut ct.addresses {
        *pair = (r.array()?, r.array()?);
    }
    ct.expires = (r.u32()?, r.u32()?);
    ct.l4proto = r.u16()?;
    for port in &mut ct.ports {
        *port = r.u16()?;
    }
    ct.match_flags = r.u16()?;
    ct.invert_flags = r.u16()?;
    ct.state_mask = r.u16()?;
    ct.status_mask = r.u16()?;
    for port in &mut ct.ports_high {
        *port = r.u16()?;
    }
    Some(XtInfo::Conntrack(Box::new(ct)))
}

pub(super) fn encode(ct: &XtConntrack, w: &mut Writer) {
    for (address, mask) in &ct.addresses {
        w.bytes(address);
        w.bytes(mask);
    }
    w.u32(ct.expires.0);
    w.u32(ct.expires.1);
    w.u16(ct.l4proto);
    ct.ports.iter().for_each(|p| w.u16(*p));
    for word in [ct.match_flags, ct.invert_flags, ct.state_mask, ct.status_mask] {
        w.u16(word);
    }
    ct.ports_high.iter().for_each(|p| w.u16(*p));
}
