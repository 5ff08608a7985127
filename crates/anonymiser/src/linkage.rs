//! Linkage: somebody who knows the quasi-identifiers of a person looks for the record.
//!
//! The attacker knows them exactly, knows the hierarchies, and knows nothing else; so all records of the classes that the person
//! may be in look alike, and one of them is guessed, each with the same chance. [`linkage()`] is for whoever has the original;
//! from a release alone the persons attacked are those of its records, and [`measure()`](crate::measure()) tells how often
//! they are found.
//!
//! Both are told twice: the chance as it is, over all records, and the outcome of attacks that were carried out, on records at
//! even distances, with guesses drawn from SHA-256, so that they come out the same anywhere. The two agree but for chance.

mod draws;

use std::collections::HashMap;
use std::fmt::Display;

use serde::{Deserialize, Serialize};

use crate::effort::Method;
use crate::hierarchy::Hierarchy;
use crate::plan::{ColumnPlan, Plan, PlanError, Role};
use crate::promises::Rows;
use crate::safe_harbor::coarsened;
use crate::search::Classes;
use crate::table::{Column, Table};
use crate::transform::{Before, check_values};
use draws::{Draws, spread};

/// The most attacks that are carried out.
pub const MAX_ATTACKS: usize = 10_000;

/// How an attack went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linkage {
    /// The share of the persons whose record is picked, as is to be expected, 0 to 1.
    pub expected: f64,
    /// Persons attacked.
    pub attacks: usize,
    /// … whose very record was picked.
    pub successes: usize,
}

/// How an attack on a release by the people of the original went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linked {
    /// Rows of the original: all are attacked, also those of suppressed records, which nobody finds.
    pub persons: usize,
    /// Rows of the release.
    pub released: usize,
    /// Of all persons.
    pub of_all: Linkage,
    /// The share of the persons in the release whose record is picked, as is to be expected, 0 to 1.
    pub expected_of_released: f64,
    /// The chance of the person who is found most easily.
    pub highest: f64,
}

/// Why a release cannot be attacked with a table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkageError {
    /// The original lacks a quasi-identifier of the release.
    #[error(
        "column `{column}` of the release is a quasi-identifier, and the original does not have it"
    )]
    MissingColumn {
        /// Name of the column.
        column: String,
    },
    /// Mondrian generalises one value differently in different rows.
    #[error(
        "the levels of hierarchies do not say what a row became by Mondrian; how often a record of the release is picked, `measured` tells"
    )]
    Mondrian,
    /// The plan does not fit the original.
    #[error("{0}")]
    Unfit(String),
    /// The release has rows that no row of the original became.
    #[error(
        "{rows} rows of the release are no row of the original at some level of the hierarchies, in its order; give the table and the plan that it was made from"
    )]
    NotOfThisTable {
        /// Rows of the release that are left over.
        rows: usize,
    },
}

/// Attacks of the persons of a table's own records.
pub(crate) fn guessed(table: &Table, classes: &Classes, rows: &Rows) -> Linkage {
    if table.rows() == 0 {
        return Linkage::default();
    }
    let draws = Draws::of(table);
    let attacks = table.rows().min(MAX_ATTACKS);
    let is_found = |attack: &usize| {
        let target = spread(*attack, attacks, table.rows());
        let candidates = rows.of_class(classes.of[target] as usize);
        candidates[draws.below(*attack, candidates.len())] == target
    };
    Linkage {
        expected: classes.count as f64 / table.rows() as f64,
        attacks,
        successes: (0..attacks).filter(is_found).count(),
    }
}

/// Attacks a release with the table that it was made from by the plan.
///
/// A person may be in every class whose cells are the person's values at some level of their hierarchies, or `*` where there is
/// none; what aggregates tell of a person is not used. Which record is whose follows from the order of the rows, which a release keeps.
///
/// # Errors
///
/// [`LinkageError`]: the release was not made from this table.
pub fn linkage(original: &Table, release: &Table, plan: &Plan) -> Result<Linked, LinkageError> {
    if plan.privacy.method == Method::Mondrian {
        return Err(LinkageError::Mondrian);
    }
    let coarse = plan
        .privacy
        .safe_harbor
        .then(|| coarsened(original, plan).0);
    let original = coarse.as_ref().unwrap_or(original);
    let plan = of_quasi_identifiers(plan, original, release)?;
    // Shifts depend on the key, and quasi-identifiers have none.
    let unfit = |error: &dyn Display| LinkageError::Unfit(error.to_string());
    let fitted = fitted(&plan, original).map_err(|error| unfit(&error))?;
    let before = Before::new(original, None, &plan, fitted, &[0; 32]);
    let before = before.map_err(|error| unfit(&error))?;
    let (original, plan) = (&*before.table, &*before.plan);
    let known = known_columns(original, release, plan);
    let released = known.iter().map(|known| known.released.codes());
    let classes = Classes::of_columns(release.rows(), released);
    let sizes = classes.sizes();
    let rows = Rows::of(&classes, &sizes);
    let persons = known.iter().map(|known| known.original.codes());
    let persons = Classes::of_columns(original.rows(), persons);
    let candidates = candidates(&known, &classes, &persons);
    let record_of = records(&classes, &persons, &candidates)?;

    let chance_of = |person: usize| {
        let among = &candidates[persons.of[person] as usize];
        let among: usize = among.iter().map(|&class| sizes[class as usize]).sum();
        record_of[person].map_or(0.0, |_| 1.0 / among as f64)
    };
    let chances = (0..original.rows()).map(chance_of);
    let (sum, highest) = chances.fold((0.0, 0.0_f64), |(sum, highest), chance| {
        (sum + chance, highest.max(chance))
    });
    let draws = Draws::of(release);
    let attacks = original.rows().min(MAX_ATTACKS);
    let is_found = |attack: &usize| {
        let target = spread(*attack, attacks, original.rows());
        let among = &candidates[persons.of[target] as usize];
        let guess = pick(among, &rows, &sizes, |count| draws.below(*attack, count));
        guess.is_some() && guess == record_of[target]
    };
    let share = |of: usize| if of == 0 { 0.0 } else { sum / of as f64 };
    Ok(Linked {
        persons: original.rows(),
        released: release.rows(),
        of_all: Linkage {
            expected: share(original.rows()),
            attacks,
            successes: (0..attacks).filter(is_found).count(),
        },
        expected_of_released: share(release.rows()),
        highest,
    })
}

/// What is declared of the quasi-identifiers of a release, all of which the original has.
fn of_quasi_identifiers(
    plan: &Plan,
    original: &Table,
    release: &Table,
) -> Result<Plan, LinkageError> {
    let is_known = |column: &&ColumnPlan| {
        column.role == Role::QuasiIdentifier && release.column_index(&column.name).is_some()
    };
    let columns: Vec<ColumnPlan> = plan.columns.iter().filter(is_known).cloned().collect();
    let is_missing = |column: &&ColumnPlan| original.column_index(&column.name).is_none();
    if let Some(missing) = columns.iter().find(is_missing) {
        let column = missing.name.clone();
        return Err(LinkageError::MissingColumn { column });
    }
    Ok(Plan {
        columns,
        privacy: plan.privacy.clone(),
    })
}

/// The hierarchies that rules make of the original.
fn fitted(plan: &Plan, original: &Table) -> Result<Vec<Option<Hierarchy>>, PlanError> {
    let of = |declared: &ColumnPlan| {
        let position = original.column_index(&declared.name);
        let column = position.map(|position| &original.columns()[position]);
        column.map_or(Ok(None), |column| check_values(declared, column, "table"))
    };
    plan.columns.iter().map(of).collect()
}

/// A quasi-identifier of a release.
struct Known<'a> {
    original: &'a Column,
    released: &'a Column,
    hierarchy: Option<&'a Hierarchy>,
}

fn known_columns<'a>(original: &'a Table, release: &'a Table, plan: &'a Plan) -> Vec<Known<'a>> {
    let columns = release.columns().iter().filter_map(|released| {
        let declared = plan.column(released.name())?;
        let position = original.column_index(released.name())?;
        // What is aggregated is no quasi-identifier any more.
        (declared.role == Role::QuasiIdentifier).then(|| Known {
            original: &original.columns()[position],
            released,
            hierarchy: declared.hierarchy.as_ref(),
        })
    });
    columns.collect()
}

impl Known<'_> {
    /// For each value of the original the values of the release that it may have become.
    fn becomes(&self) -> Vec<Vec<u32>> {
        let released = self.released.values().iter().map(|value| &**value);
        let released: HashMap<&str, u32> = released.zip(0..).collect();
        let positions = self.hierarchy.map(Hierarchy::positions).unwrap_or_default();
        let become_ = |value: &str| {
            let mut labels = vec![value];
            match (self.hierarchy, positions.get(value)) {
                (Some(hierarchy), Some(&position)) => {
                    let levels = (0..hierarchy.levels()).map(|level| hierarchy.level(level));
                    labels.extend(levels.map(|level| {
                        let group = level.groups[position as usize];
                        level.labels[group as usize].as_str()
                    }));
                }
                _ => labels.push("*"),
            }
            let codes = labels.iter().filter_map(|label| released.get(label));
            let mut codes: Vec<u32> = codes.copied().collect();
            codes.sort_unstable();
            codes.dedup();
            codes
        };
        let values = self.original.values().iter();
        values.map(|value| become_(value)).collect()
    }
}

/// For each class of persons the classes of the release that they may be in, in order.
fn candidates(known: &[Known<'_>], classes: &Classes, persons: &Classes) -> Vec<Vec<u32>> {
    // Paths from the root, a step for each column; the last node of a path is its class.
    let mut steps: HashMap<(u32, u32), u32> = HashMap::new();
    let mut nodes = 0;
    for (row, class) in classes.representatives().into_iter().zip(0..) {
        let mut node = 0;
        for (depth, column) in known.iter().enumerate() {
            let is_last = depth + 1 == known.len();
            let step = (node, column.released.codes()[row]);
            node = *steps.entry(step).or_insert_with(|| {
                nodes += 1;
                if is_last { class } else { nodes }
            });
        }
    }
    let becomes: Vec<Vec<Vec<u32>>> = known.iter().map(Known::becomes).collect();
    let of_person = |row: usize| {
        let mut reached = vec![0; classes.count.min(1)];
        for (column, becomes) in known.iter().zip(&becomes) {
            let codes = &becomes[column.original.codes()[row] as usize];
            let from = reached
                .iter()
                .flat_map(|&node| codes.iter().map(move |&code| (node, code)));
            reached = from.filter_map(|step| steps.get(&step).copied()).collect();
        }
        reached.sort_unstable();
        reached
    };
    persons
        .representatives()
        .into_iter()
        .map(of_person)
        .collect()
}

/// Of each person the row of the release: of those whom a row may be, it is the first that is left.
fn records(
    classes: &Classes,
    persons: &Classes,
    candidates: &[Vec<u32>],
) -> Result<Vec<Option<usize>>, LinkageError> {
    let mut next = 0;
    let record_of = persons.of.iter().map(|&person| {
        let class = classes.of.get(next)?;
        candidates[person as usize].binary_search(class).ok()?;
        next += 1;
        Some(next - 1)
    });
    let record_of = record_of.collect();
    match classes.of.len() - next {
        0 => Ok(record_of),
        rows => Err(LinkageError::NotOfThisTable { rows }),
    }
}

/// One of the rows of some classes; nothing, when there are none.
fn pick(
    among: &[u32],
    rows: &Rows,
    sizes: &[usize],
    draw: impl Fn(usize) -> usize,
) -> Option<usize> {
    let count: usize = among.iter().map(|&class| sizes[class as usize]).sum();
    let mut place = if count == 0 { return None } else { draw(count) };
    for &class in among {
        let rows = rows.of_class(class as usize);
        match rows.get(place) {
            Some(&row) => return Some(row),
            None => place -= rows.len(),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_candidate_is_picked_by_one_number() {
        let codes = [0, 1, 2, 0, 1, 0];
        let classes = Classes::of_columns(codes.len(), [&codes[..]]);
        let sizes = classes.sizes();
        let rows = Rows::of(&classes, &sizes);
        let picked = |among: &[u32], place| pick(among, &rows, &sizes, |_| place);
        let picks = |among: &[u32], count| -> Vec<Option<usize>> {
            (0..count).map(|place| picked(among, place)).collect()
        };
        assert_eq!(picks(&[0, 1], 5), [0, 3, 5, 1, 4].map(Some));
        assert_eq!(picks(&[0, 2], 4), [0, 3, 5, 2].map(Some));
        assert_eq!(picked(&[], 0), None);
    }
}
