/// What only a tun or tap device has (IFLA_TUN_*).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tap {
    /// A tun: IP packets, no Ethernet.
    pub layer3: bool,
    /// Stays when its process ends.
    pub persist: bool,
    /// The process that holds it, `PID (comm)`, where it was found.
    pub holder: Option<String>,
}
