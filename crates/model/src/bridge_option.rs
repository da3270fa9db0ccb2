use crate::{Bridge, Options, StpState};

/// A setting of a bridge (IFLA_BR_*), as a number; switches are 0 or 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is the field of that name of `Bridge`")]
pub enum BridgeOption {
    ForwardDelay,
    AgeingTime,
    Stp,
    VlanFiltering,
    DefaultPvid,
    Snooping,
    QueryResponseInterval,
    Querier,
    MulticastRouter,
    GroupFwdMask,
    NoLinklocalLearn,
    FdbMaxLearned,
    NfCallIptables,
    NfCallArptables,
}

impl BridgeOption {
    /// All of them, in the order in which they are set.
    pub const ALL: [Self; 14] = [
        Self::ForwardDelay,
        Self::AgeingTime,
        Self::Stp,
        Self::VlanFiltering,
        Self::DefaultPvid,
        Self::Snooping,
        Self::QueryResponseInterval,
        Self::Querier,
        Self::MulticastRouter,
        Self::GroupFwdMask,
        Self::NoLinklocalLearn,
        Self::FdbMaxLearned,
        Self::NfCallIptables,
        Self::NfCallArptables,
    ];

    /// Its name in a lab file, which is that of `ip link`, but for what has none of its own.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ForwardDelay => "forward_delay",
            Self::AgeingTime => "ageing_time",
            Self::Stp => "stp",
            Self::VlanFiltering => "vlan_filtering",
            Self::DefaultPvid => "default_pvid",
            Self::Snooping => "snooping",
            Self::QueryResponseInterval => "query_response_interval",
            Self::Querier => "querier",
            Self::MulticastRouter => "mcast_router",
            Self::GroupFwdMask => "group_fwd_mask",
            Self::NoLinklocalLearn => "no_linklocal_learn",
            Self::FdbMaxLearned => "fdb_max_learned",
            Self::NfCallIptables => "nf_call_iptables",
            Self::NfCallArptables => "nf_call_arptables",
        }
    }

    /// The largest value; None: a switch.
    #[must_use]
    pub const fn most(self) -> Option<u32> {
        match self {
            Self::ForwardDelay => Some(3000),
            Self::AgeingTime | Self::QueryResponseInterval => Some(10_000_000),
            Self::MulticastRouter => Some(2),
            Self::DefaultPvid => Some(4094),
            Self::GroupFwdMask => Some(0xffff),
            Self::FdbMaxLearned => Some(u32::MAX),
            _ => None,
        }
    }

    /// What the kernel gives to a new bridge.
    #[must_use]
    pub const fn usual(self) -> u32 {
        match self {
            Self::ForwardDelay => 1500,
            Self::AgeingTime => 30_000,
            Self::QueryResponseInterval => 1000,
            Self::Snooping | Self::MulticastRouter | Self::DefaultPvid => 1,
            _ => 0,
        }
    }

    /// What a bridge has.
    #[must_use]
    pub fn of(self, bridge: &Bridge) -> u32 {
        match self {
            Self::ForwardDelay => bridge.forward_delay,
            Self::AgeingTime => bridge.ageing_time,
            Self::Stp => u32::from(bridge.stp != StpState::Off),
            Self::VlanFiltering => bridge.vlan_filtering.into(),
            Self::DefaultPvid => bridge.default_pvid.into(),
            Self::Snooping => bridge.multicast_snooping.into(),
            Self::QueryResponseInterval => bridge.query_response_interval,
            Self::Querier => bridge.multicast_querier.into(),
            Self::MulticastRouter => bridge.multicast_router.into(),
            Self::GroupFwdMask => bridge.group_fwd_mask.into(),
            Self::NoLinklocalLearn => bridge.no_linklocal_learn.into(),
            Self::FdbMaxLearned => bridge.fdb_max_learned,
            Self::NfCallIptables => bridge.nf_call_iptables.into(),
            Self::NfCallArptables => bridge.nf_call_arptables.into(),
        }
    }

    /// Gives it to a bridge.
    pub fn give(self, bridge: &mut Bridge, value: u32) {
        let on = value != 0;
        match self {
            Self::ForwardDelay => bridge.forward_delay = value,
            Self::AgeingTime => bridge.ageing_time = value,
            Self::Stp => bridge.stp = if on { StpState::Kernel } else { StpState::Off },
            Self::VlanFiltering => bridge.vlan_filtering = on,
            Self::DefaultPvid => bridge.default_pvid = u16::try_from(value).unwrap_or(0),
            Self::Snooping => bridge.multicast_snooping = on,
            Self::QueryResponseInterval => bridge.query_response_interval = value,
            Self::Querier => bridge.multicast_querier = on,
            Self::MulticastRouter => bridge.multicast_router = u8::try_from(value).unwrap_or(2),
            Self::GroupFwdMask => bridge.group_fwd_mask = u16::try_from(value).unwrap_or(0),
            Self::NoLinklocalLearn => bridge.no_linklocal_learn = on,
            Self::FdbMaxLearned => bridge.fdb_max_learned = value,
            Self::NfCallIptables => bridge.nf_call_iptables = on,
            Self::NfCallArptables => bridge.nf_call_arptables = on,
        }
    }
}

/// What is said of a bridge that is to be made.
pub type BridgeSpec = Options<BridgeOption>;

impl BridgeSpec {
    /// All that a bridge has.
    #[must_use]
    pub fn of(bridge: &Bridge) -> Self {
        BridgeOption::ALL.into_iter().map(|option| (option, option.of(bridge))).collect()
    }
}
