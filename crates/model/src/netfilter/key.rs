//! What expressions load, compare and translate by.

/// NFT_META_*: those that have a type; the rest is `Other`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are nft's")]
pub enum MetaKey {
    Len,
    Protocol,
    Mark,
    Iif,
    Oif,
    IifName,
    OifName,
    IifType,
    OifType,
    Nfproto,
    L4proto,
    BridgeIifName,
    BridgeOifName,
    PktType,
    Priority,
    Rtclassid,
    Skuid,
    Skgid,
    Cpu,
    IifGroup,
    OifGroup,
    Cgroup,
    Random,
    NfTrace,
    Secpath,
    IifKind,
    OifKind,
    BridgeIifPvid,
    BridgeIifVproto,
    TimeNs,
    TimeDay,
    TimeHour,
    Sdif,
    SdifName,
    BridgeBroute,
    BridgeHwaddr,
    Other(u32),
}

/// NFT_CT_*: those that have a type; the rest is `Other`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are nft's")]
pub enum CtKey {
    State,
    Direction,
    Status,
    Mark,
    L3protocol,
    Protocol,
    Src,
    Dst,
    ProtoSrc,
    ProtoDst,
    Zone,
    Expiration,
    Helper,
    Labels,
    Pkts,
    Bytes,
    AvgPkt,
    EventMask,
    Id,
    SrcIp,
    DstIp,
    SrcIp6,
    DstIp6,
    Other(u32),
}

/// From where a payload is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are nft's")]
pub enum PayloadBase {
    LinkLayer,
    Network,
    Transport,
    Inner,
    Other(u32),
}

/// NFT_CMP_*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the kernel's")]
pub enum CmpOp {
    Eq,
    Neq,
    Lt,
    Lte,
    Gt,
    Gte,
}

/// NFT_NAT_*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are nft's")]
pub enum NatKind {
    Snat,
    Dnat,
}

/// NFT_RT_*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are nft's")]
pub enum RtKey {
    Classid,
    Nexthop4,
    Nexthop6,
    TcpMss,
    Xfrm,
    Other(u32),
}

/// NFT_SOCKET_*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are nft's")]
pub enum SocketKey {
    Transparent,
    Mark,
    Wildcard,
    CgroupV2,
    Other(u32),
}
