//! Asking for data, with a signature of one's own and with a forged one.

use std::path::PathBuf;
use std::time::Duration;

use alloy_primitives::Bytes;
use anyhow::{Context, Result, anyhow, bail, ensure};
use medshare_chain::{Event, PackageIssued};
use medshare_client::download;
use medshare_client::opening::{self, OpenError};
use medshare_client::requestor::Ask;
use medshare_protocol::id::PackageId;
use medshare_protocol::typed::Selection;
use medshare_protocol::usage::State;
use medshare_protocol::wire::{PackageReady, Stage as RequestStage};

use super::using::how_to_open;
use super::{Stage, Story};

/// Longest wait for a package. Anonymising a hundred thousand rows takes seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is asked for: the whole release, for research.
fn question(stage: &Stage) -> Result<Ask> {
    let custodian = &stage.network.custodians[0];
    let purpose = custodian.dataset.purposes.first().copied();
    Ok(Ask {
        custodian: custodian.address(),
        dataset: custodian.dataset.id,
        purpose: purpose.map_or_else(|| "HRESCH".parse(), Ok)?,
        selection: Selection::default(),
    })
}

/// A request is answered by a package.
pub async fn ask(story: &mut Story, stage: &Stage) -> Result<PackageId> {
    let title = "asks, and is answered by a sealed package";
    story.step(title, "P2 P4 P11 P12 P13 P14 P20", async {
        let signed = stage.alice.sign_request(&question(stage)?)?;
        let package = stage.alice.package_id(&signed.request);
        stage.alice.submit(&signed).await?;
        stage.alice.wait(package, PATIENCE, |_| {}).await?;
        let issued = issued(stage, package).await?.context("no event issued the package")?;
        let chain = &stage.network.governance;
        let second = chain.node(issued.verifier).await?.context("the second node is not registered")?;
        ensure!(second.custodian != stage.network.custodians[0].address(), "the second node is of the same custodian");
        let state = chain.package(package).await?.state;
        ensure!(state == State::Issued, "the contract says {state:?}");
        let status = stage.alice.node.status(package, 0, Duration::ZERO).await?;
        let detail = |name: &str| {
            let mut details = status.form.iter().flat_map(|step| &step.details);
            details.find(|detail| detail.name == name).map_or("?", |detail| detail.value.as_str()).to_owned()
        };
        let seen = format!(
            "package {} of {} rows, k = {}, sensitivity {:?}, signed by the other custodian's node {}",
            package, detail("rows"), detail("k"), issued.usage.sensitivity, issued.verifier
        );
        Ok((package, seen))
    })
    .await
}

/// The package arrives whole, and is of no use to anybody else.
pub async fn download(story: &mut Story, stage: &Stage, package: PackageId) -> Result<PathBuf> {
    let title = "downloads it; nobody else could open it";
    story
        .step(title, "P15 P16", async {
            let ready = ready(stage, package).await?;
            let folder = stage.network.folder.join("alice");
            std::fs::create_dir_all(&folder)?;
            let file = folder.join("package.mds");
            download::download(&stage.alice.node, package, &ready, &file, |_, _| {}).await?;
            let how = how_to_open(&file, "mallory");
            let stolen = opening::open(&stage.mallory, &how).await;
            let Err(refusal @ OpenError::OfAnother { .. }) = stolen else {
                bail!("another requestor opened the package: {stolen:?}");
            };
            let bytes = std::fs::metadata(&file)?.len();
            Ok((
                file,
                format!(
                    "{bytes} bytes, container {}; to another requestor: {refusal}",
                    ready.container_hash
                ),
            ))
        })
        .await
}

/// A request that somebody else signed is refused and recorded, and discloses nothing.
pub async fn forge(story: &mut Story, stage: &Stage) -> Result<()> {
    story
        .step(
            "a request with a forged signature is refused",
            "P2 P4 P24",
            async {
                let mut signed = stage.mallory.sign_request(&question(stage)?)?;
                // In the name of the first requestor, with the second one's key.
                signed.request.requestor = stage.alice.address();
                let signature = stage
                    .alice
                    .ledger
                    .domain()
                    .sign(&signed.request, &stage.mallory.wallet)?;
                signed.signature = Bytes::copy_from_slice(signature.as_slice());
                let package = stage.mallory.package_id(&signed.request);
                let refused = stage.mallory.node.request(&signed).await;
                let reason = match refused {
                    Ok(status) => status.reason.context("the node took the forged request")?,
                    Err(error) => error.to_string(),
                };
                let recorded = stage
                    .mallory
                    .node
                    .status(package, 0, Duration::ZERO)
                    .await?;
                ensure!(
                    recorded.stage == RequestStage::Refused,
                    "recorded as {:?}",
                    recorded.stage
                );
                ensure!(
                    issued(stage, package).await?.is_none(),
                    "a package was issued for it"
                );
                Ok((
                    (),
                    format!("{reason}; recorded as refused, nothing on chain"),
                ))
            },
        )
        .await
}

/// The event that issued a package, from the chain.
async fn issued(stage: &Stage, package: PackageId) -> Result<Option<PackageIssued>> {
    let chain = &stage.network.governance;
    let events = chain.events(0, chain.block_number().await?).await?;
    Ok(events.into_iter().find_map(|logged| match logged.event {
        Event::PackageIssued(issued) if issued.package == package => Some(*issued),
        _ => None,
    }))
}

async fn ready(stage: &Stage, package: PackageId) -> Result<PackageReady> {
    let status = stage.alice.node.status(package, 0, Duration::ZERO).await?;
    status
        .package
        .ok_or_else(|| anyhow!("the package is not ready: {:?}", status.stage))
}
