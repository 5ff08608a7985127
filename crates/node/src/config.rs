//! What an operator sets: `node.toml`, checked once, as a whole, into a [`Config`].
//!
//! `examples/node.toml` beside this crate is the annotated form of it. [`open`] makes a running node of it.

mod open;

use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};

use alloy_primitives::Address;
use medshare_chain::ChainConfig;
use serde::Deserialize;
use toml::Spanned;
use zeroize::Zeroizing;

use crate::service::Limits;
use crate::vouching::Vouching;

pub(crate) use open::read_key;
pub use open::{OpenError, Prepared, RunningNode, open, prepare};

/// Where the passphrase is looked for when the configuration names no file.
pub const PASSPHRASE_VARIABLE: &str = "MEDSHARE_PASSPHRASE";
/// A configuration is refused when it is longer.
pub const MAX_CONFIG_BYTES: u64 = 256 * 1024;
/// A passphrase file is refused when it is longer.
pub const MAX_PASSPHRASE_BYTES: u64 = 4 * 1024;
/// Shortest and longest lease, seconds.
pub const LEASE_SECONDS: Range<u32> = 1..86_401;
/// Most datasets of one node.
pub const MAX_DATASETS: usize = 256;
/// Most confirmations a package waits for.
pub const MAX_CONFIRMATIONS: u64 = 10_000;
/// Longest pause between two checks of the store: a day.
pub const MAX_STORE_CHECK_SECONDS: u32 = 86_400;
/// Longest endpoint that the contract takes, bytes.
pub const MAX_ENDPOINT_BYTES: usize = 200;
/// What is logged when nothing else is said.
pub const DEFAULT_LOG: &str = "info";

/// A checked configuration. Paths are absolute or relative to the working directory.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file it came from.
    pub file: PathBuf,
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// Where the others reach this node; what is registered on chain.
    pub public_endpoint: String,
    /// Chain and contract.
    pub chain: ChainConfig,
    /// The custodian it works for.
    pub custodian: Address,
    /// The node's key, as an Ethereum keystore file.
    pub keystore: PathBuf,
    /// File that holds the keystore's passphrase.
    pub passphrase_file: Option<PathBuf>,
    /// Folder of everything the node keeps.
    pub data_dir: PathBuf,
    /// Descriptors of what it serves.
    pub datasets: Vec<PathBuf>,
    /// Leases, confirmations, queues.
    pub limits: Limits,
    /// For whom it vouches.
    pub vouching: Vouching,
    /// What is logged, as `tracing` filters say it.
    pub log: String,
}

/// Why a configuration is not taken. Lines count from 1.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is larger than it could need to be.
    #[error("{} has {bytes} bytes, and {limit} is the limit: is it the right file?", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Not TOML, or not the keys and values that are known.
    #[error("{}, line {line}: {message}", path.display())]
    Malformed {
        /// The configuration.
        path: PathBuf,
        /// Line of the fault.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// A key has a value that makes no sense.
    #[error("{}, line {line}, `{key}`: {message}", path.display())]
    Invalid {
        /// The configuration.
        path: PathBuf,
        /// Line of the value.
        line: usize,
        /// The key.
        key: &'static str,
        /// What is wrong and what to do.
        message: String,
    },
    /// No passphrase was given.
    #[error(
        "there is no passphrase for the keystore: set `passphrase-file` in {} or the variable {PASSPHRASE_VARIABLE}", config.display()
    )]
    NoPassphrase {
        /// The configuration.
        config: PathBuf,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ConfigFile {
    listen: SocketAddr,
    public_endpoint: Spanned<String>,
    rpc_url: String,
    contract: Address,
    chain_id: Option<u64>,
    poll_ms: Option<Spanned<u64>>,
    custodian: Spanned<Address>,
    keystore: PathBuf,
    passphrase_file: Option<PathBuf>,
    data_dir: PathBuf,
    #[serde(default)]
    datasets: Option<Spanned<Vec<PathBuf>>>,
    lease_seconds: Option<Spanned<u32>>,
    confirmations: Option<Spanned<u64>>,
    store_check_seconds: Option<Spanned<u32>>,
    max_pending_requests: Option<Spanned<u64>>,
    max_unauthenticated_requests: Option<Spanned<u64>>,
    vouch_for: Option<Spanned<toml::Value>>,
    log: Option<String>,
}

impl Config {
    /// Reads and checks a configuration. Paths in it are relative to its folder.
    ///
    /// # Errors
    /// The first fault: file, line and key.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let bytes = read_bounded(path, MAX_CONFIG_BYTES)?;
        let text = String::from_utf8(bytes).map_err(|error| ConfigError::Malformed {
            path: path.to_owned(),
            line: line_of(error.as_bytes(), error.utf8_error().valid_up_to()),
            message: "not UTF-8; convert the file first".into(),
        })?;
        let file = toml::from_str(&text).map_err(|error| ConfigError::Malformed {
            path: path.to_owned(),
            line: line_of(text.as_bytes(), error.span().map_or(0, |span| span.start)),
            message: error.message().replace('\n', " "),
        })?;
        Checker { path, text: &text }.check(file)
    }

    /// The keystore's passphrase: from the file that the configuration names, else from the environment. One line
    /// end at its end is not part of it.
    ///
    /// # Errors
    /// [`ConfigError::NoPassphrase`], or when the file cannot be read.
    pub fn passphrase(&self) -> Result<Zeroizing<String>, ConfigError> {
        let text = match &self.passphrase_file {
            Some(path) => {
                let bytes = Zeroizing::new(read_bounded(path, MAX_PASSPHRASE_BYTES)?);
                let text = std::str::from_utf8(&bytes).map_err(|_| ConfigError::Malformed {
                    path: path.clone(),
                    line: 1,
                    message: "the passphrase is not UTF-8".into(),
                })?;
                Zeroizing::new(text.to_owned())
            }
            None => Zeroizing::new(std::env::var(PASSPHRASE_VARIABLE).map_err(|_| {
                ConfigError::NoPassphrase {
                    config: self.file.clone(),
                }
            })?),
        };
        let line = text.strip_suffix('\n').unwrap_or(&text);
        Ok(Zeroizing::new(
            line.strip_suffix('\r').unwrap_or(line).to_owned(),
        ))
    }
}

struct Checker<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Checker<'_> {
    fn check(&self, file: ConfigFile) -> Result<Config, ConfigError> {
        self.check_endpoint(&file.public_endpoint)?;
        if file.custodian.as_ref().is_zero() {
            return Err(self.invalid(
                "custodian",
                file.custodian.span(),
                "it is the zero address".into(),
            ));
        }
        let mut chain = ChainConfig::new(&file.rpc_url, file.contract);
        chain.chain_id = file.chain_id;
        if let Some(poll_ms) = file.poll_ms {
            chain.poll_ms = self.within("poll-ms", poll_ms, 1..=60_000)?;
        }
        let mut limits = Limits::default();
        if let Some(lease) = file.lease_seconds {
            limits.lease_seconds = self.within(
                "lease-seconds",
                lease,
                LEASE_SECONDS.start..=LEASE_SECONDS.end - 1,
            )?;
        }
        if let Some(confirmations) = file.confirmations {
            limits.confirmations =
                self.within("confirmations", confirmations, 0..=MAX_CONFIRMATIONS)?;
        }
        if let Some(pending) = file.max_pending_requests {
            limits.max_pending_requests =
                self.within("max-pending-requests", pending, 1..=1_000_000)?;
        }
        if let Some(waiting) = file.max_unauthenticated_requests {
            limits.max_unauthenticated_requests =
                self.within("max-unauthenticated-requests", waiting, 1..=1_000_000)?;
        }
        if let Some(pause) = file.store_check_seconds {
            limits.store_check_seconds =
                self.within("store-check-seconds", pause, 1..=MAX_STORE_CHECK_SECONDS)?;
        }
        Ok(Config {
            file: self.path.to_owned(),
            listen: file.listen,
            public_endpoint: file.public_endpoint.into_inner(),
            chain,
            custodian: file.custodian.into_inner(),
            keystore: self.resolve(&file.keystore),
            passphrase_file: file.passphrase_file.map(|path| self.resolve(&path)),
            data_dir: self.resolve(&file.data_dir),
            datasets: self.datasets(file.datasets)?,
            limits,
            vouching: self.vouching(file.vouch_for)?,
            log: file.log.unwrap_or_else(|| DEFAULT_LOG.into()),
        })
    }

    fn check_endpoint(&self, endpoint: &Spanned<String>) -> Result<(), ConfigError> {
        let text = endpoint.as_ref();
        let good = reqwest::Url::parse(text)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if good && text.len() <= MAX_ENDPOINT_BYTES {
            return Ok(());
        }
        let message = format!(
            "it is no HTTP address of at most {MAX_ENDPOINT_BYTES} bytes, such as https://node.example.org"
        );
        Err(self.invalid("public-endpoint", endpoint.span(), message))
    }

    fn vouching(&self, value: Option<Spanned<toml::Value>>) -> Result<Vouching, ConfigError> {
        let Some(value) = value else {
            return Ok(Vouching::default());
        };
        Vouching::read(value.as_ref())
            .map_err(|message| self.invalid("vouch-for", value.span(), message))
    }

    fn datasets(
        &self,
        datasets: Option<Spanned<Vec<PathBuf>>>,
    ) -> Result<Vec<PathBuf>, ConfigError> {
        let Some(datasets) = datasets else {
            return Ok(Vec::new());
        };
        if datasets.as_ref().len() > MAX_DATASETS {
            let message = format!("a node serves at most {MAX_DATASETS} datasets");
            return Err(self.invalid("datasets", datasets.span(), message));
        }
        Ok(datasets
            .as_ref()
            .iter()
            .map(|path| self.resolve(path))
            .collect())
    }

    fn within<N: Copy + PartialOrd + std::fmt::Display>(
        &self,
        key: &'static str,
        value: Spanned<N>,
        range: std::ops::RangeInclusive<N>,
    ) -> Result<N, ConfigError> {
        if range.contains(value.as_ref()) {
            return Ok(*value.as_ref());
        }
        let message = format!(
            "{} is not from {} to {}",
            value.as_ref(),
            range.start(),
            range.end()
        );
        Err(self.invalid(key, value.span(), message))
    }

    fn invalid(&self, key: &'static str, span: Range<usize>, message: String) -> ConfigError {
        let line = line_of(self.text.as_bytes(), span.start);
        ConfigError::Invalid {
            path: self.path.to_owned(),
            line,
            key,
            message,
        }
    }

    fn resolve(&self, path: &Path) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(path)
    }
}

fn line_of(text: &[u8], offset: usize) -> usize {
    text[..offset.min(text.len())]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}

fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let bytes = std::fs::metadata(path).map_err(unreadable)?.len();
    if bytes > limit {
        return Err(ConfigError::TooLarge {
            path: path.to_owned(),
            bytes,
            limit,
        });
    }
    std::fs::read(path).map_err(unreadable)
}

#[cfg(test)]
mod tests;
