//! What a node holds about a package, to those whom it concerns and nobody else.

use alloy_primitives::Address;
use medshare_chain::PrivateKeySigner;
use medshare_node::NodeError;
use medshare_protocol::digest::sha256d;
use medshare_protocol::form::form_digest;
use medshare_protocol::id::{PackageId, PayloadHash};
use medshare_protocol::typed::Disclosure;
use medshare_protocol::usage::Action;
use medshare_protocol::wire::{Dossier, SignedDisclosure};

use crate::cluster::Cluster;
use crate::requestor::{MINUTE_MS, Requestor, now};

fn asked_by(
    signer: &PrivateKeySigner,
    cluster: &Cluster,
    disclosure: Disclosure,
) -> SignedDisclosure {
    let signature = cluster
        .governance
        .domain()
        .sign(&disclosure, signer)
        .unwrap();
    SignedDisclosure {
        disclosure,
        signature: signature.to_vec().into(),
        reports_from: 0,
    }
}

fn about(id: PackageId) -> Disclosure {
    Disclosure {
        package: id.0,
        deadline: now() + MINUTE_MS,
    }
}

async fn refusal(cluster: &Cluster, id: PackageId, asked: SignedDisclosure) -> String {
    let error = cluster.node(0).dossier(id, asked).await.unwrap_err();
    assert!(matches!(error, NodeError::Refused { .. }), "{error:?}");
    error.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn requestor_and_custodian_get_the_dossier_and_it_holds_together() {
    let cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    let id = requestor.obtain(&cluster).await;
    let node = cluster.node(0);
    let mut session = requestor.session(id);
    for action in [Action::Decrypt, Action::Read] {
        session.report(&node, action).await.unwrap();
    }
    let asked = asked_by(&requestor.wallet, &cluster, about(id));
    let dossier: Dossier = node.dossier(id, asked.clone()).await.unwrap();
    let custodian = &cluster.anvil.keys[1];
    let same = node
        .dossier(id, asked_by(custodian, &cluster, about(id)))
        .await
        .unwrap();
    assert_eq!(same, dossier);

    let domain = cluster.governance.domain();
    assert_eq!(domain.package_id(&dossier.request.request), id);
    let second = cluster.node(1).info().node;
    assert_eq!(dossier.verifier, second);
    let said = &dossier.validation.validation;
    assert!(domain.is_signed_by(said, &dossier.validation.signature, second));
    let payload_hash = PayloadHash(said.payloadHash);
    let certificate = &dossier.validation.certificate;
    let measured = certificate.open(domain, id, payload_hash, second).unwrap();
    assert!(
        measured.k >= measured.promised_k && measured.rows > 0,
        "{measured:?}"
    );
    assert!(
        measured.identifiers.is_empty() && !measured.reasons.is_empty(),
        "{measured:?}"
    );
    // Of this k an attacker finds nobody with a greater chance (SPEC §6.1).
    let risks = measured.risks.as_ref().unwrap();
    let highest = f64::from(risks.prosecutor_highest);
    assert!(
        (highest * measured.k as f64 - 1.0).abs() < 1e-9,
        "{measured:?}"
    );
    let expected = f64::from(measured.linkage.as_ref().unwrap().expected);
    let chance = measured.classes as f64 / measured.rows as f64;
    assert!((expected - chance).abs() < 1e-9, "{measured:?}");
    let letters = measured.safe_harbor.iter().flatten();
    let letters: String = letters.map(|line| line.letter).collect();
    assert_eq!(letters, "ABCDEFGHIJKLMNOPQR");
    let sensitive = measured.sensitive.as_deref().unwrap();
    assert!(!sensitive.is_empty());
    assert!(sensitive.iter().all(|column| column.distinct_l >= 1));
    let named = dossier
        .form
        .iter()
        .find(|step| step.action == "validated")
        .unwrap();
    let content = certificate.content().to_string();
    assert!(
        named
            .details
            .iter()
            .any(|detail| detail.name == "certificate" && detail.value == content)
    );
    let seen = dossier
        .form
        .iter()
        .take_while(|step| step.action != "validated");
    assert_eq!(
        form_digest(&seen.cloned().collect::<Vec<_>>()).0,
        said.formDigest
    );

    assert_eq!(dossier.reports.len(), 2);
    for (number, recorded) in (1..).zip(&dossier.reports) {
        let report = &recorded.submission.report;
        assert_eq!(report.number, number);
        let key = recorded.submission.session.key;
        assert!(domain.is_signed_by(report, &recorded.submission.signature, key));
        assert_eq!(sha256d(&[&recorded.submission.body]), report.body);
        assert!(domain.is_signed_by(
            &recorded.receipt,
            &recorded.receipt_signature,
            node.info().node
        ));
    }
    let later = SignedDisclosure {
        reports_from: 2,
        ..asked
    };
    let page = node.dossier(id, later).await.unwrap().reports;
    assert_eq!(page, dossier.reports[1..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_gets_it() {
    let cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    let id = requestor.obtain(&cluster).await;
    let only = format!("only the requestor {}", requestor.address());
    for stranger in [PrivateKeySigner::random(), cluster.anvil.keys[2].clone()] {
        let said = refusal(&cluster, id, asked_by(&stranger, &cluster, about(id))).await;
        assert!(said.contains(&only), "{said}");
    }
    let mut forged = asked_by(&requestor.wallet, &cluster, about(id));
    forged.disclosure.deadline += 1;
    assert!(refusal(&cluster, id, forged).await.contains(&only));
    let late = Disclosure {
        deadline: now() - 1,
        ..about(id)
    };
    let said = refusal(&cluster, id, asked_by(&requestor.wallet, &cluster, late)).await;
    assert!(said.contains("has passed"), "{said}");
    let endless = Disclosure {
        deadline: u64::MAX,
        ..about(id)
    };
    let said = refusal(&cluster, id, asked_by(&requestor.wallet, &cluster, endless)).await;
    assert!(said.contains("24 hours"), "{said}");
    let other = PackageId(Address::repeat_byte(1).into_word());
    let asked = asked_by(&requestor.wallet, &cluster, about(other));
    let error = cluster
        .node(0)
        .dossier(id, asked.clone())
        .await
        .unwrap_err();
    assert!(matches!(error, NodeError::BadRequest(_)), "{error:?}");
    let error = cluster
        .node(0)
        .dossier(other, asked.clone())
        .await
        .unwrap_err();
    assert!(matches!(error, NodeError::NotFound(_)), "{error:?}");
    // The second node keeps nothing of it.
    let asked = asked_by(&requestor.wallet, &cluster, about(id));
    let error = cluster.node(1).dossier(id, asked).await.unwrap_err();
    assert!(matches!(error, NodeError::NotFound(_)), "{error:?}");
}
