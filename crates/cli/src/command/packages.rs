//! `medshare packages`: what is kept here, and in which state the contract has it.

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use medshare_client::api::NodeApi;
use medshare_client::purse::PackageFolder;
use medshare_protocol::id::PackageId;
use medshare_protocol::usage::State;
use medshare_protocol::wire::Stage;
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
    /// Why the contract knows no such package, as far as the node says.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_issued: Option<String>,
}

impl Kept {
    fn line(&self) -> String {
        let place = match (&self.not_issued, self.downloaded) {
            (Some(why), _) => return format!("{}  {why}", self.package),
            (None, true) => "here",
            (None, false) => "not downloaded",
        };
        format!("{}  {:?}, {place}", self.package, self.state)
    }
}

impl Packages {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        let purse = self.home.purse()?;
        let folders = purse.packages()?;
        let mut kept = Vec::with_capacity(folders.len());
        if !folders.is_empty() {
            let profile = purse.profile()?;
            let chain = connect(&profile).await?;
            let node = NodeApi::new(&profile.node)?;
            for folder in folders {
                let state = chain.package(folder.id()).await?.state;
                let not_issued = match state {
                    State::None => Some(why_not_issued(&node, folder.id()).await),
                    _ => None,
                };
                kept.push(Kept {
                    package: folder.id(),
                    downloaded: PackageFolder::is_downloaded(&folder),
                    state,
                    not_issued,
                });
            }
        }
        if self.json {
            return output::json(&kept);
        }
        for package in &kept {
            output::line(package.line())?;
        }
        if kept.is_empty() {
            output::line("no packages; ask for one with `medshare request`")?;
        }
        Ok(())
    }
}

/// A list is worth showing although the node is away.
async fn why_not_issued(node: &NodeApi, package: PackageId) -> String {
    match node.status(package, 0, Duration::ZERO).await {
        Ok(status) if status.stage == Stage::Refused => match status.reason {
            Some(reason) => format!("refused: {reason}"),
            None => "refused".to_owned(),
        },
        Ok(_) => "not issued yet".to_owned(),
        Err(_) => "not issued".to_owned(),
    }
}
