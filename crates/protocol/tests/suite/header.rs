//! Headers against Bitcoin's own.

use alloy_primitives::{B256, U256};
use medshare_protocol::block::next_header;
use medshare_protocol::header::{CompactTarget, Header};
use medshare_protocol::id::{HeaderHash, LeafHash};
use medshare_protocol::merkle::Log;
use proptest::prelude::*;

use crate::vectors;

#[test]
fn bitcoins_first_headers_have_their_hashes_and_their_work() {
    let file = vectors::read("headers.json");
    let headers = file["headers"].as_array().unwrap();
    assert!(headers.len() >= 3);
    let mut previous = B256::ZERO;
    for vector in headers {
        let bytes: [u8; 80] = vectors::bytes(vector, "header").try_into().unwrap();
        let header = Header::from_bytes(&bytes);
        assert_eq!(header.hash(), vectors::parsed::<HeaderHash>(vector, "hash"));
        assert_eq!(header.bits, CompactTarget(vectors::number(vector, "bits")));
        assert_eq!(header.time, vectors::number::<u32>(vector, "time"));
        assert_eq!(header.previous, previous);
        assert!(header.meets_its_target());
        assert!(
            !Header {
                nonce: header.nonce ^ 1,
                ..header
            }
            .meets_its_target()
        );
        previous = header.hash().0;
    }
}

#[test]
fn targets_are_those_of_the_contract() {
    for vector in vectors::read("headers.json")["targets"].as_array().unwrap() {
        let bits = CompactTarget(vectors::number(vector, "bits"));
        let target = U256::from_be_slice(&vectors::bytes(vector, "target"));
        assert_eq!(bits.target().unwrap_or_default(), target, "{bits}");
    }
}

#[test]
fn the_next_header_commits_to_the_log_and_never_goes_back_in_time() {
    let log = Log::from_leaves([LeafHash(B256::repeat_byte(1))]);
    let previous = B256::repeat_byte(2);
    let bits = CompactTarget::DEFAULT_LIMIT;
    let header = next_header(7, previous, &log, 100, 200, bits);
    assert_eq!(
        (header.version, header.previous, header.time, header.bits),
        (7, previous, 200, bits)
    );
    assert_eq!(header.merkle_root, log.header_root());
    assert!(header.meets_its_target());
    assert_eq!(next_header(7, previous, &log, 300, 200, bits).time, 300);
}

proptest! {
    #[test]
    fn any_bits_are_read_without_panic(bits: u32) {
        let bits = CompactTarget(bits);
        let valid = bits.target().is_some();
        prop_assert_eq!(bits.is_at_least_as_hard_as(bits), valid);
    }
}
