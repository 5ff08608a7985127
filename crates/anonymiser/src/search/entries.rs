//! Rows that are alike so far, merged: what a node's classes are made of.

/// How often a value stands in an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) entry: u32,
    pub(crate) value: u32,
    pub(crate) rows: u32,
}

/// The distinct rows of a table, or the classes of a node, which are all that a node above needs of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Entries {
    /// By word of the layout: the groups of each entry at the level of the node.
    pub(crate) words: Vec<Vec<u64>>,
    /// Rows of the table that each entry stands for.
    pub(crate) rows: Vec<u32>,
    /// People of the population that each entry stands for; empty where none is known.
    pub(crate) people: Vec<u32>,
    /// By sensitive column: the values behind each entry, in the order of entries and values.
    pub(crate) cells: Vec<Vec<Cell>>,
}

impl Entries {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// By sensitive column, which have so many values, the cells of `count` classes of these entries.
    pub(crate) fn merged_cells(
        &self,
        values: impl Iterator<Item = usize>,
        classes: &[u32],
        count: usize,
    ) -> Vec<Vec<Cell>> {
        let mut sorted = ByClass::default();
        let columns = self.cells.iter().zip(values).map(|(cells, values)| {
            let cells = cells.iter().map(|cell| cell.of(classes));
            sorted.merged(cells, count, values)
        });
        columns.collect()
    }
}

impl Cell {
    /// What it is of the class of its entry.
    pub(crate) fn of(self, classes: &[u32]) -> Self {
        let entry = classes[self.entry as usize];
        Self { entry, ..self }
    }
}

/// How often each value of a sensitive column stands in each class.
#[derive(Default)]
pub(crate) struct ByClass {
    values: usize,
    /// By class and value, where that is not many more numbers than there are cells.
    counts: Option<Vec<u32>>,
    /// Otherwise where the cells of each class begin, and behind the last where they end.
    starts: Vec<usize>,
    /// Value and rows of the table.
    cells: Vec<(u32, u32)>,
}

/// Counts there are at most for each cell, and in all.
const COUNTS_PER_CELL: usize = 8;
const COUNTS: usize = 16_384;

impl ByClass {
    /// Of the cells of so many classes; those of classes that are not wanted may be left out.
    pub(crate) fn sort(
        &mut self,
        cells: impl ExactSizeIterator<Item = Cell> + Clone,
        classes: usize,
        wanted: impl Fn(usize) -> bool,
        values: usize,
    ) {
        self.values = values;
        let counts = classes.saturating_mul(values);
        if counts <= COUNTS.max(COUNTS_PER_CELL * cells.len()) {
            let all = self.counts.get_or_insert_default();
            all.clear();
            all.resize(counts, 0);
            for cell in cells {
                all[cell.entry as usize * values + cell.value as usize] += cell.rows;
            }
        } else {
            self.counts = None;
            self.place(cells.filter(|cell| wanted(cell.entry as usize)), classes);
        }
    }

    fn place(&mut self, cells: impl Iterator<Item = Cell> + Clone, classes: usize) {
        self.starts.clear();
        self.starts.resize(classes + 1, 0);
        for cell in cells.clone() {
            self.starts[cell.entry as usize] += 1;
        }
        // Each class's start is first where it ends, and goes down with every cell that is put in its place.
        let mut end = 0;
        for start in &mut self.starts {
            end += *start;
            *start = end;
        }
        self.cells.clear();
        self.cells.resize(end, (0, 0));
        for cell in cells {
            let start = &mut self.starts[cell.entry as usize];
            *start -= 1;
            self.cells[*start] = (cell.value, cell.rows);
        }
    }

    /// The cells of so many classes, one for each class and value, in the order of both.
    pub(crate) fn merged(
        &mut self,
        cells: impl ExactSizeIterator<Item = Cell> + Clone,
        classes: usize,
        values: usize,
    ) -> Vec<Cell> {
        let mut merged = Vec::with_capacity(cells.len());
        self.sort(cells, classes, |_| true, values);
        for class in 0..classes {
            self.merge_into(class, &mut merged);
        }
        merged.shrink_to_fit();
        merged
    }

    /// Tells the values of a class and how many of its rows have them; a value may come again.
    pub(crate) fn each(&self, class: usize, mut take: impl FnMut(u32, u32)) {
        if let Some(counts) = &self.counts {
            let counts = &counts[class * self.values..][..self.values];
            let found = (0..).zip(counts).filter(|(_, rows)| **rows > 0);
            found.for_each(|(value, &rows)| take(value, rows));
        } else {
            let cells = &self.cells[self.starts[class]..self.starts[class + 1]];
            cells.iter().for_each(|&(value, rows)| take(value, rows));
        }
    }

    /// Appends the cells of a class, one for each value, in the order of values.
    fn merge_into(&mut self, class: usize, merged: &mut Vec<Cell>) {
        let entry = class as u32;
        if let Some(counts) = &self.counts {
            let counts = &counts[class * self.values..][..self.values];
            put_present(entry, counts, merged);
            return;
        }
        let cells = &mut self.cells[self.starts[class]..self.starts[class + 1]];
        cells.sort_unstable();
        let alike = cells.chunk_by(|(one, _), (other, _)| one == other);
        merged.extend(alike.map(|cells| Cell {
            entry,
            value: cells[0].0,
            rows: cells.iter().map(|(_, rows)| rows).sum(),
        }));
    }
}

/// Appends a cell for each value that is there, without a branch on whether it is, which the processor could not foretell.
fn put_present(entry: u32, counts: &[u32], merged: &mut Vec<Cell>) {
    let mut end = merged.len();
    let nothing = Cell {
        entry,
        value: 0,
        rows: 0,
    };
    merged.resize(end + counts.len(), nothing);
    for (value, &rows) in (0..).zip(counts) {
        merged[end] = Cell { entry, value, rows };
        end += usize::from(rows > 0);
    }
    merged.truncate(end);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(entry: u32, value: u32, rows: u32) -> Cell {
        Cell { entry, value, rows }
    }

    #[test]
    fn cells_of_a_class_become_one_for_each_value() {
        let entries = Entries {
            cells: vec![vec![
                cell(0, 1, 2),
                cell(0, 4, 1),
                cell(1, 0, 1),
                cell(2, 1, 2),
                cell(3, 9, 1),
            ]],
            ..Entries::default()
        };
        let merged = [cell(0, 1, 4), cell(0, 4, 1), cell(1, 0, 1), cell(1, 9, 1)];
        // Counted, and sorted where there would be too many counts.
        for values in [10, 100_000] {
            let values = || std::iter::once(values);
            assert_eq!(
                entries.merged_cells(values(), &[0, 1, 0, 1], 2),
                [&merged[..]]
            );
            assert_eq!(
                entries.merged_cells(values(), &[0, 1, 2, 3], 4),
                entries.cells
            );
        }
    }
}
