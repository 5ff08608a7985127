//! What may be wrong with a plan.

use super::MIN_K;
use crate::hierarchy::HierarchyError;

/// Why a plan does not fit a table. Columns are named, values never.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// A column is declared twice.
    #[error("column `{column}` is declared twice in the plan; remove one")]
    DuplicateColumn {
        /// Name of the column.
        column: String,
    },
    /// A declared column is not in the table.
    #[error(
        "column `{column}` is declared but the table does not have it; correct the plan or the query"
    )]
    MissingColumn {
        /// Name of the column.
        column: String,
    },
    /// A column of the table is not declared.
    #[error(
        "column `{column}` of the table is not declared; give it a role (an undeclared column is never released)"
    )]
    UndeclaredColumn {
        /// Name of the column.
        column: String,
    },
    /// Only quasi-identifiers are generalised, and only hierarchical t-closeness asks how near sensitive values are.
    #[error(
        "column `{column}` has a hierarchy or a rule but is no quasi-identifier and has no model that uses it; change its role or remove the hierarchy"
    )]
    HierarchyWithoutUse {
        /// Name of the column.
        column: String,
    },
    /// Only what is sensitive has models.
    #[error(
        "column `{column}` has a privacy model but is not sensitive; change its role or remove the model"
    )]
    ModelWithoutUse {
        /// Name of the column.
        column: String,
    },
    /// What is dropped or replaced has nothing to accept.
    #[error(
        "column `{column}` accepts a rule of Safe Harbor but is an identifier or a pseudonym; change its role or accept nothing"
    )]
    AcceptWithoutUse {
        /// Name of the column.
        column: String,
    },
    /// A model's parameters mean nothing.
    #[error("column `{column}`: {fault}")]
    ModelOutOfRange {
        /// Name of the column.
        column: String,
        /// What is wrong.
        fault: &'static str,
    },
    /// Hierarchical t-closeness needs a hierarchy.
    #[error(
        "column `{column}` has a model of hierarchical distance and no hierarchy; add one or choose another distance"
    )]
    ModelWithoutHierarchy {
        /// Name of the column.
        column: String,
    },
    /// The hierarchy does not cover the data.
    #[error(
        "column `{column}` of the {table}: {missing} distinct values have no entry in the hierarchy, the first in row {row}; add them"
    )]
    ValuesWithoutEntry {
        /// Name of the column.
        column: String,
        /// `table` or `population`.
        table: &'static str,
        /// How many distinct values have none.
        missing: usize,
        /// The first row with one, from 1, the header not counted.
        row: usize,
    },
    /// What is to be done with a column means nothing, or does not go together.
    #[error("column `{column}`: {fault}")]
    Transformation {
        /// Name of the column.
        column: String,
        /// What is wrong.
        fault: &'static str,
    },
    /// Cells are not what a rule, a coding, an aggregate or a shift is for.
    #[error(
        "column `{column}` of the {table}: {values} distinct values are no {expected}, the first in row {row}; correct them, or list what stands for a missing value under `missing`"
    )]
    Misfits {
        /// Name of the column.
        column: String,
        /// `table` or `population`.
        table: &'static str,
        /// How many distinct values.
        values: usize,
        /// The first row with one, from 1, the header not counted.
        row: usize,
        /// What they should be.
        expected: &'static str,
    },
    /// A rule makes too much of a column.
    #[error("column `{column}`, by its rule: {fault}")]
    RuleBeyondLimits {
        /// Name of the column.
        column: String,
        /// What is wrong.
        fault: HierarchyError,
    },
    /// A limit of a risk means nothing.
    #[error("{fault}")]
    RiskOutOfRange {
        /// What is wrong.
        fault: &'static str,
    },
    /// The population lacks a quasi-identifier.
    #[error(
        "column `{column}` is a quasi-identifier, and the population does not have it; add it, or leave the population out"
    )]
    MissingInPopulation {
        /// Name of the column.
        column: String,
    },
    /// The population is some other one.
    #[error(
        "{rows} rows of the table are not in the population, the first is row {row}; it has to hold everybody of the table, with the quasi-identifiers written alike: complete it, or leave it out"
    )]
    NotInPopulation {
        /// How many rows.
        rows: usize,
        /// The first of them, from 1, the header not counted.
        row: usize,
    },
    /// Mondrian does not go by a metric.
    #[error("Mondrian cuts by Loss and by nothing else; leave the metric and the search out")]
    MetricOfMondrian,
    /// k is too small.
    #[error(
        "k is {k}, and {MIN_K} is the least that hides anybody; 1 is taken beside other models"
    )]
    KTooSmall {
        /// The k given.
        k: usize,
    },
    /// k cannot be reached.
    #[error("k is {k} but the table has {rows} rows; no release of it can be {k}-anonymous")]
    KAboveRows {
        /// The k given.
        k: usize,
        /// Rows of the table.
        rows: usize,
    },
    /// The limit is not a share.
    #[error("the suppression limit is {limit}; it is a share of the rows from 0 to 1")]
    SuppressionLimitOutOfRange {
        /// The limit given.
        limit: f64,
    },
}

impl PlanError {
    /// The column that it is about, where it is about one.
    #[must_use]
    pub fn column(&self) -> Option<&str> {
        match self {
            Self::DuplicateColumn { column, .. }
            | Self::MissingColumn { column, .. }
            | Self::UndeclaredColumn { column, .. }
            | Self::HierarchyWithoutUse { column, .. }
            | Self::ModelWithoutUse { column, .. }
            | Self::AcceptWithoutUse { column, .. }
            | Self::ModelOutOfRange { column, .. }
            | Self::ModelWithoutHierarchy { column, .. }
            | Self::ValuesWithoutEntry { column, .. }
            | Self::Transformation { column, .. }
            | Self::Misfits { column, .. }
            | Self::RuleBeyondLimits { column, .. }
            | Self::MissingInPopulation { column, .. } => Some(column),
            _ => None,
        }
    }
}
