//! AES-256-GCM over chunks of a package, by three libraries in turn: of each the fastest run counts. Whatever else wants the
//! core makes runs slower and none faster. OpenSSL stands beside them, as `openssl speed` measures it, in the same run.
#![allow(missing_docs, clippy::unwrap_used)]

use std::process::Command;
use std::time::Instant;

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit};
use medshare_protocol::package::CHUNK_BYTES;
use medshare_protocol::package::aead::Cipher;

const ROUNDS: usize = 200;
/// Chunks in a round: 4 MiB.
const CHUNKS: usize = 64;
const KEY: [u8; 32] = [7; 32];
/// What is measured uses each nonce once a round only; nothing secret is in it.
const NONCE: [u8; 12] = [9; 12];
/// Of OpenSSL's speed, what is wanted.
const WANTED: f64 = 0.8;

/// Encrypts one chunk.
type Work<'a> = &'a mut dyn FnMut(&mut [u8]);

/// GB a second in the fastest round, for each of these pieces of work on one chunk.
fn fastest<const N: usize>(mut work: [Work<'_>; N]) -> [f64; N] {
    let mut chunk = vec![1; CHUNK_BYTES];
    let mut best = [f64::MAX; N];
    for _ in 0..ROUNDS {
        for (best, work) in best.iter_mut().zip(&mut work) {
            let began = Instant::now();
            for _ in 0..CHUNKS {
                work(&mut chunk);
            }
            *best = best.min(began.elapsed().as_secs_f64());
        }
    }
    best.map(|seconds| (CHUNKS * CHUNK_BYTES) as f64 / seconds / 1e9)
}

/// `openssl speed`'s figure for 64 KiB, GB a second.
fn openssl() -> Option<f64> {
    let arguments = "speed -mr -seconds 1 -bytes 65536 -evp aes-256-gcm";
    let said = Command::new("openssl").args(arguments.split(' ')).output();
    let said = String::from_utf8(said.ok()?.stdout).ok()?;
    // +F:22:AES-256-GCM:4400000000.00
    let figure = said.lines().find(|line| line.starts_with("+F:"))?;
    let bytes: f64 = figure.rsplit(':').next()?.parse().ok()?;
    Some(bytes / 1e9)
}

fn main() {
    let aes_gcm = Aes256Gcm::new(&KEY.into());
    let ring = {
        use ring::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &KEY).unwrap())
    };
    let cipher = Cipher::new(&KEY);
    let before = openssl();
    let figures = fastest([
        &mut |chunk| {
            let tag = aes_gcm.encrypt_inout_detached(&NONCE.into(), b"", chunk.into());
            let _tag = tag.unwrap();
        },
        &mut |chunk| {
            use ring::aead::{Aad, Nonce};
            let nonce = Nonce::assume_unique_for_key(NONCE);
            let tag = ring.seal_in_place_separate_tag(nonce, Aad::empty(), chunk);
            let _tag = tag.unwrap();
        },
        &mut |chunk| {
            cipher.seal(NONCE, b"", chunk).unwrap();
        },
        // With a key that is expanded for each chunk, as the agent does: the schedule outlives none.
        &mut |chunk| {
            Cipher::new(&KEY).seal(NONCE, b"", chunk).unwrap();
        },
    ]);
    // Twice, around the others: the faster one is the bar.
    let openssl = before.into_iter().chain(openssl()).reduce(f64::max);
    println!(
        "AES-256-GCM, chunks of 64 KiB, one core, fastest of {ROUNDS} rounds; GB/s; against openssl"
    );
    // The last two are what packages are encrypted with.
    let wanted = format!("  >= {WANTED}");
    let names = [
        ("aes-gcm", ""),
        ("ring", ""),
        ("aws-lc-rs", &wanted),
        ("aws-lc-rs, key anew a chunk", &wanted),
    ];
    for ((name, wanted), figure) in names.iter().zip(figures) {
        let ratio = openssl.map_or(f64::NAN, |openssl| figure / openssl);
        println!("{name:<30} {figure:>6.2} {ratio:>6.2}{wanted}");
    }
    match openssl {
        Some(figure) => println!("{:<30} {figure:>6.2}", "openssl speed"),
        None => println!("openssl is not here: nothing to compare with"),
    }
}
