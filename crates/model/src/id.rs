use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// One machine. There is one today; every other id begins with it so that nothing assumes that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub u32);

/// A network namespace: what it *is*, never what somebody calls it.
///
/// An nsid is local to the namespace that uses it, and a name can be given twice, so neither
/// identifies anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NsId {
    /// The machine that it is on.
    pub host: HostId,
    /// Its identity on that machine.
    pub key: NsKey,
}

/// In few words: a walk looks namespaces up for every step.
impl Hash for NsId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (kind, number) = match self.key {
            NsKey::Inode { dev, ino } => (dev << 2, ino),
            NsKey::Unseen(n) => (1, n.into()),
            NsKey::Net(ino) => (2, ino),
        };
        state.write_u64(kind ^ u64::from(self.host.0).rotate_left(32));
        state.write_u64(number);
    }
}

/// How a namespace is known on its machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NsKey {
    /// Device and inode of its nsfs file (`stat -L /proc/PID/ns/net`).
    Inode {
        /// `st_dev` of nsfs.
        dev: u64,
        /// `st_ino`: the number in `net:[4026531840]`.
        ino: u64,
    },
    /// No process, file or mount shows it; only a link's peer does. The number is the observer's
    /// nsid for it, and lasts as long as one Snapshot.
    Unseen(u32),
    /// A process shows it whose namespaces the reader may not look at: the inode of
    /// `/proc/PID/net/dev`, of which every network namespace has one of its own.
    Net(u64),
}

impl NsId {
    /// A namespace of the first host, by inode alone (one nsfs per kernel: `dev` is left 0).
    /// For fixtures.
    #[must_use]
    pub const fn inode(ino: u64) -> Self {
        Self { host: HostId(0), key: NsKey::Inode { dev: 0, ino } }
    }
}

impl fmt::Display for NsId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key {
            NsKey::Inode { ino, .. } => write!(f, "net:[{ino}]"),
            NsKey::Unseen(n) => write!(f, "unseen:{n}"),
            NsKey::Net(ino) => write!(f, "proc:[{ino}]"),
        }
    }
}

/// A link: its namespace and its ifindex there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId {
    /// The namespace that it is in.
    pub ns: NsId,
    /// `ifi_index`, unique only within `ns`.
    pub index: u32,
}

/// An Ethernet address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mac(pub [u8; 6]);

/// As one number: tables of addresses are looked up for every frame.
impl Hash for Mac {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [a, b, c, d, e, f] = self.0;
        state.write_u64(u64::from_be_bytes([0, 0, a, b, c, d, e, f]));
    }
}

impl Mac {
    /// `ff:ff:ff:ff:ff:ff`.
    pub const BROADCAST: Self = Self([0xff; 6]);

    /// Group bit set: multicast or broadcast.
    #[must_use]
    pub const fn is_group(self) -> bool {
        self.0[0] & 1 == 1
    }

    /// All zero: no address.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0 == [0; 6]
    }

    /// The first six bytes of a link-layer address, if it has just six.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// The text is not six pairs of hexadecimal digits with colons between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseMacError;

impl fmt::Display for ParseMacError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a MAC address: six pairs of hexadecimal digits, as in 02:42:ac:11:00:02")
    }
}

impl std::error::Error for ParseMacError {}

impl FromStr for Mac {
    type Err = ParseMacError;

    fn from_str(text: &str) -> Result<Self, ParseMacError> {
        let mut mac = [0; 6];
        let mut parts = text.split(':');
        for byte in &mut mac {
            let part = parts.next().filter(|p| p.len() == 2).ok_or(ParseMacError)?;
            if !part.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(ParseMacError);
            }
            *byte = u8::from_str_radix(part, 16).map_err(|_| ParseMacError)?;
        }
        if parts.next().is_some() { Err(ParseMacError) } else { Ok(Self(mac)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mac_round_trip_and_refusals() {
        assert_eq!("BC:24:11:bf:ee:9b".parse::<Mac>().unwrap().to_string(), "bc:24:11:bf:ee:9b");
        for bad in
            ["", "bc:24:11:bf:ee", "bc:24:11:bf:ee:9b:00", "bc:24:11:bf:ee:zz", "+c:24:11:bf:ee:9b"]
        {
            assert_eq!(bad.parse::<Mac>(), Err(ParseMacError), "{bad}");
        }
    }
}
