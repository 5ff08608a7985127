//! Whether a file holds rows of the data (SPEC §5.2): what makes a second file a duplicate, and an output a copy.
//!
//! Lines are compared by their cells: cut at `,` `;` `|` and tabs, stripped of blanks and quotes, empty ones left out, in
//! any order. A line of the file is also compared without its first cell, since programs like to number what they write.
//! The file's lines are kept as keyed hashes, so many at once; the data is read past them once for each such part. Memory
//! is thus bounded whatever the sizes of either, and is none of the data's.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io::{Read, Result};

use zeroize::Zeroizing;

/// At most so many lines of the file are kept at once: half a million hashes, some 20 MiB.
const MAX_LINES: usize = 1 << 18;
/// Of a longer line so many bytes are compared.
const MAX_LINE_BYTES: usize = 1 << 20;
/// So many bytes are read at once.
const BUFFER_BYTES: usize = 1 << 20;
/// A line of the data with so many cells is a row.
const MIN_CELLS: usize = 3;
/// So is one of so many bytes ...
const MIN_LINE_BYTES: usize = 32;
/// ... that stands in the data at most so many times.
const MAX_REPEATS: u32 = 3;

/// How many lines of `file` are rows of the data, which `data` reads from its beginning; stops at `enough`.
///
/// # Errors
/// What reading either says.
pub(crate) fn count<F: Read, D: Read>(
    file: F,
    mut data: impl FnMut() -> D,
    enough: u64,
) -> Result<u64> {
    let hasher = RandomState::new();
    let mut file = Lines::of(file);
    let mut found = 0;
    loop {
        let (part, more) = Part::read(&mut file, &hasher)?;
        found += part.rows(data(), &hasher, enough.saturating_sub(found))?;
        if !more || found >= enough {
            return Ok(found);
        }
    }
}

/// Lines of the file by what they are compared by.
struct Part(HashMap<u64, Line>);

#[derive(Default)]
struct Line {
    /// How many lines of the file are so.
    here: u64,
    /// How many of the data, where that decides.
    there: u32,
}

impl Part {
    /// The next lines, and whether there may be more.
    fn read<R: Read>(lines: &mut Lines<R>, hasher: &RandomState) -> Result<(Self, bool)> {
        let mut kept = HashMap::new();
        for _ in 0..MAX_LINES {
            let Some(line) = lines.next()? else {
                return Ok((Self(kept), false));
            };
            let cells = Cells::of(line, hasher);
            if !cells.may_be_a_row(line) {
                continue;
            }
            // With its first cell and without.
            let without = (cells.count > 1).then(|| cells.hash.wrapping_sub(cells.first));
            for hash in std::iter::once(cells.hash).chain(without) {
                kept.entry(hash).or_insert_with(Line::default).here += 1;
            }
        }
        Ok((Self(kept), true))
    }

    /// How many of them are rows of `data`.
    fn rows(mut self, data: impl Read, hasher: &RandomState, enough: u64) -> Result<u64> {
        let mut found = 0;
        let mut data = Lines::of(data);
        // The first line has the titles.
        if self.0.is_empty() || data.next()?.is_none() {
            return Ok(0);
        }
        while found < enough
            && let Some(line) = data.next()?
        {
            let cells = Cells::of(line, hasher);
            if cells.count >= MIN_CELLS {
                found += self.0.remove(&cells.hash).map_or(0, |line| line.here);
            } else if cells.may_be_a_row(line)
                && let Some(line) = self.0.get_mut(&cells.hash)
            {
                line.there = line.there.saturating_add(1);
            }
        }
        let rare = self
            .0
            .values()
            .filter(|line| (1..=MAX_REPEATS).contains(&line.there));
        Ok(found + rare.map(|line| line.here).sum::<u64>())
    }
}

/// A line as it is compared: the sum of its cells' hashes, whatever their order.
#[derive(Default)]
struct Cells {
    count: usize,
    hash: u64,
    first: u64,
}

impl Cells {
    fn of(line: &[u8], hasher: &RandomState) -> Self {
        let mut cells = Self::default();
        for cell in line.split(|byte| matches!(byte, b',' | b';' | b'|' | b'\t')) {
            let cell = stripped(cell);
            if cell.is_empty() {
                continue;
            }
            let hash = hasher.hash_one(cell);
            if cells.count == 0 {
                cells.first = hash;
            }
            cells.hash = cells.hash.wrapping_add(hash);
            cells.count += 1;
        }
        cells
    }

    const fn may_be_a_row(&self, line: &[u8]) -> bool {
        self.count >= MIN_CELLS || self.count > 0 && line.len() >= MIN_LINE_BYTES
    }
}

fn stripped(mut cell: &[u8]) -> &[u8] {
    const fn is_around(byte: u8) -> bool {
        byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | 0)
    }
    while let [first, rest @ ..] = cell
        && is_around(*first)
    {
        cell = rest;
    }
    while let [rest @ .., last] = cell
        && is_around(*last)
    {
        cell = rest;
    }
    cell
}

/// Reads line by line, each cut at [`MAX_LINE_BYTES`]. What is kept is wiped: it may be the data.
struct Lines<R> {
    reader: R,
    buffer: Zeroizing<Vec<u8>>,
    /// What of the buffer is still to be looked at.
    rest: std::ops::Range<usize>,
    line: Zeroizing<Vec<u8>>,
}

impl<R: Read> Lines<R> {
    fn of(reader: R) -> Self {
        Self {
            reader,
            buffer: Zeroizing::new(vec![0; BUFFER_BYTES]),
            rest: 0..0,
            // All it will ever need: a vector that grows leaves copies behind.
            line: Zeroizing::new(Vec::with_capacity(MAX_LINE_BYTES)),
        }
    }

    /// The next line without its end.
    fn next(&mut self) -> Result<Option<&[u8]>> {
        self.line.clear();
        let mut any = false;
        loop {
            if self.rest.is_empty() {
                self.rest = 0..self.reader.read(&mut self.buffer)?;
                if self.rest.is_empty() {
                    return Ok(any.then_some(&self.line));
                }
            }
            any = true;
            let rest = &self.buffer[self.rest.clone()];
            let end = rest.iter().position(|byte| *byte == b'\n');
            let piece = &rest[..end.unwrap_or(rest.len())];
            let room = MAX_LINE_BYTES - self.line.len();
            self.line.extend_from_slice(&piece[..piece.len().min(room)]);
            self.rest.start += piece.len() + usize::from(end.is_some());
            if end.is_some() {
                return Ok(Some(&self.line));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const DATA: &str = "age,sex,code\n40-59,F,E11\n60-79,M,I10\n60-79,M,I10\n";

    fn in_data(file: &str, data: &str) -> u64 {
        count(file.as_bytes(), || data.as_bytes(), u64::MAX).unwrap()
    }

    #[test]
    fn a_row_is_found_however_a_program_writes_it() {
        for file in [
            "40-59,F,E11",
            "x\r\n40-59,F,E11\r\n",
            "\"40-59\";\"F\";\"E11\"\n",
            "40-59\tF\tE11\n",
            "E11,40-59,F\n",
            "17,40-59,F,E11\n",
            "40-59, F ,, E11",
            "header of an archive\0\0\0\n40-59,F,E11\n\0\0\0\0",
        ] {
            assert_eq!(in_data(file, DATA), 1, "{file:?}");
        }
        assert_eq!(in_data(DATA, DATA), 3, "each line of the file counts");
        assert_eq!(
            count(DATA.as_bytes(), || DATA.as_bytes(), 1).unwrap(),
            1,
            "and what is enough is not looked beyond"
        );
    }

    #[test]
    fn what_is_no_row_is_not_found() {
        for file in [
            "",
            "\n\n",
            "age,sex,code\n",
            "sex,count\nF,1\nM,2\n",
            "40-59,F\n",
            "40-59,F,E1\n",
            "40-59,F,E11,and more\n",
            "40-59,F,\nE11\n",
            "                                        \n",
        ] {
            assert_eq!(in_data(file, DATA), 0, "{file:?}");
        }
    }

    #[test]
    fn a_long_line_counts_where_it_is_rare() {
        let line = "a sentence of more than thirty-two bytes, and no more";
        let rare = format!("text\n{line}\n{line}\n{line}\n");
        assert_eq!(in_data(line, &rare), 1);
        assert_eq!(in_data(line, &format!("{rare}{line}\n")), 0);
        let blank = " ".repeat(40);
        assert_eq!(in_data(&blank, &format!("text\n{blank}\n")), 0);
        let short = "no more than thirty-one bytes";
        assert_eq!(in_data(short, &format!("text\n{short}\n")), 0);
    }

    #[test]
    fn more_lines_than_are_kept_at_once_are_compared_in_parts() {
        let mut file = "a,b,c\n".repeat(MAX_LINES + 1);
        file.push_str("40-59,F,E11\n");
        assert_eq!(in_data(&file, DATA), 1);
    }

    #[test]
    fn a_line_without_an_end_is_compared_as_far_as_it_is_kept() {
        let long = "x".repeat(3 * MAX_LINE_BYTES);
        assert_eq!(
            in_data(&format!("{long}y"), &format!("title\n{long}z\n")),
            1
        );
        assert_eq!(in_data(&format!("y{long}"), &format!("title\n{long}\n")), 0);
    }
}
