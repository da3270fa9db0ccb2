use std::fmt;

use crate::NsId;

/// Something went wrong, or looks wrong, while reading; the Snapshot is still good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Whom it is about.
    pub ns: Option<NsId>,
    /// What, in words.
    pub text: String,
}

/// A part of a namespace that could not be read, so that nothing may be concluded from its absence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Which part: `links`, `routes`, `netfilter`, …
    pub part: String,
    /// Why: the kernel's word for it.
    pub cause: String,
    /// What may be taken for it by whoever says so: what the Snapshot holds in its place, in words.
    /// None: nothing; whoever needs that part cannot tell.
    pub assumed: Option<String>,
}

impl Gap {
    /// A part that could not be read, and for which nothing is to be taken.
    #[must_use]
    pub fn new(part: &str, cause: impl fmt::Display) -> Self {
        Self { part: part.to_owned(), cause: plain(cause), assumed: None }
    }

    /// A part for which the Snapshot holds what is usual.
    #[must_use]
    pub fn assumed(part: &str, cause: impl fmt::Display, what: &str) -> Self {
        Self { assumed: Some(what.to_owned()), ..Self::new(part, cause) }
    }
}

/// The words of an error of Rust's, without its "(os error N)", wherever that stands.
#[must_use]
pub fn plain(error: impl fmt::Display) -> String {
    let text = error.to_string();
    let Some((before, rest)) = text.split_once(" (os error ") else { return text };
    let behind = rest.split_once(')').map_or("", |(_, behind)| behind);
    format!("{before}{behind}")
}

/// Something in a namespace that changes where packets go and that the walk does not model.
/// A packet that meets it has an unknown fate; it is never guessed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "documented where not evident")]
pub enum Opaque {
    /// iptables-legacy tables are loaded (/proc/net/ip_tables_names), by name.
    LegacyTables(Vec<String>),
    /// IPsec policies exist.
    Xfrm,
    /// IPVS services exist (/proc/net/ip_vs).
    Ipvs,
    /// A link is enslaved to this L3 master device.
    Vrf(String),
    /// ebtables-legacy tables are loaded.
    LegacyEbtables,
    /// nft flowtables by name: established flows pass beside the hooks.
    Flowtable(String),
    /// Programs of BPF on the cgroups of all its processes, by name and number.
    CgroupBpf(String),
    /// Anything else, in words.
    Other(String),
}

impl fmt::Display for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LegacyTables(t) => write!(f, "iptables-legacy tables ({})", t.join(", ")),
            Self::Xfrm => f.write_str("IPsec policies"),
            Self::Ipvs => f.write_str("IPVS services"),
            Self::Vrf(name) => write!(f, "VRF {name}"),
            Self::LegacyEbtables => f.write_str("ebtables-legacy tables"),
            Self::Flowtable(name) => write!(f, "flowtable {name}"),
            Self::CgroupBpf(programs) => write!(f, "BPF on its processes' cgroup ({programs})"),
            Self::Other(text) => f.write_str(text),
        }
    }
}
