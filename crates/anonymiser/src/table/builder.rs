//! Building a table row by row.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rayon::prelude::*;

use super::text::{MAX_COLUMNS, MAX_NAME_BYTES, MAX_ROWS, MAX_VALUE_BYTES};
use super::{Column, Table, TableError};

/// Takes rows one after the other. A row that is refused leaves no trace.
pub struct TableBuilder {
    columns: Vec<Growing>,
    rows: usize,
}

struct Growing {
    name: Arc<str>,
    codes: Vec<u32>,
    values: Vec<Arc<str>>,
    known: Dictionary,
}

/// The code of each value.
#[derive(Default)]
struct Dictionary {
    codes: HashTable<u32>,
    /// Seeded by the process, so that nobody can write a file whose values collide.
    hasher: RandomState,
}

impl Dictionary {
    /// The code of a value, which is put behind all others if it is new.
    fn code(&mut self, value: &str, values: &mut Vec<Arc<str>>) -> u32 {
        let hash = |value: &str| self.hasher.hash_one(value.as_bytes());
        let entry = self.codes.entry(
            hash(value),
            |&code| *values[code as usize] == *value,
            |&code| hash(&values[code as usize]),
        );
        match entry {
            Entry::Occupied(code) => *code.get(),
            Entry::Vacant(place) => {
                let code = values.len() as u32;
                place.insert(code);
                values.push(value.into());
                code
            }
        }
    }
}

impl Growing {
    fn push(&mut self, value: &str) {
        let code = match self.codes.last() {
            // Neighbours are often alike.
            Some(&last) if *self.values[last as usize] == *value => last,
            _ => self.known.code(value, &mut self.values),
        };
        self.codes.push(code);
    }
}

impl Table {
    /// Starts a table with these columns.
    ///
    /// # Errors
    ///
    /// No column, more than [`MAX_COLUMNS`], an empty name, a name longer than
    /// [`MAX_NAME_BYTES`], or a name that occurs twice.
    pub fn builder(columns: Vec<String>) -> Result<TableBuilder, TableError> {
        if columns.is_empty() {
            return Err(TableError::NoHeader);
        }
        if columns.len() > MAX_COLUMNS {
            return Err(TableError::TooManyColumns {
                columns: columns.len(),
            });
        }
        let mut growing: Vec<Growing> = Vec::with_capacity(columns.len());
        for (index, name) in columns.into_iter().enumerate() {
            let position = index + 1;
            if name.trim().is_empty() {
                return Err(TableError::EmptyColumnName { position });
            }
            if name.len() > MAX_NAME_BYTES {
                return Err(TableError::ColumnNameTooLong { position });
            }
            if growing.iter().any(|column| *column.name == *name) {
                return Err(TableError::DuplicateColumnName { name });
            }
            growing.push(Growing {
                name: name.into(),
                codes: Vec::new(),
                values: Vec::new(),
                known: Dictionary::default(),
            });
        }
        Ok(TableBuilder {
            columns: growing,
            rows: 0,
        })
    }
}

impl TableBuilder {
    /// Appends a row: one cell for each column, from left to right.
    ///
    /// # Errors
    ///
    /// Too few or too many cells, a cell longer than [`MAX_VALUE_BYTES`], or more than
    /// [`MAX_ROWS`] rows. Errors count lines as a file would: the header is line 1.
    pub fn push_row(
        &mut self,
        cells: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<(), TableError> {
        let line = self.rows as u64 + 2;
        // Taken in before anything is stored, so that a bad row leaves no trace; one more than
        // the columns is enough to know that there are too many.
        let cells: Vec<_> = cells.into_iter().take(self.columns.len() + 1).collect();
        let longest = cells.iter().map(|cell| cell.as_ref().len()).max();
        let cells_of = || cells.iter().map(AsRef::as_ref);
        self.push(|| line, cells.len(), longest.unwrap_or(0), cells_of)
    }

    pub(super) fn push_record(
        &mut self,
        line: impl Fn() -> u64,
        record: &csv::StringRecord,
    ) -> Result<(), TableError> {
        let found = record.len().min(self.columns.len() + 1);
        // No cell is longer than all of them together.
        self.push(line, found, record.as_slice().len(), || record.iter())
    }

    /// Appends a row of so many cells, of which none is longer than `longest` bytes.
    fn push<'c, I: Iterator<Item = &'c str>>(
        &mut self,
        line: impl Fn() -> u64,
        found: usize,
        longest: usize,
        cells: impl Fn() -> I,
    ) -> Result<(), TableError> {
        if found != self.columns.len() {
            return Err(TableError::RaggedRow {
                line: line(),
                expected: self.columns.len(),
                found,
            });
        }
        if self.rows >= MAX_ROWS {
            return Err(TableError::TooManyRows { line: line() });
        }
        let is_too_long = |cell: &str| cell.len() > MAX_VALUE_BYTES;
        if longest > MAX_VALUE_BYTES
            && let Some(at) = cells().position(is_too_long)
        {
            return Err(TableError::ValueTooLong {
                line: line(),
                column: self.columns[at].name.to_string(),
                bytes: cells().nth(at).map_or(0, str::len),
            });
        }
        for (column, cell) in self.columns.iter_mut().zip(cells()) {
            column.push(cell);
        }
        self.rows += 1;
        Ok(())
    }

    /// The rows of several builders with the same columns, one behind the other.
    pub(super) fn joined(mut builders: Vec<Self>) -> Result<Table, TableError> {
        if builders.len() == 1 {
            return Ok(builders.remove(0).finish());
        }
        let rows = builders.iter().map(|builder| builder.rows).sum();
        if rows > MAX_ROWS {
            let line = MAX_ROWS as u64 + 2;
            return Err(TableError::TooManyRows { line });
        }
        let columns = builders[0].columns.len();
        let mut parts: Vec<Vec<Growing>> = (0..columns).map(|_| Vec::new()).collect();
        for builder in builders {
            for (parts, column) in parts.iter_mut().zip(builder.columns) {
                parts.push(column);
            }
        }
        let columns = parts.into_par_iter().map(|parts| joined(parts, rows));
        Ok(Table::from_columns(columns.collect(), rows))
    }

    /// The rows taken so far.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Ends the building.
    pub fn finish(self) -> Table {
        let columns = self.columns.into_iter().map(|column| {
            let mut codes = column.codes;
            codes.shrink_to_fit();
            Arc::new(Column {
                name: column.name,
                codes,
                values: column.values,
            })
        });
        Table::from_columns(columns.collect(), self.rows)
    }
}

/// One column of its parts.
fn joined(parts: Vec<Growing>, rows: usize) -> Arc<Column> {
    let mut parts = parts.into_iter();
    let mut all = parts.next().expect("there is a first part");
    all.codes.reserve_exact(rows - all.codes.len());
    for part in parts {
        let values = part.values.iter();
        let codes = values.map(|value| all.known.code(value, &mut all.values));
        let codes: Vec<u32> = codes.collect();
        let part = part.codes.into_iter().map(|code| codes[code as usize]);
        all.codes.extend(part);
    }
    Arc::new(Column {
        name: all.name,
        codes: all.codes,
        values: all.values,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_refused_row_leaves_no_trace() {
        let mut builder = Table::builder(names(&["a", "b"])).unwrap();
        builder.push_row(["1", "2"]).unwrap();
        let short = builder.push_row(["9"]).unwrap_err();
        assert_eq!(
            short,
            TableError::RaggedRow {
                line: 3,
                expected: 2,
                found: 1
            }
        );
        let wide = builder.push_row(["7", "7", "7", "7"]).unwrap_err();
        assert_eq!(
            wide,
            TableError::RaggedRow {
                line: 3,
                expected: 2,
                found: 3
            }
        );
        let long = "x".repeat(MAX_VALUE_BYTES + 1);
        let too_long = builder.push_row(["8", &long]).unwrap_err();
        assert!(
            matches!(too_long, TableError::ValueTooLong { line: 3, ref column, .. } if column == "b")
        );
        builder.push_row(["3", "4"]).unwrap();
        assert_eq!(builder.finish().to_csv(), b"a,b\n1,2\n3,4\n");
    }

    #[test]
    fn bad_headers_are_named() {
        let error = |header: &[&str]| Table::builder(names(header)).err();
        assert_eq!(error(&[]), Some(TableError::NoHeader));
        assert_eq!(
            error(&["a", " "]),
            Some(TableError::EmptyColumnName { position: 2 })
        );
        assert_eq!(
            error(&["a", "b", "a"]),
            Some(TableError::DuplicateColumnName { name: "a".into() })
        );
        let many: Vec<String> = (0..=MAX_COLUMNS).map(|number| number.to_string()).collect();
        assert!(matches!(
            Table::builder(many).err(),
            Some(TableError::TooManyColumns { .. })
        ));
        let long = "n".repeat(MAX_NAME_BYTES + 1);
        assert_eq!(
            error(&[&long]),
            Some(TableError::ColumnNameTooLong { position: 1 })
        );
    }
}
