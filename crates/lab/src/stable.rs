//! Values that real systems draw by lot, drawn here from a hash of names: the same file always
//! gives the same network.

use model::Mac;

/// FNV-1a over the parts, each ended, and mixed.
fn hash(parts: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in parts.iter().flat_map(|p| p.bytes().chain([0xff])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^ (hash >> 32)
}

/// That many hexadecimal digits (at most 16).
pub(crate) fn hex(parts: &[&str], digits: usize) -> String {
    let mut text = format!("{:016x}", hash(parts));
    text.truncate(digits);
    text
}

/// A key.
pub(crate) fn key(parts: &[&str]) -> [u8; 32] {
    let mut key = [0; 32];
    for (eight, place) in key.chunks_exact_mut(8).zip(["0", "1", "2", "3"]) {
        let parts: Vec<&str> = parts.iter().copied().chain([place]).collect();
        eight.copy_from_slice(&hash(&parts).to_be_bytes());
    }
    key
}

/// A locally administered address of one device, as the kernel draws for a new veth.
pub(crate) fn mac(parts: &[&str]) -> Mac {
    let [_, _, a, b, c, d, e, f] = hash(parts).to_be_bytes();
    Mac([(a & 0xfc) | 2, b, c, d, e, f])
}

/// An address with its first bytes given.
pub(crate) fn mac_with(first: &[u8], parts: &[&str]) -> Mac {
    let mut mac = mac(parts);
    mac.0[..first.len()].copy_from_slice(first);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_names_give_the_same_values() {
        insta::assert_snapshot!(mac(&["lab", "a", "eth0"]), @"92:5d:b3:6d:e5:35");
        insta::assert_snapshot!(mac_with(&[0xfe], &["lab", "a", "eth0"]), @"fe:5d:b3:6d:e5:35");
        insta::assert_snapshot!(hex(&["lab", "a"], 7), @"c7e6790");
        assert_ne!(hex(&["ab", "c"], 12), hex(&["a", "bc"], 12));
    }
}
