//! Messages, form, report body and package against `test/vectors/package.json`, which Python made from the SPEC.

use std::io::{Cursor, Read};

use alloy_primitives::{Address, B256};
use alloy_sol_types::SolStruct;
use medshare_protocol::certificate::{
    CertificateError, MAX_CERTIFICATE_BYTES, SignedCertificate, certification,
};
use medshare_protocol::digest::{sha256, sha256d};
use medshare_protocol::form::{Step, form_digest};
use medshare_protocol::id::{PackageId, PayloadHash};
use medshare_protocol::package::{
    CHUNK_BYTES, PayloadCipher, SignedHeader, TAG_BYTES, write_container,
};
use medshare_protocol::report::{ReportBody, body_hash};
use medshare_protocol::seal::{self, DataKey, SealedFor, SealingSecret, Share};
use medshare_protocol::typed::{
    AccessRequest, Deletion, Disclosure, Domain, OutputDecision, PeerMessage, Receipt,
    Registration, Renewal, Report, Selection, Session, SessionEnd, Usage, Validation,
};
use serde_json::Value;

use crate::vectors;

const TIME: u64 = 1_700_000_000_000;

fn domain(vector: &Value) -> Domain {
    Domain::new(
        vectors::number(vector, "chain_id"),
        vectors::parsed(vector, "contract"),
    )
}

fn request(vector: &Value) -> AccessRequest {
    let request = &vector["request"];
    let selection = &request["selection"];
    AccessRequest {
        requestor: vectors::parsed(request, "requestor"),
        custodian: vectors::parsed(request, "custodian"),
        dataset: vectors::parsed(request, "dataset"),
        purpose: vectors::parsed(request, "purpose"),
        selection: Selection {
            fields: serde_json::from_value(selection["fields"].clone()).unwrap(),
            filter: selection["filter"].as_str().unwrap().to_owned(),
        },
        salt: vectors::parsed(request, "salt"),
        deadline: vectors::number(request, "deadline"),
    }
}

fn secret(value: &Value, key: &str) -> SealingSecret {
    SealingSecret::from_bytes(vectors::bytes(value, key).try_into().unwrap())
}

#[test]
fn every_message_has_the_digest_of_the_vectors() {
    let vector = vectors::read("package.json");
    let (domain, request) = (domain(&vector), request(&vector));
    let package = domain.package_id(&request).0;
    let usage: Usage = serde_json::from_value(vector["usage"].clone()).unwrap();
    let (owner, requestor) = (request.custodian, request.requestor);
    let sealed = vectors::bytes(&vector["report"], "sealed_body");
    let report = Report {
        package,
        number: 1,
        previous: B256::ZERO,
        actions: 0x40,
        time: TIME,
        body: body_hash(&sealed),
    };
    let validation = Validation {
        package,
        payloadHash: vectors::parsed(&vector["package"], "payload_hash"),
        formDigest: vectors::parsed(&vector["form"], "digest"),
        sensitivity: 1,
        usage: usage.eip712_hash_struct(),
        deadline: TIME,
    };
    let registration = Registration {
        requestor,
        sealingKey: secret(&vector["package"], "requestor_secret").public(),
        class: 2,
        credential: B256::repeat_byte(3),
        nonce: alloy_primitives::U256::ZERO,
        deadline: TIME,
    };
    let receipt = Receipt {
        package,
        number: 1,
        report: domain.digest(&report),
        received: TIME,
        leaseSeconds: 60,
    };
    let peer = PeerMessage {
        sender: owner,
        recipient: requestor,
        content: B256::ZERO,
        deadline: TIME,
    };
    for (name, digest) in [
        ("AccessRequest", package),
        ("Usage (hashStruct)", usage.eip712_hash_struct()),
        ("Report", domain.digest(&report)),
        (
            "Certification",
            domain.digest(&certification(
                PackageId(package),
                PayloadHash(validation.payloadHash),
                certificate(&vector).content(),
            )),
        ),
        (
            "Disclosure",
            domain.digest(&Disclosure {
                package,
                deadline: TIME,
            }),
        ),
        (
            "Deletion",
            domain.digest(&Deletion {
                package,
                time: TIME,
            }),
        ),
        (
            "Session",
            domain.digest(&Session {
                package,
                key: owner,
                expiry: TIME,
            }),
        ),
        (
            "Renewal",
            domain.digest(&Renewal {
                package,
                number: 1,
                time: TIME,
            }),
        ),
        (
            "SessionEnd",
            domain.digest(&SessionEnd {
                package,
                number: 1,
                time: TIME,
            }),
        ),
        (
            "OutputDecision",
            domain.digest(&OutputDecision {
                package,
                number: 2,
                output: B256::repeat_byte(4),
                released: false,
                reason: "too few persons in a cell".into(),
                time: TIME,
            }),
        ),
        ("Receipt", domain.digest(&receipt)),
        ("PeerMessage", domain.digest(&peer)),
        ("Registration", domain.digest(&registration)),
        ("Validation", domain.digest(&validation)),
    ] {
        assert_eq!(
            digest,
            vectors::parsed::<B256>(&vector["digests"], name),
            "{name}"
        );
    }
    assert_eq!(vector["digests"].as_object().unwrap().len(), 14);
    let signature = vectors::bytes(&vector["report"], "receipt_signature");
    let node = vectors::address_of(&vectors::bytes(&vector, "node_key"));
    assert!(domain.is_signed_by(&receipt, &signature, node));
}

fn certificate(vector: &Value) -> SignedCertificate {
    let made = &vector["certificate"];
    SignedCertificate {
        text: made["text"].as_str().unwrap().to_owned(),
        signature: vectors::bytes(made, "signature").into(),
    }
}

#[test]
fn the_certificate_is_read_as_it_was_signed() {
    let vector = vectors::read("package.json");
    let (domain, made) = (domain(&vector), certificate(&vector));
    let package = domain.package_id(&request(&vector));
    let payload = PayloadHash(vectors::parsed(&vector["package"], "payload_hash"));
    let node: Address = vectors::parsed(&vector["certificate"], "second_node");
    let read = made.open(&domain, package, payload, node).unwrap();
    assert_eq!(
        (read.version, read.promised_k, read.k, read.rows),
        (1, 5, 9000, 9000)
    );
    // The text that Python wrote is Rust's own spelling, too.
    assert_eq!(read.to_text(), made.text);
}

#[test]
fn a_certificate_of_something_else_is_refused() {
    let vector = vectors::read("package.json");
    let (domain, made) = (domain(&vector), certificate(&vector));
    let package = domain.package_id(&request(&vector));
    let payload = PayloadHash(vectors::parsed(&vector["package"], "payload_hash"));
    let node: Address = vectors::parsed(&vector["certificate"], "second_node");

    let other = B256::repeat_byte(9);
    for (package, payload) in [(PackageId(other), payload), (package, PayloadHash(other))] {
        let refused = made.open(&domain, package, payload, node).unwrap_err();
        assert!(matches!(refused, CertificateError::OfAnother { .. }));
    }
    let stranger = vectors::address_of(&vectors::bytes(&vector, "node_key"));
    assert_eq!(
        made.open(&domain, package, payload, stranger),
        Err(CertificateError::Unsigned(stranger))
    );
    let elsewhere = Domain::new(1, vectors::parsed(&vector, "contract"));
    assert_eq!(
        made.open(&elsewhere, package, payload, node),
        Err(CertificateError::Unsigned(node))
    );

    for at in 0..made.text.len() {
        let mut text = made.text.clone().into_bytes();
        text[at] ^= 1;
        let changed = SignedCertificate {
            text: String::from_utf8(text).unwrap(),
            signature: made.signature.clone(),
        };
        let read = changed.open(&domain, package, payload, node);
        assert!(read.is_err(), "byte {at}: {}", changed.text);
    }

    let text = |text: String| SignedCertificate {
        text,
        signature: made.signature.clone(),
    };
    let longer = " ".repeat(MAX_CERTIFICATE_BYTES + 1 - made.text.len());
    for (changed, why) in [
        (made.text.replacen(":1,", ":2,", 1), "its version is 2"),
        (made.text.replacen(":1,", ":0,", 1), "its version is 0"),
        (format!("{}{longer}", made.text), "over 65536 bytes"),
        (String::new(), "EOF"),
        (made.text.replacen("\"rows\":9000,", "", 1), "rows"),
    ] {
        let refused = text(changed)
            .open(&domain, package, payload, node)
            .unwrap_err();
        assert!(
            matches!(&refused, CertificateError::Unreadable(reason) if reason.contains(why)),
            "{refused}"
        );
    }
    // As long as may be it is read, and then the signature is of another text.
    let longest = format!("{}{}", made.text, &longer[1..]);
    assert_eq!(
        text(longest).open(&domain, package, payload, node),
        Err(CertificateError::Unsigned(node))
    );
}

#[test]
fn the_request_is_signed_by_its_requestor() {
    let vector = vectors::read("package.json");
    let request = request(&vector);
    let signature = vectors::bytes(&vector["request"], "signature");
    assert!(domain(&vector).is_signed_by(&request, &signature, request.requestor));
    assert!(!domain(&vector).is_signed_by(&request, &signature, request.custodian));
}

#[test]
fn the_form_has_the_digest_of_the_vectors() {
    let vector = vectors::read("package.json");
    let steps: Vec<Step> = vector["form"]["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| {
            let encoded = alloy_primitives::hex::decode(step.as_str().unwrap()).unwrap();
            let step = Step::from_bytes(&encoded).unwrap();
            assert_eq!(step.to_bytes(), encoded);
            step
        })
        .collect();
    assert_eq!(
        form_digest(&steps).0,
        vectors::parsed::<B256>(&vector["form"], "digest")
    );
    let purpose = "DUO:0000042".parse().unwrap();
    let requestor: Address = vectors::parsed(&vector["request"], "requestor");
    let first = medshare_protocol::form::received(TIME, steps[0].node, requestor, purpose);
    assert_eq!(steps[0], first);
    assert_eq!(
        steps[1],
        medshare_protocol::form::retrieved(TIME + 7, steps[1].node)
    );
}

#[test]
fn the_report_body_opens_with_the_contract_secret() {
    let vector = vectors::read("package.json");
    let package = domain(&vector).package_id(&request(&vector));
    let sealed = vectors::bytes(&vector["report"], "sealed_body");
    let contract = secret(&vector["report"], "contract_secret");
    let body = ReportBody::open(&sealed, &contract, package, 1).unwrap();
    assert_eq!(body.comment, vector["report"]["comment"].as_str().unwrap());
    assert_eq!(body.file.as_deref(), Some("data.csv"));
    assert_eq!(body.ranges, [(0, 100)]);
    assert_eq!(body.program.as_deref(), Some("cat"));
    let account = vectors::bytes(&vector["report"], "account");
    let body = ReportBody::from_bytes(&account).unwrap();
    assert_eq!(body.ranges, [(0, 65_536), (131_072, 131_584)]);
    assert_eq!(body.counts, [(0, 25), (1, 1)].into());
    let [output] = body.outputs.as_slice() else {
        panic!("{body:?}");
    };
    let rest = (output.path.as_str(), output.size, output.input_rows);
    assert_eq!(rest, ("result.csv", 13, 0));
    assert_eq!(body.to_bytes(), account);
}

/// The key of a container's payload, from the shares in its header and in the vectors; nothing when one does not open.
fn key(vector: &Value, header: &SignedHeader) -> Option<DataKey> {
    let requestor = secret(&vector["package"], "requestor_secret");
    let package = PackageId(header.header.package);
    let context = seal::share_context(package, header.header.requestor);
    let open = |purpose, sealed: &[u8]| {
        let share = seal::open(&requestor, purpose, &context, sealed).ok()?;
        Share::from_slice(&share).ok()
    };
    let own = open(SealedFor::RequestorShare, &header.header.sealed_share)?;
    let sealed = vectors::bytes(&vector["package"], "sealed_custodian_share");
    let custodian = open(SealedFor::CustodianShare, &sealed)?;
    Some(DataKey::derive(&header.bytes, &own, &custodian))
}

/// The payload of a container that is the vectors' requestor's; nothing when anything is wrong with it.
pub fn opened(vector: &Value, container: &mut impl Read) -> Option<Vec<u8>> {
    let header = SignedHeader::read(container).ok()?;
    let key = key(vector, &header)?;
    let cipher = PayloadCipher::new(&key, header.header.payload_length).ok()?;
    let opened = cipher.decrypt_all(&header, container).ok()?;
    Some(opened.to_vec())
}

fn payload(vector: &Value) -> String {
    let made = &vector["package"];
    let line = made["payload_line"].as_str().unwrap();
    let lines: usize = vectors::number(made, "payload_lines");
    format!("age,sex\n{}", format!("{line}\n").repeat(lines))
}

/// The container of the vectors.
pub fn container(vector: &Value) -> Vec<u8> {
    let head = vectors::bytes(&vector["package"], "container_head");
    let header = SignedHeader::read(&mut Cursor::new(&head)).unwrap();
    let key = key(vector, &header).unwrap();
    let mut container = Vec::new();
    let mut payload = Cursor::new(payload(vector));
    let hash = write_container(&header, &key, &mut payload, &mut container).unwrap();
    assert_eq!(hash.0, sha256d(&[&container]));
    container
}

/// Header, shares, key schedule and every chunk: the container that Rust writes is Python's to the byte.
#[test]
fn the_package_is_the_one_of_the_vectors() {
    let vector = vectors::read("package.json");
    let made = &vector["package"];
    let head = vectors::bytes(made, "container_head");
    let header = SignedHeader::read(&mut Cursor::new(&head)).unwrap();
    assert_eq!(header.to_bytes(), head);
    assert_eq!(
        sha256(&[&header.bytes]),
        vectors::parsed::<B256>(made, "header_sha256")
    );
    assert_eq!(header.header.domain(), domain(&vector));

    let container = container(&vector);
    let chunks: Vec<String> = container[head.len()..]
        .chunks(CHUNK_BYTES + TAG_BYTES)
        .map(|chunk| format!("{:?}", sha256(&[chunk])))
        .collect();
    assert_eq!(serde_json::json!(chunks), made["chunks"]);
    assert_eq!(
        sha256d(&[&container]),
        vectors::parsed::<B256>(made, "container_hash")
    );
    let opened = opened(&vector, &mut Cursor::new(&container)).unwrap();
    assert_eq!(opened, payload(&vector).as_bytes());
}
