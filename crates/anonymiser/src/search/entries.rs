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
    /// By sensitive column: the values behind each entry, in the order of entries.
    pub(crate) cells: Vec<Vec<Cell>>,
}

impl Entries {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// By sensitive column the cells of `count` classes of these entries.
    pub(crate) fn merged_cells(&self, classes: &[u32], count: usize) -> Vec<Vec<Cell>> {
        let every = vec![true; count];
        let mut sorted = ByClass::default();
        let columns = self.cells.iter().map(|cells| {
            sorted.sort(cells, classes, &every);
            let mut merged = Vec::with_capacity(cells.len());
            for class in 0..count {
                sorted.merge_into(class, &mut merged);
            }
            merged.shrink_to_fit();
            merged
        });
        columns.collect()
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

    /// Appends the cells of a class, one for each value, in the order of values.
    fn merge_into(&mut self, class: usize, merged: &mut Vec<Cell>) {
        let cells = &mut self.cells[self.starts[class]..self.starts[class + 1]];
        cells.sort_unstable();
        let alike = cells.chunk_by(|(one, _), (other, _)| one == other);
        merged.extend(alike.map(|cells| Cell {
            entry: class as u32,
            value: cells[0].0,
            rows: cells.iter().map(|(_, rows)| rows).sum(),
        }));
    }
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
        let merged = vec![cell(0, 1, 4), cell(0, 4, 1), cell(1, 0, 1), cell(1, 9, 1)];
        assert_eq!(entries.merged_cells(&[0, 1, 0, 1], 2), [merged]);
        assert_eq!(entries.merged_cells(&[0, 1, 2, 3], 4), entries.cells);
    }
}
