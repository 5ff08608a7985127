//! From a table and a plan to a release and its report.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::hierarchy::{Hierarchy, Level};
use crate::metric::Metric;
use crate::models::{Judge, Model};
use crate::plan::{ColumnPlan, Plan, PlanError, Role};
use crate::pseudonym::pseudonymise;
use crate::risk::Risks;
use crate::search::{self, Goal, Lattice, Node, Optimum, Problem, QuasiIdentifier, Sensitive};
use crate::table::{Column, Table};
use crate::transform::{self, Before};

/// The largest lattice that is searched: the product of the levels of all quasi-identifiers.
pub const MAX_LATTICE_NODES: usize = 4_000_000;

/// A release and how it came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Anonymised {
    /// What may leave: no identifiers, generalised quasi-identifiers, no suppressed row. Rows
    /// and columns keep their order.
    pub table: Table,
    /// What it cost and what it holds to.
    pub report: Report,
}

/// What anonymising did (P12).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Rows of the table.
    pub rows_in: usize,
    /// Rows of the release.
    pub rows_out: usize,
    /// Rows dropped because their class was smaller than k, or did not meet a model.
    pub suppressed: usize,
    /// For each quasi-identifier, in the table's order: name, chosen level, levels there are.
    pub levels: Vec<(String, usize, usize)>,
    /// Loss by the geometric mean, 0 (nothing lost) to 1 (everything).
    pub loss: f64,
    /// The metric that is least.
    pub metric: Metric,
    /// What it is; with [`Metric::Loss`] the same as `loss`.
    pub score: f64,
    /// Rows of the smallest class released; 0 when nothing is. Without quasi-identifiers all
    /// rows are one class.
    pub k_reached: usize,
    /// Classes released.
    pub classes: usize,
    /// The risks that somebody is found again, within the population where one is known.
    pub risks: Risks,
    /// Level combinations there are.
    pub nodes_in_lattice: usize,
    /// Level combinations whose rows had to be grouped to prove the optimum.
    pub nodes_checked: usize,
    /// For each column of the table, in its order: name, and what was done with it in plain words. Without values.
    #[serde(default)]
    pub transformations: Vec<(String, String)>,
}

/// Why a table cannot be anonymised.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AnonymiseError {
    /// The plan does not fit the table.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The lattice is too large.
    #[error(
        "the hierarchies span {nodes} level combinations, and {MAX_LATTICE_NODES} is the limit; use fewer quasi-identifiers or levels"
    )]
    LatticeTooLarge {
        /// Combinations (saturated).
        nodes: usize,
    },
    /// Even the highest levels are not enough.
    #[error(
        "even at the highest levels more than {limit} rows would have to be suppressed to reach k = {k} and the models of sensitive columns; end the hierarchies in `*`, loosen the models, or raise the suppression limit"
    )]
    OutOfReach {
        /// The k asked for.
        k: usize,
        /// Rows that may be suppressed.
        limit: usize,
    },
    /// A shifted date leaves the calendar.
    #[error(
        "column `{column}`: the date in row {row} would be shifted out of the years 0001 to 9999; list what stands for a missing date under `missing`"
    )]
    DateBeyondYears {
        /// Name of the column.
        column: String,
        /// Row of the table from 1, the header not counted.
        row: usize,
    },
}

/// Anonymises `table` by `plan`: drops identifiers, replaces pseudonyms by keyed ones, and
/// generalises the quasi-identifiers to the full-domain recoding of least cost that is k-anonymous, meets the models of the
/// sensitive columns and the limits of risks, and suppresses no more rows than allowed. The same input always gives the same
/// output.
///
/// # Errors
///
/// [`AnonymiseError`]: the plan does not fit, the lattice is too large, or the promises are out of reach.
pub fn anonymise(
    table: &Table,
    plan: &Plan,
    pseudonym_key: &[u8; 32],
) -> Result<Anonymised, AnonymiseError> {
    anonymise_within(table, None, plan, pseudonym_key)
}

/// As [`anonymise`], of a table of which a population is known, those of the table included: it has the quasi-identifiers, perhaps others,
/// and the journalist and the marketer look there.
///
/// # Errors
///
/// As [`anonymise`], and when the population does not fit the plan.
pub fn anonymise_within(
    table: &Table,
    population: Option<&Table>,
    plan: &Plan,
    pseudonym_key: &[u8; 32],
) -> Result<Anonymised, AnonymiseError> {
    let fitted = plan.fit(table)?;
    if let Some(population) = population {
        plan.check_population(population)?;
    }
    let before = Before::new(table, population, plan, fitted, pseudonym_key)?;
    let people = before.population.as_deref();
    let mut made = generalised(&before.table, people, &before.plan, pseudonym_key)?;
    transform::after(&mut made, table, plan)?;
    Ok(made)
}

/// Of a table and a plan of which nothing is left to do but to generalise, to make pseudonyms and to drop.
fn generalised(
    table: &Table,
    population: Option<&Table>,
    plan: &Plan,
    pseudonym_key: &[u8; 32],
) -> Result<Anonymised, AnonymiseError> {
    let parts: Vec<Part> = table
        .columns()
        .iter()
        .map(|column| Part::new(column, population, plan))
        .collect();
    let generalised: Vec<(&Column, &Hierarchy)> =
        parts.iter().filter_map(Part::generalised).collect();
    let sizes = generalised.iter().map(|(_, hierarchy)| hierarchy.levels());
    let lattice = Lattice::new(sizes.collect(), MAX_LATTICE_NODES)
        .map_err(|nodes| AnonymiseError::LatticeTooLarge { nodes })?;

    let problem_of = |metric| problem(table, plan, metric, &generalised);
    let metric = plan.privacy.metric;
    let problem = problem_of(metric);
    let optimum = search::optimum(&problem, &lattice).ok_or(AnonymiseError::OutOfReach {
        k: plan.privacy.k,
        limit: problem.goal().limit,
    })?;
    let node = Node::new(&problem, &optimum.levels);
    let loss = match metric {
        Metric::Loss => optimum.score,
        _ => Node::new(&problem_of(Metric::Loss), &optimum.levels).score,
    };

    let released = recode(table, &parts, &optimum, pseudonym_key);
    let released = match optimum.suppressed {
        0 => released,
        _ => released.filter_rows(|row| node.kept[row]),
    };
    let levels = generalised.iter().zip(&optimum.levels);
    let report = Report {
        rows_in: table.rows(),
        rows_out: released.rows(),
        suppressed: optimum.suppressed,
        levels: levels
            .map(|((column, hierarchy), &level)| {
                (column.name().to_string(), level, hierarchy.levels())
            })
            .collect(),
        loss,
        metric,
        score: optimum.score,
        k_reached: optimum.smallest_class,
        classes: optimum.classes,
        risks: node.risks,
        nodes_in_lattice: lattice.nodes(),
        nodes_checked: optimum.nodes_checked,
        transformations: Vec::new(),
    };
    Ok(Anonymised {
        table: released,
        report,
    })
}

/// A column and what becomes of it.
struct Part<'a> {
    column: &'a Arc<Column>,
    role: Role,
    /// Of a quasi-identifier: the column, with the population's behind it, and the declared hierarchy, or the one of a column
    /// without a file.
    generalised: Option<(Cow<'a, Column>, Cow<'a, Hierarchy>)>,
}

impl<'a> Part<'a> {
    fn new(column: &'a Arc<Column>, population: Option<&Table>, plan: &'a Plan) -> Self {
        let ColumnPlan {
            role, hierarchy, ..
        } = plan
            .column(column.name())
            .expect("the check found every column declared");
        let generalised = (*role == Role::QuasiIdentifier).then(|| {
            let people = population.and_then(|people| {
                let position = people.column_index(column.name())?;
                Some(&people.columns()[position])
            });
            let column: Cow<'a, Column> = match people {
                Some(people) => Cow::Owned(column.followed_by(people)),
                None => Cow::Borrowed(column),
            };
            let hierarchy = match hierarchy {
                Some(hierarchy) => Cow::Borrowed(hierarchy),
                None => Cow::Owned(Hierarchy::identity(column.values())),
            };
            (column, hierarchy)
        });
        Self {
            column,
            role: *role,
            generalised,
        }
    }

    fn generalised(&self) -> Option<(&Column, &Hierarchy)> {
        let (column, hierarchy) = self.generalised.as_ref()?;
        Some((column, hierarchy))
    }
}

fn problem(
    table: &Table,
    plan: &Plan,
    metric: Metric,
    hierarchies: &[(&Column, &Hierarchy)],
) -> Problem {
    let rows = table.rows();
    // As ARX does: the share is of the rows, and a part of a row is none.
    let limit = (plan.privacy.suppression_limit * rows as f64).floor() as usize;
    let columns = hierarchies.iter().map(|(column, hierarchy)| {
        QuasiIdentifier::new(column, rows, hierarchy, metric)
            .expect("the check found an entry for every value")
    });
    // Without quasi-identifiers nothing tells two rows apart, and neither k nor risks have a meaning.
    let (k, risks) = if hierarchies.is_empty() {
        (1, Vec::new())
    } else {
        (plan.privacy.k, plan.privacy.risks.clone())
    };
    let sensitives = table.columns().iter().filter_map(|column| {
        let declared = plan.column(column.name())?;
        let judge = |model: &Model| Judge::new(*model, column, declared.hierarchy.as_ref());
        let judges: Vec<Judge> = declared.models.iter().map(judge).collect();
        (!judges.is_empty()).then(|| Sensitive::new(column, judges))
    });
    let goal = Goal {
        k,
        limit,
        metric,
        risks,
    };
    Problem::new(columns.collect(), sensitives.collect(), rows, goal)
}

fn recode(table: &Table, parts: &[Part<'_>], optimum: &Optimum, key: &[u8; 32]) -> Table {
    let mut levels = optimum.levels.iter();
    let mut columns = Vec::with_capacity(parts.len());
    for part in parts {
        let column = match part.role {
            Role::Identifier | Role::Text => continue,
            Role::Pseudonym => Arc::new(pseudonymise(part.column, key)),
            Role::Sensitive | Role::Plain => Arc::clone(part.column),
            Role::QuasiIdentifier => {
                let (_, hierarchy) = part.generalised().expect("quasi-identifiers have one");
                let level = *levels.next().expect("a level for each quasi-identifier");
                Arc::new(generalise(part.column, hierarchy, level))
            }
        };
        columns.push(column);
    }
    Table::from_columns(columns, table.rows())
}

/// Writes a column at one level of its hierarchy.
fn generalise(column: &Column, hierarchy: &Hierarchy, level: usize) -> Column {
    let positions = hierarchy.positions();
    let Level { groups, labels, .. } = hierarchy.level(level);
    let group_of_code: Vec<u32> = column
        .values()
        .iter()
        .map(|value| groups[positions[&**value] as usize])
        .collect();
    let labels: Vec<Arc<str>> = labels.iter().map(|label| label.as_str().into()).collect();
    let codes = column
        .codes()
        .iter()
        .map(|&code| group_of_code[code as usize]);
    Column::recoded(Arc::clone(column.name()), codes, &labels)
}
