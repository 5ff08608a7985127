//! Headers, targets, entries (SPEC.md §1.3, §1.4).

use alloy_primitives::{Address, B256};
use medshare_protocol::chain_verifier::{Anchored, ChainVerifier, Fault};
use medshare_protocol::header::{
    CompactTarget, ENTRY_BYTES, Entry, HEADER_BYTES, Header, RaggedEntries, entries,
};
use medshare_protocol::id::{LeafHash, Origin};
use sha2::{Digest, Sha256};

/// The first 80 bytes as a header, all of them as entries.
pub fn check(data: &[u8]) {
    if let Some(bytes) = data.first_chunk() {
        header(bytes);
    }
    match entries(data) {
        Ok(list) => {
            let bytes: Vec<u8> = list.iter().flat_map(Entry::to_bytes).collect();
            assert_eq!(bytes, data, "entries have one encoding");
            anchored(&list);
        }
        Err(RaggedEntries { length }) => {
            assert!(length == data.len() && length % ENTRY_BYTES != 0);
        }
    }
}

/// A chain of any entries, of which nobody serves a record: what is wrong is told of each, and the head is the last's hash.
fn anchored(entries: &[Entry]) {
    let limit = CompactTarget::DEFAULT_LIMIT;
    let mut verifier = ChainVerifier::thread(Address::ZERO, Origin::default());
    for entry in entries {
        let header = entry.header(verifier.head());
        let served = verifier.push(&Anchored {
            entry: *entry,
            record: None,
            is_registered_node: &|_| true,
            work_limit: limit,
        });
        assert!(served.is_none());
        let found = verifier.take_findings();
        let is_found = |kind: fn(&Fault) -> bool| found.iter().any(|finding| kind(&finding.fault));
        assert!(is_found(|fault| matches!(fault, Fault::BodyMissing { .. })));
        let lacks_work = is_found(|fault| matches!(fault, Fault::ProofOfWork { .. }));
        assert_eq!(lacks_work, !header.meets_its_target());
        assert_eq!(verifier.head(), header.hash().0);
    }
}

/// Hash and work as Bitcoin has them, written out here once more.
fn header(bytes: &[u8; HEADER_BYTES]) {
    let header = Header::from_bytes(bytes);
    assert_eq!(header.to_bytes(), *bytes, "a header has one encoding");
    let mut hash: [u8; 32] = Sha256::digest(Sha256::digest(bytes)).into();
    assert_eq!(header.hash().0, hash);
    hash.reverse();
    let target = target(header.bits.0);
    assert_eq!(
        header.bits.target().map(|target| target.to_be_bytes()),
        target
    );
    assert_eq!(
        header.meets_its_target(),
        target.is_some_and(|target| hash <= target)
    );
    let limit = CompactTarget::DEFAULT_LIMIT;
    assert_eq!(
        header.bits.is_at_least_as_hard_as(limit),
        target.is_some() && target <= self::target(limit.0)
    );
    let entry = Entry::of(&header, LeafHash(B256::from(hash)));
    assert_eq!(entry.header(header.previous), header);
    assert_eq!(Entry::from_bytes(&entry.to_bytes()), entry);
}

/// A compact target is a number of so many bytes as its top byte says, of which it gives the first three.
fn target(bits: u32) -> Option<[u8; 32]> {
    let [size, mantissa @ ..] = bits.to_be_bytes();
    if mantissa[0] & 0x80 != 0 {
        return None;
    }
    // Big-endian, with room for the greatest size in front of the 32 bytes and for the three bytes of a size of none behind.
    let mut number = [0; 256 + 3];
    let begin = 256 - usize::from(size);
    number[begin..begin + 3].copy_from_slice(&mantissa);
    let (above, rest) = number.split_at(256 - 32);
    let target: [u8; 32] = *rest.first_chunk()?;
    let fits = above.iter().all(|byte| *byte == 0);
    (fits && target != [0; 32]).then_some(target)
}
