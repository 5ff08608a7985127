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
    /// From an action on open data to the node's receipt, over loopback
    #[command(after_help = "Example:\n  medshare bench reports --packages 16 --reports 1000")]
    Reports(BenchReports),
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

/// How many report.
#[derive(Args, Debug)]
pub struct BenchReports {
    /// Packages that report at the same time
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=256))]
    packages: u32,
    /// Reports of one package, and as many of all together
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    reports: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Bench {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        match self {
            Self::Request(args) => bench::request(args.rows, args.rounds, args.json).await,
            Self::Reports(args) => bench::reports(args.packages, args.reports, args.json).await,
            Self::Audit(args) => bench::audit(args.blocks, args.packages, args.json).await,
        }
    }
}
