//! What the custodian declares about a dataset, and the check that a table fits it.

mod check;
mod error;

pub use error::PlanError;

use serde::{Deserialize, Serialize};

use crate::effort::{Effort, Method};
use crate::hierarchy::Hierarchy;
use crate::metric::Metric;
use crate::models::Model;
use crate::number::Number;
use crate::risk::RiskLimit;
use crate::rule::Rule;
use crate::safe_harbor::SafeHarborRule;
use crate::transform::{Aggregate, DateShift};

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

impl Plan {
    /// The declared column `name`.
    pub fn column(&self, name: &str) -> Option<&ColumnPlan> {
        self.columns.iter().find(|column| column.name == name)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::models::Distance;
    use crate::table::Table;

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
    fn a_population_holds_everybody_of_the_table() {
        let mut plan = plan();
        plan.columns[1].hierarchy = None;
        let fault = |people: &str| {
            let people = Table::from_csv(people.as_bytes(), b',').unwrap();
            plan.check_everybody(&table(), &people)
        };
        assert_eq!(fault("age,town\n7,a\n9,a\n2,b\n1,b\n"), Ok(()));
        assert_eq!(
            fault("town\na\nb\nc\n"),
            Err(PlanError::MissingInPopulation {
                column: "age".into()
            })
        );
        // As many people as rows, but others; then the same, but fewer.
        let rows = |rows, row| Err(PlanError::NotInPopulation { rows, row });
        assert_eq!(fault("age\n1\n1\n8\n"), rows(2, 2));
        assert_eq!(fault("age\n7\n1\n"), rows(1, 2));
        let twice = Table::from_csv(b"name,age\nAda,1\nBob,1\nCid,7\n", b',').unwrap();
        let people = Table::from_csv(b"age\n1\n7\n7\n", b',').unwrap();
        assert_eq!(plan.check_everybody(&twice, &people), rows(1, 2));
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
                table: "table",
                missing: 2,
                row: 2
            }
        );
        assert!(!short.to_string().contains('7'), "a value leaked: {short}");
    }
}
