//! Who takes part.

use alloy_primitives::{Address, B256};
use anyhow::Result;
use clap::{Args, Subcommand};

use crate::connection::SenderArgs;
use crate::output;

/// `custodian admit`.
#[derive(Args, Debug)]
#[command(after_help = "Example:
  medshare custodian admit 0x7099…79C8 --rpc $RPC --contract $CONTRACT --keystore governance.json")]
pub struct Admit {
    /// The custodian's address
    custodian: Address,
    #[command(flatten)]
    sender: SenderArgs,
}

impl Admit {
    pub async fn run(self) -> Result<()> {
        let receipt = self
            .sender
            .connect()
            .await?
            .admit_custodian(self.custodian)
            .await?;
        output::receipt(
            self.sender.json,
            format!("{} is a custodian", self.custodian),
            &receipt,
        )
    }
}

/// `custodian remove`.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  medshare custodian remove 0x7099…79C8 --rpc $RPC --contract $CONTRACT --keystore governance.json"
)]
pub struct Remove {
    /// The custodian's address
    custodian: Address,
    #[command(flatten)]
    sender: SenderArgs,
}

impl Remove {
    pub async fn run(self) -> Result<()> {
        let chain = self.sender.connect().await?;
        let receipt = chain.remove_custodian(self.custodian).await?;
        let done = format!(
            "{} is no custodian any more, and its nodes can do nothing",
            self.custodian
        );
        output::receipt(self.sender.json, done, &receipt)
    }
}

/// `custodian node`.
#[derive(Subcommand, Debug)]
pub enum NodeCommand {
    /// Register a node, or change its key and endpoint
    #[command(
        after_help = "`medshare node check --config node.toml` prints the three values.
Example:
  medshare custodian node add 0x3C44…93BC 0x5f6c…2e https://node.hospital.example --keystore custodian.json"
    )]
    Add {
        /// The node's address
        node: Address,
        /// Its X25519 sealing key
        sealing_key: B256,
        /// Where other nodes and requestors reach it
        endpoint: String,
        #[command(flatten)]
        sender: SenderArgs,
    },
    /// Remove a node: it can no longer issue or anchor
    #[command(
        after_help = "Example:\n  medshare custodian node remove 0x3C44…93BC --keystore custodian.json"
    )]
    Remove {
        /// The node's address
        node: Address,
        #[command(flatten)]
        sender: SenderArgs,
    },
}

impl NodeCommand {
    pub async fn run(self) -> Result<()> {
        match self {
            Self::Add {
                node,
                sealing_key,
                endpoint,
                sender,
            } => {
                let chain = sender.connect().await?;
                let receipt = chain.register_node(node, sealing_key, &endpoint).await?;
                output::receipt(
                    sender.json,
                    format!("{node} is a node, reached at {endpoint}"),
                    &receipt,
                )
            }
            Self::Remove { node, sender } => {
                let receipt = sender.connect().await?.remove_node(node).await?;
                output::receipt(sender.json, format!("{node} is no node any more"), &receipt)
            }
        }
    }
}

/// `custodian allow`.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  medshare custodian allow 0x90F7…b906 --keystore custodian.json"
)]
pub struct Allow {
    /// The requestor's address
    requestor: Address,
    #[command(flatten)]
    sender: SenderArgs,
}

impl Allow {
    pub async fn run(self) -> Result<()> {
        let receipt = self
            .sender
            .connect()
            .await?
            .allow_requests(self.requestor)
            .await?;
        output::receipt(
            self.sender.json,
            format!("{} may ask again", self.requestor),
            &receipt,
        )
    }
}

/// `custodian suspend`.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  medshare custodian suspend 0x90F7…b906 --keystore custodian.json"
)]
pub struct Suspend {
    /// The requestor's address
    requestor: Address,
    #[command(flatten)]
    sender: SenderArgs,
}

impl Suspend {
    pub async fn run(self) -> Result<()> {
        let receipt = self.sender.connect().await?.suspend(self.requestor).await?;
        output::receipt(
            self.sender.json,
            format!("{} is suspended", self.requestor),
            &receipt,
        )
    }
}

/// `custodian reinstate`.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  medshare custodian reinstate 0x90F7…b906 --keystore custodian.json"
)]
pub struct Reinstate {
    /// The requestor's address
    requestor: Address,
    #[command(flatten)]
    sender: SenderArgs,
}

impl Reinstate {
    pub async fn run(self) -> Result<()> {
        let receipt = self
            .sender
            .connect()
            .await?
            .reinstate(self.requestor)
            .await?;
        output::receipt(
            self.sender.json,
            format!("{} is reinstated", self.requestor),
            &receipt,
        )
    }
}
