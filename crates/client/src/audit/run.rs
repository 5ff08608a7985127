//! An audit from beginning to end: reading, examining and judging overlap.
//!
//! Records are examined on tokio's blocking threads, some [stretches](super::walk) ahead of the auditor, and taken in the
//! order of the chain. The threads are there anyway, `JoinHandle`s keep the order, and a queue of fixed length is the
//! bound on memory; a second pool beside tokio's would only have to be fed from this one.

use std::collections::VecDeque;
use std::time::{SystemTime, UNIX_EPOCH};

use futures::{StreamExt, TryStreamExt, stream};
use medshare_chain::LoggedEvent;
use medshare_protocol::chain_verifier::Examined;
use tokio::task::{JoinHandle, spawn_blocking};

use super::auditor::{Auditor, Clock, Unexamined};
use super::walk::{Stretch, Teller, Tip, Walk};
use super::{
    AuditError, AuditProgress, AuditReport, ContractView, FETCHES_AT_ONCE, Files, Records,
};

/// Threads and packages are closed so many at a time: a list of all of a large ledger would be as large as what is kept of them.
const CLOSED_AT_ONCE: usize = 4096;

/// A stretch whose records are being examined.
struct Examining {
    evm_block: u64,
    events: JoinHandle<Vec<(LoggedEvent, Vec<Examined>)>>,
}

impl Examining {
    fn start(auditor: &mut Auditor, stretch: Stretch) -> Result<Self, AuditError> {
        let plan = |(event, records): (LoggedEvent, _)| {
            let planned = auditor.plan(&event.event, records)?;
            Ok((event, planned))
        };
        let events = stretch.events.into_iter().map(plan);
        let events: Vec<(LoggedEvent, Unexamined)> = events.collect::<Result<_, AuditError>>()?;
        let events = spawn_blocking(move || {
            let events = events.into_iter();
            events
                .map(|(event, planned)| (event, planned.examine()))
                .collect()
        });
        let evm_block = stretch.evm_block;
        Ok(Self { evm_block, events })
    }
}

/// Audits everything against the records of any source.
///
/// # Errors
/// When contract or source cannot be asked. Findings are in the report.
pub async fn audit_with<V: ContractView, R: Records>(
    view: &V,
    source: &R,
    progress: &(dyn Fn(AuditProgress) + Sync),
) -> Result<AuditReport, AuditError> {
    audit_with_files(view, source, Files::default(), progress).await
}

/// Audits everything, and files that its blocks commit to.
///
/// # Errors
/// As [`audit_with`].
pub async fn audit_with_files<V: ContractView, R: Records>(
    view: &V,
    source: &R,
    files: Files,
    progress: &(dyn Fn(AuditProgress) + Sync),
) -> Result<AuditReport, AuditError> {
    source.check(view.domain()).await?;
    let tip = Tip::of(view).await?;
    let mut auditor = Auditor::new(view.domain().clone(), source.name());
    if files.are_asked_for() {
        auditor = auditor.with_files(files);
    }
    let mut walk = Walk::new(view, source, tip);
    let mut teller = Teller::new(progress, tip);
    // One stretch more than there are cores: none is idle while the oldest one is taken.
    let ahead = std::thread::available_parallelism().map_or(2, |cores| cores.get() + 1);
    let mut queue: VecDeque<Examining> = VecDeque::new();
    let mut is_read = false;
    while !is_read || !queue.is_empty() {
        while !is_read && queue.len() < ahead {
            match walk.next().await? {
                Some(stretch) => queue.push_back(Examining::start(&mut auditor, stretch)?),
                None => is_read = true,
            }
        }
        let Some(Examining { evm_block, events }) = queue.pop_front() else {
            break;
        };
        // It ends without a result only when it panicked, or when the runtime is shut down.
        let mut blocks = 0;
        for (event, examined) in events.await.map_err(|_| AuditError::Interrupted)? {
            blocks += examined.len() as u64;
            auditor.take_examined(&event, examined)?;
        }
        teller.done(evm_block, blocks);
    }
    close(view, &mut auditor, tip).await?;
    tip.check(view).await?;
    teller.end();
    auditor = checked(auditor).await?;
    Ok(auditor.report(tip.number, tip.hash))
}

/// The auditor, once it has read the files.
async fn checked(mut auditor: Auditor) -> Result<Auditor, AuditError> {
    spawn_blocking(move || auditor.check_files().map(|()| auditor))
        .await
        .map_err(|_| AuditError::Interrupted)?
}

/// Compares with what the contract holds at the last block, of everything that the events named.
async fn close<V: ContractView>(
    view: &V,
    auditor: &mut Auditor,
    tip: Tip,
) -> Result<(), AuditError> {
    let block = tip.number;
    loop {
        let requestors = auditor.first_requestors(CLOSED_AT_ONCE);
        if requestors.is_empty() {
            break;
        }
        let head = |name| async move {
            Ok::<_, AuditError>((name, view.thread_head_at(name, block).await?))
        };
        let mut heads = stream::iter(requestors).map(head).buffered(FETCHES_AT_ONCE);
        while let Some((requestor, head)) = heads.try_next().await? {
            auditor.close_thread(requestor, head)?;
        }
    }
    let evm_time = view
        .time_of_block(block)
        .await?
        .ok_or(AuditError::Reorganised { block })?;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(evm_time, |since| since.as_secs());
    let clock = Clock { evm_time, now };
    loop {
        let packages = auditor.first_packages(CLOSED_AT_ONCE);
        if packages.is_empty() {
            return Ok(());
        }
        let held = |id| async move { Ok::<_, AuditError>((id, view.package_at(id, block).await?)) };
        let mut packages = stream::iter(packages).map(held).buffered(FETCHES_AT_ONCE);
        while let Some((package, held)) = packages.try_next().await? {
            auditor.close_package(package, Some(&held), clock)?;
        }
    }
}
