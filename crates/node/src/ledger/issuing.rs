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
use medshare_protocol::wire::Stage;

use super::{Mined, Round, forever, mine};
use crate::error::NodeError;
use crate::running::Inner;
use crate::store::{ChainHead, SealedPackage, StoredPackage, StoredRequest};

/// Packages that share one transaction at most: they fit a block's gas with room to spare.
const MAX_ITEMS: u32 = 16;

/// What is to be issued, read from the store.
struct Waiting {
    request: StoredRequest,
    package: StoredPackage,
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

async fn waiting(inner: &Inner, limit: u32) -> Result<Vec<Waiting>, NodeError> {
    let requests = inner
        .store
        .requests_between(Stage::Sealed, Stage::Sealed, limit)
        .await?;
    let mut waiting = Vec::with_capacity(requests.len());
    for request in requests {
        let package = match inner.store.package(request.id).await {
            Ok(package) => package,
            // One that was damaged must not be in the way of the others.
            Err(error) if error.damage().is_some() => {
                tracing::error!(package = %request.id, %error, "a package is passed over");
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let package = package.ok_or_else(|| incomplete(request.id))?;
        let sealed = package
            .sealed
            .clone()
            .ok_or_else(|| incomplete(request.id))?;
        waiting.push(Waiting {
            request,
            package,
            sealed,
        });
    }
    Ok(waiting)
}

fn incomplete(id: PackageId) -> NodeError {
    NodeError::Internal(format!(
        "the package {id} is sealed but its row is incomplete"
    ))
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
    waiting
        .iter()
        .zip(mined)
        .map(|(item, mined)| issue_item(item, mined))
        .collect()
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

fn issue_item(item: &Waiting, mined: Mined) -> Result<IssueItem, NodeError> {
    let (answer, verifier) = item
        .package
        .validation
        .as_ref()
        .ok_or_else(|| incomplete(item.request.id))?;
    Ok(IssueItem {
        request: item.request.signed.request.clone(),
        request_signature: item.request.signed.signature.clone(),
        usage: item.package.processed.usage,
        payload_hash: item.package.processed.payload_hash,
        form_digest: FormDigest(answer.validation.formDigest),
        verifier: *verifier,
        validation_deadline: answer.validation.deadline,
        validation_signature: answer.signature.clone(),
        expected_head: mined.expected_head,
        entry: mined.entry.to_bytes(),
    })
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
