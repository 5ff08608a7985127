//! Safe Harbor on real and on made-up records.

use std::io::Read;

use medshare_anonymiser::safe_harbor::{Line, RESTRICTED_PREFIXES, Verdict};
use medshare_anonymiser::{
    AnonymiseError, ColumnPlan, Hierarchy, Plan, PlanError, Role, SafeHarborRule, Table, anonymise,
    measure, rank, safe_harbor,
};
use proptest::prelude::*;

use crate::records::{Records, file};

const KEY: [u8; 32] = [0x17; 32];

fn table(csv: &str) -> Table {
    Table::from_csv(csv.as_bytes(), b',').unwrap()
}

/// A plan with a role for each column; k = 2, no row suppressed.
fn plan(columns: &[(&str, Role)], safe_harbor: bool) -> Plan {
    let mut plan: Plan = serde_json::from_str(r#"{"columns": []}"#).unwrap();
    let columns = columns.iter();
    plan.columns = columns
        .map(|(name, role)| ColumnPlan::new(*name, *role))
        .collect();
    plan.privacy.k = 2;
    plan.privacy.suppression_limit = 0.0;
    plan.privacy.safe_harbor = safe_harbor;
    plan
}

/// A table of Synthea, which has to be found beside the checkout.
fn synthea(name: &str) -> Option<Table> {
    let zipped = file(&format!("synthea-csv-unmc/{name}.csv.gz"))?;
    let mut csv = Vec::new();
    flate2::read::GzDecoder::new(&zipped[..])
        .read_to_end(&mut csv)
        .unwrap();
    Some(Table::from_csv(&csv, b',').unwrap())
}

/// Letter, column and rows of all that is found where nothing is declared; what is found twice by one rule is told once.
fn found(table: &Table) -> Vec<(char, String, usize)> {
    let judged = safe_harbor(table, &plan(&[], false));
    let found = judged.lines.into_iter().flat_map(|line| {
        let letter = line.letter;
        line.found
            .into_iter()
            .map(move |found| (letter, found.column, found.rows))
    });
    let mut found: Vec<_> = found.collect();
    found.dedup();
    found
}

fn check(table: &Table, expected: &[(char, &str, usize)]) {
    let found = found(table);
    let found: Vec<_> = found
        .iter()
        .map(|(letter, column, rows)| (*letter, column.as_str(), *rows))
        .collect();
    assert_eq!(found, expected);
}

/// 35 people are 90 in the records of the census, where ages end there.
#[test]
fn the_census_tells_ages_of_90() {
    let Some(table) = Records::Adult.table() else {
        return;
    };
    check(&table, &[('C', "age", 35)]);
}

/// `[90-100)` says that somebody is under 100: no "single category of age 90 or older". Diagnoses are taken for nothing.
#[test]
fn hospital_encounters_have_two_numbers_and_old_people() {
    let Some(table) = Records::Diabetes.table() else {
        return;
    };
    let rows = 101_766;
    check(
        &table,
        &[
            ('C', "age", 2_793),
            ('H', "encounter_id", rows),
            ('H', "patient_nbr", rows),
            ('R', "encounter_id", rows),
        ],
    );
    // With both of them declared nothing stands in the way of a release.
    let others = (2..table.column_names().count()).collect::<Vec<_>>();
    let others = table.select(&others);
    let columns: Vec<_> = others
        .column_names()
        .map(|name| (name, Role::Plain))
        .collect();
    let measures = measure(&others, &plan(&columns, false));
    assert_eq!(measures.identifiers, Vec::<String>::new());
}

#[test]
fn made_up_patients_have_all_that_patients_have() {
    let Some(table) = synthea("patients") else {
        return;
    };
    check(
        &table,
        &[
            ('A', "FIRST", 111),
            ('A', "LAST", 111),
            ('A', "MAIDEN", 34),
            ('B', "BIRTHPLACE", 111),
            ('B', "ADDRESS", 111),
            ('B', "CITY", 111),
            ('B', "COUNTY", 111),
            ('B', "FIPS", 104),
            ('B', "ZIP", 111),
            ('B', "LAT", 111),
            ('B', "LON", 111),
            ('C', "BIRTHDATE", 111),
            ('C', "DEATHDATE", 11),
            ('G', "SSN", 111),
            ('K', "DRIVERS", 78),
            ('K', "PASSPORT", 69),
            ('R', "Id", 111),
        ],
    );
}

#[test]
fn made_up_events_have_dates_and_references() {
    for (name, dates, references) in [
        (
            "conditions",
            &["START", "STOP"][..],
            &["PATIENT", "ENCOUNTER"][..],
        ),
        ("immunizations", &["DATE"], &["PATIENT", "ENCOUNTER"]),
        ("medications", &["START", "STOP"], &["PATIENT", "ENCOUNTER"]),
        ("procedures", &["START", "STOP"], &["PATIENT", "ENCOUNTER"]),
        ("encounters", &["START", "STOP"], &["PATIENT"]),
    ] {
        let Some(table) = synthea(name) else { return };
        let found = found(&table);
        let of = |wanted: char| -> Vec<&str> {
            let found = found.iter().filter(|(letter, ..)| *letter == wanted);
            found.map(|(_, column, _)| column.as_str()).collect()
        };
        assert_eq!(
            (of('C'), of('H')),
            (dates.to_vec(), references.to_vec()),
            "{name}"
        );
        // Codes, descriptions and costs are taken for nothing.
        let others = found.iter().filter(|(letter, ..)| !"CHR".contains(*letter));
        assert_eq!(others.count(), 0, "{name}: {found:?}");
    }
}

#[test]
fn a_report_has_eighteen_lines_and_says_what_it_cannot_judge() {
    let table = table(
        "ssn,note,mrn,code\n078-05-1120,the patient was seen by her daughter,0123456789abcdef0123456789abcdef,E11\n",
    );
    let mut plan = plan(
        &[
            ("note", Role::Plain),
            ("mrn", Role::Pseudonym),
            ("code", Role::Sensitive),
        ],
        false,
    );
    let judged = safe_harbor(&table, &plan);
    let verdict = |letter: char| judged.lines[letter as usize - 'A' as usize].verdict;
    assert_eq!(judged.lines.len(), 18);
    assert_eq!(verdict('A'), Verdict::NotDecidable);
    assert_eq!(verdict('G'), Verdict::Found);
    assert_eq!(verdict('R'), Verdict::NotDecidable);
    assert_eq!(verdict('F'), Verdict::NoneFound);
    let Line { undecided, .. } = &judged.lines[17];
    assert!(
        undecided[0].contains("`mrn` holds keyed pseudonyms"),
        "{undecided:?}"
    );
    let json = serde_json::to_value(&judged).unwrap();
    assert_eq!(
        json[6],
        serde_json::json!({"letter": "G", "rule": "social-security-numbers", "verdict": "found", "found": [
            {"column": "ssn", "rule": "social-security-numbers", "what": "social security number", "rows": 1, "accepted": false}]})
    );
    let mut ssn = ColumnPlan::new("ssn", Role::Plain);
    ssn.accept = vec![SafeHarborRule::SocialSecurityNumbers];
    plan.columns.push(ssn);
    let judged = safe_harbor(&table, &plan);
    assert_eq!(judged.lines[6].verdict, Verdict::Accepted);
    assert_eq!(judged.violations().count(), 0);
}

/// The verdict of a line, where sixty rows have what `cell` makes of their number.
fn verdict_of(letter: char, name: &str, role: Role, cell: impl Fn(usize) -> String) -> Verdict {
    let rows: String = (0..60)
        .map(|row| format!("\"{}\",1\n", cell(row)))
        .collect();
    let table = table(&format!("{name},dose\n{rows}"));
    let judged = safe_harbor(&table, &plan(&[(name, role), ("dose", Role::Plain)], true));
    judged.lines[letter as usize - 'A' as usize].verdict
}

/// No line says that there is none where words stand that no machine can judge.
#[test]
fn words_that_nobody_controls_are_not_decidable() {
    let families = ["Asimov", "Brontë", "Carver", "Doyle"];
    for role in [Role::Plain, Role::Sensitive, Role::QuasiIdentifier] {
        let of = |letter, cell: &dyn Fn(usize) -> String| verdict_of(letter, "x", role, cell);
        // Two names with capitals; a given name that is common makes it certain.
        assert_eq!(
            of('A', &|_| "Zelda Asimov".to_owned()),
            Verdict::NotDecidable
        );
        assert_eq!(of('B', &|_| "Elk Rapids".to_owned()), Verdict::NotDecidable);
        assert_eq!(of('A', &|_| "Mary Brown".to_owned()), Verdict::Found);
        assert_eq!(
            of('A', &|row| format!("Mary {}", families[row % 4])),
            Verdict::Found
        );
        // Different words in most rows are no list.
        let word = |row: usize| {
            format!(
                "Bo{}ston",
                ["a", "e", "i", "o", "u"][row % 5].repeat(row / 5)
            )
        };
        assert_eq!(of('A', &word), Verdict::NotDecidable);
        assert_eq!(of('B', &word), Verdict::NotDecidable);
        assert_eq!(
            of('A', &|row| word(row).to_lowercase()),
            Verdict::NotDecidable
        );
        // Lists, codes, numbers and states are none of these.
        let controlled: [&dyn Fn(usize) -> String; 5] = [
            &|row| ["metformin", "insulin", "none"][row % 3].to_owned(),
            &|row| ["Never-married", "Married-civ-spouse"][row % 2].to_owned(),
            &|row| format!("E{}.{}", 10 + row % 9, row % 7),
            &|row| format!("{} mg", 5 * row),
            &|row| ["Nebraska", "North Dakota", "New York"][row % 3].to_owned(),
        ];
        for cell in controlled {
            assert_eq!(
                (of('A', cell), of('B', cell)),
                (Verdict::NoneFound, Verdict::NoneFound),
                "{}",
                cell(1)
            );
        }
    }
    // Of free text no word is of a list.
    let word = |_: usize| "Boston".to_owned();
    assert_eq!(
        verdict_of('A', "x", Role::Text, word),
        Verdict::NotDecidable
    );
}

#[test]
fn names_of_columns_tell_persons_and_ages_by_their_cells() {
    for name in ["patient", "subject", "contact", "Vorname", "nom"] {
        assert_eq!(
            verdict_of('A', name, Role::Plain, |_| "Zelda Asimov".to_owned()),
            Verdict::Found,
            "{name}"
        );
    }
    for name in ["Nachname", "nom", "prénom"] {
        assert_eq!(
            verdict_of('A', name, Role::Plain, |_| "Asimov".to_owned()),
            Verdict::Found,
            "{name}"
        );
    }
    for name in ["years", "Alter", "âge"] {
        assert_eq!(
            verdict_of('C', name, Role::Plain, |row| (50 + row % 52).to_string()),
            Verdict::Found,
            "{name}"
        );
        assert_eq!(
            verdict_of('C', name, Role::Plain, |row| (30 + row % 60).to_string()),
            Verdict::NoneFound,
            "{name}"
        );
    }
    // Years of the calendar are no ages.
    assert_eq!(
        verdict_of('C', "years", Role::Plain, |row| (1995 + row % 20)
            .to_string()),
        Verdict::NoneFound
    );
    assert_eq!(
        verdict_of('A', "contact", Role::Plain, |_| "Phone".to_owned()),
        Verdict::NoneFound
    );
}

/// In a column of any name, where the cells have the form and each row its own.
#[test]
fn numbers_without_strokes_are_found_or_not_decidable() {
    for (letter, verdict, from, step) in [
        ('G', Verdict::Found, 123_456_789, 3_120_110),
        ('D', Verdict::Found, 2_125_550_123_u64, 60_017_113),
        ('C', Verdict::Found, 1_583_280_000, 86_417),
        ('B', Verdict::NotDecidable, 10_001, 997),
    ] {
        let number = |row: usize| (from + step * row as u64).to_string();
        assert_eq!(
            verdict_of(letter, "x", Role::Plain, number),
            verdict,
            "{letter}"
        );
        let measured = |row: usize| (from / 1_000 + step * row as u64).to_string();
        assert_eq!(
            verdict_of(letter, "x", Role::Plain, measured),
            Verdict::NoneFound,
            "{letter}"
        );
    }
}

#[test]
fn an_identifier_stops_the_release_whatever_its_role() {
    for (name, cells, rule) in [
        (
            "note",
            ["ask ada@clinic.example", "none"],
            "(F) email-addresses",
        ),
        (
            "x",
            ["078-05-1120", "078-05-1121"],
            "(G) social-security-numbers",
        ),
        ("contact", ["(212) 555-0123", ""], "(D) telephone-numbers"),
        ("mrn", ["4711", "4712"], "(H) medical-record-numbers"),
        ("source", ["10.0.0.7", ""], "(O) ip-addresses"),
        ("car", ["1M8GDM9AXKP042788", ""], "(L) vehicle-identifiers"),
        ("link", ["https://x.example/p", ""], "(N) web-addresses"),
        (
            "picture",
            ["data:image/png;base64,iVBORw0KGgo=", ""],
            "(Q) photographs",
        ),
    ] {
        let table = table(&format!(
            "{name},age\n\"{}\",1\n\"{}\",1\n",
            cells[0], cells[1]
        ));
        for role in [Role::Plain, Role::Sensitive] {
            let mut plan = plan(&[(name, role), ("age", Role::QuasiIdentifier)], false);
            let error = anonymise(&table, &plan, &KEY).unwrap_err();
            let AnonymiseError::IdentifiersLeft { found } = &error else {
                panic!("{name}: {error}");
            };
            assert_eq!(found[0].column, name);
            let text = error.to_string();
            assert!(
                text.contains(rule) && !cells.contains(&text.as_str()),
                "{text}"
            );
            assert!(!text.contains(cells[0]), "{text}");
            // What the second node would refuse, and nothing else.
            plan.columns[0].accept = vec![found[0].rule];
            let release = anonymise(&table, &plan, &KEY).unwrap();
            assert!(measure(&release.table, &plan).identifiers.is_empty());
        }
    }
}

#[test]
fn an_undeclared_identifier_is_named() {
    let table = table("age,contact,home_city\n1,078-05-1120,Omaha\n1,078-05-1121,Elgin\n");
    let plan = plan(&[("age", Role::QuasiIdentifier)], false);
    assert_eq!(
        anonymise(&table, &plan, &KEY).unwrap_err().to_string(),
        "identifiers would be released: column `contact`: social security number in 2 rows, Safe Harbor (G) \
         social-security-numbers; column `home_city`: place smaller than a state in 2 rows, Safe Harbor (B) geography; \
         declare such a column an identifier or a pseudonym, generalise it, or let it accept the rule"
    );
    let harmless = table.select(&[0]);
    assert!(anonymise(&harmless, &plan, &KEY).is_ok());
    let other = Table::from_csv(b"age,dose\n1,2\n1,3\n", b',').unwrap();
    let error = anonymise(&other, &plan, &KEY).unwrap_err();
    assert!(matches!(
        error,
        AnonymiseError::Plan(PlanError::UndeclaredColumn { .. })
    ));
}

#[test]
fn safe_harbor_coarsens_what_it_may() {
    let table = table(
        "name,mrn,birth_date,age,zip,admitted,code\n\
         Ada,1,1931-02-03,93,02139-4307,2020-01-31T10:00:00Z,E11\n\
         Bob,2,1931-05-06,94,2139,2020-02-29T11:00:00Z,I10\n\
         Cid,3,1980-01-01,44,03601,3 March 2021,J45\n\
         Dot,4,1980-02-01,44,89301,4 March 2021,J45\n",
    );
    let plan = plan(
        &[
            ("name", Role::Identifier),
            ("mrn", Role::Pseudonym),
            ("birth_date", Role::QuasiIdentifier),
            ("age", Role::QuasiIdentifier),
            ("zip", Role::QuasiIdentifier),
            ("admitted", Role::Plain),
            ("code", Role::Sensitive),
        ],
        true,
    );
    let release = anonymise(&table, &plan, &KEY).unwrap();
    let csv = String::from_utf8(release.table.select(&[1, 2, 3, 4, 5]).to_csv()).unwrap();
    assert_eq!(
        csv,
        "birth_date,age,zip,admitted,code\n1931,90+,021,2020,E11\n1931,90+,021,2020,I10\n1980,44,000,2021,J45\n1980,44,000,2021,J45\n"
    );
    let coarsened = release.report.coarsened;
    let coarsened = coarsened
        .iter()
        .map(|change| (change.column.as_str(), change.rule.letter(), change.rows));
    assert_eq!(
        coarsened.collect::<Vec<_>>(),
        [
            ("birth_date", 'C', 4),
            ("age", 'C', 2),
            ("zip", 'B', 4),
            ("admitted", 'C', 4)
        ]
    );
    assert_eq!(safe_harbor(&release.table, &plan).violations().count(), 0);
    let linked = medshare_anonymiser::linkage(&table, &release.table, &plan).unwrap();
    assert_eq!(linked.of_all.expected, 0.5);
}

/// A hierarchy is the custodian's: what it leaves is judged, and named.
#[test]
fn safe_harbor_judges_what_a_hierarchy_leaves() {
    let table = table("zip,city,dose\n02139,Omaha,1\n02139,Omaha,1\n");
    let mut plan = plan(
        &[
            ("zip", Role::QuasiIdentifier),
            ("city", Role::QuasiIdentifier),
            ("dose", Role::Plain),
        ],
        true,
    );
    let hierarchy = |text: &str| Some(Hierarchy::from_csv(text.as_bytes(), b';').unwrap());
    plan.columns[0].hierarchy = hierarchy("02139;0213*;*\n");
    plan.columns[1].hierarchy = hierarchy("Omaha;Nebraska;*\n");
    let error = anonymise(&table, &plan, &KEY).unwrap_err().to_string();
    assert!(
        error.contains("column `zip`: postcode in 2 rows, Safe Harbor (B)"),
        "{error}"
    );
    assert!(
        error.contains("column `city`: place smaller than a state in 2 rows"),
        "{error}"
    );
    plan.columns[0].hierarchy = hierarchy("02139;*\n");
    let mut coarse = table.clone();
    for (column, text) in [(0, "021"), (1, "Nebraska")] {
        let csv = String::from_utf8(coarse.to_csv()).unwrap();
        let from = table.value(0, column);
        coarse = Table::from_csv(csv.replace(from, text).as_bytes(), b',').unwrap();
    }
    plan.columns[0].hierarchy = None;
    plan.columns[1].hierarchy = None;
    assert!(anonymise(&coarse, &plan, &KEY).is_ok());
}

#[test]
fn a_pseudonym_is_one_whatever_is_accepted() {
    let table = table("mrn\n4711\n4712\n");
    let mut plan = plan(&[("mrn", Role::Pseudonym)], false);
    plan.columns[0].accept = SafeHarborRule::ALL.to_vec();
    assert_eq!(
        measure(&table, &plan).identifiers,
        ["mrn: cells that are no pseudonym (2 hits)"]
    );
    assert_eq!(safe_harbor(&table, &plan).violations().count(), 1);
    let error = anonymise(&table, &plan, &KEY).unwrap_err();
    let column = "mrn".to_owned();
    assert_eq!(error, PlanError::AcceptWithoutUse { column }.into());
}

#[test]
fn the_same_is_asked_for_in_a_plan() {
    let json = r#"{"columns": [{"name": "x", "role": "plain", "accept": ["names", "other-unique-identifiers"]}], "privacy": {"safe_harbor": true}}"#;
    let plan: Plan = serde_json::from_str(json).unwrap();
    assert!(plan.privacy.safe_harbor && plan.columns[0].accept.len() == 2);
    let again = serde_json::to_string(&plan).unwrap();
    assert!(
        again.contains(r#""safe_harbor":true"#)
            && again.contains(r#""accept":["names","other-unique-identifiers"]"#)
    );
    let bare = serde_json::to_string(&self::plan(&[("x", Role::Plain)], false)).unwrap();
    assert!(
        !bare.contains("safe_harbor") && !bare.contains("accept"),
        "{bare}"
    );
    assert!(serde_json::from_str::<Plan>(&json.replace("names", "nobody")).is_err());
}

/// What stands in no report: a value.
const MARKER: &str = "zq7marker";

fn any_cell() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(format!("{MARKER}@clinic.example")),
        Just(format!("https://{MARKER}.example/{MARKER}")),
        Just(format!(
            "{MARKER} was born on 1931-02-03 in a small town of the north"
        )),
        Just(MARKER.to_owned()),
        Just(format!("{MARKER}078-05-1120 078-05-1120")),
        Just("078-05-1120".to_owned()),
        Just("02139".to_owned()),
        Just("1931-02-03".to_owned()),
        Just("93".to_owned()),
        "[0-9]{1,9}",
        "\\PC{0,20}",
    ]
}

fn any_name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "name",
        "ssn",
        "note",
        "zip",
        "age",
        "birth_date",
        "city",
        "lat",
        "id",
        "mrn",
        "photo",
        "FIRST",
        "x",
    ])
}

fn any_role() -> impl Strategy<Value = Option<Role>> {
    prop::sample::select(vec![
        None,
        Some(Role::Identifier),
        Some(Role::Pseudonym),
        Some(Role::QuasiIdentifier),
        Some(Role::Sensitive),
        Some(Role::Plain),
    ])
}

proptest! {
    /// Whatever is in a table, no report and no error quotes it; and what is released is what the second node takes.
    #[test]
    fn nothing_quotes_a_value(
        one in (any_name(), any_role()),
        other in any_role(),
        cells in prop::collection::vec((any_cell(), any_cell()), 2..12),
        asks: bool,
    ) {
        let mut builder = Table::builder(vec![one.0.to_owned(), "other".to_owned()]).unwrap();
        for (first, second) in &cells {
            builder.push_row([first, second]).unwrap();
        }
        let table = builder.finish();
        let mut declared = plan(&[], asks);
        let roles = [(one.0, one.1), ("other", other)];
        declared.columns = roles
            .iter()
            .filter_map(|(name, role)| Some(ColumnPlan::new(*name, (*role)?)))
            .collect();
        let mut told = serde_json::to_string(&safe_harbor(&table, &declared)).unwrap();
        told += &serde_json::to_string(&measure(&table, &declared)).unwrap();
        told += &serde_json::to_string(&rank(&table, &declared)).unwrap();
        match anonymise(&table, &declared, &KEY) {
            Err(error) => told += &format!("{error} {error:?}"),
            Ok(release) => {
                told += &serde_json::to_string(&release.report).unwrap();
                prop_assert_eq!(measure(&release.table, &declared).identifiers, Vec::<String>::new());
                if asks {
                    prop_assert_eq!(safe_harbor(&release.table, &declared).violations().count(), 0);
                }
                let linked = medshare_anonymiser::linkage(&table, &release.table, &declared).unwrap();
                told += &serde_json::to_string(&linked).unwrap();
            }
        }
        prop_assert!(!told.contains(MARKER), "{}", told);
    }

    /// Of any postcode three digits are left at most, none of the restricted ones.
    #[test]
    fn any_postcode_is_made_coarse(code in "[0-9]{3,9}|[0-9]{5}-[0-9]{4}|[A-Z0-9]{2,4} ?[0-9][A-Z]{2}") {
        let table = table(&format!("zip,dose\n{code},1\n{code},2\n"));
        let plan = plan(&[("zip", Role::QuasiIdentifier), ("dose", Role::Plain)], true);
        let release = anonymise(&table, &plan, &KEY).unwrap();
        let left = release.table.value(0, 0);
        prop_assert!(left.len() == 3 && left.bytes().all(|byte| byte.is_ascii_digit()), "{}", left);
        prop_assert!(!RESTRICTED_PREFIXES.contains(&left));
    }
}
