//! Gathers a bundle from a custodian's node and the chain.

use std::time::{SystemTime, UNIX_EPOCH};

use alloy_signer_local::PrivateKeySigner;
use medshare_chain::{Chain, ChainError};
use medshare_protocol::block::{ParentBlock, Place};
use medshare_protocol::form::steps_until;
use medshare_protocol::id::PackageId;
use medshare_protocol::proof::InclusionProof;
use medshare_protocol::typed::Disclosure;
use medshare_protocol::usage;
use medshare_protocol::wire::{Dossier, MAX_REPORTS_TOLD, PackageBlocks, SignedDisclosure};

use super::{EVIDENCE_VERSION, Evidence, Inclusions, MAX_REPORTS, Records, Subject};
use crate::api::{ApiError, NodeApi};
use crate::proof::{ProveError, prove_state};

/// A question to a node holds so long, ms.
const DEADLINE_MS: u64 = 5 * 60 * 1_000;

/// Why evidence could not be gathered.
#[derive(Debug, thiserror::Error)]
pub enum GatherError {
    /// The node cannot be asked, or does not tell.
    #[error(transparent)]
    Node(#[from] ApiError),
    /// The chain cannot be asked.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// There is no proof of the contract's state.
    #[error(transparent)]
    State(#[from] ProveError),
    /// The question could not be signed.
    #[error("the question to the node cannot be signed: {0}")]
    Signing(String),
    /// More reports than a bundle takes.
    #[error("the package has more than {MAX_REPORTS} reports, which is more than a bundle takes")]
    TooManyReports,
    /// The contract does not have the package.
    #[error("there is no package {0} in the EVM block {1}: there is nothing to give evidence of")]
    NoPackage(PackageId, u64),
    /// Blocks were anchored while it was gathered, again and again.
    #[error("blocks of the package are being anchored all the time: try again when it is quiet")]
    Restless,
}

/// All evidence of a package, as of the newest EVM block. `wallet` is the requestor's or the custodian's.
///
/// # Errors
/// When node or chain cannot be asked, or the node does not tell.
pub async fn gather(
    chain: &Chain,
    node: &NodeApi,
    package: PackageId,
    wallet: &PrivateKeySigner,
) -> Result<Evidence, GatherError> {
    let mut dossier = dossier(chain, node, package, wallet).await?;
    let (state, block, status) = prove_state(chain, node, package, None).await?;
    let until = block.number;
    if status.state == usage::State::None {
        return Err(GatherError::NoPackage(package, until));
    }
    let blocks = node.blocks(package).await?;
    let parent = node
        .inclusion(
            blocks.parent.leaf,
            Some(Place::Parent(package)),
            Some(until),
        )
        .await?;
    let sides = sides(node, package, &blocks, until).await?;
    // What was anchored after that EVM block is not in it.
    let anchored = sides.len();
    let records = Records {
        parent: blocks.parent.record,
        sides: blocks
            .sides
            .into_iter()
            .take(anchored)
            .map(|block| block.record)
            .collect(),
    };
    // Later steps of the form are the node's word, and stand in no block.
    if let Ok(parent) = ParentBlock::from_bytes(&records.parent) {
        let digest = parent.body.transaction.form_digest;
        let pinned = steps_until(&dossier.form, digest);
        dossier.form.truncate(pinned.unwrap_or(usize::MAX));
    }
    let reaches = sides
        .last()
        .map_or(!status.started, |last| last.end.head() == status.head);
    if !reaches {
        return Err(GatherError::Restless);
    }
    Ok(Evidence {
        subject: Subject {
            evidence: EVIDENCE_VERSION,
            chain_id: chain.chain_id(),
            contract: chain.contract(),
            package,
        },
        dossier,
        blocks: records,
        proofs: Inclusions { parent, sides },
        contract: state.contract,
        wallet: chain.prove_account(status.requestor, until).await?,
        code: chain.code_at(chain.contract()).await?,
    })
}

/// The proofs of the side-blocks that were anchored up to an EVM block.
async fn sides(
    node: &NodeApi,
    package: PackageId,
    blocks: &PackageBlocks,
    until: u64,
) -> Result<Vec<InclusionProof>, ApiError> {
    let mut proofs: Vec<InclusionProof> = Vec::with_capacity(blocks.sides.len());
    for (block, height) in blocks.sides.iter().zip(0..) {
        if proofs
            .last()
            .is_some_and(|last| last.index + 1 == last.end.size)
        {
            break;
        }
        match node
            .inclusion(block.leaf, Some(Place::Side(package, height)), Some(until))
            .await
        {
            Ok(proof) => proofs.push(proof),
            // The chain had no block then.
            Err(ApiError::Refused { status: 404, .. }) if proofs.is_empty() => break,
            Err(error) => return Err(error),
        }
    }
    Ok(proofs)
}

/// The whole dossier, page by page.
async fn dossier(
    chain: &Chain,
    node: &NodeApi,
    package: PackageId,
    wallet: &PrivateKeySigner,
) -> Result<Dossier, GatherError> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as u64);
    let disclosure = Disclosure {
        package: package.0,
        deadline: now + DEADLINE_MS,
    };
    let signature = chain
        .domain()
        .sign(&disclosure, wallet)
        .map_err(|error| GatherError::Signing(error.to_string()))?;
    let mut asked = SignedDisclosure {
        disclosure,
        signature: signature.to_vec().into(),
        reports_from: 1,
    };
    let mut dossier = node.dossier(package, &asked).await?;
    let mut told = dossier.reports.len();
    while told == MAX_REPORTS_TOLD as usize {
        asked.reports_from += MAX_REPORTS_TOLD;
        let page = node.dossier(package, &asked).await?.reports;
        told = page.len();
        dossier.reports.extend(page);
        if dossier.reports.len() > MAX_REPORTS {
            return Err(GatherError::TooManyReports);
        }
    }
    Ok(dossier)
}
