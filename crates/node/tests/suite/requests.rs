//! Requests, from being asked to being ready (P2, P4, P11 to P16).

use std::time::Duration;

use alloy_primitives::{B256, Bytes};
use medshare_chain::{Event, PrivateKeySigner};
use medshare_node::{Limits, NodeError, Vouching};
use medshare_protocol::block::{Block, DATA_VERSION_TABULAR};
use medshare_protocol::form::form_digest;
use medshare_protocol::package::SignedHeader;
use medshare_protocol::seal::{self, SealedFor};
use medshare_protocol::typed::{AccessRequest, Domain, Selection};
use medshare_protocol::usage::{Action, Sensitivity};
use medshare_protocol::wire::{SignedRequest, Stage};

use crate::cluster::Cluster;
use crate::requestor::{Requestor, finished, now};

#[tokio::test(flavor = "multi_thread")]
async fn a_request_becomes_a_package_that_only_its_requestor_opens() {
    let cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    let id = requestor.obtain(&cluster).await;
    let node = cluster.node(0);
    let status = node.status(id, 0, Duration::ZERO).await.unwrap();
    let steps: Vec<&str> = status
        .form
        .iter()
        .map(|step| step.action.as_str())
        .collect();
    assert_eq!(
        steps,
        [
            "received",
            "authenticated",
            "retrieved",
            "ranked",
            "anonymised",
            "contract-generated",
            "validated",
            "sealed",
            "issued",
            "ready"
        ]
    );
    let ready = status.package.unwrap();
    let file = node.container(id).await.unwrap();
    let container = std::fs::read(&file.path).unwrap();
    assert_eq!(
        (container.len() as u64, file.length),
        (ready.length, ready.length)
    );

    let mut session = requestor.session(id);
    let answer = session.report(&node, Action::Decrypt).await.unwrap();
    let table = String::from_utf8(requestor.decrypt(&container, &answer)).unwrap();
    assert!(
        table.starts_with("age,sex,diagnosis,code\n"),
        "{}",
        &table[..60]
    );
    assert!(!table.contains("Patient"), "an identifier is left");
    assert!(table.lines().count() > 150);

    let header = SignedHeader::read(&mut container.as_slice())
        .unwrap()
        .header;
    assert_eq!(header.verifier, cluster.custodians[1].key.address());
    assert_eq!(
        (header.node, header.requestor),
        (node.info().node, requestor.address())
    );
    let on_chain = cluster.governance.package(id).await.unwrap();
    assert_eq!(on_chain.usage, header.usage());
    assert_eq!(on_chain.usage.unwrap().sensitivity, Sensitivity::High);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parent_block_says_what_the_form_and_the_event_say() {
    let cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    let id = requestor.obtain(&cluster).await;
    let status = cluster.node(0).status(id, 0, Duration::ZERO).await.unwrap();
    let blocks = cluster.node(0).package_blocks(id).await.unwrap();
    let Block::Parent(block) = Block::from_bytes(&blocks.parent.record).unwrap() else {
        panic!("the parent block is of another kind");
    };
    let transaction = block.body.transaction;
    assert_eq!(block.header.version, DATA_VERSION_TABULAR);
    assert!(block.header.meets_its_target());
    assert_eq!(
        block.header.hash().0,
        cluster
            .governance
            .thread_head(requestor.address())
            .await
            .unwrap()
    );
    assert_eq!(transaction.form_digest, form_digest(&status.form[..8]));
    assert_eq!(block.body.locktime, status.form[7].time);
    assert_eq!(transaction.received, status.form[0].time);
    assert_eq!(blocks.parent.leaf, status.package.unwrap().parent);
    let newest = cluster.governance.block_number().await.unwrap();
    let issued = cluster
        .governance
        .events(0, newest)
        .await
        .unwrap()
        .into_iter()
        .find_map(|logged| match logged.event {
            Event::PackageIssued(issued) => Some(issued),
            _ => None,
        });
    let issued = issued.unwrap();
    assert_eq!(issued.form_digest, form_digest(&status.form[..6]));
    assert_eq!(issued.payload_hash, transaction.payload_hash);
    assert_eq!(issued.verifier, transaction.verifier);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_is_answered_with_the_status_and_makes_no_second_package() {
    let cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    let request = requestor.asks(&cluster);
    let id = requestor.id(&request);
    let (one, two) = tokio::join!(
        async { cluster.node(0).request(request.clone()).await },
        async { cluster.node(0).request(request.clone()).await }
    );
    assert_eq!((one.unwrap().id, two.unwrap().id), (id, id));
    finished(&cluster.node(0), id).await;
    let again = cluster.node(0).request(request).await.unwrap();
    assert_eq!(again.stage, Stage::Ready);
    assert_eq!(
        again
            .form
            .iter()
            .filter(|step| step.action == "issued")
            .count(),
        1
    );
}

/// Each case spoils a good request in one way; the word must be in the reason.
fn spoiled(
    requestor: &Requestor,
    cluster: &Cluster,
) -> Vec<(&'static str, SignedRequest, &'static str)> {
    let access = || requestor.access(cluster.custodians[0].address, cluster.dataset().id);
    let with = |change: fn(&mut AccessRequest)| {
        let mut request = access();
        change(&mut request);
        requestor.sign(request)
    };
    let forged = |signature: Bytes| SignedRequest {
        request: access(),
        signature,
    };
    let stranger = Requestor {
        wallet: PrivateKeySigner::random(),
        ..requestor_like(requestor)
    };
    let elsewhere = Domain::new(1, cluster.contract);
    let foreign = access();
    let foreign_signature = elsewhere
        .sign(&foreign, &requestor.wallet)
        .unwrap()
        .to_vec()
        .into();
    vec![
        ("forged", forged(Bytes::from(vec![1; 65])), "signature"),
        ("empty signature", forged(Bytes::new()), "signature"),
        (
            "foreign chain",
            SignedRequest {
                request: foreign,
                signature: foreign_signature,
            },
            "signature",
        ),
        ("unregistered", stranger.asks(cluster), "not registered"),
        (
            "expired",
            with(|request| request.deadline = now() - 1),
            "passed",
        ),
        (
            "too far ahead",
            with(|request| request.deadline = now() + 25 * 3_600_000),
            "24 hours",
        ),
        (
            "no dataset",
            with(|request| request.dataset = B256::repeat_byte(7)),
            "no dataset",
        ),
        (
            "no purpose",
            with(|request| request.purpose = B256::repeat_byte(0xff)),
            "purpose code",
        ),
        (
            "forbidden purpose",
            with(|request| request.purpose = B256::right_padding_from(b"MARKETING")),
            "may not be used",
        ),
        (
            "another custodian",
            with(|request| request.custodian = alloy_primitives::Address::repeat_byte(9)),
            "this node works for",
        ),
    ]
}

fn requestor_like(requestor: &Requestor) -> Requestor {
    Requestor {
        wallet: requestor.wallet.clone(),
        sealing: requestor.sealing.clone(),
        domain: requestor.domain.clone(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_are_refused_and_recorded_with_their_reason() {
    let cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    for (name, request, word) in spoiled(&requestor, &cluster) {
        let id = requestor.id(&request);
        let error = cluster.node(0).request(request.clone()).await.unwrap_err();
        let NodeError::Refused { reason } = error else {
            panic!("{name}: {error}")
        };
        assert!(reason.contains(word), "{name}: {reason}");
        let recorded = cluster.node(0).status(id, 0, Duration::ZERO).await.unwrap();
        assert_eq!(
            (recorded.stage, recorded.reason.as_ref()),
            (Stage::Refused, Some(&reason)),
            "{name}"
        );
        assert_eq!(recorded.form.last().unwrap().action, "refused", "{name}");
        let again = cluster.node(0).request(request).await.unwrap_err();
        assert!(again.to_string().contains(&reason), "{name}: {again}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_who_sends_a_request_first_with_a_bad_signature_spoils_nothing() {
    let cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    let good = requestor.asks(&cluster);
    let bad = SignedRequest {
        signature: vec![7; 65].into(),
        ..good.clone()
    };
    cluster.node(0).request(bad.clone()).await.unwrap_err();
    cluster.node(0).request(good.clone()).await.unwrap();
    assert_eq!(
        finished(&cluster.node(0), requestor.id(&good)).await.stage,
        Stage::Ready
    );
    assert_eq!(
        cluster.node(0).request(bad).await.unwrap().stage,
        Stage::Ready
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_release_cannot_give_is_refused_after_it_was_taken() {
    let cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    for (fields, filter, word) in [
        (vec!["patient"], "", "`patient`"),
        (vec![], r#"{"sex":["X"]}"#, "no row"),
        (vec![], "sex = F", "no JSON object"),
    ] {
        let mut request = requestor.access(cluster.custodians[0].address, cluster.dataset().id);
        let fields = fields.into_iter().map(String::from).collect();
        request.selection = Selection {
            fields,
            filter: filter.into(),
        };
        let request = requestor.sign(request);
        let id = requestor.id(&request);
        cluster.node(0).request(request).await.unwrap();
        let status = finished(&cluster.node(0), id).await;
        assert_eq!(status.stage, Stage::Refused);
        assert!(
            status.reason.as_ref().unwrap().contains(word),
            "{:?}",
            status.reason
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_selection_gets_its_columns_and_rows_only() {
    let cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    let mut request = requestor.access(cluster.custodians[0].address, cluster.dataset().id);
    request.selection = Selection {
        fields: vec!["code".into()],
        filter: r#"{"diagnosis":["asthma"]}"#.into(),
    };
    let request = requestor.sign(request);
    let id = requestor.id(&request);
    cluster.node(0).request(request).await.unwrap();
    let status = finished(&cluster.node(0), id).await;
    assert_eq!(status.stage, Stage::Ready, "{:?}", status.reason);
    let container = std::fs::read(cluster.node(0).container(id).await.unwrap().path).unwrap();
    let answer = requestor
        .session(id)
        .report(&cluster.node(0), Action::Decrypt)
        .await
        .unwrap();
    let table = String::from_utf8(requestor.decrypt(&container, &answer)).unwrap();
    assert!(
        table.starts_with("code\n") && table.lines().count() > 40,
        "{table}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn suspended_requestors_are_refused() {
    let cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    cluster.custodians[0]
        .wallet
        .suspend(requestor.address())
        .await
        .unwrap();
    let error = cluster
        .node(0)
        .request(requestor.asks(&cluster))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("suspended"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_the_node_takes_is_told_to_come_later() {
    let limits = Limits {
        max_pending_requests: 0,
        ..Limits::default()
    };
    let cluster = Cluster::with(20, limits).await;
    let requestor = Requestor::registered(&cluster).await;
    let error = cluster
        .node(0)
        .request(requestor.asks(&cluster))
        .await
        .unwrap_err();
    assert!(
        matches!(error, NodeError::TooMany { waiting: 0 }),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_is_relayed_once_and_its_repeat_answered_the_same() {
    let cluster = Cluster::start().await;
    let requestor = Requestor::new(&cluster.governance);
    let registration = requestor.registration(0);
    let first = cluster
        .node(0)
        .register(registration.clone())
        .await
        .unwrap();
    let again = cluster.node(0).register(registration).await.unwrap();
    assert_eq!(first, again);
    assert_eq!(first.custodian, cluster.custodians[0].address);
    let error = cluster
        .node(0)
        .register(Requestor::new(&cluster.governance).registration(3))
        .await;
    assert!(error.unwrap_err().to_string().contains("nonce"));
    let mut forged = requestor.registration(1);
    forged.registration.sealingKey = B256::repeat_byte(5);
    let error = cluster.node(0).register(forged).await.unwrap_err();
    assert!(matches!(error, NodeError::Refused { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_requests_of_many_requestors_all_arrive_and_share_transactions() {
    let cluster = Cluster::start().await;
    let mut waiting = Vec::new();
    for _ in 0..4 {
        let requestor = Requestor::registered(&cluster).await;
        for _ in 0..4 {
            waiting.push(requestor.asks(&cluster));
        }
    }
    let domain = cluster.governance.domain();
    for request in &waiting {
        cluster.node(0).request(request.clone()).await.unwrap();
    }
    let mut transactions = std::collections::HashSet::new();
    for request in &waiting {
        let status = finished(&cluster.node(0), domain.package_id(&request.request)).await;
        assert_eq!(status.stage, Stage::Ready, "{:?}", status.reason);
        transactions.insert(status.package.unwrap().transaction);
    }
    assert!(
        transactions.len() < waiting.len(),
        "{} transactions",
        transactions.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn delivered_is_noted_once() {
    let cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    let id = requestor.obtain(&cluster).await;
    for _ in 0..2 {
        cluster.node(0).delivered(id).await.unwrap();
    }
    let status = cluster.node(0).status(id, 0, Duration::ZERO).await.unwrap();
    assert_eq!(status.stage, Stage::Delivered);
    assert_eq!(
        status
            .form
            .iter()
            .filter(|step| step.action == "delivered")
            .count(),
        1
    );
    assert!(status.package.is_some());
}

/// Whether any file under `folder`, but for `except`, has these bytes in it.
fn anywhere(folder: &std::path::Path, bytes: &[u8], except: &str) -> Option<std::path::PathBuf> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find_map(|path| {
            if path.is_dir() {
                return anywhere(&path, bytes, except);
            }
            let content = std::fs::read(&path).unwrap();
            let found = content.windows(bytes.len()).any(|window| window == bytes);
            (found && !path.ends_with(except)).then_some(path)
        })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_node_keeps_no_data_and_the_first_no_secret_in_clear() {
    let cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    let id = requestor.obtain(&cluster).await;
    let answer = requestor
        .session(id)
        .report(&cluster.node(0), Action::Decrypt)
        .await
        .unwrap();
    let context = seal::share_context(id, requestor.address());
    let sealed = answer.share.unwrap();
    let share = seal::open(
        &requestor.sealing,
        SealedFor::CustodianShare,
        &context,
        &sealed,
    )
    .unwrap();
    assert_eq!(
        anywhere(&cluster.custodians[0].folder, &share, "nothing"),
        None
    );
    assert_eq!(
        anywhere(&cluster.custodians[1].folder, b"asthma", "patients.csv"),
        None
    );
    // The search itself finds what is there.
    assert!(anywhere(&cluster.custodians[1].folder, b"asthma", "nothing").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_longer_than_a_request_needs_is_not_recorded() {
    let cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    let node = cluster.node(0);
    let mut named = requestor.access(cluster.custodians[0].address, cluster.dataset().id);
    named.selection.fields = vec!["a".repeat(129)];
    let signed = SignedRequest {
        signature: vec![1; 16_385].into(),
        ..requestor.asks(&cluster)
    };
    for (request, word) in [
        (requestor.sign(named), "129 bytes"),
        (signed, "16385 bytes"),
    ] {
        let id = requestor.id(&request);
        let error = node.request(request).await.unwrap_err();
        assert!(matches!(error, NodeError::BadRequest(_)), "{error}");
        assert!(error.to_string().contains(word), "{error}");
        let recorded = node.status(id, 0, Duration::ZERO).await;
        assert!(matches!(recorded, Err(NodeError::NotFound(_))));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_wait_for_the_chain_take_no_place_of_authenticated_ones() {
    let limits = Limits {
        max_pending_requests: 1,
        max_unauthenticated_requests: 2,
        ..Limits::default()
    };
    let cluster = Cluster::with(20, limits).await;
    let requestor = Requestor::registered(&cluster).await;
    let node = cluster.node(0);
    cluster.custodians[0].rpc.cut().await;
    for _ in 0..2 {
        let error = node.request(requestor.asks(&cluster)).await.unwrap_err();
        assert!(matches!(error, NodeError::ChainUnavailable(_)), "{error}");
    }
    let error = node.request(requestor.asks(&cluster)).await.unwrap_err();
    assert!(
        matches!(error, NodeError::TooMany { waiting: 2 }),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_credentials_that_the_operator_lists_are_vouched_for() {
    let mut cluster = Cluster::start().await;
    let known = Requestor::registered(&cluster).await;
    let (listed, stranger) = (
        Requestor::new(&cluster.governance),
        Requestor::new(&cluster.governance),
    );
    cluster.kill_node(0).await;
    let credential = listed.registration(0).registration.credential;
    cluster.custodians[0].vouching = Vouching::Credentials([credential].into());
    let node = cluster.start_node(0).await;
    listed.register(&node, 0).await.unwrap();
    let error = stranger.register(&node, 0).await.unwrap_err();
    assert!(matches!(error, NodeError::Refused { .. }), "{error}");
    let credential = stranger.registration(0).registration.credential;
    let words = error.to_string();
    assert!(
        words.contains(&credential.to_string()) && words.contains("`vouch-for`"),
        "{words}"
    );
    let registered = cluster.governance.requestor(stranger.address()).await;
    assert!(registered.unwrap().is_none());
    // Whom it vouched for before may rotate its key.
    let mut rotated = known;
    rotated.sealing = medshare_protocol::seal::SealingSecret::generate().unwrap();
    rotated.register(&node, 1).await.unwrap();
}
