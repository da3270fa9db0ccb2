use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

/// An address of a link (RTM_GETADDR).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// ifindex of its link.
    pub link: u32,
    /// Address and prefix length, host bits kept: `192.168.10.41/24`.
    pub net: IpNet,
    /// Peer's address on a point-to-point link, where it differs.
    pub peer: Option<IpAddr>,
    /// Broadcast address, if one is set (Docker and LXC's tools set it, `ip addr add` does not).
    pub broadcast: Option<Ipv4Addr>,
    /// Where it is valid.
    pub scope: Scope,
    /// `secondary`: not chosen as source while the primary of its subnet lives.
    pub secondary: bool,
    /// IFA_LABEL (`eth0:1`); often the link's name.
    pub label: Option<String>,
    /// Of an IPv6 address, whether it can be used.
    pub flags: AddressFlags,
}

bitflags::bitflags! {
    /// IFA_F_*, as far as they decide what an IPv6 address is used for.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct AddressFlags: u32 {
        /// `temporary`: made up for privacy.
        const TEMPORARY = 1;
        /// Used before it is known to be the only one (RFC 4429).
        const OPTIMISTIC = 4;
        /// `dadfailed`: another has it.
        const DADFAILED = 8;
        /// Not for new connections any more.
        const DEPRECATED = 0x20;
        /// Not known yet to be the only one: not used.
        const TENTATIVE = 0x40;
    }
}

impl Address {
    /// The address alone.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.net.addr()
    }

    /// It is used: known to be the only one, or used before that is known (`ipv6_chk_addr`).
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        !self.flags.contains(AddressFlags::TENTATIVE)
            || self.flags.contains(AddressFlags::OPTIMISTIC)
    }
}

/// RT_SCOPE_* of addresses and routes. Smaller is wider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Anywhere (0).
    #[default]
    Global,
    /// The site (200).
    Site,
    /// On this link (253).
    Link,
    /// In this host (254).
    Host,
    /// Nowhere (255).
    Nowhere,
    /// Another number of rt_scopes.
    Other(u8),
}

impl From<u8> for Scope {
    fn from(n: u8) -> Self {
        match n {
            0 => Self::Global,
            200 => Self::Site,
            253 => Self::Link,
            254 => Self::Host,
            255 => Self::Nowhere,
            n => Self::Other(n),
        }
    }
}

impl From<Scope> for u8 {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Global => 0,
            Scope::Site => 200,
            Scope::Link => 253,
            Scope::Host => 254,
            Scope::Nowhere => 255,
            Scope::Other(n) => n,
        }
    }
}
