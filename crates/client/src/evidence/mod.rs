//! The evidence bundle: everything that shows what became of one request, in one file that needs no network, no node and
//! no key to be checked. For a court, or for a data protection officer.
//!
//! | module | what |
//! |---|---|
//! | [`gather`](mod@gather) | asks a node and the chain for it |
//! | [`bundle`] | to a zip file and back; one spelling only |
//! | [`verify`](mod@verify) | what it proves, and what that rests on; no I/O |
//! | `prov`, `fhir`, `readme` | the same told as W3C PROV-O, as FHIR R4, and to people |

pub mod bundle;
mod fhir;
pub mod gather;
mod prov;
mod readme;
#[cfg(test)]
mod tests;
pub mod verify;

use alloy_primitives::{Address, Bytes};
use medshare_chain::{AccountProof, ContractProof};
use medshare_protocol::id::PackageId;
use medshare_protocol::proof::InclusionProof;
use medshare_protocol::typed::Domain;
use medshare_protocol::wire::Dossier;
use serde::{Deserialize, Serialize};

pub use bundle::BundleError;
pub use gather::{GatherError, gather};
pub use verify::{Assumption, Claim, Flaw, Verdict, verify, verify_container};

/// Reports, and side-blocks, of one package that a bundle has at most.
pub const MAX_REPORTS: usize = 10_000;
/// Version of the bundle's format.
pub const EVIDENCE_VERSION: u32 = 1;

/// What the evidence is about: `evidence.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Version of the format: 1.
    pub evidence: u32,
    /// The EVM chain.
    pub chain_id: u64,
    /// The contract on it.
    pub contract: Address,
    /// The package.
    pub package: PackageId,
}

impl Subject {
    /// The deployment's EIP-712 domain.
    #[must_use]
    pub fn domain(&self) -> Domain {
        Domain::new(self.chain_id, self.contract)
    }
}

/// That each block of a package is in its chain: `proofs.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inclusions {
    /// The parent block in its requestor's thread.
    pub parent: InclusionProof,
    /// The side-blocks in their package's side-chain, in order.
    pub sides: Vec<InclusionProof>,
}

/// The records of a package's blocks: `blocks.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Records {
    /// The parent block's.
    pub parent: Bytes,
    /// The side-blocks', in order.
    pub sides: Vec<Bytes>,
}

/// All parts of a bundle that are not made of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// What it is about.
    pub subject: Subject,
    /// What the custodian's node holds: `request.json`, `form.json`, `usage.json`, `validation.json`, `reports.json`,
    /// `deletion.json`.
    pub dossier: Dossier,
    /// `blocks.json`.
    pub blocks: Records,
    /// `proofs.json`.
    pub proofs: Inclusions,
    /// What the contract held at one EVM block: `contract.json`.
    pub contract: ContractProof,
    /// What kind of account the requestor's wallet was there: `wallet.json`.
    pub wallet: AccountProof,
    /// The contract's code: `code.hex`.
    pub code: Bytes,
}
