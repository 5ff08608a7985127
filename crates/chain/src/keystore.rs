//! Secrets at rest: Ethereum keystore files (Web3 Secret Storage v3), the form that `cast wallet` and geth read and
//! write. Wallet keys and X25519 sealing secrets are kept alike.
//!
//! Files are written with mode 0600, whole or not at all, and never over another file. Deriving a key takes a third of a
//! second and 128 MiB: call these from a blocking thread.

mod cipher;
mod file;

use std::io;
use std::path::{Path, PathBuf};

use alloy::primitives::Address;
use alloy::signers::local::PrivateKeySigner;
use zeroize::Zeroizing;

use file::Keystore;

/// Largest file that is read, bytes; a keystore has about 500.
const MAX_FILE_BYTES: u64 = 65_536;

/// Why a keystore file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeystoreError {
    /// The passphrase is not the file's.
    #[error("the passphrase does not open {}", .0.display())]
    WrongPassphrase(PathBuf),
    /// The file is not there.
    #[error("there is no keystore file {}", .0.display())]
    Missing(PathBuf),
    /// There is a file already.
    #[error("{} exists already and is not overwritten: choose another name", .0.display())]
    Exists(PathBuf),
    /// The file is no keystore, or one that is not supported.
    #[error("{} is no usable Ethereum keystore (version 3): {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file says that it holds another account's key.
    #[error("{} says it holds the key of {claimed}, but it holds that of {held}", path.display())]
    OtherAccount {
        /// The file.
        path: PathBuf,
        /// The account in the file's text.
        claimed: Address,
        /// The account of the key.
        held: Address,
    },
    /// The system refused.
    #[error("cannot {doing} {}: {error}", path.display())]
    Io {
        /// `read` or `write`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// Reads a wallet's key, from a file of ours, of `cast wallet` or of geth.
///
/// # Errors
/// [`KeystoreError`], without a word of the file's content.
pub fn read_wallet(path: &Path, passphrase: &str) -> Result<PrivateKeySigner, KeystoreError> {
    let keystore = load(path)?;
    let secret = open(path, &keystore, passphrase)?;
    let malformed = |_| KeystoreError::Malformed {
        path: path.to_owned(),
        reason: "what it holds is no secp256k1 key".into(),
    };
    let wallet = PrivateKeySigner::from_slice(secret.as_slice()).map_err(malformed)?;
    match keystore.address {
        Some(claimed) if claimed != wallet.address() => Err(KeystoreError::OtherAccount {
            path: path.to_owned(),
            claimed,
            held: wallet.address(),
        }),
        _ => Ok(wallet),
    }
}

/// Writes a wallet's key to a new file.
///
/// # Errors
/// [`KeystoreError::Exists`], or what the system says.
pub fn write_wallet(
    path: &Path,
    passphrase: &str,
    wallet: &PrivateKeySigner,
) -> Result<(), KeystoreError> {
    let secret = Zeroizing::new(wallet.to_bytes().0);
    store(path, passphrase, &secret, Some(wallet.address()))
}

/// Reads a 32-byte secret, such as an X25519 sealing key.
///
/// # Errors
/// [`KeystoreError`], without a word of the file's content.
pub fn read_secret(path: &Path, passphrase: &str) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
    open(path, &load(path)?, passphrase)
}

/// Writes a 32-byte secret to a new file.
///
/// # Errors
/// [`KeystoreError::Exists`], or what the system says.
pub fn write_secret(path: &Path, passphrase: &str, secret: &[u8; 32]) -> Result<(), KeystoreError> {
    store(path, passphrase, secret, None)
}

/// The account of a wallet file, without a passphrase, where the file names it (ours and geth's do).
///
/// # Errors
/// When the file is missing or no keystore.
pub fn wallet_address(path: &Path) -> Result<Option<Address>, KeystoreError> {
    Ok(load(path)?.address)
}

fn open(
    path: &Path,
    keystore: &Keystore,
    passphrase: &str,
) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
    let opened = cipher::open(&keystore.crypto, passphrase.as_bytes());
    opened.ok_or_else(|| KeystoreError::WrongPassphrase(path.to_owned()))
}

fn load(path: &Path) -> Result<Keystore, KeystoreError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => KeystoreError::Missing(path.to_owned()),
        _ => KeystoreError::Io {
            doing: "read",
            path: path.to_owned(),
            error,
        },
    };
    let malformed = |reason: String| KeystoreError::Malformed {
        path: path.to_owned(),
        reason,
    };
    let bytes = std::fs::metadata(path).map_err(failed)?.len();
    if bytes > MAX_FILE_BYTES {
        return Err(malformed(format!(
            "it has {bytes} bytes, the limit is {MAX_FILE_BYTES}"
        )));
    }
    Keystore::parse(&std::fs::read(path).map_err(failed)?).map_err(malformed)
}

fn store(
    path: &Path,
    passphrase: &str,
    secret: &[u8; 32],
    address: Option<Address>,
) -> Result<(), KeystoreError> {
    // Before the costly derivation; the write itself refuses again.
    if path.exists() {
        return Err(KeystoreError::Exists(path.to_owned()));
    }
    let failed = |error: io::Error| KeystoreError::Io {
        doing: "write",
        path: path.to_owned(),
        error,
    };
    let mut random = [0; 16 + cipher::RANDOM_BYTES];
    getrandom::fill(&mut random).map_err(|error| failed(io::Error::other(error.to_string())))?;
    let (id, random) = random.split_first_chunk().expect("64 bytes have 16");
    let random = random.first_chunk().expect("48 bytes are left");
    let crypto = cipher::seal(secret, passphrase.as_bytes(), random);
    let text = Keystore::text(crypto, address, id);
    file::create(path, text.as_bytes()).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => KeystoreError::Exists(path.to_owned()),
        _ => failed(error),
    })
}
