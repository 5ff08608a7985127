//! Files that are there as a whole or not at all, and overwrite nothing.

use std::path::Path;

use anyhow::{Context, Result, bail};
use tempfile::NamedTempFile;

/// Fails when there is something under this name: better now than after the work.
pub fn must_be_new(target: &Path) -> Result<()> {
    if target.exists() {
        bail!(
            "{} exists already: give another name, nothing was written",
            target.display()
        );
    }
    Ok(())
}

/// A nameless neighbour to write to: what fails leaves no half file.
pub fn beside(target: &Path) -> Result<NamedTempFile> {
    let folder = target
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))
        .with_context(|| format!("cannot write {}", target.display()))
}

/// Gives it its name, unless something has that name by now.
pub fn keep(file: NamedTempFile, target: &Path) -> Result<()> {
    let kept = file.persist_noclobber(target);
    kept.map(|_| ())
        .with_context(|| format!("cannot write {}", target.display()))
}
