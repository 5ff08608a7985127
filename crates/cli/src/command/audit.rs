//! `medshare audit`: proves the whole ledger, or names what is wrong (P8, P23, P26).

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Result, bail};
use clap::Args;
use medshare_client::audit::{AuditProgress, AuditReport, Files, audit_with_files};

use crate::connection::{ChainArgs, SourceArgs};
use crate::output::{self, Progress};

/// Audits.
#[derive(Args, Debug)]
#[command(
    after_help = "Needs nothing secret. Exit status 1 when anything is off: each finding names chain, block and fault.
Example:
  medshare audit --rpc http://127.0.0.1:8545 --contract 0x5FbD…0aa3 --node http://127.0.0.1:8546
  medshare audit … --files ~/.medshare/packages
  medshare audit … --files archive --complete        # an archive of everything: what is missing is a fault"
)]
pub struct Audit {
    #[command(flatten)]
    chain: ChainArgs,
    #[command(flatten)]
    source: SourceArgs,
    /// Check the files in this folder, too, against the blocks that commit to them: containers (PACKAGE.mds), forms
    /// (PACKAGE.form.json) and sealed report bodies (PACKAGE-NUMBER.report)
    #[arg(long, value_name = "FOLDER")]
    files: Option<PathBuf>,
    /// Tell also which files are not there: of each package the form, every report's sealed body and, unless the data was
    /// taken back, the container
    #[arg(long, requires = "files")]
    complete: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Audit {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        let source = self.source.open()?;
        let files = match &self.files {
            Some(folder) if self.complete => Files::in_folder(folder)?.complete(),
            Some(folder) => files(folder)?,
            None => Files::default(),
        };
        let chain = self.chain.connect().await?;
        let progress = Mutex::new(Progress::of_steps());
        let report =
            audit_with_files(&chain, &source, files, &|at| say(&progress, at, "checked")).await?;
        drop(progress);
        if self.json {
            output::json(&report)?
        } else {
            print(&report)?
        }
        match report.findings.len() as u64 + report.findings_left_out {
            0 => Ok(()),
            count => bail!(
                "the audit found {}, listed above",
                output::counted(count, "fault")
            ),
        }
    }
}

fn files(folder: &Path) -> Result<Files> {
    let files = Files::in_folder(folder)?;
    if files.count() == 0 {
        bail!(
            "there is nothing to check in {}: no file there ends in .mds, .form.json or .report",
            folder.display()
        );
    }
    Ok(files)
}

/// How far something is that goes through the whole ledger.
pub fn say(progress: &Mutex<Progress>, at: AuditProgress, done: &str) {
    // A bar that panicked elsewhere is not worth stopping for.
    if let Ok(mut progress) = progress.lock() {
        progress.say(format!(
            "EVM block {} of {}, {} {done}",
            at.evm_block,
            at.last_evm_block,
            output::counted(at.blocks, "block")
        ));
    }
}

fn print(report: &AuditReport) -> Result<()> {
    output::line(format!(
        "contract {} on chain {}, EVM blocks 0 to {}; block records from {}",
        report.contract, report.chain_id, report.evm_block, report.source
    ))?;
    let side_blocks = output::counted(report.side_blocks, "side-block");
    output::line(format!(
        "{}, {}: {}, {side_blocks}, {} missing",
        output::counted(report.packages, "package"),
        output::counted(report.chains, "chain"),
        output::counted(report.parent_blocks, "parent block"),
        match report.bodies_missing {
            1 => "1 body".to_owned(),
            count => format!("{count} bodies"),
        }
    ))?;
    for check in &report.checks {
        output::line(format!("  {:>8}  {}", check.count, check.what))?;
    }
    for finding in &report.findings {
        output::line(format!("FAULT {finding}"))?;
    }
    if report.is_sound() {
        output::line("nothing is wrong")
    } else {
        Ok(())
    }
}
