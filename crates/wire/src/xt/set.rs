//! `-m set` and `-j SET`: sets of ipset by their numbers.

use model::{XtInfo, XtSet, XtSetCounter, XtSetRef, XtSetTarget};

use super::bytes::{Reader, Writer};

/// The revision from which a match has counters and flags.
const WITH_COUNTERS: u32 = 3;

/// xt_set_info_match_v1, _v3 and _v4: the last two are the same but for the order within a counter.
pub(super) fn decode(bytes: &[u8], revision: u32) -> Option<XtInfo> {
    let mut r = Reader(bytes);
    let mut info = XtSet { set: one(&mut r)?, ..XtSet::default() };
    if revision >= WITH_COUNTERS {
        r.u32()?;
        info.packets = counter(&mut r, revision)?;
        info.bytes = counter(&mut r, revision)?;
        info.flags = r.u32()?;
    }
    Some(XtInfo::Set(Box::new(info)))
}

/// xt_set_info_target_v1 to _v3.
pub(super) fn decode_target(bytes: &[u8], revision: u32) -> Option<XtInfo> {
    let mut r = Reader(bytes);
    let (add, del) = (one(&mut r)?, one(&mut r)?);
    let map = if revision >= 3 { one(&mut r)? } else { XtSetRef::default() };
    let (flags, timeout) = if revision >= 2 { (r.u32()?, r.u32()?) } else { (0, u32::MAX) };
    Some(XtInfo::SetTarget(Box::new(XtSetTarget { add, del, map, flags, timeout })))
}

pub(super) fn encode(info: &XtInfo, revision: u32, w: &mut Writer) {
    match info {
        XtInfo::Set(info) => {
            put(&info.set, w);
            if revision >= WITH_COUNTERS {
                w.u32(0);
                put_counter(info.packets, revision, w);
                put_counter(info.bytes, revision, w);
                w.u32(info.flags);
            }
        }
        XtInfo::SetTarget(info) => {
            put(&info.add, w);
            put(&info.del, w);
            if revision >= 3 {
                put(&info.map, w);
            }
            if revision >= 2 {
                w.u32(info.flags);
                w.u32(info.timeout);
            }
        }
        _ => {}
    }
}

/// xt_set_info.
fn one(r: &mut Reader<'_>) -> Option<XtSetRef> {
    Some(XtSetRef { index: r.u16()?, name: None, dim: r.u8()?, flags: r.u8()? })
}

fn put(set: &XtSetRef, w: &mut Writer) {
    w.u16(set.index);
    w.bytes(&[set.dim, set.flags]);
}

/// ip_set_counter_match0 begins with what is asked, ip_set_counter_match with the number.
fn counter(r: &mut Reader<'_>, revision: u32) -> Option<XtSetCounter> {
    let (first, second) = (r.array::<8>()?, r.array::<8>()?);
    let (op, value) = if revision == WITH_COUNTERS { (first, second) } else { (second, first) };
    Some(XtSetCounter { op: op[0], value: u64::from_ne_bytes(value) })
}

fn put_counter(counter: XtSetCounter, revision: u32, w: &mut Writer) {
    let op = [counter.op, 0, 0, 0, 0, 0, 0, 0];
    let value = counter.value.to_ne_bytes();
    let (first, second) = if revision == WITH_COUNTERS { (op, value) } else { (value, op) };
    w.bytes(&first);
    w.bytes(&second);
}
