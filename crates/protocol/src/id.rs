//! One small type per meaning of a hash, so that none can stand where another is meant.

use alloy_primitives::wrap_fixed_bytes;

wrap_fixed_bytes! {
    /// EIP-712 digest of an [`AccessRequest`](crate::typed::AccessRequest): names the request and its package alike.
    pub struct PackageId<32>;
}

wrap_fixed_bytes! {
    /// A custodian's id of a dataset; unique within the custodian only.
    pub struct DatasetId<32>;
}

wrap_fixed_bytes! {
    /// RFC 6962 leaf hash of a block record's body: names a block for ever, also when it is mined again.
    pub struct LeafHash<32>;
}

wrap_fixed_bytes! {
    /// sha256d of an 80-byte header, in internal byte order (as on Bitcoin's wire).
    pub struct HeaderHash<32>;
}

wrap_fixed_bytes! {
    /// What the first header of a chain has as its previous hash.
    pub struct Origin<32>;
}

wrap_fixed_bytes! {
    /// The id field of a block record: `HeaderHash` for a parent block, half parent and half own for a side-block.
    pub struct BlockId<32>;
}

wrap_fixed_bytes! {
    /// RFC 6962 root (MTH) of the leaves of a chain.
    pub struct LogRoot<32>;
}

wrap_fixed_bytes! {
    /// sha256d(salt ‖ plaintext) of a payload.
    pub struct PayloadHash<32>;
}

wrap_fixed_bytes! {
    /// sha256d of a whole container file; auditors check it without keys.
    pub struct ContainerHash<32>;
}

wrap_fixed_bytes! {
    /// Running digest of a form (P11).
    pub struct FormDigest<32>;
}

wrap_fixed_bytes! {
    /// EIP-712 digest of a [`Report`](crate::typed::Report).
    pub struct ReportDigest<32>;
}

impl DatasetId {
    /// The id of the dataset that a custodian calls `name`: keccak256("medshare/dataset/v1" ‖ name).
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        Self(alloy_primitives::keccak256(
            [b"medshare/dataset/v1".as_slice(), name.as_bytes()].concat(),
        ))
    }
}
