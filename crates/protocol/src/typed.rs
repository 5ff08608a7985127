//! EIP-712: everything that people and nodes sign for each other, under one domain.
//!
//! The domain is `MeDShare`, version `1`, chain id and contract address: no signature can be used on another
//! deployment. The package id **is** the digest of the [`AccessRequest`], so a request yields one package at most.

use alloy_primitives::{Address, B256, Signature, U256, keccak256};
use alloy_signer::SignerSync;
use alloy_sol_types::{Eip712Domain, SolStruct, sol};

use crate::id::{PackageId, ReportDigest};

sol! {
    /// Which columns and rows of a release are asked for.
    /// `fields` empty: all columns. `filter`: a JSON object, see the module `filter`; empty: all rows.
    #[derive(Debug, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
    struct Selection {
        string[] fields;
        string filter;
    }

    /// A signed request for data (P2). `deadline` in ms since the Unix epoch.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    struct AccessRequest {
        address requestor;
        address custodian;
        bytes32 dataset;
        bytes32 purpose;
        Selection selection;
        bytes32 salt;
        uint64 deadline;
    }

    /// Registration of a requestor, or the rotation of its keys (P1). `class` as `Class` in `wire`.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    struct Registration {
        address requestor;
        bytes32 sealingKey;
        uint8 class;
        bytes32 credential;
        uint256 nonce;
        uint64 deadline;
    }

    /// The usage contract as it is signed and registered on chain (P14). Bitmaps: bit 0 read … bit 5 copy.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    struct Usage {
        uint8 sensitivity;
        uint8 granted;
        uint8 exempt;
        uint8 environment;
        uint64 expiry;
        bytes32 contractKey;
    }

    /// The second node's word (P13). `usage` is the struct hash of [`Usage`].
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    struct Validation {
        bytes32 package;
        bytes32 payloadHash;
        bytes32 formDigest;
        uint8 sensitivity;
        bytes32 usage;
        uint64 deadline;
    }

    /// What the second node measured, under its name (P13): `content` is sha256d of a [`Certificate`]'s text.
    ///
    /// [`Certificate`]: crate::certificate::Certificate
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    struct Certification {
        bytes32 package;
        bytes32 payloadHash;
        bytes32 content;
    }

    /// What was done to the data (P17, P18). Bits 0 to 5 as in [`Usage`], 6 decrypt, 7 tampering.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    struct Report {
        bytes32 package;
        uint32 number;
        bytes32 previous;
        uint8 actions;
        uint64 time;
        bytes32 body;
    }

    /// The wallet's delegation to a session key. `expiry` in ms since the Unix epoch.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    struct Session {
        bytes32 package;
        address key;
        uint64 expiry;
    }

    /// A client's request for a longer lease, signed by the session key. `number`: the last report sent.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    struct Renewal {
        bytes32 package;
        uint32 number;
        uint64 time;
    }

    /// The node's receipt for a report or a renewal: the custodian cannot deny it. `leaseSeconds` zero: no lease.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    struct Receipt {
        bytes32 package;
        uint32 number;
        bytes32 report;
        uint64 received;
        uint32 leaseSeconds;
    }

    /// The end of a session, signed by its key: the next one need not wait for the lease to run out. `number`: the last
    /// report sent.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    struct SessionEnd {
        bytes32 package;
        uint32 number;
        uint64 time;
    }

    /// The custodian's decision, signed by its node, about an output that was held back: the one that report `number` told
    /// of, sealed with the hash `output`. `reason` is for the requestor.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    struct OutputDecision {
        bytes32 package;
        uint32 number;
        bytes32 output;
        bool released;
        string reason;
        uint64 time;
    }

    /// The requestor's word that the data is deleted: what `retrieve` waits for (P19).
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    struct Deletion {
        bytes32 package;
        uint64 time;
    }

    /// Asks a node for all that it holds about a package: the requestor or the custodian does. `deadline` in ms since the
    /// Unix epoch.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    struct Disclosure {
        bytes32 package;
        uint64 deadline;
    }

    /// A node's word to a node, over the peer interface: who sends, which bytes, until when.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    struct PeerMessage {
        address sender;
        address recipient;
        bytes32 content;
        uint64 deadline;
    }
}

/// Name of every deployment's EIP-712 domain.
pub const DOMAIN_NAME: &str = "MeDShare";
/// Its version.
pub const DOMAIN_VERSION: &str = "1";

/// One deployment's EIP-712 domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    fields: Eip712Domain,
    /// hashStruct of the fields: every digest has it in front, and an audit makes one for each package.
    separator: B256,
}

impl Domain {
    /// The domain of the contract at `contract` on the chain `chain_id`.
    #[must_use]
    pub fn new(chain_id: u64, contract: Address) -> Self {
        let fields = Eip712Domain::new(
            Some(DOMAIN_NAME.into()),
            Some(DOMAIN_VERSION.into()),
            Some(U256::from(chain_id)),
            Some(contract),
            None,
        );
        let separator = fields.separator();
        Self { fields, separator }
    }

    /// The chain id.
    #[must_use]
    pub fn chain_id(&self) -> u64 {
        self.fields
            .chain_id
            .and_then(|id| u64::try_from(id).ok())
            .expect("`new` sets a u64")
    }

    /// The contract's address.
    #[must_use]
    pub fn contract(&self) -> Address {
        self.fields.verifying_contract.expect("`new` sets it")
    }

    /// EIP-712 domain separator: hashStruct of the domain's fields.
    #[must_use]
    pub const fn separator(&self) -> B256 {
        self.separator
    }

    /// EIP-712 digest of `message` under this domain: what is signed.
    #[must_use]
    pub fn digest<T: SolStruct>(&self, message: &T) -> B256 {
        self.digest_of(message.eip712_hash_struct())
    }

    /// The digest of the message with this `hashStruct`: keccak256(0x19 0x01 ‖ domain separator ‖ hashStruct).
    #[must_use]
    pub fn digest_of(&self, hash_struct: B256) -> B256 {
        let [separator, message] = [self.separator, hash_struct].map(|hash| hash.0);
        keccak256([&[0x19, 0x01], separator.as_slice(), &message].concat())
    }

    /// The package id of a request: its digest.
    #[must_use]
    pub fn package_id(&self, request: &AccessRequest) -> PackageId {
        PackageId(self.digest(request))
    }

    /// The digest of a report.
    #[must_use]
    pub fn report_digest(&self, report: &Report) -> ReportDigest {
        ReportDigest(self.digest(report))
    }

    /// Signs `message`: 65 bytes r ‖ s ‖ v, low s, v 27 or 28.
    ///
    /// # Errors
    /// What the signer says when it cannot sign.
    pub fn sign<T: SolStruct>(
        &self,
        message: &T,
        signer: &impl SignerSync,
    ) -> Result<SignatureBytes, alloy_signer::Error> {
        signer
            .sign_hash_sync(&self.digest(message))
            .map(|signature| SignatureBytes::from(signature.as_bytes()))
    }

    /// Whether `signature` over `message` was made by the key of the account `signer` (EOA only; contract wallets
    /// are asked on chain).
    #[must_use]
    pub fn is_signed_by<T: SolStruct>(
        &self,
        message: &T,
        signature: &[u8],
        signer: Address,
    ) -> bool {
        recover(self.digest(message), signature) == Some(signer)
    }
}

/// A 65-byte secp256k1 signature: r ‖ s ‖ v. Blocks have another one: [`NodeSignature`](crate::block::NodeSignature).
pub type SignatureBytes = alloy_primitives::FixedBytes<65>;

/// The account whose key signed `digest`, or nothing when the signature is not of the one canonical form:
/// 65 bytes, s in the lower half (EIP-2), v 27 or 28. Anything else would let a stranger make a second valid
/// signature out of a first one.
#[must_use]
pub fn recover(digest: B256, signature: &[u8]) -> Option<Address> {
    if signature.len() != 65 || !matches!(signature[64], 27 | 28) {
        return None;
    }
    let signature = Signature::from_raw(signature).ok()?;
    if signature.normalize_s().is_some() {
        return None;
    }
    signature.recover_address_from_prehash(&digest).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use alloy_signer_local::PrivateKeySigner;

    fn deletion() -> Deletion {
        Deletion {
            package: B256::repeat_byte(7),
            time: 42,
        }
    }

    #[test]
    fn a_signature_holds_for_its_domain_and_message_only() {
        let domain = Domain::new(31337, Address::repeat_byte(1));
        let wallet = PrivateKeySigner::from_bytes(&B256::repeat_byte(3)).unwrap();
        let signature = domain.sign(&deletion(), &wallet).unwrap();
        assert!(domain.is_signed_by(&deletion(), signature.as_slice(), wallet.address()));
        let elsewhere = Domain::new(1, Address::repeat_byte(1));
        assert!(!elsewhere.is_signed_by(&deletion(), signature.as_slice(), wallet.address()));
        let later = Deletion {
            time: 43,
            ..deletion()
        };
        assert!(!domain.is_signed_by(&later, signature.as_slice(), wallet.address()));
    }

    #[test]
    fn a_digest_is_that_of_the_library_that_the_domain_comes_from() {
        let domain = Domain::new(31337, Address::repeat_byte(1));
        let digest = deletion().eip712_signing_hash(&domain.fields);
        assert_eq!(domain.digest(&deletion()), digest);
    }

    #[test]
    fn the_malleated_twin_of_a_signature_is_refused() {
        let wallet = PrivateKeySigner::from_bytes(&B256::repeat_byte(3)).unwrap();
        let digest = B256::repeat_byte(9);
        let signature = wallet.sign_hash_sync(&digest).unwrap();
        assert_eq!(
            recover(digest, &signature.as_bytes()),
            Some(wallet.address())
        );
        let order = U256::from_str_radix(
            "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
            16,
        )
        .unwrap();
        let twin = Signature::new(signature.r(), order - signature.s(), !signature.v());
        assert_eq!(recover(digest, &twin.as_bytes()), None);
        assert_eq!(recover(digest, &signature.as_bytes()[..64]), None);
        let mut other_form = signature.as_bytes();
        other_form[64] -= 27;
        assert_eq!(recover(digest, &other_form), None);
    }

    #[test]
    fn the_type_strings_are_those_of_the_contract() {
        assert_eq!(
            AccessRequest::eip712_encode_type(),
            "AccessRequest(address requestor,address custodian,bytes32 dataset,bytes32 purpose,Selection selection,bytes32 salt,uint64 deadline)Selection(string[] fields,string filter)"
        );
        assert_eq!(
            Report::eip712_encode_type(),
            "Report(bytes32 package,uint32 number,bytes32 previous,uint8 actions,uint64 time,bytes32 body)"
        );
        assert_eq!(
            Usage::eip712_encode_type(),
            "Usage(uint8 sensitivity,uint8 granted,uint8 exempt,uint8 environment,uint64 expiry,bytes32 contractKey)"
        );
    }
}
