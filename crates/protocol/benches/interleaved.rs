//! The same work as in `ledger`, on one core, subject and baselines in turn, many times: of each the fastest run counts.
//! Whatever else wants the core makes runs slower and none faster, so these ratios hold on a busy machine too.
#![allow(missing_docs, clippy::unwrap_used)]

mod chains;
mod work;

use std::time::Instant;

use work::{BLOCKS, Mining, Verification, build, k256, libsecp256k1, sign};

const ROUNDS: usize = 300;

/// Microseconds that one of `count` things takes, in the fastest round, for each of these pieces of work.
fn fastest<const N: usize>(count: u32, work: [&dyn Fn(); N]) -> [f64; N] {
    let mut best = [f64::MAX; N];
    for _ in 0..ROUNDS {
        for (best, work) in best.iter_mut().zip(work) {
            let began = Instant::now();
            work();
            *best = best.min(began.elapsed().as_secs_f64() * 1e6 / f64::from(count));
        }
    }
    best
}

fn say(what: &str, subject: f64, baseline: f64, wanted: &str) {
    let ratio = baseline / subject;
    println!("{what:<58} {subject:>8.3} {baseline:>8.3} {ratio:>6.2}  {wanted}");
}

fn main() {
    println!("one core, fastest of {ROUNDS} rounds; microseconds: subject, baseline; ratio");
    let verify = Verification::new();
    let [ledger, alone] = fastest(BLOCKS, [&|| verify.ledger(), &|| verify.alone()]);
    say(
        "verify a ledger / verification and sha256d alone",
        ledger,
        alone,
        ">= 0.85",
    );
    let (slow, fast) = (k256(), libsecp256k1());
    let [k256, k256_alone, libsecp256k1, libsecp256k1_alone] = fastest(
        BLOCKS,
        [&|| build(&slow), &|| sign(&slow), &|| build(&fast), &|| {
            sign(&fast)
        }],
    );
    say(
        "build blocks / sign alone, k256",
        k256,
        k256_alone,
        ">= 0.8",
    );
    say(
        "build blocks / sign alone, libsecp256k1",
        libsecp256k1,
        libsecp256k1_alone,
        ">= 0.8",
    );
    let mine = Mining::new();
    let [midstate, plain] = fastest(mine.hashes, [&|| mine.midstate(), &|| mine.plain()]);
    say(
        "mine with the midstate / sha2 over 80 bytes",
        midstate,
        plain,
        ">= 1.5",
    );
}
