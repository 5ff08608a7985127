//! CSV in, and the limits of a table.

use rayon::prelude::*;

use super::{Table, TableBuilder};
use crate::delimited::{Delimited, TextError};

/// The most columns a table may have.
pub const MAX_COLUMNS: usize = 1_024;
/// The most rows a table may have.
pub const MAX_ROWS: usize = 20_000_000;
/// The longest cell, in bytes of UTF-8.
pub const MAX_VALUE_BYTES: usize = 64 * 1024;
/// The longest column name, in bytes of UTF-8.
pub const MAX_NAME_BYTES: usize = 256;

/// Bytes that are read by one thread at a time. What comes out does not depend on them.
const PART_BYTES: usize = if cfg!(test) { 64 } else { 4 << 20 };

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
        let text = Delimited::new(bytes, delimiter)?;
        let mut parts = text.parts(PART_BYTES).into_iter();
        let mut first: Option<(TableBuilder, Vec<String>)> = None;
        // The header is the first line that is not empty.
        while first.is_none() {
            let part = parts.next().ok_or(TableError::NoHeader)?;
            let read = text.read(part, |place, cells| match &mut first {
                Some((builder, _)) => builder.push_record(|| place.line(), cells),
                None => {
                    let names: Vec<String> = cells.iter().map(str::to_owned).collect();
                    first = Some((Table::builder(names.clone())?, names));
                    Ok(())
                }
            });
            read.map_err(|error| named(error, first.as_ref().map(|(_, names)| &**names)))?;
        }
        let (builder, names) = first.expect("the loop ends with it");
        let more = parts.as_slice().par_iter().map(|part| {
            let mut builder = Table::builder(names.clone())?;
            let read = text.read(part.clone(), |place, cells| {
                builder.push_record(|| place.line(), cells)
            });
            read.map_err(|error| named(error, Some(&names)))?;
            Ok(builder)
        });
        // Of errors the first counts, as if the text had been read from top to bottom.
        let mut builders = vec![builder];
        for builder in more.collect::<Vec<Result<TableBuilder, TableError>>>() {
            builders.push(builder?);
        }
        TableBuilder::joined(builders)
    }
}

/// The error with the name of the column, where the header has one for the cell.
fn named(error: TableError, names: Option<&[String]>) -> TableError {
    let TableError::Text(TextError::NotUtf8 { line, cell }) = error else {
        return error;
    };
    match names.and_then(|names| names.get(cell - 1)) {
        Some(column) => TableError::NotUtf8 {
            line,
            column: column.clone(),
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

        /// Without quotes the text is read in parts.
        #[test]
        fn parts_make_one_table(rows in proptest::collection::vec("[a-c]{1,3},[x-z]?,[0-9]{1,9}", 0..60), end in "\n|\r\n", gaps in 0_usize..90) {
            let lines: Vec<&str> = std::iter::once("a,b,c").chain(rows.iter().map(String::as_str)).collect();
            let text = end.repeat(gaps) + &lines.join(&end);
            let table = Table::from_csv(text.as_bytes(), b',').unwrap();
            let mut builder = Table::builder(vec!["a".into(), "b".into(), "c".into()]).unwrap();
            for row in &rows {
                builder.push_row(row.split(',')).unwrap();
            }
            prop_assert_eq!(&table, &builder.finish());
            prop_assert_eq!(table.to_csv(), (lines.join("\n") + "\n").into_bytes());
            let ragged = text + &end + "1,2" + &end + "3";
            let error = Table::from_csv(ragged.as_bytes(), b',').unwrap_err();
            let line = (gaps + lines.len() + 1) as u64;
            prop_assert_eq!(error, TableError::RaggedRow { line, expected: 3, found: 2 });
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
