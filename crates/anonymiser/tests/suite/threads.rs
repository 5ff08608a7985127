//! The same bytes and the same report, whatever the number of threads.

use medshare_anonymiser::{
    AnonymiseError, Anonymised, Effort, Method, Plan, Table, anonymise, anonymise_within, measure,
    rank,
};
use proptest::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::properties::{Case, case};
use crate::records::{CONFIGURATIONS, Configuration, Records};

fn pools() -> [ThreadPool; 3] {
    [1, 2, 4].map(|threads| {
        ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
    })
}

/// What each pool makes of it, which must be the same.
fn same<T: PartialEq + Send + std::fmt::Debug>(make: impl Fn() -> T + Sync) -> T {
    let [one, two, four] = pools().map(|pool| pool.install(&make));
    assert!(one == two && two == four);
    one
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn small_tables(case in case(), effort in prop_oneof![Just(Effort::Exact), (0_usize..40).prop_map(Effort::Nodes)]) {
        let Case { table, population, mut plan } = case;
        plan.privacy.search = effort;
        let make = || anonymise_within(&table, population.as_ref(), &plan, &[6; 32]);
        let release: Result<Anonymised, AnonymiseError> = same(make);
        prop_assert!(release.is_ok() || release.is_err());
    }
}

fn of_records(records: Records, change: impl Fn(&mut Plan) + Sync) {
    let Some(csv) = records.csv() else { return };
    let is_it = |row: &&Configuration| row.records == records && row.limit > 0.0;
    let row = CONFIGURATIONS.iter().find(is_it).unwrap();
    same(|| {
        let table = Table::from_csv(&csv, records.delimiter()).unwrap();
        let (table, mut plan) = row.arranged(&table);
        change(&mut plan);
        let release = anonymise(&table, &plan, &[0; 32]).unwrap();
        let ranked = rank(&release.table, &plan);
        (
            release.table.to_csv(),
            measure(&release.table, &plan),
            release.report,
            ranked,
        )
    });
}

#[test]
fn real_records() {
    of_records(Records::Adult9, |_| ());
    of_records(Records::Million, |_| ());
}

#[test]
fn real_records_by_mondrian() {
    of_records(Records::Adult9, |plan| {
        plan.privacy.method = Method::Mondrian
    });
}
