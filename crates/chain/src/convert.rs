//! Between the binding's structs and the protocol's types. Nothing of the binding leaves this crate.

use alloy::primitives::{B256, Bytes, FixedBytes};
use medshare_protocol::id::{DatasetId, PackageId};
use medshare_protocol::typed;
use medshare_protocol::usage::{State, UsageContract};
use medshare_protocol::wire::Class;

use crate::ChainError;
use crate::bindings as abi;
use crate::issue::{IssueItem, MAX_SEGMENT_ENTRIES, ReportSegment};
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
        started: raw.started,
        refused: raw.refused,
        requestor: raw.requestor,
        custodian: raw.custodian,
        dataset: DatasetId(raw.dataset),
        usage,
        settled: raw.settled,
        violations: raw.violations,
        head: raw.head,
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

/// The entries of all segments travel one after the other: a segment that tells a wrong number of them would take the
/// next one's.
pub(crate) fn anchoring(
    segments: &[ReportSegment],
) -> Result<abi::IMedShare::anchorReportsCall, ChainError> {
    let entries: Vec<u8> = segments
        .iter()
        .flat_map(|segment| segment.entries.as_flattened())
        .copied()
        .collect();
    Ok(abi::IMedShare::anchorReportsCall {
        segments: segments.iter().map(raw_segment).collect::<Result<_, _>>()?,
        entries: entries.into(),
    })
}

fn raw_segment(segment: &ReportSegment) -> Result<abi::Segment, ChainError> {
    let count = segment.entries.len();
    let fits = (1..=MAX_SEGMENT_ENTRIES).contains(&count);
    let count = u32::try_from(count).ok().filter(|_| fits);
    Ok(abi::Segment {
        package: segment.package.0,
        // Enough to tell a stale segment: the header is put together from the head that the contract holds.
        expectedHead: FixedBytes::from_slice(&segment.expected_head[..8]),
        count: count.ok_or(ChainError::BadSegment {
            package: segment.package,
            count: segment.entries.len(),
        })?,
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(package: u8, entries: Vec<[u8; 80]>) -> ReportSegment {
        ReportSegment {
            package: PackageId(B256::repeat_byte(package)),
            expected_head: B256::repeat_byte(0x4e),
            entries,
        }
    }

    #[test]
    fn the_entries_of_all_segments_travel_one_after_the_other() {
        let segments = [
            segment(1, vec![[0x11; 80]]),
            segment(2, vec![[0x21; 80], [0x22; 80]]),
        ];
        let call = anchoring(&segments).expect("good segments");
        assert_eq!(call.entries, [[0x11; 80], [0x21; 80], [0x22; 80]].concat());
        let sent: Vec<_> = call
            .segments
            .iter()
            .map(|segment| (segment.package[0], segment.expectedHead, segment.count))
            .collect();
        let head = FixedBytes::repeat_byte(0x4e);
        assert_eq!(sent, [(1, head, 1), (2, head, 2)]);
    }

    #[test]
    fn an_empty_and_an_overlong_segment_are_named_before_they_are_sent() {
        let limit = MAX_SEGMENT_ENTRIES;
        assert!(anchoring(&[segment(1, vec![[0; 80]; limit])]).is_ok());
        for bad in [0, limit + 1] {
            let segments = [segment(1, vec![[0; 80]]), segment(7, vec![[0; 80]; bad])];
            let error = anchoring(&segments)
                .err()
                .expect("a bad segment")
                .to_string();
            let package = segments[1].package.to_string();
            assert!(
                error.starts_with(&format!("{bad} side-blocks")) && error.contains(&package),
                "{error}"
            );
        }
    }
}
