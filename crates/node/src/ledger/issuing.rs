//! Issuing packages: request, second signature and parent block in one transaction (P13, P14, P20).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use alloy_primitives::Address;
use medshare_chain::{ContractError, IssueItem};
use medshare_protocol::block::DATA_VERSION_TABULAR;
use medshare_protocol::chain_verifier::ChainName;
use medshare_protocol::header::CompactTarget;
use medshare_protocol::id::{FormDigest, LeafHash, PackageId};
use medshare_protocol::wire::{Stage, ValidationAnswer};

use super::{Mined, Round, forever, mine};
use crate::error::NodeError;
use crate::running::Inner;
use crate::store::{ChainHead, ProcessedPackage, SealedPackage, StoredRequest};

/// Packages that share one transaction at most: they fit a block's gas with room to spare.
const MAX_ITEMS: u32 = 16;

/// What is to be issued, read from the store.
struct Waiting {
    request: StoredRequest,
    processed: ProcessedPackage,
    validation: (ValidationAnswer, Address),
    sealed: SealedPackage,
}

/// What is to become of an item that the contract skipped.
#[derive(Debug, PartialEq, Eq)]
enum Skipped {
    /// Mined on an old head or at an old target: again, at once.
    Again,
    /// Only time helps.
    Later,
    /// Never.
    Refused,
}

/// Issues what is sealed until the node stops.
pub(crate) async fn issue_forever(inner: Arc<Inner>) {
    forever(&inner, &inner.to_issue, "issuing", || issue_round(&inner)).await;
}

async fn issue_round(inner: &Arc<Inner>) -> Result<Round, NodeError> {
    let together = inner
        .issue_together
        .load(Ordering::Relaxed)
        .clamp(1, MAX_ITEMS);
    let waiting = waiting(inner, together).await?;
    if waiting.is_empty() {
        return Ok(Round::Idle);
    }
    let items = items(inner, &waiting).await?;
    let sent = inner.chain.issue(&items).await;
    // Whatever the answer was, or if it was lost: the events tell what happened.
    inner.catch_up().await?;
    let receipt = match sent {
        Ok(receipt) => {
            inner
                .issue_together
                .store(together.saturating_mul(2), Ordering::Relaxed);
            receipt
        }
        Err(error) => {
            // Perhaps all of them together need more gas than a block has.
            inner.issue_together.store(together / 2, Ordering::Relaxed);
            tracing::warn!(%error, packages = items.len(), "the packages could not be issued");
            return Ok(Round::Later);
        }
    };
    let mut round = Round::Sent;
    for (id, reason) in receipt.skipped() {
        match inner.skipped(id, reason).await? {
            Skipped::Later => round = Round::Later,
            Skipped::Again | Skipped::Refused => {}
        }
    }
    Ok(round)
}

/// What waits to be issued, oldest first, so many at most. One that was damaged must not be in the way of the others.
async fn waiting(inner: &Inner, limit: u32) -> Result<Vec<Waiting>, NodeError> {
    let mut passed_over = 0;
    loop {
        let asked = limit.saturating_add(passed_over);
        let requests = inner
            .store
            .requests_between(Stage::Sealed, Stage::Sealed, asked)
            .await?;
        let (mut waiting, mut damaged) = (Vec::new(), 0);
        let are_all = requests.len() < asked as usize;
        for request in requests {
            match complete(inner, request).await? {
                Some(item) => waiting.push(item),
                None => damaged += 1,
            }
        }
        if are_all || waiting.len() >= limit as usize {
            waiting.truncate(limit as usize);
            return Ok(waiting);
        }
        passed_over = damaged;
    }
}

/// A request with its package; nothing when that was damaged.
async fn complete(inner: &Inner, request: StoredRequest) -> Result<Option<Waiting>, NodeError> {
    let id = request.id;
    let package = match inner.store.package(id).await {
        Err(error) if error.damage().is_none() => return Err(error.into()),
        Err(error) => {
            tracing::error!(package = %id, %error, "a package is passed over");
            return Ok(None);
        }
        Ok(package) => package,
    };
    let parts = package.and_then(|package| {
        Some(Waiting {
            request,
            sealed: package.sealed?,
            processed: package.processed,
            validation: package.validation?,
        })
    });
    if parts.is_none() {
        tracing::error!(package = %id, "a package that is sealed, and whose row is not complete, is passed over");
    }
    Ok(parts)
}

/// Mines all blocks, those of one thread on each other in the order of their requests.
async fn items(inner: &Inner, waiting: &[Waiting]) -> Result<Vec<IssueItem>, NodeError> {
    let bits = inner.target().await?;
    let mut heads: HashMap<Address, ChainHead> = HashMap::new();
    let mut work: Vec<(Address, LeafHash)> = Vec::with_capacity(waiting.len());
    for item in waiting {
        let requestor = item.request.signed.request.requestor;
        if let Entry::Vacant(place) = heads.entry(requestor) {
            let origin = inner.thread_origin(requestor);
            let thread = ChainName::Thread(requestor);
            place.insert(inner.store.chain_head(thread, origin).await?);
        }
        work.push((requestor, item.sealed.leaf));
    }
    let mined = tokio::task::spawn_blocking(move || mine_all(heads, &work, bits)).await?;
    let items = waiting.iter().zip(mined);
    Ok(items.map(|(item, mined)| issue_item(item, mined)).collect())
}

fn mine_all(
    mut heads: HashMap<Address, ChainHead>,
    work: &[(Address, LeafHash)],
    bits: CompactTarget,
) -> Vec<Mined> {
    work.iter()
        .filter_map(|(requestor, leaf)| {
            heads
                .get_mut(requestor)
                .map(|head| mine(head, DATA_VERSION_TABULAR, *leaf, bits))
        })
        .collect()
}

fn issue_item(item: &Waiting, mined: Mined) -> IssueItem {
    let (answer, verifier) = &item.validation;
    IssueItem {
        request: item.request.signed.request.clone(),
        request_signature: item.request.signed.signature.clone(),
        usage: item.processed.usage,
        payload_hash: item.processed.payload_hash,
        form_digest: FormDigest(answer.validation.formDigest),
        verifier: *verifier,
        validation_deadline: answer.validation.deadline,
        validation_signature: answer.signature.clone(),
        expected_head: mined.expected_head,
        entry: mined.entry.to_bytes(),
    }
}

impl Inner {
    /// Decides about an item that the contract skipped.
    async fn skipped(&self, id: PackageId, reason: &ContractError) -> Result<Skipped, NodeError> {
        let decided = match reason {
            ContractError::StaleHead { .. } => Skipped::Again,
            ContractError::WorkTooLow { .. } => {
                self.forget_target();
                Skipped::Again
            }
            ContractError::BlockFromTheFuture { .. } => Skipped::Later,
            _ => Skipped::Refused,
        };
        if decided == Skipped::Later {
            tracing::warn!(package = %id, %reason, "a package has to wait");
        }
        // An earlier sending of the same may have been mined after all: then the events have moved it on.
        if decided == Skipped::Refused && self.known_request(id).await?.stage == Stage::Sealed {
            self.refuse(id, &reason.to_string()).await?;
        }
        Ok(decided)
    }
}
