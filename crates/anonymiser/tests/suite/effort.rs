//! Searches that end before they have proven their optimum.

use medshare_anonymiser::{
    AnonymiseError, ColumnPlan, Effort, Hierarchy, Plan, Privacy, Role, Table, anonymise,
    anonymise_until, anonymise_within,
};
use proptest::prelude::*;

use crate::properties::{Case, case};
use crate::records::{CONFIGURATIONS, Records};

fn of_nodes(plan: &Plan, nodes: usize) -> Plan {
    let mut plan = plan.clone();
    plan.privacy.search = Effort::Nodes(nodes);
    plan
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// What is told of the optimum is true, and of enough nodes the optimum itself comes out.
    #[test]
    fn the_optimum_lies_between_what_is_told_and_what_is_found(case in case(), nodes in 0_usize..60) {
        let Case { table, population, plan } = case;
        let exact = anonymise_within(&table, population.as_ref(), &plan, &[4; 32]);
        let some = anonymise_within(&table, population.as_ref(), &of_nodes(&plan, nodes), &[4; 32]);
        match (&exact, &some) {
            (Ok(exact), Ok(some)) => {
                let (exact, some) = (&exact.report, &some.report);
                prop_assert!(some.nodes_checked <= nodes);
                prop_assert!(exact.score <= some.score);
                match some.at_least {
                    Some(least) => prop_assert!(least <= exact.score && least < some.score),
                    // Another node may cost the same.
                    None => prop_assert_eq!(exact.score, some.score),
                }
            }
            (_, Err(AnonymiseError::Ended { checked })) => prop_assert!(*checked <= nodes),
            (Err(exact), Err(some)) => prop_assert_eq!(exact, some),
            (exact, some) => prop_assert!(false, "{exact:?} {some:?}"),
        }
        let all = anonymise_within(&table, population.as_ref(), &of_nodes(&plan, 100_000), &[4; 32]);
        match (exact, all) {
            (Ok(exact), Ok(mut all)) => {
                all.report.nodes_checked = exact.report.nodes_checked;
                prop_assert_eq!(exact, all);
            }
            (exact, all) => prop_assert_eq!(exact, all),
        }
    }
}

#[test]
fn the_more_nodes_the_nearer_on_real_records() {
    let Some(table) = Records::Adult9.table() else {
        return;
    };
    let row = CONFIGURATIONS
        .iter()
        .find(|row| row.score == 0.2419323650662908);
    let row = row.unwrap();
    let (table, plan) = row.arranged(&table);
    let mut before: Option<(f64, f64)> = None;
    for nodes in [40, 200, 2_000] {
        let report = anonymise(&table, &of_nodes(&plan, nodes), &[0; 32])
            .unwrap()
            .report;
        let least = report.at_least.unwrap_or(report.score);
        assert!(least <= row.score + 1e-9 && row.score <= report.score + 1e-9);
        if let Some((score, bound)) = before {
            assert!(report.score <= score && least >= bound);
        }
        before = Some((report.score, least));
    }
    let (score, least) = before.unwrap();
    assert_eq!(score, least, "2,000 nodes prove it");
    assert!((score - row.score).abs() < 1e-9);
}

/// 16 columns of 8 levels each: 2^48 nodes.
fn wide() -> (Table, Plan) {
    of_columns(16)
}

fn of_columns(count: usize) -> (Table, Plan) {
    let names: Vec<String> = (0..count).map(|column| format!("q{column}")).collect();
    let mut builder = Table::builder(names.clone()).unwrap();
    let mut state = 7_u64;
    for _ in 0..2_000 {
        let cells: Vec<String> = names
            .iter()
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                (state >> 57).to_string()
            })
            .collect();
        builder.push_row(cells).unwrap();
    }
    let line = |value: usize| {
        let levels: Vec<String> = (0..8).map(|level| (value >> level).to_string()).collect();
        levels.join(";")
    };
    let lines: Vec<String> = (0..128).map(line).collect();
    let hierarchy = Hierarchy::from_csv(lines.join("\n").as_bytes(), b';').unwrap();
    let column =
        |name| ColumnPlan::new(name, Role::QuasiIdentifier).generalised_by(hierarchy.clone());
    let plan = Plan {
        columns: names.into_iter().map(column).collect(),
        privacy: Privacy::default(),
    };
    (builder.finish(), plan)
}

#[test]
fn a_lattice_too_large_for_an_exact_search_has_an_answer_and_a_bound() {
    let (table, plan) = wide();
    let refused = anonymise(&table, &plan, &[0; 32]).unwrap_err();
    assert!(matches!(refused, AnonymiseError::LatticeTooLarge { nodes } if nodes == 1 << 48));
    let limited = of_nodes(&plan, 300);
    let once = anonymise(&table, &limited, &[0; 32]).unwrap();
    let report = &once.report;
    assert!(report.nodes_checked <= 300 && report.nodes_in_lattice == 1 << 48);
    let least = report.at_least.unwrap();
    assert!(
        0.0 < least && least < report.score && report.score < 1.0,
        "{report:?}"
    );
    assert!(report.k_reached >= 5);
    assert_eq!(anonymise(&table, &limited, &[0; 32]).unwrap(), once);
}

#[test]
fn a_lattice_whose_nodes_cannot_be_counted_is_refused() {
    let (table, plan) = of_columns(21);
    let refused = anonymise(&table, &of_nodes(&plan, 300), &[0; 32]).unwrap_err();
    assert_eq!(refused, AnonymiseError::LatticeBeyondCount);
    assert!(refused.to_string().contains("mondrian"), "{refused}");
    let (table, plan) = of_columns(20);
    let found = anonymise(&table, &of_nodes(&plan, 300), &[0; 32]).unwrap();
    assert_eq!(found.report.nodes_in_lattice, 1 << 60);
}

#[test]
fn whoever_calls_may_end_a_search() {
    let (table, plan) = wide();
    let limited = of_nodes(&plan, usize::MAX);
    let mut asked = 0;
    let mut after = |times: usize| {
        asked = 0;
        anonymise_until(&table, None, &limited, &[0; 32], &mut || {
            asked += 1;
            asked > times
        })
    };
    let found = after(100).unwrap();
    assert!(found.report.at_least.is_some() && found.report.nodes_checked <= 100);
    let never = after(0).unwrap_err();
    assert_eq!(never, AnonymiseError::Ended { checked: 0 });
    assert!(never.to_string().contains("let it go on"));
}

#[test]
fn effort_and_method_are_written_only_where_they_are_not_the_usual() {
    let privacy: Privacy = serde_json::from_str(r#"{"k": 5, "suppression_limit": 0.05}"#).unwrap();
    assert_eq!(privacy, Privacy::default());
    let written = serde_json::to_string(&privacy).unwrap();
    assert_eq!(written, r#"{"k":5,"suppression_limit":0.05}"#);
    let text = r#"{"k":5,"suppression_limit":0.05,"search":{"nodes":10000},"method":"mondrian"}"#;
    let privacy: Privacy = serde_json::from_str(text).unwrap();
    assert_eq!(privacy.search, Effort::Nodes(10_000));
    assert_eq!(serde_json::to_string(&privacy).unwrap(), text);
}
