use std::fmt;
use std::str::FromStr;

/// A public key of WireGuard (Curve25519).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WireguardKey(pub [u8; 32]);

/// Not a key in `wg`'s form: 32 bytes in base64, 44 characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseKeyError;

impl fmt::Display for ParseKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a key: 44 characters of base64, as `wg pubkey` prints")
    }
}

impl std::error::Error for ParseKeyError {}

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

impl WireguardKey {
    /// The first bytes of it, in `wg`'s form: enough to tell a few from each other.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string().chars().take(8).collect()
    }
}

impl fmt::Display for WireguardKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for three in self.0.chunks(3) {
            let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or_default());
            let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
            for sextet in 0..=three.len() {
                let at = usize::try_from(bits >> (18 - 6 * sextet) & 63).unwrap_or_default();
                write!(f, "{}", char::from(LETTERS[at]))?;
            }
        }
        f.write_str("=")
    }
}

impl fmt::Debug for WireguardKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for WireguardKey {
    type Err = ParseKeyError;

    fn from_str(text: &str) -> Result<Self, ParseKeyError> {
        let letters = text.strip_suffix('=').filter(|t| t.len() == 43).ok_or(ParseKeyError)?;
        let mut key = [0; 32];
        for (four, three) in letters.as_bytes().chunks(4).zip(key.chunks_mut(3)) {
            let mut bits = 0;
            for at in 0..4 {
                let value = |letter: &u8| LETTERS.iter().position(|l| l == letter);
                let sextet = four.get(at).map_or(Some(0), value).ok_or(ParseKeyError)?;
                bits = bits << 6 | u32::try_from(sextet).unwrap_or_default();
            }
            let [_, bytes @ ..] = bits.to_be_bytes();
            three.copy_from_slice(&bytes[..three.len()]);
        }
        Some(Self(key)).filter(|key| key.to_string() == text).ok_or(ParseKeyError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `wg pubkey`'s own output, and what `base64 -d | xxd -p` makes of it.
    #[test]
    fn as_wg_prints_it() {
        let text = "1e7K1N9Tb0zGjHCOZQqkGrvoDdsW7WeUg78CBllupRM=";
        let key: WireguardKey = text.parse().unwrap();
        assert_eq!(key.0[..6], [0xd5, 0xee, 0xca, 0xd4, 0xdf, 0x53]);
        assert_eq!(key.to_string(), text);
        assert_eq!(key.short(), "1e7K1N9T");
        for bytes in [[0; 32], [0xff; 32], std::array::from_fn(|n| u8::try_from(n * 8).unwrap())] {
            assert_eq!(WireguardKey(bytes).to_string().parse(), Ok(WireguardKey(bytes)));
        }
    }

    #[test]
    fn what_is_no_key() {
        let good = "1e7K1N9Tb0zGjHCOZQqkGrvoDdsW7WeUg78CBllupRM=";
        for bad in [
            "",
            "=",
            &good[1..],
            &good[..43],
            "1e7K1N9Tb0zGjHCOZQqkGrvoDdsW7WeUg78CBllupR!=",
            // Bits that no byte has.
            "1e7K1N9Tb0zGjHCOZQqkGrvoDdsW7WeUg78CBllupRN=",
            "éééééééééééééééééééééé=",
        ] {
            assert_eq!(bad.parse::<WireguardKey>(), Err(ParseKeyError), "{bad}");
        }
    }
}
