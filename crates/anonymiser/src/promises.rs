//! Whether a table keeps what a plan promises: judged on the table alone, so a second node comes to the same (P13).

use crate::hierarchy::Hierarchy;
use crate::measure::classes;
use crate::models::{Histogram, Judge, Model};
use crate::plan::Plan;
use crate::risk;
use crate::search::Classes;
use crate::table::{Column, Table};
use crate::transform::hierarchy_of;

/// What a table keeps of a plan. Nothing in it quotes a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promises {
    /// Of each row, whether its class keeps all of them.
    pub kept: Vec<bool>,
    /// What is broken, and by how many classes.
    pub broken: Vec<String>,
}

impl Promises {
    /// Whether nothing is broken.
    #[must_use]
    pub const fn hold(&self) -> bool {
        self.broken.is_empty()
    }
}

/// Judges each class over the quasi-identifiers that the table has: it has k rows, and meets each model of each sensitive
/// column that the table has. Its values are compared with those of this very table, not of the one that it was made
/// from: nobody else has that. A model that asks for a hierarchy is broken where the plan has none with an entry for every value. Risks
/// are those of a release of which no population is known, which are never lower.
#[must_use]
pub fn promises(table: &Table, plan: &Plan) -> Promises {
    let classes = classes(table, plan);
    let mut judged = Judged {
        fails: vec![false; classes.count],
        broken: Vec::new(),
    };
    let sizes = classes.sizes();
    let k = plan.privacy.k;
    judged.note(|class| sizes[class] >= k, &format!("{k}-anonymity"));
    let rows = Rows::of(&classes, &sizes);
    for column in table.columns() {
        let Some(declared) = plan.column(column.name()) else {
            continue;
        };
        let hierarchy = hierarchy_of(declared, column);
        for model in &declared.models {
            let what = format!("{model} of column `{}`", column.name());
            if model.needs_hierarchy() && hierarchy.is_none() {
                judged.note(|_| false, &what);
            } else {
                judged.note(rows.meeting(*model, column, hierarchy.as_deref()), &what);
            }
        }
    }
    for limit in &plan.privacy.risks {
        let size = |class: usize| risk::Size::alone(sizes[class]);
        if limit.is_of_classes() {
            judged.note(|class| limit.allows(size(class)), &limit.to_string());
            continue;
        }
        let left = (0..classes.count).filter(|&class| !judged.fails[class]);
        let left = left.map(|class| (size(class), class)).collect();
        let mut is_beyond = vec![false; classes.count];
        for class in risk::beyond(&[*limit], left) {
            is_beyond[class] = true;
        }
        judged.note(|class| !is_beyond[class], &limit.to_string());
    }
    Promises {
        kept: classes
            .of
            .iter()
            .map(|&class| !judged.fails[class as usize])
            .collect(),
        broken: judged.broken,
    }
}

struct Judged {
    fails: Vec<bool>,
    broken: Vec<String>,
}

impl Judged {
    fn note(&mut self, mut keeps: impl FnMut(usize) -> bool, what: &str) {
        let mut count = 0;
        for (class, fails) in self.fails.iter_mut().enumerate() {
            if !keeps(class) {
                *fails = true;
                count += 1;
            }
        }
        match count {
            0 => {}
            1 => self.broken.push(format!("1 class breaks {what}")),
            _ => self.broken.push(format!("{count} classes break {what}")),
        }
    }
}

/// Row numbers class by class.
pub(crate) struct Rows {
    rows: Vec<usize>,
    /// Where each class begins, and where the last one ends.
    begins: Vec<usize>,
}

impl Rows {
    pub(crate) fn of(classes: &Classes, sizes: &[usize]) -> Self {
        let mut begins = vec![0];
        begins.extend(sizes.iter().scan(0, |end, size| {
            *end += size;
            Some(*end)
        }));
        let mut next = begins.clone();
        let mut rows = vec![0; classes.of.len()];
        for (row, &class) in classes.of.iter().enumerate() {
            let place = &mut next[class as usize];
            rows[*place] = row;
            *place += 1;
        }
        Self { rows, begins }
    }

    /// The rows of a class.
    pub(crate) fn of_class(&self, class: usize) -> &[usize] {
        &self.rows[self.begins[class]..self.begins[class + 1]]
    }

    /// Whether a class meets a model.
    fn meeting<'a>(
        &'a self,
        model: Model,
        column: &'a Column,
        hierarchy: Option<&Hierarchy>,
    ) -> impl FnMut(usize) -> bool + use<'a> {
        let judge = Judge::new(model, column, hierarchy);
        let mut histogram = Histogram::of(column.values().len());
        move |class| {
            for &row in self.of_class(class) {
                histogram.add(column.codes()[row], 1);
            }
            histogram.settle();
            let meets = judge.accepts(&mut histogram);
            histogram.clear();
            meets
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::models::Distance;
    use crate::plan::{ColumnPlan, Role};
    use crate::risk::{Attacker, Figure, RiskLimit};
    use proptest::prelude::*;

    fn plan(k: usize, models: &[Model]) -> Plan {
        let mut plan: Plan = serde_json::from_str(
            r#"{"columns": [{"name": "age", "role": "quasi-identifier"}, {"name": "code", "role": "sensitive"}]}"#,
        )
        .unwrap();
        plan.privacy.k = k;
        plan.columns[1].models = models.to_vec();
        plan
    }

    fn judged(csv: &str, k: usize, models: &[Model]) -> Promises {
        promises(
            &Table::from_csv(csv.as_bytes(), b',').unwrap(),
            &plan(k, models),
        )
    }

    #[test]
    fn each_class_is_judged_by_each_promise() {
        let csv = "age,code\n1,A\n1,B\n2,A\n2,A\n3,B\n";
        let models = [Model::DistinctLDiversity { l: 2 }];
        let both = judged(csv, 2, &models);
        assert_eq!(both.kept, [true, true, false, false, false]);
        assert_eq!(
            both.broken,
            [
                "1 class breaks 2-anonymity",
                "2 classes break distinct 2-diversity of column `code`"
            ]
        );
        assert!(judged("age,code\n1,A\n1,B\n", 2, &models).hold());
        // Without the column, the model says nothing; without quasi-identifiers, all rows are one class.
        assert!(judged("age\n1\n1\n", 2, &models).hold());
        assert!(judged("code\nA\nB\n", 2, &models).hold());
        assert!(judged("age,code\n", 2, &models).hold());
    }

    #[test]
    fn what_cannot_be_judged_is_broken() {
        let distance = Distance::Hierarchical;
        let unknown = judged(
            "age,code\n1,A\n1,A\n",
            2,
            &[Model::TCloseness { t: 1.0, distance }],
        );
        assert_eq!(unknown.kept, [false, false]);
        assert_eq!(
            unknown.broken,
            ["1 class breaks 1-closeness by hierarchical distance of column `code`"]
        );
    }

    /// Of each class half the rows are `E…` and half `I…`, as of the table: within both halves a quarter of the rows is moved by
    /// half the height, which makes 0.25.
    #[test]
    fn hierarchical_distance_is_judged_by_a_hierarchy_with_every_value() {
        let closeness = |t| {
            let distance = Distance::Hierarchical;
            [Model::TCloseness { t, distance }]
        };
        let csv = b"age,code\n1,E10\n1,I10\n2,E11\n2,I11\n";
        let table = Table::from_csv(csv, b',').unwrap();
        let hold = |plan: &Plan| promises(&table, plan).hold();
        let mut near = plan(2, &closeness(0.25));
        let lines = b"E10;E;*\nE11;E;*\nI10;I;*\nI11;I;*\n";
        near.columns[1].hierarchy = Some(Hierarchy::from_csv(lines, b';').unwrap());
        assert!(hold(&near));
        let mut far = near.clone();
        far.columns[1].models = closeness(0.24).to_vec();
        assert!(!hold(&far));
        let lacking = Hierarchy::from_csv(&lines[..24], b';').unwrap();
        near.columns[1].hierarchy = Some(lacking);
        assert!(!hold(&near));
        near.columns[1].hierarchy = None;
        near.columns[1].rule =
            serde_json::from_str(r#"{"kind": "prefix", "lengths": [1]}"#).unwrap();
        assert!(hold(&near));
    }

    #[test]
    fn risks_are_judged_over_all_classes() {
        let mut plan = plan(1, &[]);
        let csv = b"age,code\n1,A\n1,A\n1,A\n2,A\n2,A\n3,A\n";
        let table = Table::from_csv(csv, b',').unwrap();
        let limit = |figure, at_most| RiskLimit {
            attacker: Attacker::Marketer,
            figure,
            at_most,
        };
        plan.privacy.risks = vec![limit(Figure::Average, 0.5)];
        assert!(promises(&table, &plan).hold());
        plan.privacy.risks = vec![limit(Figure::Average, 0.4)];
        let judged = promises(&table, &plan);
        assert_eq!(judged.kept, [true, true, true, true, true, false]);
        assert_eq!(
            judged.broken,
            ["1 class breaks the marketer's average risk of 0.4"]
        );
        plan.privacy.risks = vec![RiskLimit {
            attacker: Attacker::Prosecutor,
            ..limit(Figure::Highest, 0.4)
        }];
        let judged = promises(&table, &plan);
        assert_eq!(judged.kept, [true, true, true, false, false, false]);
    }

    proptest! {
        /// What is left when the rows that are not kept are left out again and again keeps everything, and reading it back
        /// from its bytes comes to the same.
        #[test]
        fn what_is_left_keeps_everything(
            rows in prop::collection::vec((0..4_u8, 0..3_u8), 0..60),
            t in 0.0..1.0_f64,
            l in 1..4_usize,
        ) {
            let csv: String = rows.iter().map(|(age, code)| format!("{age},{code}\n")).collect();
            let models = [
                Model::TCloseness { t, distance: Distance::Ordered },
                Model::DistinctLDiversity { l },
                Model::DeltaDisclosure { delta: 1.5, every_value: true },
            ];
            let plan = plan(2, &models);
            let mut table = Table::from_csv(format!("age,code\n{csv}").as_bytes(), b',').unwrap();
            loop {
                let judged = promises(&table, &plan);
                prop_assert_eq!(judged.kept.len(), table.rows());
                prop_assert_eq!(judged.hold(), judged.kept.iter().all(|kept| *kept));
                let again = Table::from_csv(&table.to_csv(), b',').unwrap();
                prop_assert_eq!(&promises(&again, &plan), &judged);
                if judged.hold() {
                    break;
                }
                table = table.filter_rows(|row| judged.kept[row]);
            }
        }
    }

    #[test]
    fn a_role_without_models_promises_nothing() {
        let mut plan = plan(2, &[]);
        plan.columns.push(ColumnPlan::new("note", Role::Plain));
        let table = Table::from_csv(b"age,code,note\n1,A,x\n1,A,y\n", b',').unwrap();
        assert!(promises(&table, &plan).hold());
    }
}
