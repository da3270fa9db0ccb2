use crate::Mac;

/// What only a macvlan or macvtap has (IFLA_MACVLAN_*).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Macvlan {
    /// How its siblings reach each other.
    pub mode: MacvlanMode,
    /// Mode source: whose frames it takes (IFLA_MACVLAN_MACADDR_DATA).
    pub sources: Vec<Mac>,
    /// Mode source: frames that it takes come to nobody else (MACVLAN_FLAG_NODST).
    pub nodst: bool,
    /// A macvtap: its frames go to a process, through a character device.
    pub tap: bool,
}

/// IFLA_MACVLAN_MODE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are `ip link`'s")]
pub enum MacvlanMode {
    Private,
    #[default]
    Vepa,
    Bridge,
    Passthru,
    Source,
}

impl MacvlanMode {
    /// As `ip -d link` prints it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Vepa => "vepa",
            Self::Bridge => "bridge",
            Self::Passthru => "passthru",
            Self::Source => "source",
        }
    }
}
