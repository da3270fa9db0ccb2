/// What only a VLAN link has (IFLA_VLAN_*); what it stands on is in its relation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vlan {
    /// VLAN identifier, 0 to 4095.
    pub id: u16,
    /// EtherType of its tags: 0x8100 or 0x88a8.
    pub protocol: u16,
}

impl Vlan {
    /// As `ip -d link` prints it.
    #[must_use]
    pub fn protocol_name(&self) -> String {
        match self.protocol {
            0x8100 => "802.1Q".to_owned(),
            0x88a8 => "802.1ad".to_owned(),
            other => format!("0x{other:04x}"),
        }
    }
}
