//! Reading fixed-size fields, one behind the other, little-endian.

use alloy_primitives::{Address, FixedBytes};

/// Reads a body whose length was checked before.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl Fields<'_> {
    fn array<const N: usize>(&mut self) -> [u8; N] {
        let (field, rest) =
            self.0.split_first_chunk().expect("a record's length is checked before its fields are read");
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
