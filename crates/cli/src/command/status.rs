//! `medshare status`: how far a request is.

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use medshare_protocol::id::PackageId;

use crate::output;
use crate::profile::HomeArgs;

/// Asks.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  medshare status 0x4be1…")]
pub struct Status {
    /// The package
    package: PackageId,
    #[command(flatten)]
    home: HomeArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Status {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        let status = self
            .home
            .node()?
            .status(self.package, 0, Duration::ZERO)
            .await?;
        if self.json {
            return output::json(&status);
        }
        let reason = status
            .reason
            .map(|reason| format!(": {reason}"))
            .unwrap_or_default();
        output::line(format!("{:?}{reason}", status.stage))?;
        let first = status.form.first().map_or(0, |step| step.time);
        for step in status.form {
            let details: Vec<_> = step
                .details
                .iter()
                .map(|detail| format!("{} {}", detail.name, detail.value))
                .collect();
            let details = details.join(", ");
            output::line(format!(
                "  {:+7} ms  {:<18} {details}",
                step.time.saturating_sub(first),
                step.action
            ))?;
        }
        Ok(())
    }
}
