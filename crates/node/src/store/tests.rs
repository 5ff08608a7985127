//! The store by itself: all or nothing, nothing twice, and events that can be taken back.
#![allow(clippy::unwrap_used)]

use alloy_primitives::{Address, B256, Bytes};
use medshare_chain::{
    Event, EventPosition, IssuedRequest, LoggedEvent, PackageIssued, Response, ResponseKind,
};
use medshare_protocol::chain_verifier::ChainName;
use medshare_protocol::form::Step;
use medshare_protocol::header::{CompactTarget, Entry, entries};
use medshare_protocol::id::{
    DatasetId, FormDigest, LeafHash, Origin, PackageId, PayloadHash, ReportDigest,
};
use medshare_protocol::origin::side_origin;
use medshare_protocol::typed::{AccessRequest, Receipt, Report, Selection, Session};
use medshare_protocol::usage::{Actions, Environment, Sensitivity, UsageContract};
use medshare_protocol::wire::{SignedRequest, Stage};
use proptest::prelude::*;

use super::*;

mod together;

const NODE: Address = Address::repeat_byte(0xaa);

async fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("node.db")).await.unwrap();
    (folder, store)
}

fn id(byte: u8) -> PackageId {
    PackageId(B256::repeat_byte(byte))
}

fn request(salt: u8) -> SignedRequest {
    SignedRequest {
        request: AccessRequest {
            requestor: Address::repeat_byte(1),
            custodian: Address::repeat_byte(2),
            dataset: B256::repeat_byte(3),
            purpose: B256::repeat_byte(4),
            selection: Selection {
                fields: vec!["age".into()],
                filter: String::new(),
            },
            salt: B256::repeat_byte(salt),
            deadline: 99,
        },
        signature: Bytes::from(vec![5; 65]),
    }
}

fn step(time: u64, action: &str) -> Step {
    Step::new(time, NODE, action).with("detail", "value")
}

#[tokio::test]
async fn what_was_written_is_there_after_opening_again() {
    let (folder, store) = store().await;
    store
        .record_request(id(1), &request(1), &step(7, "received"))
        .await
        .unwrap();
    store.close().await;
    let again = Store::open(&folder.path().join("node.db")).await.unwrap();
    let found = again.stored_request(id(1)).await.unwrap().unwrap();
    assert_eq!((found.signed, found.received), (request(1), 7));
    assert_eq!(again.form(id(1)).await.unwrap(), [step(7, "received")]);
    assert_eq!(again.latest_step_time().await.unwrap(), 7);
}

#[tokio::test]
async fn a_path_that_is_no_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = Store::open(folder.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains(&folder.path().display().to_string()),
        "{error}"
    );
    let text = folder.path().join("text");
    std::fs::write(
        &text,
        "this is no database, but a text that is long enough to have a header",
    )
    .unwrap();
    assert!(Store::open(&text).await.is_err());
}

#[tokio::test]
async fn a_request_is_recorded_once_and_moves_only_from_where_it_is() {
    let (_folder, store) = store().await;
    let first = store
        .record_request(id(1), &request(1), &step(1, "received"))
        .await
        .unwrap();
    assert_eq!(first, Recorded::New);
    let again = store
        .record_request(id(1), &request(1), &step(2, "received"))
        .await
        .unwrap();
    assert!(matches!(again, Recorded::Known(_)));
    let moved = [step(3, "authenticated")];
    store
        .advance(
            id(1),
            Stage::Received,
            Stage::Authenticated,
            &moved,
            Change::None,
        )
        .await
        .unwrap();
    let twice = store
        .advance(
            id(1),
            Stage::Received,
            Stage::Authenticated,
            &moved,
            Change::None,
        )
        .await;
    assert!(matches!(twice, Err(StoreError::MovedOn { .. })));
    assert_eq!(store.form(id(1)).await.unwrap().len(), 2);
    assert_eq!(store.pending_count().await.unwrap(), 1);
    assert_eq!(store.unauthenticated_count().await.unwrap(), 0);
    let refused = Change::Refused { reason: "why" };
    store
        .advance(id(1), Stage::Authenticated, Stage::Refused, &[], refused)
        .await
        .unwrap();
    let found = store.stored_request(id(1)).await.unwrap().unwrap();
    assert_eq!(
        (found.stage, found.reason.as_deref()),
        (Stage::Refused, Some("why"))
    );
    assert_eq!(store.pending_count().await.unwrap(), 0);
    store
        .reopen_request(id(1), &request(1), &step(4, "received"))
        .await
        .unwrap();
    assert_eq!(store.pending_count().await.unwrap(), 0);
    assert_eq!(store.unauthenticated_count().await.unwrap(), 1);
    assert_eq!(
        store.stored_request(id(1)).await.unwrap().unwrap().reason,
        None
    );
}

#[tokio::test]
async fn a_step_that_cannot_be_kept_whole_leaves_nothing() {
    let (_folder, store) = store().await;
    // No such request: the form's foreign key must not be the only thing that fails.
    let steps = [step(1, "authenticated")];
    let lost = store
        .advance(
            id(9),
            Stage::Received,
            Stage::Authenticated,
            &steps,
            Change::None,
        )
        .await;
    assert!(matches!(lost, Err(StoreError::MovedOn { .. })));
    assert!(store.append_steps(id(9), &steps).await.is_err());
    assert!(store.form(id(9)).await.unwrap().is_empty());
}

fn report(number: u32) -> Report {
    Report {
        package: id(1).0,
        number,
        previous: B256::ZERO,
        actions: 1,
        time: 5,
        body: B256::repeat_byte(8),
    }
}

fn session() -> Session {
    Session {
        package: id(1).0,
        key: Address::repeat_byte(7),
        expiry: 1_000,
    }
}

async fn record(
    store: &Store,
    number: u32,
    violated: Actions,
    lease: Option<u64>,
) -> Result<(), StoreError> {
    record_of(store, id(1), number, violated, lease).await
}

async fn record_of(
    store: &Store,
    package: PackageId,
    number: u32,
    violated: Actions,
    lease: Option<u64>,
) -> Result<(), StoreError> {
    let report = Report {
        package: package.0,
        ..report(number)
    };
    let receipt = Receipt {
        package: package.0,
        number,
        report: B256::repeat_byte(1),
        received: 6,
        leaseSeconds: 60,
    };
    let session = Session {
        package: package.0,
        ..session()
    };
    let leaf = LeafHash(B256::left_padding_from(&number.to_be_bytes()));
    let new = NewReport {
        report,
        digest: ReportDigest(B256::repeat_byte(1)),
        signature: vec![1; 65].into(),
        session_key: session.key,
        body: vec![2; 10].into(),
        violated,
        receipt,
        receipt_signature: vec![3; 65].into(),
        leaf,
        side_body: vec![4; 10],
    };
    let held = NewSession {
        session,
        signature: vec![5; 65].into(),
        lease_until: lease,
        ended: !violated.is_empty(),
    };
    store.record_report(package, new, held).await
}

#[tokio::test]
async fn a_report_number_is_taken_once_and_its_second_taker_changes_nothing() {
    let (_folder, store) = store().await;
    record(&store, 1, Actions::NONE, Some(100)).await.unwrap();
    assert!(record(&store, 1, Actions::NONE, Some(900)).await.is_err());
    let live = store.live_session(id(1), 50).await.unwrap().unwrap();
    assert_eq!((live.lease_until, live.session), (100, session()));
    assert_eq!(
        store.last_report(id(1)).await.unwrap().unwrap().report,
        report(1)
    );
}

#[tokio::test]
async fn leases_are_lengthened_once_by_each_renewal_and_end_in_silence() {
    let (_folder, store) = store().await;
    record(&store, 1, Actions::NONE, Some(100)).await.unwrap();
    let key = session().key;
    store.renew_lease(id(1), key, 10, 200).await.unwrap();
    for time in [10, 9] {
        let replayed = store.renew_lease(id(1), key, time, 300).await;
        assert!(
            matches!(replayed, Err(StoreError::MovedOn { .. })),
            "{time}"
        );
    }
    assert!(store.live_session(id(1), 199).await.unwrap().is_some());
    assert!(store.live_session(id(1), 200).await.unwrap().is_none());
    assert!(
        store
            .end_silent_sessions(200, 201)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(store.end_silent_sessions(201, 202).await.unwrap(), [id(1)]);
    assert!(
        store
            .end_silent_sessions(999, 999)
            .await
            .unwrap()
            .is_empty(),
        "told twice"
    );
    assert_eq!(store.findings(id(1)).await.unwrap()[0].kind, "silent-lease");
    assert!(
        store.renew_lease(id(1), key, 20, 400).await.is_err(),
        "an ended session was renewed"
    );
}

#[tokio::test]
async fn a_session_ends_once_by_a_word_that_is_newer_than_its_renewals_and_not_after_a_silence() {
    let (_folder, store) = store().await;
    record(&store, 1, Actions::NONE, Some(100)).await.unwrap();
    let key = session().key;
    store.renew_lease(id(1), key, 10, 200).await.unwrap();
    let end = async |time, before| store.end_session(id(1), key, time, before).await.unwrap();
    assert!(!end(10, 0).await, "as old as a renewal");
    assert!(!end(11, 201).await, "after a silence");
    assert!(store.live_session(id(1), 150).await.unwrap().is_some());
    assert!(end(11, 200).await);
    assert!(store.live_session(id(1), 150).await.unwrap().is_none());
    assert!(!end(12, 0).await, "twice");
    let silent = store.end_silent_sessions(999, 999).await.unwrap();
    assert!(silent.is_empty(), "who said goodbye was not silent");
}

#[tokio::test]
async fn a_report_without_a_lease_of_its_own_leaves_the_lease_as_it_was() {
    let (_folder, store) = store().await;
    record(&store, 1, Actions::NONE, Some(100)).await.unwrap();
    record(&store, 2, Actions::NONE, None).await.unwrap();
    assert_eq!(
        store
            .live_session(id(1), 50)
            .await
            .unwrap()
            .unwrap()
            .lease_until,
        100
    );
}

#[tokio::test]
async fn violations_wait_until_they_are_settled_or_moot() {
    let (_folder, store) = store().await;
    record(&store, 1, Actions(1), None).await.unwrap();
    record(&store, 2, Actions(1), None).await.unwrap();
    assert_eq!(store.pending_violations().await.unwrap().len(), 2);
    store.settle(id(1), 1, &Settlement::Settled).await.unwrap();
    store
        .settle(id(1), 2, &Settlement::Moot("revoked already".into()))
        .await
        .unwrap();
    assert!(store.pending_violations().await.unwrap().is_empty());
    store
        .record_tampering(id(1), &report(1), &[9; 65], 7)
        .await
        .unwrap();
    store
        .record_tampering(id(1), &report(1), &[8; 65], 8)
        .await
        .unwrap();
    let pending = store.pending_tamperings().await.unwrap();
    assert_eq!(pending.len(), 1);
    assert_eq!(pending[0].second_signature, Bytes::from(vec![9; 65]));
}

async fn changed(store: &Store, statement: &'static str) {
    let done = sqlx::query(statement).execute(&store.writer).await.unwrap();
    assert!(done.rows_affected() > 0, "{statement}");
}

#[tokio::test]
async fn what_cannot_be_read_takes_no_place_among_those_that_can() {
    let (_folder, store) = store().await;
    for salt in 1..=4 {
        store
            .record_request(id(salt), &request(salt), &step(salt.into(), "received"))
            .await
            .unwrap();
    }
    changed(&store, "UPDATE request SET signed = 'x' WHERE received < 3").await;
    let oldest = store
        .requests_between(Stage::Received, Stage::Received, 1)
        .await
        .unwrap();
    let ids: Vec<PackageId> = oldest.iter().map(|request| request.id).collect();
    assert_eq!(ids, [id(3)]);

    for package in [id(1), id(2)] {
        let event = LoggedEvent {
            position: EventPosition {
                block: package.0[0].into(),
                log_index: 0,
                block_hash: block_hash(package.0[0].into()),
            },
            transaction: B256::ZERO,
            time: 0,
            event: issued(0, package, package.0[0].into()),
        };
        apply(&store, &[event], package.0[0].into()).await;
        for number in 1..=3 {
            record_of(&store, package, number, Actions::NONE, None)
                .await
                .unwrap();
        }
    }
    changed(
        &store,
        "UPDATE report SET report = 'x' WHERE package = (SELECT min(package) FROM report) AND number = 2",
    )
    .await;
    let waiting = store.unanchored_reports(3).await.unwrap();
    let waiting = waiting
        .iter()
        .map(|kept| (kept.package, kept.report.number));
    // Behind one that cannot be read none of its package goes on chain.
    assert_eq!(
        waiting.collect::<Vec<_>>(),
        [(id(1), 1), (id(2), 1), (id(2), 2)]
    );
}

#[tokio::test]
async fn findings_that_strangers_cause_are_bounded() {
    let (_folder, store) = store().await;
    for _ in 0..1_005 {
        store
            .record_finding(id(1), "foreign-session", "x", 1)
            .await
            .unwrap();
    }
    assert_eq!(store.findings(id(1)).await.unwrap().len(), 1_000);
    store
        .record_finding(id(1), "silent-lease", "x", 2)
        .await
        .unwrap();
    let last = store.findings(id(1)).await.unwrap().pop().unwrap();
    assert_eq!(last.kind, "silent-lease", "a flood hides another kind");
}

/// What a made-up chain does in one of its blocks.
#[derive(Clone, Debug)]
enum Happening {
    /// The requestor with this number is issued its next package.
    Issue(u8),
    /// So many reports are anchored on the n-th package issued so far.
    Anchor(usize, u8),
    /// The n-th package is violated.
    Violate(usize),
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let happening = prop_oneof![
        (0..3_u8).prop_map(Happening::Issue),
        (any::<usize>(), 1..4_u8).prop_map(|(of, count)| Happening::Anchor(of, count)),
        any::<usize>().prop_map(Happening::Violate),
    ];
    prop::collection::vec(happening, 1..12)
}

/// The events of such a chain, one block each, from block 1.
fn events(happenings: &[Happening]) -> Vec<LoggedEvent> {
    let mut packages = Vec::new();
    let mut logged = Vec::new();
    for (block, happening) in (1_u64..).zip(happenings) {
        let pick = |of: usize| (!packages.is_empty()).then(|| packages[of % packages.len()]);
        let event = match happening {
            Happening::Issue(requestor) => {
                packages.push(PackageId(B256::left_padding_from(&block.to_be_bytes())));
                issued(*requestor, packages[packages.len() - 1], block)
            }
            Happening::Anchor(of, count) => match pick(*of) {
                None => continue,
                Some(package) => Event::ReportsAnchored {
                    package,
                    node: NODE,
                    entries: (0..*count)
                        .flat_map(|index| entry(block, index).to_bytes())
                        .collect(),
                },
            },
            Happening::Violate(of) => match pick(*of) {
                None => continue,
                Some(package) => Event::ViolationAccepted {
                    package,
                    number: u32::try_from(block).unwrap(),
                    actions: Actions(1),
                    report: ReportDigest(B256::repeat_byte(1)),
                },
            },
        };
        logged.push(LoggedEvent {
            position: EventPosition {
                block,
                log_index: 0,
                block_hash: block_hash(block),
            },
            transaction: B256::left_padding_from(&block.to_be_bytes()),
            time: block,
            event,
        });
    }
    logged
}

fn block_hash(block: u64) -> B256 {
    B256::right_padding_from(&block.to_be_bytes())
}

fn entry(block: u64, index: u8) -> Entry {
    Entry {
        version: 1,
        merkle_root: B256::repeat_byte(index),
        time: u32::try_from(block).unwrap(),
        bits: CompactTarget(0x2000_ffff),
        nonce: 0,
        leaf: LeafHash(B256::left_padding_from(
            &[&block.to_be_bytes()[..], &[index]].concat(),
        )),
    }
}

fn issued(requestor: u8, package: PackageId, block: u64) -> Event {
    let usage = UsageContract {
        sensitivity: Sensitivity::High,
        granted: Actions(1),
        exempt: Actions::NONE,
        environment: Environment::Any,
        expiry: 1,
        contract_key: B256::repeat_byte(1),
    };
    Event::PackageIssued(Box::new(PackageIssued {
        package,
        request: IssuedRequest {
            requestor: Address::repeat_byte(requestor),
            custodian: Address::ZERO,
            dataset: DatasetId::default(),
            purpose: B256::ZERO,
            selection: B256::ZERO,
            salt: B256::ZERO,
            deadline: 0,
        },
        usage,
        payload_hash: PayloadHash::default(),
        form_digest: FormDigest::default(),
        node: NODE,
        verifier: NODE,
        entry: entry(block, 0xff).to_bytes(),
    }))
}

fn origin(requestor: Address) -> Origin {
    Origin(B256::left_padding_from(requestor.as_slice()))
}

async fn apply(store: &Store, events: &[LoggedEvent], to: u64) {
    let context = EventContext {
        node: NODE,
        thread_origin: &origin,
        confirmations: 0,
        now: 1,
    };
    let point = EventPoint {
        block: to,
        hash: block_hash(to),
    };
    store.apply_events(events, point, context).await.unwrap();
}

fn thread(requestor: u8) -> ChainName {
    ChainName::Thread(Address::repeat_byte(requestor))
}

/// All that follows from the events: heads of all chains, and violations.
async fn derived(store: &Store, events: &[LoggedEvent]) -> (Vec<ChainHead>, usize) {
    let mut heads = Vec::new();
    for requestor in 0..3 {
        heads.push(
            store
                .chain_head(thread(requestor), origin(Address::repeat_byte(requestor)))
                .await
                .unwrap(),
        );
    }
    for logged in events {
        if let Event::PackageIssued(issued) = &logged.event {
            let leaf = entries(&issued.entry).unwrap()[0].leaf;
            let side = ChainName::Side(issued.package);
            heads.push(store.chain_head(side, side_origin(leaf)).await.unwrap());
        }
    }
    (heads, store.violations().await.unwrap().len())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn events_that_are_taken_back_and_applied_again_change_nothing(
        happenings in happenings(),
        cut in 0..12_u64,
    ) {
        let events = events(&happenings);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (_folder, store) = store().await;
            let last = happenings.len() as u64;
            apply(&store, &events, last).await;
            let before = derived(&store, &events).await;
            let safe = (cut > 0).then(|| EventPoint { block: cut.min(last), hash: block_hash(cut.min(last)) });
            store.rewind_events(safe, NODE, 2).await.unwrap();
            prop_assert_eq!(store.event_position().await.unwrap(), safe);
            let from = safe.map_or(0, |point| point.block);
            let kept = events.iter().filter(|logged| logged.position.block <= from).count();
            apply(&store, &events[kept..], last).await;
            prop_assert_eq!(derived(&store, &events).await, before);
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn a_chain_grows_entry_by_entry_and_knows_what_stands_before_each() {
    let (_folder, store) = store().await;
    let events = events(&[
        Happening::Issue(0),
        Happening::Anchor(0, 2),
        Happening::Issue(0),
    ]);
    apply(&store, &events, 3).await;
    let origin = origin(Address::repeat_byte(0));
    let head = store.chain_head(thread(0), origin).await.unwrap();
    assert_eq!((head.log.size(), head.time), (2, 3));
    let second = store
        .entry_of_leaf(entry(3, 0xff).leaf)
        .await
        .unwrap()
        .unwrap();
    let first = store
        .entry_of_leaf(entry(1, 0xff).leaf)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(first.header.previous, origin.0);
    assert_eq!(second.header.previous, first.hash);
    assert_eq!(second.hash, entry(3, 0xff).header(first.hash).hash().0);
    assert_eq!(store.side_entries(first.package).await.unwrap().len(), 2);
    assert_eq!(store.missing_blocks(10).await.unwrap().len(), 4);
}

#[tokio::test]
async fn the_list_of_actions_is_the_one_published_last() {
    let (_folder, store) = store().await;
    let custodian = Address::repeat_byte(6);
    let dataset = DatasetId(B256::repeat_byte(7));
    let published = |block: u64, threshold| LoggedEvent {
        position: EventPosition {
            block,
            log_index: 0,
            block_hash: block_hash(block),
        },
        transaction: B256::ZERO,
        time: 0,
        event: Event::DatasetPublished {
            custodian,
            dataset,
            descriptor: B256::ZERO,
            purposes: vec![],
            responses: vec![Response {
                kind: ResponseKind::RevokeOwner,
                threshold,
            }],
        },
    };
    apply(&store, &[published(1, 3), published(2, 5)], 2).await;
    assert_eq!(
        store.responses(custodian, dataset).await.unwrap()[0].threshold,
        5
    );
    store
        .rewind_events(
            Some(EventPoint {
                block: 1,
                hash: block_hash(1),
            }),
            NODE,
            1,
        )
        .await
        .unwrap();
    assert_eq!(
        store.responses(custodian, dataset).await.unwrap()[0].threshold,
        3
    );
    assert!(
        store
            .responses(Address::ZERO, dataset)
            .await
            .unwrap()
            .is_empty()
    );
}
