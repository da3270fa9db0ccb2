//! Matches that count, or remember what they saw.

use model::{XtInfo, XtRecent};

use super::bytes::{Reader, Writer};

/// XT_RECENT_NAME_LEN.
const NAME: usize = 200;
/// `mode` stands behind the name: IFNAMSIZ of revision 1, NAME_MAX of the others, with two numbers
/// of eight bytes between.
const OLD_NAME: usize = 16;
const LONG_NAME: usize = 256;

/// xt_recent_mtinfo, and _v1 with a mask (which stands at a multiple of four).
pub(super) fn decode_recent(bytes: &[u8], revision: u32) -> Option<XtInfo> {
    let mut r = Reader(bytes);
    let (seconds, hits) = (r.u32()?, r.u32()?);
    let (check_set, invert) = (r.u8()?, r.u8()? == 1);
    let name_field = r.array::<NAME>()?.to_vec();
    let side = r.u8()?;
    let mask = match revision {
        0 => None,
        _ => {
            r.u8()?;
            Some(r.array()?)
        }
    };
    Some(XtInfo::Recent(Box::new(XtRecent {
        seconds,
        hits,
        check_set,
        invert,
        name_field,
        side,
        mask,
    })))
}

/// xt_hashlimit_mtinfo1 to 3: what matters of it is what it counts, and whether it is inverted.
pub(super) fn decode_hashlimit(bytes: &[u8], revision: u32) -> Option<XtInfo> {
    let place = if revision == 1 { OLD_NAME } else { LONG_NAME + 16 };
    let mode = Reader(bytes.get(place..)?).u32()?;
    Some(XtInfo::HashLimit { mode, data: bytes.to_vec() })
}

pub(super) fn encode(info: &XtInfo, w: &mut Writer) {
    match info {
        XtInfo::Recent(recent) => {
            w.u32(recent.seconds);
            w.u32(recent.hits);
            w.bytes(&[recent.check_set, u8::from(recent.invert)]);
            w.bytes(&recent.name_field);
            w.bytes(&[recent.side]);
            if let Some(mask) = recent.mask {
                w.bytes(&[0]);
                w.bytes(&mask);
            }
        }
        XtInfo::HashLimit { data, .. } | XtInfo::RoutingHeader(data) => w.bytes(data),
        _ => {}
    }
}
