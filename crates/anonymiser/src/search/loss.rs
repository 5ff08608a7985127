//! The Loss metric in its geometric-mean form, computed so that comparisons are exact.
//!
//! For a quasi-identifier with N hierarchy values, the *weight* of a kept row is the number of
//! values its generalised value covers, and that of a suppressed row is N. With S the sum of the
//! weights over all n rows, `L = (S − n) / (n·N − n)`, cut off to 10 decimals, and the score is
//! `Π (L + 1)^(1/m) − 1` over the m quasi-identifiers. S is a whole number, and every step from
//! S to the product is monotone even after rounding. So a lower bound of each S gives a lower
//! bound of the product, with no tolerance anywhere. Products are compared, not scores: the root
//! is monotone, but its last digit may differ between platforms.

use std::cmp::Ordering;

const DECIMALS: f64 = 1e10;

/// `L + 1` of one quasi-identifier with `values` hierarchy values, from the sum of weights.
pub(crate) fn factor(weight_sum: u64, rows: usize, values: usize) -> f64 {
    let rows = rows as u64;
    let range = rows * (values as u64 - 1);
    if range == 0 {
        return 1.0;
    }
    let loss = (weight_sum - rows) as f64 / range as f64;
    (loss * DECIMALS).floor() / DECIMALS + 1.0
}

/// The score of a product of `columns` factors; without quasi-identifiers nothing is lost.
pub(crate) fn score(product: f64, columns: usize) -> f64 {
    if columns == 0 {
        return 0.0;
    }
    product.powf(1.0 / columns as f64) - 1.0
}

/// The order of nodes: least product, then lower level sum, then smaller number (which is the
/// lexicographic order of the levels).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rank {
    product: f64,
    level_sum: usize,
    node: usize,
}

impl Rank {
    pub(crate) fn new(product: f64, level_sum: usize, node: usize) -> Self {
        Self {
            product,
            level_sum,
            node,
        }
    }

    pub(crate) fn product(&self) -> f64 {
        self.product
    }
}

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> Ordering {
        self.product
            .total_cmp(&other.product)
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

    #[test]
    fn nothing_lost_and_all_lost_are_the_ends() {
        assert_eq!(factor(10, 10, 4), 1.0);
        assert_eq!(factor(40, 10, 4), 2.0);
        assert_eq!(factor(10, 10, 1), 1.0);
        assert_eq!(score(1.0, 0), 0.0);
        assert!((score(4.0, 2) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn ties_go_to_the_lower_level_sum_and_then_the_smaller_levels() {
        assert!(Rank::new(1.0, 9, 9) < Rank::new(1.5, 0, 0));
        assert!(Rank::new(1.5, 3, 9) < Rank::new(1.5, 4, 0));
        assert!(Rank::new(1.5, 4, 1) < Rank::new(1.5, 4, 2));
    }

    proptest! {
        #[test]
        fn more_weight_is_never_less_loss(rows in 1_usize..1_000_000, values in 2_usize..5_000, part in 0.0..1.0, more in 0_u64..50) {
            let all = (rows * values) as u64;
            let weight = rows as u64 + (part * (all - rows as u64) as f64) as u64;
            let heavier = (weight + more).min(all);
            prop_assert!(factor(weight, rows, values) <= factor(heavier, rows, values));
        }
    }
}
