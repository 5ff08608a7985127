//! What Safe Harbor finds by content alone, in columns whose names say nothing and in texts; and what it must leave alone.

use medshare_anonymiser::safe_harbor::Verdict;
use medshare_anonymiser::{
    AnonymiseError, ColumnPlan, Plan, Role, Rule, SafeHarborRule, Table, anonymise, safe_harbor,
};

const KEY: [u8; 32] = [0x17; 32];

fn table(name: &str, cells: &[&str]) -> Table {
    let mut builder = Table::builder(vec![name.to_owned(), "dose".to_owned()]).unwrap();
    for cell in cells {
        builder.push_row([cell, &"1"]).unwrap();
    }
    builder.finish()
}

fn plan(columns: Vec<ColumnPlan>) -> Plan {
    let mut plan: Plan = serde_json::from_str(r#"{"columns": []}"#).unwrap();
    plan.columns = columns;
    plan.columns.push(ColumnPlan::new("dose", Role::Plain));
    plan.privacy.k = 2;
    plan.privacy.suppression_limit = 0.0;
    plan.privacy.safe_harbor = true;
    plan
}

/// Letters of the lines of Safe Harbor that are found, and in how many rows, of a column that nobody declared.
fn found_in(name: &str, cells: &[&str]) -> Vec<(char, usize)> {
    let judged = safe_harbor(&table(name, cells), &plan(vec![]));
    let lines = judged.lines.into_iter();
    let found = lines.flat_map(|line| {
        line.found
            .into_iter()
            .map(move |found| (line.letter, found.rows))
    });
    found.collect()
}

fn found(cell: &str) -> String {
    let found = found_in("x", &[cell]);
    found.into_iter().map(|(letter, _)| letter).collect()
}

fn verdict(letter: char, name: &str, cells: &[&str]) -> Verdict {
    let judged = safe_harbor(&table(name, cells), &plan(vec![]));
    judged.lines[letter as usize - 'A' as usize].verdict
}

/// A text as it is released when it is scrubbed.
fn scrubbed(text: &str) -> String {
    let mut note = ColumnPlan::new("note", Role::Text);
    note.scrub = true;
    let release = anonymise(&table("note", &[text, text]), &plan(vec![note]), &KEY).unwrap();
    release.table.value(0, 0).to_owned()
}

#[test]
fn identifiers_are_found_whatever_characters_they_are_written_with() {
    for (cell, letters) in [
        ("078‐05‐1120", "G"),
        ("078–05–1120", "G"),
        ("078−05−1120", "G"),
        ("０７８－０５－１１２０", "G"),
        ("٠٧٨-٠٥-١١٢٠", "G"),
        ("078-\u{200B}05-\u{FEFF}1120", "G"),
        ("(212)\u{A0}555–0123", "D"),
        ("tel.\u{202F}030\u{2009}1234567", "D"),
        ("ａｄａ＠ｃｌｉｎｉｃ．ｅｘａｍｐｌｅ", "F"),
        ("2020‑03‑04", "C"),
        ("２０２０／０３／０４", "C"),
        ("4. Ma\u{308}rz 2020", "C"),
    ] {
        assert_eq!(found(cell), letters, "{cell}");
    }
    assert_eq!(found_in("ａｇｅ", &["９３", "44"]), [('C', 1)]);
    assert_eq!(found_in("zip", &["０２１３９"]), [('B', 1)]);
    let text = "né ☞ SSN 078–05–1120 ☜ vu\u{A0}le ０４/０３/２０２０ ½ dose";
    assert_eq!(scrubbed(text), "né ☞ SSN [ssn] ☜ vu\u{A0}le [date] ½ dose");
}

#[test]
fn what_is_folded_is_coarsened_as_well() {
    let columns = ["age", "zip", "seen"].map(|name| ColumnPlan::new(name, Role::QuasiIdentifier));
    let csv = "age,zip,seen,dose\n９３,０２１３９,2020‑03‑04,1\n９３,０２１３９,2020‑03‑04,2\n";
    let table = Table::from_csv(csv.as_bytes(), b',').unwrap();
    let release = anonymise(&table, &plan(columns.to_vec()), &KEY).unwrap();
    let csv = String::from_utf8(release.table.to_csv()).unwrap();
    assert_eq!(csv, "age,zip,seen,dose\n90+,021,2020,1\n90+,021,2020,2\n");
}

#[test]
fn dates_are_found_in_the_ways_that_people_write_them() {
    for date in [
        "04.03.20",
        "21.8.14",
        "12-31-99",
        "March 4",
        "4 March",
        "March 4th, 2020",
        "4. März 2020",
        "4. März",
        "3. Okt. 2019",
        "4 mars 2020",
        "1er août",
        "2020-Q2",
        "2020-W05",
    ] {
        assert_eq!(found(date), "C", "{date}");
        assert_eq!(scrubbed(&format!("seen {date}, well")), "seen [date], well");
    }
    assert_eq!(found_in("x", &["March", "April", "Mai"]), [('C', 3)]);
}

#[test]
fn places_are_found_by_how_they_are_written() {
    for place in [
        "12 Main Street",
        "Hauptstr. 5",
        "12 rue de la Paix",
        "PO Box 1234",
        "48.137, 11.575",
        "02139-4307",
        "MA 02139",
    ] {
        // Also where all other cells of the column are something else.
        assert_eq!(
            found_in("x", &[place, "none", "many", "few"]),
            [('B', 1)],
            "{place}"
        );
        assert!(
            !scrubbed(&format!("lives at {place}, alone")).contains(place),
            "{place}"
        );
    }
    assert_eq!(found_in("x", &["02139-4307", "02139", "10001"]), [('B', 3)]);
}

/// Where all people live in one town its name is a list of one word.
#[test]
fn one_city_in_all_rows_is_found_by_the_name_of_its_column() {
    for name in [
        "city",
        "town",
        "county",
        "ort",
        "Wohnort",
        "ville",
        "suburb",
        "Ortsteil",
        "localité",
        "home_town",
        "place_of_death",
        "county name",
    ] {
        assert_eq!(found_in(name, &["Boston"; 60]), [('B', 60)], "{name}");
    }
    for name in ["location", "residence", "hospital", "clinic_name", "region"] {
        assert_eq!(
            verdict('B', name, &["Boston"; 60]),
            Verdict::NotDecidable,
            "{name}"
        );
        assert_eq!(
            verdict('B', name, &["Nebraska"; 60]),
            Verdict::NoneFound,
            "{name}"
        );
    }
    assert_eq!(
        verdict('B', "city", &["New York"; 60]),
        Verdict::NotDecidable
    );
    assert_eq!(verdict('B', "city", &["Nebraska"; 60]), Verdict::NoneFound);
}

#[test]
fn words_beside_a_number_say_what_it_is() {
    for (text, letter, left) in [
        ("SSN 078 05 1120 on file", "G", "SSN [ssn] on file"),
        ("SSN ending 1120", "G", "SSN ending [ssn]"),
        (
            "MRN: 12345, stable",
            "H",
            "MRN: [record or account number], stable",
        ),
        ("policy no 4711-22", "I", "policy no [health plan number]"),
        ("acct 12345678", "J", "acct [account number]"),
        (
            "license no. S123-4567",
            "K",
            "license no. [certificate or licence number]",
        ),
        ("plate no. ABC 1234", "L", "plate no. [vehicle number]"),
        ("serial no. PJN123456", "M", "serial no. [device number]"),
        ("DOB 3/4/60", "C", "DOB [date]"),
        ("DOB 3-4", "C", "DOB [date]"),
        ("born 030460", "C", "born [date]"),
        ("aged 93 and well", "C", "aged [age over 89] and well"),
        ("93 years old", "C", "[age over 89] years old"),
        ("a 93-year-old man", "C", "a [age over 89]-year-old man"),
    ] {
        assert_eq!(found(text), letter, "{text}");
        assert_eq!(scrubbed(text), left);
    }
}

#[test]
fn harmless_texts_stay_as_they_are() {
    for text in [
        "5 mg",
        "2 x 250 mg/d for 10 days",
        "ICD 250.83",
        "ICD-10 E11.9",
        "BP 120/80",
        "1.5 - 2.0",
        "7.35 - 7.45",
        "Stage 3",
        "may",
        "may 5 mg be given",
        "May 5 mg",
        "version 4.10.12",
        "v2.10.1",
        "1.2.3",
        "HbA1c 7.2 %, LDL 130 mg/dL, K 4.1",
        "Na 138, K 4.1, Cl 101",
        "10³/µL",
        "5–10 mg",
        "1½ tablets",
        "T2 N1 M0, G2",
        "aged 65",
        "89 years old",
        "for 93 days",
        "90 or older",
        "follow-up of 12 months",
        "3 Chest CT",
        "2 MM ST depression",
        "12 Lead ECG",
        "Atemweg 2",
        "2 cours de chimiothérapie",
        "SG 1.025, 1.030",
        "OR 1.234, 2.345",
        "Type 2 Diabetes Mellitus",
        "SNOMED 124171000119105 (disorder), LOINC 2160-0, RxNorm 308192",
        "OCT 4",
        "the policy of 2019",
        "on account of 5 episodes",
        "chart reviewed",
        "37.5°",
        "45° E of the axis",
        "3/4 of 8500/3, at 10:30",
    ] {
        assert_eq!(found(text), "", "{text}");
        assert_eq!(scrubbed(text), text);
    }
}

/// A kind that is declared adds to what is found: the rule says that these are postcodes, though neither name nor form does.
#[test]
fn what_a_column_is_declared_to_be_switches_no_rule_off() {
    let table = table("x", &["03601"; 4]);
    let mut column = ColumnPlan::new("x", Role::QuasiIdentifier);
    let rule = |json: &str| Some(serde_json::from_str::<Rule>(json).unwrap());
    column.rule = rule(r#"{"kind": "us-zip"}"#);
    let error = anonymise(&table, &plan(vec![column.clone()]), &KEY).unwrap_err();
    assert!(matches!(error, AnonymiseError::IdentifiersLeft { .. }));
    let error = error.to_string();
    assert!(
        error.contains("column `x`: postcode in 4 rows, Safe Harbor (B) geography"),
        "{error}"
    );
    assert!(
        error.contains("generalise it, or let it accept the rule"),
        "{error}"
    );
    column.accept = vec![SafeHarborRule::Geography];
    assert!(anonymise(&table, &plan(vec![column]), &KEY).is_ok());
    // Dates are refused by a rule of postcodes, by column and row.
    let dates = self::table("x", &["03601", "2020-03-04"]);
    let mut column = ColumnPlan::new("x", Role::QuasiIdentifier);
    column.rule = rule(r#"{"kind": "us-zip"}"#);
    let error = anonymise(&dates, &plan(vec![column]), &KEY)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("column `x` of the table: 1 distinct values are no"),
        "{error}"
    );
    // Quarters are finer than a year.
    let mut column = ColumnPlan::new("x", Role::QuasiIdentifier);
    column.rule = rule(r#"{"kind": "dates", "levels": ["quarter", "year"]}"#);
    let dates = self::table("x", &["2020-03-04", "2020-02-05"]);
    let error = anonymise(&dates, &plan(vec![column]), &KEY)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("column `x`: date finer than a year in 2 rows"),
        "{error}"
    );
    // One year of the calendar makes no other age in the column younger.
    assert_eq!(found_in("years", &["1995", "93", "44", "51"]), [('C', 2)]);
}
