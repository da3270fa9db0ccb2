//! The structs of xtables extensions, as iptables-nft puts them into `match` and `target`
//! expressions: bytes ↔ [`XtInfo`]. Numbers are in the host's byte order unless said otherwise, and
//! every struct is filled up with zeros to a multiple of 8 (XT_ALIGN).
//!
//! A struct that would not come out the same again is kept as [`XtInfo::Opaque`]: so nothing that
//! it says is lost or guessed.

mod alter;
mod bytes;
mod conntrack;
mod counted;
mod matches;
mod nat;
mod plain;
mod set;
mod targets;

pub(crate) use nat::of_ipv6;

use model::{Xt, XtInfo};

/// What the struct of the extension of that name and revision says.
#[must_use]
pub fn decode(name: &str, revision: u32, bytes: &[u8]) -> XtInfo {
    let opaque = XtInfo::Opaque(bytes.to_vec());
    let Some(info) = typed(name, revision, bytes) else { return opaque };
    let ext = Xt { name: name.to_owned(), revision, info };
    if encode(&ext) == bytes { ext.info } else { opaque }
}

fn typed(name: &str, revision: u32, bytes: &[u8]) -> Option<XtInfo> {
    match (name, revision) {
        ("addrtype", 1) => matches::decode_addrtype(bytes),
        ("conntrack", 3) => conntrack::decode(bytes),
        ("comment", 0) => matches::decode_comment(bytes),
        ("tcp", 0) => matches::decode_tcp(bytes),
        ("udp", 0) => matches::decode_udp(bytes),
        ("icmp" | "icmp6", 0) => matches::decode_icmp(bytes),
        ("multiport", 1) => matches::decode_multiport(bytes),
        ("physdev", 0) => matches::decode_physdev(bytes),
        ("mac", 0) => matches::decode_mac(bytes),
        ("mark", 1) => matches::decode_mark(bytes),
        ("state", 0) => plain::decode_state(bytes),
        ("connmark", 1) => plain::decode_connmark(bytes),
        ("iprange", 1) => plain::decode_iprange(bytes),
        ("limit", 0) => plain::decode_limit(bytes),
        ("statistic", 0) => plain::decode_statistic(bytes),
        ("owner", 1) => plain::decode_owner(bytes),
        ("pkttype", 0) => plain::decode_pkttype(bytes),
        ("length", 0) => plain::decode_length(bytes),
        ("ttl" | "hl", 0) => plain::decode_ttl(bytes),
        ("dscp", 0) => plain::decode_dscp(bytes),
        ("tos", 1) => plain::decode_tos(bytes),
        ("rpfilter", 0) => Some(XtInfo::RpFilter(*bytes.first()?)),
        ("policy", 0) => plain::decode_policy(bytes),
        ("recent", 0 | 1) => counted::decode_recent(bytes, revision),
        ("hashlimit", 1..=3) => counted::decode_hashlimit(bytes, revision),
        ("set", 1..=4) => set::decode(bytes, revision),
        ("SET", 1..=3) => set::decode_target(bytes, revision),
        ("rt", 0) => Some(XtInfo::RoutingHeader(bytes.to_vec())),
        ("CONNMARK", 1 | 2) => alter::decode_connmark(bytes, revision),
        ("CT", 0..=2) => alter::decode_ct(bytes, revision),
        ("TCPMSS", 0) => alter::decode_tcpmss(bytes),
        ("DSCP", 0) => Some(XtInfo::SetDscp(*bytes.first()?)),
        ("TOS", 1) => alter::decode_tos(bytes),
        ("TTL" | "HL", 0) => alter::decode_ttl(bytes),
        ("NFLOG", 0) => alter::decode_nflog(bytes),
        ("CLASSIFY", 0) => alter::decode_classify(bytes),
        ("CHECKSUM", 0) => Some(XtInfo::Checksum(*bytes.first()?)),
        ("NOTRACK" | "TRACE", 0) if bytes.is_empty() => Some(XtInfo::Empty),
        ("NETMAP" | "MASQUERADE" | "SNAT" | "DNAT" | "REDIRECT", 0) => nat::decode_first(bytes),
        ("SNAT" | "DNAT", 1) => nat::decode_range(bytes, false, false),
        ("DNAT", 2) => nat::decode_range(bytes, true, false),
        ("MARK", 2) => targets::decode_mark(bytes),
        ("REJECT", 0) => targets::decode_reject(bytes),
        ("LOG", 0) => targets::decode_log(bytes),
        _ => None,
    }
}

/// The struct that says this.
#[must_use]
pub fn encode(ext: &Xt) -> Vec<u8> {
    let mut w = bytes::Writer::default();
    match &ext.info {
        XtInfo::Addrtype(addrtype) => matches::encode_addrtype(*addrtype, &mut w),
        XtInfo::Conntrack(conntrack) => conntrack::encode(conntrack, &mut w),
        XtInfo::Comment(text) => matches::encode_comment(text, &mut w),
        XtInfo::Ports { sport, dport, invert, tcp } => {
            matches::encode_ports(*sport, *dport, *invert, *tcp, &mut w);
        }
        XtInfo::Icmp { kind, codes, invert } => {
            w.bytes(&[*kind, codes.0, codes.1, u8::from(*invert)]);
        }
        XtInfo::Multiport { which, ports, invert } => {
            matches::encode_multiport(*which, ports, *invert, &mut w);
        }
        XtInfo::Physdev { physin, physout, wildcard, invert, bitmask } => {
            matches::encode_device(physin.as_deref(), wildcard.0, &mut w);
            matches::encode_device(physout.as_deref(), wildcard.1, &mut w);
            w.bytes(&[*invert, *bitmask]);
        }
        XtInfo::MacSource { mac, invert } => {
            w.bytes(&mac.0);
            w.bytes(&[0, 0]);
            w.u32(u32::from(*invert));
        }
        XtInfo::Mark { mark, mask, invert } => {
            w.u32(*mark);
            w.u32(*mask);
            w.bytes(&[u8::from(*invert)]);
        }
        XtInfo::Nat(range) => nat::encode(range, ext.revision, &mut w),
        XtInfo::SetMark { mark, mask } => {
            w.u32(*mark);
            w.u32(*mask);
        }
        XtInfo::Reject(with) => w.u32(*with),
        XtInfo::Log { data } => w.bytes(data),
        XtInfo::Opaque(data) => return data.clone(),
        XtInfo::SetConnmark { .. }
        | XtInfo::Ct { .. }
        | XtInfo::TcpMss(_)
        | XtInfo::SetDscp(_)
        | XtInfo::SetTos { .. }
        | XtInfo::SetTtl { .. }
        | XtInfo::NfLog { .. }
        | XtInfo::Classify(_)
        | XtInfo::Checksum(_) => alter::encode(&ext.info, &mut w),
        XtInfo::Recent(_) | XtInfo::HashLimit { .. } | XtInfo::RoutingHeader(_) => {
            counted::encode(&ext.info, &mut w);
        }
        XtInfo::Set(_) | XtInfo::SetTarget(_) => set::encode(&ext.info, ext.revision, &mut w),
        other => plain::encode(other, &mut w),
    }
    w.aligned()
}
