#![allow(clippy::unwrap_used)]
use super::*;
use crate::hierarchy::Hierarchy;
use crate::metric::Metric;
use crate::search::Node;
use crate::search::checks::Checks;
use crate::search::coded::QuasiIdentifier;
use crate::search::problem::Goal;
use crate::table::Table;

fn table(csv: &str) -> Table {
    Table::from_csv(csv.as_bytes(), b',').unwrap()
}

fn problem(table: &Table, k: usize) -> Problem<'_> {
    let goal = Goal {
        k,
        limit: 0,
        metric: Metric::Loss,
        risks: Vec::new(),
    };
    let columns = table.columns().iter().map(|column| {
        let hierarchy = Hierarchy::identity(column.values());
        QuasiIdentifier::new(column, table.rows(), &hierarchy, goal.metric).unwrap()
    });
    Problem::new(columns.collect(), Vec::new(), table.rows(), goal)
}

/// Grouped from the distinct rows.
fn check(problem: &Problem<'_>, levels: &[usize]) -> Outcome {
    let distinct = Source {
        levels: &vec![0; levels.len()],
        entries: problem.entries(),
    };
    Checker::new(problem).check(distinct, levels)
}

#[test]
fn classes_and_suppression_are_counted_in_rows() {
    let table = table("a,b\n1,x\n1,x\n1,x\n2,x\n2,y\n1,x\n");
    let problem = problem(&table, 2);
    assert_eq!(problem.entries().rows, [4, 1, 1]);
    let bottom = check(&problem, &[0, 0]);
    assert_eq!(
        (bottom.suppressed, bottom.classes, bottom.smallest_class),
        (2, 1, 4)
    );
    let without_b = check(&problem, &[0, 1]);
    assert_eq!(
        (
            without_b.suppressed,
            without_b.classes,
            without_b.smallest_class
        ),
        (0, 2, 2)
    );
    assert_eq!(
        Node::new(&problem, problem.columns(), &[0, 0]).kept,
        Some(vec![0, 1, 2, 5])
    );
}

/// `columns` columns of `values` values, of which those at even places are alike, and those
/// at odd places too: the classes are those of two columns.
fn alternating(columns: usize, values: usize) -> Table {
    let header: Vec<String> = (0..columns).map(|column| format!("c{column}")).collect();
    let mut csv = header.join(",");
    for row in 0..4 * values * values {
        let cell = |column: usize| if column.is_multiple_of(2) { row } else { row / values } % values;
        let cells: Vec<String> = (0..columns)
            .map(|column| cell(column).to_string())
            .collect();
        csv += &format!("\n{}", cells.join(","));
    }
    table(&csv)
}

#[test]
fn keys_wider_than_64_bits_group_the_same() {
    // 40 × 2 bits fill a key exactly before it is folded; 26 × 5 bits would cross its end.
    for (columns, values) in [(40, 4), (26, 20)] {
        let table = alternating(columns, values);
        let problem = problem(&table, 4);
        let bottom = check(&problem, &vec![0; columns]);
        assert_eq!(
            (bottom.suppressed, bottom.classes, bottom.smallest_class),
            (0, values * values, 4)
        );
        // One column alone, at every place, also across the fold.
        for column in 0..columns {
            let mut levels = vec![1; columns];
            levels[column] = 0;
            assert_eq!(check(&problem, &levels).classes, values, "column {column}");
        }
    }
}

/// The fold must not lose a column that differs from all others.
#[test]
fn a_column_that_crosses_the_end_of_a_key_counts() {
    let header: Vec<String> = (0..13).map(|column| format!("c{column}")).collect();
    let mut csv = header.join(",");
    for row in 0..20 * 20 {
        let mut cells = vec![(row % 20).to_string(); 12];
        cells.push((row / 20).to_string());
        csv += &format!("\n{}", cells.join(","));
    }
    let table = table(&csv);
    let problem = problem(&table, 1);
    assert_eq!(check(&problem, &[0; 13]).classes, 400);
}

/// From what a node is grouped makes no difference, nor how many are checked at the same time.
#[test]
fn nodes_that_are_kept_serve_those_above() {
    let table = alternating(4, 6);
    let problem = problem(&table, 4);
    let all = (0..16).map(|node| (0..4).map(|column| node >> column & 1).collect());
    let all: Vec<Vec<usize>> = all.collect();
    let alone: Vec<Outcome> = all.iter().map(|levels| check(&problem, levels)).collect();
    for width in [1, 3, 16] {
        let mut checks = Checks::new(&problem);
        let found = all.chunks(width).flat_map(|nodes| checks.check_all(nodes));
        assert_eq!(found.collect::<Vec<_>>(), alone, "{width} at a time");
        assert!(checks.kept() > 0);
    }
}
