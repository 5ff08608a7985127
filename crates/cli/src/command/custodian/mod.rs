//! `medshare custodian`: what governance and custodians tell the contract.

mod data;
mod desk;
mod participants;
pub mod review;

use anyhow::Result;
use clap::Subcommand;

/// Nodes, datasets, reviews.
#[derive(Subcommand, Debug)]
pub enum CustodianCommand {
    /// Admit a custodian (governance's wallet)
    Admit(participants::Admit),
    /// Remove a custodian: its nodes can no longer do anything (governance's wallet)
    Remove(participants::Remove),
    /// Add and remove nodes
    #[command(subcommand)]
    Node(participants::NodeCommand),
    /// Publish a dataset, or a new version of it
    Publish(data::Publish),
    /// Withdraw a dataset: no new requests; packages go on as they are
    Withdraw(data::Withdraw),
    /// List the violations and what became of them
    Review(review::Review),
    /// List what the node has found that somebody should look at: silent leases, second openings, forks
    Findings(desk::Findings),
    /// Read the reports of a package, with what they say in private
    Reports(desk::Reports),
    /// Look at outputs that are held back, release or refuse them
    #[command(subcommand)]
    Outputs(desk::OutputsCommand),
    /// Revoke a package
    Revoke(data::Revoke),
    /// Grant access to a revoked package again
    Regrant(data::Regrant),
    /// Take the data back, once the requestor has signed that it is deleted
    Retrieve(data::Retrieve),
    /// Let a requestor ask again that a response action had refused
    Allow(participants::Allow),
    /// Suspend a requestor's credential
    Suspend(participants::Suspend),
    /// Take a suspension back
    Reinstate(participants::Reinstate),
}

impl CustodianCommand {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        match self {
            Self::Admit(command) => command.run().await,
            Self::Remove(command) => command.run().await,
            Self::Node(command) => command.run().await,
            Self::Publish(command) => command.run().await,
            Self::Withdraw(command) => command.run().await,
            Self::Review(command) => command.run().await,
            Self::Findings(command) => command.run().await,
            Self::Reports(command) => command.run().await,
            Self::Outputs(command) => command.run().await,
            Self::Revoke(command) => command.run().await,
            Self::Regrant(command) => command.run().await,
            Self::Retrieve(command) => command.run().await,
            Self::Allow(command) => command.run().await,
            Self::Suspend(command) => command.run().await,
            Self::Reinstate(command) => command.run().await,
        }
    }
}
