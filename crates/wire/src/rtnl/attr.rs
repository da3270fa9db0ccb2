//! Attributes of a netlink message, read one by one: one that is too short, or that nobody here
//! knows, spoils no other.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::Mac;

/// NLA_F_NESTED and NLA_F_NET_BYTEORDER are not part of the number.
const KIND: u16 = 0x3fff;

/// One attribute (`struct nlattr`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attr<'a> {
    pub(crate) kind: u16,
    pub(crate) value: &'a [u8],
}

/// The attributes in `bytes`. Stops at the first that is cut short.
pub(crate) fn attrs(mut bytes: &[u8]) -> impl Iterator<Item = Attr<'_>> {
    std::iter::from_fn(move || {
        let [a, b, c, d] = *bytes.first_chunk()?;
        let length = usize::from(u16::from_ne_bytes([a, b]));
        let attr = Attr { kind: u16::from_ne_bytes([c, d]) & KIND, value: bytes.get(4..length)? };
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(attr)
    })
}

/// The attributes behind a fixed header of that length.
pub(crate) fn attrs_behind(body: &[u8], header: usize) -> impl Iterator<Item = Attr<'_>> {
    attrs(body.get(header..).unwrap_or_default())
}

/// The first attribute of that number.
pub(crate) fn find(bytes: &[u8], kind: u16) -> Option<Attr<'_>> {
    attrs(bytes).find(|a| a.kind == kind)
}

impl<'a> Attr<'a> {
    pub(crate) fn u8(self) -> Option<u8> {
        self.value.first().copied()
    }

    pub(crate) fn flag(self) -> bool {
        self.u8().is_some_and(|v| v != 0)
    }

    pub(crate) fn u16(self) -> Option<u16> {
        self.value.first_chunk().map(|b| u16::from_ne_bytes(*b))
    }

    pub(crate) fn be16(self) -> Option<u16> {
        self.value.first_chunk().map(|b| u16::from_be_bytes(*b))
    }

    pub(crate) fn u32(self) -> Option<u32> {
        u32_at(self.value, 0)
    }

    pub(crate) fn u64(self) -> Option<u64> {
        Some(u64::from_ne_bytes(*self.value.first_chunk()?))
    }

    pub(crate) fn be32(self) -> Option<u32> {
        self.value.first_chunk().map(|b| u32::from_be_bytes(*b))
    }

    pub(crate) fn i32(self) -> Option<i32> {
        self.value.first_chunk().map(|b| i32::from_ne_bytes(*b))
    }

    pub(crate) fn mac(self) -> Option<Mac> {
        Mac::from_slice(self.value)
    }

    /// Text up to its first NUL. Bytes that are no UTF-8 become U+FFFD.
    pub(crate) fn text(self) -> String {
        let end = self.value.iter().position(|b| *b == 0).unwrap_or(self.value.len());
        String::from_utf8_lossy(&self.value[..end]).into_owned()
    }

    /// An address: its length says which family.
    pub(crate) fn ip(self) -> Option<IpAddr> {
        ip(self.value)
    }

    /// The attributes inside.
    pub(crate) fn nested(self) -> impl Iterator<Item = Attr<'a>> {
        attrs(self.value)
    }
}

/// An address of 4 or 16 bytes.
pub(crate) fn ip(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(four).into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(|b| Ipv6Addr::from(b).into())
}

/// The native-order number at that place.
pub(crate) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    bytes.get(offset..)?.first_chunk().map(|b| u32::from_ne_bytes(*b))
}

/// The native-order number at that place.
pub(crate) fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    bytes.get(offset..)?.first_chunk().map(|b| u16::from_ne_bytes(*b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_where_it_is_cut_short() {
        let bytes = [8, 0, 4, 0x80, 1, 2, 3, 4, 5, 0, 3, 0, b'x', 0, 0, 0, 9, 0, 1, 0, 7];
        let all: Vec<Attr<'_>> = attrs(&bytes).collect();
        assert_eq!(all, [Attr { kind: 4, value: &[1, 2, 3, 4] }, Attr { kind: 3, value: b"x" }]);
        assert_eq!(attrs(&[2, 0, 1, 0]).count(), 0);
        assert_eq!(attrs(&[4, 0, 1, 0]).count(), 1);
    }

    #[test]
    fn numbers_and_addresses_of_the_wrong_length_are_none() {
        let attr = Attr { kind: 1, value: &[1, 2, 3] };
        assert_eq!((attr.u32(), attr.ip(), attr.mac()), (None, None, None));
        assert_eq!(Attr { kind: 1, value: &[10, 0, 0, 1] }.ip().unwrap().to_string(), "10.0.0.1");
    }
}
