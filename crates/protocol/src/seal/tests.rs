#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn only_the_key_the_use_and_the_context_open_it() {
    let secret = SealingSecret::generate().unwrap();
    let sealed = seal(secret.public(), SealedFor::Report, b"context", b"plain").unwrap();
    assert_eq!(sealed.len(), 5 + SEAL_OVERHEAD_BYTES);
    assert_eq!(
        &**open(&secret, SealedFor::Report, b"context", &sealed).unwrap(),
        b"plain"
    );
    let other = SealingSecret::generate().unwrap();
    for refused in [
        open(&other, SealedFor::Report, b"context", &sealed),
        open(&secret, SealedFor::Peer, b"context", &sealed),
        open(&secret, SealedFor::Report, b"another", &sealed),
    ] {
        assert_eq!(refused.unwrap_err(), SealError::NotForThisKey);
    }
}

#[test]
fn every_changed_byte_of_a_sealed_message_is_found() {
    let secret = SealingSecret::from_bytes([7; 32]);
    let sealed = seal(secret.public(), SealedFor::Peer, b"", b"plain").unwrap();
    for position in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[position] ^= 1;
        assert!(
            open(&secret, SealedFor::Peer, b"", &changed).is_err(),
            "byte {position}"
        );
    }
    assert_eq!(
        open(&secret, SealedFor::Peer, b"", &sealed[..47]).unwrap_err(),
        SealError::TooShort(47)
    );
}

#[test]
fn a_key_of_small_order_is_refused() {
    assert_eq!(
        seal(B256::ZERO, SealedFor::Peer, b"", b"plain").unwrap_err(),
        SealError::BadKey
    );
}

#[test]
fn secrets_do_not_print() {
    let secret = SealingSecret::from_bytes([0xab; 32]);
    assert_eq!(format!("{secret:?}"), "SealingSecret(…)");
    let share = Share::from_slice(&[0xab; 32]).unwrap();
    assert_eq!(format!("{share:?}"), "Share(…)");
    assert_eq!(
        format!("{:?}", DataKey::derive(b"h", &share, &share)),
        "DataKey(…)"
    );
}

#[test]
fn both_shares_and_the_header_make_the_key() {
    let a = Share::from_slice(&[1; 32]).unwrap();
    let b = Share::from_slice(&[2; 32]).unwrap();
    let key = |header: &[u8], r: &Share, c: &Share| *DataKey::derive(header, r, c).key;
    let right = key(b"header", &a, &b);
    assert_eq!(right, key(b"header", &a, &b));
    assert_ne!(right, key(b"headex", &a, &b));
    assert_ne!(right, key(b"header", &b, &a));
    assert_ne!(right, key(b"header", &a, &a));
}

/// RFC 9180's own vector for this suite, through the code that opens everything here; and nothing beside it.
#[test]
fn the_rfcs_own_message_opens() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../test/vectors/hpke.json");
    let vector: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let bytes =
        |value: &serde_json::Value| alloy_primitives::hex::decode(value.as_str().unwrap()).unwrap();
    let secret = SealingSecret::from_bytes(bytes(&vector["recipient_secret"]).try_into().unwrap());
    assert_eq!(secret.public().to_vec(), bytes(&vector["recipient_public"]));
    let info = bytes(&vector["info"]);
    let sealed = |message: &serde_json::Value| {
        [
            bytes(&vector["encapsulated"]),
            bytes(&message["ciphertext"]),
        ]
        .concat()
    };
    let (first, second) = (&vector["messages"][0], &vector["messages"][1]);
    let (context, message) = (bytes(&first["aad"]), sealed(first));
    let opened = open_with(&secret, &info, &context, &message).unwrap();
    assert_eq!(*opened, bytes(&first["plaintext"]));
    for position in 0..message.len() {
        let mut changed = message.clone();
        changed[position] ^= 1;
        assert!(
            open_with(&secret, &info, &context, &changed).is_err(),
            "byte {position}"
        );
    }
    // One message a context: what was sealed as a second one is none.
    let later = open_with(&secret, &info, &bytes(&second["aad"]), &sealed(second));
    assert_eq!(later.unwrap_err(), SealError::NotForThisKey);
}
