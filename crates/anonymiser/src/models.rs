//! What the sensitive values of a class may tell: models of privacy beyond k-anonymity.
//!
//! A class that does not meet every model of every sensitive column is suppressed, as one that is smaller than k. The
//! distribution that a class is compared with is that of the whole table, suppressed rows included, as in ARX.

mod ground;
mod histogram;
mod judge;
#[cfg(test)]
mod tests;
mod verdict;

pub(crate) use histogram::Histogram;
pub(crate) use judge::Judge;
pub(crate) use verdict::Verdict;

use std::fmt;

use serde::{Deserialize, Serialize};

/// How far apart two values are, for t-closeness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Distance {
    /// All alike.
    Equal,
    /// By their ranks: numbers by size, and texts by their bytes.
    Ordered,
    /// By the level at which the column's hierarchy joins them.
    Hierarchical,
}

/// What each class of a release must meet, for one sensitive column.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "model", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Model {
    /// At least `l` distinct values.
    DistinctLDiversity {
        /// From 1.
        l: usize,
    },
    /// An entropy of at least log `l` (Machanavajjhala et al., 2007).
    EntropyLDiversity {
        /// From 1.
        l: f64,
    },
    /// The most frequent value is rarer than `c` times all from the l-th most frequent on together.
    RecursiveLDiversity {
        /// Above 0.
        c: f64,
        /// From 1.
        l: usize,
    },
    /// An earth mover's distance of at most `t` from the table's distribution (Li et al., 2007).
    TCloseness {
        /// From 0 to 1.
        t: f64,
        /// Between two values.
        distance: Distance,
    },
    /// Of each value of the class, |log₂(share in the class ÷ share in the table)| below `delta`, as ARX judges it.
    #[serde(rename_all = "kebab-case")]
    DeltaDisclosure {
        /// Above 0.
        delta: f64,
        /// Of each value of the table, as Brickell and Shmatikov (2008) define it: a value that a class lacks breaks it.
        #[serde(default)]
        every_value: bool,
    },
}

impl Model {
    /// What is wrong with its parameters, if anything.
    #[must_use]
    pub fn fault(self) -> Option<&'static str> {
        let (holds, what) = match self {
            Self::DistinctLDiversity { l } => (l >= 1, "l is a count from 1"),
            Self::EntropyLDiversity { l } => (l >= 1.0 && l.is_finite(), "l is a number from 1"),
            Self::RecursiveLDiversity { c, l } => {
                let holds = c > 0.0 && c.is_finite() && l >= 1;
                (holds, "c is a number above 0, and l a count from 1")
            }
            Self::TCloseness { t, .. } => ((0.0..=1.0).contains(&t), "t is a number from 0 to 1"),
            Self::DeltaDisclosure { delta, .. } => {
                let holds = delta > 0.0 && delta.is_finite();
                (holds, "delta is a number above 0")
            }
        };
        (!holds).then_some(what)
    }

    /// Whether a class that meets it still does when any other rows join.
    const fn survives_any_merge(self) -> bool {
        matches!(self, Self::DistinctLDiversity { .. })
    }

    /// Whether a class that is merged of classes that meet it does as well. A value that is rare in one part and lacking in the
    /// other is rarer in both together, which only counts where a class need not have every value.
    const fn survives_merges_of_accepted(self) -> bool {
        !matches!(
            self,
            Self::DeltaDisclosure {
                every_value: false,
                ..
            }
        )
    }

    /// Whether it needs the column's hierarchy.
    #[must_use]
    pub fn needs_hierarchy(self) -> bool {
        let hierarchical = |distance| distance == Distance::Hierarchical;
        matches!(self, Self::TCloseness { distance, .. } if hierarchical(distance))
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DistinctLDiversity { l } => write!(f, "distinct {l}-diversity"),
            Self::EntropyLDiversity { l } => write!(f, "entropy {l}-diversity"),
            Self::RecursiveLDiversity { c, l } => write!(f, "recursive ({c}, {l})-diversity"),
            Self::TCloseness { t, distance } => {
                let distance = match distance {
                    Distance::Equal => "equal",
                    Distance::Ordered => "ordered",
                    Distance::Hierarchical => "hierarchical",
                };
                write!(f, "{t}-closeness by {distance} distance")
            }
            Self::DeltaDisclosure { delta, every_value } => {
                let values = if *every_value { " of every value" } else { "" };
                write!(f, "{delta}-disclosure privacy{values}")
            }
        }
    }
}
