//! Reading fixed-size fields, one behind the other, little-endian.

use alloy_primitives::{Address, B256, FixedBytes};

use super::BlockError;
use super::signature::SIGNATURE_BYTES;
use crate::digest::sha256d;
use crate::id::Origin;

/// The end of every body, behind Nsig.
pub(super) const LOCKTIME_BYTES: usize = 8;

/// What the node signs of a body (SPEC §1.6): sha256d(domain ‖ origin ‖ the body without its signature).
pub(super) fn digest_of_signed(domain: &[u8], origin: Origin, body: &[u8]) -> B256 {
    let (before, locktime) = body.split_at(body.len() - LOCKTIME_BYTES);
    let unsigned = &before[..before.len() - SIGNATURE_BYTES];
    sha256d(&[domain, origin.as_slice(), unsigned, locktime])
}

/// Reads the fields of a body.
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// The fields of a body that must have `expected` bytes.
    pub(super) fn of(body: &'a [u8], expected: usize) -> Result<Self, BlockError> {
        if body.len() == expected {
            Ok(Self(body))
        } else {
            Err(BlockError::Length {
                length: body.len(),
                expected,
            })
        }
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let (field, rest) = self.0.split_first_chunk().expect("`of` checked the length");
        self.0 = rest;
        *field
    }

    pub(super) fn u8(&mut self) -> u8 {
        u8::from_le_bytes(self.array())
    }

    pub(super) fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.array())
    }

    pub(super) fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }

    pub(super) fn address(&mut self) -> Address {
        Address::new(self.array())
    }

    pub(super) fn hash<const N: usize>(&mut self) -> FixedBytes<N> {
        FixedBytes::new(self.array())
    }
}
