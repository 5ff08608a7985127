//! The optimum by enumeration, written from the definition and sharing nothing with the search.

use std::collections::HashMap;

use medshare_anonymiser::{AnonymiseError, Hierarchy, Plan, Role, Table, anonymise};
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
    k: usize,
) -> Node {
    let rows: Vec<Vec<&str>> = (0..table.rows())
        .map(|row| {
            let columns = hierarchies.iter().zip(levels);
            columns
                .map(|((column, lines), &level)| lines[table.value(row, *column)][level].as_str())
                .collect()
        })
        .collect();
    let mut sizes: HashMap<&[&str], usize> = HashMap::new();
    for row in &rows {
        *sizes.entry(row).or_default() += 1;
    }
    let suppressed = rows.iter().filter(|row| sizes[&row[..]] < k).count();
    let mut product = 1.0;
    for (position, ((_, lines), &level)) in hierarchies.iter().zip(levels).enumerate() {
        let leaves = |label: &str| lines.values().filter(|line| line[level] == label).count();
        let weight: usize = rows
            .iter()
            .map(|row| {
                if sizes[&row[..]] < k {
                    lines.len()
                } else {
                    leaves(row[position])
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
    let classes = sizes.values().filter(|&&size| size >= k).count();
    (
        product,
        levels.iter().sum(),
        levels.to_vec(),
        suppressed,
        classes,
    )
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
        .filter_map(|column| column.hierarchy.as_ref())
        .map(Hierarchy::levels)
        .collect();
    let limit = (plan.privacy.suppression_limit * table.rows() as f64).floor() as usize;
    all_levels(&sizes)
        .iter()
        .map(|levels| evaluate(table, &hierarchies, levels, plan.privacy.k))
        .filter(|node| node.3 <= limit)
        .min_by(|one, other| one.partial_cmp(other).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

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
