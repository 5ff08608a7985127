//! Why the contract refused: its custom errors, in the protocol's types and in sentences.

mod decode;

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol_types::{GenericContractError, SolInterface};
use medshare_protocol::id::{DatasetId, PackageId};
use medshare_protocol::purpose::Purpose;
use medshare_protocol::usage::{Actions, State};

use crate::bindings::AccessControl::AccessControlErrors;
use crate::bindings::IMedShareErrors::IMedShareErrorsErrors as Raw;

/// A custom error of the contract.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // Each sentence says what its variant and its values are.
pub enum ContractError {
    #[error("{caller} is no admitted custodian")]
    NotCustodian { caller: Address },
    #[error("{caller} is no registered node of an admitted custodian")]
    NotNode { caller: Address },
    #[error("{caller} does not own the package {package}")]
    NotOwner { package: PackageId, caller: Address },
    #[error("{caller} may not do this")]
    NotPermitted { caller: Address },
    #[error("{caller} is not governance: it lacks the contract's admin role")]
    NotGovernance { caller: Address },
    #[error("the custodian {custodian} is admitted already")]
    AlreadyAdmitted { custodian: Address },
    #[error("{custodian} is not admitted as a custodian")]
    NotAdmitted { custodian: Address },
    #[error("the node {node} belongs to another custodian")]
    NodeTaken { node: Address },
    #[error("{node} is no registered node")]
    UnknownNode { node: Address },
    #[error("{} must not be zero", text(*field))]
    ZeroValue { field: B256 },
    #[error("a value has the length {length}, the limit is {limit}")]
    TooLong { length: U256, limit: U256 },
    #[error("{bits:#010x} is no usable work limit: it must be the compact form of a target")]
    BadWorkLimit { bits: u32 },
    #[error("the signature is not one of {signer} over this message")]
    BadSignature { signer: Address },
    #[error("the registration carries the nonce {given}, {expected} is due: sign again")]
    BadNonce { expected: U256, given: U256 },
    #[error("the deadline {deadline} (ms) has passed, the chain's time is {now_ms}: sign again")]
    DeadlinePassed { deadline: u64, now_ms: U256 },
    #[error("{requestor} is not a registered requestor")]
    UnknownRequestor { requestor: Address },
    #[error("the credential {credential} is suspended")]
    Suspended { credential: B256 },
    #[error("the credential {credential} is not suspended")]
    NotSuspended { credential: B256 },
    #[error("the custodian {custodian} refuses requests of {requestor} after a violation")]
    Refused {
        custodian: Address,
        requestor: Address,
    },
    #[error("the custodian {custodian} has not published the dataset {dataset}")]
    UnknownDataset {
        custodian: Address,
        dataset: DatasetId,
    },
    #[error("the dataset may not be used for {}", purpose_text(*purpose))]
    PurposeNotAllowed { purpose: B256 },
    #[error("the list of purposes names {} twice", purpose_text(*purpose))]
    PurposeTwice { purpose: B256 },
    #[error("the package {package} is issued already")]
    AlreadyIssued { package: PackageId },
    #[error("there is no package {package}")]
    UnknownPackage { package: PackageId },
    #[error(
        "the usage contract has a value out of range, no key, or an expiry in the past: granted {granted:#04x}, exempt \
         {exempt:#04x}, environment {environment}, expiry {expiry} (ms), contract key {contract_key}"
    )]
    BadUsage {
        granted: u8,
        exempt: u8,
        environment: u8,
        expiry: u64,
        contract_key: B256,
    },
    #[error("the second node {verifier} is the sender itself")]
    VerifierIsSender { verifier: Address },
    #[error("the second node {verifier} is of the same custodian: another custodian's is needed")]
    VerifierOfSameCustodian { verifier: Address },
    /// Of a segment `expected` is what was sent: the first eight bytes, the rest is zero.
    #[error("the block was mined on {expected}, the head is {actual}: mine it again on the head")]
    StaleHead { expected: B256, actual: B256 },
    #[error(
        "block entries of {length} bytes: one or more whole entries of 80 bytes are needed, as many as announced"
    )]
    BadEntryLength { length: U256 },
    #[error("a segment of {count} block entries: it takes 1 to {limit}")]
    BadCount { count: U256, limit: U256 },
    #[error("the header {hash} does not meet its target {bits:#010x}, or the target is too easy")]
    WorkTooLow { hash: B256, bits: u32 },
    #[error("the block's time {time} is too far ahead of the chain's {now}: check the clock")]
    BlockFromTheFuture { time: u32, now: U256 },
    #[error("the reason code {reason} is the contract's own word for what it has judged itself")]
    ReservedReason { reason: u8 },
    #[error("the package {package} is {state:?}, which does not allow this")]
    WrongState { package: PackageId, state: State },
    #[error("the reported actions ({actions}) are no violation")]
    NoViolation { actions: Actions },
    #[error("the report {number} is not newer than {settled}, the last one settled")]
    AlreadySettled { number: u32, settled: u32 },
    #[error(
        "the session is of the package {package} and ends at {expiry} (ms): it does not cover the report"
    )]
    SessionMismatch { package: PackageId, expiry: u64 },
    #[error(
        "the other report, number {number} of the package {package}, does not contradict the first"
    )]
    NotTampering { package: PackageId, number: u32 },
    #[error("there is no action {action}")]
    UnknownAction { action: u8 },
    #[error("the response action {kind} with threshold {threshold} is not allowed")]
    BadResponse { kind: u8, threshold: u32 },
    #[error(
        "the proof is not well formed: a header of {header_length} bytes (80 are due), leaf {index} of {size}, \
         {proof_length} hashes (64 at most)"
    )]
    BadProof {
        header_length: U256,
        size: u64,
        index: u64,
        proof_length: U256,
    },
    #[error("the package {package} has no report yet, and so no log to prove anything from")]
    NoReport { package: PackageId },
    #[error("the transaction's gas was too low: {needed} were needed; send it again with more")]
    GasTooLow { needed: U256 },
    #[error("{0}")]
    Text(String),
    #[error("it gave no reason")]
    Silent,
    #[error("it gave a reason that is not known here: {0}")]
    Unknown(Bytes),
}

impl ContractError {
    /// Reads the ABI-encoded error that a call reverted with, or that a skip event carries.
    #[must_use]
    pub fn decode(data: &[u8]) -> Self {
        if data.is_empty() {
            return Self::Silent;
        }
        if let Ok(error) = Raw::abi_decode(data) {
            return Self::from(error);
        }
        if let Ok(AccessControlErrors::AccessControlUnauthorizedAccount(error)) =
            AccessControlErrors::abi_decode(data)
        {
            return Self::NotGovernance {
                caller: error.account,
            };
        }
        match GenericContractError::abi_decode(data) {
            Ok(text) => Self::Text(text.to_string()),
            Err(_) => Self::Unknown(Bytes::copy_from_slice(data)),
        }
    }
}

fn purpose_text(purpose: B256) -> String {
    Purpose::try_from(purpose).map_or_else(|_| purpose.to_string(), |code| code.to_string())
}

/// ASCII, zero-padded on the right.
fn text(name: B256) -> String {
    let end = name
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |at| at + 1);
    name[..end].escape_ascii().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::IMedShareErrors as errors;
    use alloy::sol_types::SolError;

    #[test]
    fn custom_errors_become_sentences_with_their_values() {
        let caller = Address::repeat_byte(0xaa);
        let data = errors::NotNode { caller }.abi_encode();
        let error = ContractError::decode(&data);
        assert_eq!(error, ContractError::NotNode { caller });
        assert!(error.to_string().contains(&caller.to_string()));
        let purpose: Purpose = "HRESCH".parse().expect("a code");
        let data = errors::PurposeNotAllowed {
            purpose: purpose.bytes(),
        }
        .abi_encode();
        assert_eq!(
            ContractError::decode(&data).to_string(),
            "the dataset may not be used for HRESCH"
        );
        let mut field = [0; 32];
        field[..10].copy_from_slice(b"sealingKey");
        let field = B256::from(field);
        let data = errors::ZeroValue { field }.abi_encode();
        assert_eq!(
            ContractError::decode(&data).to_string(),
            "sealingKey must not be zero"
        );
    }

    #[test]
    fn what_is_no_custom_error_is_still_told() {
        assert_eq!(ContractError::decode(&[]), ContractError::Silent);
        assert_eq!(
            ContractError::decode(&[1, 2, 3, 4]),
            ContractError::Unknown(Bytes::from_static(&[1, 2, 3, 4]))
        );
        // Error(string) of a `require`, and Panic(0x11) of an overflow.
        let text = alloy::sol_types::Revert::from("too bad").abi_encode();
        assert!(ContractError::decode(&text).to_string().contains("too bad"));
        let panic = alloy::sol_types::Panic {
            code: U256::from(0x11),
        }
        .abi_encode();
        assert!(
            ContractError::decode(&panic)
                .to_string()
                .contains("overflow")
        );
    }

    #[test]
    fn a_truncated_error_is_no_panic() {
        let data = errors::StaleHead {
            expected: B256::repeat_byte(1),
            actual: B256::repeat_byte(2),
        }
        .abi_encode();
        for length in 1..data.len() {
            assert!(matches!(
                ContractError::decode(&data[..length]),
                ContractError::Unknown(_)
            ));
        }
    }
}
