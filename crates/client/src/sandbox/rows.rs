//! Whether an output holds rows of the data (P18: a copy, whatever made it).
//!
//! What counts: a line's **words** are its longest runs of letters, digits and `.`, `-`, `+`, `_`; those that are names
//! of columns are left out, and their order is nothing. A row of the data is a line but the first. A line of an output
//! *holds* a row that has at least [`MIN_WORDS`] words of at least [`MIN_BYTES`] bytes together, if it has exactly
//! those words, or those and one more (a line number, an index). So separators, quotes, the order of columns, JSON with
//! one record a line, and a column that was added hide nothing. Shorter rows say nothing: a table of counts looks the
//! same.
//!
//! A row of [`LONG`] different words or more is found wherever its words stand one behind the other: in a line with others,
//! over several lines, behind any heading. Of a row of more than that, all words but one are as good as all, so that a
//! column that was left out hides nothing either. Such windows are as long as the data's rows, of which the
//! [`MAX_LENGTHS`] lengths count that most rows have.
//!
//! Not seen: lesser parts of rows, cells that stand apart (column by column, or with other words between them), rows that
//! were rounded, encoded, compressed or encrypted.
//!
//! Memory is bounded by the output and by [`MAX_SUMS`]: the data streams past once for each so many sums, and once before
//! where an output has words enough for a long row.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::BuildHasher;
use std::io::{self, Read};
use std::ops::Range;

use zeroize::Zeroizing;

/// Rows of fewer words do not count.
pub const MIN_WORDS: usize = 3;
/// Rows whose words have fewer bytes together do not count.
pub const MIN_BYTES: usize = 12;
/// So many different words, one behind the other, are no line of a table of counts.
pub const LONG: usize = 8;
/// And so many bytes together.
const MIN_LONG_BYTES: usize = 24;
/// Lengths of rows that are looked for wherever they stand.
const MAX_LENGTHS: usize = 8;
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
    /// Added to the sum of a window, so that none is taken for that of a line.
    window: u64,
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
        let window = keys.hash_one("a window and no line");
        Self {
            keys,
            columns,
            window,
        }
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
        let mut lengths = None;
        let mut counts = vec![0; outputs.len()];
        let mut sums: Vec<Sum> = Vec::new();
        let mut line = 0;
        for (output, text) in outputs.into_iter().enumerate() {
            let (mut text, mut windows) = (Text::of(text), Windows::new());
            while let Some(bytes) = text.next()? {
                let sum = |sum| Sum { sum, output, line };
                let hashes: Vec<u64> = self.values(bytes).map(|(hash, _)| hash).collect();
                sums.extend(sums_of_line(&hashes).map(sum));
                for hash in hashes {
                    windows.push(hash);
                    if windows.may_hold_a_row() {
                        // Most outputs are so short that the data need not be read for them.
                        let lengths = match &mut lengths {
                            Some(lengths) => lengths,
                            none => none.insert(self.lengths(&mut data)?),
                        };
                        let ending = windows.ending_here(lengths);
                        sums.extend(ending.map(|of| sum(of.wrapping_add(self.window))));
                    }
                }
                line += 1;
                if sums.len() >= MAX_SUMS {
                    self.look_for(&mut sums, &mut data, &mut counts)?;
                }
            }
        }
        self.look_for(&mut sums, &mut data, &mut counts)?;
        Ok(counts)
    }

    /// How many words, one behind the other, may be a row or all of one but a word.
    fn lengths<E>(
        &self,
        data: &mut impl FnMut(&mut dyn FnMut(&[u8])) -> Result<(), E>,
    ) -> Result<BTreeSet<usize>, E> {
        let (mut numbers, mut rows) = (HashMap::<usize, u64>::new(), Lines::default());
        let mut look = |row: &[u8]| {
            let words: Vec<_> = self.values(row).take(MAX_WORDS).collect();
            if different(&words) >= LONG {
                *numbers.entry(words.len()).or_default() += 1;
            }
        };
        data(&mut |piece| rows.push(piece, &mut look))?;
        rows.end(&mut look);
        let mut numbers: Vec<_> = numbers.into_iter().collect();
        numbers.sort_unstable_by_key(|(number, rows)| (std::cmp::Reverse(*rows), *number));
        let most = numbers.into_iter().take(MAX_LENGTHS);
        let with_parts = most.flat_map(|(number, _)| [number, number - 1]);
        Ok(with_parts.filter(|length| *length >= LONG).collect())
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
            for wanted in self.sums_of_row(row) {
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

    /// Sum of the words of a row that counts. Where it is long, also as a window, and both without one of the words. Sums do
    /// not depend on the order.
    fn sums_of_row(&self, row: &[u8]) -> impl Iterator<Item = u64> + use<> {
        let words: Vec<_> = self.values(row).take(MAX_WORDS).collect();
        let counts = words.len() >= MIN_WORDS && bytes_of(&words) >= MIN_BYTES;
        let different = different(&words);
        let (is_long, has_parts) = (different >= LONG, different > LONG);
        let whole = words
            .iter()
            .fold(0_u64, |sum, (hash, _)| sum.wrapping_add(*hash));
        let parts = words.into_iter().filter(move |_| has_parts);
        let parts = parts.map(move |(hash, _)| whole.wrapping_sub(hash));
        let window = self.window;
        let windows = std::iter::once(whole)
            .chain(parts.clone())
            .filter(move |_| is_long)
            .map(move |sum| sum.wrapping_add(window));
        let lines = std::iter::once(whole).chain(parts);
        lines.chain(windows).filter(move |_| counts)
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
}

fn bytes_of(words: &[(u64, usize)]) -> usize {
    words.iter().map(|(_, length)| length).sum()
}

/// How many different words there are of which the window of a row may be made; none if they are nobody's in particular, as a row of
/// noughts and ones is.
fn different(words: &[(u64, usize)]) -> usize {
    if words.len() < LONG || bytes_of(words) < MIN_LONG_BYTES {
        return 0;
    }
    let mut hashes: Vec<u64> = words.iter().map(|(hash, _)| *hash).collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes.len()
}

/// Sum of all words of a line of an output, and the sums without one of them.
fn sums_of_line(hashes: &[u64]) -> impl Iterator<Item = u64> {
    let hashes = &hashes[..hashes.len().min(MAX_WORDS)];
    let whole = hashes
        .iter()
        .fold(0_u64, |sum, hash| sum.wrapping_add(*hash));
    let without = hashes.iter().map(move |hash| whole.wrapping_sub(*hash));
    let counts = hashes.len() >= MIN_WORDS;
    std::iter::once(whole)
        .chain(without)
        .filter(move |_| counts)
}

/// Sums of so many words, one behind the other.
struct Windows {
    /// Sums of all words up to each of the last ones, the latest first.
    up_to: VecDeque<u64>,
}

impl Windows {
    fn new() -> Self {
        Self {
            up_to: VecDeque::from([0]),
        }
    }

    fn push(&mut self, hash: u64) {
        self.up_to.push_front(self.up_to[0].wrapping_add(hash));
    }

    /// Whether there are words enough.
    fn may_hold_a_row(&self) -> bool {
        self.up_to.len() > LONG
    }

    /// The sums of the windows of these lengths that end with the last word. What lies before the longest is forgotten.
    fn ending_here(&mut self, lengths: &BTreeSet<usize>) -> impl Iterator<Item = u64> {
        let longest = lengths.last().copied().unwrap_or(LONG);
        self.up_to.truncate(1 + longest);
        let windows = lengths.iter().map_while(|length| self.up_to.get(*length));
        windows.map(|before| self.up_to[0].wrapping_sub(*before))
    }
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

    /// Nine words a row, ten with the town of the second; the third is short, and the fourth of noughts and ones.
    const LONG_DATA: &[u8] = b"id,sex,age,place,when,code,drug,low,high\n\
        66f94d40,F,40-49,61xxx,2024-Q2,I10,metformin,1.3,4.7\n\
        77a05e51,M,50-59,New Town,2024-Q3,E11,insulin,2.5,9.1\n\
        1,M,5,6,7,8,9\n\
        0,1,0,1,0,1,0,1,0,1,0,1\n";

    fn count_long(output: &[u8]) -> u64 {
        let rows = Rows::under(LONG_DATA.split(|byte| *byte == b'\n').next().unwrap());
        let counts = rows.count(vec![Box::new(output)], |give| {
            LONG_DATA.chunks(7).for_each(give);
            Ok::<_, io::Error>(())
        });
        counts.unwrap()[0]
    }

    #[test]
    fn long_rows_are_found_wherever_they_stand() {
        for (output, lines) in [
            // Records of JSON in one line, and a line for each cell: the last but one ends the row without its last cell.
            (
                &b"[{\"id\": \"66f94d40\", \"sex\": \"F\", \"age\": \"40-49\", \"place\": \"61xxx\", \"when\": \"2024-Q2\", \
                \"code\": \"I10\", \"drug\": \"metformin\", \"low\": 1.3, \"high\": 4.7}, {\"id\": 1}]"[..],
                1,
            ),
            (
                b"{\n\"id\": \"66f94d40\",\n\"sex\": \"F\",\n\"age\": \"40-49\",\n\"place\": \"61xxx\",\n\"when\": \"2024-Q2\",\n\
                \"code\": \"I10\",\n\"drug\": \"metformin\",\n\"low\": 1.3,\n\"high\": 4.7\n}\n",
                2,
            ),
            // Two rows a line, all rows one line, behind words.
            (
                b"66f94d40 F 40-49 61xxx 2024-Q2 I10 metformin 1.3 4.7 77a05e51 M 50-59 New Town 2024-Q3 E11 insulin 2.5 9.1",
                1,
            ),
            (
                b"one of the patients is 66f94d40,F,40-49,61xxx,2024-Q2,I10,metformin,1.3,4.7 as it was\nand no other\n",
                1,
            ),
            // Without the first column, the last, and one between them: of ten words.
            (b"M,50-59,New Town,2024-Q3,E11,insulin,2.5,9.1\n", 1),
            (b"M,50-59,New Town,2024-Q3,E11,insulin,2.5,9.1 and so on 17\n", 1),
            (b"77a05e51,M,50-59,New Town,2024-Q3,E11,insulin,2.5\n", 1),
            (b"77a05e51,50-59,New Town,2024-Q3,E11,insulin,2.5,9.1,x,y\n", 1),
            // With another word in the place of one.
            (b"P1,M,50-59,New Town,2024-Q3,E11,insulin,2.5,9.1\n", 1),
            (LONG_DATA, 3),
        ] {
            assert_eq!(count_long(output), lines, "{}", output.escape_ascii());
        }
    }

    #[test]
    fn the_data_is_read_no_more_often_than_an_output_needs() {
        let rows = Rows::under(b"a,b,c");
        for (output, passes) in [
            (&b""[..], 0),
            (b"12 rows", 0),
            (b"one two three", 1),
            (b"one two three four five six seven\neight", 2),
        ] {
            let mut read = 0;
            let counts = rows.count(vec![Box::new(output)], |give| {
                read += 1;
                give(b"a,b,c\n");
                Ok::<_, io::Error>(())
            });
            assert_eq!((counts.unwrap(), read), (vec![0], passes));
        }
    }

    #[test]
    fn parts_of_long_rows_are_no_rows() {
        for output in [
            // Seven words of nine and of ten; cells that stand apart.
            &b"40-49,61xxx,2024-Q2,I10,metformin,1.3,4.7\n"[..],
            b"50-59,New Town,2024-Q3,E11,insulin,2.5\n",
            b"66f94d40 F\n17 18\n40-49 61xxx\n17 18\n2024-Q2 I10\n17 18\nmetformin 1.3 4.7\n",
            b"1,M,5,6,7,8,9 1,M,5,6,7,8,9\n",
            // Anybody's, in another order.
            b"1 0 0 1 1 1 0 0 1 0 1 0 1 1\n",
        ] {
            assert_eq!(count_long(output), 0, "{}", output.escape_ascii());
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
