//! Datasets, and packages made of them.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use medshare_chain::{OWNERS_REASON, RESERVED_REASONS};
use medshare_client::api::NodeApi;
use medshare_node::descriptor::Dataset;
use medshare_protocol::id::{DatasetId, PackageId};

use crate::connection::SenderArgs;
use crate::{output, records};

/// `custodian publish`.
#[derive(Args, Debug)]
#[command(after_help = "Example:
  medshare custodian publish --descriptor encounters.toml --rpc $RPC --contract $CONTRACT --keystore custodian.json")]
pub struct Publish {
    /// The dataset's descriptor, as the node reads it
    #[arg(long, value_name = "FILE")]
    descriptor: PathBuf,
    /// Do not try the records: for a wallet that is kept away from them
    #[arg(long)]
    without_records: bool,
    #[command(flatten)]
    sender: SenderArgs,
}

impl Publish {
    pub async fn run(self) -> Result<()> {
        let dataset = Dataset::load(&self.descriptor)?;
        if !self.without_records {
            records::try_out(&self.descriptor, &dataset).await?;
        }
        let chain = self.sender.connect().await?;
        let receipt = chain
            .publish_dataset(
                dataset.id,
                dataset.descriptor_hash,
                &dataset.purposes,
                &dataset.responses,
            )
            .await?;
        let done = format!(
            "`{}` is published as dataset {}",
            dataset.descriptor.name, dataset.id
        );
        output::receipt(self.sender.json, done, &receipt)
    }
}

/// `custodian withdraw`.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  medshare custodian withdraw encounters --keystore custodian.json"
)]
pub struct Withdraw {
    /// The dataset's name, as its descriptor has it
    dataset: String,
    #[command(flatten)]
    sender: SenderArgs,
}

impl Withdraw {
    pub async fn run(self) -> Result<()> {
        let id = DatasetId::of_name(&self.dataset);
        let receipt = self.sender.connect().await?.withdraw_dataset(id).await?;
        output::receipt(
            self.sender.json,
            format!("`{}` is withdrawn", self.dataset),
            &receipt,
        )
    }
}

/// `custodian revoke`.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  medshare custodian revoke 0x4be1… --reason 3 --keystore custodian.json"
)]
pub struct Revoke {
    /// The package
    package: PackageId,
    /// Reason code: 2 the owner's own, 3 silent lease, 4 leak; 5 to 255 are yours to define
    #[arg(long, value_name = "CODE", default_value_t = OWNERS_REASON, value_parser = owners_reason)]
    reason: u8,
    #[command(flatten)]
    sender: SenderArgs,
}

/// The contract would refuse its own reason codes as well, but only once the wallet is unlocked.
fn owners_reason(text: &str) -> Result<u8, String> {
    let reason: u8 = text
        .parse()
        .map_err(|_| "a reason code is a number from 2 to 255".to_owned())?;
    if RESERVED_REASONS.contains(&reason) {
        return Err(
            "0 (violation) and 1 (tampering) are the contract's own words for what it has judged; give 2 to 255"
                .into(),
        );
    }
    Ok(reason)
}

impl Revoke {
    pub async fn run(self) -> Result<()> {
        let receipt = self
            .sender
            .connect()
            .await?
            .revoke(self.package, self.reason)
            .await?;
        output::receipt(
            self.sender.json,
            format!("{} is revoked", self.package),
            &receipt,
        )
    }
}

/// `custodian regrant`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  medshare custodian regrant 0x4be1… --keystore custodian.json")]
pub struct Regrant {
    /// The package
    package: PackageId,
    #[command(flatten)]
    sender: SenderArgs,
}

impl Regrant {
    pub async fn run(self) -> Result<()> {
        let receipt = self.sender.connect().await?.regrant(self.package).await?;
        output::receipt(
            self.sender.json,
            format!("{} is granted again", self.package),
            &receipt,
        )
    }
}

/// `custodian retrieve`.
#[derive(Args, Debug)]
#[command(
    after_help = "The requestor signs with `medshare return`; the node keeps the signature.
Example:
  medshare custodian retrieve 0x4be1… --node http://127.0.0.1:8080 --keystore custodian.json"
)]
pub struct Retrieve {
    /// The package
    package: PackageId,
    /// The node that keeps the requestor's signed deletion
    #[arg(long, env = "MEDSHARE_NODE", value_name = "URL")]
    node: String,
    #[command(flatten)]
    sender: SenderArgs,
}

impl Retrieve {
    pub async fn run(self) -> Result<()> {
        let deletion = NodeApi::new(&self.node)?.deletion(self.package).await?;
        let chain = self.sender.connect().await?;
        let receipt = chain
            .retrieve(self.package, deletion.deletion.time, &deletion.signature)
            .await?;
        output::receipt(
            self.sender.json,
            format!("{} is retrieved, for good", self.package),
            &receipt,
        )
    }
}
