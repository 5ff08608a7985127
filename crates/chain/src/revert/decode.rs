//! From the binding's errors.

use medshare_protocol::id::{DatasetId, PackageId};
use medshare_protocol::usage::{Actions, State};

use super::ContractError;
use crate::bindings::IMedShareErrors::IMedShareErrorsErrors as Raw;
use crate::convert::state;

impl From<Raw> for ContractError {
    fn from(raw: Raw) -> Self {
        match raw {
            Raw::NotCustodian(e) => Self::NotCustodian { caller: e.caller },
            Raw::NotNode(e) => Self::NotNode { caller: e.caller },
            Raw::NotOwner(e) => Self::NotOwner {
                package: PackageId(e.package),
                caller: e.caller,
            },
            Raw::NotPermitted(e) => Self::NotPermitted { caller: e.caller },
            Raw::AlreadyAdmitted(e) => Self::AlreadyAdmitted {
                custodian: e.custodian,
            },
            Raw::NotAdmitted(e) => Self::NotAdmitted {
                custodian: e.custodian,
            },
            Raw::NodeTaken(e) => Self::NodeTaken { node: e.node },
            Raw::UnknownNode(e) => Self::UnknownNode { node: e.node },
            Raw::ZeroValue(e) => Self::ZeroValue { field: e.field },
            Raw::TooLong(e) => Self::TooLong {
                length: e.length,
                limit: e.limit,
            },
            Raw::BadWorkLimit(e) => Self::BadWorkLimit { bits: e.bits },
            Raw::BadSignature(e) => Self::BadSignature { signer: e.signer },
            Raw::BadNonce(e) => Self::BadNonce {
                expected: e.expected,
                given: e.given,
            },
            Raw::DeadlinePassed(e) => Self::DeadlinePassed {
                deadline: e.deadline,
                now_ms: e.nowMs,
            },
            Raw::UnknownRequestor(e) => Self::UnknownRequestor {
                requestor: e.requestor,
            },
            Raw::Suspended(e) => Self::Suspended {
                credential: e.credential,
            },
            Raw::NotSuspended(e) => Self::NotSuspended {
                credential: e.credential,
            },
            Raw::Refused(e) => Self::Refused {
                custodian: e.custodian,
                requestor: e.requestor,
            },
            Raw::UnknownDataset(e) => Self::UnknownDataset {
                custodian: e.custodian,
                dataset: DatasetId(e.dataset),
            },
            Raw::PurposeNotAllowed(e) => Self::PurposeNotAllowed { purpose: e.purpose },
            Raw::PurposeTwice(e) => Self::PurposeTwice { purpose: e.purpose },
            Raw::AlreadyIssued(e) => Self::AlreadyIssued {
                package: PackageId(e.package),
            },
            Raw::UnknownPackage(e) => Self::UnknownPackage {
                package: PackageId(e.package),
            },
            Raw::BadUsage(e) => Self::BadUsage {
                granted: e.usage.granted,
                exempt: e.usage.exempt,
                environment: e.usage.environment,
                expiry: e.usage.expiry,
                contract_key: e.usage.contractKey,
            },
            Raw::VerifierIsSender(e) => Self::VerifierIsSender {
                verifier: e.verifier,
            },
            Raw::VerifierOfSameCustodian(e) => Self::VerifierOfSameCustodian {
                verifier: e.verifier,
            },
            Raw::StaleHead(e) => Self::StaleHead {
                expected: e.expected,
                actual: e.actual,
            },
            Raw::BadEntryLength(e) => Self::BadEntryLength { length: e.length },
            Raw::BadCount(e) => Self::BadCount {
                count: e.count,
                limit: e.limit,
            },
            Raw::WorkTooLow(e) => Self::WorkTooLow {
                hash: e.hash,
                bits: e.bits,
            },
            Raw::BlockFromTheFuture(e) => Self::BlockFromTheFuture {
                time: e.time,
                now: e.now_,
            },
            Raw::ReservedReason(e) => Self::ReservedReason { reason: e.reason },
            Raw::WrongState(e) => Self::WrongState {
                package: PackageId(e.package),
                state: state(e.state).unwrap_or(State::None),
            },
            Raw::NoViolation(e) => Self::NoViolation {
                actions: Actions(e.actions),
            },
            Raw::AlreadySettled(e) => Self::AlreadySettled {
                number: e.number,
                settled: e.settled,
            },
            Raw::SessionMismatch(e) => Self::SessionMismatch {
                package: PackageId(e.package),
                expiry: e.expiry,
            },
            Raw::NotTampering(e) => Self::NotTampering {
                package: PackageId(e.package),
                number: e.number,
            },
            Raw::UnknownAction(e) => Self::UnknownAction { action: e.action },
            Raw::BadResponse(e) => Self::BadResponse {
                kind: e.kind as u8,
                threshold: e.threshold,
            },
            Raw::BadProof(e) => Self::BadProof {
                header_length: e.headerLength,
                size: e.size,
                index: e.index,
                proof_length: e.proofLength,
            },
            Raw::NoReport(e) => Self::NoReport {
                package: PackageId(e.package),
            },
            Raw::GasTooLow(e) => Self::GasTooLow { needed: e.needed },
        }
    }
}
