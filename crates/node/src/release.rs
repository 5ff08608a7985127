//! Releases: anonymised snapshots of whole datasets (P12).
//!
//! Requests select columns and rows of a release, never of the raw data: two requestors' answers cannot be
//! differenced, and one anonymisation serves a thousand requests. A release is made once, of the source as it was
//! then, and kept: while its files are there, the source is not read again. New data is a new release, and that
//! is the custodian's decision ([`Releases::renew`], or a changed descriptor).

mod files;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use alloy_primitives::B256;
use alloy_signer_local::PrivateKeySigner;
use medshare_anonymiser::{AnonymiseError, Ranking, Report, Table, TableError, anonymise, rank};
use medshare_protocol::digest::sha256;
use medshare_protocol::id::DatasetId;
use zeroize::Zeroizing;

use crate::descriptor::Dataset;
use crate::node_key;
use crate::source::{self, Records, SourceError};

/// So many releases are kept in memory; the others are read from their files again.
pub const MAX_RELEASES_IN_MEMORY: usize = 4;

const PSEUDONYM: &[u8] = b"medshare/dataset-pseudonym/v1";

/// An anonymised snapshot of a dataset.
#[derive(Clone, Debug)]
pub struct Release {
    /// The anonymised table.
    pub table: Arc<Table>,
    /// sha256 over descriptor, plan and source: the dataset version it is pinned to.
    pub version: B256,
    /// What the anonymisation did and cost.
    pub report: Report,
    /// How sensitive the raw data was ranked, and why.
    pub ranking: Ranking,
}

/// Why there is no release.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// The source cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The data does not fit the descriptor, or cannot be anonymised by it.
    #[error("dataset `{dataset}`: {source}")]
    Anonymise {
        /// The dataset's name.
        dataset: String,
        /// What does not fit.
        source: AnonymiseError,
    },
    /// Nothing is left that could be released.
    #[error(
        "dataset `{dataset}`: the anonymisation leaves no row; lower k, raise the suppression limit or coarsen the hierarchies"
    )]
    NothingLeft {
        /// The dataset's name.
        dataset: String,
    },
    /// A file of the release cannot be read or written.
    #[error("the release file {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of the release is not what was written.
    #[error(
        "the release file {} was changed ({reason}); restore it, or remove the release's files to make a new release", path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// What gave it away.
        reason: String,
    },
    /// The release does not survive its own file form.
    #[error("the release cannot be read back: {0}")]
    Table(#[from] TableError),
    /// The computation ended early.
    #[error("making the release was interrupted: {0}")]
    Interrupted(String),
}

/// All releases of a node: in memory, and behind that in a folder.
#[derive(Clone, Debug)]
pub struct Releases {
    inner: Arc<Inner>,
}

struct Inner {
    folder: PathBuf,
    signer: PrivateKeySigner,
    slots: Mutex<HashMap<DatasetId, Arc<Slot>>>,
}

/// One dataset's place: whoever holds the lock makes the release, the others wait for it.
#[derive(Default)]
struct Slot {
    release: tokio::sync::Mutex<Option<(B256, Arc<Release>)>>,
    last_used: std::sync::atomic::AtomicU64,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl Releases {
    /// Releases in `folder`. Pseudonyms are keyed by keys that are derived from the node's.
    #[must_use]
    pub fn new(folder: PathBuf, signer: &PrivateKeySigner) -> Self {
        let slots = Mutex::default();
        Self {
            inner: Arc::new(Inner {
                folder,
                signer: signer.clone(),
                slots,
            }),
        }
    }

    /// The release of `dataset`: from memory, from its files, or made now. Concurrent calls share one computation,
    /// which goes on when its caller goes away.
    ///
    /// # Errors
    /// [`ReleaseError`].
    pub async fn get(&self, dataset: &Dataset) -> Result<Arc<Release>, ReleaseError> {
        self.obtain(dataset, false).await
    }

    /// Makes a new release of the source as it is now, in place of the one before.
    ///
    /// # Errors
    /// [`ReleaseError`]; the old release then stays.
    pub async fn renew(&self, dataset: &Dataset) -> Result<Arc<Release>, ReleaseError> {
        self.obtain(dataset, true).await
    }

    async fn obtain(&self, dataset: &Dataset, anew: bool) -> Result<Arc<Release>, ReleaseError> {
        let slot = self.inner.slot(dataset.id);
        let plan = dataset.plan_hash;
        if !anew
            && let Ok(held) = slot.release.try_lock()
            && let Some((of, release)) = &*held
            && *of == plan
        {
            return Ok(Arc::clone(release));
        }
        let (inner, dataset) = (Arc::clone(&self.inner), dataset.clone());
        let made = tokio::spawn(async move {
            let mut held = slot.release.lock().await;
            match &*held {
                Some((of, release)) if *of == plan && !anew => return Ok(Arc::clone(release)),
                _ => {}
            }
            let release = Arc::new(inner.read_or_make(&dataset, plan, anew).await?);
            *held = Some((plan, Arc::clone(&release)));
            Ok(release)
        });
        made.await
            .map_err(|error| ReleaseError::Interrupted(error.to_string()))?
    }
}

impl Inner {
    /// The dataset's slot; the one that was unused for longest loses its release when there are too many.
    fn slot(&self, id: DatasetId) -> Arc<Slot> {
        use std::sync::atomic::Ordering::Relaxed;
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let now = slots
            .values()
            .map(|slot| slot.last_used.load(Relaxed))
            .max()
            .unwrap_or(0)
            + 1;
        let slot = Arc::clone(slots.entry(id).or_default());
        slot.last_used.store(now, Relaxed);
        if slots.len() > MAX_RELEASES_IN_MEMORY {
            // One that is being made right now has another holder and stays.
            let oldest = slots
                .iter()
                .filter(|(other, held)| **other != id && Arc::strong_count(held) == 1)
                .min_by_key(|(_, held)| held.last_used.load(Relaxed))
                .map(|(other, _)| *other);
            if let Some(oldest) = oldest {
                slots.remove(&oldest);
            }
        }
        slot
    }

    async fn read_or_make(
        &self,
        dataset: &Dataset,
        plan: B256,
        anew: bool,
    ) -> Result<Release, ReleaseError> {
        let files = files::Files::of(&self.folder, dataset.id, plan);
        let kept = if anew {
            None
        } else {
            blocking({
                let files = files.clone();
                move || files.read()
            })
            .await?
        };
        if let Some(release) = kept {
            return Ok(release);
        }
        let records = source::load(&dataset.source).await?;
        let key = node_key::derive(&self.signer, &[PSEUDONYM, dataset.id.as_slice()]);
        let dataset = dataset.clone();
        blocking(move || {
            let release = make(&dataset, plan, records, &key)?;
            files.write(&release)?;
            Ok(release)
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ReleaseError> + Send + 'static,
) -> Result<T, ReleaseError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| ReleaseError::Interrupted(error.to_string()))?
}

fn make(
    dataset: &Dataset,
    plan: B256,
    records: Records,
    pseudonym_key: &Zeroizing<[u8; 32]>,
) -> Result<Release, ReleaseError> {
    let name = || dataset.descriptor.name.clone();
    let anonymised = anonymise(&records.table, &dataset.plan, pseudonym_key).map_err(|source| {
        ReleaseError::Anonymise {
            dataset: name(),
            source,
        }
    })?;
    if anonymised.table.rows() == 0 {
        return Err(ReleaseError::NothingLeft { dataset: name() });
    }
    let version = sha256(&[
        b"medshare/release/v1",
        dataset.descriptor_hash.as_slice(),
        plan.as_slice(),
        records.hash.as_slice(),
    ]);
    let ranking = rank(&records.table, &dataset.plan);
    Ok(Release {
        table: Arc::new(anonymised.table),
        version,
        report: anonymised.report,
        ranking,
    })
}

#[cfg(test)]
mod tests;
