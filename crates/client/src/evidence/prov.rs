//! The evidence as W3C PROV-O, JSON-LD 1.1: who did what to which data, for tools of provenance. It says nothing that the
//! other parts do not show.

use alloy_primitives::Address;
use medshare_protocol::block::ParentBlock;
use medshare_protocol::usage::Actions;
use serde_json::{Value, json};

use super::Evidence;
use crate::times::rfc3339;

/// An account as a decentralised identifier (CAIP-10, did:pkh): the same wallet has the same name everywhere.
pub(super) fn did(chain_id: u64, account: Address) -> String {
    format!("did:pkh:eip155:{chain_id}:{account}")
}

/// Names of what has no address of its own.
fn urn(kind: &str, name: impl std::fmt::Display) -> String {
    format!("urn:medshare:{kind}:{name}")
}

/// The document. A parent block that cannot be read leaves out what only it tells; the examination says so anyway.
pub(super) fn document(evidence: &Evidence) -> Value {
    let mut graph = agents(evidence);
    graph.extend(origins(evidence));
    graph.extend(uses(evidence));
    json!({
        "@context": context(),
        "@graph": graph,
    })
}

fn context() -> Value {
    let reference = |property: &str| json!({"@id": property, "@type": "@id"});
    let time = |property: &str| json!({"@id": property, "@type": "xsd:dateTime"});
    json!({
        "prov": "http://www.w3.org/ns/prov#",
        "xsd": "http://www.w3.org/2001/XMLSchema#",
        "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
        "label": "rdfs:label",
        "actedOnBehalfOf": reference("prov:actedOnBehalfOf"),
        "used": reference("prov:used"),
        "wasAssociatedWith": reference("prov:wasAssociatedWith"),
        "wasAttributedTo": reference("prov:wasAttributedTo"),
        "wasDerivedFrom": reference("prov:wasDerivedFrom"),
        "wasGeneratedBy": reference("prov:wasGeneratedBy"),
        "wasInformedBy": reference("prov:wasInformedBy"),
        "qualifiedAssociation": "prov:qualifiedAssociation",
        "agent": reference("prov:agent"),
        "hadPlan": reference("prov:hadPlan"),
        "value": "prov:value",
        "startedAtTime": time("prov:startedAtTime"),
        "endedAtTime": time("prov:endedAtTime"),
        "generatedAtTime": time("prov:generatedAtTime"),
    })
}

fn agents(evidence: &Evidence) -> Vec<Value> {
    let chain_id = evidence.subject.chain_id;
    let request = &evidence.dossier.request.request;
    let node = |address: Address, label: &str| json!({"@id": did(chain_id, address), "@type": ["prov:Agent", "prov:SoftwareAgent"], "label": label});
    let mut agents = vec![
        json!({"@id": did(chain_id, request.requestor), "@type": "prov:Agent", "label": "requestor"}),
        json!({
            "@id": did(chain_id, request.custodian),
            "@type": ["prov:Agent", "prov:Organization"],
            "label": "custodian",
        }),
        node(evidence.dossier.verifier, "second node"),
    ];
    if let Some(parent) = parent(evidence) {
        let mut own = node(parent.body.transaction.node, "custodian's node");
        own["actedOnBehalfOf"] = json!(did(chain_id, request.custodian));
        agents.push(own);
    }
    agents
}

/// How the package came to be.
fn origins(evidence: &Evidence) -> Vec<Value> {
    let (chain_id, id) = (evidence.subject.chain_id, evidence.subject.package);
    let request = &evidence.dossier.request.request;
    let requestor = did(chain_id, request.requestor);
    let dataset = urn(
        "dataset",
        format_args!("{}:{}", request.custodian, request.dataset),
    );
    let (asked, rules) = (urn("request", id), urn("usage-contract", id));
    let mut origins = vec![
        json!({"@id": dataset, "@type": "prov:Entity", "label": "anonymised release of the custodian's dataset"}),
        json!({"@id": asked, "@type": "prov:Entity", "label": "signed request", "wasAttributedTo": requestor}),
        json!({"@id": rules, "@type": ["prov:Entity", "prov:Plan"], "label": "usage contract"}),
    ];
    let Some(parent) = parent(evidence) else {
        return origins;
    };
    let block = &parent.body.transaction;
    let (node, second) = (did(chain_id, block.node), did(chain_id, block.verifier));
    let (package, processing) = (urn("package", id), urn("processing", id));
    origins.extend([
        json!({
            "@id": processing,
            "@type": "prov:Activity",
            "label": "selected, ranked, anonymised and sealed",
            "used": [asked, dataset],
            "wasAssociatedWith": node,
            "qualifiedAssociation": {"@type": "prov:Association", "agent": node, "hadPlan": rules},
            "startedAtTime": rfc3339(block.received),
            "endedAtTime": rfc3339(block.sent),
        }),
        json!({
            "@id": package,
            "@type": "prov:Entity",
            "label": "package",
            "value": block.container_hash.to_string(),
            "wasGeneratedBy": processing,
            "wasDerivedFrom": dataset,
            "wasAttributedTo": node,
            "generatedAtTime": rfc3339(block.sent),
        }),
        json!({
            "@id": urn("validation", id),
            "@type": "prov:Activity",
            "label": "measured and signed by the second node",
            "used": [asked, rules],
            "wasInformedBy": processing,
            "wasAssociatedWith": second,
        }),
        json!({
            "@id": urn("block", parent.body.leaf()),
            "@type": "prov:Entity",
            "label": "parent block",
            "wasDerivedFrom": package,
            "wasAttributedTo": node,
        }),
    ]);
    origins
}

/// What was done with it.
fn uses(evidence: &Evidence) -> Vec<Value> {
    let (chain_id, id) = (evidence.subject.chain_id, evidence.subject.package);
    let requestor = did(chain_id, evidence.dossier.request.request.requestor);
    let reports = evidence.dossier.reports.iter().map(|recorded| {
        let report = &recorded.submission.report;
        let actions = Actions(report.actions);
        let violated = evidence.dossier.usage.violations(actions);
        let time = rfc3339(report.time);
        json!({
            "@id": urn("report", format_args!("{id}:{}", report.number)),
            "@type": "prov:Activity",
            "label": if violated.is_empty() {
                names(actions)
            } else {
                format!("{} (violation: {})", names(actions), names(violated))
            },
            "used": urn("package", id),
            "wasAssociatedWith": requestor,
            "startedAtTime": time,
            "endedAtTime": time,
        })
    });
    let deletion = evidence.dossier.deletion.iter().map(|submission| {
        let time = rfc3339(submission.deletion.time);
        json!({
            "@id": urn("deletion", id),
            "@type": "prov:Activity",
            "label": "deleted, by the requestor's word",
            "used": urn("package", id),
            "wasAssociatedWith": requestor,
            "startedAtTime": time,
            "endedAtTime": time,
        })
    });
    reports.chain(deletion).collect()
}

pub(super) fn names(actions: Actions) -> String {
    let names: Vec<_> = actions.iter().map(|action| action.name()).collect();
    names.join(", ")
}

pub(super) fn parent(evidence: &Evidence) -> Option<ParentBlock> {
    ParentBlock::from_bytes(&evidence.blocks.parent).ok()
}
