//! The requestor's home folder: profile, keystores, packages (P10).
//!
//! `~/.medshare`, or what `MEDSHARE_HOME` names:
//!
//! ```text
//! profile.toml          node, RPC endpoint, contract
//! wallet.json           the wallet, an Ethereum keystore (the one that `cast wallet` makes will do)
//! sealing.json          the sealing secret, in the same form
//! packages/<id>/        request.json, package.mds, journal.jsonl; package.mds.checked, .overlay and .part
//! run/                  sockets of open packages
//! ```
//!
//! Folders are 0700: nobody else on the machine has business in them.

mod package_folder;
mod profile;

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use alloy_signer_local::PrivateKeySigner;
use medshare_chain::keystore::{self, KeystoreError};
use medshare_protocol::id::PackageId;
use medshare_protocol::seal::{SealError, SealingSecret};

pub use package_folder::PackageFolder;
pub use profile::Profile;

/// Names the home folder.
pub const HOME_VARIABLE: &str = "MEDSHARE_HOME";
/// The longest address of a Unix socket on Linux, without its final zero (`unix(7)`).
const LONGEST_SOCKET_PATH_BYTES: usize = 107;

/// Why the home folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PurseError {
    /// Nobody says where it is.
    #[error("there is no home folder: set {HOME_VARIABLE} or HOME")]
    NoHome,
    /// Others may write or read in it.
    #[error(
        "{path} has the mode {mode:o}, so others on this machine may use what is in it: run `chmod 700 {path}`"
    )]
    TooOpen {
        /// The folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// There is no profile yet.
    #[error(
        "there is no profile {0}; make one with `medshare register`, or write it: node, rpc and contract"
    )]
    NoProfile(PathBuf),
    /// The profile cannot be read.
    #[error("the profile {path} is not usable: {reason}")]
    BadProfile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A package that is not here.
    #[error(
        "there is no package {id} under {path}; `medshare packages` lists those that are there"
    )]
    NoPackage {
        /// Asked for.
        id: PackageId,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A path that is too long for a socket.
    #[error("the path {0} is too long for a socket: set {HOME_VARIABLE} to a shorter one")]
    SocketPathTooLong(PathBuf),
    /// The keystore.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// No randomness for a new key.
    #[error(transparent)]
    Key(#[from] SealError),
    /// The disk.
    #[error("cannot use {path}: {error}")]
    Disk {
        /// File or folder.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
}

/// The home folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purse {
    home: PathBuf,
}

impl Purse {
    /// The folder that the environment names: `MEDSHARE_HOME`, else `.medshare` in `HOME`. Made when it is missing.
    ///
    /// # Errors
    /// [`PurseError`].
    pub fn from_environment() -> Result<Self, PurseError> {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        match (set(HOME_VARIABLE), set("HOME")) {
            (Some(home), _) => Self::at(Path::new(&home)),
            (None, Some(home)) => Self::at(&Path::new(&home).join(".medshare")),
            (None, None) => Err(PurseError::NoHome),
        }
    }

    /// The folder `home`. Made when it is missing; refused when others may use it.
    ///
    /// # Errors
    /// [`PurseError::TooOpen`], [`PurseError::Disk`].
    pub fn at(home: &Path) -> Result<Self, PurseError> {
        let home = std::path::absolute(home).map_err(disk(home))?;
        make_folder(&home)?;
        let mode = fs::metadata(&home)
            .map_err(disk(&home))?
            .permissions()
            .mode()
            & 0o777;
        if mode & 0o077 != 0 {
            return Err(PurseError::TooOpen { path: home, mode });
        }
        Ok(Self { home })
    }

    /// Where it is.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The profile.
    ///
    /// # Errors
    /// [`PurseError::NoProfile`], [`PurseError::BadProfile`].
    pub fn profile(&self) -> Result<Profile, PurseError> {
        Profile::read(&self.profile_path())
    }

    /// Writes the profile, whole or not at all.
    ///
    /// # Errors
    /// [`PurseError::Disk`].
    pub fn save_profile(&self, profile: &Profile) -> Result<(), PurseError> {
        write_whole(&self.profile_path(), profile.to_text().as_bytes())
    }

    fn profile_path(&self) -> PathBuf {
        self.home.join("profile.toml")
    }

    /// The wallet's keystore file.
    #[must_use]
    pub fn wallet_path(&self) -> PathBuf {
        self.home.join("wallet.json")
    }

    /// The sealing secret's keystore file.
    #[must_use]
    pub fn sealing_path(&self) -> PathBuf {
        self.home.join("sealing.json")
    }

    /// The wallet.
    ///
    /// # Errors
    /// A wrong passphrase, a missing or foreign file.
    pub fn wallet(&self, passphrase: &str) -> Result<PrivateKeySigner, PurseError> {
        Ok(keystore::read_wallet(&self.wallet_path(), passphrase)?)
    }

    /// Keeps `wallet`; one that is there is never overwritten.
    ///
    /// # Errors
    /// [`PurseError::Keystore`].
    pub fn keep_wallet(
        &self,
        passphrase: &str,
        wallet: &PrivateKeySigner,
    ) -> Result<(), PurseError> {
        Ok(keystore::write_wallet(
            &self.wallet_path(),
            passphrase,
            wallet,
        )?)
    }

    /// The sealing secret; a fresh one is made and kept when there is none yet.
    ///
    /// # Errors
    /// A wrong passphrase, a foreign file, a full disk.
    pub fn sealing(&self, passphrase: &str) -> Result<SealingSecret, PurseError> {
        match keystore::read_secret(&self.sealing_path(), passphrase) {
            Ok(secret) => Ok(SealingSecret::from_bytes(*secret)),
            Err(KeystoreError::Missing(path)) => {
                let secret = SealingSecret::generate()?;
                keystore::write_secret(&path, passphrase, secret.expose())?;
                Ok(secret)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The folder of a package; made when it is missing.
    ///
    /// # Errors
    /// [`PurseError::Disk`].
    pub fn package(&self, id: PackageId) -> Result<PackageFolder, PurseError> {
        let folder = PackageFolder::new(id, &self.packages_path());
        make_folder(folder.path())?;
        Ok(folder)
    }

    /// The folder of a package that must be there.
    ///
    /// # Errors
    /// [`PurseError::NoPackage`].
    pub fn known_package(&self, id: PackageId) -> Result<PackageFolder, PurseError> {
        let path = self.packages_path();
        let folder = PackageFolder::new(id, &path);
        if folder.path().is_dir() {
            Ok(folder)
        } else {
            Err(PurseError::NoPackage { id, path })
        }
    }

    /// All packages, in the order of their ids.
    ///
    /// # Errors
    /// [`PurseError::Disk`].
    pub fn packages(&self) -> Result<Vec<PackageFolder>, PurseError> {
        let path = self.packages_path();
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(disk(&path)(error)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let name = entry.map_err(disk(&path))?.file_name();
            if let Some(Ok(id)) = name.to_str().map(str::parse) {
                found.push(PackageFolder::new(id, &path));
            }
        }
        found.sort_by_key(PackageFolder::id);
        Ok(found)
    }

    /// Where the agent of an open package listens.
    ///
    /// # Errors
    /// [`PurseError::SocketPathTooLong`], [`PurseError::Disk`].
    pub fn socket(&self, id: PackageId) -> Result<PathBuf, PurseError> {
        let run = self.home.join("run");
        make_folder(&run)?;
        // 64 bits of the id: enough to tell one's own packages apart, and short.
        let path = run.join(format!("{}.sock", hex::encode(&id.as_slice()[..8])));
        if path.as_os_str().len() > LONGEST_SOCKET_PATH_BYTES {
            return Err(PurseError::SocketPathTooLong(path));
        }
        Ok(path)
    }

    fn packages_path(&self) -> PathBuf {
        self.home.join("packages")
    }
}

fn disk(path: &Path) -> impl Fn(std::io::Error) -> PurseError + use<> {
    let path = path.to_owned();
    move |error| PurseError::Disk {
        path: path.clone(),
        error,
    }
}

fn make_folder(path: &Path) -> Result<(), PurseError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(disk(path))
}

/// A reader sees the old file or the new one, never half of one.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), PurseError> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let written = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&new, path));
    written.map_err(disk(path))
}

#[cfg(test)]
mod tests;
