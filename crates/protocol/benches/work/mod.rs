//! What is measured, and what it cannot be faster than.

use std::hint::black_box;

use alloy_primitives::{B256, ChainId, Signature};
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use medshare_protocol::chain_verifier::{ChainVerifier, examine};
use medshare_protocol::digest::sha256d;
use medshare_protocol::header::{CompactTarget, Header};
use secp256k1::ecdsa::{self, RecoverableSignature};
use secp256k1::{Message, PublicKey, SECP256K1, SecretKey};

use crate::chains::{self, ANY_HASH, Made, PACKAGE, PARENT_ID, PARENT_LEAF, SECRET};

/// Side-blocks of the chain that is verified or built.
pub const BLOCKS: u32 = 256;

/// What libsecp256k1 is given of a block.
struct Signed {
    message: Message,
    signature: [u8; 64],
    preimage: Vec<u8>,
    header: [u8; 80],
}

/// A chain to be verified, in whole or in part.
pub struct Verification {
    chain: Made,
    signed: Vec<Signed>,
    key: PublicKey,
}

impl Verification {
    pub fn new() -> Self {
        let chain = Made::of(BLOCKS, &k256());
        let blocks = chain.bodies.iter().zip(&chain.blocks);
        let signed = blocks.map(|(body, (entry, record))| Signed {
            message: Message::from_digest(body.signing_digest(chain.origin).0),
            signature: body.transaction.signature.0,
            // As many bytes as are signed; which ones does not matter to the hash function.
            preimage: record[..chains::PREIMAGE_BYTES].to_vec(),
            header: entry.header(B256::ZERO).to_bytes(),
        });
        let signed = signed.collect();
        let key = PublicKey::from_secret_key(SECP256K1, &libsecp256k1().0);
        Self { chain, signed, key }
    }

    /// libsecp256k1's verification against a known key, and sha256d of what is signed and of the header.
    pub fn alone(&self) {
        for block in &self.signed {
            let signature = ecdsa::Signature::from_compact(&block.signature).unwrap();
            let verified = SECP256K1.verify_ecdsa(block.message, &signature, &self.key);
            verified.unwrap();
            black_box((sha256d(&[&block.preimage]), sha256d(&[&block.header])));
        }
    }

    /// The whole of SPEC §3, as an audit does it.
    pub fn ledger(&self) {
        let mut verifier = ChainVerifier::side(PACKAGE, PARENT_LEAF, Some(PARENT_ID));
        let (name, origin) = (verifier.chain(), verifier.origin());
        for (entry, record) in &self.chain.blocks {
            let examined = examine(name, origin, entry.leaf, Some(record));
            verifier.push_examined(*entry, examined, &|_| true, ANY_HASH);
        }
        assert!(verifier.finish(self.chain.head).is_empty());
    }
}

pub fn k256() -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&SECRET).unwrap()
}

pub fn libsecp256k1() -> Libsecp256k1 {
    Libsecp256k1(SecretKey::from_byte_array(SECRET.0).unwrap())
}

/// Signs with libsecp256k1.
pub struct Libsecp256k1(SecretKey);

impl SignerSync for Libsecp256k1 {
    fn sign_hash_sync(&self, hash: &B256) -> alloy_signer::Result<Signature> {
        let message = Message::from_digest(hash.0);
        let signed: RecoverableSignature = SECP256K1.sign_ecdsa_recoverable(message, &self.0);
        Ok(signed.into())
    }

    fn chain_id_sync(&self) -> Option<ChainId> {
        None
    }
}

/// As many signatures as a chain has.
pub fn sign(signer: &impl SignerSync) {
    for number in 0..BLOCKS {
        let digest = B256::left_padding_from(&number.to_be_bytes());
        black_box(signer.sign_hash_sync(&digest).unwrap().as_bytes());
    }
}

/// The same in blocks: bodies, leaves, merkle roots, headers, records.
pub fn build(signer: &impl SignerSync) {
    black_box(Made::of(BLOCKS, signer));
}

/// A header to be mined, and how many nonces that takes.
pub struct Mining {
    header: Header,
    pub hashes: u32,
}

impl Mining {
    pub fn new() -> Self {
        let header = Header {
            version: 1,
            previous: B256::repeat_byte(1),
            merkle_root: B256::repeat_byte(2),
            time: 1_700_000_000,
            bits: CompactTarget(0x1f00_ffff),
            nonce: 0,
        };
        let hashes = header.mine().nonce + 1;
        Self { header, hashes }
    }

    /// sha256d of the 80 bytes under each nonce.
    pub fn plain(&self) {
        let mut bytes = self.header.to_bytes();
        for nonce in 0..self.hashes {
            bytes[76..].copy_from_slice(&nonce.to_le_bytes());
            black_box(sha256d(&[&bytes]));
        }
    }

    pub fn midstate(&self) {
        black_box(black_box(self.header).mine());
    }
}
