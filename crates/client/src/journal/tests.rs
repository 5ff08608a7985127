#![allow(clippy::unwrap_used)]
use alloy_primitives::{Address, B256, Bytes};
use medshare_protocol::typed::{Receipt, Report, Session};
use medshare_protocol::usage::State;
use proptest::prelude::*;

use super::*;

fn submission(number: u32) -> ReportSubmission {
    ReportSubmission {
        report: Report {
            package: B256::repeat_byte(1),
            number,
            previous: B256::ZERO,
            actions: 1,
            time: 9,
            body: B256::ZERO,
        },
        signature: Bytes::from_static(&[1; 65]),
        session: Session {
            package: B256::repeat_byte(1),
            key: Address::ZERO,
            expiry: 10,
        },
        session_signature: Bytes::from_static(&[2; 65]),
        body: Bytes::from_static(b"sealed"),
    }
}

fn answer(number: u32) -> ReportAnswer {
    let receipt = Receipt {
        package: B256::repeat_byte(1),
        number,
        report: B256::repeat_byte(7),
        received: 11,
        leaseSeconds: 60,
    };
    ReportAnswer {
        receipt,
        signature: Bytes::from_static(&[3; 65]),
        state: State::Active,
        share: Some(Bytes::from_static(b"never kept")),
    }
}

#[test]
fn what_was_written_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let mut journal = Journal::open(&path).unwrap();
    journal.sending(&submission(1), true).unwrap();
    journal.received(&answer(1)).unwrap();
    journal.renewed(&answer(1)).unwrap();
    journal.sending(&submission(2), true).unwrap();
    let kept = journal.kept().clone();
    assert_eq!(kept.pending, [submission(2)]);
    assert_eq!(kept.last, Some(answer(1).receipt));
    drop(journal);
    assert_eq!(*Journal::open(&path).unwrap().kept(), kept);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        !text.contains(&hex::encode("never kept")),
        "the custodian's share is no part of it"
    );
}

#[test]
fn a_refused_report_takes_its_followers_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(&folder.path().join("journal.jsonl")).unwrap();
    for number in 3..6 {
        journal.sending(&submission(number), true).unwrap();
    }
    journal.refused(4, "the session is over").unwrap();
    assert_eq!(journal.kept().pending, [submission(3)]);
}

#[test]
fn a_cut_last_line_is_dropped_and_the_next_one_stands_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    Journal::open(&path)
        .unwrap()
        .sending(&submission(1), true)
        .unwrap();
    let whole = std::fs::read(&path).unwrap();
    for cut in 1..whole.len() {
        std::fs::write(&path, [&whole, &whole[..cut]].concat()).unwrap();
        let mut journal = Journal::open(&path).unwrap();
        assert_eq!(journal.kept().pending.len(), 1, "cut at {cut}");
        if cut % 97 == 1 {
            journal.received(&answer(1)).unwrap();
            drop(journal);
            assert!(Journal::open(&path).unwrap().kept().pending.is_empty());
        }
    }
}

#[test]
fn two_processes_cannot_have_one_package() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let first = Journal::open(&path).unwrap();
    assert!(matches!(Journal::open(&path), Err(JournalError::InUse(_))));
    drop(first);
    Journal::open(&path).unwrap();
}

#[test]
fn a_foreign_line_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    Journal::open(&path)
        .unwrap()
        .sending(&submission(1), true)
        .unwrap();
    let mut text = std::fs::read_to_string(&path).unwrap();
    text.push_str("not ours\n");
    std::fs::write(&path, &text).unwrap();
    assert!(matches!(
        Journal::open(&path),
        Err(JournalError::Malformed { line: 2, .. })
    ));
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        text,
        "nothing of it is changed"
    );
    std::fs::write(
        &path,
        vec![b'x'; 2 * usize::try_from(MAX_LINE_BYTES).unwrap()],
    )
    .unwrap();
    assert!(matches!(
        Journal::open(&path),
        Err(JournalError::Malformed { line: 1, .. })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_bytes_panic_the_reader(bytes: Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        std::fs::write(&path, bytes).unwrap();
        let _ = Journal::open(&path);
    }
}
