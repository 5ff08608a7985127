//! The data of a search: distinct rows with their multiplicity, and the check of one node.

use crate::hierarchy::Hierarchy;
use crate::models::{Histogram, Judge};
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

/// A sensitive column as the search sees it: how often each of its values stands behind each distinct row.
pub(crate) struct Sensitive {
    /// Value of each row of the table; of no use once the rows are merged.
    codes: Vec<u32>,
    values: usize,
    judges: Vec<Judge>,
    /// Distinct row, value, rows of the table: by distinct row.
    cells: Vec<(u32, u32, u32)>,
}

impl Sensitive {
    /// With models that are made for this column.
    pub(crate) fn new(column: &Column, judges: Vec<Judge>) -> Self {
        Self {
            codes: column.codes().to_vec(),
            values: column.values().len(),
            judges,
            cells: Vec::new(),
        }
    }

    fn merge(&mut self, distinct_of_row: &[u32]) {
        let rows = distinct_of_row.iter().copied().zip(self.codes.drain(..));
        let mut rows: Vec<(u32, u32)> = rows.collect();
        rows.sort_unstable();
        let cells = rows.chunk_by(|one, other| one == other);
        self.cells = cells
            .map(|alike| (alike[0].0, alike[0].1, alike.len() as u32))
            .collect();
    }
}

/// What is to be solved.
pub(crate) struct Problem {
    columns: Vec<QuasiIdentifier>,
    sensitives: Vec<Sensitive>,
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
        mut sensitives: Vec<Sensitive>,
        rows: usize,
        k: usize,
        limit: usize,
    ) -> Self {
        let classes = Classes::of_columns(rows, columns.iter().map(|column| &*column.codes));
        let firsts = classes.representatives();
        for column in &mut columns {
            column.codes = firsts.iter().map(|&row| column.codes[row]).collect();
        }
        for sensitive in &mut sensitives {
            sensitive.merge(&classes.of);
        }
        Self {
            columns,
            sensitives,
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

    /// Whether a node beyond the limit excludes all nodes below it: whether a class that is kept stays so, whatever
    /// joins it. Where nothing may be suppressed, only classes that are kept ever join.
    pub(crate) fn is_monotone(&self) -> bool {
        let mut judges = self
            .sensitives
            .iter()
            .flat_map(|sensitive| &sensitive.judges);
        self.limit == 0 || judges.all(Judge::survives_any_merge)
    }

    /// For each row of the table, whether it is kept at these levels.
    pub(crate) fn kept(&self, levels: &[usize]) -> Vec<bool> {
        let mut checker = Checker::new(self);
        checker.check(levels);
        let kept = |distinct: &u32| checker.is_kept(*distinct as usize);
        self.distinct_of_row.iter().map(kept).collect()
    }
}

/// What checking a node found. Classes and their smallest are those that are kept.
pub(crate) struct Outcome {
    pub(crate) suppressed: usize,
    /// Those of them that are suppressed at every node below as well.
    pub(crate) suppressed_below: usize,
    pub(crate) classes: usize,
    pub(crate) smallest_class: usize,
}

/// The cells of a sensitive column by class, those of classes that are kept.
#[derive(Default)]
struct ByClass {
    /// Where the cells of each class begin, and behind the last where they end.
    starts: Vec<usize>,
    /// Value and rows of the table.
    cells: Vec<(u32, u32)>,
}

impl ByClass {
    fn sort(&mut self, cells: &[(u32, u32, u32)], classes: &[u32], kept: &[bool]) {
        let placed = || {
            let cells = cells.iter().map(|&(distinct, value, rows)| {
                (classes[distinct as usize] as usize, (value, rows))
            });
            cells.filter(|(class, _)| kept[*class])
        };
        self.starts.clear();
        self.starts.resize(kept.len() + 1, 0);
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
            self.cells[self.starts[class]] = cell;
        }
    }

    fn of(&self, class: usize) -> &[(u32, u32)] {
        &self.cells[self.starts[class]..self.starts[class + 1]]
    }
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
    /// Whether each class is kept.
    kept: Vec<bool>,
    histograms: Vec<Histogram>,
    cells: ByClass,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(problem: &'a Problem) -> Self {
        Self {
            problem,
            numbering: Numbering::default(),
            keys: Vec::with_capacity(problem.multiplicities.len()),
            classes: Vec::with_capacity(problem.multiplicities.len()),
            sizes: Vec::new(),
            kept: Vec::new(),
            histograms: problem
                .sensitives
                .iter()
                .map(|sensitive| Histogram::of(sensitive.values))
                .collect(),
            cells: ByClass::default(),
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
        self.kept.clear();
        self.kept.extend(self.sizes.iter().map(|&size| size >= k));
        self.judge(Judge::survives_any_merge);
        let suppressed_below = self.suppressed();
        self.judge(|judge| !judge.survives_any_merge());
        let kept = || {
            let sizes = self.sizes.iter().zip(&self.kept);
            sizes
                .filter(|(_, kept)| **kept)
                .map(|(size, _)| *size as usize)
        };
        Outcome {
            suppressed: self.suppressed(),
            suppressed_below,
            classes: kept().count(),
            smallest_class: kept().min().unwrap_or(0),
        }
    }

    fn suppressed(&self) -> usize {
        let sizes = self.sizes.iter().zip(&self.kept);
        let suppressed = sizes.filter(|(_, kept)| !**kept);
        suppressed.map(|(&size, _)| size as usize).sum()
    }

    /// Whether a distinct row is kept at the node checked last.
    fn is_kept(&self, distinct: usize) -> bool {
        self.kept[self.classes[distinct] as usize]
    }

    /// Gives up the classes that some of the models do not accept.
    fn judge(&mut self, which: impl Fn(&Judge) -> bool) {
        let sensitives = self.problem.sensitives.iter().zip(&mut self.histograms);
        for (sensitive, histogram) in sensitives {
            let judges = || sensitive.judges.iter().filter(|judge| which(judge));
            if judges().next().is_none() {
                continue;
            }
            self.cells.sort(&sensitive.cells, &self.classes, &self.kept);
            for (class, kept) in self.kept.iter_mut().enumerate().filter(|(_, kept)| **kept) {
                for &(value, rows) in self.cells.of(class) {
                    histogram.add(value, rows);
                }
                *kept = judges().all(|judge| judge.accepts(histogram));
                histogram.clear();
            }
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
        let kept = |entry: usize| self.is_kept(entry);
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
        Problem::new(columns.collect(), Vec::new(), table.rows(), k, 0)
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
