//! `medshare packages`: what is kept here, and in which state the contract has it.

use anyhow::Result;
use clap::Args;
use medshare_client::purse::PackageFolder;
use medshare_protocol::id::PackageId;
use medshare_protocol::usage::State;
use serde::Serialize;

use crate::output;
use crate::profile::{HomeArgs, connect};

/// Lists.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  medshare packages")]
pub struct Packages {
    #[command(flatten)]
    home: HomeArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Kept {
    package: PackageId,
    downloaded: bool,
    state: State,
}

impl Packages {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        let purse = self.home.purse()?;
        let folders = purse.packages()?;
        let mut kept = Vec::with_capacity(folders.len());
        if !folders.is_empty() {
            let chain = connect(&purse.profile()?).await?;
            for folder in folders {
                let state = chain.package(folder.id()).await?.state;
                kept.push(Kept {
                    package: folder.id(),
                    downloaded: PackageFolder::is_downloaded(&folder),
                    state,
                });
            }
        }
        if self.json {
            return output::json(&kept);
        }
        for package in &kept {
            let place = if package.downloaded {
                "here"
            } else {
                "not downloaded"
            };
            output::line(format!("{}  {:?}, {place}", package.package, package.state))?;
        }
        if kept.is_empty() {
            output::line("no packages; ask for one with `medshare request`")?;
        }
        Ok(())
    }
}
