//! What a custodian shares, brought into place.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

use crate::synth::write_hospital;

/// What a custodian shares.
#[derive(Clone, Debug)]
pub enum DatasetSource {
    /// A synthetic hospital.
    Synthetic {
        /// The seed of its patients.
        seed: u64,
        /// How many.
        rows: usize,
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
        DatasetSource::Synthetic { seed, rows } => {
            write_hospital(folder, &format!("{name}-stays"), *seed, *rows).await
        }
        DatasetSource::Own { data, descriptor } => place_own(folder, data, descriptor),
    }
}

/// Writes a descriptor into `folder` that names the custodian's files by absolute paths: the records stay where they
/// are, and nothing is written there (P9). Hierarchies are looked for beside the descriptor, then beside the data.
fn place_own(folder: &Path, data: &Path, descriptor: &Path) -> Result<PathBuf> {
    let mut table = read_table(descriptor)?;
    let data = absolute(data)?;
    if let Some(source) = table.get_mut("source").and_then(toml::Value::as_table_mut) {
        source.insert("file".to_owned(), text_of(&data));
    }
    let folders = [absolute(descriptor)?, data]
        .map(|path| path.parent().map(Path::to_owned).unwrap_or_default());
    let columns = table.get_mut("column").and_then(toml::Value::as_array_mut);
    let columns = columns.into_iter().flatten();
    for column in columns.filter_map(toml::Value::as_table_mut) {
        let Some(hierarchy) = column.get("hierarchy").and_then(toml::Value::as_str) else {
            continue;
        };
        let [first, second] = folders.each_ref().map(|folder| folder.join(hierarchy));
        // Where none is there, the loader names the one beside the descriptor.
        let path = if !first.is_file() && second.is_file() {
            second
        } else {
            first
        };
        column.insert("hierarchy".to_owned(), text_of(&path));
    }
    let path = folder.join("descriptor.toml");
    std::fs::write(&path, toml::to_string_pretty(&table)?)
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// A descriptor as it stands; the node's loader checks it when it is in place.
fn read_table(descriptor: &Path) -> Result<toml::Table> {
    let text = crate::connection::read_text(descriptor)?;
    text.parse().map_err(|error: toml::de::Error| {
        let before = text.get(..error.span().map_or(0, |span| span.start));
        let line = before.unwrap_or_default().matches('\n').count() + 1;
        let message = error.message().replace('\n', " ");
        anyhow!("{}, line {line}: {message}", descriptor.display())
    })
}

fn text_of(path: &Path) -> toml::Value {
    toml::Value::String(path.display().to_string())
}

fn absolute(path: &Path) -> Result<PathBuf> {
    path.canonicalize()
        .with_context(|| format!("cannot read {}", path.display()))
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
}
