//! CSV out, block by block: no text is ever held as a whole.

use std::io::{self, Write};

use rayon::prelude::*;

use super::Table;

/// Rows that one thread formats at a time, and how many such blocks are held, twice: some are written while the next ones are
/// formatted. What comes out does not depend on either.
const BLOCK_ROWS: usize = if cfg!(test) { 4 } else { 1 << 12 };
const BLOCKS: usize = if cfg!(test) { 2 } else { 8 };

impl Table {
    /// As [`Table::write_csv`], into memory.
    pub fn to_csv(&self) -> Vec<u8> {
        let mut text = Vec::new();
        self.write_csv(&mut text)
            .expect("writing to memory does not fail");
        text
    }

    /// Writes RFC 4180 text: comma, LF, the header first, quotes only where needed. The same
    /// table always gives the same bytes.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn write_csv(&self, mut to: impl Write + Send) -> io::Result<()> {
        if self.columns().is_empty() {
            return Ok(());
        }
        let names: Vec<Vec<u8>> = self.column_names().map(|name| self.quoted(name)).collect();
        let mut header = names.join(&b',');
        header.push(b'\n');
        to.write_all(&header)?;
        let cells = Cells::of(self);
        let mut ready = vec![Vec::new(); BLOCKS];
        let mut coming = ready.clone();
        for begin in (0..self.rows()).step_by(BLOCKS * BLOCK_ROWS) {
            let (written, ()) = rayon::join(
                || write_all(&mut to, &ready),
                || cells.format(begin, &mut coming),
            );
            written?;
            std::mem::swap(&mut ready, &mut coming);
        }
        write_all(&mut to, &ready)
    }

    /// A cell as it is written. Of an empty one nothing is seen, unless it is alone in its line.
    fn quoted(&self, cell: &str) -> Vec<u8> {
        if cell.is_empty() && self.columns().len() > 1 {
            return Vec::new();
        }
        let in_memory = "writing to memory does not fail";
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::Any(b'\n'))
            .buffer_capacity(2 * cell.len() + 3)
            .from_writer(Vec::new());
        writer.write_record([cell]).expect(in_memory);
        let mut quoted = writer.into_inner().expect(in_memory);
        quoted.pop();
        quoted
    }
}

fn write_all(to: &mut impl Write, blocks: &[Vec<u8>]) -> io::Result<()> {
    blocks.iter().try_for_each(|block| to.write_all(block))
}

/// For each column the code of each row, and each value as it is written.
struct Cells<'a> {
    columns: Vec<(&'a [u32], Vec<Vec<u8>>)>,
    rows: usize,
}

impl<'a> Cells<'a> {
    fn of(table: &'a Table) -> Self {
        let columns = table.columns().iter().map(|column| {
            let values = column.values().iter();
            let values = values.map(|value| table.quoted(value)).collect();
            (column.codes(), values)
        });
        Self {
            columns: columns.collect(),
            rows: table.rows(),
        }
    }

    /// Puts the rows from `begin` on in the place of what the blocks held.
    fn format(&self, begin: usize, blocks: &mut [Vec<u8>]) {
        blocks
            .par_iter_mut()
            .enumerate()
            .for_each(|(place, block)| {
                let begin = begin + place * BLOCK_ROWS;
                block.clear();
                for row in begin..self.rows.min(begin + BLOCK_ROWS) {
                    for (codes, values) in &self.columns {
                        block.extend_from_slice(&values[codes[row] as usize]);
                        block.push(b',');
                    }
                    *block.last_mut().expect("there are columns") = b'\n';
                }
            });
    }
}
