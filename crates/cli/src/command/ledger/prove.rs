//! `medshare ledger prove`: proofs from a node, checked here against the chain (P8, P22, P26).

use std::fmt::Display;
use std::path::PathBuf;

use alloy_primitives::{Address, B256};
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use medshare_chain::{Chain, EvmBlock};
use medshare_client::api::NodeApi;
use medshare_client::proof::{Proof, prove_block, prove_growth, prove_state};
use medshare_protocol::block::Place;
use medshare_protocol::chain_verifier::ChainName;
use medshare_protocol::id::{LeafHash, PackageId};
use medshare_protocol::usage;

use crate::cli::wrong_usage;
use crate::connection::ChainArgs;
use crate::{new_file, output};

/// What is to be proven.
#[derive(Subcommand, Debug)]
pub enum ProveCommand {
    /// Prove that a block is in its chain
    Block(Block),
    /// Prove that a chain only grew since it had so many blocks
    Growth(Growth),
    /// Prove what the contract held of a package at an EVM block
    State(State),
}

impl ProveCommand {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        match self {
            Self::Block(block) => block.run().await,
            Self::Growth(growth) => growth.run().await,
            Self::State(state) => state.run().await,
        }
    }
}

/// Whom to ask, and where the proof goes.
#[derive(Args, Debug)]
struct Asking {
    #[command(flatten)]
    chain: ChainArgs,
    /// Any node of the network: it need not be believed
    #[arg(long, env = "MEDSHARE_NODE", value_name = "URL")]
    node: String,
    /// Keep the proof, JSON; must not exist
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print the proof, JSON
    #[arg(long)]
    json: bool,
}

impl Asking {
    async fn connect(&self) -> Result<(Chain, NodeApi)> {
        if let Some(path) = &self.output {
            new_file::must_be_new(path)?;
        }
        Ok((self.chain.connect().await?, NodeApi::new(&self.node)?))
    }

    fn tell(&self, proof: &Proof, text: impl Display) -> Result<()> {
        if let Some(path) = &self.output {
            let mut file = new_file::beside(path)?;
            serde_json::to_writer_pretty(&mut file, proof)
                .with_context(|| format!("cannot write {}", path.display()))?;
            new_file::keep(file, path)?;
        }
        output::either(self.json, proof, text)?;
        match &self.output {
            Some(path) if !self.json => output::line(format!(
                "{}: check it anywhere with `medshare verify`",
                path.display()
            )),
            _ => Ok(()),
        }
    }
}

/// Proves a block.
#[derive(Args, Debug)]
#[command(
    after_help = "The head of the block's chain is read from the contract; the path to it comes from the node (RFC 6962).
Leaf hashes: `medshare audit --json`, `medshare ledger export`, or a node's /v1/packages/ID/blocks.
Example:
  medshare ledger prove block 0x6d1f… --rpc http://127.0.0.1:8545 --contract 0x5FbD…0aa3 --node http://127.0.0.1:8546"
)]
pub struct Block {
    /// The block's leaf hash
    #[arg(value_name = "LEAF")]
    leaf: LeafHash,
    /// The block of this package; needed only where somebody anchored a copy of the leaf hash before
    #[arg(long, value_name = "ID")]
    package: Option<PackageId>,
    /// Number of the block in the package's side-chain, from 0; without, the package's parent block
    #[arg(long, value_name = "NUMBER", requires = "package")]
    height: Option<u64>,
    #[command(flatten)]
    asking: Asking,
}

impl Block {
    async fn run(self) -> Result<()> {
        let (chain, node) = self.asking.connect().await?;
        let place = self.package.map(|package| Place::new(package, self.height));
        let proof = prove_block(&chain, &node, self.leaf, place).await?;
        let text = format!(
            "proven: the block {} is number {} of {} in the {}\n  by a path of {} to the head {}, which the contract holds",
            proof.leaf,
            proof.index,
            output::counted(proof.end.size, "block"),
            proof.chain,
            match proof.path.len() {
                1 => "1 hash".to_owned(),
                count => format!("{count} hashes"),
            },
            proof.end.head(),
        );
        self.asking.tell(&Proof::Inclusion(proof), text)
    }
}

/// Proves that a chain only grew.
#[derive(Args, Debug)]
#[command(
    after_help = "Whoever noted a head once proves so that nothing before it was changed since.
Example:
  medshare ledger prove growth --requestor 0x90F7…3906 --from 2 --old-head 0x1c9a… \\
    --rpc http://127.0.0.1:8545 --contract 0x5FbD…0aa3 --node http://127.0.0.1:8546"
)]
pub struct Growth {
    /// The thread of this requestor
    #[arg(long, value_name = "ADDRESS", required_unless_present = "package")]
    requestor: Option<Address>,
    /// The side-chain of this package
    #[arg(long, value_name = "ID", conflicts_with = "requestor")]
    package: Option<PackageId>,
    /// How many blocks it had
    #[arg(long, value_name = "BLOCKS", value_parser = clap::value_parser!(u64).range(1..))]
    from: u64,
    /// The head that you noted then; without, the node's word for it is taken
    #[arg(long, value_name = "HASH")]
    old_head: Option<B256>,
    #[command(flatten)]
    asking: Asking,
}

impl Growth {
    async fn run(self) -> Result<()> {
        let name = match (self.requestor, self.package) {
            (Some(requestor), _) => ChainName::Thread(requestor),
            (None, Some(package)) => ChainName::Side(package),
            (None, None) => wrong_usage("give --requestor <ADDRESS> or --package <ID>"),
        };
        let (chain, node) = self.asking.connect().await?;
        let proof = prove_growth(&chain, &node, name, self.from).await?;
        let old = proof.old.head();
        if let Some(noted) = self.old_head.filter(|noted| *noted != old) {
            bail!(
                "the {name} with {} had the head {old}, not {noted}: either that is another size's, or what was there \
                 has been changed",
                output::counted(self.from, "block")
            );
        }
        let text = format!(
            "proven: the {name} grew from {} to {} and nothing else happened to it\n  from the head {old}{}\n  to the head {}, which the contract holds",
            output::counted(proof.old.size, "block"),
            proof.new.size,
            if self.old_head.is_some() {
                ""
            } else {
                " (as the node says)"
            },
            proof.new.head(),
        );
        self.asking.tell(&Proof::Growth(proof), text)
    }
}

/// Proves a package's state, or that there was none.
#[derive(Args, Debug)]
#[command(
    after_help = "The values of the contract's storage with their Merkle-Patricia proofs (EIP-1186): whoever knows the EVM block's
hash to be real needs neither node nor chain to check them.
Example:
  medshare ledger prove state 0x4be1… --evm-block 31 -o state.json \\
    --rpc http://127.0.0.1:8545 --contract 0x5FbD…0aa3 --node http://127.0.0.1:8546"
)]
pub struct State {
    /// The package
    #[arg(value_name = "PACKAGE")]
    package: PackageId,
    /// Number of the EVM block; without, the newest
    #[arg(long, value_name = "NUMBER")]
    evm_block: Option<u64>,
    #[command(flatten)]
    asking: Asking,
}

impl State {
    async fn run(self) -> Result<()> {
        let (chain, node) = self.asking.connect().await?;
        let (proof, block, status) =
            prove_state(&chain, &node, self.package, self.evm_block).await?;
        let EvmBlock { number, hash, .. } = block;
        let text = match status.state {
            usage::State::None => format!(
                "proven: there was no package {} in the EVM block {number} ({hash})",
                self.package
            ),
            state => format!(
                "proven: the package {} was {state:?} in the EVM block {number} ({hash})\n  requestor {}, custodian {}, head {}",
                self.package, status.requestor, status.custodian, status.head,
            ),
        };
        self.asking.tell(&Proof::State(proof), text)
    }
}
