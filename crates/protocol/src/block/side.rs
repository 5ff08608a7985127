//! The side-block (P21): one report of what was done to a package, as the custodian's node recorded it.

use alloy_primitives::{Address, B256};
use alloy_signer::SignerSync;
use serde::Serialize;

use super::bytes::{Fields, LOCKTIME_BYTES, digest_of_signed};
use super::signature::{NodeSignature, SIGNATURE_BYTES, is_signed_by, sign};
use super::{BlockError, PREFIX_BYTES, SIDE_MAGIC, SigningError, parts, record};
use crate::header::{HEADER_BYTES, Header};
use crate::id::{BlockId, HeaderHash, LeafHash, Origin, PackageId, ReportDigest};
use crate::merkle::leaf_hash;
use crate::usage::Actions;

const SIGNING_DOMAIN: &[u8] = b"medshare/side/v1";
const UNSIGNED_TRANSACTION_BYTES: usize = 8 + 2 * 20 + 2 + 32 + 4 + 2 * 32 + 20;
const BODY_BYTES: usize = 4 + UNSIGNED_TRANSACTION_BYTES + SIGNATURE_BYTES + LOCKTIME_BYTES;
/// Length of a side-block's record.
pub const SIDE_RECORD_BYTES: usize = PREFIX_BYTES + HEADER_BYTES + BODY_BYTES;
/// How much of the parent's id stands in a side-block's id.
const HALF_ID_BYTES: usize = 16;

/// A side-block's transaction, in the order of its bytes. The paper's names are in brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SideTransaction {
    /// When the action was done, by the requestor's clock, ms since the Unix epoch (TSV).
    pub time: u64,
    /// The custodian (OID).
    pub owner: Address,
    /// The requestor (RID).
    pub requestor: Address,
    /// The actions reported (first byte of VLN).
    pub reported: Actions,
    /// Those of them that violated the usage contract (second byte of VLN).
    pub violated: Actions,
    /// The package.
    pub package: PackageId,
    /// The report's number, from 1.
    pub number: u32,
    /// The report's EIP-712 digest.
    pub report: ReportDigest,
    /// sha256d of the report's body, sealed to the contract key.
    pub sealed_report: B256,
    /// The node that wrote the block (NID).
    pub node: Address,
    /// Its signature (Nsig), r ‖ s.
    pub signature: NodeSignature,
}

/// What stands behind the header: the data of the leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SideBody {
    /// How many violations are recorded in this report.
    pub action_counter: u32,
    /// The transaction.
    pub transaction: SideTransaction,
    /// When the block closed (the paper's timelock), ms since the Unix epoch.
    pub locktime: u64,
}

/// A side-block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SideBlock {
    /// First half of the parent block's id.
    pub parent_prefix: [u8; HALF_ID_BYTES],
    /// The header; its version is the report's number.
    pub header: Header,
    /// What stands behind it.
    pub body: SideBody,
}

impl SideTransaction {
    fn unsigned_bytes(&self) -> Vec<u8> {
        [
            &self.time.to_le_bytes(),
            self.owner.as_slice(),
            self.requestor.as_slice(),
            &[self.reported.0, self.violated.0],
            self.package.as_slice(),
            &self.number.to_le_bytes(),
            self.report.as_slice(),
            self.sealed_report.as_slice(),
            self.node.as_slice(),
        ]
        .concat()
    }

    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            time: fields.u64(),
            owner: fields.address(),
            requestor: fields.address(),
            reported: Actions(fields.u8()),
            violated: Actions(fields.u8()),
            package: PackageId(fields.hash()),
            number: fields.u32(),
            report: ReportDigest(fields.hash()),
            sealed_report: fields.hash(),
            node: fields.address(),
            signature: fields.hash(),
        }
    }
}

impl SideBody {
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
    /// As [`SideBody::from_bytes`].
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
            transaction: SideTransaction::read(&mut fields),
            locktime: fields.u64(),
        };
        body.check()?;
        Ok(body)
    }

    fn check(&self) -> Result<(), BlockError> {
        let SideTransaction {
            reported,
            violated,
            number,
            ..
        } = self.transaction;
        if reported.is_empty() || violated.0 & !reported.0 != 0 {
            return Err(BlockError::Violations {
                reported: reported.0,
                violated: violated.0,
            });
        }
        if self.action_counter != violated.count() {
            return Err(BlockError::ActionCounter {
                found: self.action_counter,
                allowed: "it counts the actions that violated",
            });
        }
        if number == 0 {
            return Err(BlockError::Number { number, version: 0 });
        }
        Ok(())
    }
}

impl SideBlock {
    /// A side-block of the parent block with this id.
    #[must_use]
    pub fn new(parent: BlockId, header: Header, body: SideBody) -> Self {
        Self {
            parent_prefix: first_half(parent),
            header,
            body,
        }
    }

    /// The id: first half of the parent's id ‖ first half of the own header's hash.
    #[must_use]
    pub fn id(&self) -> BlockId {
        self.id_under(self.header.hash())
    }

    /// The id, where the header's hash is known.
    pub(crate) fn id_under(&self, hash: HeaderHash) -> BlockId {
        side_id(self.parent_prefix, hash)
    }

    /// Whether its id begins as `parent`'s does.
    #[must_use]
    pub fn is_of_parent(&self, parent: BlockId) -> bool {
        self.parent_prefix == first_half(parent)
    }

    /// The record.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        record(SIDE_MAGIC, self.id(), &self.header, &self.body.to_bytes())
    }

    /// Decodes a record.
    ///
    /// # Errors
    /// When the bytes are not exactly one valid record: magic, length, size, the id's second half and every field are
    /// checked. Parent, signature and work are not: they need the chain, see
    /// [`chain_verifier`](crate::chain_verifier).
    pub fn from_bytes(record: &[u8]) -> Result<Self, BlockError> {
        let (found, header, body) = parts(record, SIDE_MAGIC, SIDE_RECORD_BYTES)?;
        let block = Self::new(found, header, SideBody::from_bytes(body)?);
        if block.id() != found {
            return Err(BlockError::Id {
                found,
                expected: block.id(),
            });
        }
        block.check_number()?;
        Ok(block)
    }

    /// The report's number is the header's version.
    pub(crate) fn check_number(&self) -> Result<(), BlockError> {
        let (number, version) = (self.body.transaction.number, self.header.version);
        if number == version {
            Ok(())
        } else {
            Err(BlockError::Number { number, version })
        }
    }
}

/// first half of the parent's id ‖ first half of the header's hash
pub(super) fn side_id(parent: [u8; HALF_ID_BYTES], hash: HeaderHash) -> BlockId {
    let mut id = [0; 32];
    id[..HALF_ID_BYTES].copy_from_slice(&parent);
    id[HALF_ID_BYTES..].copy_from_slice(&hash.0[..HALF_ID_BYTES]);
    BlockId(B256::new(id))
}

pub(super) fn first_half(id: BlockId) -> [u8; HALF_ID_BYTES] {
    *id.0.first_chunk().expect("an id has 32 bytes")
}
