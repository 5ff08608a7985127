//! `medshare demo`: the whole story on real parts.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use medshare_node::descriptor::UsageTerms;
use medshare_protocol::usage::{Action, Environment};

use crate::demo::{self, DemoPlan};
use crate::network::{DatasetSource, load_own};
use crate::records;
use crate::synth::Terms;

/// Patients of the custodian that nobody asks.
const OTHER_ROWS: usize = 500;

/// Tells the story.
#[derive(Args, Debug)]
#[command(after_help = "Example:
  medshare demo
  medshare demo --data diabetic_data.csv.gz --descriptor examples/diabetes130/descriptor.toml --keep ./demo
Exit status 0 only if every step ended as it should.")]
pub struct Demo {
    /// Synthetic patients of the hospital that is asked
    #[arg(long, default_value_t = 10_000, value_parser = rows, conflicts_with = "data")]
    rows: usize,
    /// Seed of the synthetic patients
    #[arg(long, default_value_t = 1, conflicts_with = "data")]
    seed: u64,
    /// The custodian's own table instead (CSV, or CSV compressed with gzip)
    #[arg(long, value_name = "FILE", requires = "descriptor")]
    data: Option<PathBuf>,
    /// Its descriptor; hierarchies are looked for beside it, then beside the table
    #[arg(long, value_name = "FILE", requires = "data")]
    descriptor: Option<PathBuf>,
    /// Write everything into this new folder and keep it
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
    /// Print JSON, at the end
    #[arg(long)]
    json: bool,
}

impl Demo {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        let temporary = tempfile::Builder::new().prefix("medshare-demo").tempdir();
        let temporary = temporary.context("cannot make a temporary folder")?;
        let folder = match &self.keep {
            Some(folder) => std::path::absolute(folder)?,
            None => temporary.path().join("network"),
        };
        let dataset = match (self.data, self.descriptor) {
            (Some(data), Some(descriptor)) => {
                check_own(&data, &descriptor).await?;
                DatasetSource::Own { data, descriptor }
            }
            _ => DatasetSource::Synthetic {
                seed: self.seed,
                rows: self.rows,
                terms: Terms::default(),
            },
        };
        let other = DatasetSource::Synthetic {
            seed: self.seed.wrapping_add(1),
            rows: OTHER_ROWS,
            terms: Terms::default(),
        };
        demo::run(&DemoPlan {
            folder,
            dataset,
            other,
            json: self.json,
        })
        .await
    }
}

/// Before the chain starts: a node tells requestors no more than that it cannot release, and here the custodian asks.
async fn check_own(data: &Path, descriptor: &Path) -> Result<()> {
    let dataset = load_own(data, descriptor)?;
    check_terms(&dataset.usage)
        .with_context(|| format!("the story cannot be told with {}", descriptor.display()))?;
    records::try_out(descriptor, &dataset).await
}

/// The requestor reads, which is recorded, and copies, which is a violation; outside of a sandbox.
fn check_terms(usage: &UsageTerms) -> Result<()> {
    ensure!(
        usage.granted.contains(Action::Read) && !usage.granted.contains(Action::Copy),
        "the story needs a dataset that grants read and not copy, and this one grants {}",
        usage.granted
    );
    ensure!(
        !usage.exempt.contains(Action::Read) && !usage.exempt.contains(Action::Copy),
        "the story needs reports of read and copy, and this one exempts {}",
        usage.exempt
    );
    ensure!(
        usage.environment == Environment::Any,
        "its packages open in the sandbox alone: write `environment = \"any\"` under [usage]"
    );
    Ok(())
}

/// Fewer cannot be hidden among each other; more belong into a benchmark.
pub fn rows(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(rows) if (100..=1_000_000).contains(&rows) => Ok(rows),
        _ => Err("give a number from 100 to 1000000".to_owned()),
    }
}
