//! Where chains begin: the 32 bytes that stand in the first header's previous-hash field.

use alloy_primitives::Address;

use crate::digest::sha256d;
use crate::id::{LeafHash, Origin};

/// Keeps the origins of threads apart from every other hash.
const THREAD_DOMAIN: &[u8] = b"medshare/thread/v1";

/// Origin of a requestor's thread (P8): sha256d("medshare/thread/v1" ‖ chain id u64 big-endian ‖ contract ‖ requestor).
#[must_use]
pub fn thread_origin(chain_id: u64, contract: Address, requestor: Address) -> Origin {
    Origin(sha256d(&[
        THREAD_DOMAIN,
        &chain_id.to_be_bytes(),
        contract.as_slice(),
        requestor.as_slice(),
    ]))
}

/// Origin of a package's side-chain: the leaf hash of its parent block, which stays when the block is mined again.
#[must_use]
pub const fn side_origin(parent: LeafHash) -> Origin {
    Origin(parent.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_part_makes_another_thread() {
        let one = Address::repeat_byte(1);
        let two = Address::repeat_byte(2);
        let origins: HashSet<Origin> = [
            thread_origin(1, one, one),
            thread_origin(2, one, one),
            thread_origin(1, two, one),
            thread_origin(1, one, two),
        ]
        .into();
        assert_eq!(origins.len(), 4);
    }
}
