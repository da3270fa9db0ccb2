//! Entries of the table of labels by which IPv6 chooses a source.

use model::AddressLabel;

/// Adds an entry, or replaces it.
pub const RTM_NEWADDRLABEL: u16 = 72;
/// Takes it away.
pub const RTM_DELADDRLABEL: u16 = 73;

const AF_INET6: u8 = 10;
const IFAL_ADDRESS: u16 = 1;
const IFAL_LABEL: u16 = 2;

/// The body of an RTM_NEWADDRLABEL or RTM_DELADDRLABEL.
#[must_use]
pub fn address_label(entry: &AddressLabel) -> Vec<u8> {
    // struct ifaddrlblmsg: family, a reserved byte, length of the prefix, flags, link, a number.
    let mut body = vec![AF_INET6, 0, entry.net.prefix_len(), 0];
    body.extend(entry.link.unwrap_or_default().to_ne_bytes());
    body.extend([0; 4]);
    for (kind, value) in [
        (IFAL_ADDRESS, &entry.net.network().octets()[..]),
        (IFAL_LABEL, &entry.label.to_ne_bytes()[..]),
    ] {
        let length = u16::try_from(4 + value.len()).unwrap_or_default();
        body.extend(length.to_ne_bytes());
        body.extend(kind.to_ne_bytes());
        body.extend(value);
    }
    body
}
