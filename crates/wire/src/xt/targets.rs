use model::XtInfo;

use super::bytes::Reader;

/// sizeof(struct ipt_log_info).
const LOG: usize = 32;

/// xt_mark_tginfo2.
pub(super) fn decode_mark(bytes: &[u8]) -> Option<XtInfo> {
    let mut r = Reader(bytes);
    Some(XtInfo::SetMark { mark: r.u32()?, mask: r.u32()? })
}

/// ipt_reject_info.
pub(super) fn decode_reject(bytes: &[u8]) -> Option<XtInfo> {
    Reader(bytes).u32().map(XtInfo::Reject)
}

/// ipt_log_info.
pub(super) fn decode_log(bytes: &[u8]) -> Option<XtInfo> {
    (bytes.len() == LOG).then(|| XtInfo::Log { data: bytes.to_vec() })
}
