//! What is held at once on the way from text to text: a program of its own, with one test, that counts every byte that this process
//! has allocated.
#![allow(clippy::unwrap_used)]

use std::alloc::System;
use std::io;

use cap::Cap;
use medshare_anonymiser::{Plan, Table, anonymise, linkage, measure, promises, rank};
use rayon::ThreadPoolBuilder;

#[global_allocator]
static ALLOCATED: Cap<System> = Cap::new(System, usize::MAX);

const ROWS: usize = 200_000;
/// Of whose words two thirds of the rows are made.
const COMMON: usize = 2_000;

const COLUMNS: [(&str, &[&str]); 6] = [
    ("sex", &["Female", "Male"]),
    (
        "marital-status",
        &[
            "Divorced",
            "Married-civ-spouse",
            "Never-married",
            "Separated",
            "Widowed",
        ],
    ),
    (
        "education",
        &[
            "Bachelors",
            "Doctorate",
            "HS-grad",
            "Masters",
            "Some-college",
        ],
    ),
    (
        "native-country",
        &[
            "Canada",
            "Germany",
            "Mexico",
            "Philippines",
            "United-States",
        ],
    ),
    (
        "workclass",
        &[
            "Federal-gov",
            "Local-gov",
            "Private",
            "Self-emp-not-inc",
            "State-gov",
        ],
    ),
    (
        "occupation",
        &[
            "Adm-clerical",
            "Craft-repair",
            "Exec-managerial",
            "Handlers-cleaners",
            "Prof-specialty",
            "Transport-moving",
        ],
    ),
];

/// A census without names, some 80 bytes a row. Rows are not drawn evenly: people are more alike than that.
fn text() -> String {
    let mut text = String::with_capacity(ROWS * 90);
    text += "age";
    for (name, _) in COLUMNS {
        text += ",";
        text += name;
    }
    text += "\n";
    for row in 0..ROWS {
        let who = if row % 3 == 0 { row } else { row % COMMON };
        let mut drawn = (who as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut draw = |below: usize| {
            drawn = (drawn ^ drawn >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            (drawn >> 33) as usize % below
        };
        text += &(17 + draw(70)).to_string();
        for (_, words) in COLUMNS {
            text += ",";
            text += words[draw(words.len())];
        }
        text += "\n";
    }
    text
}

fn plan() -> Plan {
    let mut columns = vec![serde_json::json!({
        "name": "age", "role": "quasi-identifier", "rule": {"kind": "intervals", "widths": [5, 10, 20]}
    })];
    let others =
        COLUMNS.map(|(name, _)| serde_json::json!({"name": name, "role": "quasi-identifier"}));
    columns.extend(others);
    let plan =
        serde_json::json!({"columns": columns, "privacy": {"k": 5, "suppression_limit": 0.05}});
    serde_json::from_value(plan).unwrap()
}

/// As `medshare anonymise` does it.
fn from_text_to_text(text: String, plan: &Plan) {
    let table = Table::from_csv(text.as_bytes(), b',').unwrap();
    drop(text);
    let release = anonymise(&table, plan, &[0; 32]).unwrap();
    assert!(release.report.suppressed > 0, "so that no column is shared");
    assert!(promises(&release.table, plan).hold());
    let linked = linkage(&table, &release.table, plan).unwrap();
    assert_eq!(linked.persons, ROWS);
    assert!(rank(&table, plan).unique_share >= rank(&release.table, plan).unique_share);
    assert!(measure(&release.table, plan).k >= 5);
    drop(table);
    release.table.write_csv(io::sink()).unwrap();
}

#[test]
fn the_release_is_never_held_as_text() {
    let text = text();
    let bytes = text.len();
    let plan = plan();
    // What waits to be read or written is so much for each thread.
    let pool = ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    pool.install(|| from_text_to_text(text, &plan));
    let most = ALLOCATED.max_allocated();
    println!("{most} bytes at most, of {bytes} of text");
    // Two tables of codes, and what is counted of them, are some twice as much. The text of the release would be as much again, or twice
    // that where its blocks are put together.
    let limit = bytes / 2 * 5;
    assert!(most < limit, "{most} bytes at most, of {bytes} of text");
}
