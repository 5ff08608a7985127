//! An audit of a made-up ledger: its rate against signature checks and hashes alone, and the memory it takes.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use alloy_primitives::{Address, B256};
use anyhow::{Context, Result, bail, ensure};
use medshare_client::audit::audit_with;
use medshare_client::audit::made_up::{MadeUp, Plan};
use medshare_protocol::block::Block;
use medshare_protocol::digest::sha256d;
use medshare_protocol::id::Origin;
use medshare_protocol::origin::side_origin;
use rustix::time::{ClockId, clock_gettime};
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId, Signature};
use secp256k1::{Message, PublicKey, SECP256K1};
use serde::Serialize;

use crate::command::audit::say;
use crate::output::{self, Progress};

/// How long signature checks and hashes alone are measured, before the audit and after it.
const ALONE: Duration = Duration::from_secs(2);
/// Blocks whose signatures these are.
const SAMPLE: u32 = 256;
/// Bytes that are signed of a side-block (SPEC §1.6), and that its header has.
const SIGNED_BYTES: usize = 230;
const HEADER_BYTES: usize = 80;

/// How often a second, and how many microseconds of processor time each took.
#[derive(Clone, Copy, Serialize)]
struct Rate {
    a_second: f64,
    cpu_microseconds: f64,
}

#[derive(Serialize)]
struct Measured {
    blocks: u32,
    packages: u32,
    cores: usize,
    /// Signed, mined and written.
    built: Rate,
    audited: Rate,
    /// libsecp256k1's verification, and sha256d of what is signed and of the header.
    alone: Rate,
    /// Of blocks a second.
    ratio: f64,
    /// Of processor time: what the ratio would be if nobody else wanted the cores.
    cpu_ratio: f64,
    /// Of the whole process, the making of the ledger included.
    peak_mib: Option<f64>,
}

/// Time on the wall and on all processors.
struct Watch {
    wall: Instant,
    cpu: Duration,
}

impl Watch {
    fn start() -> Self {
        Self {
            wall: Instant::now(),
            cpu: cpu_time(),
        }
    }

    fn rate(&self, times: f64) -> Rate {
        let cpu = cpu_time().saturating_sub(self.cpu);
        Rate {
            a_second: times / self.wall.elapsed().as_secs_f64(),
            cpu_microseconds: cpu.as_secs_f64() * 1e6 / times,
        }
    }
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Measures an audit of so many blocks, of which `packages` are parent blocks.
pub async fn audit(blocks: u32, packages: u32, json: bool) -> Result<()> {
    ensure!(
        packages <= blocks,
        "there are more packages than blocks: every package has a parent block"
    );
    let plan = Plan {
        blocks,
        packages,
        requestors: packages.div_ceil(100),
        batch: 16,
    };
    let watch = Watch::start();
    let made = MadeUp::write(tempfile::tempfile()?, plan)?;
    let built = watch.rate(blocks.into());

    let sample = sample()?;
    let before = alone(&sample);
    let progress = Mutex::new(Progress::of_steps());
    let watch = Watch::start();
    let report = audit_with(&made, &made, &|at| say(&progress, at, "checked")).await?;
    let audited = watch.rate(blocks.into());
    drop(progress);
    let after = alone(&sample);
    if let Some(finding) = report.findings.first() {
        bail!("a made-up ledger is sound, and this was found: {finding}");
    }
    let alone = Rate {
        a_second: f64::midpoint(before.a_second, after.a_second),
        cpu_microseconds: f64::midpoint(before.cpu_microseconds, after.cpu_microseconds),
    };
    let measured = Measured {
        blocks,
        packages,
        cores: cores(),
        built,
        audited,
        alone,
        ratio: audited.a_second / alone.a_second,
        cpu_ratio: alone.cpu_microseconds / audited.cpu_microseconds,
        peak_mib: peak_mib(),
    };
    if json {
        output::json(&measured)
    } else {
        print(&measured)
    }
}

fn print(measured: &Measured) -> Result<()> {
    let line = |what: &str, rate: &Rate| {
        let (times, cpu) = (rate.a_second, rate.cpu_microseconds);
        output::line(format!("{what:<46} {times:>9.0} {cpu:>9.1}"))
    };
    output::line(format!(
        "{} blocks, {} of them packages; {} cores",
        measured.blocks, measured.packages, measured.cores
    ))?;
    output::line(format!("{:<46} {:>9} {:>9}", "", "a second", "CPU µs"))?;
    line("signed, mined and written", &measured.built)?;
    line("audited", &measured.audited)?;
    line(
        "libsecp256k1's verification and sha256d alone",
        &measured.alone,
    )?;
    let (ratio, cpu_ratio) = (measured.ratio, measured.cpu_ratio);
    output::line(format!("{:<46} {ratio:>9.2} {cpu_ratio:>9.2}", "ratio"))?;
    match measured.peak_mib {
        Some(peak) => output::line(format!("{:<46} {peak:>5.0} MiB", "most memory, all in all")),
        None => output::line("this system does not tell how much memory was taken"),
    }
}

/// What libsecp256k1 is given.
struct Signed {
    message: Message,
    signature: [u8; 64],
    key: PublicKey,
    record: Vec<u8>,
}

fn sample() -> Result<Vec<Signed>> {
    let plan = Plan {
        blocks: SAMPLE,
        packages: 1,
        requestors: 1,
        batch: 16,
    };
    let told = MadeUp::write(tempfile::tempfile()?, plan)?.told()?;
    let mut records = told.into_iter().flat_map(|(_, records)| records);
    let parent = records.next().context("the parent block comes first")?;
    let origin = side_origin(Block::from_bytes(&parent)?.leaf());
    records.map(|record| signed(record, origin)).collect()
}

fn signed(record: Vec<u8>, origin: Origin) -> Result<Signed> {
    let Block::Side(block) = Block::from_bytes(&record)? else {
        bail!("side-blocks follow")
    };
    let transaction = block.body.transaction;
    let message = Message::from_digest(block.body.signing_digest(origin).0);
    let signature = transaction.signature.0;
    Ok(Signed {
        message,
        signature,
        key: key_of(transaction.node, message, &signature).context("its node signed it")?,
        record,
    })
}

/// The node's key: a signature tells it but for the parity of a point.
fn key_of(node: Address, message: Message, signature: &[u8; 64]) -> Option<PublicKey> {
    [RecoveryId::Zero, RecoveryId::One]
        .into_iter()
        .filter_map(|id| RecoverableSignature::from_compact(signature, id).ok())
        .filter_map(|signature| SECP256K1.recover_ecdsa(message, &signature).ok())
        .find(|key| Address::from_raw_public_key(&key.serialize_uncompressed()[1..]) == node)
}

/// On all cores.
fn alone(sample: &[Signed]) -> Rate {
    let watch = Watch::start();
    let rounds = || {
        let mut blocks = 0_u32;
        while watch.wall.elapsed() < ALONE {
            for signed in sample {
                let hashes = check(signed);
                blocks += u32::from(std::hint::black_box(hashes).is_some());
            }
        }
        f64::from(blocks)
    };
    let blocks: f64 = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores()).map(|_| scope.spawn(rounds)).collect();
        threads
            .into_iter()
            .filter_map(|thread| thread.join().ok())
            .sum()
    });
    watch.rate(blocks)
}

fn check(signed: &Signed) -> Option<[B256; 2]> {
    let signature = Signature::from_compact(&signed.signature).ok()?;
    SECP256K1
        .verify_ecdsa(signed.message, &signature, &signed.key)
        .ok()?;
    let [preimage, header] = [SIGNED_BYTES, HEADER_BYTES].map(|bytes| &signed.record[..bytes]);
    Some([sha256d(&[preimage]), sha256d(&[header])])
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// The most memory that this process has had, as Linux tells it.
fn peak_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}
