//! Outputs that a usage contract holds back (P18, SPEC §5.3): packed, sealed to the contract key, looked at by the
//! custodian, sealed to the requestor once they are released.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use minicbor::{Decode, Encode};
use zeroize::{Zeroize, Zeroizing};

use crate::cbor;
use crate::digest::sha256d;
use crate::id::PackageId;
use crate::seal::{self, SealError, SealedFor, SealingSecret};

/// Longest sealed output.
pub const MAX_SEALED_OUTPUT_BYTES: usize = 64 * 1024 * 1024;
/// So many outputs of a package may wait for a decision.
pub const MAX_WAITING_OUTPUTS: u32 = 16;
/// Longest reason of a decision, bytes.
pub const MAX_REASON_BYTES: usize = 4_096;

/// A file of an output.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
struct Packed {
    #[n(0)]
    path: String,
    #[cbor(n(1), with = "minicbor::bytes")]
    content: Vec<u8>,
}

impl Drop for Packed {
    fn drop(&mut self) {
        self.content.zeroize();
    }
}

/// The files of an output, by their paths. Wiped on drop.
#[derive(Default)]
pub struct OutputFiles(BTreeMap<String, Zeroizing<Vec<u8>>>);

/// Why there is no output in these bytes, or none can be made.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// Not sealed to this key.
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// Opened, but no output.
    #[error("the opened output is malformed: {0}")]
    Malformed(String),
    /// A name that would lead out of a folder, or is none.
    #[error("{0:?} is no path in an output: names between `/`, none of them empty, `.` or `..`")]
    BadPath(String),
    /// Longer than what is taken.
    #[error(
        "the output has {0} bytes sealed; at most {MAX_SEALED_OUTPUT_BYTES} are held for a release: write less"
    )]
    TooLong(usize),
}

impl OutputFiles {
    /// Adds a file.
    ///
    /// # Errors
    /// [`OutputError::BadPath`].
    pub fn add(&mut self, path: &str, content: &[u8]) -> Result<(), OutputError> {
        if !is_path(path) {
            return Err(OutputError::BadPath(path.to_owned()));
        }
        self.0
            .insert(path.to_owned(), Zeroizing::new(content.to_vec()));
        Ok(())
    }

    /// Paths and contents, in the order of the paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let files = self.0.iter();
        files.map(|(path, content)| (path.as_str(), content.as_slice()))
    }

    /// Seals it to the contract key of `package`: [`OutputFiles::open_held`] is its inverse.
    ///
    /// # Errors
    /// [`OutputError::TooLong`]; [`OutputError::Sealed`] when the key is unusable.
    pub fn seal_held(
        &self,
        contract_key: B256,
        package: PackageId,
    ) -> Result<Vec<u8>, OutputError> {
        let context = package.as_slice();
        self.seal(contract_key, SealedFor::HeldOutput, context)
    }

    /// Opens what a client sealed.
    ///
    /// # Errors
    /// [`OutputError`].
    pub fn open_held(
        sealed: &[u8],
        contract_secret: &SealingSecret,
        package: PackageId,
    ) -> Result<Self, OutputError> {
        let context = package.as_slice();
        Self::open(sealed, contract_secret, SealedFor::HeldOutput, context)
    }

    /// Seals it to the requestor; `number` is the report's that told of it.
    ///
    /// # Errors
    /// As [`OutputFiles::seal_held`].
    pub fn seal_released(
        &self,
        requestor_key: B256,
        package: PackageId,
        number: u32,
    ) -> Result<Vec<u8>, OutputError> {
        let context = seal::report_context(package, number);
        self.seal(requestor_key, SealedFor::ReleasedOutput, &context)
    }

    /// Opens what a custodian released.
    ///
    /// # Errors
    /// [`OutputError`].
    pub fn open_released(
        sealed: &[u8],
        requestor_secret: &SealingSecret,
        package: PackageId,
        number: u32,
    ) -> Result<Self, OutputError> {
        let context = seal::report_context(package, number);
        Self::open(
            sealed,
            requestor_secret,
            SealedFor::ReleasedOutput,
            &context,
        )
    }

    /// Its CBOR (SPEC §5.3).
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let packed: Vec<Packed> = self
            .iter()
            .map(|(path, content)| Packed {
                path: path.to_owned(),
                content: content.to_vec(),
            })
            .collect();
        Zeroizing::new(cbor::encode(&packed))
    }

    /// Reads what [`OutputFiles::to_bytes`] writes; any other spelling is refused.
    ///
    /// # Errors
    /// [`OutputError::Malformed`], [`OutputError::BadPath`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, OutputError> {
        let malformed = |why: &dyn ToString| OutputError::Malformed(why.to_string());
        let packed: Vec<Packed> = cbor::decode(bytes).map_err(|error| malformed(&error))?;
        let mut files = Self::default();
        for each in &packed {
            let last = files.0.last_key_value().map(|(path, _)| path.as_str());
            if last.is_some_and(|last| last >= each.path.as_str()) {
                return Err(malformed(&"its paths do not ascend"));
            }
            files.add(&each.path, &each.content)?;
        }
        Ok(files)
    }

    fn seal(&self, key: B256, purpose: SealedFor, context: &[u8]) -> Result<Vec<u8>, OutputError> {
        let sealed = seal::seal(key, purpose, context, &self.to_bytes())?;
        match sealed.len() {
            length if length > MAX_SEALED_OUTPUT_BYTES => Err(OutputError::TooLong(length)),
            _ => Ok(sealed),
        }
    }

    fn open(
        sealed: &[u8],
        secret: &SealingSecret,
        purpose: SealedFor,
        context: &[u8],
    ) -> Result<Self, OutputError> {
        Self::from_bytes(&seal::open(secret, purpose, context, sealed)?)
    }
}

/// What stands for a sealed output in the report that tells of it, and in the decision: its sha256d.
#[must_use]
pub fn output_hash(sealed: &[u8]) -> B256 {
    sha256d(&[sealed])
}

/// Whether a path stays in the folder that it is taken to be in.
fn is_path(path: &str) -> bool {
    let name = |name: &str| !matches!(name, "" | "." | "..") && !name.contains('\0');
    path.split('/').all(name)
}

#[cfg(test)]
mod tests;
