use std::fmt;
use std::io;

use rustix::io::Errno;
use wire::ipset;
use wire::rtnl::Message;

const NLM_F_CAPPED: u16 = 0x100;
const NLM_F_ACK_TLVS: u16 = 0x200;
const NLMSG_DONE: u16 = 3;
const NLMSGERR_ATTR_MSG: u16 = 1;
/// MAX_ERRNO.
const LAST_ERRNO: i32 = 4095;
/// Length of `struct nlmsghdr`.
const HEADER: usize = 16;

/// What the kernel refused with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetlinkError {
    /// Its error number.
    pub errno: Errno,
    /// Its own words about it, where it has some (extended acknowledgement).
    pub words: Option<String>,
    /// The number as it came, where it is none of the system's: ipset has its own from 4096 on.
    pub own: Option<i32>,
}

impl NetlinkError {
    /// An error number without words.
    #[must_use]
    pub const fn new(errno: Errno) -> Self {
        Self { errno, words: None, own: None }
    }

    /// The caller is not allowed to (EPERM, EACCES).
    #[must_use]
    pub fn is_denied(&self) -> bool {
        matches!(self.errno, Errno::PERM | Errno::ACCESS)
    }
}

impl fmt::Display for NetlinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meaning = model::plain(io::Error::from_raw_os_error(self.errno.raw_os_error()));
        match &self.words {
            Some(words) if self.own.is_some() => f.write_str(words),
            Some(words) => write!(f, "{words} ({meaning})"),
            None => f.write_str(&meaning),
        }
    }
}

impl std::error::Error for NetlinkError {}

impl From<Errno> for NetlinkError {
    fn from(errno: Errno) -> Self {
        Self::new(errno)
    }
}

impl From<NetlinkError> for io::Error {
    fn from(error: NetlinkError) -> Self {
        Self::from(error.errno)
    }
}

impl From<io::Error> for NetlinkError {
    fn from(error: io::Error) -> Self {
        Self::new(Errno::from_io_error(&error).unwrap_or(Errno::IO))
    }
}

/// What an NLMSG_ERROR or NLMSG_DONE says: Ok for an acknowledgement.
pub(super) fn read(message: &Message<'_>) -> Result<(), NetlinkError> {
    let code = message.body.first_chunk().map_or(0, |b| i32::from_ne_bytes(*b));
    if code >= 0 {
        return Ok(()); // a DONE may carry a length here
    }
    let words = (message.flags & NLM_F_ACK_TLVS != 0).then(|| words(message)).flatten();
    let code = code.saturating_neg();
    if code > LAST_ERRNO {
        // No error number of the system's: ipset alone has its own.
        let own = ipset::refusal(code).map_or_else(|| format!("error {code}"), str::to_owned);
        let words = words.or(Some(own));
        return Err(NetlinkError { errno: Errno::INVAL, words, own: Some(code) });
    }
    Err(NetlinkError { errno: Errno::from_raw_os_error(code), words, own: None })
}

/// The text among the attributes behind the code (and, in an NLMSG_ERROR, behind the request).
fn words(message: &Message<'_>) -> Option<String> {
    let rest = message.body.get(4..)?;
    let mut rest = if message.kind == NLMSG_DONE {
        rest
    } else if message.flags & NLM_F_CAPPED != 0 {
        rest.get(HEADER..)?
    } else {
        let length = u32::from_ne_bytes(*rest.first_chunk()?) as usize;
        rest.get(length.next_multiple_of(4)..)?
    };
    while let Some([a, b, c, d]) = rest.first_chunk() {
        let length = usize::from(u16::from_ne_bytes([*a, *b]));
        if u16::from_ne_bytes([*c, *d]) == NLMSGERR_ATTR_MSG {
            let text = rest.get(4..length)?.split(|b| *b == 0).next()?;
            return Some(String::from_utf8_lossy(text).into_owned());
        }
        rest = rest.get(length.max(4).next_multiple_of(4)..)?;
    }
    None
}
