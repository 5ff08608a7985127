//! Purpose codes (DRP, P11, P20): 32 bytes of ASCII, zero-padded on the right.

use std::fmt;
use std::str::FromStr;

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

/// A purpose: a Data Use Ontology id (`DUO:0000042`) or an HL7 v3 PurposeOfUse code (`HRESCH`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Purpose(B256);

/// Why a text is no purpose code.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{0}` is no purpose code: 1 to 32 characters out of A-Z, a-z, 0-9, `:`, `_`, `-`, such as DUO:0000042 or HRESCH"
)]
pub struct BadPurpose(pub String);

impl FromStr for Purpose {
    type Err = BadPurpose;
    fn from_str(code: &str) -> Result<Self, BadPurpose> {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_' | b'-');
        if code.is_empty() || code.len() > 32 || !code.bytes().all(good) {
            return Err(BadPurpose(code.chars().take(64).collect()));
        }
        Ok(Self(B256::right_padding_from(code.as_bytes())))
    }
}

impl TryFrom<B256> for Purpose {
    type Error = BadPurpose;
    fn try_from(bytes: B256) -> Result<Self, BadPurpose> {
        let length = bytes.iter().position(|byte| *byte == 0).unwrap_or(32);
        let code =
            std::str::from_utf8(&bytes[..length]).map_err(|_| BadPurpose(bytes.to_string()))?;
        let purpose: Self = code.parse()?;
        if purpose.0 == bytes {
            Ok(purpose)
        } else {
            Err(BadPurpose(bytes.to_string()))
        }
    }
}

impl Purpose {
    /// The 32 bytes.
    #[must_use]
    pub const fn bytes(self) -> B256 {
        self.0
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.0.iter().position(|byte| *byte == 0).unwrap_or(32);
        f.write_str(std::str::from_utf8(&self.0[..length]).expect("`from_str` let only ASCII in"))
    }
}

impl Serialize for Purpose {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Purpose {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn codes_survive_the_bytes() {
        for code in ["DUO:0000042", "HRESCH", "12345678901234567890123456789012"] {
            let purpose: Purpose = code.parse().unwrap();
            assert_eq!(purpose.to_string(), code);
            assert_eq!(Purpose::try_from(purpose.bytes()), Ok(purpose));
        }
    }

    #[test]
    fn other_texts_and_bytes_are_refused() {
        for text in ["", "two words", "ä", "123456789012345678901234567890123"] {
            assert!(text.parse::<Purpose>().is_err(), "{text}");
        }
        let mut gap = "HRESCH".parse::<Purpose>().unwrap().bytes();
        gap[20] = b'x';
        assert!(Purpose::try_from(gap).is_err());
        assert!(Purpose::try_from(B256::repeat_byte(0xff)).is_err());
    }
}
