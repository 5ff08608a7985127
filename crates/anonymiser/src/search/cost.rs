//! What a node costs by a metric, computed so that comparisons are exact.
//!
//! Loss and non-uniform entropy are sums of *weights*: of each row, by its value and the level; and more when it is
//! suppressed. A sum of weights is a whole number, and every step from it to the cost is monotone even after rounding. So
//! a lower bound of each sum gives a lower bound of the cost, with no tolerance anywhere. The other metrics follow from
//! counts, which are whole numbers as well.
//!
//! **Loss.** With N values in the hierarchy, the weight of a released row is the number of values that its generalised value
//! covers, and that of a suppressed row N. With S their sum over all n rows, `L = (S − n) / (n·N − n)`, cut off to 10
//! decimals, and the score is `Π (L + 1)^(1/m) − 1` over the m quasi-identifiers. Products are compared, not scores: the root
//! is monotone, but its last digit may differ between platforms.
//!
//! **Non-uniform entropy.** The weight of a row is log₂ of how many rows of the table are under its generalised value, and that
//! of a suppressed row log₂ n, in units of 2⁻²⁰ bits: the least sum, where nothing is generalised, is taken off.

use std::cmp::Ordering;

use crate::metric::Metric;

const DECIMALS: f64 = 1e10;
/// Units of a bit, for entropies.
const BIT: f64 = (1 << 20) as f64;

/// The least and the greatest sum of weights that a column can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) least: u64,
    pub(crate) greatest: u64,
}

/// The weight of a value that so many rows of the table are under.
pub(crate) fn entropy_weight(rows: u64) -> u64 {
    ((rows.max(1) as f64).log2() * BIT).round() as u64
}

/// What a node did to the rows, or does at least.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) rows: u64,
    pub(crate) suppressed: u64,
    /// Classes that are released.
    pub(crate) classes: u64,
    /// Sum of the squares of their rows.
    pub(crate) squares: u64,
    pub(crate) level_sum: u64,
}

impl Metric {
    /// Whether the cost follows from weights of rows.
    pub(crate) const fn is_weighed(self) -> bool {
        matches!(self, Self::Loss | Self::NonUniformEntropy)
    }

    /// The cost of sums of weights, column by column.
    pub(crate) fn of_weights(self, sums: impl Iterator<Item = (u64, Range)>) -> f64 {
        let shares = sums.map(|(sum, Range { least, greatest })| match greatest - least {
            0 => 0.0,
            range => (sum - least) as f64 / range as f64,
        });
        match self {
            Self::Loss => shares.fold(1.0, |product, share| {
                // Cut off by way of an integer, which shares are small enough for: the processor does that by itself.
                product * ((share * DECIMALS) as i64 as f64 / DECIMALS + 1.0)
            }),
            _ => shares.sum(),
        }
    }

    /// The cost of counts, for the metrics that follow from them.
    pub(crate) fn of_counts(self, counts: Counts) -> f64 {
        let Counts {
            rows,
            suppressed,
            classes,
            squares,
            level_sum,
        } = counts;
        match self {
            // Exact below 2^53, which is more than the square of the rows that a table may have.
            Self::Discernibility => (squares + suppressed * rows) as f64,
            Self::AverageClassSize => {
                let classes = classes + u64::from(suppressed > 0);
                rows as f64 / classes.max(1) as f64
            }
            Self::Height => level_sum as f64,
            Self::Loss | Self::NonUniformEntropy => unreachable!("they follow from weights"),
        }
    }

    /// A cost as it is told, of so many quasi-identifiers; without any, nothing is lost.
    pub(crate) fn score(self, cost: f64, columns: usize) -> f64 {
        match (self, columns) {
            (Self::Loss | Self::NonUniformEntropy, 0) => 0.0,
            (Self::Loss, columns) => cost.powf(1.0 / columns as f64) - 1.0,
            (Self::NonUniformEntropy, columns) => cost / columns as f64,
            _ => cost,
        }
    }
}

/// The order of nodes: least cost, then lower level sum, then smaller number (which is the
/// lexicographic order of the levels).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rank {
    cost: f64,
    level_sum: usize,
    pub(crate) node: usize,
}

impl Rank {
    pub(crate) fn new(cost: f64, level_sum: usize, node: usize) -> Self {
        Self {
            cost,
            level_sum,
            node,
        }
    }

    pub(crate) fn cost(&self) -> f64 {
        self.cost
    }
}

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> Ordering {
        self.cost
            .total_cmp(&other.cost)
            .then(self.level_sum.cmp(&other.level_sum))
            .then(self.node.cmp(&other.node))
    }
}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Rank {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Rank {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cost(metric: Metric, sum: u64, least: u64, greatest: u64) -> f64 {
        metric.of_weights([(sum, Range { least, greatest })].into_iter())
    }

    #[test]
    fn nothing_lost_and_all_lost_are_the_ends() {
        assert_eq!(cost(Metric::Loss, 10, 10, 40), 1.0);
        assert_eq!(cost(Metric::Loss, 40, 10, 40), 2.0);
        assert_eq!(cost(Metric::Loss, 10, 10, 10), 1.0);
        assert_eq!(cost(Metric::NonUniformEntropy, 40, 0, 40), 1.0);
        assert_eq!(Metric::Loss.score(1.0, 0), 0.0);
        assert!((Metric::Loss.score(4.0, 2) - 1.0).abs() < 1e-12);
        assert_eq!(Metric::NonUniformEntropy.score(1.0, 2), 0.5);
        assert_eq!(entropy_weight(1), 0);
        assert_eq!(entropy_weight(4), 2 << 20);
    }

    #[test]
    fn counts_are_priced() {
        let counts = Counts {
            rows: 10,
            suppressed: 2,
            classes: 3,
            squares: 24,
            level_sum: 5,
        };
        assert_eq!(Metric::Discernibility.of_counts(counts), 44.0);
        assert_eq!(Metric::AverageClassSize.of_counts(counts), 2.5);
        assert_eq!(Metric::Height.of_counts(counts), 5.0);
        let nothing = Counts::default();
        assert_eq!(Metric::AverageClassSize.of_counts(nothing), 0.0);
    }

    #[test]
    fn ties_go_to_the_lower_level_sum_and_then_the_smaller_levels() {
        assert!(Rank::new(1.0, 9, 9) < Rank::new(1.5, 0, 0));
        assert!(Rank::new(1.5, 3, 9) < Rank::new(1.5, 4, 0));
        assert!(Rank::new(1.5, 4, 1) < Rank::new(1.5, 4, 2));
    }

    proptest! {
        #[test]
        fn more_weight_never_costs_less(rows in 1_u64..1_000_000, values in 2_u64..5_000, part in 0.0..1.0, more in 0_u64..50) {
            let (least, greatest) = (rows, rows * values);
            let weight = least + (part * (greatest - least) as f64) as u64;
            let heavier = (weight + more).min(greatest);
            for metric in [Metric::Loss, Metric::NonUniformEntropy] {
                prop_assert!(cost(metric, weight, least, greatest) <= cost(metric, heavier, least, greatest));
            }
        }

        #[test]
        fn a_larger_group_never_weighs_less(rows in 0_u64..1_000_000, more in 0_u64..1_000) {
            prop_assert!(entropy_weight(rows) <= entropy_weight(rows + more));
        }
    }
}
