//! `medshare ledger`: the ledger as a whole, for readers who have no node.

mod prove;

use std::io::BufWriter;
use std::path::PathBuf;
use std::sync::Mutex;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use medshare_client::audit::{AuditError, export};

use crate::command::audit::say;
use crate::connection::{ChainArgs, SourceArgs};
use crate::new_file;
use crate::output::{self, Progress};

/// What is done with the ledger.
#[derive(Subcommand, Debug)]
pub enum LedgerCommand {
    /// Write the whole ledger to a file that needs neither node nor chain to be read
    Export(Export),
    /// Prove that a block is in its chain, that a chain only grew, or what the contract held
    #[command(subcommand)]
    Prove(prove::ProveCommand),
}

impl LedgerCommand {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        match self {
            Self::Export(export) => export.run().await,
            Self::Prove(prove) => prove.run().await,
        }
    }
}

/// Exports.
#[derive(Args, Debug)]
#[command(
    after_help = "Needs nothing secret. JSON Lines, described in SPEC.md, 3.2; test/independent/verify.py reads it.
An export proves as much as the events that the RPC address told: compare its heads with a chain that you trust.
Example:
  medshare ledger export --rpc http://127.0.0.1:8545 --contract 0x5FbD…0aa3 --node http://127.0.0.1:8546 -o ledger.jsonl"
)]
pub struct Export {
    #[command(flatten)]
    chain: ChainArgs,
    #[command(flatten)]
    source: SourceArgs,
    /// Where it goes; must not exist
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Export {
    async fn run(self) -> Result<()> {
        new_file::must_be_new(&self.output)?;
        let source = self.source.open()?;
        let chain = self.chain.connect().await?;
        let mut file = BufWriter::new(new_file::beside(&self.output)?);
        let progress = Mutex::new(Progress::of_steps());
        let exported = export(&chain, &source, &mut file, &|at| {
            say(&progress, at, "written")
        })
        .await;
        drop(progress);
        let exported = match exported {
            Err(AuditError::Write(error)) => {
                Err(error).with_context(|| format!("cannot write {}", self.output.display()))
            }
            other => Ok(other?),
        }?;
        let file = file
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        new_file::keep(file, &self.output)?;
        let mut text = format!(
            "{}: {}, EVM blocks 0 to {}",
            self.output.display(),
            output::counted(exported.blocks, "block"),
            exported.evm_block
        );
        if exported.records_missing > 0 {
            text += &format!(
                ", {} not served",
                output::counted(exported.records_missing, "record")
            );
        }
        output::either(self.json, &exported, text)
    }
}
