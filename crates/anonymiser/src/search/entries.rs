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
    /// By quasi-identifier: the code of each entry; of a class, that of its first entry.
    pub(crate) codes: Vec<Vec<u32>>,
    /// Rows of the table that each entry stands for.
    pub(crate) rows: Vec<u32>,
    /// People of the population that each entry stands for; empty where none is known.
    pub(crate) people: Vec<u32>,
    /// By sensitive column: the values behind each entry, in the order of entries.
    pub(crate) cells: Vec<Vec<Cell>>,
}

impl Entries {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// One entry for each of `count` classes, which are numbered in the order of their first entries.
    pub(crate) fn merged(&self, classes: &[u32], count: usize) -> Self {
        let summed = |of: &[u32]| {
            let mut sums = vec![0; if of.is_empty() { 0 } else { count }];
            for (&class, &more) in classes.iter().zip(of) {
                sums[class as usize] += more;
            }
            sums
        };
        let mut firsts = Vec::with_capacity(count);
        for (entry, &class) in classes.iter().enumerate() {
            if class as usize == firsts.len() {
                firsts.push(entry);
            }
        }
        let codes = self.codes.iter();
        let every = vec![true; count];
        let mut sorted = ByClass::default();
        Self {
            codes: codes
                .map(|codes| firsts.iter().map(|&first| codes[first]).collect())
                .collect(),
            rows: summed(&self.rows),
            people: summed(&self.people),
            cells: self
                .cells
                .iter()
                .map(|cells| {
                    sorted.sort(cells, classes, &every);
                    (0..count).flat_map(|class| sorted.merged(class)).collect()
                })
                .collect(),
        }
    }
}

/// The cells of a sensitive column by class, those of classes that are wanted.
#[derive(Default)]
pub(crate) struct ByClass {
    /// Where the cells of each class begin, and behind the last where they end.
    starts: Vec<usize>,
    /// Value and rows of the table.
    cells: Vec<(u32, u32)>,
}

impl ByClass {
    pub(crate) fn sort(&mut self, cells: &[Cell], classes: &[u32], wanted: &[bool]) {
        let placed = || {
            let cells = cells
                .iter()
                .map(|cell| (classes[cell.entry as usize] as usize, cell));
            cells.filter(|(class, _)| wanted[*class])
        };
        self.starts.clear();
        self.starts.resize(wanted.len() + 1, 0);
        for (class, _) in placed() {
            self.starts[class] += 1;
        }
        // Each class's start is first where it ends, and goes down with every cell that is put in its place.
        let mut end = 0;
        for start in &mut self.starts {
            end += *start;
            *start = end;
        }
        self.cells.clear();
        self.cells.resize(end, (0, 0));
        for (class, cell) in placed() {
            self.starts[class] -= 1;
            self.cells[self.starts[class]] = (cell.value, cell.rows);
        }
    }

    pub(crate) fn of(&self, class: usize) -> &[(u32, u32)] {
        &self.cells[self.starts[class]..self.starts[class + 1]]
    }

    /// The cells of a class, one for each value, in the order of values.
    fn merged(&mut self, class: usize) -> Vec<Cell> {
        let cells = &mut self.cells[self.starts[class]..self.starts[class + 1]];
        cells.sort_unstable();
        let alike = cells.chunk_by(|(one, _), (other, _)| one == other);
        alike
            .map(|cells| Cell {
                entry: class as u32,
                value: cells[0].0,
                rows: cells.iter().map(|(_, rows)| rows).sum(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(entry: u32, value: u32, rows: u32) -> Cell {
        Cell { entry, value, rows }
    }

    #[test]
    fn entries_of_a_class_become_one() {
        let entries = Entries {
            codes: vec![vec![5, 6, 7, 8], vec![0, 0, 1, 1]],
            rows: vec![3, 1, 2, 1],
            people: vec![3, 9, 0, 1],
            cells: vec![vec![
                cell(0, 1, 2),
                cell(0, 4, 1),
                cell(1, 0, 1),
                cell(2, 1, 2),
                cell(3, 9, 1),
            ]],
        };
        let merged = Entries {
            codes: vec![vec![5, 6], vec![0, 0]],
            rows: vec![5, 2],
            people: vec![3, 10],
            cells: vec![vec![
                cell(0, 1, 4),
                cell(0, 4, 1),
                cell(1, 0, 1),
                cell(1, 9, 1),
            ]],
        };
        assert_eq!(entries.merged(&[0, 1, 0, 1], 2), merged);
        assert_eq!(entries.merged(&[0, 1, 2, 3], 4), entries);
    }
}
