use std::net::IpAddr;

/// A tunnel other than VXLAN: gre and its kin, ipip, sit, vti, geneve.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tunnel {
    /// The kernel's name for its kind.
    pub kind: String,
    /// Outer source.
    pub local: Option<IpAddr>,
    /// Outer destination.
    pub remote: Option<IpAddr>,
    /// What tells its packets from another tunnel's: geneve's VNI, gre's or vti's key.
    pub id: Option<u32>,
    /// UDP destination port, where it has one.
    pub port: Option<u16>,
}
