//! `medshare devnet`: the demo's network, left running.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum, value_parser};
use medshare_node::config::LEASE_SECONDS;
use medshare_protocol::usage::{Action, Actions, Environment, UnknownAction};
use serde_json::json;

use super::demo::rows;
use crate::network::{DatasetSource, Network, NetworkPlan, passphrase_file};
use crate::synth::Terms;
use crate::{output, shutdown};

/// Patients of the second custodian.
const OTHER_ROWS: usize = 500;

/// Starts a network.
#[derive(Args, Debug)]
#[command(after_help = "Runs until Ctrl-C, or until its terminal is closed.
Example:
  medshare devnet --port 8545 --dir ./devnet
  medshare devnet --environment sandbox-held   # what a command writes waits for the custodian's release")]
pub struct Devnet {
    /// Port of the chain; the nodes get the next two; 0: free ones
    #[arg(long, default_value_t = 8545, value_parser = value_parser!(u16).range(..=65533))]
    port: u16,
    /// Write everything into this new folder and keep it [default: a temporary one]
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    /// Synthetic patients of the first hospital
    #[arg(long, default_value_t = 10_000, value_parser = rows)]
    rows: usize,
    /// What the first hospital's usage contracts grant
    #[arg(long, value_name = "ACTION", value_delimiter = ',', default_value = "read", value_parser = grantable)]
    grant: Vec<Action>,
    /// Where the first hospital's packages may be opened
    #[arg(long, value_enum, default_value_t = Where::Any)]
    environment: Where,
    /// Length of a lease
    #[arg(long, default_value_t = 60, value_name = "SECONDS", value_parser = value_parser!(u32).range(lease_range()))]
    lease_seconds: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// [`Environment`], by its names.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Where {
    /// Anywhere
    Any,
    /// Only in the sandbox of `medshare run`
    Sandbox,
    /// Only there, and outputs wait for the custodian's release
    SandboxHeld,
}

impl From<Where> for Environment {
    fn from(place: Where) -> Self {
        match place {
            Where::Any => Self::Any,
            Where::Sandbox => Self::Sandbox,
            Where::SandboxHeld => Self::SandboxHeld,
        }
    }
}

fn grantable(name: &str) -> Result<Action, String> {
    let action: Action = name
        .parse()
        .map_err(|error: UnknownAction| error.to_string())?;
    match Actions::SIX.contains(action) {
        true => Ok(action),
        false => Err(UnknownAction(name.to_owned()).to_string()),
    }
}

impl Devnet {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        let temporary = tempfile::Builder::new().prefix("medshare-devnet").tempdir();
        let temporary = temporary.context("cannot make a temporary folder")?;
        let folder = match &self.dir {
            Some(folder) => std::path::absolute(folder)?,
            None => temporary.path().join("network"),
        };
        let plan = NetworkPlan {
            folder,
            port: (self.port != 0).then_some(self.port),
            datasets: [
                DatasetSource::Synthetic {
                    seed: 1,
                    rows: self.rows,
                    terms: Terms {
                        granted: self.grant,
                        environment: self.environment.into(),
                    },
                },
                DatasetSource::Synthetic {
                    seed: 2,
                    rows: OTHER_ROWS,
                    terms: Terms::default(),
                },
            ],
            lease_seconds: self.lease_seconds,
        };
        let told = shutdown::listen()?;
        tokio::pin!(told);
        let network = tokio::select! {
            network = start(&plan) => network?,
            () = &mut told => bail!("interrupted"),
        };
        if self.json {
            print_json(&network)?;
        } else {
            print(&network)?;
        }
        told.await;
        network.stop().await
    }
}

/// What a node's configuration takes.
fn lease_range() -> RangeInclusive<i64> {
    LEASE_SECONDS.start.into()..=i64::from(LEASE_SECONDS.end) - 1
}

async fn start(plan: &NetworkPlan) -> Result<Network> {
    Network::deploy(plan).await?.populate(plan).await
}

fn print_json(network: &Network) -> Result<()> {
    let custodians: Vec<_> = network
        .custodians
        .iter()
        .map(|custodian| {
            json!({
                "name": custodian.name, "address": custodian.address(), "keystore": custodian.keystore,
                "node": custodian.node, "url": custodian.url, "config": custodian.config,
                "dataset": custodian.dataset.descriptor.name,
            })
        })
        .collect();
    output::json(&json!({
        "rpc": network.anvil.rpc_url, "chain_id": network.governance.chain_id(),
        "contract": network.governance.contract(), "folder": network.folder,
        "passphrase_file": passphrase_file(&network.folder),
        "governance_keystore": network.folder.join("governance.json"), "custodians": custodians,
    }))
}

fn print(network: &Network) -> Result<()> {
    let (rpc, contract) = (&network.anvil.rpc_url, network.governance.contract());
    output::line(format!(
        "chain      {rpc} (chain id {})",
        network.governance.chain_id()
    ))?;
    output::line(format!("contract   {contract}"))?;
    output::line(format!(
        "governance {}",
        network.folder.join("governance.json").display()
    ))?;
    for custodian in &network.custodians {
        output::line(format!(
            "{}      custodian {}  {}",
            custodian.name,
            custodian.address(),
            custodian.keystore.display()
        ))?;
        output::line(format!(
            "           node {}  {}",
            custodian.node, custodian.url
        ))?;
        output::line(format!(
            "           dataset {}",
            custodian.dataset.descriptor.name
        ))?;
    }
    let first = &network.custodians[0];
    let passphrase = passphrase_file(&network.folder);
    output::line(format!(
        "
In another terminal, as a requestor:
  export MEDSHARE_HOME=$(mktemp -d) MEDSHARE_PASSPHRASE=mine
  medshare register --node {url} --rpc {rpc} --contract {contract} --class university
  medshare datasets
  PACKAGE=$(medshare request {dataset} --purpose HRESCH)
  medshare download $PACKAGE
  medshare open $PACKAGE &
  medshare act read $PACKAGE | head
  medshare act copy $PACKAGE stolen.csv   # a violation: access is revoked
As the custodian:
  export MEDSHARE_RPC={rpc} MEDSHARE_CONTRACT={contract}
  medshare custodian review
  medshare custodian regrant $PACKAGE --keystore {keystore} --passphrase-file {passphrase}
As anybody:
  medshare audit --rpc {rpc} --contract {contract} --node {url}

Ctrl-C ends it.",
        url = first.url,
        dataset = first.dataset.descriptor.name,
        keystore = first.keystore.display(),
        passphrase = passphrase.display(),
    ))
}
