//! Whether an output holds rows of the data (P18: a copy, whatever made it).
//!
//! What counts: a line's **words** are its longest runs of letters, digits and `.`, `-`, `+`, `_`; those that are names
//! of columns are left out, and their order is nothing. A row of the data is a line but the first. A line of an output
//! *holds* a row that has at least [`MIN_WORDS`] words of at least [`MIN_BYTES`] bytes together, if it has exactly
//! those words, or those and one more (a line number, an index). So separators, quotes, the order of columns, JSON with
//! one record a line, and a column that was added hide nothing. Shorter rows say nothing: a table of counts looks the
//! same. Not seen: parts of rows, rows that were rounded, encoded, compressed or encrypted, rows over several lines.
//!
//! Memory is bounded by the output and by [`MAX_SUMS`]: the data streams past, once for each so many sums.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io::{self, Read};
use std::ops::Range;

use zeroize::Zeroizing;

/// Rows of fewer words do not count.
pub const MIN_WORDS: usize = 3;
/// Rows whose words have fewer bytes together do not count.
pub const MIN_BYTES: usize = 12;
/// Sums that are looked for at once: 24 bytes each.
const MAX_SUMS: usize = 2 << 20;
/// Longest line that is looked at; what follows is a line of its own.
const MAX_LINE_BYTES: usize = 64 * 1024;
/// Words of a line that are looked at.
const MAX_WORDS: usize = 4_096;

/// The rule, for one set of data.
pub struct Rows {
    /// Keyed afresh, so that nobody can choose words whose sums collide.
    keys: RandomState,
    columns: HashSet<u64>,
}

/// What one of the outputs is.
struct Sum {
    sum: u64,
    output: usize,
    line: usize,
}

impl Rows {
    /// For data whose first line is `header`.
    #[must_use]
    pub fn under(header: &[u8]) -> Self {
        let keys = RandomState::new();
        let columns = words(header).map(|word| keys.hash_one(word)).collect();
        Self { keys, columns }
    }

    /// How many lines of each output hold a row. `data` is called for each pass, and hands the data's pieces, from the
    /// beginning, to what it is given.
    ///
    /// # Errors
    /// What `data`, or reading an output, fails with.
    pub fn count<E: From<io::Error>>(
        &self,
        outputs: Vec<Box<dyn Read + '_>>,
        mut data: impl FnMut(&mut dyn FnMut(&[u8])) -> Result<(), E>,
    ) -> Result<Vec<u64>, E> {
        let mut counts = vec![0; outputs.len()];
        let mut sums: Vec<Sum> = Vec::new();
        let mut number = 0;
        for (output, text) in outputs.into_iter().enumerate() {
            let mut text = Text::of(text);
            while let Some(bytes) = text.next()? {
                let sum = |sum| Sum {
                    sum,
                    output,
                    line: number,
                };
                sums.extend(self.sums_of_output(bytes).map(sum));
                number += 1;
                if sums.len() >= MAX_SUMS {
                    self.look_for(&mut sums, &mut data, &mut counts)?;
                }
            }
        }
        self.look_for(&mut sums, &mut data, &mut counts)?;
        Ok(counts)
    }

    /// Looks for the rows with these sums, counts the lines that hold them, and forgets the sums.
    fn look_for<E>(
        &self,
        sums: &mut Vec<Sum>,
        data: &mut impl FnMut(&mut dyn FnMut(&[u8])) -> Result<(), E>,
        counts: &mut [u64],
    ) -> Result<(), E> {
        if sums.is_empty() {
            return Ok(());
        }
        sums.sort_unstable_by_key(|sum| sum.sum);
        let mut found = HashSet::new();
        let mut rows = Lines::default();
        let mut look = |row: &[u8]| {
            if let Some(wanted) = self.sum_of_row(row) {
                let begin = sums.partition_point(|sum| sum.sum < wanted);
                let equal = sums[begin..].iter().take_while(|sum| sum.sum == wanted);
                found.extend(equal.map(|sum| (sum.output, sum.line)));
            }
        };
        data(&mut |piece| rows.push(piece, &mut look))?;
        rows.end(&mut look);
        for (output, _) in found {
            counts[output] += 1;
        }
        sums.clear();
        Ok(())
    }

    /// Sum of the words of a row that counts. Sums do not depend on the order.
    fn sum_of_row(&self, row: &[u8]) -> Option<u64> {
        let (mut sum, mut number, mut bytes) = (0_u64, 0, 0);
        for (hash, length) in self.values(row) {
            sum = sum.wrapping_add(hash);
            number += 1;
            bytes += length;
        }
        (number >= MIN_WORDS && bytes >= MIN_BYTES).then_some(sum)
    }

    /// Sum of all words, and the sums without one of them.
    fn sums_of_output(&self, line: &[u8]) -> impl Iterator<Item = u64> + use<> {
        let hashes: Vec<u64> = self.values(line).map(|(hash, _)| hash).collect();
        let whole = hashes
            .iter()
            .fold(0_u64, |sum, hash| sum.wrapping_add(*hash));
        let counts = hashes.len() >= MIN_WORDS;
        let without = hashes.into_iter().map(move |hash| whole.wrapping_sub(hash));
        std::iter::once(whole)
            .chain(without)
            .filter(move |_| counts)
    }

    /// Hashes and lengths of the words that are no names of columns.
    fn values(&self, line: &[u8]) -> impl Iterator<Item = (u64, usize)> {
        words(line)
            .map(|word| (self.keys.hash_one(word), word.len()))
            .filter(|(hash, _)| !self.columns.contains(hash))
    }
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let of_word = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || !byte.is_ascii()
            || matches!(byte, b'.' | b'-' | b'+' | b'_')
    };
    line.split(move |byte| !of_word(byte))
        .filter(|word| !word.is_empty())
        .take(MAX_WORDS)
}

/// Lines of an output: up to a line feed or a carriage return, or as long as a line may be.
struct Text<R> {
    from: R,
    line: Zeroizing<Vec<u8>>,
    piece: Zeroizing<Vec<u8>>,
    /// Of the piece, what was not looked at.
    left: Range<usize>,
}

impl<R: Read> Text<R> {
    fn of(from: R) -> Self {
        Self {
            from,
            line: Zeroizing::new(Vec::with_capacity(MAX_LINE_BYTES)),
            piece: Zeroizing::new(vec![0; MAX_LINE_BYTES]),
            left: 0..0,
        }
    }

    fn next(&mut self) -> io::Result<Option<&[u8]>> {
        self.line.clear();
        loop {
            let left = &self.piece[self.left.clone()];
            let room = MAX_LINE_BYTES - self.line.len();
            let end = left.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let taken = end.unwrap_or(left.len()).min(room);
            self.line.extend_from_slice(&left[..taken]);
            self.left.start += taken;
            if end == Some(taken) {
                self.left.start += 1;
                return Ok(Some(&self.line));
            }
            if self.line.len() == MAX_LINE_BYTES {
                return Ok(Some(&self.line));
            }
            self.left = 0..self.from.read(&mut self.piece)?;
            if self.left.is_empty() {
                return Ok((!self.line.is_empty()).then_some(&self.line));
            }
        }
    }
}

/// Lines out of pieces. The first one is the header, and no row.
#[derive(Default)]
struct Lines {
    begun: Vec<u8>,
    header_seen: bool,
}

impl Lines {
    fn push(&mut self, piece: &[u8], look: &mut impl FnMut(&[u8])) {
        let mut parts = piece.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = parts.next() {
            let room = MAX_LINE_BYTES.saturating_sub(self.begun.len());
            self.begun.extend_from_slice(&part[..part.len().min(room)]);
            if parts.peek().is_some() {
                self.end(look);
            }
        }
    }

    fn end(&mut self, look: &mut impl FnMut(&[u8])) {
        if self.header_seen {
            look(&self.begun);
        }
        self.header_seen = true;
        zeroize::Zeroize::zeroize(&mut self.begun);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const DATA: &[u8] =
        b"sex,age,\"diagnosis\",town\nm,30-39,I10,Moscow\nf,40-49,\"E11 2\",Kazan\nm,3,4,5\n";

    fn count(output: &[u8]) -> u64 {
        let rows = Rows::under(DATA.split(|byte| *byte == b'\n').next().unwrap());
        let counts = rows.count(vec![Box::new(output)], |give| {
            // In pieces that respect nothing.
            DATA.chunks(7).for_each(give);
            Ok::<_, io::Error>(())
        });
        counts.unwrap()[0]
    }

    #[test]
    fn rows_are_found_however_they_are_written() {
        for output in [
            &b"m,30-39,I10,Moscow\n"[..],
            b"Moscow;I10;30-39;m",
            b"a heading\r\n\"m\"\t\"30-39\"\t\"I10\"\t\"Moscow\"\r\n",
            b"0,m,30-39,I10,Moscow\n",
            b"{\"sex\": \"m\", \"age\": \"30-39\", \"diagnosis\": \"I10\", \"town\": \"Moscow\"}\n",
            b"  m  30-39   I10 Moscow",
            b"2 f 40-49 E11 2 Kazan",
        ] {
            assert_eq!(count(output), 1, "{}", output.escape_ascii());
        }
        assert_eq!(count(DATA), 2, "the third row is too short to count");
    }

    #[test]
    fn what_is_no_row_is_not_found() {
        for output in [
            &b"sex,age,diagnosis,town\n"[..],
            b"m,3,4,5\n",
            b"m,30-39,I10,Kazan\n",
            b"m,30-39,I10\n",
            b"m,30-39,I10,Moscow,17,18\n",
            b"m,30-39,I10,Moscow,Moscow,1\n",
            b"mean age,34.5\n\n\0\xff",
            b"",
        ] {
            assert_eq!(count(output), 0, "{}", output.escape_ascii());
        }
    }

    #[test]
    fn lines_are_cut_wherever_their_pieces_end() {
        /// Gives a few bytes at a time.
        struct Slow<'a>(&'a [u8], usize);
        impl Read for Slow<'_> {
            fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
                let few = out.len().min(self.1);
                self.0.read(&mut out[..few])
            }
        }
        let long = vec![b'x'; MAX_LINE_BYTES + 3];
        let bytes = [b"one\r\n\ntwo\n".as_slice(), &long, b"\nend"].concat();
        let expected: Vec<Vec<u8>> = bytes
            .split(|byte| matches!(byte, b'\n' | b'\r'))
            .flat_map(|line| match line {
                [] => vec![Vec::new()],
                line => line.chunks(MAX_LINE_BYTES).map(<[u8]>::to_vec).collect(),
            })
            .collect();
        for few in [1, 2, 3, 5, MAX_LINE_BYTES - 1, MAX_LINE_BYTES] {
            let mut text = Text::of(Slow(&bytes, few));
            let mut lines = Vec::new();
            while let Some(line) = text.next().unwrap() {
                lines.push(line.to_vec());
            }
            assert_eq!(lines, expected, "{few} bytes at a time");
        }
    }

    #[test]
    fn each_output_is_counted_by_itself_and_a_long_line_is_bounded() {
        let rows = Rows::under(b"a,b,c");
        let long = [
            b"x ".repeat(9_999_999).as_slice(),
            b"\none two three four\n",
        ]
        .concat();
        let outputs: [&[u8]; 3] = [b"one two three four", b"four", &long];
        let outputs = outputs.map(|output| Box::new(output) as Box<dyn Read>);
        let counts = rows.count(outputs.into(), |give| {
            give(b"a,b,c\none,two,three,four");
            Ok::<_, io::Error>(())
        });
        assert_eq!(counts.unwrap(), [1, 0, 1]);
    }
}
