/// One netlink message out of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// `nlmsg_type` (RTM_NEWLINK, …).
    pub kind: u16,
    /// `nlmsg_flags`.
    pub flags: u16,
    /// `nlmsg_seq`: which request it answers.
    pub sequence: u32,
    /// What follows the header.
    pub body: &'a [u8],
}

/// Length of `struct nlmsghdr`.
pub(crate) const HEADER: usize = 16;

/// The messages in a reply as it came from the socket. Stops at the first that is cut short.
pub fn messages(mut bytes: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let (message, rest) = split(bytes)?;
        bytes = rest;
        Some(message)
    })
}

fn split(bytes: &[u8]) -> Option<(Message<'_>, &[u8])> {
    let header = bytes.first_chunk::<HEADER>()?;
    let [a, b, c, d, kind_low, kind_high, flags_low, flags_high, e, f, g, h, ..] = *header;
    let length = usize::try_from(u32::from_ne_bytes([a, b, c, d])).ok()?;
    let message = Message {
        kind: u16::from_ne_bytes([kind_low, kind_high]),
        flags: u16::from_ne_bytes([flags_low, flags_high]),
        sequence: u32::from_ne_bytes([e, f, g, h]),
        body: bytes.get(HEADER..length)?,
    };
    Some((message, bytes.get(length.next_multiple_of(4)..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_messages_and_a_stump() {
        let mut bytes = Vec::new();
        for (length, body) in [(18u32, [1u8, 2, 0, 0]), (20, [3, 4, 5, 6]), (99, [7, 8, 9, 10])] {
            bytes.extend(length.to_ne_bytes());
            bytes.extend([16, 0, 2, 0]);
            bytes.extend([9, 0, 0, 0, 0, 0, 0, 0]);
            bytes.extend(body);
        }
        let bodies: Vec<&[u8]> = messages(&bytes).map(|m| m.body).collect();
        assert_eq!(bodies, [&[1u8, 2][..], &[3, 4, 5, 6][..]]);
        assert_eq!(
            messages(&bytes).next().map(|m| (m.kind, m.flags, m.sequence)),
            Some((16, 2, 9))
        );
    }

    #[test]
    fn a_length_below_the_header_ends_it() {
        assert_eq!(messages(&[4; 32]).count(), 0);
        assert_eq!(messages(&[0; 32]).count(), 0);
    }
}
