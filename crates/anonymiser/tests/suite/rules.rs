//! Rules against hierarchies that others wrote, and on real records. What is too large to carry along is looked for beside the
//! checkout, and a test that does not find it says so.

use std::collections::HashMap;
use std::io::Read;
use std::path::PathBuf;

use medshare_anonymiser::{
    Aggregate, ColumnPlan, DateShift, Hierarchy, Plan, Privacy, Role, Rule, Table, anonymise,
    measure, promises,
};

fn file(name: &str) -> Option<Vec<u8>> {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let Ok(bytes) = std::fs::read(data.join(name)) else {
        println!("LEFT OUT: ../shared/data/{name} is not there");
        return None;
    };
    if !name.ends_with(".gz") {
        return Some(bytes);
    }
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&bytes[..])
        .read_to_end(&mut unpacked)
        .unwrap();
    Some(unpacked)
}

fn lines(hierarchy: Hierarchy) -> Vec<Vec<String>> {
    hierarchy.into()
}

fn rule(json: &str) -> Rule {
    serde_json::from_str(json).unwrap()
}

/// The group of each value at one level, groups numbered by first appearance: what is left when labels do not matter.
fn groups(lines: &[Vec<String>], level: usize) -> Vec<usize> {
    let mut known = HashMap::new();
    let labels = lines.iter().map(|line| &line[level]);
    labels
        .map(|label| {
            let next = known.len();
            *known.entry(label).or_insert(next)
        })
        .collect()
}

#[test]
fn intervals_group_ages_as_arx_does() {
    let Some(bytes) = file("adult/adult_hierarchy_age.csv") else {
        return;
    };
    let arx = lines(Hierarchy::from_csv(&bytes, b';').unwrap());
    let ages = arx.iter().map(|line| &line[0]);
    // Its intervals begin with 1, whatever their labels say.
    let made = rule(r#"{"kind": "intervals", "widths": [5, 10, 20], "origin": 1}"#);
    let made = lines(made.hierarchy(ages).unwrap());
    for level in 0..5 {
        assert_eq!(groups(&made, level), groups(&arx, level), "level {level}");
    }
}

#[test]
fn diagnoses_lie_in_the_chapters_of_their_file() {
    let Some(bytes) = file("diabetes130/diabetes130_hierarchy_diag_1.csv") else {
        return;
    };
    let all = lines(Hierarchy::from_csv(&bytes, b';').unwrap());
    // The file knows one group for external causes and other contacts, which are two chapters.
    let numbered = |line: &&Vec<String>| line[0].starts_with(|first: char| first.is_ascii_digit());
    let theirs: Vec<Vec<String>> = all.iter().filter(numbered).cloned().collect();
    let made = rule(r#"{"kind": "icd9"}"#);
    let ours = lines(made.hierarchy(theirs.iter().map(|line| &line[0])).unwrap());
    assert_eq!((theirs.len(), all.len()), (697, 717));
    for level in 0..4 {
        assert_eq!(
            groups(&ours, level),
            groups(&theirs, level),
            "level {level}"
        );
    }
    let codes = all.iter().map(|line| &line[0]).filter(|code| *code != "?");
    assert_eq!(made.hierarchy(codes).unwrap().values(), 716);
}

/// Patients of Synthea, by rules alone.
#[test]
fn patients_are_released_by_rules_and_aggregates() {
    let Some(csv) = file("synthea-patients-22k/patients.csv.gz") else {
        return;
    };
    let patients = Table::from_csv(&csv, b',').unwrap();
    let wanted = ["Id", "BIRTHDATE", "GENDER", "ZIP", "HEALTHCARE_EXPENSES"];
    let positions = wanted.map(|name| patients.column_index(name).unwrap());
    let patients = patients.select(&positions);
    let column = |name: &str, json: Option<&str>| ColumnPlan {
        rule: json.map(rule),
        ..ColumnPlan::new(name, Role::QuasiIdentifier)
    };
    let plan = Plan {
        columns: vec![
            ColumnPlan::new("Id", Role::Pseudonym),
            column("BIRTHDATE", Some(r#"{"kind": "dates"}"#)),
            column("GENDER", None),
            column("ZIP", Some(r#"{"kind": "us-zip", "safe-harbor": true}"#)),
            ColumnPlan {
                aggregate: Some(Aggregate::Mean),
                ..column("HEALTHCARE_EXPENSES", None)
            },
        ],
        privacy: Privacy::default(),
    };
    let release = anonymise(&patients, &plan, &[1; 32]).unwrap();
    let report = &release.report;
    let measured = measure(&release.table, &plan);
    assert!(promises(&release.table, &plan).hold());
    assert_eq!(
        (measured.k, measured.classes),
        (report.k_reached, report.classes)
    );
    assert!(report.suppressed as f64 <= 0.05 * patients.rows() as f64);
    assert_eq!(report.levels.len(), 3);
}

/// Encounters of Synthea: begin and end of a stay are shifted alike, and so are all stays of a patient.
#[test]
fn encounters_keep_how_long_they_took() {
    let Some(csv) = file("synthea-csv-unmc/encounters.csv.gz") else {
        return;
    };
    let encounters = Table::from_csv(&csv, b',').unwrap();
    let wanted = ["PATIENT", "START", "STOP"];
    let positions = wanted.map(|name| encounters.column_index(name).unwrap());
    let encounters = encounters.select(&positions);
    let date = |name: &str| ColumnPlan {
        shift: Some(DateShift {
            by: "PATIENT".into(),
            days: 180,
        }),
        ..ColumnPlan::new(name, Role::Plain)
    };
    let plan = Plan {
        columns: vec![
            ColumnPlan::new("PATIENT", Role::Pseudonym),
            date("START"),
            date("STOP"),
        ],
        privacy: Privacy::default(),
    };
    let release = anonymise(&encounters, &plan, &[1; 32]).unwrap().table;
    let day = |table: &Table, row: usize, column: usize| {
        let date = &table.value(row, column)[..10];
        let parts: Vec<i32> = date.split('-').map(|part| part.parse().unwrap()).collect();
        let month = time::Month::try_from(parts[1] as u8).unwrap();
        let date = time::Date::from_calendar_date(parts[0], month, parts[2] as u8);
        date.unwrap().to_julian_day()
    };
    let mut offsets: HashMap<&str, i32> = HashMap::new();
    for row in 0..encounters.rows() {
        for column in [1, 2] {
            let moved = day(&release, row, column) - day(&encounters, row, column);
            assert!(moved != 0 && moved.abs() <= 180);
            let offset = offsets.entry(encounters.value(row, 0)).or_insert(moved);
            assert_eq!(moved, *offset, "row {row}");
            assert_eq!(
                release.value(row, column)[10..],
                encounters.value(row, column)[10..]
            );
        }
    }
    assert!(offsets.len() > 50);
}
