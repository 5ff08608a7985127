//! What nodes send in batches.

use alloy::primitives::{Address, B256, Bytes};
use medshare_protocol::header::ENTRY_BYTES;
use medshare_protocol::id::{FormDigest, PackageId, PayloadHash};
use medshare_protocol::typed::AccessRequest;
use medshare_protocol::usage::UsageContract;

/// Most side-blocks of one package that the contract takes in one segment.
pub const MAX_SEGMENT_ENTRIES: usize = 512;

/// One request, its permission and its parent block: they stand or fall together (P13, P14, P20).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssueItem {
    /// The request.
    pub request: AccessRequest,
    /// The requestor's signature over it.
    pub request_signature: Bytes,
    /// The rules that travel with the package.
    pub usage: UsageContract,
    /// sha256d(salt ‖ plaintext) of what is sealed.
    pub payload_hash: PayloadHash,
    /// Digest of the form as the second node saw it.
    pub form_digest: FormDigest,
    /// The second node.
    pub verifier: Address,
    /// Last moment the second node's signature may be used, ms since the Unix epoch.
    pub validation_deadline: u64,
    /// The second node's signature over the `Validation`, 65 bytes.
    pub validation_signature: Bytes,
    /// Head of the requestor's thread that the parent block was mined on.
    pub expected_head: B256,
    /// The parent block's entry: version 4 ‖ merkle root 32 ‖ time 4 ‖ bits 4 ‖ nonce 4 ‖ leaf hash 32.
    pub entry: [u8; ENTRY_BYTES],
}

/// Side-blocks of one package, in order (P21).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportSegment {
    /// The package.
    pub package: PackageId,
    /// Head of its side-chain that the first of them was mined on.
    pub expected_head: B256,
    /// 1 to [`MAX_SEGMENT_ENTRIES`] entries, laid out as in [`IssueItem::entry`].
    pub entries: Vec<[u8; ENTRY_BYTES]>,
}
