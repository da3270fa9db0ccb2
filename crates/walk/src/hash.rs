//! Hash maps for keys of a few bytes, which a walk looks up by the dozen.
//!
//! A number is folded into the state by one multiplication. Where it starts is by chance (what std's own
//! maps start with), so that nobody can choose addresses that all meet in one place.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::net::IpAddr;
use std::sync::LazyLock;

/// A map with such keys.
pub(crate) type Map<K, V> = HashMap<K, V, Quick>;
/// A set of such keys.
pub(crate) type Set<K> = HashSet<K, Quick>;

/// An address as a key: one of IPv4 is one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ip(pub(crate) IpAddr);

impl Hash for Ip {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.0 {
            IpAddr::V4(ip) => state.write_u32(ip.to_bits()),
            IpAddr::V6(ip) => ip.segments().hash(state),
        }
    }
}

static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0) | 1);

/// Makes hashers of this kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quick(u64);

impl Default for Quick {
    fn default() -> Self {
        Self(*SEED)
    }
}

impl BuildHasher for Quick {
    type Hasher = Folded;

    #[inline]
    fn build_hasher(&self) -> Folded {
        Folded { state: self.0, seed: self.0 }
    }
}

/// What has been folded so far.
pub(crate) struct Folded {
    state: u64,
    seed: u64,
}

impl Folded {
    #[inline]
    fn fold(&mut self, word: u64) {
        /// Digits of π.
        const FACTOR: u128 = 0x2437_06a8_8085_a308;
        let product = u128::from(self.state ^ word) * (FACTOR ^ u128::from(self.seed));
        #[allow(clippy::cast_possible_truncation, reason = "both halves are used")]
        let (low, high) = (product as u64, (product >> 64) as u64);
        self.state = low ^ high;
    }
}

impl Hasher for Folded {
    fn write(&mut self, bytes: &[u8]) {
        // Addresses: a copy of so many bytes as are known beforehand is one move.
        match bytes {
            [a, b, c, d] => return self.fold(u32::from_le_bytes([*a, *b, *c, *d]).into()),
            [a, b, c, d, e, f] => {
                return self.fold(u64::from_le_bytes([*a, *b, *c, *d, *e, *f, 0, 0]));
            }
            _ => {}
        }
        if bytes.len() < 8 {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            word[7] = u8::try_from(bytes.len()).unwrap_or(0);
            return self.fold(u64::from_le_bytes(word));
        }
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.fold(u64::from_le_bytes(word));
        }
        self.fold(bytes.len() as u64);
    }

    #[inline]
    fn write_u8(&mut self, n: u8) {
        self.fold(n.into());
    }

    #[inline]
    fn write_u16(&mut self, n: u16) {
        self.fold(n.into());
    }

    #[inline]
    fn write_u32(&mut self, n: u32) {
        self.fold(n.into());
    }

    #[inline]
    fn write_u64(&mut self, n: u64) {
        self.fold(n);
    }

    #[inline]
    fn write_usize(&mut self, n: usize) {
        self.fold(n as u64);
    }

    #[inline]
    fn write_isize(&mut self, n: isize) {
        self.fold(n as u64);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Neighbouring keys come to different places, by all bits that a map uses.
    #[test]
    fn it_scatters() {
        let hash = Quick::default();
        let all: Vec<u64> = (0..4096_u32).map(|n| hash.hash_one((n, 7_u64))).collect();
        for shift in [0, 57] {
            let low: HashSet<u64> = all.iter().map(|h| (h >> shift) & 0x7f).collect();
            assert_eq!(low.len(), 128, "shifted by {shift}");
        }
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }
}
