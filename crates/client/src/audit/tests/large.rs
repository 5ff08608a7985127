//! Ledgers that are longer than what is held at once.

use std::sync::Mutex;

use tempfile::tempfile;

use crate::audit::made_up::{MadeUp, Plan};
use crate::audit::{AuditProgress, AuditReport, audit_with};

async fn audited(plan: Plan) -> (AuditReport, Vec<AuditProgress>) {
    let made = MadeUp::write(tempfile().unwrap(), plan).unwrap();
    let told = Mutex::new(Vec::new());
    let report = audit_with(&made, &made, &|at| told.lock().unwrap().push(at)).await;
    (report.unwrap(), told.into_inner().unwrap())
}

#[tokio::test]
async fn progress_is_told_all_the_way() {
    let plan = Plan {
        blocks: 6_000,
        packages: 600,
        requestors: 7,
        batch: 4,
    };
    let (report, told) = audited(plan).await;
    assert_eq!(report.findings, []);
    assert_eq!((report.parent_blocks, report.side_blocks), (600, 5_400));
    assert_eq!((report.packages, report.chains), (600, 607));
    assert!(told.len() >= 4, "{told:?}");
    let blocks: Vec<u64> = told.iter().map(|at| at.blocks).collect();
    assert!(
        blocks
            .windows(2)
            .all(|pair| pair[0] <= pair[1] && pair[1] - pair[0] < 2_000)
    );
    assert!(told.iter().all(|at| at.evm_block <= at.last_evm_block));
    let last = told.last().unwrap();
    assert_eq!((last.blocks, last.evm_block), (6_000, report.evm_block));
}

#[tokio::test]
async fn side_blocks_may_come_many_at_once() {
    // One event has more records than a stretch.
    let plan = Plan {
        blocks: 1_100,
        packages: 2,
        requestors: 1,
        batch: 512,
    };
    let (report, _) = audited(plan).await;
    assert_eq!(report.findings, []);
    assert_eq!((report.parent_blocks, report.side_blocks), (2, 1_098));
}
