//! Project Wycheproof's cases against what signs and encrypts here: secp256k1 by recovery and by verification, AES-256-GCM.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use alloy_primitives::{Address, B256};
use medshare_protocol::block::{NodeSignature, is_signed_by};
use medshare_protocol::package::aead::Cipher;
use medshare_protocol::typed::recover;

use crate::vectors::{bytes, cases, parsed, read};

/// A signature is right when it is the account's with one of the two v that there are.
#[test]
fn signatures_are_judged_as_wycheproof_judges_them() {
    let file = read("wycheproof-ecdsa.json");
    for case in cases(&file["tests"], 329) {
        let (account, digest) = (
            parsed::<Address>(case, "account"),
            parsed::<B256>(case, "digest"),
        );
        let accepted = [27, 28].iter().any(|v| {
            let signature = [bytes(case, "signature").as_slice(), &[*v]].concat();
            recover(digest, &signature) == Some(account)
        });
        assert_eq!(accepted, case["valid"], "{case}");
    }
}

/// By recovery where the key is unknown, and by verification where it was found before.
#[test]
fn signatures_without_v_are_judged_as_wycheproof_judges_them() {
    let file = read("wycheproof-ecdsa.json");
    for case in cases(&file["tests"], 329) {
        let (account, digest) = (parsed(case, "account"), parsed(case, "digest"));
        let signature = NodeSignature::try_from(bytes(case, "signature").as_slice());
        for _ in 0..2 {
            let accepted = signature
                .as_ref()
                .is_ok_and(|signature| is_signed_by(account, digest, signature));
            assert_eq!(accepted, case["valid_in_a_body"], "{case}");
        }
    }
}

#[test]
fn ciphertexts_are_judged_as_wycheproof_judges_them() {
    let file = read("wycheproof-aes-gcm.json");
    for case in cases(&file["tests"], 66) {
        let cipher = Aes256Gcm::new_from_slice(&bytes(case, "key")).unwrap();
        let nonce: [u8; 12] = bytes(case, "nonce").try_into().unwrap();
        let (aad, plaintext) = (bytes(case, "aad"), bytes(case, "plaintext"));
        let sealed = [bytes(case, "ciphertext"), bytes(case, "tag")].concat();
        let opened = cipher.decrypt(
            &nonce.into(),
            Payload {
                msg: &sealed,
                aad: &aad,
            },
        );
        let made = cipher.encrypt(
            &nonce.into(),
            Payload {
                msg: &plaintext,
                aad: &aad,
            },
        );
        let valid = case["valid"].as_bool().unwrap();
        assert_eq!(opened.ok(), valid.then_some(plaintext.clone()), "{case}");
        assert_eq!(made.unwrap() == sealed, valid, "{case}");

        // What packages are encrypted with.
        let cipher = Cipher::new(&bytes(case, "key").try_into().unwrap());
        let mut opening = sealed.clone();
        let opened = cipher.open(nonce, &aad, &mut opening);
        let opened = opened.ok().map(|plain| plain.to_vec());
        assert_eq!(opened, valid.then_some(plaintext.clone()), "{case}");
        let mut made = plaintext;
        let tag = cipher.seal(nonce, &aad, &mut made).unwrap();
        made.extend_from_slice(&tag);
        assert_eq!(made == sealed, valid, "{case}");
    }
}
