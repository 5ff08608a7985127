//! The data of a search: distinct rows with their multiplicity, and what they look like at each level.

use crate::hierarchy::Hierarchy;
use crate::models::Judge;
use crate::table::Column;

use super::checker::Checker;
use super::classes::{Classes, Numbering};
use super::entries::{Cell, Entries};

/// A quasi-identifier as the search sees it. Groups are renumbered to those the data has.
pub(crate) struct QuasiIdentifier {
    /// Code of each row of the table; none once the rows are merged.
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

    pub(crate) fn levels(&self) -> &[CodedLevel] {
        &self.levels
    }

    /// The weight of a suppressed row.
    pub(crate) fn values(&self) -> usize {
        self.values
    }
}

/// A sensitive column as the search sees it.
pub(crate) struct Sensitive {
    /// Value of each row of the table; none once the rows are merged.
    codes: Vec<u32>,
    values: usize,
    judges: Vec<Judge>,
}

impl Sensitive {
    /// With models that are made for this column.
    pub(crate) fn new(column: &Column, judges: Vec<Judge>) -> Self {
        Self {
            codes: column.codes().to_vec(),
            values: column.values().len(),
            judges,
        }
    }

    /// How many values the column has.
    pub(crate) fn values(&self) -> usize {
        self.values
    }

    pub(crate) fn judges(&self) -> &[Judge] {
        &self.judges
    }

    /// How often each value stands behind each distinct row.
    fn cells(&mut self, distinct_of_row: &[u32]) -> Vec<Cell> {
        let values = std::mem::take(&mut self.codes);
        let mut rows: Vec<(u32, u32)> = distinct_of_row.iter().copied().zip(values).collect();
        rows.sort_unstable();
        let cells = rows.chunk_by(|one, other| one == other);
        cells
            .map(|alike| Cell {
                entry: alike[0].0,
                value: alike[0].1,
                rows: alike.len() as u32,
            })
            .collect()
    }
}

/// What is to be solved.
pub(crate) struct Problem {
    columns: Vec<QuasiIdentifier>,
    sensitives: Vec<Sensitive>,
    /// The distinct rows.
    entries: Entries,
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
        let sizes = classes.sizes().into_iter();
        let codes = columns.iter_mut().map(|column| {
            let codes = std::mem::take(&mut column.codes);
            firsts.iter().map(|&row| codes[row]).collect()
        });
        let entries = Entries {
            codes: codes.collect(),
            rows: sizes.map(|size| size as u32).collect(),
            cells: sensitives
                .iter_mut()
                .map(|sensitive| sensitive.cells(&classes.of))
                .collect(),
        };
        Self {
            columns,
            sensitives,
            entries,
            distinct_of_row: classes.of,
            rows,
            k,
            limit,
        }
    }

    pub(crate) fn columns(&self) -> &[QuasiIdentifier] {
        &self.columns
    }

    pub(crate) fn sensitives(&self) -> &[Sensitive] {
        &self.sensitives
    }

    /// The distinct rows.
    pub(crate) fn entries(&self) -> &Entries {
        &self.entries
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
        let kept = checker.kept();
        let rows = self.distinct_of_row.iter();
        rows.map(|&distinct| kept(distinct)).collect()
    }
}
