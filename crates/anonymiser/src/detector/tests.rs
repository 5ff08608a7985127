//! Columns, and what is found in them.
#![allow(clippy::unwrap_used)]
use super::look::UNIQUE_NUMBER_MIN_ROWS;
use super::*;
use crate::table::Table;
use proptest::prelude::*;

fn found(name: &str, cells: &[&str], role: Option<Role>) -> Vec<(&'static str, usize)> {
    let mut builder = Table::builder(vec![name.into(), "other".into()]).unwrap();
    for cell in cells {
        builder.push_row([cell, &""]).unwrap();
    }
    let found = findings(&builder.finish().columns()[0], role);
    found
        .into_iter()
        .map(|finding| (finding.what, finding.hits))
        .collect()
}

#[test]
fn content_gives_identifiers_away() {
    let note = |cell: &str| found("note", &[cell, "", cell], Some(Role::Plain));
    assert_eq!(note("see ada@clinic.example."), [("e-mail address", 2)]);
    assert_eq!(note("(https://x.example/p?id=3)"), [("web address", 2)]);
    assert_eq!(note("from 10.0.0.7"), [("IP address", 2)]);
    assert_eq!(note("192.168.100.100"), [("IP address", 2)]);
    assert_eq!(note("2001:db8::17"), [("IP address", 2)]);
    assert_eq!(note("078-05-1120"), [("social security number", 2)]);
    assert_eq!(note("SSN: 078-05-1120"), [("social security number", 2)]);
    for phone in [
        "+49 228 99307-0",
        "(212) 555-0123",
        "212-555-0123",
        "030 / 1234567",
    ] {
        assert_eq!(note(phone), [("telephone number", 2)], "{phone}");
    }
}

#[test]
fn clinical_content_is_left_alone() {
    let cells = [
        "250.83",
        "E11.9",
        "[70-80)",
        "12345",
        "10000-19999",
        "1000.00-2000.00",
        "2020-01-02",
        "2020-01 - 2020-06",
        "1940-1959",
        "120/80",
        "7.35 - 7.45",
        "10000 - 20000",
        "2020-01/2020-06",
        "::1",
        "Metformin 500 mg",
        "*",
        "@",
        "a@b",
        "::",
    ];
    for role in [Role::Plain, Role::Sensitive, Role::QuasiIdentifier] {
        assert_eq!(found("value", &cells, Some(role)), [], "{role:?}");
    }
}

/// Columns of real systems, each of which looks a little like something else.
#[test]
fn realistic_columns_are_taken_for_nothing() {
    for (name, cells) in [
        (
            "ndc",
            &["50242-040-62", "0003-4215-10", "00002-7597-01"][..],
        ),
        ("loinc", &["2160-0", "4548-4", "1988-5"]),
        (
            "snomed",
            &[
                "124171000119105",
                "16114001000119106",
                "368581000119106",
                "44054006",
            ],
        ),
        ("icd10", &["E11.9", "Z00.00", "S72.001A", "V57"]),
        ("cpt", &["99213", "0001F", "90834"]),
        ("rxnorm", &["308192", "1049221", "313820"]),
        ("oid", &["2.16.840.1.113883.6.1", "1.2.840.10008.1.2"]),
        ("blood_pressure", &["120/80", "135/85", "98/60"]),
        ("platelets", &["150000", "243000", "450000", "199000"]),
        ("creatinine", &["0.2020", "12.1999", "1.05", "10.2020"]),
        ("ratio", &["1:64", "1:128", "3/4", "10:30:15"]),
        (
            "range",
            &["3.5-5.1", "135-145", "10000-19999", "1940-1959", "[70-80)"],
        ),
        (
            "genotype",
            &["c.76A>T", "p.Gly12Asp", "rs1801133", "NM_000546.5"],
        ),
        ("dose", &["500 mg", "2 x 250 mg/d", "0.5 ml", "40 units"]),
        (
            "hash",
            &[
                "d41d8cd98f00b204e9800998ecf8427e",
                "900150983cd24fb0d6963f7d28e17f72",
            ],
        ),
        ("version", &["1.2.3", "v10.4", "4.0.1"]),
        ("first_visit", &["yes", "no"]),
        ("encounter", &["inpatient", "ambulatory"]),
        ("last", &["1", "2", "3"]),
        ("image_type", &["CT", "MR", "XR"]),
        ("lat", &["left", "right", "both"]),
        ("phone_contact", &["yes", "no"]),
        ("time", &["10:30", "23:59:59", "07:15"]),
        ("year", &["1999", "2020", "1850"]),
        ("cost", &["1234.56", "129.16", "5000.00"]),
    ] {
        let mut builder = Table::builder(vec![name.into(), "other".into()]).unwrap();
        for cell in cells {
            builder.push_row([cell, &""]).unwrap();
        }
        let found = all_findings(&builder.finish().columns()[0]);
        assert_eq!(found, [], "{name}");
    }
}

#[test]
fn columns_are_found_by_what_most_of_their_cells_are() {
    let rules = |name: &str, cells: &[&str]| -> Vec<(char, &'static str, usize)> {
        let mut builder = Table::builder(vec![name.into(), "other".into()]).unwrap();
        for cell in cells {
            builder.push_row([cell, &""]).unwrap();
        }
        let found = all_findings(&builder.finish().columns()[0]);
        let found = found.into_iter();
        found
            .map(|found| (found.rule.letter(), found.what, found.hits))
            .collect()
    };
    let made_up = ["999-49-3983", "", "999-17-9786"];
    assert_eq!(rules("x", &made_up), [('G', "social security number", 2)]);
    assert_eq!(rules("x", &["999-49-3983", "a", "b"]), []);
    let cards = ["4111111111111111", "5555555555554444"];
    assert_eq!(rules("x", &cards), [('J', "payment card number", 2)]);
    assert_eq!(rules("x", &["4111111111111111", "12", "13"]), []);
    let references = ["Patient/17", "Patient/18", ""];
    assert_eq!(
        rules("subject", &references),
        [('H', "record or account number", 2)]
    );
    let compact = ["20200131", "20200229103000"];
    assert_eq!(rules("x", &compact), [('C', spans::DATE, 2)]);
    assert_eq!(rules("x", &["20200131", "12345678", "23456789"]), []);
    assert_eq!(
        rules("x", &["02139-4307", "10001-0001"]),
        [('B', "postcode", 2)]
    );
    assert_eq!(rules("LAT", &["40.79", "41.3"]), [('B', "coordinate", 2)]);
    assert_eq!(
        rules("first", &["Ada", "Bob", ""]),
        [('A', "name of a person", 2)]
    );
    assert_eq!(
        rules("id", &["a", "b", "c"]),
        [('R', "number of a record", 3)]
    );
    assert_eq!(rules("id", &["a", "a", "c"]), []);
    assert_eq!(
        rules("city", &["Omaha", "Nebraska", "*", "NE"]),
        [('B', "place smaller than a state", 1)]
    );
    assert_eq!(
        rules("mac", &["00:1a:2b:3c:4d:5e"]),
        [('M', "address of a network device", 1)]
    );
}

#[test]
fn names_give_identifiers_away_unless_declared() {
    assert_eq!(
        found("First_Name", &["Ada", ""], Some(Role::Plain)),
        [("name of a person", 1)]
    );
    assert_eq!(
        found("patient_nbr", &["7"], None),
        [("record or account number", 1)]
    );
    assert_eq!(
        found("birthDate", &["1950-03", "1950"], Some(Role::Sensitive)),
        [("date of birth or death", 1)]
    );
    let years = ["1950", "1940-1959", "*", ""];
    assert_eq!(found("birthDate", &years, Some(Role::Plain)), []);
    assert_eq!(found("phone", &["yes", "no", "?"], Some(Role::Plain)), []);
    assert_eq!(
        found("birthDate", &["1950"], Some(Role::QuasiIdentifier)),
        []
    );
    assert_eq!(found("name", &["Ada"], Some(Role::Identifier)), []);
    assert_eq!(found("drug_name", &["aspirin"], Some(Role::Plain)), []);
}

#[test]
fn dates_count_in_undeclared_columns_only() {
    for date in [
        "2020-01-31",
        "31.01.2020",
        "1/31/2020",
        "2020-01-31T10:00:00",
        "2020/1/31",
    ] {
        assert_eq!(found("when", &[date], None), [("full date", 1)], "{date}");
        assert_eq!(found("when", &[date], Some(Role::Plain)), []);
    }
    for other in [
        "2020-01",
        "2020-40-50",
        "2020-13-14",
        "1.2.3",
        "--",
        "2020-01-x",
    ] {
        assert_eq!(found("when", &[other], None), [], "{other}");
    }
}

#[test]
fn a_number_that_never_repeats_is_found() {
    let numbers: Vec<String> = (0..UNIQUE_NUMBER_MIN_ROWS)
        .map(|row| format!("P{:05}", row))
        .collect();
    let cells: Vec<&str> = numbers.iter().map(String::as_str).collect();
    assert_eq!(
        found("n", &cells, Some(Role::Plain)),
        [("a different number in every row", 100)]
    );
    assert_eq!(found("n", &cells[1..], Some(Role::Plain)), []);
    assert_eq!(found("n", &cells, Some(Role::QuasiIdentifier)), []);
    // Of codes with letters nearly all are enough, and a number in digits may be a measurement.
    let mut repeated = cells.clone();
    repeated[0] = repeated[1];
    let rule = "a different number in every row";
    assert_eq!(found("n", &repeated, Some(Role::Plain)), [(rule, 100)]);
    let twice: Vec<&str> = cells[..60].iter().flat_map(|cell| [*cell; 2]).collect();
    assert_eq!(found("n", &twice, Some(Role::Plain)), []);
    let mut digits: Vec<&str> = cells.iter().map(|cell| &cell[1..]).collect();
    assert_eq!(found("n", &digits, Some(Role::Plain)), [(rule, 100)]);
    digits[0] = digits[1];
    assert_eq!(found("n", &digits, Some(Role::Plain)), []);
}

#[test]
fn a_raw_value_among_pseudonyms_is_found() {
    let good = "0123456789abcdef0123456789abcdef";
    assert_eq!(
        found("mrn", &[good, "", "4711"], Some(Role::Pseudonym)),
        [("cells that are no pseudonym", 1)]
    );
}

proptest! {
    #[test]
    fn no_cell_makes_a_detector_panic(cell in "\\PC{0,30}|[-0-9+./ @:T]{0,20}", name in "\\PC{1,10}") {
        let mut builder = Table::builder(vec![format!("x{name}")]).unwrap();
        builder.push_row([cell]).unwrap();
        let table = builder.finish();
        for role in [None, Some(Role::Plain), Some(Role::Pseudonym)] {
            prop_assert!(findings(&table.columns()[0], role).iter().all(|finding| finding.hits == 1));
        }
    }
}
