//! The checks: the model, then the declarations, then the values.

use super::{ColumnPlan, MIN_K, Plan, PlanError, Privacy, Role};
use crate::effort::Method;
use crate::hierarchy::Hierarchy;
use crate::search::Classes;
use crate::table::{Column, Table};
use crate::transform;

impl Plan {
    /// Checks that `table` can be anonymised by this plan.
    ///
    /// # Errors
    ///
    /// The first [`PlanError`] found: the model, then the declarations, then the values.
    pub fn check(&self, table: &Table) -> Result<(), PlanError> {
        self.fit(table).map(drop)
    }

    /// As [`Plan::check`]; of each declared column the hierarchy that its rule makes of the table, which is too much work to do twice.
    pub(crate) fn fit(&self, table: &Table) -> Result<Vec<Option<Hierarchy>>, PlanError> {
        self.check_privacy(table.rows())?;
        self.check_declarations()?;
        if let Some(name) = table
            .column_names()
            .find(|name| self.column(name).is_none())
        {
            return Err(PlanError::UndeclaredColumn {
                column: name.to_owned(),
            });
        }
        let fitted = self.columns.iter().map(|declared| {
            let Some(position) = table.column_index(&declared.name) else {
                return Err(PlanError::MissingColumn {
                    column: declared.name.clone(),
                });
            };
            check_values(declared, &table.columns()[position], "table")?;
            transform::check_values(declared, &table.columns()[position], "table")
        });
        fitted.collect()
    }

    /// Checks what can be checked before there is a table.
    ///
    /// # Errors
    ///
    /// The first [`PlanError`] found: the model, then the declarations.
    pub fn check_declared(&self) -> Result<(), PlanError> {
        self.check_privacy(usize::MAX)?;
        self.check_declarations()
    }

    /// Checks that the risks of a release can be judged by this population, which needs no column that is aggregated.
    ///
    /// # Errors
    ///
    /// [`PlanError::MissingInPopulation`], [`PlanError::ValuesWithoutEntry`], [`PlanError::Misfits`].
    pub fn check_population(&self, population: &Table) -> Result<(), PlanError> {
        for declared in self.searched() {
            let Some(position) = population.column_index(&declared.name) else {
                return Err(PlanError::MissingInPopulation {
                    column: declared.name.clone(),
                });
            };
            check_values(declared, &population.columns()[position], "population")?;
            transform::check_values(declared, &population.columns()[position], "population")?;
        }
        Ok(())
    }

    /// Checks that everybody of the table is in this population, as the quasi-identifiers tell: within one that is not complete the
    /// risks would be those of nobody in particular.
    ///
    /// # Errors
    ///
    /// As [`Plan::check_population`], and [`PlanError::NotInPopulation`].
    pub fn check_everybody(&self, table: &Table, population: &Table) -> Result<(), PlanError> {
        self.check_population(population)?;
        let columns = self.searched().filter_map(|declared| {
            let column = &table.columns()[table.column_index(&declared.name)?];
            let people = &population.columns()[population.column_index(&declared.name)?];
            Some(column.followed_by(people))
        });
        let columns: Vec<Column> = columns.collect();
        let all = table.rows() + population.rows();
        let classes = Classes::of_columns(all, columns.iter().map(Column::codes));
        let (rows, people) = classes.of.split_at(table.rows());
        let absent = absent(rows, people, classes.count);
        match absent.first() {
            Some(first) => Err(PlanError::NotInPopulation {
                rows: absent.len(),
                row: first + 1,
            }),
            None => Ok(()),
        }
    }

    /// The quasi-identifiers that are generalised.
    fn searched(&self) -> impl Iterator<Item = &ColumnPlan> {
        let is_searched = |column: &&ColumnPlan| {
            column.role == Role::QuasiIdentifier && column.aggregate.is_none()
        };
        self.columns.iter().filter(is_searched)
    }

    fn check_privacy(&self, rows: usize) -> Result<(), PlanError> {
        let Privacy {
            k,
            suppression_limit,
            ..
        } = self.privacy;
        let is_alone = self.privacy.risks.is_empty()
            && self.columns.iter().all(|column| column.models.is_empty());
        if k == 0 || (k < MIN_K && is_alone) {
            return Err(PlanError::KTooSmall { k });
        }
        for limit in &self.privacy.risks {
            if let Some(fault) = limit.fault() {
                return Err(PlanError::RiskOutOfRange { fault });
            }
        }
        if !(0.0..=1.0).contains(&suppression_limit) {
            return Err(PlanError::SuppressionLimitOutOfRange {
                limit: suppression_limit,
            });
        }
        let is_mondrian = self.privacy.method == Method::Mondrian;
        if is_mondrian && !(self.privacy.metric.is_default() && self.privacy.search.is_default()) {
            return Err(PlanError::MetricOfMondrian);
        }
        let generalises = self
            .columns
            .iter()
            .any(|column| column.role == Role::QuasiIdentifier);
        if generalises && k > rows {
            return Err(PlanError::KAboveRows { k, rows });
        }
        Ok(())
    }

    fn check_declarations(&self) -> Result<(), PlanError> {
        for (index, declared) in self.columns.iter().enumerate() {
            let column = || declared.name.clone();
            if self.columns[..index]
                .iter()
                .any(|earlier| earlier.name == declared.name)
            {
                return Err(PlanError::DuplicateColumn { column: column() });
            }
            check_models(declared)?;
            if !declared.accept.is_empty() && !declared.is_released_as_declared() {
                return Err(PlanError::AcceptWithoutUse { column: column() });
            }
            transform::check_declared(declared, self)?;
            let uses_hierarchy = declared.role == Role::QuasiIdentifier
                || declared.models.iter().any(|model| model.needs_hierarchy());
            let has_hierarchy = declared.hierarchy.is_some() || declared.rule.is_some();
            if has_hierarchy && !uses_hierarchy {
                return Err(PlanError::HierarchyWithoutUse { column: column() });
            }
        }
        Ok(())
    }
}

/// The rows that find nobody of their class left among the people, each of whom is one row's.
fn absent(rows: &[u32], people: &[u32], classes: usize) -> Vec<usize> {
    let mut left = vec![0_usize; classes];
    for &class in people {
        left[class as usize] += 1;
    }
    let mut absent = Vec::new();
    for (row, &class) in rows.iter().enumerate() {
        match left[class as usize].checked_sub(1) {
            Some(fewer) => left[class as usize] = fewer,
            None => absent.push(row),
        }
    }
    absent
}

fn check_models(declared: &ColumnPlan) -> Result<(), PlanError> {
    let column = || declared.name.clone();
    if !declared.models.is_empty() && declared.role != Role::Sensitive {
        return Err(PlanError::ModelWithoutUse { column: column() });
    }
    for model in &declared.models {
        if let Some(fault) = model.fault() {
            let column = column();
            return Err(PlanError::ModelOutOfRange { column, fault });
        }
        let has_hierarchy = declared.hierarchy.is_some() || declared.rule.is_some();
        if model.needs_hierarchy() && !has_hierarchy {
            return Err(PlanError::ModelWithoutHierarchy { column: column() });
        }
    }
    Ok(())
}

fn check_values(
    declared: &ColumnPlan,
    column: &Column,
    table: &'static str,
) -> Result<(), PlanError> {
    let Some(hierarchy) = &declared.hierarchy else {
        return Ok(());
    };
    let positions = hierarchy.positions();
    let values = column.values().iter().zip(0_u32..);
    let missing = values.filter(|(value, _)| !positions.contains_key(&***value));
    let codes: Vec<u32> = missing.map(|(_, code)| code).collect();
    match codes.first() {
        Some(&first) => Err(PlanError::ValuesWithoutEntry {
            column: declared.name.clone(),
            table,
            missing: codes.len(),
            row: transform::row_of(column, first),
        }),
        None => Ok(()),
    }
}
