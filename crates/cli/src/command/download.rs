//! `medshare download`: fetches a package; goes on where it stopped (P16).

use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use medshare_client::download;
use medshare_protocol::id::PackageId;
use serde_json::json;

use crate::output::{self, Progress};
use crate::profile::HomeArgs;

/// Fetches.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  medshare download 0x4be1…")]
pub struct Download {
    /// The package
    package: PackageId,
    #[command(flatten)]
    home: HomeArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Download {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        let node = self.home.node()?;
        let status = node.status(self.package, 0, Duration::ZERO).await?;
        let stage = status.stage;
        let ready = status.package.with_context(|| {
            format!("the package is not ready ({stage:?}): ask again with `medshare status`")
        })?;
        let target = self.home.purse()?.package(self.package)?.container();
        let mut progress = Progress::of_bytes();
        download::download(&node, self.package, &ready, &target, |done, all| {
            progress.at(done, all)
        })
        .await?;
        drop(progress);
        output::either(
            self.json,
            &json!({"package": self.package, "file": target, "container_hash": ready.container_hash}),
            format!(
                "{} ({} bytes)\nnext: medshare open {}",
                target.display(),
                ready.length,
                self.package
            ),
        )
    }
}
