//! What an audit holds does not grow with the blocks of a chain. A program of its own, with one test: it counts every
//! byte that this process has allocated.
#![allow(clippy::unwrap_used)]

use std::alloc::System;
use std::fs::File;
use std::sync::Mutex;

use cap::Cap;
use medshare_chain::Event;
use medshare_client::audit::auditor::leaves;
use medshare_client::audit::made_up::{MadeUp, Plan};
use medshare_client::audit::{AuditProgress, Auditor, ContractView, Files, Records, audit_with};
use medshare_protocol::block::Place;
use medshare_protocol::digest::sha256d;
use medshare_protocol::id::PackageId;

#[global_allocator]
static ALLOCATED: Cap<System> = Cap::new(System, usize::MAX);

const LONG_CHAINS: Plan = Plan {
    blocks: 24_000,
    packages: 2,
    requestors: 1,
    batch: 50,
};
/// More than are kept in memory: of these, of their threads as well, all but a name lies in a file.
const MORE_PACKAGES: Plan = Plan {
    blocks: 40_000,
    packages: 40_000,
    requestors: 40_000,
    batch: 1,
};
const MANY_PACKAGES: Plan = Plan {
    blocks: 12_000,
    packages: 4_000,
    requestors: 2,
    batch: 50,
};

fn made(plan: Plan) -> MadeUp {
    MadeUp::write(tempfile::tempfile().unwrap(), plan).unwrap()
}

/// Bytes that an auditor holds after each event, when nothing else is held: packages, blocks, bytes.
async fn kept(plan: Plan) -> Vec<(usize, usize, usize)> {
    let made = made(plan);
    let last = made.newest_block().await.unwrap();
    let mut kept = Vec::with_capacity(usize::try_from(last).unwrap() + 1);
    let before = ALLOCATED.allocated();
    let mut auditor = Auditor::new(made.domain().clone(), made.name());
    let (mut packages, mut blocks) = (0, 0);
    for block in 0..=last {
        for event in made.events(block, block).await.unwrap() {
            let mut records = Vec::new();
            for leaf in leaves(&event.event) {
                let place = Place::Parent(PackageId::default());
                records.push(made.fetch(leaf, place).await.unwrap());
            }
            blocks += records.len();
            packages += usize::from(matches!(event.event, Event::PackageIssued(_)));
            auditor.take(&event, records).unwrap();
        }
        kept.push((packages, blocks, ALLOCATED.allocated() - before));
    }
    assert_eq!(auditor.findings(), []);
    assert_eq!(auditor.packages().len(), packages);
    assert_eq!(blocks, plan.blocks as usize);
    kept
}

/// Bytes that are held while an audit runs, queues and all.
async fn held(plan: Plan) -> Vec<usize> {
    let made = made(plan);
    let held = Mutex::new(Vec::new());
    let note = |_: AuditProgress| held.lock().unwrap().push(ALLOCATED.allocated());
    let report = audit_with(&made, &made, &note).await.unwrap();
    assert_eq!(report.findings, []);
    held.into_inner().unwrap()
}

/// Bytes for each of so many files that no block commits to.
fn of_files(count: u32) -> usize {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..count {
        let package = PackageId(sha256d(&[&number.to_le_bytes()]));
        File::create(folder.path().join(format!("{package}-1.report"))).unwrap();
    }
    let before = ALLOCATED.allocated();
    let files = Files::in_folder(folder.path()).unwrap();
    assert_eq!(files.count(), u64::from(count));
    (ALLOCATED.allocated() - before) / count as usize
}

#[tokio::test]
async fn what_an_audit_holds_grows_with_packages_and_not_with_blocks() {
    // The first package's chain of 12,000 blocks, from its first hundred on: whatever grows by doubling does so here.
    let long = kept(LONG_CHAINS).await;
    let of_first: Vec<_> = long
        .iter()
        .filter(|(packages, ..)| *packages == 1)
        .collect();
    let (first, last) = (of_first[2], of_first[of_first.len() - 1]);
    assert!(last.1 - first.1 > 10_000);
    let growth = last.2.saturating_sub(first.2);
    // Peaks of the log, one hash for each doubling, and what the runtime's threads allocate now and then: far from a byte
    // of each block.
    assert!(
        growth < last.1 - first.1,
        "{growth} bytes more after {} blocks",
        last.1 - first.1
    );

    let many = kept(MANY_PACKAGES).await;
    let (packages, _, bytes) = many[many.len() - 1];
    let each = bytes / packages;
    println!("{each} bytes a package");
    assert!((200..650).contains(&each), "{each} bytes a package");

    // From 20,000 on, when both the first threads and the first packages fill their room.
    let more = kept(MORE_PACKAGES).await;
    let at = |count| {
        more.iter()
            .find(|(packages, ..)| *packages == count)
            .unwrap()
            .2
    };
    let each = (at(40_000) - at(20_000)) / 20_000;
    println!("{each} bytes a package and its thread that lie in the file");
    assert!(each < 140, "{each} bytes a package and its thread");

    // 64 in a list that grows by doubling; the path, three times as long, lies in the file.
    let each = of_files(10_000);
    println!("{each} bytes a file");
    assert!(each < 130, "{each} bytes a file");

    let held = held(LONG_CHAINS).await;
    let (early, late) = held.split_at(held.len() / 2);
    let [early, late] = [early, late].map(|held| *held.iter().max().unwrap());
    println!("{early} bytes at most, then {late}");
    assert!(early < 8_000_000 && late < 8_000_000, "{held:?}");
}
