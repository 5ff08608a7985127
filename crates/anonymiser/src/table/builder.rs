//! Building a table row by row.

use std::collections::HashMap;
use std::sync::Arc;

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
    known: HashMap<Arc<str>, u32>,
}

impl Growing {
    fn push(&mut self, value: &str) {
        let code = match self.known.get(value) {
            Some(&code) => code,
            None => {
                let code = self.values.len() as u32;
                let value: Arc<str> = value.into();
                self.values.push(Arc::clone(&value));
                self.known.insert(value, code);
                code
            }
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
                known: HashMap::new(),
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
        self.push_line(line, cells)
    }

    pub(super) fn push_line(
        &mut self,
        line: u64,
        cells: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<(), TableError> {
        // Taken in before anything is stored, so that a bad row leaves no trace; one more than
        // the columns is enough to know that there are too many.
        let cells: Vec<_> = cells.into_iter().take(self.columns.len() + 1).collect();
        if cells.len() != self.columns.len() {
            return Err(TableError::RaggedRow {
                line,
                expected: self.columns.len(),
                found: cells.len(),
            });
        }
        if self.rows >= MAX_ROWS {
            return Err(TableError::TooManyRows { line });
        }
        for (column, cell) in self.columns.iter().zip(&cells) {
            if cell.as_ref().len() > MAX_VALUE_BYTES {
                return Err(TableError::ValueTooLong {
                    line,
                    column: column.name.to_string(),
                    bytes: cell.as_ref().len(),
                });
            }
        }
        for (column, cell) in self.columns.iter_mut().zip(&cells) {
            column.push(cell.as_ref());
        }
        self.rows += 1;
        Ok(())
    }

    /// The name of the column at a position from 0.
    pub(super) fn name(&self, position: usize) -> Option<&str> {
        Some(&*self.columns.get(position)?.name)
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
