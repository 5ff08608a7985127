//! What a custodian shares, brought into place.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use medshare_node::descriptor::{Dataset, DescriptorError};
use serde::Deserialize;
use toml::Spanned;

use crate::synth::{Terms, write_hospital};

/// What a custodian shares.
#[derive(Clone, Debug)]
pub enum DatasetSource {
    /// A synthetic hospital.
    Synthetic {
        /// The seed of its patients.
        seed: u64,
        /// How many.
        rows: usize,
        /// What its usage contracts say.
        terms: Terms,
    },
    /// The custodian's own table.
    Own {
        /// The file with the records.
        data: PathBuf,
        /// What it says about them.
        descriptor: PathBuf,
    },
}

/// Brings the records into place; the path of their descriptor.
pub(super) async fn place(folder: &Path, name: &str, source: &DatasetSource) -> Result<PathBuf> {
    match source {
        DatasetSource::Synthetic { seed, rows, terms } => {
            write_hospital(folder, &format!("{name}-stays"), *seed, *rows, terms).await
        }
        DatasetSource::Own { data, descriptor } => place_own(folder, data, descriptor),
    }
}

/// The custodian's own dataset, as it will be served. What is wrong is told of the custodian's own files.
pub(crate) fn load_own(data: &Path, descriptor: &Path) -> Result<Dataset> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let placed = place_own(folder.path(), data, descriptor)?;
    Dataset::load(&placed).map_err(|error| told_of(error, &placed, descriptor).into())
}

/// The same fault, told of the file that the custodian wrote: its lines are the same.
fn told_of(mut error: DescriptorError, placed: &Path, own: &Path) -> DescriptorError {
    let (DescriptorError::Unreadable { path, .. }
    | DescriptorError::TooLarge { path, .. }
    | DescriptorError::Malformed { path, .. }
    | DescriptorError::Invalid { path, .. }
    | DescriptorError::Hierarchy { path, .. }) = &mut error;
    if path == placed {
        own.clone_into(path);
    }
    error
}

/// The files that a descriptor names, and where in it.
#[derive(Deserialize)]
struct NamedFiles {
    source: NamedSource,
    #[serde(default)]
    column: Vec<NamedHierarchy>,
}

#[derive(Deserialize)]
struct NamedSource {
    file: Spanned<String>,
}

#[derive(Deserialize)]
struct NamedHierarchy {
    hierarchy: Option<Spanned<String>>,
}

/// Writes a descriptor into `folder` that names the custodian's files by absolute paths and is the custodian's own
/// otherwise, line by line: the records stay where they are, and nothing is written there (P9). Hierarchies are
/// looked for beside the descriptor, then beside the data.
fn place_own(folder: &Path, data: &Path, descriptor: &Path) -> Result<PathBuf> {
    let mut text = crate::connection::read_text(descriptor)?;
    let data = absolute(data)?;
    let named: NamedFiles = match toml::from_str(&text) {
        Ok(named) => named,
        Err(error) => {
            // The loader says it with the line.
            Dataset::load(descriptor)?;
            return Err(error).with_context(|| format!("cannot use {}", descriptor.display()));
        }
    };
    let folders = [absolute(descriptor)?, data.clone()]
        .map(|path| path.parent().map(Path::to_owned).unwrap_or_default());
    let mut replaced = vec![(named.source.file.span(), data)];
    for hierarchy in named.column.into_iter().filter_map(|it| it.hierarchy) {
        let [first, second] = folders
            .each_ref()
            .map(|folder| folder.join(hierarchy.as_ref()));
        // Where none is there, the loader names the one beside the descriptor.
        let path = if !first.is_file() && second.is_file() {
            second
        } else {
            first
        };
        replaced.push((hierarchy.span(), path));
    }
    // From the end: what comes before keeps its place.
    replaced.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    for (span, path) in replaced {
        text.replace_range(span, &text_of(&path).to_string());
    }
    let path = folder.join("descriptor.toml");
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

fn text_of(path: &Path) -> toml::Value {
    toml::Value::String(path.display().to_string())
}

fn absolute(path: &Path) -> Result<PathBuf> {
    let found = path.metadata().and_then(|_| std::path::absolute(path));
    found.with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn files_are_named_absolutely_and_hierarchies_found_beside_descriptor_or_data() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let (descriptors, data, placed) = (root.join("d"), root.join("t"), root.join("p"));
        for folder in [&descriptors, &data, &placed] {
            std::fs::create_dir(folder).unwrap();
        }
        for file in [
            descriptors.join("both.csv"),
            data.join("both.csv"),
            data.join("theirs.csv"),
            data.join("t.csv"),
        ] {
            std::fs::write(file, "").unwrap();
        }
        let text = "[source]\nfile = 'old.csv'\n[[column]]\nhierarchy = 'both.csv'\n[[column]]\nhierarchy = \
                    'theirs.csv'\n[[column]]\nhierarchy = 'nobodys.csv'\n[[column]]\nname = 'x'\n";
        std::fs::write(descriptors.join("d.toml"), text).unwrap();
        let path = place_own(&placed, &data.join("t.csv"), &descriptors.join("d.toml")).unwrap();
        let table: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
        assert_eq!(table["source"]["file"], text_of(&data.join("t.csv")));
        let columns = table["column"].as_array().unwrap();
        assert_eq!(
            columns[0]["hierarchy"],
            text_of(&descriptors.join("both.csv"))
        );
        assert_eq!(columns[1]["hierarchy"], text_of(&data.join("theirs.csv")));
        assert_eq!(
            columns[2]["hierarchy"],
            text_of(&descriptors.join("nobodys.csv"))
        );
        assert!(columns[3].get("hierarchy").is_none());
    }

    #[test]
    fn a_fault_is_told_of_the_custodians_own_descriptor_and_its_line() {
        let root = tempfile::tempdir().unwrap();
        let (data, descriptor) = (root.path().join("t.csv"), root.path().join("d.toml"));
        std::fs::write(&data, "a\n1\n").unwrap();
        let good = "name = 'x'\ntitle = 'X'\n# mine\n[source]\nkind = 'csv'\nfile = 'elsewhere.csv'\n[usage]\n\
                    granted = ['read']\nretention-days = 1\n[[column]]\nname = 'a'\nkind = 'text'\nrole = 'plain'\n";
        std::fs::write(&descriptor, good).unwrap();
        let dataset = load_own(&data, &descriptor).unwrap();
        assert_eq!(dataset.source.file(), data);
        for (bad, line) in [
            (good.replace("= 1", "= 0"), 9),
            (format!("{good}hierarchy = 'h.csv'\n"), 14),
            (good.replace("'plain'", "'plane'"), 13),
            (good.replace("file", "fill"), 6),
        ] {
            std::fs::write(&descriptor, bad).unwrap();
            let error = load_own(&data, &descriptor).unwrap_err().to_string();
            let place = format!("{}, line {line}", descriptor.display());
            assert!(error.starts_with(&place), "{error}");
        }
    }
}
