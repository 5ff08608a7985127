//! Arguments that many commands share: the chain, and the wallet that signs.

use std::path::PathBuf;

use alloy_primitives::Address;
use anyhow::{Context, Result};
use clap::Args;
use medshare_chain::{Chain, ChainConfig, PrivateKeySigner, keystore};
use medshare_client::audit::BlockSource;

use crate::cli::wrong_usage;
use crate::passphrase::PassphraseArgs;

/// Which deployment.
#[derive(Args, Clone, Debug)]
pub struct ChainArgs {
    /// RPC address of the EVM chain
    #[arg(long, env = "MEDSHARE_RPC", value_name = "URL")]
    pub rpc: String,
    /// Address of the MeDShare contract
    #[arg(long, env = "MEDSHARE_CONTRACT", value_name = "ADDRESS")]
    pub contract: Address,
    /// Refuse an RPC address that serves another chain than this
    #[arg(long, value_name = "ID")]
    pub chain_id: Option<u64>,
}

impl ChainArgs {
    /// A connection that can read.
    pub async fn connect(&self) -> Result<Chain> {
        let mut config = ChainConfig::new(&self.rpc, self.contract);
        config.chain_id = self.chain_id;
        Ok(Chain::connect(&config).await?)
    }
}

/// Where the records of blocks come from.
#[derive(Args, Clone, Debug)]
pub struct SourceArgs {
    /// Any node of the network [env: MEDSHARE_NODE]
    // Not clap's `env`: a variable for other commands must not stand in the way of --blocks.
    #[arg(long, value_name = "URL", conflicts_with = "blocks")]
    node: Option<String>,
    /// A folder of block records instead of a node, one file each, named LEAF-HASH.block; where a leaf hash is anchored at
    /// several places, LEAF-HASH-PACKAGE.block or LEAF-HASH-PACKAGE-HEIGHT.block
    #[arg(long, value_name = "FOLDER")]
    blocks: Option<PathBuf>,
}

impl SourceArgs {
    /// The source.
    pub fn open(self) -> Result<BlockSource> {
        let usual = std::env::var("MEDSHARE_NODE");
        let usual = usual.ok().filter(|node| !node.is_empty());
        match (self.blocks, self.node.or(usual)) {
            (Some(folder), _) => Ok(BlockSource::Directory(folder)),
            (None, Some(url)) => Ok(BlockSource::node(&url)?),
            (None, None) => wrong_usage("give --node <URL> or --blocks <FOLDER>"),
        }
    }
}

/// Which wallet signs.
#[derive(Args, Clone, Debug)]
pub struct WalletArgs {
    /// Keystore of the wallet that signs and pays
    #[arg(long, env = "MEDSHARE_KEYSTORE", value_name = "FILE")]
    pub keystore: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

impl WalletArgs {
    /// The wallet, opened.
    pub fn open(&self) -> Result<PrivateKeySigner> {
        let passphrase = self.passphrase.get(&self.keystore)?;
        Ok(keystore::read_wallet(&self.keystore, &passphrase)?)
    }
}

/// A chain that can be written to.
#[derive(Args, Clone, Debug)]
pub struct SenderArgs {
    #[command(flatten)]
    chain: ChainArgs,
    #[command(flatten)]
    wallet: WalletArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl SenderArgs {
    /// Connects first: an unreachable chain should not cost anybody a passphrase.
    pub async fn connect(&self) -> Result<Chain> {
        let chain = self.chain.connect().await?;
        let wallet = self.wallet.open()?;
        Ok(chain.with_signer(wallet))
    }
}

/// Reads a small text file that the command line named.
pub fn read_text(path: &std::path::Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
