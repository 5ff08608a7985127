#![allow(clippy::unwrap_used)]
//! Content against a plain `Vec`, and what becomes of it when it is wiped.

use std::os::unix::fs::FileExt;

use alloy_primitives::{Address, B256};
use alloy_signer_local::PrivateKeySigner;
use medshare_protocol::package::{PackageHeader, TAG_BYTES, payload_hash, write_container};
use medshare_protocol::seal::Share;
use medshare_protocol::usage::{Actions, Environment, Sensitivity, UsageContract};
use proptest::prelude::*;
use tempfile::TempDir;

use super::spans::{SPAN_BYTES, Span};
use super::*;

/// A package file and its key.
pub(crate) struct Made {
    pub(crate) folder: TempDir,
    pub(crate) header: SignedHeader,
    key: DataKey,
}

impl Made {
    pub(crate) fn of(payload: &[u8]) -> Self {
        Self::claiming(payload, payload_hash(B256::ZERO, payload).0)
    }

    /// With any payload hash in its header.
    fn claiming(payload: &[u8], payload_hash: B256) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let usage = UsageContract {
            sensitivity: Sensitivity::High,
            granted: Actions::NONE,
            exempt: Actions::NONE,
            environment: Environment::Any,
            expiry: 0,
            contract_key: B256::ZERO,
        };
        let signer = PrivateKeySigner::random();
        let header = PackageHeader {
            dataset: B256::ZERO,
            package: B256::ZERO,
            node: signer.address(),
            owner: Address::ZERO,
            requestor: Address::ZERO,
            payload_hash,
            payload_salt: B256::ZERO,
            payload_length: payload.len() as u64,
            media_type: "text/csv".into(),
            verifier: Address::ZERO,
            processed: 0,
            chain_id: 1,
            contract: Address::ZERO,
            sensitivity: usage.sensitivity as u8,
            granted: usage.granted.0,
            exempt: usage.exempt.0,
            environment: usage.environment as u8,
            expiry: usage.expiry,
            contract_key: usage.contract_key,
            sealed_share: vec![0; 80],
        };
        let header = header.sign(&signer).unwrap();
        let share = Share::generate().unwrap();
        let key = DataKey::derive(&header.bytes, &share, &share);
        let mut file = File::create(folder.path().join("package.mds")).unwrap();
        write_container(&header, &key, &mut &*payload, &mut file).unwrap();
        Self {
            folder,
            header,
            key,
        }
    }

    pub(crate) fn container(&self) -> PathBuf {
        self.folder.path().join("package.mds")
    }

    fn overlay(&self) -> PathBuf {
        crate::spool::overlay_of(&self.container())
    }

    fn try_open(&self) -> Result<Content, ContentError> {
        let file = File::open(self.container()).unwrap();
        Content::open(file, &self.header, &self.key, self.overlay())
    }

    pub(crate) fn open(&self) -> Content {
        self.try_open().unwrap()
    }
}

fn all(content: &Content) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(content.length()).unwrap() + 9];
    let read = content.read_at(0, &mut bytes).unwrap();
    bytes.truncate(read);
    bytes
}

fn payload(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 7 % 251) as u8 + 1).collect()
}

#[derive(Clone, Debug)]
enum Step {
    Write(usize, Vec<u8>),
    SetLength(usize),
    Read(usize, usize),
    Reopen,
}

/// Mostly around the borders of chunks.
fn position() -> impl Strategy<Value = usize> {
    let near = (0..4_usize, -5..5_i64)
        .prop_map(|(chunk, off)| usize::try_from((chunk * CHUNK_BYTES) as i64 + off).unwrap_or(0));
    prop_oneof![near, 0..4 * CHUNK_BYTES]
}

fn step() -> impl Strategy<Value = Step> {
    let bytes = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..20),
        (0..3 * CHUNK_BYTES).prop_map(payload),
    ];
    prop_oneof![
        (position(), bytes).prop_map(|(at, bytes)| Step::Write(at, bytes)),
        position().prop_map(Step::SetLength),
        (position(), 0..3 * CHUNK_BYTES).prop_map(|(at, count)| Step::Read(at, count)),
        Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn it_is_as_a_file_and_stays_so_when_it_is_opened_again(
        length in position(),
        steps in proptest::collection::vec(step(), 0..12),
    ) {
        let mut model = payload(length);
        let made = Made::of(&model);
        let mut content = made.open();
        for step in steps {
            match step {
                Step::Write(at, bytes) => {
                    content.write_at(at as u64, &bytes).unwrap();
                    if !bytes.is_empty() {
                        model.resize(model.len().max(at + bytes.len()), 0);
                        model[at..at + bytes.len()].copy_from_slice(&bytes);
                    }
                }
                Step::SetLength(length) => {
                    content.set_length(length as u64).unwrap();
                    model.resize(length, 0);
                }
                Step::Read(at, count) => {
                    let mut out = vec![0xee; count];
                    let read = content.read_at(at as u64, &mut out).unwrap();
                    let rest = model.get(at..).unwrap_or_default();
                    let rest = &rest[..rest.len().min(count)];
                    prop_assert_eq!(&out[..read], rest);
                    // And what follows, as a reader in order does.
                    for at in [at, at + count] {
                        let held = content.hold(at as u64, count).unwrap();
                        let end = model.len().min(at + count);
                        prop_assert!(*held == model[at.min(end)..end]);
                        if content.goes_on(at as u64, held.len()) {
                            content.prepare().unwrap();
                        }
                    }
                }
                Step::Reopen => {
                    drop(content);
                    content = made.open();
                }
            }
            prop_assert_eq!(content.length(), model.len() as u64);
        }
        prop_assert!(all(&content) == model);
        let mut copied = Vec::new();
        let copy = content.copy_to(|bytes| {
            copied.extend_from_slice(bytes);
            Ok::<_, ContentError>(())
        });
        prop_assert!(copy.is_ok() && copied == model);
    }
}

#[test]
fn what_was_cut_off_does_not_come_back() {
    let made = Made::of(&payload(CHUNK_BYTES + 10));
    let content = made.open();
    content.set_length(3).unwrap();
    content.set_length(CHUNK_BYTES as u64 + 10).unwrap();
    let found = all(&content);
    assert_eq!(found[..3], payload(3));
    assert!(found[3..].iter().all(|byte| *byte == 0));
}

#[test]
fn once_wiped_everything_fails_and_nothing_is_left() {
    let made = Made::of(&payload(3 * CHUNK_BYTES));
    let content = made.open();
    let mut bytes = [0; 10];
    content.read_at(5, &mut bytes).unwrap();
    content.write_at(5, b"mine").unwrap();
    let free = content.pool.buffers() - RESERVED_BUFFERS;
    content.wipe();
    assert!(matches!(
        content.read_at(5, &mut bytes),
        Err(ContentError::Wiped)
    ));
    assert_eq!(bytes, [0; 10]);
    assert!(content.write_at(CHUNK_BYTES as u64, b"more").is_err());
    assert!(content.set_length(1).is_err());
    let copied = content.copy_to(|_| Ok::<_, ContentError>(()));
    assert!(matches!(copied, Err(ContentError::Wiped)));
    let mut check = PayloadCheck::new(&made.header.header);
    assert!(matches!(check.step(&content), Err(ContentError::Wiped)));
    // Every buffer came back, and what comes back is zeros: keys and chunks are in none.
    let held: Vec<_> = (0..content.pool.buffers())
        .map(|_| content.pool.lend())
        .collect();
    assert!(
        held.len() > free
            && held
                .iter()
                .all(|buffer| buffer.iter().all(|byte| *byte == 0))
    );
}

#[test]
fn readers_under_whose_hands_it_is_wiped_have_all_or_nothing() {
    let payload = payload(20 * CHUNK_BYTES);
    for _ in 0..10 {
        let content = Made::of(&payload).open();
        std::thread::scope(|scope| {
            for reader in 0..4 {
                let (content, payload) = (&content, &payload);
                scope.spawn(move || {
                    for at in (0..).map(|step| (step * 7 + reader) % 19 * CHUNK_BYTES + 11) {
                        let mut out = vec![0xee; CHUNK_BYTES];
                        match content.read_at(at as u64, &mut out) {
                            Ok(read) => assert!(out[..read] == payload[at..at + read]),
                            Err(ContentError::Wiped) => {
                                assert!(out.iter().all(|byte| *byte == 0));
                                return;
                            }
                            Err(error) => panic!("{error}"),
                        }
                    }
                });
            }
            content.wipe();
        });
        assert!(!kept(&content, 0));
    }
}

#[test]
fn a_chunk_that_was_changed_is_not_handed_out_and_the_others_are() {
    let payload = payload(3 * CHUNK_BYTES);
    let made = Made::of(&payload);
    let content = made.open();
    let file = File::options().write(true).open(made.container()).unwrap();
    let second = made.header.encoded_length() + (CHUNK_BYTES + TAG_BYTES) as u64;
    file.write_all_at(b"x", second + 1000).unwrap();
    let mut out = vec![0xee; CHUNK_BYTES];
    let refused = content.read_at(CHUNK_BYTES as u64 - 10, &mut out);
    assert!(matches!(
        refused,
        Err(ContentError::Package(PackageError::BadChunk(1)))
    ));
    assert!(out.iter().all(|byte| *byte == 0));
    assert_eq!(
        content.read_at(2 * CHUNK_BYTES as u64, &mut out).unwrap(),
        CHUNK_BYTES
    );
    assert!(out == payload[2 * CHUNK_BYTES..]);
}

#[test]
fn another_package_s_key_opens_nothing() {
    let (made, other) = (Made::of(b"a,b\n"), Made::of(b"a,b\n"));
    let mixed = Made {
        key: other.key,
        ..made
    };
    assert!(matches!(
        mixed.try_open(),
        Err(ContentError::Package(PackageError::BadChunk(0)))
    ));
}

#[test]
fn what_lies_in_the_overlay_is_neither_plaintext_nor_to_be_moved_about() {
    let made = Made::of(&payload(2 * CHUNK_BYTES));
    let content = made.open();
    content.write_at(10, b"a very private remark").unwrap();
    content
        .write_at(CHUNK_BYTES as u64 + 10, b"and another one")
        .unwrap();
    drop(content);
    let bytes = std::fs::read(made.overlay()).unwrap();
    assert!(!bytes.windows(7).any(|window| window == b"private"));
    let opens = |changed: &[u8]| {
        std::fs::write(made.overlay(), changed).unwrap();
        let content = made.try_open()?;
        let mut out = vec![0; 2 * CHUNK_BYTES];
        content.read_at(0, &mut out)
    };
    assert!(opens(&bytes).is_ok());
    // The second chunk in the place of the first.
    let mut swapped = bytes.clone();
    swapped.copy_within(4096 + SLOT_BYTES..4096 + 2 * SLOT_BYTES, 4096);
    assert!(matches!(
        opens(&swapped),
        Err(ContentError::Overlay(SpoolError::Damaged(_)))
    ));
    for place in [0, 10, 30, 4096, 4096 + CHUNK_BYTES, 4096 + SLOT_BYTES - 1] {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        assert!(opens(&changed).is_err(), "byte {place}");
    }
    assert!(matches!(
        opens(&bytes[..20]),
        Err(ContentError::Overlay(SpoolError::Damaged(_)))
    ));
}

#[test]
fn a_payload_that_was_not_validated_is_found_out_whatever_was_written_over_it() {
    let payload = payload(20 * CHUNK_BYTES + 3);
    for (claimed, right) in [
        (payload_hash(B256::ZERO, &payload).0, true),
        (B256::ZERO, false),
    ] {
        let made = Made::claiming(&payload, claimed);
        let content = made.open();
        content.write_at(9, b"over it").unwrap();
        content.set_length(CHUNK_BYTES as u64).unwrap();
        let mut check = PayloadCheck::new(&made.header.header);
        assert_eq!(check.step(&content).unwrap(), Checked::More);
        match check.step(&content) {
            Ok(checked) => assert!(right && checked == Checked::All),
            Err(ContentError::Package(PackageError::WrongPayload)) => assert!(!right),
            Err(error) => panic!("{error}"),
        }
    }
}

/// Whether the cache has a chunk.
fn kept(content: &Content, index: u64) -> bool {
    content.cache.get_or(index, || Err(())).is_ok()
}

#[test]
fn what_is_held_is_what_is_read() {
    let payload = payload(5 * CHUNK_BYTES + 9);
    let made = Made::of(&payload);
    let content = made.open();
    // Within a chunk, beyond one, beyond what is put together in locked memory, and beyond the end.
    for (offset, wanted) in [
        (7_usize, 4_096_usize),
        (5, SPAN_BYTES),
        (5, SPAN_BYTES + 1),
        (3, usize::MAX),
        (1 << 30, 9),
    ] {
        let held = content.hold(offset as u64, wanted).unwrap();
        let end = payload.len().min(offset.saturating_add(wanted));
        assert!(*held == payload[offset.min(end)..end], "{offset} {wanted}");
    }
    content.wipe();
    let wiped = |error| matches!(error, ContentError::Wiped);
    assert!(content.hold(0, 1).is_err_and(wiped));
    assert!(content.prepare().is_err_and(wiped));
    assert!(content.hold(0, SPAN_BYTES).is_err_and(wiped));
}

/// Reads in order, and has what follows decrypted.
fn read_in_order(content: &Content) {
    for offset in [0, SPAN_BYTES as u64] {
        let held = content.hold(offset, SPAN_BYTES).unwrap();
        if content.goes_on(offset, held.len()) {
            content.prepare().unwrap();
        }
    }
}

#[test]
fn what_is_decrypted_ahead_is_what_is_read_and_not_what_was_there_before_a_write() {
    let payload = payload(9 * SPAN_BYTES + 9);
    let made = Made::of(&payload);
    let content = made.open();
    read_in_order(&content);
    let third = 3 * SPAN_BYTES;
    let span = |offset: usize| Span {
        offset: offset as u64,
        length: SPAN_BYTES,
    };
    let ready = content.spans.take(span(third)).unwrap();
    assert!(ready[..SPAN_BYTES] == payload[third..third + SPAN_BYTES]);
    assert!(content.spans.take(span(4 * SPAN_BYTES)).is_some());
    content.spans.put(span(third), ready);

    let place = third + 10;
    content.write_at(place as u64, b"written").unwrap();
    assert!(content.spans.take(span(third)).is_none());
    read_in_order(&content);
    assert!(content.spans.take(span(third)).is_none());
    let held = content.hold(third as u64, SPAN_BYTES).unwrap();
    assert_eq!(held[10..17], *b"written");
}

#[test]
fn a_span_of_a_changed_chunk_is_neither_handed_out_nor_made_ready() {
    let made = Made::of(&payload(9 * SPAN_BYTES));
    let file = File::options().write(true).open(made.container()).unwrap();
    let chunk = (CHUNK_BYTES + TAG_BYTES) as u64;
    let seventh = made.header.encoded_length() + 7 * chunk;
    file.write_all_at(b"x", seventh + 1000).unwrap();
    let content = made.open();
    for offset in [0, 1] {
        assert!(content.hold(offset * SPAN_BYTES as u64, SPAN_BYTES).is_ok());
        let _ = content.goes_on(offset * SPAN_BYTES as u64, SPAN_BYTES);
    }
    let is_bad = |error| matches!(error, ContentError::Package(PackageError::BadChunk(7)));
    assert!(content.prepare().is_err_and(is_bad));
    let offset = 3 * SPAN_BYTES as u64;
    let length = SPAN_BYTES;
    assert!(content.spans.take(Span { offset, length }).is_none());
    assert!(content.hold(offset, length).is_err_and(is_bad));
    assert!(content.hold(offset, 9).is_ok());
}
