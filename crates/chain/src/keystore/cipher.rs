//! Opening and sealing, as Web3 Secret Storage v3 says: scrypt, AES-128-CTR, keccak256 over half of the derived key and
//! the ciphertext.

use aes::Aes128;
use alloy::primitives::{B256, keccak256};
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use zeroize::Zeroizing;

use super::file::{Crypto, Scrypt};

/// Cost of files that are written here: 128 MiB and a third of a second. geth takes twice, eth-keystore (`cast`) a
/// sixteenth of it.
const COST: Scrypt = Scrypt {
    log_n: 17,
    r: 8,
    p: 1,
};
/// Salt and initialisation vector.
pub(super) const RANDOM_BYTES: usize = 32 + 16;

/// The secret; nothing when the passphrase is not the one.
pub(super) fn open(crypto: &Crypto, passphrase: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let key = derive(passphrase, &crypto.salt, crypto.scrypt);
    if mac(&key, &crypto.ciphertext) != crypto.mac {
        return None;
    }
    let mut secret = Zeroizing::new(crypto.ciphertext);
    apply(&key, &crypto.iv, secret.as_mut_slice());
    Some(secret)
}

/// Seals `secret`; `random` is fresh.
pub(super) fn seal(secret: &[u8; 32], passphrase: &[u8], random: &[u8; RANDOM_BYTES]) -> Crypto {
    let (salt, iv) = random.split_at(32);
    let iv: [u8; 16] = iv.try_into().expect("16 bytes are left");
    let key = derive(passphrase, salt, COST);
    let mut ciphertext = *secret;
    apply(&key, &iv, &mut ciphertext);
    Crypto {
        iv,
        ciphertext,
        scrypt: COST,
        salt: salt.to_vec(),
        mac: mac(&key, &ciphertext),
    }
}

fn derive(passphrase: &[u8], salt: &[u8], cost: Scrypt) -> Zeroizing<[u8; 32]> {
    let parameters = scrypt::Params::new(cost.log_n, cost.r, cost.p).expect("checked in `file`");
    let mut key = Zeroizing::new([0; 32]);
    scrypt::scrypt(passphrase, salt, &parameters, key.as_mut_slice())
        .expect("32 bytes is a length that scrypt gives");
    key
}

fn apply(key: &[u8; 32], iv: &[u8; 16], bytes: &mut [u8]) {
    let key: &[u8; 16] = key.first_chunk().expect("32 bytes have 16");
    Ctr128BE::<Aes128>::new(key.into(), iv.into()).apply_keystream(bytes);
}

fn mac(key: &[u8; 32], ciphertext: &[u8; 32]) -> B256 {
    let mut message = Zeroizing::new([0; 48]);
    message[..16].copy_from_slice(&key[16..]);
    message[16..].copy_from_slice(ciphertext);
    keccak256(message.as_slice())
}
