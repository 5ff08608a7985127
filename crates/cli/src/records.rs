//! A custodian's records, tried before anything is promised about them (P12).

use std::path::Path;

use anyhow::{Context, Result, ensure};
use medshare_anonymiser::anonymise;
use medshare_node::descriptor::Dataset;
use medshare_node::source;

/// Makes the release that a node would make of the records, and forgets it.
///
/// # Errors
/// What would keep the node from making it: file, and line or column.
pub async fn try_out(descriptor: &Path, dataset: &Dataset) -> Result<()> {
    let records = source::load(&dataset.source).await?;
    let plan = dataset.plan.clone();
    let work = move || {
        // Pseudonyms of nobody's: they are dropped at once.
        let made = anonymise(&records.table, &plan, &[0; 32])?;
        Ok::<_, medshare_anonymiser::AnonymiseError>(made.table.rows())
    };
    let misfit = || {
        format!(
            "{} does not fit {}",
            descriptor.display(),
            dataset.source.file().display()
        )
    };
    let rows = tokio::task::spawn_blocking(work)
        .await?
        .with_context(misfit)?;
    ensure!(
        rows > 0,
        "{}: no row would be left; lower k, raise the suppression limit or coarsen the hierarchies",
        misfit()
    );
    Ok(())
}
