//! Sealing a file into a package and opening it again, file to file, against `rage` on the same file, in turn: of each the
//! fastest run counts. `rage` and `rage-keygen` are looked for in PATH. Neither side waits for the disk (no fsync); TMPDIR
//! in memory leaves the disk out altogether.
//!
//! The payload hash of a package is known before it is sealed: the node has it from the validation. It is checked while the
//! package is opened, as the agent does, on a second thread.
#![allow(missing_docs, clippy::unwrap_used)]

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use alloy_primitives::{Address, B256};
use alloy_signer_local::PrivateKeySigner;
use medshare_client::content::{Checked, Content, ContentError, PayloadCheck};
use medshare_client::spool::overlay_of;
use medshare_protocol::digest::Sha256d;
use medshare_protocol::package::{PackageHeader, SignedHeader, write_container};
use medshare_protocol::seal::{DataKey, Share};

const ROUNDS: usize = 5;
const FILE_BYTES: u64 = 512 << 20;
/// Of rage's speed, what is wanted.
const WANTED: f64 = 2.0;

fn seconds(work: impl FnOnce()) -> f64 {
    let began = Instant::now();
    work();
    began.elapsed().as_secs_f64()
}

/// Seconds until a file is written that was not there: freeing an old one is neither's work.
fn to_new(file: &Path, work: impl FnOnce()) -> f64 {
    let _ = std::fs::remove_file(file);
    seconds(work)
}

/// The header of a package of this file; the shares are zeros.
fn header(plain: &Path) -> SignedHeader {
    let mut hash = Sha256d::default();
    hash.update(B256::ZERO.as_slice());
    let (mut file, mut piece) = (File::open(plain).unwrap(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut piece).unwrap() {
            0 => break,
            count => hash.update(&piece[..count]),
        }
    }
    let signer = PrivateKeySigner::random();
    let header = PackageHeader {
        dataset: B256::ZERO,
        package: B256::ZERO,
        node: signer.address(),
        owner: Address::ZERO,
        requestor: Address::ZERO,
        payload_hash: hash.finish(),
        payload_salt: B256::ZERO,
        payload_length: FILE_BYTES,
        media_type: "text/csv".into(),
        verifier: Address::ZERO,
        processed: 0,
        chain_id: 1,
        contract: Address::ZERO,
        sensitivity: 1,
        granted: 1,
        exempt: 0,
        environment: 0,
        expiry: 0,
        contract_key: B256::ZERO,
        sealed_share: vec![0; 80],
    };
    header.sign(&signer).unwrap()
}

fn key(header: &SignedHeader) -> DataKey {
    let share = Share::from_slice(&[0; 32]).unwrap();
    DataKey::derive(&header.bytes, &share, &share)
}

fn seal(header: &SignedHeader, plain: &Path, package: &Path) {
    let mut plain = File::open(plain).unwrap();
    let mut package = File::create(package).unwrap();
    write_container(header, &key(header), &mut plain, &mut package).unwrap();
}

fn open(header: &SignedHeader, package: &Path, opened: &Path) {
    let file = File::open(package).unwrap();
    let content = Content::open(file, header, &key(header), overlay_of(package)).unwrap();
    let mut opened = File::create(opened).unwrap();
    std::thread::scope(|scope| {
        let checking = scope.spawn(|| {
            let mut check = PayloadCheck::new(&header.header);
            while check.step(&content).unwrap() == Checked::More {}
        });
        content
            .copy_to(|bytes| {
                opened.write_all(bytes).unwrap();
                Ok::<_, ContentError>(())
            })
            .unwrap();
        checking.join().unwrap();
    });
}

fn rage(arguments: &[&str], from: &Path, to: &Path) {
    let mut command = Command::new("rage");
    let done = command.args(arguments).arg("-o").arg(to).arg(from).status();
    assert!(done.unwrap().success());
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let [plain, package, opened, aged, identity] =
        ["plain", "package.mds", "opened", "plain.age", "identity"]
            .map(|name| folder.path().join(name));
    // What compresses or not makes no difference to either.
    let line = b"40-59,F,E11,2019,Brussels\n".repeat(1 << 16);
    let mut file = File::create(&plain).unwrap();
    let mut left = FILE_BYTES;
    while left > 0 {
        let count = left.min(line.len() as u64);
        file.write_all(&line[..usize::try_from(count).unwrap()])
            .unwrap();
        left -= count;
    }
    let header = header(&plain);
    let made = Command::new("rage-keygen")
        .arg("-o")
        .arg(&identity)
        .stderr(Stdio::null())
        .status();
    let has_rage = made.is_ok_and(|status| status.success());
    let recipient = if has_rage {
        let text = std::fs::read_to_string(&identity).unwrap();
        let found = text
            .lines()
            .find_map(|line| line.strip_prefix("# public key: "));
        found.unwrap().to_owned()
    } else {
        println!("rage is not in PATH: nothing to compare with");
        String::new()
    };
    let mut best = [f64::MAX; 4];
    for _ in 0..ROUNDS {
        let mut round = [f64::NAN; 4];
        round[0] = to_new(&package, || seal(&header, &plain, &package));
        round[2] = to_new(&opened, || open(&header, &package, &opened));
        if has_rage {
            round[1] = to_new(&aged, || rage(&["-r", &recipient], &plain, &aged));
            let identity = identity.to_str().unwrap();
            round[3] = to_new(&opened, || rage(&["-d", "-i", identity], &aged, &opened));
        }
        best.iter_mut()
            .zip(round)
            .for_each(|(best, time)| *best = best.min(time));
    }
    assert_eq!(std::fs::metadata(&opened).unwrap().len(), FILE_BYTES);
    println!(
        "{} MiB, file to file, fastest of {ROUNDS} rounds; MB/s: package, rage; ratio",
        FILE_BYTES >> 20
    );
    for (what, [ours, theirs]) in [("seal", [best[0], best[1]]), ("open", [best[2], best[3]])] {
        let speed = |seconds: f64| FILE_BYTES as f64 / seconds / 1e6;
        let theirs = if has_rage { speed(theirs) } else { f64::NAN };
        let ours = speed(ours);
        println!(
            "{what:<6} {ours:>8.0} {theirs:>8.0} {:>6.2}  >= {WANTED}",
            ours / theirs
        );
    }
}
