//! Between the binding's structs and the protocol's types. Nothing of the binding leaves this crate.

use alloy::primitives::{B256, Bytes};
use medshare_protocol::id::{DatasetId, PackageId};
use medshare_protocol::typed;
use medshare_protocol::usage::{State, UsageContract};
use medshare_protocol::wire::Class;

use crate::ChainError;
use crate::bindings as abi;
use crate::issue::{IssueItem, ReportSegment};
use crate::record::{
    DatasetRecord, IssuedRequest, NodeRecord, PackageStatus, RequestorRecord, Response,
    ResponseKind,
};

fn malformed(what: &'static str, reason: &str) -> ChainError {
    ChainError::Malformed {
        what,
        reason: reason.to_owned(),
    }
}

pub(crate) fn state(state: abi::State) -> Option<State> {
    Some(match state {
        abi::State::None => State::None,
        abi::State::Issued => State::Issued,
        abi::State::Active => State::Active,
        abi::State::Revoked => State::Revoked,
        abi::State::Retrieved => State::Retrieved,
        abi::State::Expired => State::Expired,
        abi::State::__Invalid => return None,
    })
}

pub(crate) fn response_kind(kind: abi::ActionKind) -> Option<ResponseKind> {
    Some(match kind {
        abi::ActionKind::RevokePackage => ResponseKind::RevokePackage,
        abi::ActionKind::RevokeDataset => ResponseKind::RevokeDataset,
        abi::ActionKind::RevokeOwner => ResponseKind::RevokeOwner,
        abi::ActionKind::RefuseRequests => ResponseKind::RefuseRequests,
        abi::ActionKind::__Invalid => return None,
    })
}

pub(crate) fn responses(raw: Vec<abi::Response>) -> Result<Vec<Response>, ChainError> {
    raw.into_iter()
        .map(|response| {
            let kind = response_kind(response.kind)
                .ok_or_else(|| malformed("a dataset", "a response action is unknown"))?;
            Ok(Response {
                kind,
                threshold: response.threshold,
            })
        })
        .collect()
}

pub(crate) fn raw_responses(responses: &[Response]) -> Vec<abi::Response> {
    responses
        .iter()
        .map(|response| abi::Response {
            kind: match response.kind {
                ResponseKind::RevokePackage => abi::ActionKind::RevokePackage,
                ResponseKind::RevokeDataset => abi::ActionKind::RevokeDataset,
                ResponseKind::RevokeOwner => abi::ActionKind::RevokeOwner,
                ResponseKind::RefuseRequests => abi::ActionKind::RefuseRequests,
            },
            threshold: response.threshold,
        })
        .collect()
}

pub(crate) fn usage(raw: &abi::Usage) -> Result<UsageContract, ChainError> {
    let typed = typed::Usage {
        sensitivity: raw.sensitivity as u8,
        granted: raw.granted,
        exempt: raw.exempt,
        environment: raw.environment,
        expiry: raw.expiry,
        contractKey: raw.contractKey,
    };
    UsageContract::from_typed(&typed)
        .ok_or_else(|| malformed("a usage contract", "a value is out of range"))
}

pub(crate) fn raw_usage(usage: &UsageContract) -> abi::Usage {
    use medshare_protocol::usage::Sensitivity;
    abi::Usage {
        sensitivity: match usage.sensitivity {
            Sensitivity::Low => abi::Sensitivity::Low,
            Sensitivity::High => abi::Sensitivity::High,
        },
        granted: usage.granted.0,
        exempt: usage.exempt.0,
        environment: usage.environment as u8,
        expiry: usage.expiry,
        contractKey: usage.contract_key,
    }
}

pub(crate) fn package(raw: &abi::PackageView) -> Result<PackageStatus, ChainError> {
    let state = state(raw.state).ok_or_else(|| malformed("a package", "its state is unknown"))?;
    let usage = if state == State::None {
        None
    } else {
        Some(usage(&raw.usage)?)
    };
    Ok(PackageStatus {
        state,
        requestor: raw.requestor,
        custodian: raw.custodian,
        dataset: DatasetId(raw.dataset),
        usage,
        head: raw.head,
        settled: raw.settled,
        violations: raw.violations,
    })
}

pub(crate) fn node(raw: abi::NodeView) -> Option<NodeRecord> {
    (!raw.custodian.is_zero()).then_some(NodeRecord {
        custodian: raw.custodian,
        sealing_key: raw.sealingKey,
        endpoint: raw.endpoint,
    })
}

pub(crate) fn class(raw: abi::Class) -> Result<Class, ChainError> {
    Class::from_number(raw as u8)
        .ok_or_else(|| malformed("a requestor", "its class of organisation is unknown"))
}

pub(crate) fn requestor(raw: &abi::RequestorView) -> Result<Option<RequestorRecord>, ChainError> {
    if raw.custodian.is_zero() {
        return Ok(None);
    }
    Ok(Some(RequestorRecord {
        custodian: raw.custodian,
        sealing_key: raw.sealingKey,
        class: class(raw.class)?,
        credential: raw.credential,
        suspended: raw.suspended,
        nonce: raw.nonce,
    }))
}

pub(crate) fn dataset(
    raw: abi::IMedShare::datasetOfReturn,
) -> Result<Option<DatasetRecord>, ChainError> {
    if raw.descriptor == B256::ZERO {
        return Ok(None);
    }
    Ok(Some(DatasetRecord {
        descriptor: raw.descriptor,
        purposes: raw.purposes,
        responses: responses(raw.responses)?,
    }))
}

pub(crate) fn request(raw: &abi::AccessRequest) -> IssuedRequest {
    IssuedRequest {
        requestor: raw.requestor,
        custodian: raw.custodian,
        dataset: DatasetId(raw.dataset),
        purpose: raw.purpose,
        selection: raw.selection,
        salt: raw.salt,
        deadline: raw.deadline,
    }
}

fn raw_request(request: &typed::AccessRequest) -> abi::AccessRequest {
    let held = IssuedRequest::of(request);
    abi::AccessRequest {
        requestor: held.requestor,
        custodian: held.custodian,
        dataset: held.dataset.0,
        purpose: held.purpose,
        selection: held.selection,
        salt: held.salt,
        deadline: held.deadline,
    }
}

pub(crate) fn raw_registration(
    registration: &typed::Registration,
) -> Result<abi::Registration, ChainError> {
    let class = abi::Class::try_from(registration.class)
        .map_err(|_| malformed("a registration", "there is no such class of organisation"))?;
    Ok(abi::Registration {
        requestor: registration.requestor,
        sealingKey: registration.sealingKey,
        class,
        credential: registration.credential,
        nonce: registration.nonce,
        deadline: registration.deadline,
    })
}

pub(crate) fn raw_item(item: &IssueItem) -> abi::Item {
    abi::Item {
        request: raw_request(&item.request),
        requestSignature: item.request_signature.clone(),
        usage: raw_usage(&item.usage),
        payloadHash: item.payload_hash.0,
        formDigest: item.form_digest.0,
        verifier: item.verifier,
        validationDeadline: item.validation_deadline,
        validationSignature: item.validation_signature.clone(),
        expectedHead: item.expected_head,
        entry: Bytes::copy_from_slice(&item.entry),
    }
}

pub(crate) fn raw_segment(segment: &ReportSegment) -> abi::Segment {
    abi::Segment {
        package: segment.package.0,
        expectedHead: segment.expected_head,
        entries: Bytes::copy_from_slice(&segment.entries),
    }
}

pub(crate) fn raw_report(report: &typed::Report) -> abi::Report {
    abi::Report {
        package: report.package,
        number: report.number,
        previous: report.previous,
        actions: report.actions,
        time: report.time,
        body: report.body,
    }
}

/// No session stands as one of the key zero: the wallet signed the report itself.
pub(crate) fn raw_session(session: Option<&typed::Session>, package: PackageId) -> abi::Session {
    session.map_or(
        abi::Session {
            package: package.0,
            key: alloy::primitives::Address::ZERO,
            expiry: 0,
        },
        |session| abi::Session {
            package: session.package,
            key: session.key,
            expiry: session.expiry,
        },
    )
}
