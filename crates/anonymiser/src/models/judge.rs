//! A model, judging.

use super::ground::Ground;
use super::{Histogram, Model, Verdict};
use crate::hierarchy::Hierarchy;
use crate::table::Column;

/// A model for one column of one table.
#[derive(Debug)]
pub(crate) struct Judge {
    model: Model,
    /// Share of each value in the table.
    table: Vec<f64>,
    ground: Ground,
}

impl Judge {
    /// For the values of `column`, each of which must stand in the hierarchy where one is needed.
    pub(crate) fn new(model: Model, column: &Column, hierarchy: Option<&Hierarchy>) -> Self {
        let mut counts = vec![0_u64; column.values().len()];
        for &code in column.codes() {
            counts[code as usize] += 1;
        }
        let rows = column.codes().len() as f64;
        Self {
            model,
            table: counts.iter().map(|&count| count as f64 / rows).collect(),
            ground: Ground::of(model, column, hierarchy),
        }
    }

    pub(crate) const fn survives_any_merge(&self) -> bool {
        self.model.survives_any_merge()
    }

    pub(crate) const fn survives_merges_of_accepted(&self) -> bool {
        self.model.survives_merges_of_accepted()
    }

    /// Whether a verdict on a class says something of its parts.
    pub(crate) const fn tells_of_parts(&self) -> bool {
        matches!(
            self.model,
            Model::TCloseness { .. } | Model::EntropyLDiversity { .. }
        )
    }

    /// Whether a class with these values, one row at least, meets the model.
    pub(crate) fn accepts(&self, class: &mut Histogram) -> bool {
        self.verdict(class).accepts
    }

    /// Judges a class with these values, one row at least.
    pub(crate) fn verdict(&self, class: &mut Histogram) -> Verdict {
        let accepts = match self.model {
            Model::DistinctLDiversity { l } => class.distinct() >= l,
            Model::EntropyLDiversity { l } => {
                let (entropy, least) = (class.entropy(), l.log2());
                // Where entropy is all alike 0, what is missing of the least is missing of the parts.
                return Verdict::of_means(class.rows, least - entropy, least);
            }
            Model::RecursiveLDiversity { c, l } => {
                let ranked = class.ranked();
                let tail = ranked.get(l - 1..).unwrap_or_default();
                let tail: u64 = tail.iter().map(|&count| u64::from(count)).sum();
                f64::from(ranked[0]) < c * tail as f64
            }
            Model::TCloseness { t, .. } => {
                return Verdict::of_means(class.rows, self.distance(class) - t, 1.0 - t);
            }
            Model::DeltaDisclosure { delta, every_value } => {
                let has_them = !every_value || class.distinct() == self.table.len();
                has_them && self.disclosure(class) < delta
            }
        };
        Verdict {
            accepts,
            rejected_of_parts: 0,
        }
    }

    /// The most that |log₂(share in the class ÷ share in the table)| is, of values that the class has.
    pub(crate) fn disclosure(&self, class: &Histogram) -> f64 {
        let ratios = class
            .shares()
            .map(|(value, share)| share / self.table[value]);
        ratios.map(|ratio| ratio.log2().abs()).fold(0.0, f64::max)
    }

    /// How far the earth is moved from the table's distribution to the class's: 0 to 1.
    pub(crate) fn distance(&self, class: &mut Histogram) -> f64 {
        self.ground.moved(&self.table, class)
    }
}
