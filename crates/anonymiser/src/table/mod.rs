//! A table of text cells, dictionary-encoded by column.
//!
//! Each distinct value of a column is held once; a cell is a 4-byte code. A table of
//! 101,766 × 50 cells so takes about 25 MB, and projections share their columns.

mod builder;
mod text;
mod write;

pub use builder::TableBuilder;
pub use text::{MAX_COLUMNS, MAX_NAME_BYTES, MAX_ROWS, MAX_VALUE_BYTES, TableError};

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// One column: a code for each row, and the distinct values in the order of first appearance.
///
/// Every value of the dictionary occurs in at least one row; detectors and counts rely on it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Column {
    name: Arc<str>,
    codes: Vec<u32>,
    values: Vec<Arc<str>>,
}

impl Column {
    /// Builds a column from any code per row and the text of each code, renumbering the codes
    /// by first appearance and dropping values that no row uses.
    pub(crate) fn recoded(
        name: Arc<str>,
        codes: impl Iterator<Item = u32>,
        values: &[Arc<str>],
    ) -> Self {
        const UNSEEN: u32 = u32::MAX;
        let mut renumbered = vec![UNSEEN; values.len()];
        let mut kept = Vec::new();
        let codes = codes
            .map(|old| {
                let slot = &mut renumbered[old as usize];
                if *slot == UNSEEN {
                    *slot = kept.len() as u32;
                    kept.push(Arc::clone(&values[old as usize]));
                }
                *slot
            })
            .collect();
        Self {
            name,
            codes,
            values: kept,
        }
    }

    /// Builds a column from any code per row and the text of each code, of which several may be the same.
    pub(crate) fn of_labels(
        name: Arc<str>,
        codes: impl Iterator<Item = u32>,
        labels: &[Arc<str>],
    ) -> Self {
        let mut known: HashMap<&str, u32> = HashMap::new();
        let mut values = Vec::new();
        let distinct: Vec<u32> = labels
            .iter()
            .map(|label| {
                *known.entry(label).or_insert_with(|| {
                    values.push(Arc::clone(label));
                    values.len() as u32 - 1
                })
            })
            .collect();
        Self::recoded(name, codes.map(|code| distinct[code as usize]), &values)
    }

    /// The cells of these rows.
    pub(crate) fn of_rows(&self, rows: &[u32]) -> Self {
        let codes = rows.iter().map(|&row| self.codes[row as usize]);
        Self::recoded(Arc::clone(&self.name), codes, &self.values)
    }

    /// As [`Column::recoded`], of texts that may be alike.
    pub(crate) fn of_texts(name: Arc<str>, codes: &[u32], texts: &[Arc<str>]) -> Self {
        let mut known: HashMap<&str, u32> = HashMap::with_capacity(texts.len());
        let same: Vec<u32> = texts
            .iter()
            .zip(0..)
            .map(|(text, code)| *known.entry(text).or_insert(code))
            .collect();
        Self::recoded(name, codes.iter().map(|&code| same[code as usize]), texts)
    }

    /// The column with other texts for its values, which may become alike.
    pub(crate) fn rewritten(&self, rewrite: impl Fn(&str) -> Option<String>) -> Self {
        let rewritten = |value: &Arc<str>| rewrite(value).map_or(Arc::clone(value), Arc::from);
        let texts: Vec<Arc<str>> = self.values.iter().map(rewritten).collect();
        Self::of_texts(Arc::clone(&self.name), &self.codes, &texts)
    }

    /// The column with the rows of another one behind its own.
    pub(crate) fn followed_by(&self, other: &Self) -> Self {
        let mut values = self.values.clone();
        let mut known: HashMap<Arc<str>, u32> = values.iter().cloned().zip(0..).collect();
        let renumbered: Vec<u32> = other
            .values
            .iter()
            .map(|value| {
                *known.entry(Arc::clone(value)).or_insert_with(|| {
                    values.push(Arc::clone(value));
                    values.len() as u32 - 1
                })
            })
            .collect();
        let mut codes = self.codes.clone();
        codes.extend(other.codes.iter().map(|&code| renumbered[code as usize]));
        Self {
            name: Arc::clone(&self.name),
            codes,
            values,
        }
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(crate) fn codes(&self) -> &[u32] {
        &self.codes
    }

    pub(crate) fn values(&self) -> &[Arc<str>] {
        &self.values
    }

    /// The number of rows of each distinct value, in the order of [`Column::values`].
    pub(crate) fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.values.len()];
        for &code in &self.codes {
            counts[code as usize] += 1;
        }
        counts
    }
}

/// A table with named columns of text cells. Cheap to clone: columns are shared.
#[derive(Clone, PartialEq, Eq)]
pub struct Table {
    columns: Vec<Arc<Column>>,
    rows: usize,
}

impl Table {
    /// Puts columns together; all of them must have `rows` codes and distinct names.
    pub(crate) fn from_columns(columns: Vec<Arc<Column>>, rows: usize) -> Self {
        debug_assert!(columns.iter().all(|column| column.codes.len() == rows));
        Self { columns, rows }
    }

    pub(crate) fn columns(&self) -> &[Arc<Column>] {
        &self.columns
    }

    /// The number of rows, the header not counted.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The names of the columns, from left to right.
    pub fn column_names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| &*column.name)
    }

    /// The position of the column `name`, from 0.
    pub fn column_index(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| &*column.name == name)
    }

    /// The text of one cell.
    ///
    /// # Panics
    ///
    /// When `row` or `column` lies outside the table, as indexing a slice does.
    pub fn value(&self, row: usize, column: usize) -> &str {
        let column = &self.columns[column];
        &column.values[column.codes[row] as usize]
    }

    /// The columns at the given positions, in that order. A position that is given again is
    /// left out the second time, so that names stay distinct.
    ///
    /// # Panics
    ///
    /// When a position lies outside the table, as indexing a slice does.
    pub fn select(&self, columns: &[usize]) -> Table {
        let mut selected = Vec::with_capacity(columns.len());
        for (order, &position) in columns.iter().enumerate() {
            if !columns[..order].contains(&position) {
                selected.push(Arc::clone(&self.columns[position]));
            }
        }
        Table::from_columns(selected, self.rows)
    }

    /// The rows for which `keep` holds, in their order. `keep` is asked once for each row.
    pub fn filter_rows(&self, keep: impl Fn(usize) -> bool) -> Table {
        // A table has no more than `MAX_ROWS`, which is far below what 32 bits count.
        let rows = (0..self.rows).filter(|&row| keep(row));
        let kept: Vec<u32> = rows.map(|row| row as u32).collect();
        let columns = self.columns.iter();
        let columns = columns
            .map(|column| Arc::new(column.of_rows(&kept)))
            .collect();
        Table::from_columns(columns, kept.len())
    }
}

/// Shows the shape only: cells are patient records and must not reach a log.
impl fmt::Debug for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Table")
            .field("columns", &self.column_names().collect::<Vec<_>>())
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn people() -> Table {
        Table::from_csv(b"sex,age,city\nf,30,Bonn\nm,31,Bonn\nf,32,Ulm\n", b',').unwrap()
    }

    #[test]
    fn cells_and_names_are_found() {
        let table = people();
        assert_eq!(table.rows(), 3);
        assert_eq!(
            table.column_names().collect::<Vec<_>>(),
            ["sex", "age", "city"]
        );
        assert_eq!(table.column_index("age"), Some(1));
        assert_eq!(table.column_index("Age"), None);
        assert_eq!(table.value(2, 2), "Ulm");
    }

    #[test]
    fn select_reorders_and_drops_repeats() {
        let table = people().select(&[2, 0, 2]);
        assert_eq!(table.to_csv(), b"city,sex\nBonn,f\nBonn,m\nUlm,f\n");
    }

    #[test]
    fn filter_forgets_values_of_dropped_rows() {
        let table = people().filter_rows(|row| row > 0);
        assert_eq!(table.to_csv(), b"sex,age,city\nm,31,Bonn\nf,32,Ulm\n");
        assert_eq!(table.columns()[1].values().len(), 2);
        assert_eq!(table.columns()[2].counts(), [1, 1]);
    }

    #[test]
    fn filtering_equals_reading_the_kept_rows() {
        let read = Table::from_csv(b"sex,age,city\nm,31,Bonn\nf,32,Ulm\n", b',').unwrap();
        assert_eq!(people().filter_rows(|row| row > 0), read);
    }

    #[test]
    fn debug_shows_no_cell() {
        let shown = format!("{:?}", people());
        assert!(shown.contains("city") && !shown.contains("Bonn"), "{shown}");
    }
}
