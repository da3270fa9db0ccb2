/// What only a tun or tap device has (IFLA_TUN_*).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tap {
    /// A tun: IP packets, no Ethernet.
    pub layer3: bool,
    /// Stays when its process ends.
    pub persist: bool,
    /// The process that holds it open, where it was found: the lowest PID of several.
    pub holder: Option<Holder>,
}

/// A process that holds something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// PID in the reader's PID namespace.
    pub pid: u32,
    /// comm: at most 15 bytes; the process chooses it: never print it raw.
    pub comm: String,
}
