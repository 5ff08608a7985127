//! The requestor behind a command: home folder, profile, keys.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use clap::Args;
use medshare_chain::{Chain, ChainConfig};
use medshare_client::api::NodeApi;
use medshare_client::purse::{Profile, Purse};
use medshare_client::requestor::Requestor;

use crate::passphrase::PassphraseArgs;

/// Which requestor.
#[derive(Args, Clone, Debug)]
pub struct HomeArgs {
    /// The requestor's folder: profile, keystores, packages [default: MEDSHARE_HOME, else ~/.medshare]
    #[arg(long, value_name = "FOLDER")]
    home: Option<PathBuf>,
}

impl HomeArgs {
    /// The folder.
    pub fn purse(&self) -> Result<Purse> {
        Ok(match &self.home {
            Some(home) => Purse::at(home)?,
            None => Purse::from_environment()?,
        })
    }

    /// The profile's node.
    pub fn node(&self) -> Result<NodeApi> {
        Ok(NodeApi::new(&self.purse()?.profile()?.node)?)
    }
}

/// A requestor who signs.
#[derive(Args, Clone, Debug)]
pub struct RequestorArgs {
    #[command(flatten)]
    pub home: HomeArgs,
    #[command(flatten)]
    pub passphrase: PassphraseArgs,
}

impl RequestorArgs {
    /// The requestor of the profile, with both keys open.
    pub async fn open(&self) -> Result<(Purse, Requestor)> {
        let purse = self.home.purse()?;
        let profile = purse.profile()?;
        let chain = connect(&profile).await?;
        let requestor = self.with_keys(&purse, &profile, chain).await?;
        Ok((purse, requestor))
    }

    /// Opens wallet and sealing key at once: each takes most of a second of computing (scrypt).
    pub async fn with_keys(
        &self,
        purse: &Purse,
        profile: &Profile,
        chain: Chain,
    ) -> Result<Requestor> {
        let passphrase = self.passphrase.get(&purse.wallet_path())?;
        let wallet = {
            let (purse, passphrase) = (purse.clone(), passphrase.clone());
            tokio::task::spawn_blocking(move || purse.wallet(&passphrase))
        };
        let sealing = {
            let purse = purse.clone();
            tokio::task::spawn_blocking(move || purse.sealing(&passphrase))
        };
        let (wallet, sealing) = (wallet.await??, sealing.await??);
        Ok(Requestor::new(
            wallet,
            sealing,
            Arc::new(chain),
            NodeApi::new(&profile.node)?,
        ))
    }
}

/// The chain that a profile names.
pub async fn connect(profile: &Profile) -> Result<Chain> {
    Ok(Chain::connect(&ChainConfig::new(&profile.rpc, profile.contract)).await?)
}
