//! What the custodian declares about a dataset, and the check that a table fits it.

use serde::{Deserialize, Serialize};

use crate::effort::{Effort, Method};
use crate::hierarchy::{Hierarchy, HierarchyError};
use crate::metric::Metric;
use crate::models::Model;
use crate::number::Number;
use crate::risk::RiskLimit;
use crate::rule::Rule;
use crate::safe_harbor::SafeHarborRule;
use crate::table::{Column, Table};
use crate::transform::{self, Aggregate, DateShift};

/// The smallest k that hides anybody.
pub const MIN_K: usize = 2;
/// The k of a plan that names none.
pub const DEFAULT_K: usize = 5;
/// The suppression limit of a plan that names none, as a share of the rows.
pub const DEFAULT_SUPPRESSION_LIMIT: f64 = 0.05;

/// What a column is to the anonymiser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Names a person by itself; dropped from the release.
    Identifier,
    /// Links the rows of one person; replaced by a keyed pseudonym.
    Pseudonym,
    /// Identifies together with others; generalised.
    QuasiIdentifier,
    /// Must not be learned about a person; kept as it is.
    Sensitive,
    /// Anything else; kept as it is.
    Plain,
    /// Free text, in which names of persons cannot be found; dropped from the release, unless the plan says that it is scrubbed.
    Text,
}

/// One declared column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnPlan {
    /// Name of the column, exactly as in the table.
    pub name: String,
    /// What the column is.
    pub role: Role,
    /// How a quasi-identifier is generalised; without it, the value becomes `*`. Of a sensitive column: how near its values
    /// are, for t-closeness.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hierarchy: Option<Hierarchy>,
    /// What each class must meet; of a sensitive column only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<Model>,
    /// Rules of Safe Harbor that this column is released in spite of: what is found by them is none, as the custodian declares,
    /// or may be released. Without it, a column in which an identifier is found stops the release.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<SafeHarborRule>,
    /// How the hierarchy is made, in the place of one that is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// Numbers below it are written `<18`, before anything else is done (bottom coding). Not of a column with a hierarchy, and of
    /// the rules only with intervals, which take it for their lower end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bottom: Option<Number>,
    /// It and numbers above it are written `≥90` (top coding); otherwise as `bottom`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top: Option<Number>,
    /// Cells that stand for a missing value, as the empty one always does: no rule, coding, aggregate or shift asks what is in them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Of a numeric quasi-identifier that is not generalised: what its numbers become within each class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregate: Option<Aggregate>,
    /// Of a sensitive or plain column of dates: by how much they are shifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift: Option<DateShift>,
    /// Of free text: whether it is released, without what the detectors find in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub scrub: bool,
}

impl ColumnPlan {
    /// A column without hierarchy and models.
    pub fn new(name: impl Into<String>, role: Role) -> Self {
        Self {
            name: name.into(),
            role,
            hierarchy: None,
            models: Vec::new(),
            accept: Vec::new(),
            rule: None,
            bottom: None,
            top: None,
            missing: Vec::new(),
            aggregate: None,
            shift: None,
            scrub: false,
        }
    }

    /// With this hierarchy.
    #[must_use]
    pub fn generalised_by(self, hierarchy: Hierarchy) -> Self {
        Self {
            hierarchy: Some(hierarchy),
            ..self
        }
    }

    /// Whether a cell stands for a missing value.
    pub(crate) fn is_missing(&self, cell: &str) -> bool {
        cell.is_empty() || self.missing.iter().any(|missing| missing == cell)
    }
}

impl ColumnPlan {
    /// Whether what a rule of Safe Harbor finds in this column may be released. What should be a pseudonym must be one.
    pub(crate) fn accepts(&self, rule: SafeHarborRule) -> bool {
        self.is_released_as_declared() && self.accept.contains(&rule)
    }

    /// Neither dropped nor replaced.
    const fn is_released_as_declared(&self) -> bool {
        !matches!(self.role, Role::Identifier | Role::Pseudonym)
    }
}

/// The privacy model: k-anonymity with a suppression limit; and by what the releases that keep it are compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Privacy {
    /// Each combination of quasi-identifiers that is released occurs at least this often; ≥ 2, or 1 when risks or models say what is
    /// wanted.
    pub k: usize,
    /// The share of the rows that may be dropped to reach it, 0 to 1.
    pub suppression_limit: f64,
    /// Of which the release has the least.
    #[serde(skip_serializing_if = "Metric::is_default")]
    pub metric: Metric,
    /// Limits of the risk that somebody is found again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub risks: Vec<RiskLimit>,
    /// Whether the release has to keep HIPAA Safe Harbor besides: none of the eighteen identifiers is found in it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub safe_harbor: bool,
    /// How far the best release is searched for.
    #[serde(skip_serializing_if = "Effort::is_default")]
    pub search: Effort,
    /// How quasi-identifiers are generalised.
    #[serde(skip_serializing_if = "Method::is_default")]
    pub method: Method,
}

impl Default for Privacy {
    fn default() -> Self {
        Self {
            k: DEFAULT_K,
            suppression_limit: DEFAULT_SUPPRESSION_LIMIT,
            metric: Metric::default(),
            risks: Vec::new(),
            safe_harbor: false,
            search: Effort::default(),
            method: Method::default(),
        }
    }
}

/// All that the custodian declares.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The columns, in any order.
    pub columns: Vec<ColumnPlan>,
    /// The privacy model.
    #[serde(default)]
    pub privacy: Privacy,
}

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
        "column `{column}`: {missing} distinct values have no entry in the hierarchy; add them"
    )]
    ValuesWithoutEntry {
        /// Name of the column.
        column: String,
        /// How many distinct values have none.
        missing: usize,
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
    #[error("column `{column}` is a quasi-identifier, and the population does not have it")]
    MissingInPopulation {
        /// Name of the column.
        column: String,
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

impl Plan {
    /// The declared column `name`.
    pub fn column(&self, name: &str) -> Option<&ColumnPlan> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Checks that `table` can be anonymised by this plan.
    ///
    /// # Errors
    ///
    /// The first [`PlanError`] found: the model, then the declarations, then the values.
    pub fn check(&self, table: &Table) -> Result<(), PlanError> {
        self.fit(table).map(drop)
    }

    /// As [`Plan::check`]; of each declared column the hierarchy that its rule makes of the table, which is too much work to do twice.
    pub(crate) fn fit(&self, table: &Table) -> Result<Vec<Option<Hierarchy>>, PlanError> {
        self.check_privacy(table.rows())?;
        self.check_declarations()?;
        if let Some(name) = table
            .column_names()
            .find(|name| self.column(name).is_none())
        {
            return Err(PlanError::UndeclaredColumn {
                column: name.to_owned(),
            });
        }
        let fitted = self.columns.iter().map(|declared| {
            let Some(position) = table.column_index(&declared.name) else {
                return Err(PlanError::MissingColumn {
                    column: declared.name.clone(),
                });
            };
            check_values(declared, &table.columns()[position])?;
            transform::check_values(declared, &table.columns()[position], "table")
        });
        fitted.collect()
    }

    /// Checks what can be checked before there is a table.
    ///
    /// # Errors
    ///
    /// The first [`PlanError`] found: the model, then the declarations.
    pub fn check_declared(&self) -> Result<(), PlanError> {
        self.check_privacy(usize::MAX)?;
        self.check_declarations()
    }

    /// Checks that the risks of a release can be judged by this population, which needs no column that is aggregated.
    ///
    /// # Errors
    ///
    /// [`PlanError::MissingInPopulation`], [`PlanError::ValuesWithoutEntry`], [`PlanError::Misfits`].
    pub fn check_population(&self, population: &Table) -> Result<(), PlanError> {
        let is_searched = |column: &&ColumnPlan| {
            column.role == Role::QuasiIdentifier && column.aggregate.is_none()
        };
        for declared in self.columns.iter().filter(is_searched) {
            let Some(position) = population.column_index(&declared.name) else {
                return Err(PlanError::MissingInPopulation {
                    column: declared.name.clone(),
                });
            };
            check_values(declared, &population.columns()[position])?;
            transform::check_values(declared, &population.columns()[position], "population")?;
        }
        Ok(())
    }

    fn check_privacy(&self, rows: usize) -> Result<(), PlanError> {
        let Privacy {
            k,
            suppression_limit,
            ..
        } = self.privacy;
        let is_alone = self.privacy.risks.is_empty()
            && self.columns.iter().all(|column| column.models.is_empty());
        if k == 0 || (k < MIN_K && is_alone) {
            return Err(PlanError::KTooSmall { k });
        }
        for limit in &self.privacy.risks {
            if let Some(fault) = limit.fault() {
                return Err(PlanError::RiskOutOfRange { fault });
            }
        }
        if !(0.0..=1.0).contains(&suppression_limit) {
            return Err(PlanError::SuppressionLimitOutOfRange {
                limit: suppression_limit,
            });
        }
        let is_mondrian = self.privacy.method == Method::Mondrian;
        if is_mondrian && !(self.privacy.metric.is_default() && self.privacy.search.is_default()) {
            return Err(PlanError::MetricOfMondrian);
        }
        let generalises = self
            .columns
            .iter()
            .any(|column| column.role == Role::QuasiIdentifier);
        if generalises && k > rows {
            return Err(PlanError::KAboveRows { k, rows });
        }
        Ok(())
    }

    fn check_declarations(&self) -> Result<(), PlanError> {
        for (index, declared) in self.columns.iter().enumerate() {
            let column = || declared.name.clone();
            if self.columns[..index]
                .iter()
                .any(|earlier| earlier.name == declared.name)
            {
                return Err(PlanError::DuplicateColumn { column: column() });
            }
            check_models(declared)?;
            if !declared.accept.is_empty() && !declared.is_released_as_declared() {
                return Err(PlanError::AcceptWithoutUse { column: column() });
            }
            transform::check_declared(declared, self)?;
            let uses_hierarchy = declared.role == Role::QuasiIdentifier
                || declared.models.iter().any(|model| model.needs_hierarchy());
            let has_hierarchy = declared.hierarchy.is_some() || declared.rule.is_some();
            if has_hierarchy && !uses_hierarchy {
                return Err(PlanError::HierarchyWithoutUse { column: column() });
            }
        }
        Ok(())
    }
}

fn check_models(declared: &ColumnPlan) -> Result<(), PlanError> {
    let column = || declared.name.clone();
    if !declared.models.is_empty() && declared.role != Role::Sensitive {
        return Err(PlanError::ModelWithoutUse { column: column() });
    }
    for model in &declared.models {
        if let Some(fault) = model.fault() {
            let column = column();
            return Err(PlanError::ModelOutOfRange { column, fault });
        }
        let has_hierarchy = declared.hierarchy.is_some() || declared.rule.is_some();
        if model.needs_hierarchy() && !has_hierarchy {
            return Err(PlanError::ModelWithoutHierarchy { column: column() });
        }
    }
    Ok(())
}

fn check_values(declared: &ColumnPlan, column: &Column) -> Result<(), PlanError> {
    let Some(hierarchy) = &declared.hierarchy else {
        return Ok(());
    };
    let positions = hierarchy.positions();
    let missing = column
        .values()
        .iter()
        .filter(|value| !positions.contains_key(&***value))
        .count();
    if missing > 0 {
        return Err(PlanError::ValuesWithoutEntry {
            column: declared.name.clone(),
            missing,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::models::Distance;

    fn table() -> Table {
        Table::from_csv(b"name,age\nAda,1\nBob,2\nCid,7\n", b',').unwrap()
    }

    fn plan() -> Plan {
        serde_json::from_str(
            r#"{"columns": [
                {"name": "name", "role": "identifier"},
                {"name": "age", "role": "quasi-identifier", "hierarchy": [["1","*"],["2","*"],["7","*"]]}
            ], "privacy": {"k": 2}}"#,
        )
        .unwrap()
    }

    #[test]
    fn a_fitting_plan_passes_and_defaults_hold() {
        assert_eq!(plan().check(&table()), Ok(()));
        assert_eq!(plan().privacy.suppression_limit, DEFAULT_SUPPRESSION_LIMIT);
        let bare: Plan = serde_json::from_str(r#"{"columns": []}"#).unwrap();
        assert_eq!(
            bare.privacy,
            Privacy {
                k: 5,
                suppression_limit: 0.05,
                metric: Metric::Loss,
                risks: Vec::new(),
                ..Privacy::default()
            }
        );
    }

    #[test]
    fn plans_survive_serialisation_and_unknown_fields_do_not() {
        let json = serde_json::to_string(&plan()).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan());
        for bad in [
            r#"{"columns": [], "epsilon": 1}"#,
            r#"{"columns": [], "privacy": {"l": 2}}"#,
            r#"{"columns": [{"name": "a", "role": "plain", "hierachy": null}]}"#,
            r#"{"columns": [{"name": "a", "role": "Plain"}]}"#,
        ] {
            assert!(serde_json::from_str::<Plan>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn each_misfit_is_named() {
        let fault = |change: fn(&mut Plan)| {
            let mut plan = plan();
            change(&mut plan);
            plan.check(&table()).unwrap_err()
        };
        let age = || "age".to_owned();
        assert_eq!(
            fault(|plan| plan.privacy.k = 1),
            PlanError::KTooSmall { k: 1 }
        );
        assert_eq!(
            fault(|plan| plan.privacy.k = 4),
            PlanError::KAboveRows { k: 4, rows: 3 }
        );
        for limit in [-0.1, 1.1, f64::NAN] {
            let mut plan = plan();
            plan.privacy.suppression_limit = limit;
            let error = plan.check(&table()).unwrap_err();
            assert!(matches!(
                error,
                PlanError::SuppressionLimitOutOfRange { .. }
            ));
        }
        assert_eq!(
            fault(|plan| {
                plan.columns.pop();
            }),
            PlanError::UndeclaredColumn { column: age() }
        );
        assert_eq!(
            fault(|plan| plan.columns.push(ColumnPlan::new("sex", Role::Plain))),
            PlanError::MissingColumn {
                column: "sex".into()
            }
        );
        assert_eq!(
            fault(|plan| plan.columns.push(plan.columns[1].clone())),
            PlanError::DuplicateColumn { column: age() }
        );
        assert_eq!(
            fault(|plan| plan.columns[1].role = Role::Sensitive),
            PlanError::HierarchyWithoutUse { column: age() }
        );
        let close = |distance| Model::TCloseness { t: 0.2, distance };
        for (model, expected) in [
            (
                Model::DistinctLDiversity { l: 2 },
                PlanError::ModelWithoutUse { column: age() },
            ),
            (
                close(Distance::Equal),
                PlanError::ModelWithoutUse { column: age() },
            ),
        ] {
            let mut plan = plan();
            plan.columns[1].models.push(model);
            assert_eq!(plan.check(&table()), Err(expected));
        }
        let mut sensitive = plan();
        sensitive.columns[1] = ColumnPlan::new("age", Role::Sensitive);
        sensitive.columns[1].models = vec![close(Distance::Hierarchical)];
        assert_eq!(
            sensitive.check(&table()),
            Err(PlanError::ModelWithoutHierarchy { column: age() })
        );
        sensitive.columns[1].hierarchy = Some(Hierarchy::identity(["1", "2", "7"]));
        assert_eq!(sensitive.check(&table()), Ok(()));
        sensitive.columns[1].models = vec![Model::DistinctLDiversity { l: 0 }];
        let error = sensitive.check(&table()).unwrap_err();
        assert!(
            matches!(error, PlanError::ModelOutOfRange { .. }),
            "{error}"
        );
        let short = fault(|plan| plan.columns[1].hierarchy = Some(Hierarchy::identity(["1"])));
        assert_eq!(
            short,
            PlanError::ValuesWithoutEntry {
                column: age(),
                missing: 2
            }
        );
        assert!(!short.to_string().contains('7'), "a value leaked: {short}");
    }
}
