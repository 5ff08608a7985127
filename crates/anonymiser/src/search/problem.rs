//! The data of a search: distinct rows with their multiplicity, and the check of one node.

use crate::hierarchy::Hierarchy;
use crate::table::Column;

use super::classes::{Classes, Numbering};
use super::loss;

/// A quasi-identifier as the search sees it. Groups are renumbered to those the data has.
pub(crate) struct QuasiIdentifier {
    /// Code of each distinct row.
    codes: Vec<u32>,
    levels: Vec<CodedLevel>,
    /// Values of the hierarchy, whether or not they occur.
    values: usize,
}

/// One level of one quasi-identifier, for the codes of the data.
pub(crate) struct CodedLevel {
    /// Group of each code.
    pub(crate) groups: Vec<u32>,
    /// Hierarchy values under the group of each code.
    pub(crate) weights: Vec<u64>,
    /// Number of groups.
    pub(crate) count: usize,
}

impl QuasiIdentifier {
    /// Translates a column by its hierarchy; `None` when a value has no entry.
    pub(crate) fn new(column: &Column, hierarchy: &Hierarchy) -> Option<Self> {
        let positions = hierarchy.positions();
        let values: Option<Vec<usize>> = column
            .values()
            .iter()
            .map(|value| positions.get(&**value).map(|&position| position as usize))
            .collect();
        let values = values?;
        let levels = (0..hierarchy.levels())
            .map(|level| {
                let level = hierarchy.level(level);
                let keys: Vec<u64> = values
                    .iter()
                    .map(|&value| u64::from(level.groups[value]))
                    .collect();
                let mut groups = Vec::new();
                let count = Numbering::default().number(&keys, &mut groups);
                let weights = keys
                    .iter()
                    .map(|&group| u64::from(level.leaves[group as usize]));
                CodedLevel {
                    weights: weights.collect(),
                    groups,
                    count,
                }
            })
            .collect();
        Some(Self {
            codes: column.codes().to_vec(),
            levels,
            values: hierarchy.values(),
        })
    }

    pub(crate) fn codes(&self) -> &[u32] {
        &self.codes
    }

    pub(crate) fn levels(&self) -> &[CodedLevel] {
        &self.levels
    }

    /// The weight of a suppressed row.
    pub(crate) fn values(&self) -> usize {
        self.values
    }
}

/// What is to be solved.
pub(crate) struct Problem {
    columns: Vec<QuasiIdentifier>,
    /// Rows of the table that each distinct row stands for.
    multiplicities: Vec<u32>,
    /// Distinct row of each row of the table.
    distinct_of_row: Vec<u32>,
    rows: usize,
    k: usize,
    limit: usize,
}

impl Problem {
    /// Merges equal rows. At most `limit` rows may be suppressed.
    pub(crate) fn new(
        mut columns: Vec<QuasiIdentifier>,
        rows: usize,
        k: usize,
        limit: usize,
    ) -> Self {
        let classes = Classes::of_columns(rows, columns.iter().map(|column| &*column.codes));
        let firsts = classes.representatives();
        for column in &mut columns {
            column.codes = firsts.iter().map(|&row| column.codes[row]).collect();
        }
        Self {
            columns,
            multiplicities: classes
                .sizes()
                .into_iter()
                .map(|size| size as u32)
                .collect(),
            distinct_of_row: classes.of,
            rows,
            k,
            limit,
        }
    }

    pub(crate) fn columns(&self) -> &[QuasiIdentifier] {
        &self.columns
    }

    pub(crate) fn multiplicities(&self) -> &[u32] {
        &self.multiplicities
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn k(&self) -> usize {
        self.k
    }

    /// The rows that may be suppressed.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// For each row of the table, whether it is kept at these levels.
    pub(crate) fn kept(&self, levels: &[usize]) -> Vec<bool> {
        let mut checker = Checker::new(self);
        checker.check(levels);
        let sizes = &checker.sizes;
        let large =
            |distinct: u32| sizes[checker.classes[distinct as usize] as usize] as usize >= self.k;
        self.distinct_of_row
            .iter()
            .map(|&distinct| large(distinct))
            .collect()
    }
}

/// What checking a node found. Classes and their smallest are those that are kept.
pub(crate) struct Outcome {
    pub(crate) suppressed: usize,
    pub(crate) classes: usize,
    pub(crate) smallest_class: usize,
}

/// Groups the distinct rows at one node after the other, in memory that is kept.
pub(crate) struct Checker<'a> {
    problem: &'a Problem,
    numbering: Numbering,
    keys: Vec<u64>,
    /// Class of each distinct row at the node checked last.
    classes: Vec<u32>,
    /// Rows of the table in each class.
    sizes: Vec<u32>,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(problem: &'a Problem) -> Self {
        Self {
            problem,
            numbering: Numbering::default(),
            keys: Vec::with_capacity(problem.multiplicities.len()),
            classes: Vec::with_capacity(problem.multiplicities.len()),
            sizes: Vec::new(),
        }
    }

    /// Groups the rows at these levels and counts what must be suppressed.
    pub(crate) fn check(&mut self, levels: &[usize]) -> Outcome {
        let count = self.group(levels);
        self.sizes.clear();
        self.sizes.resize(count, 0);
        for (&class, &rows) in self.classes.iter().zip(&self.problem.multiplicities) {
            self.sizes[class as usize] += rows;
        }
        let k = self.problem.k as u32;
        let kept = || self.sizes.iter().filter(|&&size| size >= k);
        let kept_rows: usize = kept().map(|&size| size as usize).sum();
        Outcome {
            suppressed: self.problem.rows - kept_rows,
            classes: kept().count(),
            smallest_class: kept().min().map_or(0, |&size| size as usize),
        }
    }

    /// Writes the class of each distinct row; returns the number of classes.
    ///
    /// The groups of as many columns as fit are packed into one key of 64 bits; the classes
    /// found so far are packed with the next columns when they do not all fit.
    fn group(&mut self, levels: &[usize]) -> usize {
        let entries = self.problem.multiplicities.len();
        self.keys.clear();
        self.keys.resize(entries, 0);
        let mut bits = 0;
        for (column, &level) in self.problem.columns.iter().zip(levels) {
            let coded = &column.levels[level];
            if coded.count < 2 {
                continue;
            }
            let needed = bits_for(coded.count);
            if bits + needed > u64::BITS {
                let count = self.numbering.number(&self.keys, &mut self.classes);
                let classes = self.classes.iter().map(|&class| u64::from(class));
                self.keys.clear();
                self.keys.extend(classes);
                bits = bits_for(count);
            }
            for (key, &code) in self.keys.iter_mut().zip(&column.codes) {
                *key |= u64::from(coded.groups[code as usize]) << bits;
            }
            bits += needed;
        }
        self.numbering.number(&self.keys, &mut self.classes)
    }

    /// The product of the Loss factors at the node checked last, which must be `levels`.
    pub(crate) fn loss_product(&self, levels: &[usize]) -> f64 {
        let problem = self.problem;
        let k = problem.k as u32;
        let kept = |entry: usize| self.sizes[self.classes[entry] as usize] >= k;
        let mut product = 1.0;
        for (column, &level) in problem.columns.iter().zip(levels) {
            let weights = &column.levels[level].weights;
            let mut sum = 0;
            for (entry, (&code, &rows)) in
                column.codes.iter().zip(&problem.multiplicities).enumerate()
            {
                let weight = if kept(entry) {
                    weights[code as usize]
                } else {
                    column.values as u64
                };
                sum += weight * u64::from(rows);
            }
            product *= loss::factor(sum, problem.rows, column.values);
        }
        product
    }
}

/// Bits that hold `count` different numbers.
fn bits_for(count: usize) -> u32 {
    usize::BITS - count.saturating_sub(1).leading_zeros()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::table::Table;

    fn problem(csv: &str, k: usize) -> Problem {
        let table = Table::from_csv(csv.as_bytes(), b',').unwrap();
        let columns = table.columns().iter().map(|column| {
            QuasiIdentifier::new(column, &Hierarchy::identity(column.values())).unwrap()
        });
        Problem::new(columns.collect(), table.rows(), k, 0)
    }

    #[test]
    fn classes_and_suppression_are_counted_in_rows() {
        let problem = problem("a,b\n1,x\n1,x\n1,x\n2,x\n2,y\n1,x\n", 2);
        assert_eq!(problem.multiplicities(), [4, 1, 1]);
        let mut checker = Checker::new(&problem);
        let bottom = checker.check(&[0, 0]);
        assert_eq!(
            (bottom.suppressed, bottom.classes, bottom.smallest_class),
            (2, 1, 4)
        );
        let without_b = checker.check(&[0, 1]);
        assert_eq!(
            (
                without_b.suppressed,
                without_b.classes,
                without_b.smallest_class
            ),
            (0, 2, 2)
        );
        assert_eq!(
            problem.kept(&[0, 0]),
            [true, true, true, false, false, true]
        );
    }

    /// `columns` columns of `values` values, of which those at even places are alike, and those
    /// at odd places too: the classes are those of two columns.
    fn alternating(columns: usize, values: usize) -> Problem {
        let header: Vec<String> = (0..columns).map(|column| format!("c{column}")).collect();
        let mut csv = header.join(",");
        for row in 0..4 * values * values {
            let cell = |column: usize| if column.is_multiple_of(2) { row } else { row / values } % values;
            let cells: Vec<String> = (0..columns)
                .map(|column| cell(column).to_string())
                .collect();
            csv += &format!("\n{}", cells.join(","));
        }
        problem(&csv, 4)
    }

    #[test]
    fn keys_wider_than_64_bits_group_the_same() {
        // 40 × 2 bits fill a key exactly before it is folded; 26 × 5 bits would cross its end.
        for (columns, values) in [(40, 4), (26, 20)] {
            let problem = alternating(columns, values);
            let mut checker = Checker::new(&problem);
            let bottom = checker.check(&vec![0; columns]);
            assert_eq!(
                (bottom.suppressed, bottom.classes, bottom.smallest_class),
                (0, values * values, 4)
            );
            // One column alone, at every place, also across the fold.
            for column in 0..columns {
                let mut levels = vec![1; columns];
                levels[column] = 0;
                assert_eq!(checker.check(&levels).classes, values, "column {column}");
            }
        }
    }

    /// The fold must not lose a column that differs from all others.
    #[test]
    fn a_column_that_crosses_the_end_of_a_key_counts() {
        let header: Vec<String> = (0..13).map(|column| format!("c{column}")).collect();
        let mut csv = header.join(",");
        for row in 0..20 * 20 {
            let mut cells = vec![(row % 20).to_string(); 12];
            cells.push((row / 20).to_string());
            csv += &format!("\n{}", cells.join(","));
        }
        let problem = problem(&csv, 1);
        assert_eq!(Checker::new(&problem).check(&[0; 13]).classes, 400);
    }

    #[test]
    fn bits_hold_the_count() {
        assert_eq!([1, 2, 3, 4, 5].map(bits_for), [0, 1, 2, 2, 3]);
    }
}
