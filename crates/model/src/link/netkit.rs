/// What only a netkit has (IFLA_NETKIT_*); its other end is in its relation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Netkit {
    /// IP packets only, no Ethernet (`mode l3`, the default of `ip`).
    pub layer3: bool,
    /// The end that was named first, where both ends' programs are attached.
    pub primary: bool,
    /// What becomes of packets that no program has decided about.
    pub policy: NetkitPolicy,
    /// The same, of the other end.
    pub peer_policy: NetkitPolicy,
}

/// IFLA_NETKIT_POLICY.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are `ip link`'s")]
pub enum NetkitPolicy {
    #[default]
    Forward,
    Blackhole,
    /// One that is not known here, by its number.
    Other(u32),
}

impl NetkitPolicy {
    /// As `ip -d link` prints it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Blackhole => "blackhole",
            Self::Other(_) => "unknown",
        }
    }
}
