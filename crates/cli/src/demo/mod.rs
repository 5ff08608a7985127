//! The whole story, told by the real parts: every step asserts its outcome from the chain or from a node, never from
//! what this program believes.

mod asking;
mod audit;
mod beginning;
mod blocks;
mod story;
mod using;

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use medshare_client::requestor::Requestor;
use serde::Serialize;

use crate::network::{DatasetSource, Network, NetworkPlan};
use crate::{output, shutdown};
pub use story::{Step, Story};

/// A node of the demo may use so much memory.
pub const NODE_MEMORY_LIMIT_BYTES: u64 = 300 * 1024 * 1024;

/// What is told.
#[derive(Clone, Debug)]
pub struct DemoPlan {
    /// Where everything is written; must be empty.
    pub folder: PathBuf,
    /// What the custodian who is asked shares.
    pub dataset: DatasetSource,
    /// What the other custodian shares.
    pub other: DatasetSource,
    /// Tell it in JSON, at the end.
    pub json: bool,
}

/// Everything on stage.
pub struct Stage {
    /// Chain, contract, custodians, nodes.
    pub network: Network,
    /// Asks, uses, tries to copy, gives back.
    pub alice: Requestor,
    /// Asks with a signature that is not hers.
    pub mallory: Requestor,
}

/// The story as programs read it.
#[derive(Serialize)]
struct Told<'a> {
    passed: bool,
    seconds: f64,
    steps: &'a [Step],
    blocks: Vec<blocks::Row>,
}

/// Tells the story.
///
/// # Errors
/// The first step that did not end as it should.
pub async fn run(plan: &DemoPlan) -> Result<()> {
    let mut story = Story::new(plan.json);
    let mut rows = Vec::new();
    let told = shutdown::listen()?;
    let outcome = tokio::select! {
        outcome = tell(plan, &mut story, &mut rows) => outcome,
        () = told => Err(anyhow!("interrupted")),
    };
    if plan.json {
        let (seconds, steps) = (story.seconds(), story.steps());
        output::json(&Told {
            passed: outcome.is_ok(),
            seconds,
            steps,
            blocks: rows,
        })?;
    } else if outcome.is_ok() {
        blocks::print(&rows)?;
        output::line(format!(
            "\nEvery step ended as it should, in {:.1} s.",
            story.seconds()
        ))?;
    }
    outcome.map_err(|error| {
        anyhow!(
            "the story ended at step {}: {}",
            story.steps().len(),
            output::sentence(&error)
        )
    })
}

async fn tell(plan: &DemoPlan, story: &mut Story, rows: &mut Vec<blocks::Row>) -> Result<()> {
    let network = NetworkPlan {
        folder: plan.folder.clone(),
        port: None,
        datasets: [plan.dataset.clone(), plan.other.clone()],
        lease_seconds: 60,
    };
    let stage = beginning::stage(story, &network).await?;
    let package = asking::ask(story, &stage).await?;
    let file = asking::download(story, &stage, package).await?;
    using::use_it(story, &stage, package, &file).await?;
    asking::forge(story, &stage).await?;
    *rows = blocks::rows(&stage, package).await?;
    audit::audit(story, &stage, package).await?;
    beginning::memory(story, stage).await
}
