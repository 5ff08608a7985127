//! Mondrian: classes that are cut one by one.

use medshare_anonymiser::{
    AnonymiseError, Hierarchy, LinkageError, Method, Metric, Plan, Table, anonymise,
    anonymise_within, linkage, measure, promises,
};
use proptest::prelude::*;

use crate::properties::{Case, case, of};
use crate::records::{CONFIGURATIONS, Records};

fn cut(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    plan.privacy.method = Method::Mondrian;
    plan.privacy.metric = Metric::Loss;
    plan
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn every_promise_is_kept_and_no_row_is_lost(case in case()) {
        let Case { table, population, plan } = case;
        let plan = cut(&plan);
        let release = match anonymise_within(&table, population.as_ref(), &plan, &[5; 32]) {
            Ok(release) => release,
            Err(AnonymiseError::OutOfReach { .. }) => return Ok(()),
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        let report = &release.report;
        prop_assert_eq!((report.rows_out, report.suppressed), (table.rows(), 0));
        prop_assert!((0.0..=1.0).contains(&report.loss));
        let measures = measure(&release.table, &plan);
        // Two classes may be written alike, when they differ in values that the hierarchy puts in one group.
        prop_assert!(measures.k >= report.k_reached && report.k_reached >= plan.privacy.k);
        prop_assert!(measures.classes <= report.classes);
        for limit in &plan.privacy.risks {
            prop_assert!(of(limit, &report.risks) <= limit.at_most, "{limit}: {:?}", report.risks);
        }
        // Without suppression a class's values are compared with the release's own; risks within a population cannot be judged by it, and
        // distances by a hierarchy are not.
        let mut judged = plan.clone();
        judged.privacy.risks.clear();
        for column in &mut judged.columns {
            column.models.retain(|model| !model.needs_hierarchy());
        }
        prop_assert!(promises(&release.table, &judged).hold());
    }

    /// Each value is within what stands for it: the range of numbers.
    #[test]
    fn ranges_cover_their_values(values in prop::collection::vec(0_u32..90, 2..60), k in 2_usize..6) {
        prop_assume!(values.len() >= k);
        let csv: String = values.iter().map(|value| format!("{value}\n")).collect();
        let table = Table::from_csv(format!("age\n{csv}").as_bytes(), b',').unwrap();
        let plan = format!(r#"{{"columns": [{{"name": "age", "role": "quasi-identifier"}}], "privacy": {{"k": {k}, "method": "mondrian"}}}}"#);
        let plan: Plan = serde_json::from_str(&plan).unwrap();
        let release = anonymise(&table, &plan, &[0; 32]).unwrap().table;
        // Its own levels say nothing about what a row became.
        prop_assert_eq!(linkage(&table, &release, &plan).unwrap_err(), LinkageError::Mondrian);
        let mut ranges = Vec::new();
        for (row, value) in values.iter().enumerate() {
            let label = release.value(row, 0);
            let (low, high) = label.split_once('-').unwrap_or((label, label));
            let range: (u32, u32) = (low.parse().unwrap(), high.parse().unwrap());
            prop_assert!(range.0 <= *value && *value <= range.1);
            prop_assert!(values.contains(&range.0) && values.contains(&range.1));
            ranges.push(range);
        }
        ranges.sort_unstable();
        ranges.dedup();
        prop_assert!(ranges.windows(2).all(|pair| pair[0].1 < pair[1].0), "ranges do not overlap");
    }
}

#[test]
fn numbers_and_groups_are_cut() {
    let table = Table::from_csv(
        b"age,ill\n20,flu\n25,flu\n31,cold\n34,cold\n60,ulcer\n61,ulcer\n62,none\n90,none\n",
        b',',
    )
    .unwrap();
    let mut plan: Plan = serde_json::from_str(
        r#"{"columns": [
            {"name": "age", "role": "quasi-identifier"},
            {"name": "ill", "role": "quasi-identifier"}
        ], "privacy": {"k": 2, "method": "mondrian"}}"#,
    )
    .unwrap();
    let tree = b"flu;lung;*\ncold;lung;*\nulcer;other;*\nnone;other;*\n";
    plan.columns[1].hierarchy = Some(Hierarchy::from_csv(tree, b';').unwrap());
    let release = anonymise(&table, &plan, &[0; 32]).unwrap();
    assert_eq!(
        String::from_utf8(release.table.to_csv()).unwrap(),
        "age,ill\n20-25,flu\n20-25,flu\n31-34,cold\n31-34,cold\n60-61,ulcer\n60-61,ulcer\n62-90,none\n62-90,none\n"
    );
    assert_eq!((release.report.classes, release.report.k_reached), (4, 2));
    assert_eq!(
        (release.report.method, release.report.levels.len()),
        (Method::Mondrian, 0)
    );
    // Ages stand for 2 of 8 each, (16 − 8) ÷ (64 − 8), and illnesses for themselves.
    let loss = (1.0 + 8.0_f64 / 56.0).sqrt() - 1.0;
    assert!((release.report.loss - loss).abs() < 1e-9);
    plan.privacy.metric = Metric::Height;
    let refused = anonymise(&table, &plan, &[0; 32]).unwrap_err();
    assert!(refused.to_string().contains("Mondrian"), "{refused}");
}

/// Where full-domain generalisation may not suppress, it loses much more.
#[test]
fn less_is_lost_of_real_records() {
    for records in [Records::Adult, Records::Adult9, Records::Diabetes] {
        let Some(table) = records.table() else {
            continue;
        };
        let is_it =
            |row: &&crate::records::Configuration| row.records == records && row.limit == 0.0;
        let row = CONFIGURATIONS.iter().find(is_it).unwrap();
        let (table, plan) = row.arranged(&table);
        let plan = cut(&plan);
        let release = anonymise(&table, &plan, &[0; 32]).unwrap();
        assert!(
            release.report.loss < row.score / 2.0,
            "{:?}",
            release.report
        );
        assert!(measure(&release.table, &plan).k >= 5);
        println!(
            "{}: {} instead of {}",
            row.name(),
            release.report.loss,
            row.score
        );
    }
}
