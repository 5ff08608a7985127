//! The header of a container and its signature.

use std::io::Read;

use alloy_primitives::{Address, B256};
use alloy_signer::SignerSync;
use minicbor::{Decode, Encode};

use super::payload::MAX_PAYLOAD_BYTES;
use crate::cbor;
use crate::digest::sha256d;
use crate::id::{DatasetId, PackageId, PayloadHash};
use crate::seal::SEALED_SHARE_BYTES;
use crate::typed::{Domain, SignatureBytes, recover};
use crate::usage::UsageContract;

const MAGIC: &[u8; 8] = b"MDSPKG01";
const DOMAIN: &[u8] = b"medshare/package/v1";

/// A header may have at most so many bytes: a reader allocates no more before it has checked anything.
pub const MAX_HEADER_BYTES: u32 = 16 * 1024;

/// Why a file is no package, or not this package.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// The file does not begin as a package does.
    #[error("this is not a MeDShare package: it does not begin with MDSPKG01")]
    NotAPackage,
    /// The file ends early or cannot be read.
    #[error("the package cannot be read: {0}; download it again")]
    Unreadable(#[from] std::io::Error),
    /// The header is too long.
    #[error("the package header claims {0} bytes; at most {MAX_HEADER_BYTES} are taken")]
    HeaderTooLong(u32),
    /// The header is no canonical CBOR of the known fields.
    #[error("the package header is malformed: {0}")]
    HeaderMalformed(String),
    /// The node's signature does not hold.
    #[error("the package header is not signed by the node {0} that it names")]
    BadSignature(Address),
    /// A chunk does not authenticate: wrong key, changed, cut or reordered.
    #[error(
        "chunk {0} of the payload does not authenticate: the file was changed, or the key is not its own"
    )]
    BadChunk(u32),
    /// The payload has not the length that the header says.
    #[error("the payload has {actual} bytes where the header says {expected}")]
    WrongLength {
        /// Bytes by the header.
        expected: u64,
        /// Bytes found.
        actual: u64,
    },
    /// The payload is too long for STREAM's counter.
    #[error("a payload of {0} bytes is too long for one package; select less")]
    TooLong(u64),
    /// The opened payload is not the one that was validated.
    #[error("the opened payload is not the one that the second node validated")]
    WrongPayload,
}

/// Algorithm 2's fields and the usage contract. A CBOR map with the integer keys given, in this order.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PackageHeader {
    /// DataID: the dataset.
    #[cbor(n(0), with = "crate::form::bytes32")]
    pub dataset: B256,
    /// The package id.
    #[cbor(n(1), with = "crate::form::bytes32")]
    pub package: B256,
    /// NodeID: the processing node; its signature stands behind the header.
    #[cbor(n(2), with = "crate::form::address")]
    pub node: Address,
    /// The custodian.
    #[cbor(n(3), with = "crate::form::address")]
    pub owner: Address,
    /// The requestor it is tagged with (P16).
    #[cbor(n(4), with = "crate::form::address")]
    pub requestor: Address,
    /// sha256d(salt ‖ plaintext).
    #[cbor(n(5), with = "crate::form::bytes32")]
    pub payload_hash: B256,
    /// The salt of the payload hash.
    #[cbor(n(6), with = "crate::form::bytes32")]
    pub payload_salt: B256,
    /// Length of the plaintext, bytes.
    #[n(7)]
    pub payload_length: u64,
    /// Media type of the plaintext, `text/csv`.
    #[n(8)]
    pub media_type: String,
    /// Verifier NodeID: the second node.
    #[cbor(n(9), with = "crate::form::address")]
    pub verifier: Address,
    /// Completed processing, ms since the Unix epoch.
    #[n(10)]
    pub processed: u64,
    /// The EVM chain.
    #[n(11)]
    pub chain_id: u64,
    /// The contract on it.
    #[cbor(n(12), with = "crate::form::address")]
    pub contract: Address,
    /// Usage contract: 0 low, 1 high.
    #[n(13)]
    pub sensitivity: u8,
    /// Usage contract: granted actions, bitmap.
    #[n(14)]
    pub granted: u8,
    /// Usage contract: exempted actions, bitmap.
    #[n(15)]
    pub exempt: u8,
    /// Usage contract: 0 any, 1 sandbox.
    #[n(16)]
    pub environment: u8,
    /// Usage contract: expiry, ms since the Unix epoch.
    #[n(17)]
    pub expiry: u64,
    /// Authenticator key: X25519 key that reports are sealed to.
    #[cbor(n(18), with = "crate::form::bytes32")]
    pub contract_key: B256,
    /// The requestor's share of the data key, sealed to the registered sealing key.
    #[cbor(n(19), with = "minicbor::bytes")]
    pub sealed_share: Vec<u8>,
}

impl PackageHeader {
    /// Its CBOR: deterministic (RFC 8949, 4.2).
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// Reads the one CBOR form that [`PackageHeader::to_bytes`] writes; any other spelling of the same is refused, and so
    /// is a usage contract, a share or a length that cannot be one.
    ///
    /// # Errors
    /// [`PackageError::HeaderMalformed`], [`PackageError::TooLong`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PackageError> {
        let malformed = |why: String| Err(PackageError::HeaderMalformed(why));
        match cbor::decode::<Self>(bytes) {
            Err(error) => malformed(error.to_string()),
            Ok(header) if header.usage().is_none() => {
                malformed("its usage contract is out of range".into())
            }
            Ok(header) if header.sealed_share.len() != SEALED_SHARE_BYTES => malformed(format!(
                "its sealed share has {} bytes where {SEALED_SHARE_BYTES} are due",
                header.sealed_share.len()
            )),
            Ok(header) if header.payload_length > MAX_PAYLOAD_BYTES => {
                Err(PackageError::TooLong(header.payload_length))
            }
            Ok(header) => Ok(header),
        }
    }

    /// The usage contract in it; nothing when its values are out of range, which no header that was read has.
    #[must_use]
    pub fn usage(&self) -> Option<UsageContract> {
        UsageContract::from_typed(&crate::typed::Usage {
            sensitivity: self.sensitivity,
            granted: self.granted,
            exempt: self.exempt,
            environment: self.environment,
            expiry: self.expiry,
            contractKey: self.contract_key,
        })
    }

    /// The package id.
    #[must_use]
    pub fn package_id(&self) -> PackageId {
        PackageId(self.package)
    }

    /// The dataset.
    #[must_use]
    pub fn dataset_id(&self) -> DatasetId {
        DatasetId(self.dataset)
    }

    /// The payload hash.
    #[must_use]
    pub fn payload_hash(&self) -> PayloadHash {
        PayloadHash(self.payload_hash)
    }

    /// The EIP-712 domain of the deployment it names.
    #[must_use]
    pub fn domain(&self) -> Domain {
        Domain::new(self.chain_id, self.contract)
    }

    /// Signs it: secp256k1 over sha256d(`medshare/package/v1` ‖ header).
    ///
    /// # Errors
    /// What the signer says when it cannot sign.
    pub fn sign(&self, signer: &impl SignerSync) -> Result<SignedHeader, alloy_signer::Error> {
        let bytes = self.to_bytes();
        let signature = signer.sign_hash_sync(&signing_digest(&bytes))?;
        Ok(SignedHeader {
            header: self.clone(),
            bytes,
            signature: SignatureBytes::from(signature.as_bytes()),
        })
    }
}

fn signing_digest(header: &[u8]) -> B256 {
    sha256d(&[DOMAIN, header])
}

/// A header with the node's signature, verified when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedHeader {
    /// What it says.
    pub header: PackageHeader,
    /// Its CBOR: what is signed and what salts the data key.
    pub bytes: Vec<u8>,
    /// The node's signature.
    pub signature: SignatureBytes,
}

impl SignedHeader {
    /// Magic, length, header and signature, as they stand at the beginning of the file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let length = u32::try_from(self.bytes.len()).expect("a header is a few hundred bytes");
        [
            MAGIC.as_slice(),
            &length.to_le_bytes(),
            &self.bytes,
            self.signature.as_slice(),
        ]
        .concat()
    }

    /// Bytes before the first chunk.
    #[must_use]
    pub fn encoded_length(&self) -> u64 {
        self.to_bytes().len() as u64
    }

    /// Reads the beginning of a container and verifies the signature of the node that it names. Whether that node is
    /// registered, only the chain can tell.
    ///
    /// # Errors
    /// [`PackageError`], before anything of it is used.
    pub fn read(container: &mut impl Read) -> Result<Self, PackageError> {
        let mut magic = [0; 8];
        container
            .read_exact(&mut magic)
            .map_err(|_| PackageError::NotAPackage)?;
        if &magic != MAGIC {
            return Err(PackageError::NotAPackage);
        }
        let mut length = [0; 4];
        container.read_exact(&mut length)?;
        let length = u32::from_le_bytes(length);
        if length > MAX_HEADER_BYTES {
            return Err(PackageError::HeaderTooLong(length));
        }
        let mut bytes = vec![0; length as usize];
        container.read_exact(&mut bytes)?;
        let mut signature = SignatureBytes::ZERO;
        container.read_exact(signature.as_mut_slice())?;
        let header = PackageHeader::from_bytes(&bytes)?;
        if recover(signing_digest(&bytes), signature.as_slice()) != Some(header.node) {
            return Err(PackageError::BadSignature(header.node));
        }
        Ok(Self {
            header,
            bytes,
            signature,
        })
    }
}
