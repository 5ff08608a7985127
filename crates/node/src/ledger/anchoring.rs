//! Anchoring side-blocks and settling violations (P17, P19, P21).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use medshare_chain::{ContractError, ReportSegment};
use medshare_protocol::chain_verifier::ChainName;
use medshare_protocol::header::CompactTarget;
use medshare_protocol::id::{LeafHash, PackageId};
use medshare_protocol::origin::side_origin;

use super::{Round, forever, mine};
use crate::error::NodeError;
use crate::running::Inner;
use crate::store::{ChainHead, StoredReport};

/// Side-blocks that share a transaction at most, where the chain answers at once: what it emits is one write to the store,
/// which reports wait for.
pub(crate) const FEWEST_TOGETHER: u32 = 8;
/// At most where it does not: there a transaction is dear, and what waits becomes more while it does.
const MOST_TOGETHER: u32 = 256;
/// A chain that takes longer for a transaction does not answer at once: more wait by then than share the next one.
const SLOW: Duration = Duration::from_millis(200);

/// One package's reports and the chain that they go on.
struct Segment {
    package: PackageId,
    head: ChainHead,
    reports: Vec<(u32, LeafHash)>,
}

/// Anchors what is reported and settles what is violated until the node stops.
pub(crate) async fn anchor_forever(inner: Arc<Inner>) {
    forever(&inner, &inner.to_anchor, "anchoring", || {
        anchor_round(&inner)
    })
    .await;
}

async fn anchor_round(inner: &Arc<Inner>) -> Result<Round, NodeError> {
    // First what takes access away.
    let unsettled = inner.settle_pending().await?;
    let together = inner.anchor_together.load(Ordering::Relaxed);
    let reports = inner.store.unanchored_reports(together).await?;
    if reports.is_empty() {
        return Ok(if unsettled > 0 {
            Round::Later
        } else {
            Round::Idle
        });
    }
    let segments = segments(inner, &reports).await?;
    let bits = inner.target().await?;
    let mined =
        tokio::task::spawn_blocking(move || segments.into_iter().map(|s| mined(s, bits)).collect())
            .await?;
    let mined: Vec<ReportSegment> = mined;
    let began = Instant::now();
    let sent = inner.chain.anchor_reports(&mined).await;
    let next = next_together(together, began.elapsed());
    inner.anchor_together.store(next, Ordering::Relaxed);
    inner.catch_up().await?;
    let receipt = match sent {
        Ok(receipt) => receipt,
        Err(error) => {
            tracing::warn!(%error, segments = mined.len(), "the reports could not be anchored");
            return Ok(Round::Later);
        }
    };
    let mut round = Round::Sent;
    for (package, reason) in receipt.skipped() {
        match reason {
            ContractError::StaleHead { .. } => {}
            ContractError::WorkTooLow { .. } => inner.forget_target(),
            _ => {
                tracing::warn!(%package, %reason, "side-blocks have to wait");
                round = Round::Later;
            }
        }
    }
    Ok(round)
}

/// How many are to share the next transaction, after one of `together` took so long.
fn next_together(together: u32, took: Duration) -> u32 {
    let next = match took {
        took if took > SLOW => together.saturating_mul(2),
        took if took < SLOW / 2 => together / 2,
        _ => together,
    };
    next.clamp(FEWEST_TOGETHER, MOST_TOGETHER)
}

/// Groups reports by package; they come sorted.
async fn segments(inner: &Inner, reports: &[StoredReport]) -> Result<Vec<Segment>, NodeError> {
    let mut segments: Vec<Segment> = Vec::new();
    for report in reports {
        if segments
            .last()
            .is_none_or(|segment| segment.package != report.package)
        {
            let parent = inner
                .store
                .parent_entry(report.package)
                .await?
                .ok_or_else(|| {
                    NodeError::Internal(format!(
                        "the package {} has no parent block",
                        report.package
                    ))
                })?;
            let head = inner
                .store
                .chain_head(ChainName::Side(report.package), side_origin(parent.leaf))
                .await?;
            segments.push(Segment {
                package: report.package,
                head,
                reports: Vec::new(),
            });
        }
        if let Some(segment) = segments.last_mut() {
            segment.reports.push((report.report.number, report.leaf));
        }
    }
    Ok(segments)
}

fn mined(mut segment: Segment, bits: CompactTarget) -> ReportSegment {
    let expected_head = segment.head.hash;
    let entries = segment
        .reports
        .iter()
        .map(|(number, leaf)| {
            mine(&mut segment.head, *number, *leaf, bits)
                .entry
                .to_bytes()
        })
        .collect();
    ReportSegment {
        package: segment.package,
        expected_head,
        entries,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_a_slow_chain_more_share_a_transaction_until_it_is_fast_again() {
        let block = Duration::from_secs(12);
        let mut together = FEWEST_TOGETHER;
        let mut rounds = 0;
        while together < MOST_TOGETHER {
            together = next_together(together, block);
            rounds += 1;
        }
        assert_eq!(rounds, 5);
        assert_eq!(next_together(together, block), MOST_TOGETHER);
        assert_eq!(next_together(together, SLOW), MOST_TOGETHER);
        let quick = Duration::from_millis(5);
        assert_eq!(next_together(together, quick), MOST_TOGETHER / 2);
        assert_eq!(next_together(0, quick), FEWEST_TOGETHER);
        assert_eq!(next_together(u32::MAX, block), MOST_TOGETHER);
    }
}
