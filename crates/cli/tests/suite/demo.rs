//! The story, told to the end.

use std::path::Path;

use serde_json::Value;

use super::program::{medshare, succeed};

/// The steps in their order, by a word of their titles.
const STEPS: [&str; 14] = [
    "contract",
    "custodians",
    "registers",
    "asks",
    "downloads",
    "opens",
    "reads",
    "copy",
    "grants again",
    "gives",
    "forged",
    "finds nothing",
    "one byte",
    "small",
];

fn told(args: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let told = succeed(medshare(folder.path()).arg("demo").arg("--json").args(args));
    let left: Vec<_> = folder.path().read_dir().unwrap().collect();
    assert!(left.is_empty(), "the demo left {left:?}");
    serde_json::from_str(&told).unwrap()
}

fn check(told: &Value) {
    assert_eq!(told["passed"], true);
    let steps = told["steps"].as_array().unwrap();
    assert_eq!(steps.len(), STEPS.len(), "{steps:#?}");
    for (step, word) in steps.iter().zip(STEPS) {
        assert!(
            step["title"].as_str().unwrap().contains(word),
            "{step:#?} is not the step `{word}`"
        );
        assert_eq!(step["passed"], true, "{step:#?}");
        assert!(!step["seen"].as_str().unwrap().is_empty());
    }
    let blocks = told["blocks"].as_array().unwrap();
    let says: Vec<_> = blocks
        .iter()
        .map(|block| block["says"].as_str().unwrap())
        .collect();
    assert_eq!(
        says[1..],
        [
            "report 1: decrypt",
            "report 2: read",
            "report 3: copy VIOLATED",
            "report 4: decrypt",
            "report 5: read"
        ]
    );
    assert!(
        blocks
            .iter()
            .all(|block| block["transaction"].as_str().unwrap().starts_with("0x"))
    );
    assert!(
        told["seconds"].as_f64().unwrap() < 60.0,
        "{}",
        told["seconds"]
    );
}

#[test]
fn the_story_ends_as_it_should() {
    check(&told(&["--rows", "2000"]));
}

/// 101,766 real hospital encounters (P9, P12): the custodian's own table and descriptor.
#[test]
fn the_story_ends_as_it_should_on_real_records() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let data = root.join("../shared/data/diabetes130/diabetic_data.csv.gz");
    if !data.is_file() {
        println!("LEFT OUT: {} is not there", data.display());
        return;
    }
    let descriptor = root.join("examples/diabetes130/descriptor.toml");
    let told = told(&[
        "--data",
        data.to_str().unwrap(),
        "--descriptor",
        descriptor.to_str().unwrap(),
    ]);
    check(&told);
    let read = told["steps"][6]["seen"].as_str().unwrap();
    // The optimum at k = 5 and 5 % suppresses 4,542 rows; one of the 50 columns is an identifier.
    assert!(
        read.starts_with("97224 rows, 49 columns, no identifier"),
        "{read}"
    );
}
