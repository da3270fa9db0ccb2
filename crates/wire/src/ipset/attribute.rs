//! Numbers of attributes, as the kernel's header names them (IPSET_ATTR_*).

/// NLA_F_NET_BYTEORDER: the kernel refuses a number without it.
pub(super) const NET: u16 = 0x4000;

/// Of a message.
pub(super) mod command {
    pub(crate) const PROTOCOL: u16 = 1;
    pub(crate) const NAME: u16 = 2;
    /// Of SWAP: the other set.
    pub(crate) const NAME2: u16 = 3;
    pub(crate) const TYPE: u16 = 3;
    pub(crate) const REVISION: u16 = 4;
    pub(crate) const FAMILY: u16 = 5;
    pub(crate) const FLAGS: u16 = 6;
    pub(crate) const DATA: u16 = 7;
    pub(crate) const ENTRIES: u16 = 8;
    pub(crate) const INDEX: u16 = 11;
}

/// Of a set and of an entry.
pub(super) mod data {
    pub(crate) const IP: u16 = 1;
    pub(crate) const IP_TO: u16 = 2;
    pub(crate) const PREFIX: u16 = 3;
    pub(crate) const PORT: u16 = 4;
    pub(crate) const PORT_TO: u16 = 5;
    pub(crate) const TIMEOUT: u16 = 6;
    pub(crate) const PROTOCOL: u16 = 7;
    pub(crate) const FLAGS: u16 = 8;
    pub(crate) const MARK: u16 = 10;
    pub(crate) const MARK_MASK: u16 = 11;
    pub(crate) const BITMASK: u16 = 12;
}

/// Of a set alone.
pub(super) mod set {
    pub(crate) const INIT: u16 = 17;
    pub(crate) const HASH_SIZE: u16 = 18;
    pub(crate) const MAX_ELEM: u16 = 19;
    pub(crate) const NETMASK: u16 = 20;
    pub(crate) const BUCKET_SIZE: u16 = 21;
    pub(crate) const RESIZE: u16 = 22;
    pub(crate) const SIZE: u16 = 23;
    pub(crate) const ELEMENTS: u16 = 24;
    pub(crate) const REFERENCES: u16 = 25;
    pub(crate) const MEMORY: u16 = 26;
}

/// Of an entry alone.
pub(super) mod entry {
    pub(crate) const MAC: u16 = 17;
    pub(crate) const NAME: u16 = 18;
    pub(crate) const IP2: u16 = 20;
    pub(crate) const PREFIX2: u16 = 21;
    pub(crate) const LINK: u16 = 23;
    pub(crate) const BYTES: u16 = 24;
    pub(crate) const PACKETS: u16 = 25;
    pub(crate) const COMMENT: u16 = 26;
    pub(crate) const SKB_MARK: u16 = 27;
    pub(crate) const SKB_PRIORITY: u16 = 28;
    pub(crate) const SKB_QUEUE: u16 = 29;
    pub(crate) const PAD: u16 = 30;
}
