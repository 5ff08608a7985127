//! What every release holds to, whatever goes in.

use medshare_anonymiser::{
    AnonymiseError, Attacker, ColumnPlan, Distance, Figure, Hierarchy, Metric, Model, Plan,
    Privacy, RiskLimit, Risks, Role, Table, anonymise, anonymise_within, measure, promises,
};
use proptest::prelude::*;

/// A small table and a plan that fits it.
#[derive(Debug, Clone)]
pub struct Case {
    pub table: Table,
    /// Of which the table is a part, once in two cases.
    pub population: Option<Table>,
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
        (0.2..4.0_f64, proptest::bool::ANY)
            .prop_map(|(delta, every_value)| Model::DeltaDisclosure { delta, every_value }),
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

fn metric() -> impl Strategy<Value = Metric> {
    prop_oneof![
        Just(Metric::Loss),
        Just(Metric::Discernibility),
        Just(Metric::AverageClassSize),
        Just(Metric::NonUniformEntropy),
        Just(Metric::Height),
    ]
}

/// None, once in two cases.
fn risks() -> impl Strategy<Value = Vec<RiskLimit>> {
    let attacker = prop_oneof![
        Just(Attacker::Prosecutor),
        Just(Attacker::Journalist),
        Just(Attacker::Marketer)
    ];
    let limit =
        (attacker, any::<bool>(), 0.02..1.0_f64).prop_map(|(attacker, highest, at_most)| {
            let may_be = highest && attacker != Attacker::Marketer;
            RiskLimit {
                attacker,
                figure: if may_be {
                    Figure::Highest
                } else {
                    Figure::Average
                },
                at_most,
            }
        });
    prop_oneof![Just(Vec::new()), proptest::collection::vec(limit, 1..3)]
}

pub fn case() -> impl Strategy<Value = Case> {
    let hierarchies = proptest::collection::vec(hierarchy(), 1..5);
    (
        hierarchies,
        sensitive(),
        (metric(), risks()),
        2_usize..5,
        0.0..1.0_f64,
        5_usize..40,
    )
        .prop_flat_map(
            |(hierarchies, sensitive, (metric, risks), k, share, rows)| {
                let row: Vec<_> = hierarchies
                    .iter()
                    .map(|hierarchy| 0..hierarchy.values())
                    .chain(std::iter::once(0..VALUES))
                    .collect();
                let others = prop_oneof![
                    Just(Vec::new()),
                    proptest::collection::vec(row.clone(), 1..60)
                ];
                let rows = proptest::collection::vec(row, rows);
                (rows, others, any::<bool>()).prop_map(move |(rows, others, no_suppression)| {
                    let names = (0..hierarchies.len()).map(|column| format!("q{column}"));
                    let columns = names.zip(&hierarchies).map(|(name, hierarchy)| {
                        ColumnPlan::new(name, Role::QuasiIdentifier)
                            .generalised_by(hierarchy.clone())
                    });
                    let columns: Vec<_> = columns.chain([sensitive.clone()]).collect();
                    let names = columns.iter().map(|column| column.name.clone());
                    let names: Vec<String> = names.collect();
                    let table = |rows: &mut dyn Iterator<Item = &Vec<usize>>| {
                        let mut builder = Table::builder(names.clone()).unwrap();
                        for row in rows {
                            builder.push_row(row.iter().map(usize::to_string)).unwrap();
                        }
                        builder.finish()
                    };
                    let population = table(&mut others.iter().chain(&rows));
                    let suppression_limit = if no_suppression { 0.0 } else { share * share };
                    Case {
                        table: table(&mut rows.iter()),
                        population: (!others.is_empty()).then_some(population),
                        plan: Plan {
                            columns,
                            privacy: Privacy {
                                safe_harbor: false,
                                k,
                                suppression_limit,
                                metric,
                                risks: risks.clone(),
                                ..Privacy::default()
                            },
                        },
                    }
                })
            },
        )
}

pub fn of(limit: &RiskLimit, risks: &Risks) -> f64 {
    match (limit.attacker, limit.figure) {
        (Attacker::Prosecutor, Figure::Highest) => risks.prosecutor_highest,
        (Attacker::Prosecutor, Figure::Average) => risks.prosecutor_average,
        (Attacker::Journalist, Figure::Highest) => risks.journalist_highest,
        (Attacker::Journalist, Figure::Average) => risks.journalist_average,
        (Attacker::Marketer, _) => risks.marketer,
    }
}

proptest! {
    #[test]
    fn a_release_is_k_anonymous_and_adds_up(case in case()) {
        let Case { table, plan, population } = case;
        let Ok(release) = anonymise_within(&table, population.as_ref(), &plan, &[2; 32]) else { return Ok(()); };
        let report = &release.report;
        let measures = measure(&release.table, &plan);
        prop_assert!(measures.k >= plan.privacy.k || release.table.rows() == 0);
        prop_assert_eq!((measures.k, measures.classes), (report.k_reached, report.classes));
        prop_assert_eq!(report.rows_out + report.suppressed, report.rows_in);
        prop_assert_eq!(report.rows_out, release.table.rows());
        prop_assert!(report.suppressed as f64 <= plan.privacy.suppression_limit * table.rows() as f64);
        prop_assert!((0.0..=1.0).contains(&report.loss));
        for limit in &plan.privacy.risks {
            prop_assert!(of(limit, &report.risks) <= limit.at_most, "{limit}: {:?}", report.risks);
        }
        let alone = measures.risks;
        prop_assert_eq!(alone.prosecutor_highest, report.risks.prosecutor_highest);
        prop_assert_eq!(alone.prosecutor_average, report.risks.prosecutor_average);
        prop_assert!(alone.journalist_highest >= report.risks.journalist_highest);
        prop_assert!(alone.marketer >= report.risks.marketer);
        if population.is_none() {
            prop_assert_eq!(alone, report.risks);
            // What is compared with the whole table's values cannot be judged by the release.
            let mut plan = plan;
            plan.columns.iter_mut().for_each(|column| column.models.clear());
            prop_assert!(release.table.rows() == 0 || promises(&release.table, &plan).hold());
        }
    }

    #[test]
    fn the_same_input_gives_the_same_bytes(case in case()) {
        let Case { table, plan, population } = case;
        let once = anonymise_within(&table, population.as_ref(), &plan, &[3; 32]);
        let again = Table::from_csv(&table.to_csv(), b',').unwrap();
        prop_assert_eq!(once, anonymise_within(&again, population.as_ref(), &plan, &[3; 32]));
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
        ..Privacy::default()
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
            ..Privacy::default()
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

/// One level up two classes that were suppressed are one, of more people than a class that was released: it comes first, does not
/// fit, and that one goes as well. So a node beyond the limit says nothing of those below it.
#[test]
fn within_a_population_less_may_be_suppressed_below() {
    let rows = |counts: [(&str, usize); 4]| {
        let rows = counts.map(|(value, count)| format!("{value}\n").repeat(count));
        Table::from_csv(format!("q\n{}", rows.concat()).as_bytes(), b',').unwrap()
    };
    let table = rows([("a", 10), ("b", 10), ("y", 50), ("z", 50)]);
    let people = rows([("a", 1_000), ("b", 60), ("y", 50), ("z", 50)]);
    let lines = b"a;a;*\nb;b;*\ny;yz;*\nz;yz;*\n";
    let hierarchy = Hierarchy::from_csv(lines, b';').unwrap();
    let mut plan = Plan {
        columns: vec![ColumnPlan::new("q", Role::QuasiIdentifier).generalised_by(hierarchy)],
        privacy: Privacy {
            k: 1,
            suppression_limit: 100.0 / 120.0,
            risks: vec![RiskLimit {
                attacker: Attacker::Marketer,
                figure: Figure::Average,
                at_most: 0.009,
            }],
            ..Privacy::default()
        },
    };
    let release = anonymise_within(&table, Some(&people), &plan, &[0; 32]).unwrap();
    assert_eq!(release.report.levels, [("q".to_owned(), 0, 3)]);
    assert_eq!(release.report.suppressed, 100);
    assert!((release.report.risks.marketer - 0.53 / 60.0).abs() < 1e-12);
    // Of whom no population is known, the smallest class released is a fiftieth.
    assert!(
        anonymise(&table, &plan, &[0; 32])
            .unwrap()
            .report
            .suppressed
            < 100
    );
    plan.privacy.risks.clear();
    let alone = anonymise(&table, &plan, &[0; 32]).unwrap_err();
    assert!(alone.to_string().contains("k is 1"), "{alone}");
}
