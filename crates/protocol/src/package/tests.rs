#![allow(clippy::unwrap_used)]
use std::io::Cursor;

use aead_stream::EncryptorBE32;
use aes_gcm::{Aes256Gcm, KeyInit};
use alloy_primitives::{Address, B256};
use alloy_signer_local::PrivateKeySigner;
use proptest::prelude::*;

use super::*;
use crate::seal::{self, DataKey, SealedFor, SealingSecret, Share};

struct Made {
    container: Vec<u8>,
    key: DataKey,
    beginning: usize,
}

fn make(payload: &[u8]) -> Made {
    let node = PrivateKeySigner::from_bytes(&B256::repeat_byte(5)).unwrap();
    let requestor = SealingSecret::from_bytes([6; 32]);
    let (share, other) = (
        Share::from_slice(&[1; 32]).unwrap(),
        Share::from_slice(&[2; 32]).unwrap(),
    );
    let package = B256::repeat_byte(9);
    let context = seal::share_context(package.into(), Address::repeat_byte(3));
    let salt = B256::repeat_byte(8);
    let header = PackageHeader {
        dataset: B256::repeat_byte(4),
        package,
        node: node.address(),
        owner: Address::repeat_byte(2),
        requestor: Address::repeat_byte(3),
        payload_hash: payload_hash(salt, payload).0,
        payload_salt: salt,
        payload_length: payload.len() as u64,
        media_type: "text/csv".into(),
        verifier: Address::repeat_byte(7),
        processed: 1_700_000_000_000,
        chain_id: 31337,
        contract: Address::repeat_byte(1),
        sensitivity: 1,
        granted: 1,
        exempt: 0,
        environment: 0,
        expiry: 1_800_000_000_000,
        contract_key: B256::repeat_byte(0xcc),
        sealed_share: seal::seal(
            requestor.public(),
            SealedFor::RequestorShare,
            &context,
            share.expose(),
        )
        .unwrap(),
    };
    let signed = header.sign(&node).unwrap();
    let key = DataKey::derive(&signed.bytes, &share, &other);
    let mut container = Vec::new();
    let hash = write_container(&signed, &key, &mut Cursor::new(payload), &mut container).unwrap();
    assert_eq!(hash.0, crate::digest::sha256d(&[&container]));
    assert_eq!(container_length(&signed), container.len() as u64);
    Made {
        beginning: signed.to_bytes().len(),
        container,
        key,
    }
}

fn open(container: &[u8], key: &DataKey) -> Result<Vec<u8>, PackageError> {
    let mut reader = Cursor::new(container);
    let header = SignedHeader::read(&mut reader)?;
    let cipher = PayloadCipher::new(key, header.header.payload_length)?;
    cipher
        .decrypt_all(&header, &mut reader)
        .map(|plain| plain.to_vec())
}

#[test]
fn packages_of_every_awkward_length_open_again() {
    for length in [
        0,
        1,
        CHUNK_BYTES - 1,
        CHUNK_BYTES,
        CHUNK_BYTES + 1,
        3 * CHUNK_BYTES,
    ] {
        let payload: Vec<u8> = (0..length).map(|byte| (byte % 251) as u8).collect();
        let made = make(&payload);
        assert_eq!(
            open(&made.container, &made.key).unwrap(),
            payload,
            "{length} bytes"
        );
    }
}

#[test]
fn every_flipped_byte_of_a_package_is_found() {
    let made = make(b"a,b\n1,2\n");
    for position in 0..made.container.len() {
        let mut changed = made.container.clone();
        changed[position] ^= 1;
        assert!(open(&changed, &made.key).is_err(), "byte {position}");
    }
}

#[test]
fn cut_extended_and_reordered_packages_are_refused() {
    let payload = vec![7; 2 * CHUNK_BYTES];
    let made = make(&payload);
    for length in [0, 7, 11, made.beginning, made.container.len() - 1] {
        assert!(
            open(&made.container[..length], &made.key).is_err(),
            "{length}"
        );
    }
    let mut longer = made.container.clone();
    longer.push(0);
    assert!(matches!(
        open(&longer, &made.key),
        Err(PackageError::WrongLength { .. })
    ));
    let chunk = CHUNK_BYTES + TAG_BYTES;
    let (first, second) = (made.beginning, made.beginning + chunk);
    let mut swapped = made.container[..first].to_vec();
    swapped.extend_from_slice(&made.container[second..]);
    swapped.extend_from_slice(&made.container[first..second]);
    assert!(matches!(
        open(&swapped, &made.key),
        Err(PackageError::BadChunk(0))
    ));
}

/// STREAM by another implementation (RustCrypto's), chunk by chunk.
fn by_the_witness(key: &DataKey, payload: &[u8]) -> Vec<u8> {
    let cipher = Aes256Gcm::new((&*key.key).into());
    let mut stream = EncryptorBE32::from_aead(cipher, (&key.nonce_prefix).into());
    let mut sealed = Vec::new();
    let mut rest = payload;
    while rest.len() > CHUNK_BYTES {
        let (chunk, behind) = rest.split_at(CHUNK_BYTES);
        sealed.extend(stream.encrypt_next(chunk).unwrap());
        rest = behind;
    }
    sealed.extend(stream.encrypt_last(rest).unwrap());
    sealed
}

#[test]
fn chunks_are_those_of_an_independent_stream() {
    for length in [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES - 5] {
        let payload: Vec<u8> = (0..length).map(|byte| (byte % 241) as u8).collect();
        let made = make(&payload);
        let witness = by_the_witness(&made.key, &payload);
        assert!(
            made.container[made.beginning..] == witness,
            "{length} bytes"
        );
    }
}

#[test]
fn a_chunk_opens_by_itself_and_leaves_nothing_when_it_does_not() {
    let payload: Vec<u8> = (0..3 * CHUNK_BYTES - 7)
        .map(|byte| (byte % 239) as u8)
        .collect();
    let made = make(&payload);
    let cipher = PayloadCipher::new(&made.key, payload.len() as u64).unwrap();
    let chunk = |index| {
        let (begin, length) = cipher.location(index);
        let begin = made.beginning + usize::try_from(begin).unwrap();
        made.container[begin..begin + length].to_vec()
    };
    for index in [2, 0, 1] {
        let (mut sealed, begin) = (chunk(index), index as usize * CHUNK_BYTES);
        let plain = &payload[begin..begin + cipher.plain_length(index)];
        assert_eq!(cipher.decrypt(index, &mut sealed).unwrap(), plain);
        let mut changed = chunk(index);
        changed[100] ^= 1;
        assert!(matches!(
            cipher.decrypt(index, &mut changed),
            Err(PackageError::BadChunk(at)) if at == index
        ));
        assert!(changed.iter().all(|byte| *byte == 0), "nothing is left");
    }
}

#[test]
fn what_comes_too_short_or_too_long_makes_no_container() {
    let made = make(&[7; 2 * CHUNK_BYTES]);
    let header = SignedHeader::read(&mut Cursor::new(&made.container)).unwrap();
    let write = |payload: &[u8]| {
        write_container(
            &header,
            &made.key,
            &mut Cursor::new(payload),
            &mut Vec::new(),
        )
    };
    assert!(matches!(
        write(&[7; 2 * CHUNK_BYTES - 1]),
        Err(PackageError::Unreadable(_))
    ));
    assert!(matches!(
        write(&[7; 2 * CHUNK_BYTES + 1]),
        Err(PackageError::WrongLength { .. })
    ));
}

#[test]
fn another_key_opens_nothing() {
    let made = make(b"secret");
    let share = Share::from_slice(&[1; 32]).unwrap();
    let wrong = DataKey::derive(b"another header", &share, &share);
    assert!(matches!(
        open(&made.container, &wrong),
        Err(PackageError::BadChunk(0))
    ));
}

#[test]
fn there_are_at_most_as_many_chunks_as_the_counter_has() {
    let key = make(b"x").key;
    let most = MAX_PAYLOAD_BYTES;
    assert_eq!(PayloadCipher::new(&key, most).unwrap().chunks(), u32::MAX);
    assert!(matches!(
        PayloadCipher::new(&key, most + 1),
        Err(PackageError::TooLong(length)) if length == most + 1
    ));
}

#[test]
fn the_payload_is_not_in_the_container() {
    let made = make(b"name,national number");
    assert!(
        !made
            .container
            .windows(15)
            .any(|window| window == b"national number")
    );
}

#[test]
fn a_header_in_another_spelling_is_refused() {
    let made = make(b"x");
    let header = SignedHeader::read(&mut Cursor::new(&made.container)).unwrap();
    let canonical = &header.bytes;
    // The map's length in one byte more: the same to a lenient reader (RFC 8949, 4.2).
    let mut lenient = vec![0xb8, 20];
    lenient.extend_from_slice(&canonical[1..]);
    assert_eq!(canonical[0], 0xb4);
    assert!(matches!(
        PackageHeader::from_bytes(&lenient),
        Err(PackageError::HeaderMalformed(_))
    ));
    let mut trailing = canonical.clone();
    trailing.push(0);
    assert!(PackageHeader::from_bytes(&trailing).is_err());
}

#[test]
fn a_header_with_an_impossible_usage_contract_or_share_is_refused() {
    let made = make(b"x");
    let good = SignedHeader::read(&mut Cursor::new(&made.container))
        .unwrap()
        .header;
    let changes: [fn(&mut PackageHeader); 6] = [
        |header| header.sensitivity = 2,
        |header| header.granted = 0x40,
        |header| header.exempt = 0x80,
        |header| header.environment = 3,
        |header| header.sealed_share.truncate(79),
        |header| header.sealed_share.push(0),
    ];
    for (position, change) in changes.into_iter().enumerate() {
        let mut header = good.clone();
        change(&mut header);
        assert!(
            matches!(
                PackageHeader::from_bytes(&header.to_bytes()),
                Err(PackageError::HeaderMalformed(_))
            ),
            "change {position}"
        );
    }
}

proptest! {
    #[test]
    fn no_bytes_panic_the_reader(bytes: Vec<u8>) {
        let _ = SignedHeader::read(&mut Cursor::new(&bytes));
        let with_magic = [b"MDSPKG01".as_slice(), &bytes].concat();
        let _ = SignedHeader::read(&mut Cursor::new(&with_magic));
        let _ = PackageHeader::from_bytes(&bytes);
    }
}
