//! Reading a mounted package against a FUSE mount with the same settings that hands out the bytes of a plain file, and
//! against that file itself: the same 512 MiB in one run, in turn; of each the fastest round counts.
//!
//! What is cold and what is warm: the kernel keeps no page of either mount when a round begins, for a mount's pages go each
//! time the file is opened. That it is so is counted: both are asked for every byte. Package and plain file themselves are in
//! the page cache, so that it is not the disk that is measured; the plain file is therefore memory to the last row.
//!
//! Pages at random: each page of the file once, and, sparsely, one page of every second chunk. A package has to authenticate a
//! chunk of 64 KiB for a page, and then gives the kernel all of it: what is sparse is the worst case of that.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used)]

mod plain;
#[path = "../../tests/suite/stage/mod.rs"]
#[allow(dead_code, unused_imports)]
mod stage;

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use alloy_primitives::B256;
use medshare_client::agent::DATA_FILE;
use medshare_client::download::stamp_of;
use medshare_client::mount::Mount;
use medshare_protocol::package::payload_hash;
use medshare_protocol::usage::Action;

use stage::{Stage, granting};

const ROUNDS: usize = 7;
const FILE_BYTES: usize = 512 << 20;
/// Of a sequential read.
const READ_BYTES: usize = 1 << 20;
const PAGE_BYTES: usize = 4 << 10;
const PAGES: usize = FILE_BYTES / PAGE_BYTES;
/// How many pages are read at random.
const ALL: usize = PAGES;
const SPARSE: usize = PAGES / 32;
/// Of the plain mount's speed, what is wanted.
const WANTED: f64 = 0.9;

/// A file of the three: how long reading takes.
struct Subject<'a> {
    path: &'a Path,
    /// Seconds of the fastest round: in order, all pages at random, few pages at random.
    best: [f64; 3],
}

impl<'a> Subject<'a> {
    const fn new(path: &'a Path) -> Self {
        Self {
            path,
            best: [f64::MAX; 3],
        }
    }

    fn measure(&mut self) {
        let round = [
            in_order(self.path),
            at_random(self.path, ALL),
            at_random(self.path, SPARSE),
        ];
        for (best, seconds) in self.best.iter_mut().zip(round) {
            *best = best.min(seconds);
        }
    }
}

fn in_order(path: &Path) -> f64 {
    let mut file = File::open(path).unwrap();
    let mut piece = vec![0; READ_BYTES];
    let (began, mut read) = (Instant::now(), 0);
    loop {
        match file.read(&mut piece).unwrap() {
            0 => break,
            count => read += count,
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    assert_eq!(read, FILE_BYTES);
    seconds
}

/// `count` pages, as far apart as they can be.
fn at_random(path: &Path, count: usize) -> f64 {
    let file = File::open(path).unwrap();
    let mut page = vec![0; PAGE_BYTES];
    let began = Instant::now();
    for read in 0..count {
        // An odd factor visits each place of a power of two once.
        let place = read.wrapping_mul(0x9e37_79b1) % count;
        let at = (place * (PAGES / count) * PAGE_BYTES) as u64;
        file.read_exact_at(&mut page, at).unwrap();
        assert_eq!(page[..8], at.to_le_bytes());
    }
    began.elapsed().as_secs_f64()
}

/// Every page says where it is.
fn payload() -> Vec<u8> {
    let mut payload = b"40-59,F,E11,2019".repeat(FILE_BYTES / 16);
    for (at, page) in payload.chunks_mut(PAGE_BYTES).enumerate() {
        page[..8].copy_from_slice(&(at as u64 * PAGE_BYTES as u64).to_le_bytes());
    }
    payload
}

#[tokio::main]
async fn main() {
    if !Path::new("/dev/fuse").exists() {
        println!("LEFT OUT: this machine has no /dev/fuse");
        return;
    }
    let payload = payload();
    let hash = payload_hash(B256::repeat_byte(8), &payload).0;
    let stage = Stage::holding(granting(&[Action::Read]), &payload, hash).await;
    let plain_file = stage.path("plain");
    fs::write(&plain_file, &payload).unwrap();
    drop(payload);
    let [ours_at, plain_at] = ["ours", "theirs"].map(|name| stage.path(name));
    fs::create_dir(&ours_at).unwrap();
    fs::create_dir(&plain_at).unwrap();
    let agent = stage.open().await.unwrap();
    checked(&stage).await;
    let mount = Mount::new(&agent, &ours_at).unwrap();
    let plain_mount = plain::mount(&plain_file, &plain_at);
    let measuring = tokio::task::spawn_blocking(move || {
        let paths = [
            ours_at.join(DATA_FILE),
            plain_at.join(plain::NAME),
            plain_file,
        ];
        let mut subjects: Vec<_> = paths.iter().map(|path| Subject::new(path)).collect();
        for _ in 0..ROUNDS {
            subjects.iter_mut().for_each(Subject::measure);
        }
        print(&subjects);
    });
    measuring.await.unwrap();
    let asked = plain_mount.unmount();
    let least = ROUNDS * (FILE_BYTES + (ALL + SPARSE) * PAGE_BYTES);
    assert!(
        asked >= least as u64,
        "the kernel remembered: it asked for {asked} bytes of {least}"
    );
    mount.end().await.unwrap();
}

/// The check of the payload hash, which runs beside the first use, is no part of this.
async fn checked(stage: &Stage) {
    let stamp = stamp_of(&stage.opening.container);
    loop {
        let text = fs::read_to_string(&stamp).unwrap_or_default();
        if text.contains("\"payload_checked\":true") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn print(subjects: &[Subject<'_>]) {
    let [ours, plain, file] = subjects else {
        return;
    };
    println!(
        "{} MiB, fastest of {ROUNDS} rounds; MB/s: package, plain mount, plain file; package / plain mount, wanted; / plain file",
        FILE_BYTES >> 20
    );
    let rows = [
        ("in order, 1 MiB", FILE_BYTES),
        ("every page once, at random", ALL * PAGE_BYTES),
        ("a page of every second chunk", SPARSE * PAGE_BYTES),
    ];
    for (at, (what, bytes)) in rows.into_iter().enumerate() {
        let [ours, plain, file] =
            [ours, plain, file].map(|subject| bytes as f64 / subject.best[at] / 1e6);
        println!(
            "{what:<28} {ours:>8.0} {plain:>8.0} {file:>8.0} {:>6.2}  >= {WANTED} {:>6.3}",
            ours / plain,
            ours / file
        );
    }
}
