//! What an audit holds does not grow with the blocks of a chain. A program of its own, with one test: it counts every
//! byte that this process has allocated.
#![allow(clippy::unwrap_used)]

use std::alloc::System;
use std::sync::Mutex;

use cap::Cap;
use medshare_client::audit::made_up::{MadeUp, Plan};
use medshare_client::audit::{AuditProgress, audit_with};

#[global_allocator]
static ALLOCATED: Cap<System> = Cap::new(System, usize::MAX);

/// Blocks seen, and bytes that were allocated then.
type Held = Vec<(u64, usize)>;

/// What is held while an audit goes through such a ledger.
fn held(plan: Plan) -> Held {
    let made = MadeUp::write(tempfile::tempfile().unwrap(), plan).unwrap();
    let held = Mutex::new(Held::new());
    let note = |at: AuditProgress| {
        held.lock()
            .unwrap()
            .push((at.blocks, ALLOCATED.allocated()))
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let report = runtime.block_on(audit_with(&made, &made, &note)).unwrap();
    assert_eq!(report.findings, []);
    assert_eq!(
        report.parent_blocks + report.side_blocks,
        u64::from(plan.blocks)
    );
    held.into_inner().unwrap()
}

fn most(held: &[(u64, usize)]) -> usize {
    held.iter().map(|(_, bytes)| *bytes).max().unwrap()
}

#[test]
fn what_an_audit_holds_grows_with_packages_and_not_with_blocks() {
    let mut plan = Plan {
        blocks: 24_000,
        packages: 4,
        requestors: 2,
        batch: 50,
    };
    let long_chains = held(plan);
    // The first thousands fill the queues. What is held of one block, if only its 32-byte hash, shows behind them.
    let (_, behind) = long_chains.split_at(long_chains.len() / 3);
    let (early, late) = behind.split_at(behind.len() / 2);
    let growth = most(late).saturating_sub(most(early));
    assert!(
        growth < 200_000,
        "{growth} bytes more after 8,000 blocks more: {long_chains:?}"
    );

    plan.packages = 6_000;
    plan.blocks = 18_000;
    let many_packages = held(plan);
    let (blocks, bytes) = many_packages[3];
    let (more_blocks, more_bytes) = many_packages[many_packages.len() - 2];
    let packages = usize::try_from((more_blocks - blocks) / 3).unwrap();
    let each = more_bytes.saturating_sub(bytes) / packages;
    println!("{each} bytes a package");
    assert!(
        (200..1_000).contains(&each),
        "{each} bytes a package: {many_packages:?}"
    );
}
