/// What only a VRF has (IFLA_VRF_*): its members' packets are routed by a table of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vrf {
    /// The routing table.
    pub table: u32,
}
