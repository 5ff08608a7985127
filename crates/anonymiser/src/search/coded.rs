//! Columns as the search sees them: codes, and what becomes of them at each level.

use super::classes::Numbering;
use super::cost::{Range, entropy_weight};
use crate::hierarchy::{Hierarchy, Level};
use crate::metric::Metric;
use crate::table::Column;

/// A quasi-identifier as the search sees it. Groups are renumbered to those the data has; at level 0 a group is a code.
pub(crate) struct QuasiIdentifier<'a> {
    /// Code of each row of the table, and behind them of the population.
    pub(super) codes: &'a [u32],
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
    /// Of a released row, by its group; all 0 under a metric that weighs nothing.
    pub(crate) weights: Vec<u64>,
    /// The first code of each group.
    pub(crate) firsts: Vec<u32>,
}

impl<'a> QuasiIdentifier<'a> {
    /// Translates a column by its hierarchy; `None` when a value has no entry. Behind the first `rows` the column is of the
    /// population.
    pub(crate) fn new(
        column: &'a Column,
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
        if metric == Metric::NonUniformEntropy {
            for &code in &column.codes()[..rows] {
                counts[code as usize] += 1;
            }
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
            codes: column.codes(),
            levels: levels.collect(),
            suppressed,
            range,
        })
    }

    pub(crate) fn levels(&self) -> &[CodedLevel] {
        &self.levels
    }

    /// How many codes the data has.
    pub(super) fn count(&self) -> usize {
        self.levels[0].count()
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
        let mut numbering = Numbering::default();
        let count = numbering.number(&keys, &mut groups);
        let firsts = numbering.firsts().to_vec();
        let weights = match metric {
            Metric::Loss => {
                let leaves = |&first: &u32| level.leaves[keys[first as usize] as usize].into();
                firsts.iter().map(leaves).collect()
            }
            Metric::NonUniformEntropy => {
                let mut of_group = vec![0; count];
                for (&group, own) in groups.iter().zip(counts) {
                    of_group[group as usize] += own;
                }
                of_group.into_iter().map(entropy_weight).collect()
            }
            _ => vec![0; count],
        };
        Self {
            groups,
            weights,
            firsts,
        }
    }

    /// Number of groups.
    pub(crate) fn count(&self) -> usize {
        self.firsts.len()
    }
}
