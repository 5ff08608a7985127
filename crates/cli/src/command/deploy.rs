//! `medshare deploy`: puts the contract on a chain; the deploying wallet is governance.

use anyhow::Result;
use clap::Args;
use medshare_chain::Chain;
use serde_json::json;

use crate::connection::WalletArgs;
use crate::output;

/// The easiest target a block may claim by default: about 4,096 hashes a block.
pub const DEFAULT_WORK_LIMIT: u32 = 0x1f0f_ffff;

/// Deploys.
#[derive(Args, Debug)]
#[command(after_help = "Example:
  medshare deploy --rpc http://127.0.0.1:8545 --keystore governance.json")]
pub struct Deploy {
    /// RPC address of the EVM chain
    #[arg(long, env = "MEDSHARE_RPC", value_name = "URL")]
    rpc: String,
    #[command(flatten)]
    wallet: WalletArgs,
    /// Easiest target of a block's proof of work, in Bitcoin's compact form, hexadecimal
    #[arg(long, value_name = "BITS", default_value = "1f0fffff", value_parser = compact)]
    work_limit: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Deploy {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        let wallet = self.wallet.open()?;
        let governance = wallet.address();
        let contract = Chain::deploy(&self.rpc, wallet, self.work_limit).await?;
        output::either(
            self.json,
            &json!({"contract": contract, "governance": governance}),
            format!("{contract}\ngoverned by {governance}"),
        )
    }
}

fn compact(text: &str) -> Result<u32, String> {
    u32::from_str_radix(text.trim_start_matches("0x"), 16)
        .map_err(|_| "give up to eight hexadecimal digits, such as 1f0fffff".to_owned())
}
