//! Matches that are a few numbers each.

use model::XtInfo;

use super::bytes::{Reader, Writer};

/// What a rate limit keeps for itself behind its two numbers: the kernel tells zeros.
const LIMIT_OWN: usize = 32;
/// sizeof(struct xt_policy_elem), and how many there are always.
const POLICY_ELEMENTS: usize = 76 * 4;

/// xt_state_info.
pub(super) fn decode_state(bytes: &[u8]) -> Option<XtInfo> {
    Some(XtInfo::State { mask: Reader(bytes).u32()? })
}

/// xt_connmark_mtinfo1.
pub(super) fn decode_connmark(bytes: &[u8]) -> Option<XtInfo> {
    let mut r = Reader(bytes);
    Some(XtInfo::Connmark { mark: r.u32()?, mask: r.u32()?, invert: r.u8()? == 1 })
}

/// xt_iprange_mtinfo.
pub(super) fn decode_iprange(bytes: &[u8]) -> Option<XtInfo> {
    let mut r = Reader(bytes);
    let (src, dst) = ((r.array()?, r.array()?), (r.array()?, r.array()?));
    Some(XtInfo::IpRange { src, dst, flags: r.u8()? })
}

/// xt_rateinfo.
pub(super) fn decode_limit(bytes: &[u8]) -> Option<XtInfo> {
    let mut r = Reader(bytes);
    Some(XtInfo::Limit { avg: r.u32()?, burst: r.u32()? })
}

/// xt_statistic_info: mode, flags, and by mode: how likely; or every, packet, count.
pub(super) fn decode_statistic(bytes: &[u8]) -> Option<XtInfo> {
    let mut r = Reader(bytes);
    let (mode, invert) = (r.u16()?, r.u16()? == 1);
    let (first, packet) = (r.u32()?, r.u32()?);
    Some(match mode {
        0 => XtInfo::Statistic { nth: None, probability: first, invert },
        1 => XtInfo::Statistic { nth: Some((first, packet)), probability: 0, invert },
        _ => return None,
    })
}

/// xt_owner_match_info.
pub(super) fn decode_owner(bytes: &[u8]) -> Option<XtInfo> {
    let mut r = Reader(bytes);
    let (uid, gid) = ((r.u32()?, r.u32()?), (r.u32()?, r.u32()?));
    Some(XtInfo::Owner { uid, gid, asked: r.u8()?, invert: r.u8()? })
}

/// xt_pkttype_info.
pub(super) fn decode_pkttype(bytes: &[u8]) -> Option<XtInfo> {
    let mut r = Reader(bytes);
    Some(XtInfo::PktType { kind: r.u32()?, invert: r.u32()? == 1 })
}

/// xt_length_info.
pub(super) fn decode_length(bytes: &[u8]) -> Option<XtInfo> {
    let mut r = Reader(bytes);
    Some(XtInfo::Length { min: r.u16()?, max: r.u16()?, invert: r.u8()? == 1 })
}

/// ipt_ttl_info and ip6t_hl_info.
pub(super) fn decode_ttl(bytes: &[u8]) -> Option<XtInfo> {
    let mut r = Reader(bytes);
    Some(XtInfo::Ttl { mode: r.u8()?, ttl: r.u8()? })
}

/// xt_dscp_info.
pub(super) fn decode_dscp(bytes: &[u8]) -> Option<XtInfo> {
    let mut r = Reader(bytes);
    Some(XtInfo::Dscp { dscp: r.u8()?, invert: r.u8()? == 1 })
}

/// xt_tos_match_info.
pub(super) fn decode_tos(bytes: &[u8]) -> Option<XtInfo> {
    let mut r = Reader(bytes);
    Some(XtInfo::Tos { mask: r.u8()?, value: r.u8()?, invert: r.u8()? == 1 })
}

/// xt_policy_info.
pub(super) fn decode_policy(bytes: &[u8]) -> Option<XtInfo> {
    let (elements, rest) = bytes.split_at_checked(POLICY_ELEMENTS)?;
    let mut r = Reader(rest);
    Some(XtInfo::Policy { elements: elements.to_vec(), flags: r.u16()?, len: r.u16()? })
}

pub(super) fn encode(info: &XtInfo, w: &mut Writer) {
    match info {
        XtInfo::State { mask } => w.u32(*mask),
        XtInfo::Connmark { mark, mask, invert } => {
            w.u32(*mark);
            w.u32(*mask);
            w.bytes(&[u8::from(*invert)]);
        }
        XtInfo::IpRange { src, dst, flags } => {
            [src.0, src.1, dst.0, dst.1].iter().for_each(|address| w.bytes(address));
            w.bytes(&[*flags]);
        }
        XtInfo::Limit { avg, burst } => {
            w.u32(*avg);
            w.u32(*burst);
            w.bytes(&[0; LIMIT_OWN]);
        }
        XtInfo::Statistic { nth, probability, invert } => {
            w.u16(u16::from(nth.is_some()));
            w.u16(u16::from(*invert));
            let (every, packet) = nth.unwrap_or((*probability, 0));
            // iptables writes the count that is left before the first, by chance or not.
            [every, packet, every.wrapping_sub(packet)].into_iter().for_each(|n| w.u32(n));
            w.bytes(&[0; 8]);
        }
        XtInfo::Owner { uid, gid, asked, invert } => {
            [uid.0, uid.1, gid.0, gid.1].into_iter().for_each(|n| w.u32(n));
            w.bytes(&[*asked, *invert]);
        }
        XtInfo::PktType { kind, invert } => {
            w.u32(*kind);
            w.u32(u32::from(*invert));
        }
        XtInfo::Length { min, max, invert } => {
            w.u16(*min);
            w.u16(*max);
            w.bytes(&[u8::from(*invert)]);
        }
        XtInfo::Ttl { mode, ttl } => w.bytes(&[*mode, *ttl]),
        XtInfo::Dscp { dscp, invert } => w.bytes(&[*dscp, u8::from(*invert)]),
        XtInfo::Tos { mask, value, invert } => w.bytes(&[*mask, *value, u8::from(*invert)]),
        XtInfo::RpFilter(flags) => w.bytes(&[*flags]),
        XtInfo::Policy { flags, len, elements } => {
            w.bytes(elements);
            w.u16(*flags);
            w.u16(*len);
        }
        _ => {}
    }
}
