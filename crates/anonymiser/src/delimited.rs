//! Reading delimited text (RFC 4180) record by record, for tables and hierarchies alike.

use std::borrow::Cow;
use std::io::Read;
use std::ops::Range;

const UTF8_BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
/// Read behind the input as a record of its own. Where a quote was left open it closes that
/// quote instead, and so the fault shows; the reader by itself would take the rest of the file
/// for one cell and say nothing.
const END: &[u8] = b"\n\"end\"\n";

/// Why text cannot be read. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Bytes are not UTF-8.
    #[error("line {line}, cell {cell}: this is not UTF-8; convert the file first")]
    NotUtf8 {
        /// Line on which the record begins.
        line: u64,
        /// Position of the cell in its record, from 1.
        cell: usize,
    },
    /// A quoted cell has no end.
    #[error(
        "the record that begins on line {line} opens a quote that is never closed; close it, or double quotes inside a cell"
    )]
    OpenQuote {
        /// Line on which the record begins.
        line: u64,
    },
    /// A quote stands where none can: the reader by itself would leave it out, and say nothing.
    #[error(
        "line {line}, cell {cell}: something stands behind the quote that closes the cell; double quotes inside a cell, and quote all of it"
    )]
    StrayQuote {
        /// Line on which the record begins.
        line: u64,
        /// Position of the cell in its record, from 1.
        cell: usize,
    },
    /// The delimiter cannot delimit.
    #[error("byte {delimiter} cannot be a delimiter; use `,`, `;` or a tab")]
    BadDelimiter {
        /// The byte given.
        delimiter: u8,
    },
    /// The reader refused the bytes.
    #[error("line {line} cannot be read: {reason}")]
    Malformed {
        /// Line in the input.
        line: u64,
        /// What the reader said.
        reason: String,
    },
}

/// Bytes that are handed to the parser at a time.
const BUFFER_BYTES: usize = 64 * 1024;

/// Where a record begins. Its line is counted only when somebody asks, which is when something is wrong.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    bytes: &'a [u8],
    /// Of the end of the record before.
    position: usize,
}

impl Place<'_> {
    /// The line of the first cell, from 1.
    pub(crate) fn line(self) -> u64 {
        let ahead = self.bytes.get(self.position..).unwrap_or_default();
        let breaks = ahead.iter().take_while(|byte| b"\r\n".contains(byte));
        let begin = self.bytes.len().min(self.position + breaks.count());
        let passed = self.bytes[..begin].iter();
        1 + passed.filter(|&&byte| byte == b'\n').count() as u64
    }
}

/// Text that is to be read: without a UTF-8 byte-order mark, and with a delimiter that can delimit.
#[derive(Clone, Copy)]
pub(crate) struct Delimited<'a> {
    bytes: &'a [u8],
    delimiter: u8,
}

/// Calls `take` with the place and the cells of each record. LF and CRLF both end a line; a UTF-8
/// byte-order mark and empty lines are skipped.
pub(crate) fn read<E: From<TextError>>(
    bytes: &[u8],
    delimiter: u8,
    take: impl FnMut(Place<'_>, &csv::StringRecord) -> Result<(), E>,
) -> Result<(), E> {
    let text = Delimited::new(bytes, delimiter)?;
    text.read(0..text.bytes.len(), take)
}

impl<'a> Delimited<'a> {
    pub(crate) fn new(bytes: &'a [u8], delimiter: u8) -> Result<Self, TextError> {
        let clashes = matches!(delimiter, b'"' | b'\n' | b'\r') || !delimiter.is_ascii();
        if clashes || delimiter.is_ascii_alphanumeric() {
            return Err(TextError::BadDelimiter { delimiter });
        }
        let bytes = bytes.strip_prefix(UTF8_BYTE_ORDER_MARK).unwrap_or(bytes);
        Ok(Self { bytes, delimiter })
    }

    /// Parts of about so many bytes that can be read by themselves: where no cell is quoted every line break ends a record.
    /// Otherwise one part.
    pub(crate) fn parts(self, bytes: usize) -> Vec<Range<usize>> {
        let all = self.bytes.len();
        if self.bytes.contains(&b'"') {
            return std::iter::once(0..all).collect();
        }
        let mut parts = Vec::new();
        let mut begin = 0;
        while begin < all {
            let wanted = all.min(begin + bytes);
            let rest = self.bytes[wanted..].iter();
            let end = rest.take_while(|byte| **byte != b'\n').count() + wanted + 1;
            parts.push(begin..end.min(all));
            begin = end;
        }
        parts
    }

    /// Reads one of the parts.
    pub(crate) fn read<E: From<TextError>>(
        self,
        part: Range<usize>,
        mut take: impl FnMut(Place<'_>, &csv::StringRecord) -> Result<(), E>,
    ) -> Result<(), E> {
        let bytes = &self.bytes[part.clone()];
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.delimiter)
            .buffer_capacity(BUFFER_BYTES)
            .from_reader(bytes.chain(END));
        let mut record = csv::StringRecord::new();
        let has_quotes = bytes.contains(&b'"');
        loop {
            let place = Place {
                bytes: self.bytes,
                position: part.start + reader.position().byte() as usize,
            };
            let read = reader.read_record(&mut record);
            if reader.position().byte() as usize > bytes.len() + 1 {
                // A record that swallowed the end has its line break too, and so differs from it.
                let is_end = read.is_ok() && record.iter().eq(["end"]);
                let line = place.line();
                let open = TextError::OpenQuote { line };
                return if is_end { Ok(()) } else { Err(open.into()) };
            }
            read.map_err(|error| TextError::of(&error, place.line()))?;
            if has_quotes {
                let end = self
                    .bytes
                    .len()
                    .min(part.start + reader.position().byte() as usize);
                let raw = &self.bytes[place.position..end];
                if let Some(cell) = stray_quote(raw, &record, self.delimiter) {
                    let line = place.line();
                    return Err(TextError::StrayQuote { line, cell }.into());
                }
            }
            take(place, &record)?;
        }
    }
}

/// The first cell, from 1, that was not written as it was read: as it is, or in quotes, with those inside doubled (RFC 4180, 2.7).
fn stray_quote(raw: &[u8], cells: &csv::StringRecord, delimiter: u8) -> Option<usize> {
    let breaks = raw.iter().take_while(|byte| b"\r\n".contains(byte)).count();
    let mut rest = &raw[breaks..];
    for (number, cell) in (1..).zip(cells) {
        let behind = match rest.strip_prefix(b"\"") {
            None => rest.strip_prefix(cell.as_bytes()),
            Some(rest) => {
                let inside = match cell.contains('"') {
                    false => Cow::Borrowed(cell),
                    true => Cow::Owned(cell.replace('"', "\"\"")),
                };
                let rest = rest.strip_prefix(inside.as_bytes());
                rest.and_then(|rest| rest.strip_prefix(b"\""))
            }
        };
        let Some(behind) = behind else {
            return Some(number);
        };
        rest = match behind {
            [] => &[],
            [next, others @ ..] if *next == delimiter => others,
            ending @ [b'\r' | b'\n', ..] => ending,
            _ => return Some(number),
        };
    }
    None
}

impl TextError {
    fn of(error: &csv::Error, line: u64) -> Self {
        match error.kind() {
            csv::ErrorKind::Utf8 { err, .. } => Self::NotUtf8 {
                line,
                cell: err.field() + 1,
            },
            _ => Self::Malformed {
                line,
                reason: error.to_string(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn records(text: &[u8]) -> Result<Vec<(u64, Vec<String>)>, TextError> {
        let mut records = Vec::new();
        read(text, b',', |place, cells| {
            let line = place.line();
            records.push((line, cells.iter().map(str::to_owned).collect()));
            Ok::<(), TextError>(())
        })?;
        Ok(records)
    }

    #[test]
    fn nothing_is_no_record() {
        for nothing in ["", "\n", "\r\n\r\n", "\u{feff}"] {
            assert_eq!(records(nothing.as_bytes()), Ok(Vec::new()), "{nothing:?}");
        }
    }

    #[test]
    fn every_end_of_the_input_is_an_end() {
        for end in ["", "\n", "\r\n", "\n\n", "\r"] {
            let text = format!("a,\"b\nc\"\n1,\"2\"{end}");
            let expected = vec![
                (1, vec!["a".to_owned(), "b\nc".to_owned()]),
                (3, vec!["1".to_owned(), "2".to_owned()]),
            ];
            assert_eq!(records(text.as_bytes()), Ok(expected), "{end:?}");
        }
    }

    #[test]
    fn lines_are_counted_as_an_editor_does() {
        let lines = |text: &str| -> Vec<u64> {
            let records = records(text.as_bytes()).unwrap();
            records.into_iter().map(|(line, _)| line).collect()
        };
        assert_eq!(lines("a\nb\n\n\nc"), [1, 2, 5]);
        assert_eq!(lines("a\r\nb\r\n\r\nc\r\n"), [1, 2, 4]);
        assert_eq!(lines("\n\na\n\"b\r\nb\"\r\nc"), [3, 4, 6]);
    }

    #[test]
    fn an_open_quote_does_not_swallow_the_rest() {
        let open = |line| Err(TextError::OpenQuote { line });
        assert_eq!(records(b"a,b\n1,\"2\n3,4\n"), open(2));
        assert_eq!(records(b"a,b\n1,\"2"), open(2));
        assert_eq!(records(b"\""), open(1));
        assert_eq!(records(b"a\n\"x\"\"\n\n"), open(2));
    }

    #[test]
    fn no_quote_is_left_out_unseen() {
        let stray = |line, cell| Err(TextError::StrayQuote { line, cell });
        assert_eq!(records(b"a,b\n1,\"y\"z\n"), stray(2, 2));
        assert_eq!(records(b"a\n\n\n\"\" \n"), stray(4, 1));
        assert_eq!(records(b"\"a\nb\"c,d"), stray(1, 1));
        let kept = vec!["5\" pipe".to_owned(), " \"b\"".to_owned()];
        assert_eq!(records(b"5\" pipe, \"b\"\n"), Ok(vec![(1, kept)]));
    }

    #[test]
    fn a_cell_that_looks_like_the_end_is_a_cell() {
        let end = vec!["end".to_owned()];
        assert_eq!(
            records(b"end\n\"end\"\n"),
            Ok(vec![(1, end.clone()), (2, end)])
        );
    }

    #[test]
    fn what_cannot_be_read_is_said_with_its_line() {
        assert_eq!(
            records(b"a\n\"b\nb\"\n\xFF\n"),
            Err(TextError::NotUtf8 { line: 4, cell: 1 })
        );
        assert_eq!(
            records(b"a,b,c\n1,\"x\ny\",\xE9\xE9\n"),
            Err(TextError::NotUtf8 { line: 2, cell: 3 })
        );
        for delimiter in [b'"', b'\n', b'\r', b'x', 0xFF] {
            let refused = read(b"a", delimiter, |_, _| Ok::<(), TextError>(()));
            assert_eq!(refused, Err(TextError::BadDelimiter { delimiter }));
        }
    }

    proptest! {
        /// Whatever the size of the parts.
        #[test]
        fn parts_are_read_as_the_whole(text in "[a,\n\r]{0,60}|[a,\"\n]{0,30}", bytes in 1_usize..20) {
            let text = Delimited::new(text.as_bytes(), b',').unwrap();
            let read = |part: Range<usize>| {
                let mut records = Vec::new();
                let done = text.read(part, |place, cells| {
                    records.push((place.line(), cells.clone()));
                    Ok::<(), TextError>(())
                });
                done.map(|()| records)
            };
            let parts = text.parts(bytes).into_iter().map(read).collect::<Result<Vec<_>, _>>();
            prop_assert_eq!(parts.map(|parts| parts.concat()), read(0..text.bytes.len()));
        }

        #[test]
        fn quoted_cells_come_back(rows in proptest::collection::vec("[a,\"\n\r]{1,4}", 0..6), end in "\n?") {
            let quoted: Vec<String> = rows.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
            let text = quoted.join("\n") + &end;
            let cells: Vec<String> = records(text.as_bytes()).unwrap().into_iter().flat_map(|(_, cells)| cells).collect();
            prop_assert_eq!(cells, rows);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'"'), Just(b'\n')], 0..60)) {
            if let Ok(records) = records(&bytes) {
                prop_assert!(records.iter().all(|(_, cells)| !cells.is_empty()));
            }
        }
    }
}
