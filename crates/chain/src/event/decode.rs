//! From the contract's logs.

use alloy::primitives::Log;
use alloy::sol_types::SolEventInterface;
use medshare_protocol::id::{DatasetId, FormDigest, PackageId, PayloadHash, ReportDigest};
use medshare_protocol::usage::Actions;

use super::{Event, PackageIssued};
use crate::bindings::IMedShareEvents::IMedShareEventsEvents as Raw;
use crate::{ChainError, ContractError, convert};

impl Event {
    /// Reads a log of the contract; nothing when it is none of `IMedShare` (OpenZeppelin's `RoleGranted`).
    pub(crate) fn decode(log: &Log) -> Result<Option<Self>, ChainError> {
        match Raw::decode_log(log) {
            Ok(raw) => Self::from_raw(raw.data).map(Some),
            Err(_) if !is_ours(log) => Ok(None),
            Err(error) => Err(ChainError::Malformed {
                what: "an event",
                reason: error.to_string(),
            }),
        }
    }

    fn from_raw(raw: Raw) -> Result<Self, ChainError> {
        Ok(match raw {
            Raw::CustodianAdmitted(e) => Self::CustodianAdmitted {
                custodian: e.custodian,
            },
            Raw::CustodianRemoved(e) => Self::CustodianRemoved {
                custodian: e.custodian,
            },
            Raw::WorkLimitSet(e) => Self::WorkLimitSet { bits: e.bits },
            Raw::NodeRegistered(e) => Self::NodeRegistered {
                custodian: e.custodian,
                node: e.node,
                sealing_key: e.sealingKey,
                endpoint: e.endpoint,
            },
            Raw::NodeRemoved(e) => Self::NodeRemoved {
                custodian: e.custodian,
                node: e.node,
            },
            Raw::RequestorRegistered(e) => Self::RequestorRegistered {
                requestor: e.requestor,
                custodian: e.custodian,
                credential: e.credential,
                node: e.node,
                sealing_key: e.sealingKey,
                class: convert::class(e.class)?,
                nonce: e.nonce,
            },
            Raw::CredentialSuspended(e) => Self::CredentialSuspended {
                credential: e.credential,
                by: e.by,
            },
            Raw::CredentialReinstated(e) => Self::CredentialReinstated {
                credential: e.credential,
                by: e.by,
            },
            Raw::DatasetPublished(e) => Self::DatasetPublished {
                custodian: e.custodian,
                dataset: DatasetId(e.dataset),
                descriptor: e.descriptor,
                purposes: e.purposes,
                responses: convert::responses(e.responses)?,
            },
            Raw::DatasetWithdrawn(e) => Self::DatasetWithdrawn {
                custodian: e.custodian,
                dataset: DatasetId(e.dataset),
            },
            Raw::RequestsAllowed(e) => Self::RequestsAllowed {
                custodian: e.custodian,
                requestor: e.requestor,
            },
            of_package => return Self::of_package(of_package),
        })
    }

    fn of_package(raw: Raw) -> Result<Self, ChainError> {
        Ok(match raw {
            Raw::PackageIssued(e) => Self::PackageIssued(Box::new(PackageIssued {
                package: PackageId(e.package),
                request: convert::request(&e.request),
                usage: convert::usage(&e.usage)?,
                payload_hash: PayloadHash(e.payloadHash),
                form_digest: FormDigest(e.formDigest),
                node: e.node,
                verifier: e.verifier,
                entry: e
                    .entry
                    .as_ref()
                    .try_into()
                    .map_err(|_| ChainError::Malformed {
                        what: "PackageIssued",
                        reason: format!("the entry has {} bytes, not 80", e.entry.len()),
                    })?,
            })),
            Raw::ItemSkipped(e) => Self::ItemSkipped {
                package: PackageId(e.package),
                node: e.node,
                reason: ContractError::decode(&e.reason),
            },
            Raw::ReportsAnchored(e) => Self::ReportsAnchored {
                package: PackageId(e.package),
                node: e.node,
                entries: e.entries.to_vec(),
            },
            Raw::SegmentSkipped(e) => Self::SegmentSkipped {
                package: PackageId(e.package),
                node: e.node,
                reason: ContractError::decode(&e.reason),
            },
            Raw::ViolationAccepted(e) => Self::ViolationAccepted {
                package: PackageId(e.package),
                number: e.number,
                actions: Actions(e.actions),
                report: ReportDigest(e.report),
            },
            Raw::PackageRevoked(e) => Self::PackageRevoked {
                package: PackageId(e.package),
                by: e.by,
                reason: e.reason,
            },
            Raw::PackageRegranted(e) => Self::PackageRegranted {
                package: PackageId(e.package),
                by: e.by,
            },
            Raw::PackageRetrieved(e) => Self::PackageRetrieved {
                package: PackageId(e.package),
                by: e.by,
                time: e.time,
                deletion: e.deletion,
            },
            Raw::ResponseTaken(e) => Self::ResponseTaken {
                package: PackageId(e.package),
                requestor: e.requestor,
                custodian: e.custodian,
                kind: convert::response_kind(e.kind).ok_or(ChainError::Malformed {
                    what: "ResponseTaken",
                    reason: "the response action is unknown".into(),
                })?,
                violation: e.violation,
            },
            _ => unreachable!("`from_raw` names all others"),
        })
    }
}

fn is_ours(log: &Log) -> bool {
    log.topics()
        .first()
        .is_some_and(|topic| Raw::SELECTORS.contains(&topic.0))
}
