//! Bitcoin's compact form of a target.

use std::fmt;

use alloy_primitives::U256;
use serde::{Deserialize, Serialize};

use crate::id::HeaderHash;

/// A target in 32 bits: one byte exponent, one sign bit, 23 bits mantissa. Not every value is a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CompactTarget(pub u32);

impl CompactTarget {
    /// The default limit of a new deployment: about 4,096 hashes a block.
    pub const DEFAULT_LIMIT: Self = Self(0x1f0f_ffff);

    /// The target, or nothing where Bitcoin calls the value negative, overflowing or zero.
    #[must_use]
    pub fn target(self) -> Option<U256> {
        let exponent = self.0 >> 24;
        let mantissa = self.0 & 0x007f_ffff;
        let overflows = exponent > 34
            || (exponent > 33 && mantissa > 0xff)
            || (exponent > 32 && mantissa > 0xffff);
        if self.0 & 0x0080_0000 != 0 || overflows {
            return None;
        }
        let target = match exponent {
            0..=3 => U256::from(mantissa >> (8 * (3 - exponent))),
            _ => U256::from(mantissa) << (8 * (exponent - 3)),
        };
        (!target.is_zero()).then_some(target)
    }

    /// Whether a header's hash, read as a little-endian number, is at most the target.
    #[must_use]
    pub fn is_met_by(self, hash: HeaderHash) -> bool {
        self.target().is_some_and(|target| hash.number() <= target)
    }

    /// Whether both are targets and this one is not easier than `limit`.
    #[must_use]
    pub fn is_at_least_as_hard_as(self, limit: Self) -> bool {
        match (self.target(), limit.target()) {
            (Some(own), Some(limit)) => own <= limit,
            _ => false,
        }
    }
}

impl fmt::Display for CompactTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The cases of Bitcoin Core's `arith_uint256_tests.cpp`, `bignum_SetCompact`.
    #[test]
    fn decodes_as_bitcoin_core_does() {
        for nothing in [
            0,
            0x0012_3456,
            0x0100_3456,
            0x0200_0056,
            0x0300_0000,
            0x0400_0000,
            0x0092_3456,
            0x0180_3456,
            0x0280_0056,
            0x0380_0000,
            0x0480_0000,
            0x01fe_dcba,
            0x0492_3456,
            0xff12_3456,
        ] {
            assert_eq!(CompactTarget(nothing).target(), None, "{nothing:#x}");
        }
        for (bits, target) in [
            (0x0112_3456, U256::from(0x12)),
            (0x0212_3456, U256::from(0x1234)),
            (0x0312_3456, U256::from(0x12_3456)),
            (0x0412_3456, U256::from(0x1234_5600)),
            (0x0500_9234, U256::from(0x9234_0000_u64)),
            (0x2012_3456, U256::from(0x12_3456) << 232),
            (0x2200_00ff, U256::from(0xff) << 248),
            (0x2100_ffff, U256::from(0xffff) << 240),
        ] {
            assert_eq!(CompactTarget(bits).target(), Some(target), "{bits:#x}");
        }
        for overflowing in [0x2300_0001, 0x2200_0100, 0x2101_0000] {
            assert_eq!(
                CompactTarget(overflowing).target(),
                None,
                "{overflowing:#x}"
            );
        }
    }

    #[test]
    fn hardness_compares_targets_and_not_bits() {
        let limit = CompactTarget::DEFAULT_LIMIT;
        assert!(limit.is_at_least_as_hard_as(limit));
        assert!(CompactTarget(0x1d00_ffff).is_at_least_as_hard_as(limit));
        assert!(!CompactTarget(0x207f_ffff).is_at_least_as_hard_as(limit));
        // The same target twice: a shorter mantissa, a larger exponent.
        assert!(CompactTarget(0x2000_0fff).is_at_least_as_hard_as(CompactTarget(0x1f0f_ff00)));
        assert!(!CompactTarget(0).is_at_least_as_hard_as(limit));
        assert!(!limit.is_at_least_as_hard_as(CompactTarget(0)));
    }
}
