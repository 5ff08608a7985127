//! CSV in and out, and the limits of a table.

use super::{Table, TableBuilder};
use crate::delimited::{self, TextError};

/// The most columns a table may have.
pub const MAX_COLUMNS: usize = 1_024;
/// The most rows a table may have.
pub const MAX_ROWS: usize = 20_000_000;
/// The longest cell, in bytes of UTF-8.
pub const MAX_VALUE_BYTES: usize = 64 * 1024;
/// The longest column name, in bytes of UTF-8.
pub const MAX_NAME_BYTES: usize = 256;

/// Why something is not a table. Lines count from 1, the header included. No cell is quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// There is no header row.
    #[error("the table has no header row; put the column names on the first line")]
    NoHeader,
    /// A column has no name.
    #[error("column {position} of the header has no name; name it or remove it")]
    EmptyColumnName {
        /// Position from 1.
        position: usize,
    },
    /// A column's name is too long.
    #[error(
        "the name of column {position} is longer than {MAX_NAME_BYTES} bytes; check the delimiter"
    )]
    ColumnNameTooLong {
        /// Position from 1.
        position: usize,
    },
    /// Two columns have one name.
    #[error("column `{name}` occurs twice in the header; rename one")]
    DuplicateColumnName {
        /// The name.
        name: String,
    },
    /// The header is too wide.
    #[error("the header has {columns} columns, and {MAX_COLUMNS} is the limit; select fewer")]
    TooManyColumns {
        /// Columns found.
        columns: usize,
    },
    /// A row has another number of cells than the header.
    #[error(
        "line {line} has {found} cells where the header has {expected}; check the delimiter and the quotes"
    )]
    RaggedRow {
        /// Line in the input.
        line: u64,
        /// Cells of the header.
        expected: usize,
        /// Cells of the row, counted up to one too many.
        found: usize,
    },
    /// A cell is too long.
    #[error(
        "line {line}, column `{column}`: {bytes} bytes, and {MAX_VALUE_BYTES} is the limit; a quote may be missing"
    )]
    ValueTooLong {
        /// Line in the input.
        line: u64,
        /// Name of the column.
        column: String,
        /// Bytes of the cell.
        bytes: usize,
    },
    /// A cell is not UTF-8.
    #[error("line {line}, column `{column}`: this is not UTF-8; convert the file first")]
    NotUtf8 {
        /// Line on which the row begins.
        line: u64,
        /// Name of the column.
        column: String,
    },
    /// There are too many rows.
    #[error("line {line} is beyond the limit of {MAX_ROWS} rows; split the table")]
    TooManyRows {
        /// Line in the input.
        line: u64,
    },
    /// The text cannot be read.
    #[error(transparent)]
    Text(#[from] TextError),
}

impl Table {
    /// Reads RFC 4180 text: a header row, then rows. LF and CRLF both end a line; a UTF-8
    /// byte-order mark and empty lines are skipped.
    ///
    /// # Errors
    ///
    /// [`TableError`], with the line where there is one.
    pub fn from_csv(bytes: &[u8], delimiter: u8) -> Result<Table, TableError> {
        let mut builder: Option<TableBuilder> = None;
        let read = delimited::read(bytes, delimiter, |line, cells| match &mut builder {
            Some(builder) => builder.push_line(line, cells),
            None => {
                let header = cells.iter().map(|&name| name.to_owned());
                builder = Some(Table::builder(header.collect())?);
                Ok(())
            }
        });
        read.map_err(|error| named(error, builder.as_ref()))?;
        builder
            .map(TableBuilder::finish)
            .ok_or(TableError::NoHeader)
    }

    /// Writes RFC 4180 text: comma, LF, the header first, quotes only where needed. The same
    /// table always gives the same bytes.
    pub fn to_csv(&self) -> Vec<u8> {
        if self.columns().is_empty() {
            return Vec::new();
        }
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::Any(b'\n'))
            .from_writer(Vec::new());
        let in_memory = "writing to memory does not fail and all rows have the header's width";
        writer.write_record(self.column_names()).expect(in_memory);
        for row in 0..self.rows() {
            let cells = (0..self.columns().len()).map(|column| self.value(row, column));
            writer.write_record(cells).expect(in_memory);
        }
        writer.into_inner().expect(in_memory)
    }
}

/// The error with the name of the column, where the header has one for the cell.
fn named(error: TableError, builder: Option<&TableBuilder>) -> TableError {
    let TableError::Text(TextError::NotUtf8 { line, cell }) = error else {
        return error;
    };
    match builder.and_then(|builder| builder.name(cell - 1)) {
        Some(column) => TableError::NotUtf8 {
            line,
            column: column.to_owned(),
        },
        None => error,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quotes_line_ends_and_marks_are_understood() {
        let table =
            Table::from_csv(b"\xEF\xBB\xBFa;b\r\n\"x;\"\"y\"\"\";2\r\n\r\n;3", b';').unwrap();
        assert_eq!(table.value(0, 0), "x;\"y\"");
        assert_eq!(table.rows(), 2);
        assert_eq!(table.to_csv(), b"a,b\n\"x;\"\"y\"\"\",2\n,3\n");
    }

    #[test]
    fn errors_carry_the_line() {
        let read = |bytes: &[u8]| Table::from_csv(bytes, b',').unwrap_err();
        assert_eq!(read(b""), TableError::NoHeader);
        assert_eq!(
            read(b"a,b\n1,2\n3\n"),
            TableError::RaggedRow {
                line: 3,
                expected: 2,
                found: 1
            }
        );
        let column = "b".to_owned();
        assert_eq!(
            read(b"a,b\n1,2\n\"\n\",x\xFF\n"),
            TableError::NotUtf8 { line: 3, column }
        );
        // In the header, and in a cell beyond it, there is no name.
        for (bytes, line, cell) in [(&b"a,\xFF\n"[..], 1, 2), (b"a\n1,\xFF\n", 2, 2)] {
            assert_eq!(
                read(bytes),
                TableError::Text(TextError::NotUtf8 { line, cell })
            );
        }
        let open = read(b"a,b\n1,\"2\n3,4\n");
        assert_eq!(open, TableError::Text(TextError::OpenQuote { line: 2 }));
    }

    #[test]
    fn an_empty_cell_of_a_single_column_survives() {
        let mut builder = Table::builder(vec!["only".into()]).unwrap();
        builder.push_row([""]).unwrap();
        builder.push_row(["x"]).unwrap();
        let table = builder.finish();
        assert_eq!(Table::from_csv(&table.to_csv(), b',').unwrap(), table);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_table_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..300), delimiter: u8) {
            if let Ok(table) = Table::from_csv(&bytes, delimiter) {
                prop_assert!(table.column_names().count() > 0);
            }
        }

        #[test]
        fn what_is_written_is_read_again(rows in proptest::collection::vec(proptest::array::uniform3("[a,\";\n\r é]{0,4}"), 0..12)) {
            let mut builder = Table::builder(vec!["a".into(), "b,c".into(), "d\"".into()]).unwrap();
            for row in &rows {
                builder.push_row(row).unwrap();
            }
            let table = builder.finish();
            let again = Table::from_csv(&table.to_csv(), b',').unwrap();
            prop_assert_eq!(again.to_csv(), table.to_csv());
            prop_assert_eq!(again, table);
        }
    }
}
