use super::BondPort;

/// What a master other than a bridge made of a link (IFLA_INFO_SLAVE_KIND and its data).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Member {
    /// A port of a bond.
    Bond(BondPort),
    /// In a VRF: routed by this table.
    Vrf {
        /// The routing table.
        table: u32,
    },
    /// Of a master that nothing here models, by the kernel's name for it (`team`, `openvswitch`).
    Other(String),
}

impl Member {
    /// The kernel's name for the master's kind.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Bond(_) => "bond",
            Self::Vrf { .. } => "vrf",
            Self::Other(name) => name,
        }
    }
}
