//! `medshare register`: profile, keys and registration, once (P1).

use std::path::PathBuf;

use alloy_primitives::{Address, B256};
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use medshare_chain::PrivateKeySigner;
use medshare_client::purse::{Profile, Purse, PurseError};
use medshare_protocol::digest::sha256;
use medshare_protocol::wire::Class;
use serde_json::json;

use crate::output;
use crate::profile::{RequestorArgs, connect};

/// Registers.
#[derive(Args, Debug)]
#[command(
    after_help = "The first time name node, chain and contract; wallet and sealing key are made when there are none.
To use a wallet of `cast wallet`, put its keystore into the requestor's folder as wallet.json first.
Example:
  medshare register --node http://127.0.0.1:8546 --rpc http://127.0.0.1:8545 --contract 0x5FbD…0aa3 --class university
Again, with a new sealing key (delete sealing.json first), rotates the key."
)]
pub struct Register {
    #[command(flatten)]
    requestor: RequestorArgs,
    /// The custodian's node
    #[arg(long, env = "MEDSHARE_NODE", value_name = "URL")]
    node: Option<String>,
    /// RPC address of the EVM chain
    #[arg(long, env = "MEDSHARE_RPC", value_name = "URL")]
    rpc: Option<String>,
    /// Address of the MeDShare contract
    #[arg(long, env = "MEDSHARE_CONTRACT", value_name = "ADDRESS")]
    contract: Option<Address>,
    /// The class of organisation
    #[arg(long, value_enum, default_value_t = ClassName::Individual)]
    class: ClassName,
    /// The credential that the custodian has seen; its hash is registered [default: none but the wallet]
    #[arg(long, value_name = "FILE")]
    credential: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
enum ClassName {
    Hospital,
    University,
    ResearchInstitution,
    Individual,
    Government,
    Other,
}

impl ClassName {
    const fn class(self) -> Class {
        match self {
            Self::Hospital => Class::Hospital,
            Self::University => Class::University,
            Self::ResearchInstitution => Class::ResearchInstitution,
            Self::Individual => Class::Individual,
            Self::Government => Class::Government,
            Self::Other => Class::Other,
        }
    }
}

impl Register {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        let purse = self.requestor.home.purse()?;
        let profile = self.profile(&purse)?;
        let chain = connect(&profile).await?;
        if !purse.wallet_path().exists() {
            let passphrase = self.requestor.passphrase.choose()?;
            purse.keep_wallet(&passphrase, &PrivateKeySigner::random())?;
        }
        let requestor = self.requestor.with_keys(&purse, &profile, chain).await?;
        let credential = self.credential(requestor.address())?;
        let answer = requestor.register(self.class.class(), credential).await?;
        // Only a profile that works is kept.
        purse.save_profile(&profile)?;
        output::either(
            self.json,
            &json!({"requestor": requestor.address(), "custodian": answer.custodian, "transaction": answer.transaction}),
            format!(
                "{} is registered; custodian {} vouches (transaction {:?})",
                requestor.address(),
                answer.custodian,
                answer.transaction
            ),
        )
    }

    /// What the command line says, over what is kept.
    fn profile(&self, purse: &Purse) -> Result<Profile> {
        let kept = match purse.profile() {
            Ok(profile) => Some(profile),
            Err(PurseError::NoProfile(_)) => None,
            Err(error) => return Err(error.into()),
        };
        let missing = "there is no profile yet: give --node, --rpc and --contract";
        let kept = kept.as_ref();
        Ok(Profile {
            node: self
                .node
                .clone()
                .or_else(|| kept.map(|kept| kept.node.clone()))
                .context(missing)?,
            rpc: self
                .rpc
                .clone()
                .or_else(|| kept.map(|kept| kept.rpc.clone()))
                .context(missing)?,
            contract: self
                .contract
                .or_else(|| kept.map(|kept| kept.contract))
                .context(missing)?,
        })
    }

    /// Suspensions hold for the credential: who shows none must not share one with others who show none.
    fn credential(&self, requestor: Address) -> Result<B256> {
        let Some(file) = &self.credential else {
            return Ok(sha256(&[requestor.as_slice()]));
        };
        let bytes = std::fs::read(file)
            .with_context(|| format!("cannot read the credential {}", file.display()))?;
        Ok(sha256(&[&bytes]))
    }
}
