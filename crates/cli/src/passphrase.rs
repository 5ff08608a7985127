//! Where passphrases come from: a file, the environment, or a prompt. Never an argument: those are public.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use zeroize::Zeroizing;

/// The environment variable that is asked when no file is given.
pub const VARIABLE: &str = "MEDSHARE_PASSPHRASE";
/// A file longer than this holds something else.
const MAX_FILE_BYTES: u64 = 4_096;

/// How to open a keystore.
#[derive(Args, Clone, Debug, Default)]
pub struct PassphraseArgs {
    /// File whose first line is the passphrase; else MEDSHARE_PASSPHRASE, else a prompt
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

impl PassphraseArgs {
    /// The passphrase of the existing keystore `of`.
    pub fn get(&self, of: &Path) -> Result<Zeroizing<String>> {
        match self.given()? {
            Some(passphrase) => Ok(passphrase),
            None => ask(&format!("Passphrase of {}: ", of.display())),
        }
    }

    /// The passphrase for a new keystore: a prompt asks twice.
    pub fn choose(&self) -> Result<Zeroizing<String>> {
        let passphrase = match self.given()? {
            Some(passphrase) => passphrase,
            None => {
                let first = ask("New passphrase: ")?;
                if first != ask("Again: ")? {
                    bail!("the two passphrases differ: nothing was written, start again");
                }
                first
            }
        };
        if passphrase.is_empty() {
            bail!("the passphrase is empty: anybody who has the file would have the key");
        }
        Ok(passphrase)
    }

    fn given(&self) -> Result<Option<Zeroizing<String>>> {
        if let Some(file) = &self.passphrase_file {
            return first_line(file).map(Some);
        }
        match std::env::var(VARIABLE) {
            Ok(passphrase) => Ok(Some(Zeroizing::new(passphrase))),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(error) => Err(error).context(VARIABLE),
        }
    }
}

fn first_line(file: &Path) -> Result<Zeroizing<String>> {
    let reading = || format!("cannot read the passphrase file {}", file.display());
    if std::fs::metadata(file).with_context(reading)?.len() > MAX_FILE_BYTES {
        bail!(
            "{} is too long for a passphrase file: is it the right file?",
            file.display()
        );
    }
    let text = Zeroizing::new(std::fs::read_to_string(file).with_context(reading)?);
    Ok(Zeroizing::new(
        text.lines().next().unwrap_or_default().to_owned(),
    ))
}

fn ask(prompt: &str) -> Result<Zeroizing<String>> {
    if !std::io::stdin().is_terminal() {
        bail!("no passphrase: give --passphrase-file, set {VARIABLE}, or run this on a terminal");
    }
    rpassword::prompt_password(prompt)
        .map(Zeroizing::new)
        .context("cannot ask for the passphrase")
}
