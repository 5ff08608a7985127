#![allow(clippy::unwrap_used)]

use super::*;
use crate::peer::ValidationRequest;
use alloy_primitives::Bytes;
use medshare_protocol::form;
use medshare_protocol::typed::{AccessRequest, Selection};
use medshare_protocol::usage::{Actions, Environment, Sensitivity, UsageContract};
use medshare_protocol::wire::SignedRequest;
use proptest::prelude::*;

const NOW: u64 = 1_700_000_000_000;

fn domain() -> Domain {
    Domain::new(31_337, Address::repeat_byte(9))
}

fn key(byte: u8) -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&B256::repeat_byte(byte)).unwrap()
}

fn request() -> ValidationRequest {
    let node = key(1).address();
    let purpose = "HRESCH".parse().unwrap();
    ValidationRequest {
        signed_request: SignedRequest {
            request: AccessRequest {
                requestor: Address::repeat_byte(3),
                custodian: Address::repeat_byte(4),
                dataset: B256::repeat_byte(5),
                purpose: B256::repeat_byte(6),
                selection: Selection {
                    fields: vec!["age".into(), "größe".into()],
                    filter: r#"{"age":["30"]}"#.into(),
                },
                salt: B256::repeat_byte(7),
                deadline: NOW,
            },
            signature: Bytes::from(vec![8; 65]),
        },
        descriptor_bytes: b"{}".to_vec(),
        form: vec![form::received(NOW, node, Address::repeat_byte(3), purpose)],
        payload: b"age\n30\n".to_vec(),
        payload_salt: B256::repeat_byte(10),
        usage: UsageContract {
            sensitivity: Sensitivity::High,
            granted: Actions(1),
            exempt: Actions(2),
            environment: Environment::Sandbox,
            expiry: NOW + 1,
            contract_key: B256::repeat_byte(11),
        },
        release_version: B256::repeat_byte(12),
    }
}

fn sealed_to(secret: &SealingSecret, plain: &[u8]) -> Vec<u8> {
    let recipient = (key(2).address(), secret.public());
    seal(&domain(), &key(1), recipient, NOW + 1_000, plain).unwrap()
}

#[test]
fn work_and_blocks_arrive_as_they_were_sent() {
    let secret = SealingSecret::from_bytes([7; 32]);
    let envelope = sealed_to(&secret, &message::encode_validation(&request()));
    let parts = Parts::read(&envelope).unwrap();
    parts.check(&domain(), key(2).address(), NOW).unwrap();
    assert_eq!(parts.sender, key(1).address());
    assert_eq!(
        parts.open(&secret).unwrap(),
        Content::Validation(Box::new(request()))
    );
    let envelope = sealed_to(&secret, &message::encode_block(b"record"));
    assert_eq!(
        Parts::read(&envelope).unwrap().open(&secret).unwrap(),
        Content::Block(b"record".to_vec())
    );
}

#[test]
fn nobody_else_can_read_it_and_nothing_shows_through() {
    let secret = SealingSecret::from_bytes([7; 32]);
    let envelope = sealed_to(&secret, &message::encode_validation(&request()));
    let parts = Parts::read(&envelope).unwrap();
    let other = SealingSecret::from_bytes([8; 32]);
    assert_eq!(
        parts.open(&other).unwrap_err(),
        EnvelopeError::Seal(SealError::NotForThisKey)
    );
    assert!(!envelope.windows(7).any(|window| window == b"age\n30\n"));
    let shown = format!("{:?}", request());
    assert!(
        !shown.contains("age") && !shown.contains("[97, 103"),
        "{shown}"
    );
}

#[test]
fn each_fault_is_named() {
    let secret = SealingSecret::from_bytes([7; 32]);
    let envelope = sealed_to(&secret, b"anything");
    let parts = Parts::read(&envelope).unwrap();
    let me = key(2).address();
    let elsewhere = Domain::new(1, Address::repeat_byte(9));
    assert_eq!(
        parts.check(&domain(), key(3).address(), NOW),
        Err(EnvelopeError::OtherRecipient {
            expected: key(3).address(),
            actual: me
        })
    );
    for time in [NOW + 1_001, NOW + 1_000 - MAX_MESSAGE_LIFETIME_MS - 1] {
        assert_eq!(
            parts.check(&domain(), me, time),
            Err(EnvelopeError::Deadline {
                deadline: NOW + 1_000,
                time
            })
        );
    }
    assert_eq!(parts.check(&domain(), me, NOW + 1_000), Ok(()));
    let bad_signature = Err(EnvelopeError::BadSignature(key(1).address()));
    assert_eq!(parts.check(&elsewhere, me, NOW), bad_signature);
    assert!(matches!(
        parts.open(&secret),
        Err(EnvelopeError::Malformed(_))
    ));
    let mut longer = envelope.clone();
    longer.push(0);
    assert!(matches!(
        Parts::read(&longer),
        Err(EnvelopeError::Malformed(_))
    ));
    let small_order = seal(&domain(), &key(1), (me, B256::ZERO), NOW, b"");
    assert_eq!(
        small_order.unwrap_err(),
        EnvelopeError::Seal(SealError::BadKey)
    );
}

#[test]
fn no_byte_of_an_envelope_can_be_changed_unseen() {
    let secret = SealingSecret::from_bytes([7; 32]);
    let envelope = sealed_to(&secret, &message::encode_block(b"record"));
    for position in 0..envelope.len() {
        let mut changed = envelope.clone();
        changed[position] ^= 1;
        let taken = Parts::read(&changed).is_ok_and(|parts| {
            parts.check(&domain(), key(2).address(), NOW).is_ok() && parts.open(&secret).is_ok()
        });
        assert!(!taken, "byte {position}");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        let _ = Parts::read(&bytes).map(|parts| parts.check(&domain(), key(2).address(), NOW).is_ok());
        let _ = message::decode(&bytes);
    }

    #[test]
    fn a_message_with_a_changed_or_missing_end_is_refused_or_another(cut in 0_usize..400, flip in 0_usize..400) {
        let plain = message::encode_validation(&request());
        let cut_off = &plain[..cut.min(plain.len() - 1)];
        prop_assert!(message::decode(cut_off).is_err());
        let mut changed = plain.clone();
        let position = flip % plain.len();
        changed[position] ^= 0x40;
        if let Ok(content) = message::decode(&changed) {
            prop_assert_ne!(content, Content::Validation(Box::new(request())));
        }
    }
}
