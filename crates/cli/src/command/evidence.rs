//! `medshare evidence`: all that shows what became of a request, in one file for outsiders (P8, P23, P26).

use std::path::PathBuf;

use alloy_primitives::Address;
use anyhow::{Context, Result, bail};
use clap::Args;
use medshare_chain::{Chain, ChainConfig, PrivateKeySigner, keystore};
use medshare_client::api::NodeApi;
use medshare_client::evidence::{Verdict, gather, verify};
use medshare_protocol::id::PackageId;
use serde::Serialize;

use crate::cli::wrong_usage;
use crate::passphrase::PassphraseArgs;
use crate::profile::{HomeArgs, connect};
use crate::{new_file, output};

/// Gathers.
#[derive(Args, Debug)]
#[command(
    after_help = "The requestor's wallet and profile are used; a custodian gives --keystore, --rpc, --contract and --node instead.
Only these two get it from the node: a request may tell what somebody is looking for. It is checked before it is written.
Examples:
  medshare evidence 0x4be1… -o evidence.zip
  medshare evidence 0x4be1… -o evidence.zip --keystore north.json --rpc http://127.0.0.1:8545 \\
    --contract 0x5FbD…0aa3 --node http://127.0.0.1:8546
  medshare verify evidence.zip"
)]
pub struct Evidence {
    /// The request, and its package
    #[arg(value_name = "REQUEST")]
    package: PackageId,
    /// Where it goes; must not exist
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    home: HomeArgs,
    #[command(flatten)]
    custodian: CustodianArgs,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What a custodian gives, who has no profile.
#[derive(Args, Debug)]
struct CustodianArgs {
    /// Keystore of the custodian's wallet
    #[arg(long, env = "MEDSHARE_KEYSTORE", value_name = "FILE")]
    keystore: Option<PathBuf>,
    /// RPC address of the EVM chain
    #[arg(long, env = "MEDSHARE_RPC", value_name = "URL")]
    rpc: Option<String>,
    /// Address of the MeDShare contract
    #[arg(long, env = "MEDSHARE_CONTRACT", value_name = "ADDRESS")]
    contract: Option<Address>,
    /// The custodian's node
    #[arg(long, env = "MEDSHARE_NODE", value_name = "URL")]
    node: Option<String>,
}

#[derive(Serialize)]
struct Written<'a> {
    file: &'a PathBuf,
    proven: usize,
    #[serde(flatten)]
    verdict: &'a Verdict,
}

impl Evidence {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        new_file::must_be_new(&self.output)?;
        let (chain, node, wallet) = self.connect().await?;
        let evidence = gather(&chain, &node, self.package, &wallet).await?;
        let verdict = verify(&evidence);
        if let Some(flaw) = verdict.flaws.first() {
            bail!(
                "what the node gave is no evidence: {}: {}; nothing was written",
                flaw.part,
                flaw.what
            );
        }
        let mut file = new_file::beside(&self.output)?;
        evidence
            .write(&mut file)
            .with_context(|| format!("cannot write {}", self.output.display()))?;
        new_file::keep(file, &self.output)?;
        let written = Written {
            file: &self.output,
            proven: verdict.proven.len(),
            verdict: &verdict,
        };
        let block = verdict.evm_block.map_or(0, |block| block.number);
        let text = format!(
            "{}: proves {} as of the EVM block {block}; `medshare verify` shows them",
            self.output.display(),
            output::counted(written.proven as u64, "statement")
        );
        output::either(self.json, &written, text)
    }

    async fn connect(&self) -> Result<(Chain, NodeApi, PrivateKeySigner)> {
        let CustodianArgs {
            keystore,
            rpc,
            contract,
            node,
        } = &self.custodian;
        let Some(keystore) = keystore else {
            let purse = self.home.purse()?;
            let profile = purse.profile()?;
            let chain = connect(&profile).await?;
            let passphrase = self.passphrase.get(&purse.wallet_path())?;
            return Ok((
                chain,
                NodeApi::new(&profile.node)?,
                purse.wallet(&passphrase)?,
            ));
        };
        let (Some(rpc), Some(contract), Some(node)) = (rpc, contract, node) else {
            wrong_usage("with --keystore give --rpc, --contract and --node as well");
        };
        let chain = Chain::connect(&ChainConfig::new(rpc, *contract)).await?;
        let passphrase = self.passphrase.get(keystore)?;
        let wallet = keystore::read_wallet(keystore, &passphrase)?;
        Ok((chain, NodeApi::new(node)?, wallet))
    }
}
