//! `medshare node`: the custodian's node, until it is told to stop (P5).

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::{Args, Subcommand};
use medshare_node::config::{Config, Prepared, open, prepare};
use medshare_node::descriptor::Dataset;
use medshare_node::node_key::sealing_secret;
use serde_json::json;

use crate::network::READY;
use crate::{logging, output, records, shutdown};

/// Runs a node.
#[derive(Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "An annotated configuration: crates/node/examples/node.toml.
It stops in order on Ctrl-C, SIGTERM and SIGHUP; what was under way goes on at the next start.
Example:
  medshare node check --config node.toml
  medshare node --config node.toml"
)]
pub struct Node {
    #[command(subcommand)]
    command: Option<NodeCommand>,
    /// The node's configuration
    #[arg(long, value_name = "FILE", required = true)]
    config: Option<PathBuf>,
    /// Stop when standard input ends: for whoever starts a node as a child
    #[arg(long, hide = true)]
    until_stdin_ends: bool,
}

#[derive(Subcommand, Debug)]
enum NodeCommand {
    /// Check everything that can be checked without starting: key, descriptors, records, chain, registration
    #[command(after_help = "Example:\n  medshare node check --config node.toml")]
    Check {
        /// The node's configuration
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

impl Node {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        match self.command {
            Some(NodeCommand::Check { config, json }) => check(config, json).await,
            None => {
                let config = self.config.context("give --config")?;
                serve(config, self.until_stdin_ends).await
            }
        }
    }
}

async fn serve(file: PathBuf, until_stdin_ends: bool) -> Result<()> {
    let config = Config::load(&file)?;
    logging::start(&config.log)?;
    let passphrase = config.passphrase()?;
    // From the first moment on: a node that is told to stop while it starts stops.
    let told = shutdown::listen()?;
    let running = open(config, &passphrase).await?;
    output::line(format!("{READY}{}", running.address))?;
    let stopper = running.stopper();
    tokio::spawn(async move {
        tokio::select! {
            () = told => {}
            () = end_of_stdin(), if until_stdin_ends => {}
        }
        stopper.cancel();
    });
    Ok(running.wait().await?)
}

/// On a thread of its own: a runtime would wait for a read that nobody ends.
async fn end_of_stdin() {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        // An error is an end as well; and a node that has ended does not listen any more.
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = sender.send(());
    });
    let _ = receiver.await;
}

async fn check(file: PathBuf, as_json: bool) -> Result<()> {
    let config = Config::load(&file)?;
    let passphrase = config.passphrase()?;
    let prepared = prepare(config, &passphrase).await?;
    let mut unpublished = Vec::new();
    for (descriptor, dataset) in prepared.config.datasets.iter().zip(&prepared.datasets) {
        records::try_out(descriptor, dataset).await?;
        if !is_published(&prepared, descriptor, dataset).await? {
            unpublished.push(dataset.descriptor.name.clone());
        }
    }
    let names: Vec<_> = prepared
        .datasets
        .iter()
        .map(|dataset| dataset.descriptor.name.clone())
        .collect();
    let node = prepared.signer.address();
    let sealing_key = format!("{:?}", sealing_secret(&prepared.signer).public());
    let endpoint = &prepared.config.public_endpoint;
    output::either(
        as_json,
        &json!({"node": node, "sealing_key": sealing_key, "endpoint": endpoint, "datasets": names, "unpublished": unpublished}),
        format!(
            "node {node}\nsealing key {sealing_key}\nendpoint {endpoint}\ndatasets {}\n{}everything is in order",
            names.join(", "),
            match unpublished.is_empty() {
                true => String::new(),
                false => format!(
                    "not published yet, so nobody can ask: {} (`medshare custodian publish`)\n",
                    unpublished.join(", ")
                ),
            }
        ),
    )
}

/// Whether the chain has this very descriptor; a dataset that is not published is not served.
async fn is_published(prepared: &Prepared, file: &Path, dataset: &Dataset) -> Result<bool> {
    let custodian = prepared.config.custodian;
    let record = prepared.chain.dataset(custodian, dataset.id).await?;
    let Some(record) = record else {
        return Ok(false);
    };
    ensure!(
        record.descriptor == dataset.descriptor_hash,
        "`{}` is published with another descriptor ({}) than {} ({}): publish this one with `medshare custodian publish`, or put the published one back",
        dataset.descriptor.name,
        record.descriptor,
        file.display(),
        dataset.descriptor_hash
    );
    Ok(true)
}
