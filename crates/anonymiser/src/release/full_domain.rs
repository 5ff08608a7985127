//! The release of least cost that writes each quasi-identifier at one level of its hierarchy.

use rayon::prelude::*;

use crate::effort::{Effort, Method};
use crate::metric::Metric;
use crate::plan::Role;
use crate::search::{self, Budget, Lattice, Node, Optimum};
use crate::table::Table;

use super::generalising::{Work, quasi_identifiers};
use super::part::Part;
use super::{AnonymiseError, Anonymised, MAX_LATTICE_NODES, Report};

/// Nodes have numbers.
const MAX_COUNTED: usize = 1 << 62;

impl Work<'_> {
    /// Searches for the best levels, and writes the table at them.
    pub(super) fn recoded(
        &self,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<Anonymised, AnonymiseError> {
        let lattice = self.lattice()?;
        let optimum = self.optimum(&lattice, stop)?;
        let node = self.node(&optimum);
        let table = self.written(&optimum, node.kept.as_deref());
        let report = self.report(&table, &lattice, optimum, node);
        Ok(Anonymised { table, report })
    }

    fn lattice(&self) -> Result<Lattice, AnonymiseError> {
        let sizes = self.columns.iter().map(|(_, hierarchy)| hierarchy.levels());
        let sizes = sizes.collect();
        match self.plan.privacy.search {
            Effort::Exact => Lattice::new(sizes, MAX_LATTICE_NODES)
                .map_err(|nodes| AnonymiseError::LatticeTooLarge { nodes }),
            Effort::Nodes(_) => {
                Lattice::new(sizes, MAX_COUNTED).map_err(|_| AnonymiseError::LatticeBeyondCount)
            }
        }
    }

    fn optimum(
        &self,
        lattice: &Lattice,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<Optimum, AnonymiseError> {
        match self.plan.privacy.search {
            Effort::Exact => {
                search::optimum(&self.problem, lattice).ok_or_else(|| self.out_of_reach())
            }
            Effort::Nodes(nodes) => {
                let found = search::best_within(&self.problem, lattice, Budget { nodes, stop });
                found.map_err(|checked| match checked {
                    Some(checked) => AnonymiseError::Ended { checked },
                    None => self.out_of_reach(),
                })
            }
        }
    }

    /// The optimum by itself, and what it costs by [`Metric::Loss`].
    fn node(&self, optimum: &Optimum) -> Node {
        match self.plan.privacy.metric {
            Metric::Loss => Node::new(&self.problem, self.problem.columns(), &optimum.levels),
            _ => {
                let by_loss = quasi_identifiers(self.columns, self.table.rows(), Metric::Loss);
                Node::new(&self.problem, &by_loss, &optimum.levels)
            }
        }
    }

    /// The release; of these rows, where some are suppressed.
    fn written(&self, optimum: &Optimum, kept: Option<&[u32]>) -> Table {
        let mut levels = optimum.levels.iter();
        let released = self.parts.iter().filter(|part| !part.is_dropped());
        let released: Vec<(&Part<'_>, usize)> = released
            .map(|part| match part.role {
                Role::QuasiIdentifier => (
                    part,
                    *levels.next().expect("a level for each quasi-identifier"),
                ),
                _ => (part, 0),
            })
            .collect();
        let columns = released
            .into_par_iter()
            .map(|(part, level)| part.released(level, kept, self.key));
        let rows = kept.map_or(self.table.rows(), <[u32]>::len);
        Table::from_columns(columns.collect(), rows)
    }

    fn report(&self, released: &Table, lattice: &Lattice, optimum: Optimum, node: Node) -> Report {
        let levels = self.columns.iter().zip(&optimum.levels);
        let levels = levels.map(|((column, hierarchy), &level)| {
            (column.name().to_string(), level, hierarchy.levels())
        });
        Report {
            rows_in: self.table.rows(),
            rows_out: released.rows(),
            suppressed: optimum.suppressed,
            levels: levels.collect(),
            loss: node.loss,
            metric: self.plan.privacy.metric,
            score: optimum.score,
            k_reached: optimum.smallest_class,
            classes: optimum.classes,
            risks: node.risks,
            nodes_in_lattice: lattice.nodes(),
            nodes_checked: optimum.nodes_checked,
            coarsened: Vec::new(),
            transformations: Vec::new(),
            at_least: optimum.at_least,
            method: Method::FullDomain,
        }
    }
}
