//! `medshare bench`: how long things take, step by step, on this machine.

use clap::{Args, Subcommand};

use super::demo::rows;
use crate::bench;
use anyhow::Result;

/// Measures.
#[derive(Subcommand, Debug)]
pub enum Bench {
    /// From request to package ready: the first one, which makes the release, and those after it
    #[command(after_help = "Example:\n  medshare bench request --rows 10000 --rounds 50")]
    Request(BenchRequest),
    /// An audit of a ledger that is made up for it: blocks a second, and the most memory it takes
    #[command(after_help = "Example:\n  medshare bench audit --blocks 1000000 --packages 100000")]
    Audit(BenchAudit),
}

/// How it is measured.
#[derive(Args, Debug)]
pub struct BenchRequest {
    /// Patients of the hospital
    #[arg(long, default_value_t = 10_000, value_parser = rows)]
    rows: usize,
    /// Requests after the first
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How large the ledger is.
#[derive(Args, Debug)]
pub struct BenchAudit {
    /// Blocks in all
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    blocks: u32,
    /// Parent blocks among them
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    packages: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Bench {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        match self {
            Self::Request(args) => bench::request(args.rows, args.rounds, args.json).await,
            Self::Audit(args) => bench::audit(args.blocks, args.packages, args.json).await,
        }
    }
}
