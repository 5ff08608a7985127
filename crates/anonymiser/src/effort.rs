//! How far a search goes, and by which method a release is made.

use serde::{Deserialize, Serialize};

/// How far the search for the best levels goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effort {
    /// To the optimum, proven. Lattices of more than [`MAX_LATTICE_NODES`](crate::release::MAX_LATTICE_NODES) are refused.
    #[default]
    Exact,
    /// Over so many nodes at most, whatever the size of the lattice. The report says how good the optimum could be at best.
    Nodes(usize),
}

/// How quasi-identifiers are generalised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Each column at one level of its hierarchy for all rows.
    #[default]
    FullDomain,
    /// Each class by itself: the table is cut in two again and again (strict multidimensional recoding, LeFevre et al., 2006), numbers
    /// at the median and other values along their hierarchy, for as long as both parts keep every promise. No row is suppressed.
    Mondrian,
}

impl Effort {
    /// Whether it is the one of a plan that names none.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Method {
    /// Whether it is the one of a plan that names none.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
