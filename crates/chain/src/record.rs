//! What the contract holds, in the protocol's types.

use std::sync::LazyLock;

use alloy::primitives::{Address, B256, U256};
use medshare_protocol::id::{DatasetId, PackageId};
use medshare_protocol::purpose::Purpose;
use medshare_protocol::typed::{AccessRequest, Domain};
use medshare_protocol::usage::{State, UsageContract};
use medshare_protocol::wire::Class;
use serde::{Deserialize, Serialize};

use alloy::sol_types::SolStruct;
use alloy::sol_types::SolValue;

/// A package as the contract sees it now: expiry and response actions are taken into account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageStatus {
    /// Where it stands; `None`: the contract knows no such package.
    pub state: State,
    /// Whether its side-chain has moved, so that a re-grant leads to `Active` and not to `Issued`.
    pub started: bool,
    /// Whether the custodian takes no new requests of this requestor (P7).
    pub refused: bool,
    /// Who asked for it; zero when there is no such package.
    pub requestor: Address,
    /// Whose data it is.
    pub custodian: Address,
    /// Which dataset it comes from.
    pub dataset: DatasetId,
    /// The rules that travel with it; nothing when there is no such package.
    pub usage: Option<UsageContract>,
    /// Number of the last report that was settled as a violation.
    pub settled: u32,
    /// Violations of this requestor on this dataset, in whatever package.
    pub violations: u32,
    /// Head of its side-chain; before the first report the leaf hash of the parent block.
    pub head: B256,
}

/// A node as it is registered now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRecord {
    /// The custodian it belongs to.
    pub custodian: Address,
    /// X25519 public key that is sealed to for this node.
    pub sealing_key: B256,
    /// Where its peers reach it.
    pub endpoint: String,
}

/// A requestor as it is registered now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestorRecord {
    /// The custodian that vouches for it.
    pub custodian: Address,
    /// X25519 public key that packages are sealed to.
    pub sealing_key: B256,
    /// Class of organisation (P1).
    pub class: Class,
    /// Hash of the credential that the custodian has seen.
    pub credential: B256,
    /// Whether that credential is suspended.
    pub suspended: bool,
    /// The nonce that the next registration must carry.
    pub nonce: U256,
}

/// A dataset as it is published now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetRecord {
    /// Hash of the descriptor.
    pub descriptor: B256,
    /// Purposes it may be asked for, zero-padded codes as the chain holds them; none: any purpose.
    pub purposes: Vec<B256>,
    /// What is done to a violator.
    pub responses: Vec<Response>,
}

impl DatasetRecord {
    /// Whether it may be asked for `purpose`.
    #[must_use]
    pub fn allows(&self, purpose: Purpose) -> bool {
        self.purposes.is_empty() || self.purposes.contains(&purpose.bytes())
    }
}

/// What the owner wants done to a violator (P7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum ResponseKind {
    /// Revoke the package: always happens.
    RevokePackage = 0,
    /// Revoke all packages of this dataset that this requestor holds.
    RevokeDataset = 1,
    /// Revoke all packages of this owner that this requestor holds.
    RevokeOwner = 2,
    /// Take no new request of this requestor to this owner.
    RefuseRequests = 3,
}

/// A response action and the violation (counted per requestor and dataset, from 1) from which on it is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Response {
    /// What is done.
    pub kind: ResponseKind,
    /// From which violation on.
    pub threshold: u32,
}

/// keccak256 of the type's text (EIP-712, `typeHash`).
static REQUEST_TYPE_HASH: LazyLock<B256> = LazyLock::new(|| {
    alloy::primitives::keccak256(<AccessRequest as SolStruct>::eip712_encode_type().as_bytes())
});

/// An `AccessRequest` as the chain holds it: of the selection only the hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct IssuedRequest {
    /// Who asks.
    pub requestor: Address,
    /// Who is asked.
    pub custodian: Address,
    /// For which dataset.
    pub dataset: DatasetId,
    /// Purpose code, zero-padded.
    pub purpose: B256,
    /// EIP-712 hashStruct of the `Selection`.
    pub selection: B256,
    /// Makes the request unique.
    pub salt: B256,
    /// Last moment it may be issued, ms since the Unix epoch.
    pub deadline: u64,
}

impl IssuedRequest {
    /// What the chain holds of `request`.
    #[must_use]
    pub fn of(request: &AccessRequest) -> Self {
        Self {
            requestor: request.requestor,
            custodian: request.custodian,
            dataset: DatasetId(request.dataset),
            purpose: request.purpose,
            selection: request.selection.eip712_hash_struct(),
            salt: request.salt,
            deadline: request.deadline,
        }
    }

    /// The package id that this request must have under `domain` (EIP-712): auditors compare it with the event's.
    #[must_use]
    pub fn package_id(&self, domain: &Domain) -> PackageId {
        let fields = (
            *REQUEST_TYPE_HASH,
            self.requestor,
            self.custodian,
            self.dataset.0,
            self.purpose,
            self.selection,
            self.salt,
            self.deadline,
        );
        let struct_hash = alloy::primitives::keccak256(fields.abi_encode());
        PackageId(domain.digest_of(struct_hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use medshare_protocol::typed::Selection;

    #[test]
    fn the_package_id_follows_from_what_the_chain_holds() {
        let domain = Domain::new(31_337, Address::repeat_byte(1));
        let request = AccessRequest {
            requestor: Address::repeat_byte(2),
            custodian: Address::repeat_byte(3),
            dataset: B256::repeat_byte(4),
            purpose: B256::repeat_byte(5),
            selection: Selection {
                fields: vec!["age".into(), "sex".into()],
                filter: "{}".into(),
            },
            salt: B256::repeat_byte(6),
            deadline: 7,
        };
        let held = IssuedRequest::of(&request);
        assert_eq!(held.package_id(&domain), domain.package_id(&request));
        let other = IssuedRequest {
            deadline: 8,
            ..held
        };
        assert_ne!(other.package_id(&domain), domain.package_id(&request));
    }

    #[test]
    fn a_dataset_without_purposes_allows_any() {
        let research: Purpose = "HRESCH".parse().expect("a code");
        let care: Purpose = "TREAT".parse().expect("a code");
        let mut dataset = DatasetRecord {
            descriptor: B256::ZERO,
            purposes: vec![],
            responses: vec![],
        };
        assert!(dataset.allows(research));
        dataset.purposes.push(care.bytes());
        assert!(!dataset.allows(research));
        assert!(dataset.allows(care));
    }
}
