use std::fmt;
use std::str::FromStr;

use model::{HostId, NsId, NsKey};
use serde::{Deserialize, Serialize};

/// A namespace: `net:DEVICE:INODE`; `proc:INODE`, of its /proc/PID/net/dev; or `unseen:NUMBER`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(super) struct Id(NsKey);

impl Id {
    /// The folder of its answers.
    pub(super) fn folder(self) -> String {
        self.to_string().replace(':', "-")
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            NsKey::Inode { dev, ino } => write!(f, "net:{dev}:{ino}"),
            NsKey::Net(ino) => write!(f, "proc:{ino}"),
            NsKey::Unseen(number) => write!(f, "unseen:{number}"),
        }
    }
}

impl FromStr for Id {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split(':');
        let kind = parts.next();
        let mut number = || parts.next().and_then(|n| n.parse::<u64>().ok());
        let key = match (kind, number(), number()) {
            (Some("net"), Some(dev), Some(ino)) => Some(NsKey::Inode { dev, ino }),
            (Some("proc"), Some(ino), None) => Some(NsKey::Net(ino)),
            (Some("unseen"), Some(n), None) => u32::try_from(n).ok().map(NsKey::Unseen),
            _ => None,
        };
        key.map(Self).ok_or_else(|| format!("{text:?} names no namespace"))
    }
}

impl TryFrom<String> for Id {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.to_string()
    }
}

impl From<NsId> for Id {
    fn from(id: NsId) -> Self {
        Self(id.key)
    }
}

impl From<Id> for NsId {
    fn from(id: Id) -> Self {
        Self { host: HostId(0), key: id.0 }
    }
}
