//! Tables as they come out of other programs, damaged ones and borderline ones among them.

use medshare_anonymiser::{
    AnonymiseError, ColumnPlan, Hierarchy, Number, Plan, PlanError, Privacy, Role, Rule, Table,
    TableError, anonymise, measure, promises, rank,
};

fn plan(columns: &[(&str, Role)], k: usize) -> Plan {
    let columns = columns
        .iter()
        .map(|(name, role)| ColumnPlan::new(*name, *role));
    Plan {
        columns: columns.collect(),
        privacy: Privacy {
            k,
            suppression_limit: 0.0,
            ..Privacy::default()
        },
    }
}

fn table(csv: &[u8]) -> Table {
    Table::from_csv(csv, b',').unwrap()
}

#[test]
fn a_table_without_rows_is_released_where_nothing_has_to_hide() {
    assert_eq!(Table::from_csv(b"", b','), Err(TableError::NoHeader));
    assert_eq!(
        Table::from_csv(b"\xEF\xBB\xBF\r\n", b','),
        Err(TableError::NoHeader)
    );
    let empty = table(b"age,code\r\n");
    let plain = plan(&[("age", Role::Plain), ("code", Role::Sensitive)], 2);
    let release = anonymise(&empty, &plain, &[0; 32]).unwrap();
    assert_eq!(release.table.to_csv(), b"age,code\n");
    assert_eq!((release.report.rows_out, release.report.k_reached), (0, 0));
    assert!(promises(&release.table, &plain).hold());
    let quasi = plan(
        &[("age", Role::QuasiIdentifier), ("code", Role::Sensitive)],
        2,
    );
    let error = anonymise(&empty, &quasi, &[0; 32]).unwrap_err();
    assert_eq!(
        error,
        AnonymiseError::Plan(PlanError::KAboveRows { k: 2, rows: 0 })
    );
    assert_eq!(measure(&empty, &quasi).k, 0);
    assert_eq!(rank(&empty, &quasi).unique_share, 0.0);
}

#[test]
fn one_row_hides_nobody() {
    let one = table(b"age\n30\n");
    let quasi = plan(&[("age", Role::QuasiIdentifier)], 2);
    let error = anonymise(&one, &quasi, &[0; 32]).unwrap_err();
    assert_eq!(
        error,
        AnonymiseError::Plan(PlanError::KAboveRows { k: 2, rows: 1 })
    );
    let plain = plan(&[("age", Role::Plain)], 2);
    assert_eq!(anonymise(&one, &plain, &[0; 32]).unwrap().table, one);
}

#[test]
fn one_column_and_nothing_but_missing_cells() {
    let gaps = table(b"age\n\"\"\n\"\"\n\"\"\n");
    assert_eq!(gaps.rows(), 3);
    let mut quasi = plan(&[("age", Role::QuasiIdentifier)], 3);
    for rule in [
        None,
        Some(Rule::Mask {
            step: 1,
            from: Default::default(),
        }),
        Some(Rule::Intervals {
            widths: vec![Number::from(5)],
            origin: 0.into(),
            lower: None,
            upper: None,
        }),
        Some(Rule::Icd10 {}),
    ] {
        quasi.columns[0].rule = rule;
        let release = anonymise(&gaps, &quasi, &[0; 32]).unwrap();
        assert_eq!(release.table, gaps, "{:?}", quasi.columns[0].rule);
    }
}

#[test]
fn cells_of_any_content_come_through() {
    let csv = b"\xEF\xBB\xBFid,note\r\n1,\"said \"\"no\"\",\r\nthen left\"\r\n2,a\0b\r\n3, \xF0\x9F\xA9\xBA \r\n4,\"\"\r\n";
    let strange = table(csv);
    let cells: Vec<&str> = (0..4).map(|row| strange.value(row, 1)).collect();
    assert_eq!(cells, ["said \"no\",\r\nthen left", "a\0b", " 🩺 ", ""]);
    let plain = plan(&[("id", Role::Plain), ("note", Role::Plain)], 2);
    let release = anonymise(&strange, &plain, &[0; 32]).unwrap().table;
    assert_eq!(table(&release.to_csv()), strange);
}

#[test]
fn what_is_not_utf8_is_told_by_line_and_column() {
    let error = Table::from_csv(b"id,city\r\n1,Bonn\r\n2,K\xF6ln\r\n", b',').unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 3, column `city`: this is not UTF-8; convert the file first"
    );
}

#[test]
fn categories_that_nobody_foresaw_are_counted_and_not_quoted() {
    let cells = table(b"sex,age\nf,30\nunheard,31\nm,n/a\nodd,x\nm,32\n");
    let mut quasi = plan(
        &[
            ("sex", Role::QuasiIdentifier),
            ("age", Role::QuasiIdentifier),
        ],
        2,
    );
    quasi.columns[0].hierarchy = Some(Hierarchy::identity(["f", "m"]));
    let error = anonymise(&cells, &quasi, &[0; 32]).unwrap_err().to_string();
    let told = "column `sex` of the table: 2 distinct values have no entry in the hierarchy, the first in row 2";
    assert!(error.contains(told) && !error.contains("odd"), "{error}");
    quasi.columns[0].hierarchy = None;
    quasi.columns[1].rule = Some(Rule::Intervals {
        widths: vec![Number::from(5)],
        origin: 0.into(),
        lower: None,
        upper: None,
    });
    let error = anonymise(&cells, &quasi, &[0; 32]).unwrap_err().to_string();
    assert_eq!(
        error,
        "column `age` of the table: 2 distinct values are no numbers, the first in row 3; correct them, or list what stands for a missing value under `missing`"
    );
}

#[test]
fn a_million_distinct_values_are_anonymised() {
    const ROWS: usize = 1_000_000;
    let mut builder = Table::builder(vec!["amount".into()]).unwrap();
    for row in 0..ROWS {
        builder.push_row([row.to_string()]).unwrap();
    }
    let amounts = builder.finish();
    let mut quasi = plan(&[("amount", Role::QuasiIdentifier)], 50);
    quasi.columns[0].rule = Some(Rule::Intervals {
        widths: vec![Number::from(100)],
        origin: 0.into(),
        lower: None,
        upper: None,
    });
    let release = anonymise(&amounts, &quasi, &[0; 32]).unwrap();
    assert_eq!(release.report.levels, [("amount".to_owned(), 1, 3)]);
    assert_eq!(
        (release.report.classes, release.report.k_reached),
        (ROWS / 100, 100)
    );
    assert_eq!(release.table.value(ROWS - 1, 0), "999900-999999");
}
