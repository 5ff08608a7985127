//! How much of the lattice a first release of a table of ordinary size may look at: work is counted, not timed.

use medshare_anonymiser::{ColumnPlan, Hierarchy, Plan, Privacy, Role, Table, anonymise};

const ROWS: usize = 10_000;
const QUASI_IDENTIFIERS: usize = 6;
const VALUES: usize = 256;

/// Values 0 to 255 in ranges of 4, 16 and 64.
fn ranges() -> Hierarchy {
    let line = |value: usize| {
        let range = |width: usize| format!("{}+{width}", value / width * width);
        format!("{value};{};{};{};*", range(4), range(16), range(64))
    };
    let lines: Vec<String> = (0..VALUES).map(line).collect();
    Hierarchy::from_csv(lines.join("\n").as_bytes(), b';').unwrap()
}

/// Skewed, independent columns from a linear congruential generator (Knuth's MMIX constants).
fn table(names: &[String]) -> Table {
    let mut state = 17_u64;
    let mut builder = Table::builder(names.to_vec()).unwrap();
    for _ in 0..ROWS {
        let cells: Vec<String> = names
            .iter()
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let uniform = (state >> 40) as f64 / (1 << 24) as f64;
                ((uniform * uniform * VALUES as f64) as usize).to_string()
            })
            .collect();
        builder.push_row(cells).unwrap();
    }
    builder.finish()
}

#[test]
fn ten_thousand_rows_of_six_quasi_identifiers_need_a_twentieth_of_the_lattice() {
    let names: Vec<String> = (0..QUASI_IDENTIFIERS)
        .map(|column| format!("q{column}"))
        .collect();
    let table = table(&names);
    let column =
        |name: String| ColumnPlan::new(name, Role::QuasiIdentifier).generalised_by(ranges());
    let plan = Plan {
        columns: names.into_iter().map(column).collect(),
        privacy: Privacy::default(),
    };
    let report = anonymise(&table, &plan, &[0; 32]).unwrap().report;
    assert_eq!(report.nodes_in_lattice, 15_625);
    assert!(
        report.nodes_checked < report.nodes_in_lattice / 20,
        "{report:?}"
    );
    assert!(report.suppressed > 0 && report.k_reached >= 5);
}
