//! What is done with columns besides generalising them, as a plan declares it.

use medshare_anonymiser::{
    Aggregate, AnonymiseError, Attacker, ColumnPlan, DateShift, Figure, Hierarchy, Plan, PlanError,
    Privacy, RiskLimit, Role, Rule, Sensitivity, Table, anonymise, anonymise_within, measure,
    promises, rank,
};
use proptest::prelude::*;

const KEY: [u8; 32] = [5; 32];

/// A plan of everything, as a custodian writes it.
fn everything() -> Plan {
    serde_json::from_str(
        r#"{"columns": [
            {"name": "name", "role": "identifier"},
            {"name": "mrn", "role": "pseudonym"},
            {"name": "age", "role": "quasi-identifier", "rule": {"kind": "intervals", "widths": [10, 20]}, "bottom": 18, "top": 90},
            {"name": "born", "role": "quasi-identifier", "rule": {"kind": "dates", "levels": ["year", "decade"]}, "missing": ["unknown"]},
            {"name": "weight", "role": "quasi-identifier", "aggregate": "mean"},
            {"name": "seen", "role": "plain", "shift": {"by": "mrn", "days": 30}},
            {"name": "lactate", "role": "sensitive", "top": 20},
            {"name": "note", "role": "text", "scrub": true},
            {"name": "letter", "role": "text"}
        ], "privacy": {"k": 2, "suppression_limit": 0.0}}"#,
    )
    .unwrap()
}

const CSV: &str = "name,mrn,age,born,weight,seen,lactate,note,letter
Ada,1,93,1927-01-01,60,2020-03-01T08:00,1.5,call 212-555-0123,x
Bob,2,95,1925-05-05,70.5,2020-03-02,25,seen 2020-03-02,x
Cid,3,41,1979-01-01,,2020-03-03,,CID is fine; Bob too,x
Dot,4,44,1976-12-31,80,2020-03-04,20,,x
Eve,5,12,unknown,40,2020-03-05,3,mail eve@clinic.example.,x
Ada,1,17,unknown,50,2020-03-11T08:00,2,ok,x
";

fn everything_released() -> (Table, Plan) {
    let table = Table::from_csv(CSV.as_bytes(), b',').unwrap();
    let plan = everything();
    let release = anonymise(&table, &plan, &KEY).unwrap();
    assert!(promises(&release.table, &plan).hold());
    assert_eq!(measure(&release.table, &plan).identifiers, [""; 0]);
    (release.table, plan)
}

#[test]
fn everything_at_once() {
    let (release, _) = everything_released();
    let names: Vec<&str> = release.column_names().collect();
    assert_eq!(
        names,
        ["mrn", "age", "born", "weight", "seen", "lactate", "note"]
    );
    let shown = release.select(&[1, 2, 3, 5, 6]).to_csv();
    assert_eq!(
        String::from_utf8(shown).unwrap(),
        "age,born,weight,lactate,note
≥90,1920-1929,65.25,1.5,call [phone]
≥90,1920-1929,65.25,≥20,seen [date]
40-49,1970-1979,,,[identifier] is fine; Bob too
40-49,1970-1979,,≥20,
<18,unknown,45,3,mail [email].
<18,unknown,45,2,ok
"
    );
    assert_eq!(release.value(0, 0), release.value(5, 0));
    let seen = [0, 5].map(|row| release.value(row, 4));
    assert!(seen.iter().all(|date| date.ends_with("T08:00")) && seen[0] != "2020-03-01T08:00");
}

#[test]
fn the_report_says_what_was_done() {
    let table = Table::from_csv(CSV.as_bytes(), b',').unwrap();
    let report = anonymise(&table, &everything(), &KEY).unwrap().report;
    let told = report.transformations.iter();
    let told: Vec<String> = told.map(|(name, what)| format!("{name}: {what}")).collect();
    assert_eq!(
        told,
        [
            "name: dropped, as it identifies",
            "mrn: replaced by keyed pseudonyms",
            "age: coded as <18 below 18 and as ≥90 from 90 up; generalised by intervals of 10, 20, to level 1 of 3",
            "born: generalised by dates by year, decade, to level 2 of 3",
            "weight: replaced by the arithmetic mean of its class",
            "seen: dates shifted by up to 30 days, alike for each value of `mrn`",
            "lactate: coded as ≥20 from 20 up",
            "note: scrubbed of what the detectors find and of the record's own identifiers; other names are not found",
            "letter: dropped, as it is free text",
        ]
    );
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(
        serde_json::from_str::<medshare_anonymiser::Report>(&json).unwrap(),
        report
    );
}

#[test]
fn plans_of_everything_survive_serialisation() {
    let json = serde_json::to_string(&everything()).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), everything());
    assert!(
        !serde_json::to_string(&ColumnPlan::new("x", Role::Plain))
            .unwrap()
            .contains("rule")
    );
}

#[test]
fn a_column_reads_naturally_in_toml() {
    let plan: Plan = toml::from_str(
        r#"
        [[columns]]
        name = "age"
        role = "quasi-identifier"
        bottom = 18
        top = 90
        rule = { kind = "intervals", widths = [2.5, 5, 10] }

        [[columns]]
        name = "born"
        role = "quasi-identifier"
        missing = ["unknown"]
        rule = { kind = "dates", levels = ["month", "year"] }

        [[columns]]
        name = "weight"
        role = "quasi-identifier"
        aggregate = "geometric-mean"

        [[columns]]
        name = "seen"
        role = "sensitive"
        shift = { by = "mrn", days = 183 }

        [[columns]]
        name = "note"
        role = "text"
        scrub = true
        "#,
    )
    .unwrap();
    assert_eq!(
        serde_json::to_value(&plan.columns[0]).unwrap(),
        serde_json::json!({
            "name": "age", "role": "quasi-identifier", "bottom": 18, "top": 90,
            "rule": {"kind": "intervals", "widths": [2.5, 5, 10]},
        })
    );
    assert_eq!(plan.columns[2].aggregate, Some(Aggregate::GeometricMean));
    let text = toml::to_string(&plan).unwrap();
    assert_eq!(toml::from_str::<Plan>(&text).unwrap(), plan);
}

#[test]
fn free_text_ranks_high_and_is_not_to_be_found_in_a_release() {
    let plan = everything();
    let table = Table::from_csv(b"note,letter\nok,ok\nseen 2020-03-02,ok\n", b',').unwrap();
    let ranking = rank(&table, &plan);
    assert_eq!(ranking.sensitivity, Sensitivity::High);
    assert_eq!(
        ranking.reasons[0],
        "Column `note` is free text, in which names cannot be found."
    );
    assert_eq!(
        measure(&table, &plan).identifiers,
        [
            "note: free text that is not scrubbed (1 hits)",
            "letter: free text that is to be dropped (2 hits)",
        ]
    );
}

/// What is wrong with the plan when this column is declared otherwise.
fn fault(name: &str, change: impl Fn(&mut ColumnPlan)) -> String {
    let table = Table::from_csv(CSV.as_bytes(), b',').unwrap();
    let mut plan = everything();
    let mut columns = plan.columns.iter_mut();
    change(columns.find(|column| column.name == name).unwrap());
    let error = plan.check(&table).unwrap_err();
    let made = anonymise(&table, &plan, &KEY);
    assert_eq!(made, Err(AnonymiseError::Plan(error.clone())));
    error.to_string()
}

#[test]
fn what_does_not_go_together_is_named() {
    let tree = || Some(Hierarchy::identity(["1"]));
    let shift = |by: &str, days| {
        let by = by.to_owned();
        Some(DateShift { by, days })
    };
    type Change<'a> = &'a dyn Fn(&mut ColumnPlan);
    let changes: [(&str, Change<'_>, &str); 16] = [
        (
            "age",
            &|it| it.hierarchy = tree(),
            "it has a rule and a hierarchy",
        ),
        (
            "born",
            &|it| it.rule = Some(Rule::Dates { levels: vec![] }),
            "dates have one level",
        ),
        (
            "name",
            &|it| it.top = Some(1.into()),
            "the ends of an identifier",
        ),
        (
            "mrn",
            &|it| it.bottom = Some(1.into()),
            "the ends of an identifier",
        ),
        (
            "note",
            &|it| it.bottom = Some(1.into()),
            "the ends of an identifier",
        ),
        ("age", &|it| it.top = Some(18.into()), "nothing is left"),
        (
            "born",
            &|it| it.top = Some(18.into()),
            "only a rule of intervals",
        ),
        (
            "weight",
            &|it| it.top = Some(18.into()),
            "what is aggregated has no",
        ),
        (
            "seen",
            &|it| it.aggregate = Some(Aggregate::Mode),
            "only a quasi-identifier",
        ),
        (
            "weight",
            &|it| it.rule = Some(Rule::Icd9 {}),
            "it is aggregated and generalised",
        ),
        ("seen", &|it| it.scrub = true, "only free text is scrubbed"),
        ("note", &|it| it.missing = vec!["?".into()], "nothing asks"),
        (
            "seen",
            &|it| it.shift = shift("name", 9),
            "its dates are shifted by a column",
        ),
        (
            "seen",
            &|it| it.shift = shift("mrn", 0),
            "dates are shifted by 1 day",
        ),
        (
            "born",
            &|it| it.shift = shift("mrn", 9),
            "only dates of a sensitive or plain",
        ),
        ("seen", &|it| it.top = Some(9.into()), "dates have no ends"),
    ];
    for (name, change, expected) in changes {
        let told = fault(name, change);
        assert!(
            told.starts_with(&format!("column `{name}`: {expected}")),
            "{told}"
        );
    }
    let unused = fault("seen", |it| it.rule = Some(Rule::Icd10 {}));
    assert!(
        unused.starts_with("column `seen` has a hierarchy or a rule but"),
        "{unused}"
    );
}

#[test]
fn cells_that_do_not_fit_are_counted_and_not_quoted() {
    let misfits = |name: &str, values: usize, expected: &str, row: usize| {
        format!(
            "column `{name}` of the table: {values} distinct values are no {expected}, the first in row {row}; correct them, or list what stands for a missing value under `missing`"
        )
    };
    let born = fault("born", |it| it.missing.clear());
    assert_eq!(born, misfits("born", 1, "ISO 8601 dates", 5));
    let seen = |aggregate| {
        fault("seen", |it| {
            *it = ColumnPlan::new("seen", Role::QuasiIdentifier);
            it.aggregate = Some(aggregate);
        })
    };
    assert_eq!(seen(Aggregate::Median), misfits("seen", 6, "numbers", 1));
    assert_eq!(
        seen(Aggregate::GeometricMean),
        misfits("seen", 6, "numbers above 0", 1)
    );
    let note = fault("note", |it| {
        *it = ColumnPlan::new("note", Role::Plain);
        it.top = Some(1.into());
    });
    assert_eq!(note, misfits("note", 5, "numbers", 1));
    let weight = fault("weight", |it| {
        *it = ColumnPlan::new("weight", Role::Plain);
        it.shift = Some(DateShift {
            by: "mrn".into(),
            days: 9,
        });
    });
    assert_eq!(weight, misfits("weight", 5, "ISO 8601 dates to the day", 1));
}

#[test]
fn a_shifted_date_that_leaves_the_calendar_is_an_error() {
    let table = Table::from_csv(
        b"mrn,seen\n1,2020-01-01\n1,0001-01-01\n1,9999-12-31\n",
        b',',
    )
    .unwrap();
    let mut plan = everything();
    plan.columns
        .retain(|column| ["mrn", "seen"].contains(&&*column.name));
    let error = anonymise(&table, &plan, &KEY).unwrap_err();
    assert!(
        matches!(&error, AnonymiseError::DateBeyondYears { column, row: 2 | 3 } if column == "seen"),
        "{error}"
    );
}

#[test]
fn a_population_is_coded_and_its_values_are_covered() {
    let mut plan = everything();
    plan.columns
        .retain(|column| ["age", "weight"].contains(&&*column.name));
    let table = Table::from_csv(b"age,weight\n91,60\n95,70\n41,\n42,50\n", b',').unwrap();
    // It lacks what is aggregated.
    let people = |more: &str| {
        Table::from_csv(format!("age\n91\n95\n41\n42\n{more}\n").as_bytes(), b',').unwrap()
    };
    let release = anonymise_within(&table, Some(&people("99\n-5\n77")), &plan, &KEY).unwrap();
    assert_eq!(release.table.value(0, 0), "≥90");
    // Of three people above 90 and two of 40 to 49.
    assert!((release.report.risks.journalist_highest - 0.5).abs() < 1e-12);
    assert!((release.report.risks.marketer - (2.0 / 3.0 + 1.0) / 4.0).abs() < 1e-12);
    // Without a rule a coded value is one of its own.
    plan.columns.retain(|column| column.name == "age");
    plan.columns[0].rule = None;
    let table = table.select(&[0]).filter_rows(|row| row < 2);
    let release = anonymise_within(&table, Some(&people("99")), &plan, &KEY).unwrap();
    assert_eq!(release.table.to_csv(), "age\n≥90\n≥90\n".as_bytes());
    assert!((release.report.risks.journalist_highest - 1.0 / 3.0).abs() < 1e-12);
    let error = anonymise_within(&table, Some(&people("old")), &plan, &KEY).unwrap_err();
    assert!(
        error.to_string().starts_with(
            "column `age` of the population: 1 distinct values are no numbers, the first in row 5"
        ),
        "{error}"
    );
}

#[test]
fn all_quasi_identifiers_may_be_aggregated() {
    let mut plan = everything();
    plan.columns.retain(|column| column.name == "weight");
    let table = Table::from_csv(b"weight\n60\n70\n81\n", b',').unwrap();
    let release = anonymise(&table, &plan, &KEY).unwrap();
    assert_eq!(release.table.to_csv(), b"weight\n70.3\n70.3\n70.3\n");
    assert_eq!((release.report.classes, release.report.k_reached), (1, 3));
    plan.privacy.risks = vec![RiskLimit {
        attacker: Attacker::Prosecutor,
        figure: Figure::Highest,
        at_most: 0.3,
    }];
    let error = anonymise(&table, &plan, &KEY).unwrap_err();
    assert!(
        matches!(error, AnonymiseError::OutOfReach { .. }),
        "{error}"
    );
    plan.privacy.k = 4;
    let error = anonymise(&table, &plan, &KEY).unwrap_err();
    assert_eq!(
        error,
        AnonymiseError::Plan(PlanError::KAboveRows { k: 4, rows: 3 })
    );
}

/// Diagnoses of one block are near each other, and those of two chapters as far apart as can be.
#[test]
fn a_rule_says_how_near_sensitive_values_are() {
    let mut plan: Plan = serde_json::from_str(
        r#"{"columns": [
            {"name": "sex", "role": "quasi-identifier"},
            {"name": "code", "role": "sensitive", "rule": {"kind": "icd10"},
             "models": [{"model": "t-closeness", "t": 0.3, "distance": "hierarchical"}]}
        ], "privacy": {"k": 2, "suppression_limit": 0.0}}"#,
    )
    .unwrap();
    let level = |plan: &Plan, codes: [&str; 4]| {
        let [a, b, c, d] = codes;
        let csv = format!("sex,code\nf,{a}\nf,{b}\nm,{c}\nm,{d}\n");
        let table = Table::from_csv(csv.as_bytes(), b',').unwrap();
        anonymise(&table, plan, &KEY).unwrap().report.levels[0].1
    };
    assert_eq!(level(&plan, ["E10.1", "I10", "E11.9", "I11.0"]), 0);
    assert_eq!(level(&plan, ["E10.1", "E11.9", "I10", "I11.0"]), 1);
    plan.columns[1].rule = None;
    let table = Table::from_csv(b"sex,code\nf,E10\nf,E11\n", b',').unwrap();
    let error = plan.check(&table).unwrap_err();
    assert!(
        matches!(error, PlanError::ModelWithoutHierarchy { .. }),
        "{error}"
    );
}

fn aggregate() -> impl Strategy<Value = Aggregate> {
    prop_oneof![
        Just(Aggregate::Mean),
        Just(Aggregate::GeometricMean),
        Just(Aggregate::Median),
        Just(Aggregate::Mode),
        Just(Aggregate::Interval),
    ]
}

proptest! {
    /// Whatever is coded and aggregated, a release keeps its promises over all quasi-identifiers, those that are aggregated too.
    #[test]
    fn an_aggregated_release_keeps_every_promise(
        rows in prop::collection::vec((0..100_u32, prop::option::of(1..2_000_u32), 0..3_u8, 1..50_u32), 2..60),
        how in (aggregate(), aggregate()), k in 2..5_usize, limit in 0.0..1.0_f64, share: bool,
    ) {
        let mut csv = "age,weight,sex,height\n".to_owned();
        for (age, weight, sex, height) in &rows {
            let weight = weight.map(|tenths| format!("{}.{}", tenths / 10 + 1, tenths % 10)).unwrap_or_default();
            csv += &format!("{age},{weight},{sex},{height}\n");
        }
        let table = Table::from_csv(csv.as_bytes(), b',').unwrap();
        let mut plan = everything();
        plan.columns.retain(|column| ["age", "weight"].contains(&&*column.name));
        plan.columns[1].aggregate = Some(how.0);
        plan.columns.push(ColumnPlan::new("sex", Role::QuasiIdentifier));
        plan.columns.push(ColumnPlan { aggregate: Some(how.1), ..ColumnPlan::new("height", Role::QuasiIdentifier) });
        plan.privacy = Privacy { k, suppression_limit: if share { limit } else { 0.0 }, ..Privacy::default() };
        if share {
            plan.privacy.risks = vec![RiskLimit { attacker: Attacker::Prosecutor, figure: Figure::Average, at_most: 0.3 }];
        }
        let made = anonymise(&table, &plan, &KEY);
        prop_assert_eq!(&made, &anonymise(&table, &plan, &KEY));
        let Ok(release) = made else { return Ok(()) };
        let measured = measure(&release.table, &plan);
        prop_assert!(release.table.rows() == 0 || (measured.k >= k && promises(&release.table, &plan).hold()));
        prop_assert_eq!((measured.k, measured.classes), (release.report.k_reached, release.report.classes));
        prop_assert!(release.report.suppressed as f64 <= plan.privacy.suppression_limit * rows.len() as f64);
        prop_assert_eq!(release.report.levels.len(), 2);
    }

    /// Free text in a release has no hit of any detector.
    #[test]
    fn a_released_text_is_clean(cells in prop::collection::vec("([a-z .,]|[0-9]{1,3}|078-05-1120|a@b\\.cc|2020-01-02|\\+49 228 99307){0,9}", 1..9)) {
        let mut builder = Table::builder(vec!["note".into()]).unwrap();
        for cell in &cells {
            builder.push_row([cell]).unwrap();
        }
        let mut plan = everything();
        plan.columns.retain(|column| column.name == "note");
        let release = anonymise(&builder.finish(), &plan, &KEY).unwrap().table;
        prop_assert_eq!(measure(&release, &plan).identifiers, [""; 0]);
    }
}
