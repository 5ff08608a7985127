//! The optimum by enumeration, written from the definition and sharing nothing with the search.

use std::collections::{BTreeMap, HashMap};

use medshare_anonymiser::{
    AnonymiseError, ColumnPlan, Distance, Hierarchy, Model, Plan, Role, Table, anonymise,
};
use proptest::prelude::*;

use crate::properties::{Case, case};

/// The best node: product of (L + 1), level sum, levels, suppressed rows, classes.
type Node = (f64, usize, Vec<usize>, usize, usize);

fn lines(hierarchy: &Hierarchy) -> HashMap<String, Vec<String>> {
    let lines: Vec<Vec<String>> = hierarchy.clone().into();
    lines
        .into_iter()
        .map(|line| (line[0].clone(), line))
        .collect()
}

fn all_levels(sizes: &[usize]) -> Vec<Vec<usize>> {
    sizes.iter().fold(vec![Vec::new()], |nodes, &size| {
        let extended = |node: &Vec<usize>| {
            let node = node.clone();
            (0..size).map(move |level| [&node[..], &[level]].concat())
        };
        nodes.iter().flat_map(extended).collect()
    })
}

fn evaluate(
    table: &Table,
    hierarchies: &[(usize, HashMap<String, Vec<String>>)],
    levels: &[usize],
    plan: &Plan,
) -> Node {
    let rows: Vec<Vec<&str>> = (0..table.rows())
        .map(|row| {
            let columns = hierarchies.iter().zip(levels);
            columns
                .map(|((column, lines), &level)| lines[table.value(row, *column)][level].as_str())
                .collect()
        })
        .collect();
    let mut classes: HashMap<&[&str], Vec<usize>> = HashMap::new();
    for (number, row) in rows.iter().enumerate() {
        classes.entry(row).or_default().push(number);
    }
    classes.retain(|_, rows| rows.len() >= plan.privacy.k && meets(table, plan, rows));
    let is_kept = |row: &Vec<&str>| classes.contains_key(&row[..]);
    let suppressed = rows.iter().filter(|row| !is_kept(row)).count();
    let mut product = 1.0;
    for (position, ((_, lines), &level)) in hierarchies.iter().zip(levels).enumerate() {
        let leaves = |label: &str| lines.values().filter(|line| line[level] == label).count();
        let weight: usize = rows
            .iter()
            .map(|row| {
                if is_kept(row) {
                    leaves(row[position])
                } else {
                    lines.len()
                }
            })
            .sum();
        let least = rows.len();
        let most = rows.len() * lines.len();
        let loss = if most == least {
            0.0
        } else {
            (weight - least) as f64 / (most - least) as f64
        };
        product *= (loss * 1e10).floor() / 1e10 + 1.0;
    }
    (
        product,
        levels.iter().sum(),
        levels.to_vec(),
        suppressed,
        classes.len(),
    )
}

/// Whether these rows meet every model of every column, by the models' definitions.
fn meets(table: &Table, plan: &Plan, rows: &[usize]) -> bool {
    plan.columns.iter().all(|declared| {
        let column = table.column_index(&declared.name).unwrap();
        let all: Vec<usize> = (0..table.rows()).collect();
        let [whole, class] = [&all[..], rows].map(|rows| shares(table, column, rows));
        let meets = |model: &Model| meets_model(*model, declared, &whole, &class, rows.len());
        declared.models.iter().all(meets)
    })
}

/// Share of each value.
fn shares(table: &Table, column: usize, rows: &[usize]) -> BTreeMap<String, f64> {
    let mut shares = BTreeMap::new();
    for &row in rows {
        *shares
            .entry(table.value(row, column).to_owned())
            .or_default() += 1.0 / rows.len() as f64;
    }
    shares
}

fn meets_model(
    model: Model,
    declared: &ColumnPlan,
    whole: &BTreeMap<String, f64>,
    class: &BTreeMap<String, f64>,
    rows: usize,
) -> bool {
    let of = |value: &str| class.get(value).copied().unwrap_or(0.0);
    match model {
        Model::DistinctLDiversity { l } => class.len() >= l,
        Model::EntropyLDiversity { l } => {
            let entropy: f64 = class.values().map(|share| -share * share.ln()).sum();
            entropy >= l.ln() - 1e-12
        }
        Model::RecursiveLDiversity { c, l } => {
            let counts = class.values().map(|share| (share * rows as f64).round());
            let mut counts: Vec<f64> = counts.collect();
            counts.sort_by(|one, other| other.total_cmp(one));
            counts[0] < c * counts.iter().skip(l - 1).sum::<f64>()
        }
        Model::DeltaDisclosure { delta } => whole
            .iter()
            .all(|(value, share)| (of(value) / share).log2().abs() < delta),
        Model::TCloseness { t, distance } => {
            // The least cost of a flow that evens out: here of a line, of a star, or of a tree of two levels.
            let extra: Vec<(&str, f64)> = whole
                .iter()
                .map(|(value, share)| (&**value, of(value) - share))
                .collect();
            let star = |extra: &mut dyn Iterator<Item = f64>| -> f64 {
                extra.map(f64::abs).sum::<f64>() / 2.0
            };
            let cost = match distance {
                Distance::Equal => star(&mut extra.iter().map(|(_, extra)| *extra)),
                Distance::Ordered => {
                    let sums = (1..extra.len()).map(|end| {
                        extra[..end]
                            .iter()
                            .map(|(_, extra)| extra)
                            .sum::<f64>()
                            .abs()
                    });
                    sums.sum::<f64>() / (extra.len().max(2) - 1) as f64
                }
                Distance::Hierarchical => {
                    let lines = lines(declared.hierarchy.as_ref().unwrap());
                    let mut groups: BTreeMap<&str, f64> = BTreeMap::new();
                    for (value, extra) in &extra {
                        *groups.entry(&lines[*value][1]).or_default() += extra;
                    }
                    // What crosses from group to group goes up two levels of two, all else one.
                    let across = star(&mut groups.into_values());
                    let all = star(&mut extra.iter().map(|(_, extra)| *extra));
                    across + (all - across) / 2.0
                }
            };
            cost <= t
        }
    }
}

fn best(table: &Table, plan: &Plan) -> Option<Node> {
    let hierarchies: Vec<_> = plan
        .columns
        .iter()
        .filter(|column| column.role == Role::QuasiIdentifier)
        .map(|column| {
            let lines = lines(column.hierarchy.as_ref().unwrap());
            (table.column_index(&column.name).unwrap(), lines)
        })
        .collect();
    let sizes: Vec<usize> = plan
        .columns
        .iter()
        .filter(|column| column.role == Role::QuasiIdentifier)
        .filter_map(|column| column.hierarchy.as_ref())
        .map(Hierarchy::levels)
        .collect();
    let limit = (plan.privacy.suppression_limit * table.rows() as f64).floor() as usize;
    all_levels(&sizes)
        .iter()
        .map(|levels| evaluate(table, &hierarchies, levels, plan))
        .filter(|node| node.3 <= limit)
        .min_by(|one, other| one.partial_cmp(other).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn the_search_finds_what_enumeration_finds(case in case()) {
        let Case { table, plan } = &case;
        match (best(table, plan), anonymise(table, plan, &[1; 32])) {
            (Some((product, _, levels, suppressed, classes)), Ok(release)) => {
                let report = release.report;
                let chosen: Vec<usize> = report.levels.iter().map(|(_, level, _)| *level).collect();
                prop_assert_eq!(chosen, levels.clone());
                prop_assert_eq!((report.suppressed, report.classes), (suppressed, classes));
                let score = product.powf(1.0 / levels.len() as f64) - 1.0;
                prop_assert!((report.loss - score).abs() < 1e-12);
                prop_assert!(report.nodes_checked <= report.nodes_in_lattice);
            }
            (None, Err(AnonymiseError::OutOfReach { .. })) => {}
            (expected, found) => prop_assert!(false, "expected {expected:?}, found {found:?}"),
        }
    }
}
