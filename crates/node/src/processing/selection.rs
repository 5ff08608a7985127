//! Which columns and rows of the release a request gets (P12).
//!
//! Rows are chosen whole: a filter on quasi-identifiers keeps whole classes. One on other columns can leave a class
//! with fewer than k rows, or with sensitive values that its models forbid; those rows are suppressed as well.

use medshare_anonymiser::{Essentials, Plan, Ranking, Table, essentials, promises, rank};
use medshare_protocol::filter::Filter;
use medshare_protocol::typed::Selection;

use crate::error::NodeError;

/// Fields that a selection may name at most.
pub(crate) const MAX_FIELDS: usize = 1_024;

/// What was selected, ranked and measured.
#[derive(Debug)]
pub(super) struct Selected {
    /// The rows and columns that were asked for and may be given.
    pub table: Table,
    /// How sensitive it is, and why.
    pub ranking: Ranking,
    /// k, classes and rows of it.
    pub measures: Essentials,
    /// Rows that were asked for but suppressed, since too few like them were.
    pub suppressed: usize,
}

/// Selects from the release. Refuses what names columns that are not there, selects nothing, or cannot be made
/// k-anonymous.
pub(super) fn select(
    release: &Table,
    plan: &Plan,
    selection: &Selection,
) -> Result<Selected, NodeError> {
    let columns = columns(release, &selection.fields)?;
    let filter: Filter = selection
        .filter
        .parse()
        .map_err(|error| NodeError::refused(format!("{error}")))?;
    let rows = if filter.wanted.is_empty() {
        release.clone()
    } else {
        filtered(release, &filter)?
    };
    if rows.rows() == 0 {
        return Err(NodeError::refused(
            "no row of the release has the values that were asked for",
        ));
    }
    // Classes over all quasi-identifiers of the release, also those that are not asked for: their values are known to
    // whoever knows the person.
    let kept = suppress(&rows, plan);
    if kept.rows() == 0 {
        return Err(NodeError::refused(format!(
            "too few rows alike have the values that were asked for: {}: ask for more",
            promises(&rows, plan).broken.join("; ")
        )));
    }
    let suppressed = rows.rows() - kept.rows();
    let table = kept.select(&columns);
    let measures = essentials(&table, plan);
    let broken = promises(&table, plan).broken;
    if !broken.is_empty() || !measures.identifiers.is_empty() {
        return Err(NodeError::refused(format!(
            "the selection cannot be released: {}",
            match broken.join("; ") {
                broken if broken.is_empty() => "identifiers would be left".to_owned(),
                broken => broken,
            }
        )));
    }
    let ranking = rank(&table, plan);
    Ok(Selected {
        table,
        ranking,
        measures,
        suppressed,
    })
}

fn columns(release: &Table, fields: &[String]) -> Result<Vec<usize>, NodeError> {
    if fields.is_empty() {
        return Ok((0..release.column_names().count()).collect());
    }
    fields
        .iter()
        .map(|field| {
            release.column_index(field).ok_or_else(|| {
                NodeError::refused(format!(
                    "the release has no column `{field}`: see /v1/datasets"
                ))
            })
        })
        .collect()
}

fn filtered(release: &Table, filter: &Filter) -> Result<Table, NodeError> {
    let mut wanted = Vec::with_capacity(filter.wanted.len());
    for (column, values) in &filter.wanted {
        let index = release.column_index(column).ok_or_else(|| {
            NodeError::refused(format!(
                "the filter names the column `{column}`, which the release does not have"
            ))
        })?;
        wanted.push((index, values));
    }
    Ok(release.filter_rows(|row| {
        wanted
            .iter()
            .all(|(column, values)| values.contains(release.value(row, *column)))
    }))
}

/// The rows whose classes keep what the plan promises. Whoever is left out changes what the others are compared with, so it is
/// asked again until all do.
fn suppress(rows: &Table, plan: &Plan) -> Table {
    let mut table = rows.clone();
    loop {
        let promises = promises(&table, plan);
        if promises.hold() {
            return table;
        }
        table = table.filter_rows(|row| promises.kept[row]);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use medshare_anonymiser::{ColumnPlan, Distance, Model, Privacy, Role};
    use proptest::prelude::*;

    fn plan() -> Plan {
        let column = |name: &str, role| ColumnPlan::new(name, role);
        Plan {
            columns: vec![
                column("age", Role::QuasiIdentifier),
                column("sex", Role::QuasiIdentifier),
                column("code", Role::Sensitive),
            ],
            privacy: Privacy {
                k: 2,
                suppression_limit: 0.0,
                ..Privacy::default()
            },
        }
    }

    fn table() -> Table {
        let csv = "age,sex,code\n20-39,F,A\n20-39,F,B\n20-39,F,B\n40-59,M,A\n40-59,M,B\n";
        Table::from_csv(csv.as_bytes(), b',').unwrap()
    }

    fn selected(fields: &[&str], filter: &str) -> Result<Selected, NodeError> {
        let selection = Selection {
            fields: fields.iter().map(ToString::to_string).collect(),
            filter: filter.into(),
        };
        select(&table(), &plan(), &selection)
    }

    #[test]
    fn all_is_given_when_nothing_is_named() {
        let all = selected(&[], "").unwrap();
        assert_eq!(
            (all.table.rows(), all.suppressed, all.measures.k),
            (5, 0, 2)
        );
        assert_eq!(all.table.column_names().count(), 3);
    }

    #[test]
    fn a_filter_that_splits_a_class_suppresses_what_is_left_of_it() {
        let some = selected(&["code"], r#"{"code":["B"]}"#).unwrap();
        assert_eq!((some.table.rows(), some.suppressed), (2, 1));
        let none = selected(&[], r#"{"code":["A"]}"#).unwrap_err();
        assert!(none.to_string().contains("too few rows alike"), "{none}");
    }

    #[test]
    fn a_class_that_tells_too_much_is_suppressed_as_well() {
        let mut plan = plan();
        plan.columns[2].models = vec![Model::DistinctLDiversity { l: 2 }];
        let selection = Selection {
            fields: vec![],
            filter: r#"{"code":["B"]}"#.into(),
        };
        let told = select(&table(), &plan, &selection).unwrap_err().to_string();
        assert!(
            told.contains("distinct 2-diversity of column `code`"),
            "{told}"
        );
        let all = select(&table(), &plan, &Selection::default()).unwrap();
        assert_eq!((all.table.rows(), all.suppressed), (5, 0));
    }

    #[test]
    fn what_the_release_does_not_have_is_refused_by_name() {
        for (fields, filter, named) in [
            (&["name"][..], "", "`name`"),
            (&[][..], r#"{"town":["X"]}"#, "`town`"),
            (&[][..], r#"{"sex":["X"]}"#, "no row"),
            (&[][..], "sex=F", "no JSON object"),
        ] {
            let error = selected(fields, filter).unwrap_err();
            assert!(
                matches!(error, NodeError::Refused { .. }) && error.to_string().contains(named),
                "{error}"
            );
        }
    }

    proptest! {
        #[test]
        fn whatever_is_selected_stays_k_anonymous(
            cells in prop::collection::vec((0..3u8, 0..2u8, 0..4u8), 1..60),
            codes in prop::collection::btree_set(0..4u8, 1..4),
            models: bool,
        ) {
            let mut csv = "age,sex,code\n".to_owned();
            for (age, sex, code) in cells {
                csv += &format!("{age},{sex},{code}\n");
            }
            let table = Table::from_csv(csv.as_bytes(), b',').unwrap();
            let values: Vec<String> = codes.iter().map(ToString::to_string).collect();
            let filter = serde_json::json!({ "code": values }).to_string();
            let selection = Selection { fields: vec![], filter };
            let mut plan = plan();
            let distance = Distance::Equal;
            plan.columns[2].models = models
                .then_some(Model::TCloseness { t: 0.4, distance })
                .into_iter()
                .collect();
            if let Ok(selected) = select(&table, &plan, &selection) {
                prop_assert!(essentials(&selected.table, &plan).k >= 2);
                // As the second node reads it.
                let read = Table::from_csv(&selected.table.to_csv(), b',').unwrap();
                prop_assert!(promises(&read, &plan).hold());
                let code = selected.table.column_index("code").unwrap();
                for row in 0..selected.table.rows() {
                    prop_assert!(values.iter().any(|value| value == selected.table.value(row, code)));
                }
            }
        }
    }
}
