//! `medshare wallet`: keystores, in the form that `cast wallet` and geth read (Web3 Secret Storage, version 3).

use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use medshare_chain::{PrivateKeySigner, keystore};
use medshare_protocol::seal::SealingSecret;
use serde_json::json;
use zeroize::Zeroizing;

use crate::output;
use crate::passphrase::PassphraseArgs;

/// Keystores.
#[derive(Subcommand, Debug)]
pub enum WalletCommand {
    /// Make a new wallet
    #[command(after_help = "Example:\n  medshare wallet new --keystore alice.json")]
    New(KeystoreArgs),
    /// Put an existing private key, read from standard input or a prompt, into a keystore
    #[command(after_help = "Example:\n  medshare wallet import --keystore alice.json < key.hex")]
    Import(KeystoreArgs),
    /// Print the address of a wallet
    #[command(after_help = "Example:\n  medshare wallet address --keystore alice.json")]
    Address(KeystoreArgs),
    /// Make a new sealing key (X25519), or print the public key of an existing one
    #[command(after_help = "Example:\n  medshare wallet sealing --keystore alice-sealing.json")]
    Sealing(KeystoreArgs),
}

/// A keystore file.
#[derive(Args, Debug)]
pub struct KeystoreArgs {
    /// The keystore file; an existing one is never overwritten
    #[arg(long, env = "MEDSHARE_KEYSTORE", value_name = "FILE")]
    keystore: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl WalletCommand {
    /// Does it.
    pub fn run(self) -> Result<()> {
        match self {
            Self::New(args) => args.write(&PrivateKeySigner::random()),
            Self::Import(args) => args.write(&read_key()?),
            Self::Address(args) => args.address(),
            Self::Sealing(args) => args.sealing(),
        }
    }
}

impl KeystoreArgs {
    fn write(&self, wallet: &PrivateKeySigner) -> Result<()> {
        self.check_free()?;
        keystore::write_wallet(&self.keystore, &self.passphrase.choose()?, wallet)?;
        self.print_address(&wallet.address().to_string())
    }

    /// Before anybody thinks of a passphrase.
    fn check_free(&self) -> Result<()> {
        if self.keystore.exists() {
            bail!(
                "{} exists already: give another --keystore, nothing was written",
                self.keystore.display()
            );
        }
        Ok(())
    }

    fn address(&self) -> Result<()> {
        let address = match keystore::wallet_address(&self.keystore)? {
            Some(address) => address,
            // Files of `cast wallet` do not name the account.
            None => keystore::read_wallet(&self.keystore, &self.passphrase.get(&self.keystore)?)?
                .address(),
        };
        self.print_address(&address.to_string())
    }

    fn sealing(&self) -> Result<()> {
        let secret = if self.keystore.exists() {
            let passphrase = self.passphrase.get(&self.keystore)?;
            SealingSecret::from_bytes(*keystore::read_secret(&self.keystore, &passphrase)?)
        } else {
            let secret = SealingSecret::generate()?;
            keystore::write_secret(&self.keystore, &self.passphrase.choose()?, secret.expose())?;
            secret
        };
        let public = format!("{:?}", secret.public());
        output::either(
            self.json,
            &json!({"keystore": self.keystore, "sealing_key": public}),
            &public,
        )
    }

    fn print_address(&self, address: &str) -> Result<()> {
        output::either(
            self.json,
            &json!({"keystore": self.keystore, "address": address}),
            address,
        )
    }
}

/// 64 hexadecimal digits.
fn read_key() -> Result<PrivateKeySigner> {
    let stdin = std::io::stdin();
    let text = if stdin.is_terminal() {
        Zeroizing::new(rpassword::prompt_password("Private key (hexadecimal): ")?)
    } else {
        let mut text = Zeroizing::new(String::new());
        stdin
            .lock()
            .read_line(&mut text)
            .context("cannot read the private key from standard input")?;
        text
    };
    // The parser's error could quote the key.
    text.trim()
        .parse()
        .ok()
        .context("this is no private key: give 64 hexadecimal digits")
}
