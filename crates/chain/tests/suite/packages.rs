use medshare_chain::{
    B256, ChainError, ContractError, Event, IssuedRequest, RESERVED_REASONS, ResponseKind,
};
use medshare_protocol::id::{LeafHash, ReportDigest};
use medshare_protocol::origin::thread_origin;
use medshare_protocol::typed::Deletion;
use medshare_protocol::usage::{Action, Actions, State};

use crate::world::{STRICT, World, sent_of};

#[tokio::test]
async fn an_issued_package_is_told_as_it_was_sent() {
    let world = World::new().await;
    let node = &world.nodes[0];
    let wallet = world.requestor.address();
    let head = node.thread_head(wallet).await.unwrap();
    assert_eq!(
        head,
        thread_origin(node.chain_id(), node.contract(), wallet).0
    );
    assert_eq!(head, node.thread_origin(wallet).await.unwrap());
    let item = world.item_on(1, head);
    let receipt = node.issue(std::slice::from_ref(&item)).await.unwrap();
    let [Event::PackageIssued(issued)] = &receipt.events[..] else {
        panic!("{receipt:?}")
    };
    assert_eq!(issued.request, IssuedRequest::of(&item.request));
    assert_eq!(issued.package, issued.request.package_id(node.domain()));
    assert_eq!(issued.package, node.domain().package_id(&item.request));
    assert_eq!((issued.usage, issued.entry), (item.usage, item.entry));
    assert_eq!(issued.payload_hash, item.payload_hash);
    assert_eq!(issued.form_digest, item.form_digest);
    assert_eq!(
        (issued.node, issued.verifier),
        (node.sender().unwrap(), item.verifier)
    );

    let entry = medshare_protocol::header::Entry::from_bytes(&item.entry);
    assert_eq!(
        node.thread_head(wallet).await.unwrap(),
        entry.header(head).hash().0
    );
    let status = node.package(issued.package).await.unwrap();
    assert_eq!(status.state, State::Issued);
    assert_eq!(
        (status.requestor, status.custodian),
        (wallet, world.custodian())
    );
    assert_eq!(
        (status.dataset, status.usage),
        (world.dataset, Some(item.usage))
    );
    assert_eq!(LeafHash(status.head), entry.leaf);
    let before = node
        .package_at(issued.package, receipt.block - 1)
        .await
        .unwrap();
    assert_eq!((before.state, before.usage), (State::None, None));
}

#[tokio::test]
async fn a_stale_item_is_skipped_with_its_reason_and_spoils_nothing() {
    let world = World::new().await;
    let node = &world.nodes[0];
    let head = node.thread_head(world.requestor.address()).await.unwrap();
    let stale = world.item_on(1, B256::repeat_byte(7));
    let mut forged = world.item_on(2, head);
    forged.request_signature = world.item_on(3, head).request_signature;
    let good = world.item_on(4, head);
    let receipt = node
        .issue(&[stale.clone(), forged.clone(), good])
        .await
        .unwrap();
    let skipped: Vec<_> = receipt
        .skipped()
        .map(|(id, reason)| (id, reason.clone()))
        .collect();
    let id = |request| node.domain().package_id(request);
    assert_eq!(
        skipped,
        [
            (
                id(&stale.request),
                ContractError::StaleHead {
                    expected: B256::repeat_byte(7),
                    actual: head
                }
            ),
            (
                id(&forged.request),
                ContractError::BadSignature {
                    signer: world.requestor.address()
                }
            ),
        ]
    );
    assert!(matches!(receipt.events[2], Event::PackageIssued(_)));
}

#[tokio::test]
async fn reports_are_anchored_and_make_the_package_active() {
    let mut world = World::new().await;
    let package = world.issue(1).await;
    let node = &world.nodes[0];
    let origin = node.package(package).await.unwrap().head;
    let segment = world.segment(package, origin, &[0x21, 0x22]);
    let receipt = node
        .anchor_reports(&[segment.clone(), segment.clone()])
        .await
        .unwrap();
    let anchored = Event::ReportsAnchored {
        package,
        node: node.sender().unwrap(),
        entries: segment.entries.concat(),
    };
    assert_eq!(receipt.events[0], anchored);
    let status = node.package(package).await.unwrap();
    assert_eq!((status.state, status.started), (State::Active, true));
    let stale = ContractError::StaleHead {
        expected: sent_of(origin),
        actual: status.head,
    };
    assert_eq!(receipt.skipped().collect::<Vec<_>>(), [(package, &stale)]);
}

#[tokio::test]
async fn a_skipped_segment_does_not_shift_the_next_ones_entries() {
    let mut world = World::new().await;
    let (first, second) = (world.issue(1).await, world.issue(2).await);
    let node = &world.nodes[0];
    let stale = world.segment(first, B256::repeat_byte(7), &[0x21, 0x22]);
    let origin = node.package(second).await.unwrap().head;
    let good = world.segment(second, origin, &[0x31, 0x32, 0x33]);
    let receipt = node.anchor_reports(&[stale, good.clone()]).await.unwrap();
    assert_eq!(
        receipt.skipped().map(|(id, _)| id).collect::<Vec<_>>(),
        [first]
    );
    let anchored = Event::ReportsAnchored {
        package: second,
        node: node.sender().unwrap(),
        entries: good.entries.concat(),
    };
    assert_eq!(receipt.events[1], anchored);
    assert!(!node.package(first).await.unwrap().started);
}

#[tokio::test]
async fn a_segment_without_side_blocks_is_not_sent() {
    let mut world = World::new().await;
    let package = world.issue(1).await;
    let node = &world.nodes[0];
    let before = node.block_number().await.unwrap();
    let empty = world.segment(package, B256::ZERO, &[]);
    let error = node.anchor_reports(&[empty]).await.unwrap_err();
    assert!(
        matches!(error, ChainError::BadSegment { package: named, count: 0 } if named == package),
        "{error}"
    );
    assert_eq!(node.block_number().await.unwrap(), before);
}

#[tokio::test]
async fn a_violation_revokes_a_regrant_gives_back_and_retrieval_ends_it() {
    let mut world = World::with_responses(&[STRICT]).await;
    let package = world.issue(1).await;
    let (node, custodian) = (&world.nodes[0], &world.custodians[0]);
    let (key, session, delegation) = world.session(package);
    let session = Some((&session, delegation.as_slice()));

    let harmless = world.report(package, 2, &[Action::Read]);
    let signature = node.domain().sign(&harmless, &key).unwrap();
    let error = node
        .report_violation(&harmless, signature.as_slice(), session)
        .await
        .unwrap_err();
    let read = ContractError::NoViolation {
        actions: Actions::NONE.with(Action::Read),
    };
    assert_eq!(error.contract_error(), Some(&read));

    let copied = world.report(package, 2, &[Action::Read, Action::Copy]);
    let signature = node.domain().sign(&copied, &key).unwrap();
    let receipt = node
        .report_violation(&copied, signature.as_slice(), session)
        .await
        .unwrap();
    let (by, requestor) = (node.sender().unwrap(), world.requestor.address());
    let accepted = Event::ViolationAccepted {
        package,
        number: 2,
        actions: Actions(copied.actions),
        report: ReportDigest(node.domain().digest(&copied)),
    };
    assert!(receipt.events.contains(&accepted), "{receipt:?}");
    assert!(receipt.events.contains(&Event::PackageRevoked {
        package,
        by,
        reason: 0
    }));
    let taken = Event::ResponseTaken {
        package,
        requestor,
        custodian: world.custodian(),
        kind: ResponseKind::RefuseRequests,
        violation: 1,
    };
    assert!(receipt.events.contains(&taken), "{receipt:?}");
    let status = node.package(package).await.unwrap();
    assert_eq!(
        (status.state, status.settled, status.violations),
        (State::Revoked, 2, 1)
    );
    assert!(status.refused && !status.started, "{status:?}");
    assert!(node.is_refused(world.custodian(), requestor).await.unwrap());
    let again = node
        .report_violation(&copied, signature.as_slice(), session)
        .await
        .unwrap_err();
    assert!(again.contract_error().is_some(), "{again}");

    let receipt = custodian.allow_requests(requestor).await.unwrap();
    assert_eq!(
        receipt.events,
        [Event::RequestsAllowed {
            custodian: world.custodian(),
            requestor
        }]
    );
    let receipt = custodian.regrant(package).await.unwrap();
    assert_eq!(
        receipt.events,
        [Event::PackageRegranted {
            package,
            by: world.custodian()
        }]
    );
    let status = node.package(package).await.unwrap();
    assert_eq!((status.state, status.refused), (State::Issued, false));

    let deletion = Deletion {
        package: package.0,
        time: 42,
    };
    let signature = world.sign(&deletion);
    let receipt = node
        .retrieve(package, 42, signature.as_slice())
        .await
        .unwrap();
    let digest = node.domain().digest(&deletion);
    assert_eq!(
        receipt.events,
        [Event::PackageRetrieved {
            package,
            by,
            time: 42,
            deletion: digest
        }]
    );
    assert_eq!(node.package(package).await.unwrap().state, State::Retrieved);
    let late = custodian.regrant(package).await.unwrap_err();
    assert_eq!(
        late.contract_error(),
        Some(&ContractError::WrongState {
            package,
            state: State::Retrieved
        })
    );
}

#[tokio::test]
async fn the_wallet_itself_may_sign_the_report() {
    let mut world = World::new().await;
    let package = world.issue(1).await;
    let report = world.report(package, 1, &[Action::Delete]);
    let signature = world.sign(&report);
    world.nodes[0]
        .report_violation(&report, signature.as_slice(), None)
        .await
        .unwrap();
    assert_eq!(
        world.nodes[0].package(package).await.unwrap().state,
        State::Revoked
    );
}

#[tokio::test]
async fn two_reports_with_one_number_are_tampering() {
    let mut world = World::new().await;
    let package = world.issue(1).await;
    let node = &world.nodes[0];
    let (key, session, delegation) = world.session(package);
    let first = world.report(package, 1, &[Action::Decrypt]);
    let second = world.report(package, 1, &[Action::Decrypt, Action::Read]);
    let sign = |report| node.domain().sign(report, &key).unwrap();
    let (one, two) = (sign(&first), sign(&second));
    let proof = |second, signature| {
        let session = Some((&session, delegation.as_slice()));
        node.report_tampering((&first, one.as_slice()), (second, signature), session)
    };
    let same = proof(&first, one.as_slice()).await.unwrap_err();
    let refused = ContractError::NotTampering { package, number: 1 };
    assert_eq!(same.contract_error(), Some(&refused));
    let receipt = proof(&second, two.as_slice()).await.unwrap();
    let by = node.sender().unwrap();
    assert!(receipt.events.contains(&Event::PackageRevoked {
        package,
        by,
        reason: 1
    }));
}

#[tokio::test]
async fn the_owner_revokes_with_a_reason() {
    let mut world = World::new().await;
    let package = world.issue(1).await;
    let stranger = &world.nodes[1];
    let caller = stranger.sender().unwrap();
    let error = stranger.revoke(package, 3).await.unwrap_err();
    assert_eq!(
        error.contract_error(),
        Some(&ContractError::NotOwner { package, caller })
    );
    for reason in RESERVED_REASONS {
        let error = world.custodians[0]
            .revoke(package, reason)
            .await
            .unwrap_err();
        assert_eq!(
            error.contract_error(),
            Some(&ContractError::ReservedReason { reason })
        );
    }
    let receipt = world.custodians[0].revoke(package, 3).await.unwrap();
    let by = world.custodian();
    assert_eq!(
        receipt.events,
        [Event::PackageRevoked {
            package,
            by,
            reason: 3
        }]
    );
}
