//! Judges on classes whose answer is known.
#![allow(clippy::unwrap_used)]
use super::ground::in_order;
use super::*;
use crate::hierarchy::Hierarchy;
use crate::table::Table;

/// A judge for a column of these values, and a verdict on the class of those rows.
fn judged(model: Model, table: &[&str], rows: &[usize], hierarchy: Option<&str>) -> (bool, f64) {
    let csv = format!("x\n{}\n", table.join("\n"));
    let table = Table::from_csv(csv.as_bytes(), b',').unwrap();
    let column = &table.columns()[0];
    let hierarchy = hierarchy.map(|csv| Hierarchy::from_csv(csv.as_bytes(), b';').unwrap());
    let judge = Judge::new(model, column, hierarchy.as_ref());
    let mut class = Histogram::of(column.values().len());
    for &row in rows {
        class.add(column.codes()[row], 1);
    }
    (judge.accepts(&mut class), judge.distance(&mut class))
}

/// Salaries of the paper's example in §4.1, in thousands: {3, 4, 5} are 0.375 away, {6, 8, 11} are 0.167.
const SALARIES: [&str; 9] = ["3", "4", "5", "6", "11", "8", "7", "9", "10"];

#[test]
fn the_examples_of_the_paper_on_t_closeness() {
    let model = |t| Model::TCloseness {
        t,
        distance: Distance::Ordered,
    };
    let (_, low) = judged(model(1.0), &SALARIES, &[0, 1, 2], None);
    assert!((low - 0.375).abs() < 1e-12, "{low}");
    let (_, spread) = judged(model(1.0), &SALARIES, &[3, 4, 5], None);
    assert!((spread - 1.0 / 6.0).abs() < 1e-12, "{spread}");
    assert!(judged(model(0.375 + 1e-9), &SALARIES, &[0, 1, 2], None).0);
    assert!(!judged(model(0.37), &SALARIES, &[0, 1, 2], None).0);
}

#[test]
fn coded_ends_are_in_order_with_the_numbers() {
    let cells = ["≥90", "<18", "44", "9e1"];
    let csv = format!("age\n{}\n", cells.join("\n"));
    let table = crate::Table::from_csv(csv.as_bytes(), b',').unwrap();
    assert_eq!(in_order(&table.columns()[0]), [1, 2, 0, 3]);
}

#[test]
fn equal_and_hierarchical_distance() {
    let table = ["flu", "cold", "ulcer", "gastritis"];
    let tree = "flu;lung;*\ncold;lung;*\nulcer;stomach;*\ngastritis;stomach;*\n";
    let model = |distance| Model::TCloseness { t: 0.5, distance };
    // Half a share each of two values that the class lacks.
    let equal = judged(model(Distance::Equal), &table, &[0, 2], None);
    assert_eq!(equal, (true, 0.5));
    // Moved within their groups, it costs half.
    let near = judged(model(Distance::Hierarchical), &table, &[0, 2], Some(tree));
    assert_eq!(near, (true, 0.25));
    // Two of one group: all that is moved is moved to the other one.
    let far = judged(model(Distance::Hierarchical), &table, &[0, 1], Some(tree));
    assert_eq!(far, (true, 0.5));
    let one = judged(model(Distance::Equal), &table, &[0], None);
    assert_eq!(one, (false, 0.75));
}

#[test]
fn diversity_and_disclosure() {
    let table = ["a", "a", "a", "b", "b", "c", "c", "d"];
    let accepts = |model, rows: &[usize]| judged(model, &table, rows, None).0;
    let distinct = |l| Model::DistinctLDiversity { l };
    assert!(accepts(distinct(2), &[0, 1, 3]) && !accepts(distinct(3), &[0, 1, 3]));
    let entropy = |l| Model::EntropyLDiversity { l };
    assert!(accepts(entropy(2.0), &[0, 3]) && !accepts(entropy(2.0), &[0, 1, 3]));
    for l in 2..200_u32 {
        let values: Vec<String> = (0..l).map(|value| value.to_string()).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let rows: Vec<usize> = (0..l as usize).collect();
        let judged = |l| judged(entropy(l), &values, &rows, None).0;
        assert!(judged(f64::from(l)) && !judged(f64::from(l) + 1e-6), "{l}");
    }
    // Counts 3, 2, 1: 3 < c (2 + 1) for l = 2.
    let recursive = |c, l| Model::RecursiveLDiversity { c, l };
    let rows = [0, 1, 2, 3, 4, 5];
    assert!(accepts(recursive(1.01, 2), &rows) && !accepts(recursive(1.0, 2), &rows));
    assert!(accepts(recursive(3.01, 3), &rows) && !accepts(recursive(9.0, 4), &rows));
    for every_value in [false, true] {
        let delta = |delta| Model::DeltaDisclosure { delta, every_value };
        assert!(accepts(delta(0.01), &[0, 1, 2, 3, 4, 5, 6, 7]));
        // d is missing.
        assert_eq!(accepts(delta(9.0), &[0, 1, 2, 3, 4, 5, 6]), !every_value);
        assert!(accepts(delta(1.1), &[0, 3, 5, 7]) && !accepts(delta(1.0), &[0, 3, 5, 7]));
    }
}

#[test]
fn parameters_that_mean_nothing_are_named() {
    let distance = Distance::Equal;
    for model in [
        Model::DistinctLDiversity { l: 0 },
        Model::EntropyLDiversity { l: 0.9 },
        Model::EntropyLDiversity { l: f64::NAN },
        Model::RecursiveLDiversity { c: 0.0, l: 1 },
        Model::RecursiveLDiversity { c: 1.0, l: 0 },
        Model::TCloseness { t: 1.1, distance },
        Model::DeltaDisclosure {
            delta: f64::INFINITY,
            every_value: false,
        },
    ] {
        assert!(model.fault().is_some(), "{model:?}");
    }
    assert_eq!(Model::TCloseness { t: 0.2, distance }.fault(), None);
}

proptest::proptest! {
    /// However a class is divided, the parts that are not accepted have as many rows as its verdict says.
    #[test]
    fn a_verdict_holds_of_parts(
        rows in proptest::collection::vec((0_u8..4, 0_u8..5, proptest::bool::ANY), 1..60),
        bound in 0.02..0.7_f64,
        which in 0_usize..4,
    ) {
        let distance = [Distance::Equal, Distance::Ordered, Distance::Hierarchical];
        let model = match distance.get(which) {
            Some(&distance) => Model::TCloseness { t: bound, distance },
            None => Model::EntropyLDiversity { l: 1.0 + 4.0 * bound },
        };
        let csv: String = rows.iter().map(|(value, ..)| format!("{value}\n")).collect();
        let table = Table::from_csv(format!("x\n{csv}").as_bytes(), b',').unwrap();
        let column = &table.columns()[0];
        let tree = Hierarchy::from_csv(b"0;a;*\n1;a;*\n2;b;*\n3;b;*\n", b';').unwrap();
        let judge = Judge::new(model, column, Some(&tree));
        let verdict = |wanted: &dyn Fn(u8, bool) -> bool| {
            let mut class = Histogram::of(column.values().len());
            for (&code, &(_, part, inside)) in column.codes().iter().zip(&rows) {
                if wanted(part, inside) {
                    class.add(code, 1);
                }
            }
            class.settle();
            (class.rows, (class.rows > 0).then(|| judge.verdict(&mut class)))
        };
        let (_, whole) = verdict(&|_, inside| inside);
        let rejected = (0..5).map(|number| match verdict(&|part, inside| inside && part == number) {
            (rows, Some(verdict)) if !verdict.accepts => rows,
            _ => 0,
        });
        let least = whole.map_or(0, |verdict| verdict.rejected_of_parts);
        proptest::prop_assert!(least <= rejected.sum::<u64>());
    }
}
