//! What a second node measures of an output alone, and what whoever has the original measures besides.

use medshare_anonymiser::{
    AnonymiseError, Disclosure, Distance, LinkageError, Measures, Model, Plan, Role, Table,
    anonymise, linkage, measure, promises,
};
use proptest::prelude::*;

use crate::properties::{Case, case};
use crate::records::Records;

fn plan(json: &str) -> Plan {
    serde_json::from_str(json).unwrap()
}

fn ages_and_codes() -> Plan {
    plan(
        r#"{"columns": [{"name": "age", "role": "quasi-identifier"}, {"name": "code", "role": "sensitive"}],
            "privacy": {"k": 2, "suppression_limit": 1.0}}"#,
    )
}

fn near(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-12
}

#[test]
fn each_figure_of_a_small_table() {
    // Classes: {1, 1, 2, 4} and {1, 2, 2, 4}; of the table 1 is 3/8, 2 is 3/8, 4 is 2/8.
    let csv = b"age,code\na,1\na,1\na,2\na,4\nb,1\nb,2\nb,2\nb,4\n";
    let table = Table::from_csv(csv, b',').unwrap();
    let measures = measure(&table, &ages_and_codes());
    let [found] = &measures.sensitive[..] else {
        panic!("{measures:?}")
    };
    assert_eq!((found.values, found.distinct_l), (3, 3));
    assert!(near(found.entropy_l, 2.0_f64.powf(1.5)));
    assert_eq!(found.recursive_c, Some(1.0));
    assert!(near(found.t_equal, 0.125));
    assert!(near(found.t_ordered.unwrap(), 0.125 / 2.0));
    assert_eq!(found.t_hierarchical, None);
    let delta = (0.25_f64 / 0.375).log2().abs();
    assert!(near(found.delta.unwrap(), delta) && near(found.delta_present, delta));
    assert!(near(found.beta, 1.0 / 3.0));
    assert_eq!((found.guessed, found.guessed_blindly), (0.5, 0.375));
    assert_eq!(measures.linkage.expected, 0.25);
    assert_eq!(measures.linkage.attacks, 8);
}

#[test]
fn a_class_of_one_value_has_no_c_and_no_delta() {
    let table = Table::from_csv(b"age,code\na,1\na,1\nb,1\nb,2\n", b',').unwrap();
    let found = &measure(&table, &ages_and_codes()).sensitive[0];
    assert_eq!((found.distinct_l, found.entropy_l), (1, 1.0));
    assert_eq!((found.recursive_c, found.delta), (None, None));
    assert!(near(found.delta_present, 1.0));
    // In the second class 2 is twice as likely as in the table; in the first 1 is by a third.
    assert!(near(found.beta, 1.0));
    let nothing = Table::from_csv(b"age,code\n", b',').unwrap();
    let measures = measure(&nothing, &ages_and_codes());
    assert_eq!(measures.linkage.attacks, 0);
    assert_eq!(measures.sensitive[0].distinct_l, 0);
    assert!(
        !serde_json::to_string(&measures)
            .unwrap()
            .contains("null,null,null")
    );
}

#[test]
fn what_older_nodes_wrote_is_still_read() {
    let old = r#"{"rows": 2, "k": 2, "classes": 1, "unique_share": 0.0, "risks": {"prosecutor_highest": 0.5,
        "prosecutor_average": 0.5, "journalist_highest": 0.5, "journalist_average": 0.5, "marketer": 0.5},
        "identifiers": []}"#;
    let read: Measures = serde_json::from_str(old).unwrap();
    assert!(read.sensitive.is_empty() && read.safe_harbor.lines.is_empty());
}

#[test]
fn an_attack_with_the_original() {
    let mut plan = ages_and_codes();
    let lines = b"31;30-39;*\n34;30-39;*\n47;40-49;*\n42;40-49;*\n80;80-89;*\n";
    let tree = medshare_anonymiser::Hierarchy::from_csv(lines, b';').unwrap();
    plan.columns[0].hierarchy = Some(tree);
    let original =
        Table::from_csv(b"age,code\n31,a\n34,b\n80,c\n47,d\n42,e\n31,f\n", b',').unwrap();
    // Three in their thirties, two in their forties; 80 is suppressed.
    let release = Table::from_csv(
        b"age,code\n30-39,a\n30-39,b\n40-49,d\n40-49,e\n30-39,f\n",
        b',',
    )
    .unwrap();
    let linked = linkage(&original, &release, &plan).unwrap();
    assert_eq!((linked.persons, linked.released), (6, 5));
    assert!(near(linked.of_all.expected, 2.0 / 6.0));
    assert!(near(linked.expected_of_released, 2.0 / 5.0));
    assert_eq!(linked.highest, 0.5);
    // A cell may be at any level: 31 is of both classes.
    let mixed =
        Table::from_csv(b"age,code\n30-39,a\n30-39,b\n40-49,d\n40-49,e\n*,f\n", b',').unwrap();
    let linked = linkage(&original, &mixed, &plan).unwrap();
    assert!(near(linked.of_all.expected, 5.0 / 3.0 / 6.0));

    let strange = Table::from_csv(b"age,code\n50-59,a\n", b',').unwrap();
    let error = linkage(&original, &strange, &plan).unwrap_err();
    assert_eq!(error, LinkageError::NotOfThisTable { rows: 1 });
    let without = original.select(&[1]);
    let error = linkage(&without, &release, &plan).unwrap_err();
    assert!(error.to_string().starts_with("column `age` of the release"));
}

/// The closed form, and attacks carried out, on 30,162 real records.
#[test]
fn attacks_on_adult_succeed_as_often_as_expected() {
    let Some(table) = Records::Adult.table() else {
        return;
    };
    let (table, plan) = Records::Adult.arranged(&table, None, 0.05);
    let release = anonymise(&table, &plan, &[0; 32]).unwrap();
    let measured = measure(&release.table, &plan).linkage;
    let linked = linkage(&table, &release.table, &plan).unwrap();
    println!("{measured:?} {linked:?}");
    assert_eq!(linked.released, release.table.rows());
    assert!(near(measured.expected, linked.expected_of_released));
    assert!(near(
        measured.expected,
        release.report.risks.prosecutor_average
    ));
    assert_eq!(linked.highest, 1.0 / release.report.k_reached as f64);
    for attack in [measured, linked.of_all] {
        // Far beyond five standard deviations would be a fault of the draws; they are the same on every run.
        let attacks = attack.attacks as f64;
        let expected = attack.expected * attacks;
        let deviation = (expected * (1.0 - attack.expected)).sqrt();
        assert!(
            (attack.successes as f64 - expected).abs() < 5.0 * deviation,
            "{attack:?}"
        );
    }
    let by_itself = linkage(&table, &table, &plan).unwrap();
    assert!(by_itself.of_all.expected > 0.4, "{by_itself:?}");
}

/// Models of a sensitive column, and whether they hold where this was measured: with these figures they do, and with a little
/// less they do not.
fn expected(found: &Disclosure) -> Vec<(Model, bool)> {
    let less = |value: f64| value * (1.0 - 1e-9) - 1e-9;
    let more = |value: f64| value * (1.0 + 1e-9) + 1e-9;
    let distinct = |l| Model::DistinctLDiversity { l };
    let entropy = |l| Model::EntropyLDiversity { l };
    let recursive = |c| Model::RecursiveLDiversity { c, l: 2 };
    let of_values = |every_value| move |delta| Model::DeltaDisclosure { delta, every_value };
    let (delta, present) = (of_values(true), of_values(false));
    let mut models = vec![
        (distinct(found.distinct_l), true),
        (distinct(found.distinct_l + 1), false),
        (entropy(less(found.entropy_l)), true),
        (entropy(more(found.entropy_l)), false),
    ];
    models.extend(match found.recursive_c {
        Some(c) => vec![(recursive(more(c)), true), (recursive(less(c)), false)],
        None => vec![(recursive(1e9), false)],
    });
    models.extend(match found.delta {
        Some(found) if found > 1e-9 => vec![(delta(more(found)), true), (delta(found), false)],
        Some(_) => vec![(delta(1e-6), true)],
        None => vec![(delta(1e9), false)],
    });
    models.push((present(more(found.delta_present)), true));
    if found.delta_present > 1e-9 {
        models.push((present(found.delta_present), false));
    }
    let ordered = found.t_ordered.unwrap();
    for (distance, found) in [
        (Distance::Equal, found.t_equal),
        (Distance::Ordered, ordered),
    ] {
        let closeness = |t| Model::TCloseness { t, distance };
        models.push((closeness(found), true));
        if found > 1e-8 {
            models.push((closeness(less(found)), false));
        }
    }
    models
}

proptest! {
    #[test]
    fn what_is_measured_just_holds(case in case()) {
        let Case { table, mut plan, .. } = case;
        plan.privacy.risks.clear();
        let measures = measure(&table, &plan);
        plan.privacy.k = 1;
        for found in &measures.sensitive {
            prop_assert!(found.guessed_blindly <= found.guessed && found.guessed <= 1.0);
            for (model, holds) in expected(found) {
                for column in &mut plan.columns {
                    let is_this = column.name == found.column;
                    column.models = if is_this { vec![model] } else { Vec::new() };
                }
                prop_assert_eq!(promises(&table, &plan).hold(), holds, "{}: {:?}", model, found);
            }
        }
    }

    /// Of every release the custodian's figures agree with those that anybody measures.
    #[test]
    fn both_sides_of_an_attack_agree(case in case()) {
        let Case { table, plan, .. } = case;
        let release = match anonymise(&table, &plan, &[0; 32]) {
            Ok(release) => release,
            Err(AnonymiseError::Plan(_) | AnonymiseError::OutOfReach { .. }) => return Ok(()),
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        let measures = measure(&release.table, &plan);
        let linked = linkage(&table, &release.table, &plan).unwrap();
        prop_assert_eq!(linked.released, release.table.rows());
        prop_assert!(linked.of_all.expected <= linked.expected_of_released + 1e-12);
        prop_assert!(linked.of_all.successes <= linked.of_all.attacks);
        // A label may be that of more than one level: then a person may be in more classes, and is found less often.
        prop_assert!(linked.expected_of_released <= measures.linkage.expected + 1e-12);
        let again = Table::from_csv(&release.table.to_csv(), b',').unwrap();
        prop_assert_eq!(measure(&again, &plan), measures.clone());
        // Nothing in it is no number, which JSON would write as `null`. (serde_json reads numbers but for their last bit.)
        let json = serde_json::to_string(&measures).unwrap();
        let read: Measures = serde_json::from_str(&json).unwrap();
        for (read, found) in read.sensitive.iter().zip(&measures.sensitive) {
            prop_assert_eq!(read.recursive_c.is_some(), found.recursive_c.is_some());
            prop_assert_eq!(read.delta.is_some(), found.delta.is_some());
            prop_assert!(read.t_ordered.is_some());
        }
        prop_assert_eq!(read.safe_harbor, measures.safe_harbor);
    }

    /// Any two tables are attacked, or told apart.
    #[test]
    fn any_release_is_attacked_or_refused(
        original in prop::collection::vec(("[a-c]", "[a-c*]"), 0..12),
        release in prop::collection::vec(("[a-c*]", "[a-c*]"), 0..12),
    ) {
        let table = |rows: &[(String, String)]| {
            let rows: String = rows.iter().map(|(one, other)| format!("{one},{other}\n")).collect();
            Table::from_csv(format!("x,y\n{rows}").as_bytes(), b',').unwrap()
        };
        let mut plan = plan(r#"{"columns": [{"name": "x", "role": "quasi-identifier"}, {"name": "y", "role": "quasi-identifier"}]}"#);
        if let Ok(linked) = linkage(&table(&original), &table(&release), &plan) {
            prop_assert!(linked.released <= linked.persons);
            prop_assert!((0.0..=1.0).contains(&linked.of_all.expected));
            prop_assert!(linked.highest <= 1.0);
        }
        plan.columns[0].role = Role::Plain;
        let _ = linkage(&table(&original), &table(&release), &plan);
    }
}

/// What a rule made, and what was coded before it, is attacked like any hierarchy; what was aggregated is no help.
#[test]
fn releases_by_rules_and_aggregates_are_attacked_too() {
    let csv: String = (0..60)
        .map(|row| {
            format!(
                "{},{},{}\n",
                20 + row % 75,
                ["f", "m"][row % 2],
                40 + row % 7
            )
        })
        .collect();
    let table = Table::from_csv(format!("age,sex,weight\n{csv}").as_bytes(), b',').unwrap();
    let plan: Plan = serde_json::from_str(
        r#"{"columns": [
            {"name": "age", "role": "quasi-identifier", "rule": {"kind": "intervals", "widths": [10, 40]}, "top": 80},
            {"name": "sex", "role": "quasi-identifier"},
            {"name": "weight", "role": "quasi-identifier", "aggregate": "mean"}
        ], "privacy": {"k": 3, "suppression_limit": 0.2}}"#,
    )
    .unwrap();
    let release = anonymise(&table, &plan, &[1; 32]).unwrap();
    let report = &release.report;
    assert!(
        report
            .levels
            .iter()
            .any(|(name, level, _)| name == "age" && *level > 0)
    );
    let linked = linkage(&table, &release.table, &plan).unwrap();
    assert_eq!((linked.persons, linked.released), (60, report.rows_out));
    assert!(
        linked.highest > 0.0 && linked.highest <= 1.0 / 3.0,
        "{linked:?}"
    );
    let expected = report.classes as f64 / report.rows_out as f64;
    assert!(
        (linked.expected_of_released - expected).abs() < 1e-9,
        "{linked:?}"
    );
}
