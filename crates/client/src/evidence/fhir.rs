//! The evidence as FHIR R4 (4.0.1): a `Provenance` of the package and an `AuditEvent` for each report, in one Bundle, for
//! hospitals whose audit repositories speak it. It says nothing that the other parts do not show.

use alloy_primitives::Address;
use medshare_protocol::purpose::Purpose;
use medshare_protocol::usage::{Action, Actions};
use medshare_protocol::wire::RecordedReport;
use serde_json::{Value, json};

use super::Evidence;
use super::prov::{did, names, parent};
use crate::times::rfc3339;

const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
const DUO: &str = "http://purl.obolibrary.org/obo/duo.owl";
const PARTICIPANT: &str = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";
const AUDIT_TYPE: &str = "http://dicom.nema.org/resources/ontology/DCM";
const ACTIONS: &str = "urn:medshare:action";
const URI: &str = "urn:ietf:rfc:3986";

/// The Bundle.
pub(super) fn bundle(evidence: &Evidence) -> Value {
    let provenance = provenance(evidence).map(|resource| ("provenance".to_owned(), resource));
    let events = evidence.dossier.reports.iter().map(|recorded| {
        let number = recorded.submission.report.number;
        (format!("report-{number}"), audit_event(evidence, recorded))
    });
    let entries: Vec<Value> = provenance
        .into_iter()
        .chain(events)
        .map(|(id, mut resource)| {
            let url = format!("urn:medshare:{}:{id}", evidence.subject.package);
            resource["id"] = json!(id);
            json!({"fullUrl": url, "resource": resource})
        })
        .collect();
    let mut bundle = json!({"resourceType": "Bundle", "type": "collection"});
    // An empty list is no list in FHIR.
    if !entries.is_empty() {
        bundle["entry"] = json!(entries);
    }
    bundle
}

/// How the package came to be; only the parent block tells when.
fn provenance(evidence: &Evidence) -> Option<Value> {
    let parent = parent(evidence)?;
    let block = &parent.body.transaction;
    let request = &evidence.dossier.request.request;
    let subject = evidence.subject;
    let agent = |code: &str, who: Address, behalf: Option<Address>| {
        let mut agent = json!({
            "type": {"coding": [{"system": PARTICIPANT, "code": code}]},
            "who": account(subject.chain_id, who),
        });
        if let Some(behalf) = behalf {
            agent["onBehalfOf"] = account(subject.chain_id, behalf);
        }
        agent
    };
    let source = |name: String, what: &str| json!({"role": "source", "what": {"identifier": {"system": URI, "value": name}, "display": what}});
    Some(json!({
        "resourceType": "Provenance",
        "target": [package(evidence)],
        "occurredPeriod": {"start": rfc3339(block.received), "end": rfc3339(block.sent)},
        "recorded": rfc3339(parent.body.locktime),
        "policy": [format!("urn:medshare:usage-contract:{}", subject.package)],
        "reason": [purpose(evidence)],
        "agent": [
            agent("assembler", block.node, Some(request.custodian)),
            agent("verifier", block.verifier, None),
            agent("custodian", request.custodian, None),
        ],
        "entity": [
            source(format!("urn:medshare:request:{}", subject.package), "the requestor's signed request"),
            source(
                format!("urn:medshare:dataset:{}:{}", request.custodian, request.dataset),
                "anonymised release of the custodian's dataset",
            ),
        ],
    }))
}

/// One report: DICOM's type for the use of data, the action as FHIR codes it, and whether it was permitted.
fn audit_event(evidence: &Evidence, recorded: &RecordedReport) -> Value {
    let report = &recorded.submission.report;
    let actions = Actions(report.actions);
    let violated = evidence.dossier.usage.violations(actions);
    let subtypes: Vec<Value> = actions
        .iter()
        .map(|action| json!({"system": ACTIONS, "code": action.name()}))
        .collect();
    let request = &evidence.dossier.request.request;
    let chain_id = evidence.subject.chain_id;
    let mut event = json!({
        "resourceType": "AuditEvent",
        "type": {"system": AUDIT_TYPE, "code": "110103", "display": "DICOM Instances Accessed"},
        "subtype": subtypes,
        "action": action_code(actions),
        "recorded": rfc3339(report.time),
        // 0: success; 8: serious failure. What violates is refused.
        "outcome": if violated.is_empty() { "0" } else { "8" },
        "purposeOfEvent": [purpose(evidence)],
        "agent": [{"who": account(chain_id, request.requestor), "requestor": true}],
        "source": {"observer": account(chain_id, recorded.submission.session.key)},
        "entity": [{"what": package(evidence)}],
    });
    if !violated.is_empty() {
        event["outcomeDesc"] = json!(format!("refused, access revoked: {}", names(violated)));
    }
    event
}

/// C create, R read, U update, D delete, E execute: of several actions at once, execute.
fn action_code(actions: Actions) -> &'static str {
    let mut codes = actions.iter().map(|action| match action {
        Action::Read => "R",
        Action::Write => "U",
        Action::Delete => "D",
        Action::Duplicate | Action::Copy => "C",
        Action::Move | Action::Decrypt | Action::Tampering => "E",
    });
    match (codes.next(), codes.next()) {
        (Some(code), None) => code,
        _ => "E",
    }
}

fn purpose(evidence: &Evidence) -> Value {
    let code = evidence.dossier.request.request.purpose;
    let code = Purpose::try_from(code).map_or_else(|_| code.to_string(), |code| code.to_string());
    let system = if code.starts_with("DUO:") {
        DUO
    } else {
        ACT_REASON
    };
    json!({"coding": [{"system": system, "code": code}]})
}

fn package(evidence: &Evidence) -> Value {
    let value = format!("urn:medshare:package:{}", evidence.subject.package);
    json!({"identifier": {"system": URI, "value": value}, "display": "MeDShare package"})
}

fn account(chain_id: u64, address: Address) -> Value {
    json!({"identifier": {"system": URI, "value": did(chain_id, address)}})
}
