//! What was signed before the package was issued: request, usage contract, and the second node's word.

use medshare_protocol::typed::{AccessRequest, Validation};

use super::{Change, Changes, OTHER, SOUND, assert_each, assert_flaws, keys};

#[test]
fn the_request_is_the_requestors_for_this_package() {
    let fields: [(Change<AccessRequest>, &str); 3] = [
        (
            |request| request.requestor = keys::stranger().address(),
            "requestor",
        ),
        (
            |request| request.custodian = keys::stranger().address(),
            "custodian",
        ),
        (|request| request.dataset = OTHER, "dataset"),
    ];
    for (request, expected) in fields {
        let expected = format!("request.json: the {expected} is");
        assert_flaws(&Changes { request, ..SOUND }, &[&expected]);
    }
    assert_each(&[
        (
            Changes {
                evidence: |evidence| evidence.dossier.request.request.salt = OTHER,
                ..SOUND
            },
            "request.json: the request's digest is",
        ),
        (
            Changes {
                forged: &["AccessRequest"],
                ..SOUND
            },
            "request.json: the requestor's signature does not hold",
        ),
    ]);
}

#[test]
fn the_usage_contract_is_the_one_that_the_contract_held() {
    let changes = Changes {
        held: |held| held.status.usage.as_mut().unwrap().expiry += 1,
        ..SOUND
    };
    assert_flaws(&changes, &["usage.json: the usage contract is"]);
}

#[test]
fn the_second_node_signed_for_this_very_work() {
    let fields: [(Change<Validation>, &str); 4] = [
        (|said| said.package = OTHER, "package"),
        (|said| said.payloadHash = OTHER, "payload hash"),
        (|said| said.usage = OTHER, "usage contract's hash"),
        (|said| said.sensitivity = 0, "sensitivity"),
    ];
    for (validation, expected) in fields {
        let expected = format!("validation.json: the {expected} is");
        assert_flaws(
            &Changes {
                validation,
                ..SOUND
            },
            &[&expected],
        );
    }
    let forged = Changes {
        forged: &["Validation"],
        ..SOUND
    };
    assert_flaws(
        &forged,
        &["validation.json: it is not signed by the second node"],
    );
}

#[test]
fn the_certificate_is_of_this_payload_and_signed_by_the_second_node() {
    assert_each(&[
        (
            Changes {
                certificate: |certificate| certificate.package.0 = OTHER,
                ..SOUND
            },
            "validation.json: the certificate is about the package",
        ),
        (
            Changes {
                certificate: |certificate| certificate.payload_hash.0 = OTHER,
                ..SOUND
            },
            "validation.json: the certificate is about the package",
        ),
        (
            Changes {
                forged: &["Certification"],
                ..SOUND
            },
            "validation.json: the certificate is not signed by the second node",
        ),
    ]);
}
