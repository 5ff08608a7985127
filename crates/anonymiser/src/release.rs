//! From a table and a plan to a release and its report.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::effort::{Effort, Method};
use crate::hierarchy::{Hierarchy, Level};
use crate::metric::Metric;
use crate::models::{Judge, Model};
use crate::mondrian::{self, Axis, Partition};
use crate::plan::{ColumnPlan, Plan, PlanError, Role};
use crate::pseudonym::pseudonymise;
use crate::risk::Risks;
use crate::safe_harbor::{Coarsened, Found, coarsened, identifiers_left, undeclared};
use crate::search::{
    self, Budget, Goal, Lattice, Node, Optimum, Problem, QuasiIdentifier, Sensitive,
};
use crate::table::{Column, Table};
use crate::transform::{self, Before};

/// The largest lattice that is searched: the product of the levels of all quasi-identifiers.
pub const MAX_LATTICE_NODES: usize = 4_000_000;
/// Nodes have numbers.
const MAX_COUNTED: usize = 1 << 62;

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
    /// Level combinations whose rows had to be grouped to prove the optimum; by Mondrian, the cuts that were tried.
    pub nodes_checked: usize,
    /// What Safe Harbor had written coarser before anything else was done, where the plan asks for it. The loss does not count it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coarsened: Vec<Coarsened>,
    /// For each column of the table, in its order: name, and what was done with it in plain words. Without values.
    #[serde(default)]
    pub transformations: Vec<(String, String)>,
    /// Where the search ended before its result was proven to be the optimum: what the optimum scores at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// How the quasi-identifiers were generalised. By Mondrian there are no levels.
    #[serde(default, skip_serializing_if = "Method::is_default")]
    pub method: Method,
}

/// Why a table cannot be anonymised.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AnonymiseError {
    /// The plan does not fit the table.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The lattice is too large.
    #[error(
        "the hierarchies span {nodes} level combinations, and {MAX_LATTICE_NODES} is the limit of a search to the optimum; use fewer quasi-identifiers or levels, or search with a limit of nodes or of time"
    )]
    LatticeTooLarge {
        /// Combinations (saturated).
        nodes: usize,
    },
    /// The lattice is so large that its nodes cannot be counted.
    #[error(
        "the hierarchies span more than 2^62 level combinations, which no search of levels goes through; use fewer quasi-identifiers or levels, or the method `mondrian`"
    )]
    LatticeBeyondCount,
    /// The search ended before it found a release that keeps the promises.
    #[error(
        "the search ended after {checked} level combinations, before one was found that keeps the promises; let it go on for longer"
    )]
    Ended {
        /// Combinations that were checked.
        checked: usize,
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
    /// Identifiers are in columns that nobody declared, or would be in the release.
    #[error(
        "identifiers would be released: {}; declare such a column an identifier or a pseudonym, generalise it, or let it accept the rule", list(.found)
    )]
    IdentifiersLeft {
        /// Column, rule and count of each.
        found: Vec<Found>,
    },
}

/// The most findings that an error spells out.
const MAX_LISTED: usize = 20;

fn list(found: &[Found]) -> String {
    let listed: Vec<String> = found
        .iter()
        .take(MAX_LISTED)
        .map(ToString::to_string)
        .collect();
    match found.len() - listed.len() {
        0 => listed.join("; "),
        more => format!("{}; and {more} more", listed.join("; ")),
    }
}

/// Anonymises `table` by `plan`: drops identifiers, replaces pseudonyms by keyed ones, and
/// generalises the quasi-identifiers to the full-domain recoding of least cost that is k-anonymous, meets the models of the
/// sensitive columns and the limits of risks, and suppresses no more rows than allowed. The same input always gives the same
/// output.
///
/// # Errors
///
/// [`AnonymiseError`]: the plan does not fit, the lattice is too large, the promises are out of reach, or the release would hold
/// identifiers.
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
    anonymise_until(table, population, plan, pseudonym_key, &mut || false)
}

/// As [`anonymise_within`], where a search with a limit of nodes ([`Effort::Nodes`]) ends when `stop` says so as well: it is asked before
/// each node. With a clock in it, what comes out depends on the machine; [`Report::at_least`] holds all the same.
///
/// # Errors
///
/// As [`anonymise_within`].
pub fn anonymise_until(
    table: &Table,
    population: Option<&Table>,
    plan: &Plan,
    pseudonym_key: &[u8; 32],
    stop: &mut dyn FnMut() -> bool,
) -> Result<Anonymised, AnonymiseError> {
    let fitted = plan.fit(table).map_err(|error| match error {
        PlanError::UndeclaredColumn { .. } => undeclared_columns(error, table, plan),
        _ => error.into(),
    })?;
    if let Some(population) = population {
        plan.check_population(population)?;
    }
    let safe_harbor = plan.privacy.safe_harbor;
    let coarse = safe_harbor.then(|| coarsened(table, plan));
    let coarse_population = population
        .filter(|_| safe_harbor)
        .map(|population| coarsened(population, plan).0);
    let (original, table) = (table, coarse.as_ref().map_or(table, |(table, _)| table));
    let population = coarse_population.as_ref().or(population);
    let before = Before::new(table, population, plan, fitted, pseudonym_key)?;
    let people = before.population.as_deref();
    let mut made = generalised(&before.table, people, &before.plan, pseudonym_key, stop)?;
    transform::after(&mut made, original, plan)?;
    let found = identifiers_left(&made.table, plan);
    if !found.is_empty() {
        return Err(AnonymiseError::IdentifiersLeft { found });
    }
    made.report.coarsened = coarse.map_or_else(Vec::new, |(_, changes)| changes);
    Ok(made)
}

/// Of a table and a plan of which nothing is left to do but to generalise, to make pseudonyms and to drop.
fn generalised(
    table: &Table,
    population: Option<&Table>,
    plan: &Plan,
    pseudonym_key: &[u8; 32],
    stop: &mut dyn FnMut() -> bool,
) -> Result<Anonymised, AnonymiseError> {
    let parts: Vec<Part> = table
        .columns()
        .iter()
        .map(|column| Part::new(column, population, plan))
        .collect();
    let generalised: Vec<(&Column, &Hierarchy)> =
        parts.iter().filter_map(Part::generalised).collect();
    let metric = plan.privacy.metric;
    let problem = problem(table, plan, &generalised);
    let out_of_reach = || AnonymiseError::OutOfReach {
        k: plan.privacy.k,
        limit: problem.goal().limit,
    };
    if plan.privacy.method == Method::Mondrian {
        let axes: Vec<Axis> = (generalised.iter())
            .map(|(column, hierarchy)| Axis::new(column, hierarchy))
            .collect();
        let partition = mondrian::partition(&problem, &axes).ok_or_else(out_of_reach)?;
        return Ok(cut(
            table,
            &parts,
            &problem,
            &axes,
            &partition,
            pseudonym_key,
        ));
    }
    let sizes = generalised.iter().map(|(_, hierarchy)| hierarchy.levels());
    let largest = match plan.privacy.search {
        Effort::Exact => MAX_LATTICE_NODES,
        Effort::Nodes(_) => MAX_COUNTED,
    };
    let lattice =
        Lattice::new(sizes.collect(), largest).map_err(|nodes| match plan.privacy.search {
            Effort::Exact => AnonymiseError::LatticeTooLarge { nodes },
            Effort::Nodes(_) => AnonymiseError::LatticeBeyondCount,
        })?;
    let optimum = match plan.privacy.search {
        Effort::Exact => search::optimum(&problem, &lattice).ok_or_else(out_of_reach)?,
        Effort::Nodes(nodes) => {
            let found = search::best_within(&problem, &lattice, Budget { nodes, stop });
            found.map_err(|checked| match checked {
                Some(checked) => AnonymiseError::Ended { checked },
                None => out_of_reach(),
            })?
        }
    };
    let node = match metric {
        Metric::Loss => Node::new(&problem, problem.columns(), &optimum.levels),
        _ => {
            let by_loss = quasi_identifiers(&generalised, table.rows(), Metric::Loss);
            Node::new(&problem, &by_loss, &optimum.levels)
        }
    };
    let kept = node.kept.as_deref();
    let released = recode(table, &parts, &optimum, kept, pseudonym_key);
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
        loss: node.loss,
        metric,
        score: optimum.score,
        k_reached: optimum.smallest_class,
        classes: optimum.classes,
        risks: node.risks,
        nodes_in_lattice: lattice.nodes(),
        nodes_checked: optimum.nodes_checked,
        coarsened: Vec::new(),
        transformations: Vec::new(),
        at_least: optimum.at_least,
        method: Method::FullDomain,
    };
    Ok(Anonymised {
        table: released,
        report,
    })
}

/// What is wrong with columns that nobody declared: identifiers, or only that.
fn undeclared_columns(error: PlanError, table: &Table, plan: &Plan) -> AnonymiseError {
    match undeclared(table, plan) {
        found if found.is_empty() => error.into(),
        found => AnonymiseError::IdentifiersLeft { found },
    }
}

/// A release by Mondrian.
fn cut(
    table: &Table,
    parts: &[Part<'_>],
    problem: &Problem<'_>,
    axes: &[Axis],
    partition: &Partition,
    key: &[u8; 32],
) -> Anonymised {
    let class_of_row = problem.rows_of(|distinct| partition.class_of[distinct as usize]);
    let mut position = 0;
    let released = parts.iter().filter(|part| !part.is_dropped());
    let columns = released.map(|part| {
        if part.role != Role::QuasiIdentifier {
            return part.released(0, None, key);
        }
        let labels = mondrian::labels(partition, axes, position);
        position += 1;
        let codes = class_of_row.iter().copied();
        Arc::new(Column::of_labels(
            Arc::clone(part.column.name()),
            codes,
            &labels,
        ))
    });
    let released = Table::from_columns(columns.collect(), table.rows());
    let weights = problem.columns().iter().enumerate();
    let weights =
        weights.map(|(column, of)| (mondrian::weight(partition, axes, column), of.range()));
    let cost = Metric::Loss.of_weights(weights);
    let loss = Metric::Loss.score(cost, axes.len());
    let report = Report {
        rows_in: table.rows(),
        rows_out: table.rows(),
        suppressed: 0,
        levels: Vec::new(),
        loss,
        metric: Metric::Loss,
        score: loss,
        k_reached: partition.smallest(),
        classes: partition.classes.len(),
        risks: partition.risks(),
        nodes_in_lattice: 0,
        nodes_checked: partition.cuts,
        coarsened: Vec::new(),
        transformations: Vec::new(),
        at_least: None,
        method: Method::Mondrian,
    };
    Anonymised {
        table: released,
        report,
    }
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

    fn is_dropped(&self) -> bool {
        matches!(self.role, Role::Identifier | Role::Text)
    }

    fn generalised(&self) -> Option<(&Column, &Hierarchy)> {
        let (column, hierarchy) = self.generalised.as_ref()?;
        Some((column, hierarchy))
    }
}

fn quasi_identifiers<'a>(
    hierarchies: &[(&'a Column, &'a Hierarchy)],
    rows: usize,
    metric: Metric,
) -> Vec<QuasiIdentifier<'a>> {
    let columns = hierarchies.iter().map(|(column, hierarchy)| {
        QuasiIdentifier::new(column, rows, hierarchy, metric)
            .expect("the check found an entry for every value")
    });
    columns.collect()
}

fn problem<'a>(
    table: &'a Table,
    plan: &Plan,
    hierarchies: &[(&'a Column, &'a Hierarchy)],
) -> Problem<'a> {
    let rows = table.rows();
    let metric = plan.privacy.metric;
    // As ARX does: the share is of the rows, and a part of a row is none.
    let limit = (plan.privacy.suppression_limit * rows as f64).floor() as usize;
    // Without quasi-identifiers nothing tells two rows apart, and neither k nor risks have a meaning.
    let (k, risks) = if hierarchies.is_empty() {
        (1, Vec::new())
    } else {
        (plan.privacy.k, plan.privacy.risks.clone())
    };
    let sensitives = table.columns().iter().filter_map(|column| {
        let column: &Column = column;
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
    let columns = quasi_identifiers(hierarchies, rows, metric);
    Problem::new(columns, sensitives.collect(), rows, goal)
}

/// The release; of these rows, where some are suppressed.
fn recode(
    table: &Table,
    parts: &[Part<'_>],
    optimum: &Optimum,
    kept: Option<&[u32]>,
    key: &[u8; 32],
) -> Table {
    let mut levels = optimum.levels.iter();
    let released = parts.iter().filter(|part| !part.is_dropped());
    let released: Vec<(&Part<'_>, usize)> = released
        .map(|part| match part.role {
            Role::QuasiIdentifier => (
                part,
                *levels.next().expect("a level for each quasi-identifier"),
            ),
            _ => (part, 0),
        })
        .collect();
    let columns = released
        .into_par_iter()
        .map(|(part, level)| part.released(level, kept, key));
    let rows = kept.map_or(table.rows(), <[u32]>::len);
    Table::from_columns(columns.collect(), rows)
}

impl Part<'_> {
    fn released(&self, level: usize, kept: Option<&[u32]>, key: &[u8; 32]) -> Arc<Column> {
        let column = match self.role {
            Role::Pseudonym => Arc::new(pseudonymise(self.column, key)),
            // At the bottom a value is what it was.
            Role::QuasiIdentifier if level > 0 => {
                let (_, hierarchy) = self.generalised().expect("quasi-identifiers have one");
                return Arc::new(generalise(
                    self.column,
                    hierarchy.level(level),
                    kept,
                    &hierarchy.positions(),
                ));
            }
            _ => Arc::clone(self.column),
        };
        match kept {
            Some(kept) => Arc::new(column.of_rows(kept)),
            None => column,
        }
    }
}

/// Writes a column at one level of its hierarchy.
fn generalise(
    column: &Column,
    Level { groups, labels, .. }: &Level,
    kept: Option<&[u32]>,
    positions: &HashMap<&str, u32>,
) -> Column {
    let group_of_code: Vec<u32> = column
        .values()
        .iter()
        .map(|value| groups[positions[&**value] as usize])
        .collect();
    let labels: Vec<Arc<str>> = labels.iter().map(|label| label.as_str().into()).collect();
    let name = Arc::clone(column.name());
    let group = |code: u32| group_of_code[code as usize];
    match kept {
        Some(kept) => {
            let codes = kept.iter().map(|&row| group(column.codes()[row as usize]));
            Column::recoded(name, codes, &labels)
        }
        None => {
            let codes = column.codes().iter().map(|&code| group(code));
            Column::recoded(name, codes, &labels)
        }
    }
}
