//! What a release costs: of all releases that keep the promises, the one that costs least is taken.

use serde::{Deserialize, Serialize};

/// By what releases are compared. The less, the better.
///
/// `n` are the rows of the table, and a row is released or suppressed; a class is what looks the same of the rows released.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Share of a quasi-identifier's values that a released value stands for, all of them for a suppressed row; averaged over the rows, and over
    /// quasi-identifiers by the geometric mean, as ARX does. From 0, nothing lost, to 1, all.
    #[default]
    Loss,
    /// Of each released row the rows of its class, of each suppressed row `n` (Bayardo and Agrawal, 2005).
    Discernibility,
    /// `n` by the number of classes, where the suppressed rows, if there are any, are one more (LeFevre et al., 2006; ARX's AECS).
    AverageClassSize,
    /// Of each cell of a quasi-identifier the bits that say which value its generalised one was, by the frequencies in the table; as a
    /// share of all the bits that the column has, averaged over quasi-identifiers (de Waal and Willenborg, 1999). From 0 to 1.
    NonUniformEntropy,
    /// The sum of the levels (Samarati, 2001).
    Height,
}

impl Metric {
    /// Whether it is the one of a plan that names none.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
