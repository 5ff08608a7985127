//! `medshare return`: removes the data here and signs that it is gone (P19).

use anyhow::Result;
use clap::Args;
use medshare_client::returning::return_package;
use medshare_protocol::id::PackageId;
use serde_json::json;

use crate::output;
use crate::profile::RequestorArgs;

/// Gives back.
#[derive(Args, Debug)]
#[command(
    after_help = "The custodian then takes the data back with `medshare custodian retrieve`, for good.
Example:
  medshare return 0x4be1…"
)]
pub struct GiveBack {
    /// The package
    package: PackageId,
    #[command(flatten)]
    requestor: RequestorArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl GiveBack {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        let folder = self.requestor.home.purse()?.known_package(self.package)?;
        let (_, requestor) = self.requestor.open().await?;
        let submission = return_package(
            &requestor,
            self.package,
            &folder.container(),
            &folder.journal(),
        )
        .await?;
        output::either(
            self.json,
            &json!({"package": self.package, "deletion": submission}),
            format!(
                "{} is removed here, and the node has your signature for it",
                self.package
            ),
        )
    }
}
