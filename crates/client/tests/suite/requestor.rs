//! P1, P2: registering and asking.

use std::time::Duration;

use alloy_primitives::{Address, B256, U256};
use medshare_client::api::ApiError;
use medshare_client::requestor::{Ask, RequestError};
use medshare_protocol::form::Step;
use medshare_protocol::id::{DatasetId, PackageId};
use medshare_protocol::seal::SealingSecret;
use medshare_protocol::typed::Selection;
use medshare_protocol::wire::{Class, RequestStatus, SignedRequest, Stage as How};

use crate::stage::{BEGINNING_MS, CUSTODIAN, Stage, domain};

fn ask() -> Ask {
    Ask {
        custodian: CUSTODIAN,
        dataset: DatasetId::of_name("patients"),
        purpose: "HRESCH".parse().unwrap(),
        selection: Selection {
            fields: vec!["age".into()],
            filter: String::new(),
        },
    }
}

fn status(id: PackageId, steps: usize, stage: How) -> RequestStatus {
    let form = (0..steps)
        .map(|step| Step::new(step as u64, Address::ZERO, "received"))
        .collect();
    RequestStatus {
        id,
        stage,
        reason: None,
        form,
        package: None,
    }
}

/// A signed request, and a node that will answer it with `statuses`.
fn asked(stage: &Stage, statuses: &[(usize, How)]) -> (SignedRequest, PackageId) {
    let signed = stage.requestor.sign_request(&ask()).unwrap();
    let id = stage.requestor.package_id(&signed.request);
    stage.node.script().statuses = statuses
        .iter()
        .map(|(steps, how)| status(id, *steps, *how))
        .collect();
    (signed, id)
}

#[tokio::test]
async fn a_registration_is_signed_for_the_nonce_that_is_due() {
    let stage = Stage::granting(&[]).await;
    let credential = B256::repeat_byte(6);
    stage
        .requestor
        .register(Class::University, credential)
        .await
        .unwrap();
    let seen = stage.node.seen();
    let sent = &seen.registrations[0];
    assert!(domain().is_signed_by(
        &sent.registration,
        &sent.signature,
        stage.requestor.address()
    ));
    assert_eq!(sent.registration.nonce, U256::from(3));
    assert_eq!(
        sent.registration.sealingKey,
        stage.requestor.sealing.public()
    );
    assert_eq!(
        (sent.registration.class, sent.registration.credential),
        (1, credential)
    );
    assert!(sent.registration.deadline > BEGINNING_MS);
}

#[tokio::test]
async fn no_two_requests_are_the_same_and_each_is_signed() {
    let stage = Stage::granting(&[]).await;
    let first = stage.requestor.sign_request(&ask()).unwrap();
    let second = stage.requestor.sign_request(&ask()).unwrap();
    assert_ne!(
        stage.requestor.package_id(&first.request),
        stage.requestor.package_id(&second.request)
    );
    assert!(domain().is_signed_by(&first.request, &first.signature, stage.requestor.address()));
    assert!(!domain().is_signed_by(&second.request, &first.signature, stage.requestor.address()));
    let day_ms = 24 * 3_600_000;
    assert!((BEGINNING_MS..BEGINNING_MS + day_ms).contains(&first.request.deadline));
}

#[tokio::test]
async fn waiting_tells_each_step_and_ends_with_the_package() {
    let stage = Stage::granting(&[]).await;
    let (signed, id) = asked(
        &stage,
        &[(1, How::Received), (3, How::Validated), (5, How::Ready)],
    );
    stage.requestor.submit(&signed).await.unwrap();
    assert_eq!(stage.node.seen().requests, [signed]);
    stage.node.script().statuses.last_mut().unwrap().package = Some(stage.node.ready());
    let mut told = Vec::new();
    let patience = Duration::from_secs(60);
    let ready = stage
        .requestor
        .wait(id, patience, |now| told.push(now.stage))
        .await
        .unwrap();
    assert_eq!(ready, stage.node.ready());
    assert_eq!(told, [How::Received, How::Validated, How::Ready]);
}

#[tokio::test]
async fn a_node_that_is_away_for_a_while_is_waited_for() {
    let stage = Stage::granting(&[]).await;
    let (_, id) = asked(&stage, &[(2, How::Ready)]);
    stage.node.script().statuses[0].package = Some(stage.node.ready());
    // More than one call tries by itself.
    stage.node.script().busy = 7;
    let patience = Duration::from_secs(60);
    stage.requestor.wait(id, patience, |_| ()).await.unwrap();
    assert_eq!(stage.node.seen().calls, 8);
}

#[tokio::test]
async fn a_refusal_carries_the_node_s_reason() {
    let stage = Stage::granting(&[]).await;
    let (signed, id) = asked(&stage, &[(1, How::Refused)]);
    stage.node.script().statuses[0].reason = Some("the purpose is not allowed".into());
    let refused = stage.requestor.submit(&signed).await.unwrap_err();
    assert!(matches!(&refused, RequestError::Refused(why) if why == "the purpose is not allowed"));
    let refused = stage
        .requestor
        .wait(id, Duration::ZERO, |_| ())
        .await
        .unwrap_err();
    assert!(matches!(refused, RequestError::Refused(_)));
}

#[tokio::test]
async fn patience_ends_and_the_request_goes_on_without_us() {
    let stage = Stage::granting(&[]).await;
    let (_, id) = asked(&stage, &[(2, How::Authenticated)]);
    let stopped = stage
        .requestor
        .wait(id, Duration::ZERO, |_| ())
        .await
        .unwrap_err();
    assert!(matches!(
        stopped,
        RequestError::NotReady {
            stage: How::Authenticated,
            ..
        }
    ));
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_with_the_same_request() {
    let stage = Stage::granting(&[]).await;
    let (signed, _) = asked(&stage, &[(1, How::Received)]);
    stage.node.script().lost_answers = 3;
    let status = stage.requestor.submit(&signed).await.unwrap();
    assert_eq!(status.stage, How::Received);
    assert_eq!(stage.node.seen().requests, [&signed; 4].map(Clone::clone));
}

#[tokio::test]
async fn a_request_without_any_answer_may_be_recorded_and_says_how_to_ask() {
    let stage = Stage::granting(&[]).await;
    let (signed, id) = asked(&stage, &[(1, How::Received)]);
    stage.node.script().lost_answers = u32::MAX;
    let lost = stage.requestor.submit(&signed).await.unwrap_err();
    assert!(
        matches!(&lost, RequestError::Api(ApiError::Unconfirmed { id: of, .. }) if *of == id),
        "{lost}"
    );
    let said = lost.to_string();
    assert!(said.contains("may have been recorded"), "{said}");
    assert!(said.contains(&format!("`medshare status {id}`")), "{said}");
    assert!(
        stage
            .node
            .seen()
            .requests
            .iter()
            .all(|sent| *sent == signed)
    );
}

#[tokio::test]
async fn an_answer_for_another_request_is_not_taken() {
    let stage = Stage::granting(&[]).await;
    let (signed, _) = asked(&stage, &[(1, How::Received)]);
    stage.node.script().statuses[0].id = PackageId(B256::ZERO);
    let refused = stage.requestor.submit(&signed).await.unwrap_err();
    assert!(
        matches!(refused, RequestError::AnotherRequest { .. }),
        "{refused}"
    );
}

#[tokio::test]
async fn what_would_be_refused_anyway_is_told_before_it_is_sent() {
    let mut stage = Stage::granting(&[]).await;
    let (signed, _) = asked(&stage, &[(1, How::Received)]);
    stage
        .ledger
        .tell(|told| told.requestor.as_mut().unwrap().suspended = true);
    let submitted = stage.requestor.submit(&signed).await;
    assert!(matches!(submitted, Err(RequestError::Suspended(_))));
    stage
        .ledger
        .tell(|told| told.requestor.as_mut().unwrap().suspended = false);
    let sealing = stage.requestor.sealing.clone();
    stage.requestor.sealing = SealingSecret::generate().unwrap();
    let submitted = stage.requestor.submit(&signed).await;
    assert!(matches!(
        submitted,
        Err(RequestError::OtherSealingKey { .. })
    ));
    stage.requestor.sealing = sealing;
    stage.ledger.tell(|told| told.requestor = None);
    let submitted = stage.requestor.submit(&signed).await;
    assert!(matches!(submitted, Err(RequestError::NotRegistered(_))));
    stage.node.script().info.contract = Address::repeat_byte(0xee);
    for refused in [
        stage.requestor.submit(&signed).await.unwrap_err(),
        stage
            .requestor
            .register(Class::Other, B256::ZERO)
            .await
            .unwrap_err(),
    ] {
        assert!(
            matches!(refused, RequestError::OtherDeployment { .. }),
            "{refused}"
        );
    }
    assert!(stage.node.seen().requests.is_empty() && stage.node.seen().registrations.is_empty());
}
