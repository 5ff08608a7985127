//! What every release holds to, whatever goes in.

use medshare_anonymiser::{
    AnonymiseError, ColumnPlan, Distance, Hierarchy, Model, Plan, Privacy, Role, Table, anonymise,
    measure,
};
use proptest::prelude::*;

/// A small table and a plan that fits it.
#[derive(Debug, Clone)]
pub struct Case {
    pub table: Table,
    pub plan: Plan,
}

/// A hierarchy over `0..values` whose groups merge at random; its top may be more than one group.
fn hierarchy() -> impl Strategy<Value = Hierarchy> {
    (1_usize..6, proptest::collection::vec(1_usize..6, 0..3)).prop_map(|(values, divisors)| {
        let line = |value: usize| {
            let mut group = value;
            let mut cells = vec![value.to_string()];
            for divisor in &divisors {
                group /= divisor;
                cells.push(format!("group {group}"));
            }
            cells.join(";")
        };
        let lines: Vec<String> = (0..values).map(line).collect();
        Hierarchy::from_csv(lines.join("\n").as_bytes(), b';').unwrap()
    })
}

/// Values of the sensitive column.
const VALUES: usize = 4;

fn model() -> impl Strategy<Value = Model> {
    let distance = prop_oneof![
        Just(Distance::Equal),
        Just(Distance::Ordered),
        Just(Distance::Hierarchical)
    ];
    prop_oneof![
        (1_usize..4).prop_map(|l| Model::DistinctLDiversity { l }),
        (1.0..3.0_f64).prop_map(|l| Model::EntropyLDiversity { l }),
        (0.3..4.0_f64, 1_usize..4).prop_map(|(c, l)| Model::RecursiveLDiversity { c, l }),
        (0.05..0.6_f64, distance).prop_map(|(t, distance)| Model::TCloseness { t, distance }),
        (0.2..4.0_f64).prop_map(|delta| Model::DeltaDisclosure { delta }),
    ]
}

/// The sensitive column `s`, with models one time out of two.
fn sensitive() -> impl Strategy<Value = ColumnPlan> {
    let models = prop_oneof![Just(Vec::new()), proptest::collection::vec(model(), 1..3)];
    models.prop_map(|models| {
        let hierarchical = |model: &Model| {
            let distance = Distance::Hierarchical;
            matches!(model, Model::TCloseness { distance: of, .. } if *of == distance)
        };
        let lines = b"0;low;*\n1;low;*\n2;high;*\n3;high;*\n";
        let needs = models.iter().any(hierarchical);
        ColumnPlan {
            hierarchy: needs.then(|| Hierarchy::from_csv(lines, b';').unwrap()),
            models,
            ..ColumnPlan::new("s", Role::Sensitive)
        }
    })
}

pub fn case() -> impl Strategy<Value = Case> {
    let hierarchies = proptest::collection::vec(hierarchy(), 1..5);
    (
        hierarchies,
        sensitive(),
        2_usize..5,
        0.0..1.0_f64,
        5_usize..40,
    )
        .prop_flat_map(|(hierarchies, sensitive, k, share, rows)| {
            let row: Vec<_> = hierarchies
                .iter()
                .map(|hierarchy| 0..hierarchy.values())
                .chain(std::iter::once(0..VALUES))
                .collect();
            let rows = proptest::collection::vec(row, rows);
            (rows, any::<bool>()).prop_map(move |(rows, no_suppression)| {
                let names = (0..hierarchies.len()).map(|column| format!("q{column}"));
                let columns = names.zip(&hierarchies).map(|(name, hierarchy)| {
                    ColumnPlan::new(name, Role::QuasiIdentifier).generalised_by(hierarchy.clone())
                });
                let columns: Vec<_> = columns.chain([sensitive.clone()]).collect();
                let names = columns.iter().map(|column| column.name.clone());
                let mut builder = Table::builder(names.collect::<Vec<_>>()).unwrap();
                for row in &rows {
                    builder.push_row(row.iter().map(usize::to_string)).unwrap();
                }
                let suppression_limit = if no_suppression { 0.0 } else { share * share };
                Case {
                    table: builder.finish(),
                    plan: Plan {
                        columns,
                        privacy: Privacy {
                            k,
                            suppression_limit,
                        },
                    },
                }
            })
        })
}

proptest! {
    #[test]
    fn a_release_is_k_anonymous_and_adds_up(case in case()) {
        let Case { table, plan } = case;
        let Ok(release) = anonymise(&table, &plan, &[2; 32]) else { return Ok(()); };
        let report = &release.report;
        let measures = measure(&release.table, &plan);
        prop_assert!(measures.k >= plan.privacy.k || release.table.rows() == 0);
        prop_assert_eq!((measures.k, measures.classes), (report.k_reached, report.classes));
        prop_assert_eq!(report.rows_out + report.suppressed, report.rows_in);
        prop_assert_eq!(report.rows_out, release.table.rows());
        prop_assert!(report.suppressed as f64 <= plan.privacy.suppression_limit * table.rows() as f64);
        prop_assert!((0.0..=1.0).contains(&report.loss));
    }

    #[test]
    fn the_same_input_gives_the_same_bytes(case in case()) {
        let Case { table, plan } = case;
        let once = anonymise(&table, &plan, &[3; 32]);
        let again = Table::from_csv(&table.to_csv(), b',').unwrap();
        prop_assert_eq!(once, anonymise(&again, &plan, &[3; 32]));
    }
}

fn patients() -> (Table, Plan) {
    let table = Table::from_csv(
        b"name,mrn,sex,age,diagnosis,ward\nAda,1,f,30,E11,a\nBob,2,m,30,I10,b\nAda,1,f,30,J45,c\nCid,3,m,31,E11,d\nDot,,x,99,E11,e\n",
        b',',
    )
    .unwrap();
    let plan = serde_json::from_str(
        r#"{"columns": [
            {"name": "ward", "role": "plain"},
            {"name": "name", "role": "identifier"},
            {"name": "mrn", "role": "pseudonym"},
            {"name": "sex", "role": "quasi-identifier"},
            {"name": "age", "role": "quasi-identifier",
             "hierarchy": [["30","30-39","*"],["31","30-39","*"],["99","90-99","*"]]},
            {"name": "diagnosis", "role": "sensitive"}
        ], "privacy": {"k": 2, "suppression_limit": 0.2}}"#,
    )
    .unwrap();
    (table, plan)
}

#[test]
fn each_role_is_treated_as_declared_and_rows_keep_their_order() {
    let (table, plan) = patients();
    let release = anonymise(&table, &plan, &[9; 32]).unwrap();
    assert_eq!(
        release.table.column_names().collect::<Vec<_>>(),
        ["mrn", "sex", "age", "diagnosis", "ward"]
    );
    let shown = release.table.select(&[1, 2, 3, 4]).to_csv();
    assert_eq!(
        String::from_utf8(shown).unwrap(),
        "sex,age,diagnosis,ward\nf,30-39,E11,a\nm,30-39,I10,b\nf,30-39,J45,c\nm,30-39,E11,d\n"
    );
    assert_eq!(release.table.value(0, 0), release.table.value(2, 0));
    assert_ne!(release.table.value(0, 0), release.table.value(1, 0));
    assert_eq!(release.table.value(0, 0).len(), 32);
    assert_eq!(release.report.suppressed, 1);
    assert_eq!(
        release.report.levels,
        [("sex".to_owned(), 0, 2), ("age".to_owned(), 1, 3)]
    );
    let other_key = anonymise(&table, &plan, &[8; 32]).unwrap();
    assert_ne!(release.table.value(0, 0), other_key.table.value(0, 0));
    assert_eq!(
        measure(&release.table, &plan).identifiers,
        Vec::<String>::new()
    );
}

#[test]
fn a_plan_without_quasi_identifiers_keeps_every_row() {
    let (table, mut plan) = patients();
    for column in &mut plan.columns {
        if column.role == Role::QuasiIdentifier {
            column.role = Role::Plain;
            column.hierarchy = None;
        }
    }
    plan.privacy = Privacy {
        k: 50,
        suppression_limit: 0.0,
    };
    let release = anonymise(&table, &plan, &[9; 32]).unwrap();
    assert_eq!((release.table.rows(), release.report.loss), (5, 0.0));
    assert_eq!((release.report.classes, release.report.k_reached), (1, 5));
}

#[test]
fn out_of_reach_and_too_large_are_said() {
    let (table, mut plan) = patients();
    plan.privacy.suppression_limit = 0.0;
    plan.columns[4].hierarchy = Some(Hierarchy::from_csv(b"30;a\n31;a\n99;b", b';').unwrap());
    assert_eq!(
        anonymise(&table, &plan, &[9; 32]),
        Err(AnonymiseError::OutOfReach { k: 2, limit: 0 })
    );
    let names: Vec<String> = (0..23).map(|column| format!("q{column}")).collect();
    let mut builder = Table::builder(names.clone()).unwrap();
    for value in 0..2_u8 {
        builder
            .push_row(names.iter().map(|_| value.to_string()))
            .unwrap();
    }
    let plan = Plan {
        columns: names
            .into_iter()
            .map(|name: String| ColumnPlan::new(name, Role::QuasiIdentifier))
            .collect(),
        privacy: Privacy {
            k: 2,
            suppression_limit: 0.0,
        },
    };
    assert_eq!(
        anonymise(&builder.finish(), &plan, &[9; 32]),
        Err(AnonymiseError::LatticeTooLarge { nodes: 1 << 23 })
    );
}

#[test]
fn reports_survive_serialisation() {
    let (table, plan) = patients();
    let report = anonymise(&table, &plan, &[9; 32]).unwrap().report;
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(
        serde_json::from_str::<medshare_anonymiser::Report>(&json).unwrap(),
        report
    );
    assert!(
        json.contains(r#""levels":[["sex",0,2],["age",1,3]]"#),
        "{json}"
    );
}
