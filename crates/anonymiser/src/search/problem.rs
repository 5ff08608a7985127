//! The data of a search: distinct rows with their multiplicity, and what they look like at each level.

use crate::hierarchy::{Hierarchy, Level};
use crate::metric::Metric;
use crate::models::Judge;
use crate::risk::RiskLimit;
use crate::table::Column;

use super::classes::{Classes, Numbering};
use super::cost::{Range, entropy_weight};
use super::entries::{Cell, Entries};

/// A quasi-identifier as the search sees it. Groups are renumbered to those the data has.
pub(crate) struct QuasiIdentifier {
    /// Code of each row of the table; none once the rows are merged.
    codes: Vec<u32>,
    levels: Vec<CodedLevel>,
    /// Weight of a suppressed row.
    suppressed: u64,
    /// What the weights of all rows come to.
    range: Range,
}

/// One level of one quasi-identifier, for the codes of the data.
pub(crate) struct CodedLevel {
    /// Group of each code.
    pub(crate) groups: Vec<u32>,
    /// Of a released row, by its code; all 0 under a metric that weighs nothing.
    pub(crate) weights: Vec<u64>,
    /// Number of groups.
    pub(crate) count: usize,
}

impl QuasiIdentifier {
    /// Translates a column by its hierarchy; `None` when a value has no entry. Behind the first `rows` the column is of the
    /// population.
    pub(crate) fn new(
        column: &Column,
        rows: usize,
        hierarchy: &Hierarchy,
        metric: Metric,
    ) -> Option<Self> {
        let positions = hierarchy.positions();
        let values: Option<Vec<usize>> = column
            .values()
            .iter()
            .map(|value| positions.get(&**value).map(|&position| position as usize))
            .collect();
        let values = values?;
        let mut counts = vec![0_u64; values.len()];
        for &code in &column.codes()[..rows] {
            counts[code as usize] += 1;
        }
        let rows = rows as u64;
        let levels = (0..hierarchy.levels())
            .map(|level| CodedLevel::new(&values, &counts, hierarchy.level(level), metric));
        let (suppressed, least) = match metric {
            Metric::Loss => (hierarchy.values() as u64, rows),
            Metric::NonUniformEntropy => {
                let each = counts.iter().map(|&count| count * entropy_weight(count));
                (entropy_weight(rows), each.sum())
            }
            _ => (0, 0),
        };
        let greatest = suppressed * rows;
        let range = Range { least, greatest };
        Some(Self {
            codes: column.codes().to_vec(),
            levels: levels.collect(),
            suppressed,
            range,
        })
    }

    pub(crate) fn levels(&self) -> &[CodedLevel] {
        &self.levels
    }

    /// The weight of a suppressed row.
    pub(crate) fn suppressed(&self) -> u64 {
        self.suppressed
    }

    /// What the weights of all rows come to.
    pub(crate) fn range(&self) -> Range {
        self.range
    }
}

impl CodedLevel {
    /// For the values behind the codes, each of which stands in the table so often.
    fn new(values: &[usize], counts: &[u64], level: &Level, metric: Metric) -> Self {
        let keys: Vec<u64> = values
            .iter()
            .map(|&value| u64::from(level.groups[value]))
            .collect();
        let mut groups = Vec::new();
        let count = Numbering::default().number(&keys, &mut groups);
        let weights = match metric {
            Metric::Loss => {
                let leaves = keys.iter().map(|&group| level.leaves[group as usize]);
                leaves.map(u64::from).collect()
            }
            Metric::NonUniformEntropy => {
                let mut of_group = vec![0; count];
                for (&group, own) in groups.iter().zip(counts) {
                    of_group[group as usize] += own;
                }
                let each = groups.iter().map(|&group| of_group[group as usize]);
                each.map(entropy_weight).collect()
            }
            _ => vec![0; values.len()],
        };
        Self {
            groups,
            weights,
            count,
        }
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
    goal: Goal,
}

/// What is wanted of a node.
#[derive(Debug, Clone)]
pub(crate) struct Goal {
    /// Rows of each class that is released, at least.
    pub(crate) k: usize,
    /// Rows that may be suppressed.
    pub(crate) limit: usize,
    /// Which the columns are made for.
    pub(crate) metric: Metric,
    /// Limits of the risk that somebody is found again.
    pub(crate) risks: Vec<RiskLimit>,
}

impl Problem {
    /// Merges equal rows. The columns may have more than `rows`: those are of the population.
    pub(crate) fn new(
        mut columns: Vec<QuasiIdentifier>,
        mut sensitives: Vec<Sensitive>,
        rows: usize,
        goal: Goal,
    ) -> Self {
        let all = columns.first().map_or(rows, |column| column.codes.len());
        let mut classes = Classes::of_columns(all, columns.iter().map(|column| &*column.codes));
        let firsts = classes.representatives();
        let people = classes.of.split_off(rows);
        let count = |of: &[u32]| {
            let mut counts = vec![0_u32; classes.count];
            for &class in of {
                counts[class as usize] += 1;
            }
            counts
        };
        let codes = columns.iter_mut().map(|column| {
            let codes = std::mem::take(&mut column.codes);
            firsts.iter().map(|&row| codes[row]).collect()
        });
        let entries = Entries {
            codes: codes.collect(),
            rows: count(&classes.of),
            people: if people.is_empty() {
                Vec::new()
            } else {
                count(&people)
            },
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
            goal,
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

    pub(crate) fn goal(&self) -> &Goal {
        &self.goal
    }

    /// Whether people besides those of the table are known.
    pub(crate) fn has_population(&self) -> bool {
        !self.entries.people.is_empty()
    }

    /// Whether a node beyond the limit excludes all nodes below it: whether a class that is kept stays so, whatever
    /// joins it. Where nothing may be suppressed, only classes that are kept ever join.
    pub(crate) fn is_monotone(&self) -> bool {
        let mut judges = self
            .sensitives
            .iter()
            .flat_map(|sensitive| &sensitive.judges);
        self.goal.limit == 0
            || (judges.all(Judge::survives_any_merge) && self.averages_survive_any_merge())
    }

    /// Whether what is suppressed for the sake of average risks is never more at a node above: the largest classes are kept, and merged they
    /// are fewer with as many rows. With a population the largest need not be those with most rows.
    pub(crate) fn averages_survive_any_merge(&self) -> bool {
        !self.has_population() || self.goal.risks.iter().all(|limit| limit.is_of_classes())
    }

    /// For each row of the table what is said of its distinct row.
    pub(crate) fn rows_of(&self, said: impl Fn(u32) -> bool) -> Vec<bool> {
        let rows = self.distinct_of_row.iter();
        rows.map(|&distinct| said(distinct)).collect()
    }
}
