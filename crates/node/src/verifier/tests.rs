#![allow(clippy::unwrap_used)]

use std::path::Path;

use super::*;
use crate::descriptor::{Dataset, public_bytes};
use alloy_primitives::Bytes;
use medshare_anonymiser::{Table, anonymise};
use medshare_protocol::digest::sha256;
use medshare_protocol::form::{self, Step};
use medshare_protocol::package::payload_hash;
use medshare_protocol::typed::{AccessRequest, Selection};
use medshare_protocol::usage::{Action, Actions, Environment, UsageContract};
use medshare_protocol::wire::{PublicDescriptor, SignedRequest};

const NOW: u64 = 1_700_000_000_000;
const DAY_MS: u64 = 86_400_000;
const SENDER: Address = Address::repeat_byte(1);
const CUSTODIAN: Address = Address::repeat_byte(2);
const REQUESTOR: Address = Address::repeat_byte(3);

fn dataset() -> Dataset {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    Dataset::load(&examples.join("dataset.toml")).unwrap()
}

fn step(time: u64, action: &str) -> Step {
    Step::new(time, SENDER, action)
}

fn form() -> Vec<Step> {
    let purpose = "HRESCH".parse().unwrap();
    vec![
        form::received(NOW - 100, SENDER, REQUESTOR, purpose),
        step(NOW - 90, "authenticated"),
        form::retrieved(NOW - 80, SENDER),
        step(NOW - 70, "ranked"),
        step(NOW - 60, "anonymised"),
        step(NOW - 50, "contract-generated"),
    ]
}

/// The custodian has published that a class tells of two diagnoses at least.
fn promise(request: &mut ValidationRequest, facts: &mut Facts) {
    let mut descriptor: PublicDescriptor =
        serde_json::from_slice(&request.descriptor_bytes).unwrap();
    descriptor.columns[4].models =
        vec![serde_json::json!({"model": "distinct-l-diversity", "l": 2})];
    request.descriptor_bytes = public_bytes(&descriptor);
    facts.published.as_mut().unwrap().descriptor = sha256(&[&request.descriptor_bytes]);
}

/// Good work over the example dataset.
fn good() -> (ValidationRequest, Facts) {
    let dataset = dataset();
    let raw = Table::from_csv(&std::fs::read(dataset.source.file()).unwrap(), b',').unwrap();
    let payload = anonymise(&raw, &dataset.plan, &[7; 32])
        .unwrap()
        .table
        .to_csv();
    let purpose: medshare_protocol::purpose::Purpose = "HRESCH".parse().unwrap();
    let request = ValidationRequest {
        signed_request: SignedRequest {
            request: AccessRequest {
                requestor: REQUESTOR,
                custodian: CUSTODIAN,
                dataset: dataset.id.0,
                purpose: purpose.bytes(),
                selection: Selection::default(),
                salt: B256::repeat_byte(7),
                deadline: NOW + 1_000,
            },
            signature: Bytes::new(),
        },
        descriptor_bytes: dataset.descriptor_bytes.clone(),
        form: form(),
        payload,
        payload_salt: B256::repeat_byte(8),
        usage: UsageContract {
            sensitivity: Sensitivity::High,
            granted: dataset.usage.granted,
            exempt: dataset.usage.exempt,
            environment: dataset.usage.environment,
            expiry: NOW + 30 * DAY_MS,
            contract_key: B256::repeat_byte(9),
        },
        release_version: B256::ZERO,
    };
    let facts = Facts {
        domain: Domain::new(31_337, Address::repeat_byte(9)),
        sender: SENDER,
        sender_custodian: Some(CUSTODIAN),
        published: Some(DatasetRecord {
            descriptor: dataset.descriptor_hash,
            purposes: dataset
                .purposes
                .iter()
                .map(|purpose| purpose.bytes())
                .collect(),
            responses: dataset.responses,
        }),
        signature_holds: true,
        time: NOW,
    };
    (request, facts)
}

#[test]
fn good_work_is_measured_and_taken() {
    let (request, facts) = good();
    let checked = check(&request, &facts).unwrap();
    assert!(checked.measures.k >= 2, "{:?}", checked.measures);
    assert_eq!(checked.sensitivity, Sensitivity::High);
    assert_eq!(
        checked.payload_hash,
        payload_hash(request.payload_salt, &request.payload)
    );
    assert_eq!(checked.form_digest, form::form_digest(&request.form));
    assert_eq!(
        checked.package,
        facts.domain.package_id(&request.signed_request.request)
    );
    assert_eq!(checked.descriptor, dataset().descriptor);
}

#[test]
fn a_selection_of_columns_and_rows_is_taken() {
    let (mut request, facts) = good();
    let selection = &mut request.signed_request.request.selection;
    selection.fields = vec!["weight".into(), "sex".into()];
    selection.filter = r#"{"sex":["f"],"age":["30-39"]}"#.into();
    request.payload = b"sex,weight\nf,61.5\nf,70.2\n".to_vec();
    request.usage.sensitivity = Sensitivity::Low;
    let checked = check(&request, &facts).unwrap();
    assert_eq!((checked.measures.rows, checked.measures.k), (2, 2));
}

type Change = fn(&mut ValidationRequest, &mut Facts);

/// Each kind of bad work, and what its refusal says.
const BAD_WORK: &[(&str, Change)] = &[
    ("not published on chain", |_, facts| facts.published = None),
    ("not the one that is published", |request, _| {
        request.descriptor_bytes.push(b' ')
    }),
    ("is not readable", |request, facts| {
        request.descriptor_bytes = b"{}".to_vec();
        facts.published.as_mut().unwrap().descriptor = medshare_protocol::digest::sha256(&[b"{}"]);
    }),
    ("is no node of it", |_, facts| facts.sender_custodian = None),
    ("is no node of it", |_, facts| {
        facts.sender_custodian = Some(REQUESTOR)
    }),
    ("requestor's signature", |_, facts| {
        facts.signature_holds = false
    }),
    ("deadline has passed", |request, _| {
        request.signed_request.request.deadline = NOW - 1
    }),
    ("no purpose code", |request, _| {
        request.signed_request.request.purpose = B256::repeat_byte(0xff);
    }),
    ("may not be asked for the purpose TREAT", |request, _| {
        let purpose: medshare_protocol::purpose::Purpose = "TREAT".parse().unwrap();
        request.signed_request.request.purpose = purpose.bytes();
    }),
    ("of another dataset", |request, _| {
        request.signed_request.request.dataset = B256::repeat_byte(1);
    }),
    ("lacks the step `ranked`", |request, _| {
        drop(request.form.remove(3))
    }),
    ("lacks the step `retrieved`", |request, _| {
        request.form.swap(1, 2)
    }),
    ("lacks the step `received`", |request, _| {
        request.form.clear()
    }),
    ("not the node that sends the form", |request, _| {
        request.form[4].node = REQUESTOR
    }),
    ("a time before the step in front", |request, _| {
        request.form[4].time = NOW - 95
    }),
    ("steps in the future", |request, _| {
        request.form[5].time = NOW + DAY_MS
    }),
    ("at most 64 are taken", |request, _| {
        request
            .form
            .extend((0..60).map(|_| Step::new(NOW, SENDER, "ranked")));
    }),
    ("hashes in the step `received`", |request, _| {
        request.form[0].details[1].value = B256::ZERO.to_string();
    }),
    ("hashes in the step `retrieved`", |request, _| {
        request.form[2].details.clear()
    }),
    ("hashes in the step `received`", |request, _| {
        request.signed_request.request.requestor = SENDER;
    }),
    (
        "grants read, copy where the dataset's terms have read",
        |request, _| {
            request.usage.granted = request.usage.granted.with(Action::Copy);
        },
    ),
    (
        "exempts read where the dataset's terms have none",
        |request, _| {
            request.usage.exempt = Actions::NONE.with(Action::Read);
        },
    ),
    ("end within 30 days", |request, _| {
        request.usage.expiry = NOW + 31 * DAY_MS
    }),
    ("end within 30 days", |request, _| {
        request.usage.expiry = NOW
    }),
    ("no contract key", |request, _| {
        request.usage.contract_key = B256::ZERO
    }),
    ("the payload is no table", |request, _| {
        request.payload = b"a,b\n1\n".to_vec()
    }),
    ("has no rows", |request, _| {
        let line = request
            .payload
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap();
        request.payload.truncate(line + 1);
    }),
    ("column `name` must not be in the payload", |request, _| {
        request.payload = b"name,sex\nAda,f\nBea,f\n".to_vec();
    }),
    (
        "column `secret` must not be in the payload",
        |request, _| {
            request.payload = b"secret\nx\ny\n".to_vec();
        },
    ),
    ("column `age` was not asked for", |request, _| {
        request.signed_request.request.selection.fields = vec!["sex".into()];
        request.payload = b"sex,age\nf,*\nf,*\n".to_vec();
    }),
    ("column `age` was asked for and is not", |request, _| {
        request.signed_request.request.selection.fields = vec!["sex".into(), "age".into()];
        request.payload = b"sex\nf\nf\n".to_vec();
    }),
    ("2 rows have a value in column `sex`", |request, _| {
        let selection = &mut request.signed_request.request.selection;
        selection.fields = vec!["sex".into()];
        selection.filter = r#"{"sex":["f"]}"#.into();
        request.payload = b"sex\nf\nf\nm\nm\n".to_vec();
    }),
    (
        "the request's filter: the filter is no JSON object",
        |request, _| {
            request.signed_request.request.selection.filter = "sex = f".into();
        },
    ),
    (
        "the smallest class of the payload has 1 rows",
        |request, _| {
            request.signed_request.request.selection.fields = vec!["sex".into()];
            request.payload = b"sex\nf\nf\nm\n".to_vec();
        },
    ),
    (
        "1 class breaks distinct 2-diversity of column `diagnosis`",
        |request, facts| {
            promise(request, facts);
            request.signed_request.request.selection.fields =
                vec!["sex".into(), "diagnosis".into()];
            request.payload = b"sex,diagnosis\nf,E11\nf,I10\nm,E11\nm,E11\n".to_vec();
        },
    ),
    (
        "identifiers are left in the payload: patient_id",
        |request, _| {
            request.signed_request.request.selection.fields = vec!["patient_id".into()];
            request.payload = b"patient_id\nP-0001\nP-0002\n".to_vec();
        },
    ),
    (
        "identifiers are left in the payload: diagnosis: e-mail",
        |request, _| {
            request.signed_request.request.selection.fields = vec!["diagnosis".into()];
            request.payload = b"diagnosis\nask ada@clinic.example\nE11\n".to_vec();
        },
    ),
    ("ranks High, not Low", |request, _| {
        request.usage.sensitivity = Sensitivity::Low
    }),
    ("ranks Low, not High", |request, _| {
        request.signed_request.request.selection.fields = vec!["sex".into()];
        request.payload = b"sex\nf\nf\n".to_vec();
    }),
];

#[test]
fn each_kind_of_bad_work_is_refused_with_its_reason() {
    for (reason, change) in BAD_WORK {
        let (mut request, mut facts) = good();
        change(&mut request, &mut facts);
        let refusal = check(&request, &facts).expect_err(reason);
        assert!(
            refusal.reason.contains(reason),
            "{} lacks: {reason}",
            refusal.reason
        );
        for value in ["Ada", "P-0001", "ada@"] {
            assert!(
                !refusal.reason.contains(value),
                "a value leaked: {}",
                refusal.reason
            );
        }
    }
}

#[test]
fn the_sandbox_cannot_be_left_by_the_usage_contract() {
    let (mut request, mut facts) = good();
    let mut descriptor = dataset().descriptor;
    descriptor.environment = Environment::Sandbox;
    request.descriptor_bytes = crate::descriptor::public_bytes(&descriptor);
    facts.published.as_mut().unwrap().descriptor =
        medshare_protocol::digest::sha256(&[&request.descriptor_bytes]);
    let refusal = check(&request, &facts).unwrap_err();
    assert!(refusal.reason.contains("demand the sandbox"), "{refusal}");
    request.usage.environment = Environment::Sandbox;
    check(&request, &facts).unwrap();
}

#[test]
fn changing_any_bit_of_the_payload_changes_what_is_signed() {
    let (request, facts) = good();
    let hash = check(&request, &facts).unwrap().payload_hash;
    let mut changed = request.clone();
    let digit = changed
        .payload
        .iter()
        .rposition(u8::is_ascii_digit)
        .unwrap();
    changed.payload[digit] ^= 1;
    assert_ne!(check(&changed, &facts).unwrap().payload_hash, hash);
    let mut salted = request;
    salted.payload_salt = B256::ZERO;
    assert_ne!(check(&salted, &facts).unwrap().payload_hash, hash);
}
