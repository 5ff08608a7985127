//! `medshare open`: reports, opens, and keeps the data in memory for `medshare act` until it is closed (P17).

use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;
use medshare_client::opening::{self, Opening};
use medshare_client::socket::AgentSocket;
use medshare_protocol::id::PackageId;
use medshare_protocol::usage::Environment;

use crate::profile::RequestorArgs;
use crate::{output, shutdown};

/// Opens.
#[derive(Args, Debug)]
#[command(
    after_help = "Runs until the data is closed: by `medshare act close`, by Ctrl-C, by a violation, or because
access was taken away. Leave it running and act from another terminal:
  medshare open 0x4be1… &
  medshare act read 0x4be1…"
)]
pub struct Open {
    /// The package
    package: PackageId,
    /// Longest wait for the lease of another session, such as one that was killed
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    patience_seconds: u64,
    #[command(flatten)]
    requestor: RequestorArgs,
}

impl Open {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        let folder = self.requestor.home.purse()?.known_package(self.package)?;
        if !folder.is_downloaded() {
            bail!(
                "the package is not here yet: run `medshare download {}` first",
                self.package
            );
        }
        let (purse, requestor) = self.requestor.open().await?;
        let told = shutdown::listen()?;
        // The place is taken before anything is reported.
        let socket = AgentSocket::bind(&purse.socket(self.package)?).await?;
        let opening = Opening {
            container: folder.container(),
            journal: folder.journal(),
            environment: Environment::Any,
            patience: Duration::from_secs(self.patience_seconds),
        };
        let agent = opening::open(&requestor, &opening).await?;
        output::line(format!(
            "open: {} bytes, granted: {}; act on it with `medshare act`",
            agent.length()?,
            agent.usage().granted
        ))?;
        let lock = tokio::select! {
            lock = socket.serve(&agent) => lock?,
            () = told => {
                agent.close();
                agent.locked().await
            }
        };
        if !lock.is_peaceful() {
            bail!("{lock}");
        }
        output::line(lock)
    }
}
