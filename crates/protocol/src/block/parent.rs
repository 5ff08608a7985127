//! The parent block (P20): one package, as the node that issued it signs for it.

use alloy_primitives::{Address, B256};
use alloy_signer::SignerSync;
use serde::Serialize;

use super::bytes::{Fields, LOCKTIME_BYTES, digest_of_signed};
use super::signature::{NodeSignature, SIGNATURE_BYTES, is_signed_by, sign};
use super::{BlockError, PARENT_MAGIC, PREFIX_BYTES, SigningError, parts, record};
use crate::header::{HEADER_BYTES, Header};
use crate::id::{
    BlockId, ContainerHash, DatasetId, FormDigest, LeafHash, Origin, PackageId, PayloadHash,
};
use crate::merkle::leaf_hash;
use crate::purpose::Purpose;
use crate::usage::{Action, Sensitivity};

const SIGNING_DOMAIN: &[u8] = b"medshare/parent/v1";
const UNSIGNED_TRANSACTION_BYTES: usize = 3 * 8 + 2 * 20 + 1 + 6 * 32 + 2 * 20;
const BODY_BYTES: usize = 4 + UNSIGNED_TRANSACTION_BYTES + SIGNATURE_BYTES + LOCKTIME_BYTES;
/// Length of a parent block's record.
pub const PARENT_RECORD_BYTES: usize = PREFIX_BYTES + HEADER_BYTES + BODY_BYTES;

/// A parent block's transaction, in the order of its bytes. The paper's names are in brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ParentTransaction {
    /// The request was received, ms since the Unix epoch (TTR).
    pub received: u64,
    /// Time taken by processing, ms (TPP).
    pub processing_ms: u64,
    /// The package was ready to send, ms since the Unix epoch (TTT).
    pub sent: u64,
    /// The custodian (OID).
    pub owner: Address,
    /// The requestor (RID).
    pub requestor: Address,
    /// How identifying the payload is (Dsens).
    pub sensitivity: Sensitivity,
    /// What the data may be used for (DRP).
    pub purpose: Purpose,
    /// The dataset.
    pub dataset: DatasetId,
    /// The package.
    pub package: PackageId,
    /// Hash of the payload in clear.
    pub payload_hash: PayloadHash,
    /// Hash of the container file.
    pub container_hash: ContainerHash,
    /// Digest of the form when the block was closed.
    pub form_digest: FormDigest,
    /// The second node (P13).
    pub verifier: Address,
    /// The node that wrote the block (NID).
    pub node: Address,
    /// Its signature (Nsig), r ‖ s.
    pub signature: NodeSignature,
}

/// What stands behind the header: the data of the leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ParentBody {
    /// How many of the six actions would be violations under the usage contract.
    pub action_counter: u32,
    /// The transaction.
    pub transaction: ParentTransaction,
    /// The last entry of the form, when the block closed; ms since the Unix epoch.
    pub locktime: u64,
}

/// A parent block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ParentBlock {
    /// The header; its version is the data version.
    pub header: Header,
    /// What stands behind it.
    pub body: ParentBody,
}

impl ParentTransaction {
    fn unsigned_bytes(&self) -> Vec<u8> {
        [
            &self.received.to_le_bytes(),
            &self.processing_ms.to_le_bytes(),
            &self.sent.to_le_bytes(),
            self.owner.as_slice(),
            self.requestor.as_slice(),
            &[self.sensitivity as u8],
            self.purpose.bytes().as_slice(),
            self.dataset.as_slice(),
            self.package.as_slice(),
            self.payload_hash.as_slice(),
            self.container_hash.as_slice(),
            self.form_digest.as_slice(),
            self.verifier.as_slice(),
            self.node.as_slice(),
        ]
        .concat()
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, BlockError> {
        Ok(Self {
            received: fields.u64(),
            processing_ms: fields.u64(),
            sent: fields.u64(),
            owner: fields.address(),
            requestor: fields.address(),
            sensitivity: match fields.u8() {
                0 => Sensitivity::Low,
                1 => Sensitivity::High,
                other => return Err(BlockError::Sensitivity(other)),
            },
            purpose: Purpose::try_from(fields.hash::<32>())?,
            dataset: DatasetId(fields.hash()),
            package: PackageId(fields.hash()),
            payload_hash: PayloadHash(fields.hash()),
            container_hash: ContainerHash(fields.hash()),
            form_digest: FormDigest(fields.hash()),
            verifier: fields.address(),
            node: fields.address(),
            signature: fields.hash(),
        })
    }
}

impl ParentBody {
    /// What the node signs: sha256d(domain ‖ origin ‖ action counter ‖ transaction before the signature ‖ locktime).
    #[must_use]
    pub fn signing_digest(&self, origin: Origin) -> B256 {
        digest_of_signed(SIGNING_DOMAIN, origin, &self.to_bytes())
    }

    /// The body with the signature of the key of `transaction.node`.
    ///
    /// # Errors
    /// When a field has a value that every verifier would refuse, or the signer cannot sign.
    pub fn sign(mut self, origin: Origin, signer: &impl SignerSync) -> Result<Self, SigningError> {
        self.check()?;
        self.transaction.signature = sign(&self.signing_digest(origin), signer)?;
        Ok(self)
    }

    /// Whether the node that it names has signed it.
    #[must_use]
    pub fn is_signed(&self, origin: Origin) -> bool {
        self.is_signed_over(self.signing_digest(origin))
    }

    fn is_signed_over(&self, digest: B256) -> bool {
        let transaction = &self.transaction;
        is_signed_by(transaction.node, digest, &transaction.signature)
    }

    /// action counter ‖ transaction ‖ locktime.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [
            self.action_counter.to_le_bytes().as_slice(),
            &self.transaction.unsigned_bytes(),
            self.transaction.signature.as_slice(),
            &self.locktime.to_le_bytes(),
        ]
        .concat()
    }

    /// Leaf hash of the bytes.
    #[must_use]
    pub fn leaf(&self) -> LeafHash {
        leaf_hash(&self.to_bytes())
    }

    /// The body in these bytes, and whether the node that it names has signed it.
    ///
    /// # Errors
    /// As [`ParentBody::from_bytes`].
    pub(crate) fn signed(bytes: &[u8], origin: Origin) -> Result<(Self, bool), BlockError> {
        let body = Self::from_bytes(bytes)?;
        let digest = digest_of_signed(SIGNING_DOMAIN, origin, bytes);
        Ok((body, body.is_signed_over(digest)))
    }

    /// Decodes a body: the data of a leaf.
    ///
    /// # Errors
    /// When the bytes are not exactly one body with valid fields.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BlockError> {
        let mut fields = Fields::of(bytes, BODY_BYTES)?;
        let body = Self {
            action_counter: fields.u32(),
            transaction: ParentTransaction::read(&mut fields)?,
            locktime: fields.u64(),
        };
        body.check()?;
        Ok(body)
    }

    fn check(&self) -> Result<(), BlockError> {
        if self.action_counter as usize > Action::SIX.len() {
            return Err(BlockError::ActionCounter {
                found: self.action_counter,
                allowed: "at most the six actions can be violations",
            });
        }
        let ParentTransaction { received, sent, .. } = self.transaction;
        if received > sent || sent > self.locktime {
            return Err(BlockError::Times {
                received,
                sent,
                locktime: self.locktime,
            });
        }
        Ok(())
    }
}

impl ParentBlock {
    /// The id: the header's hash.
    #[must_use]
    pub fn id(&self) -> BlockId {
        BlockId(self.header.hash().0)
    }

    /// The record.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        record(PARENT_MAGIC, self.id(), &self.header, &self.body.to_bytes())
    }

    /// Decodes a record.
    ///
    /// # Errors
    /// When the bytes are not exactly one valid record: magic, length, size, id and every field are checked. The
    /// signature and the work are not: they need the origin and the chain, see
    /// [`chain_verifier`](crate::chain_verifier).
    pub fn from_bytes(record: &[u8]) -> Result<Self, BlockError> {
        let (found, header, body) = parts(record, PARENT_MAGIC, PARENT_RECORD_BYTES)?;
        let block = Self {
            header,
            body: ParentBody::from_bytes(body)?,
        };
        if block.id() != found {
            return Err(BlockError::Id {
                found,
                expected: block.id(),
            });
        }
        Ok(block)
    }
}
