//! Targets that change the packet or its connection, or tell of it.

use model::XtInfo;

use super::bytes::{Reader, Writer};

/// Sizes of the texts in the structs.
const HELPER: usize = 16;
const TIMEOUT: usize = 32;
const PREFIX: usize = 64;

/// xt_connmark_tginfo1 and 2.
pub(super) fn decode_connmark(bytes: &[u8], revision: u32) -> Option<XtInfo> {
    let mut r = Reader(bytes);
    let (ctmark, ctmask, nfmask) = (r.u32()?, r.u32()?, r.u32()?);
    if revision == 1 {
        return Some(XtInfo::SetConnmark { mode: r.u8()?, ctmark, ctmask, nfmask, shift: None });
    }
    let (right, bits, mode) = (r.u8()?, r.u8()?, r.u8()?);
    Some(XtInfo::SetConnmark { mode, ctmark, ctmask, nfmask, shift: Some((right, bits)) })
}

/// xt_ct_target_info, and _v1 with the name of a timeout policy. The kernel's own pointer at the end
/// comes as zeros.
pub(super) fn decode_ct(bytes: &[u8], revision: u32) -> Option<XtInfo> {
    let mut r = Reader(bytes);
    let (flags, zone, events) = (r.u16()?, r.u16()?, (r.u32()?, r.u32()?));
    let helper = r.text::<HELPER>()?;
    let timeout = if revision == 0 { None } else { Some(r.text::<TIMEOUT>()?) };
    Some(XtInfo::Ct { flags, zone, events, helper, timeout })
}

/// xt_tcpmss_info.
pub(super) fn decode_tcpmss(bytes: &[u8]) -> Option<XtInfo> {
    Reader(bytes).u16().map(XtInfo::TcpMss)
}

/// xt_tos_target_info.
pub(super) fn decode_tos(bytes: &[u8]) -> Option<XtInfo> {
    let mut r = Reader(bytes);
    Some(XtInfo::SetTos { value: r.u8()?, mask: r.u8()? })
}

/// ipt_TTL_info and ip6t_HL_info.
pub(super) fn decode_ttl(bytes: &[u8]) -> Option<XtInfo> {
    let mut r = Reader(bytes);
    Some(XtInfo::SetTtl { mode: r.u8()?, ttl: r.u8()? })
}

/// xt_nflog_info.
pub(super) fn decode_nflog(bytes: &[u8]) -> Option<XtInfo> {
    let mut r = Reader(bytes);
    let (len, group, threshold) = (r.u32()?, r.u16()?, r.u16()?);
    let flags = r.u16()?;
    let _gap = r.u16()?;
    Some(XtInfo::NfLog { len, group, threshold, flags, prefix: r.text::<PREFIX>()? })
}

/// xt_classify_target_info.
pub(super) fn decode_classify(bytes: &[u8]) -> Option<XtInfo> {
    Reader(bytes).u32().map(XtInfo::Classify)
}

pub(super) fn encode(info: &XtInfo, w: &mut Writer) {
    match info {
        XtInfo::SetConnmark { mode, ctmark, ctmask, nfmask, shift } => {
            [*ctmark, *ctmask, *nfmask].into_iter().for_each(|n| w.u32(n));
            if let Some((right, bits)) = shift {
                w.bytes(&[*right, *bits]);
            }
            w.bytes(&[*mode]);
        }
        XtInfo::Ct { flags, zone, events, helper, timeout } => {
            w.u16(*flags);
            w.u16(*zone);
            w.u32(events.0);
            w.u32(events.1);
            w.field(helper.as_bytes(), HELPER);
            timeout.iter().for_each(|name| w.field(name.as_bytes(), TIMEOUT));
            // Up to where the pointer stands, and the pointer.
            w.bytes(&[0; 12]);
        }
        XtInfo::TcpMss(mss) => w.u16(*mss),
        XtInfo::SetDscp(dscp) => w.bytes(&[*dscp]),
        XtInfo::SetTos { value, mask } => w.bytes(&[*value, *mask]),
        XtInfo::SetTtl { mode, ttl } => w.bytes(&[*mode, *ttl]),
        XtInfo::NfLog { len, group, threshold, flags, prefix } => {
            w.u32(*len);
            [*group, *threshold, *flags, 0].into_iter().for_each(|n| w.u16(n));
            w.field(prefix.as_bytes(), PREFIX);
        }
        XtInfo::Classify(priority) => w.u32(*priority),
        XtInfo::Checksum(operation) => w.bytes(&[*operation]),
        _ => {}
    }
}
