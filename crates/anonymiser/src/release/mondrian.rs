//! The release by Mondrian.

use std::sync::Arc;

use crate::effort::Method;
use crate::metric::Metric;
use crate::mondrian::{self, Axis, Partition};
use crate::plan::Role;
use crate::table::{Column, Table};

use super::generalising::Work;
use super::{AnonymiseError, Anonymised, Report};

impl Work<'_> {
    /// Cuts the table into classes, and writes each row as its class.
    pub(super) fn cut(&self) -> Result<Anonymised, AnonymiseError> {
        let columns = self.columns.iter();
        let axes = columns.map(|(column, hierarchy)| Axis::new(column, hierarchy));
        let axes: Vec<Axis> = axes.collect();
        let partition = mondrian::partition(&self.problem, &axes);
        let partition = partition.ok_or_else(|| self.out_of_reach())?;
        Ok(Anonymised {
            table: self.written_by_class(&axes, &partition),
            report: self.report_of(&axes, &partition),
        })
    }

    fn written_by_class(&self, axes: &[Axis], partition: &Partition) -> Table {
        let class_of = |distinct: u32| partition.class_of[distinct as usize];
        let class_of_row = self.problem.rows_of(class_of);
        let mut position = 0;
        let released = self.parts.iter().filter(|part| !part.is_dropped());
        let columns = released.map(|part| {
            if part.role != Role::QuasiIdentifier {
                return part.released(0, None, self.key);
            }
            let labels = mondrian::labels(partition, axes, position);
            position += 1;
            let name = Arc::clone(part.column.name());
            let codes = class_of_row.iter().copied();
            Arc::new(Column::of_labels(name, codes, &labels))
        });
        Table::from_columns(columns.collect(), self.table.rows())
    }

    fn report_of(&self, axes: &[Axis], partition: &Partition) -> Report {
        let weights = self.problem.columns().iter().enumerate();
        let weights =
            weights.map(|(column, of)| (mondrian::weight(partition, axes, column), of.range()));
        let cost = Metric::Loss.of_weights(weights);
        let loss = Metric::Loss.score(cost, axes.len());
        Report {
            rows_in: self.table.rows(),
            rows_out: self.table.rows(),
            suppressed: 0,
            levels: Vec::new(),
            loss,
            metric: Metric::Loss,
            score: loss,
            k_reached: partition.smallest(),
            classes: partition.classes.len(),
            risks: partition.risks(),
            nodes_in_lattice: 0,
            nodes_checked: partition.cuts,
            coarsened: Vec::new(),
            transformations: Vec::new(),
            at_least: None,
            method: Method::Mondrian,
        }
    }
}
