//! A column on its way into a release.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use crate::hierarchy::{Hierarchy, Level};
use crate::plan::{ColumnPlan, Plan, Role};
use crate::pseudonym::pseudonymise;
use crate::table::{Column, Table};

/// A column and what becomes of it.
pub(super) struct Part<'a> {
    pub(super) column: &'a Arc<Column>,
    pub(super) role: Role,
    /// Of a quasi-identifier: the column, with the population's behind it, and the declared hierarchy, or the one of a column
    /// without a file.
    generalised: Option<(Cow<'a, Column>, Cow<'a, Hierarchy>)>,
}

impl<'a> Part<'a> {
    pub(super) fn new(column: &'a Arc<Column>, population: Option<&Table>, plan: &'a Plan) -> Self {
        let ColumnPlan {
            role, hierarchy, ..
        } = plan
            .column(column.name())
            .expect("the check found every column declared");
        let generalised = (*role == Role::QuasiIdentifier).then(|| {
            let people = population.and_then(|people| {
                let position = people.column_index(column.name())?;
                Some(&people.columns()[position])
            });
            let column: Cow<'a, Column> = match people {
                Some(people) => Cow::Owned(column.followed_by(people)),
                None => Cow::Borrowed(column),
            };
            let hierarchy = match hierarchy {
                Some(hierarchy) => Cow::Borrowed(hierarchy),
                None => Cow::Owned(Hierarchy::identity(column.values())),
            };
            (column, hierarchy)
        });
        Self {
            column,
            role: *role,
            generalised,
        }
    }

    pub(super) fn is_dropped(&self) -> bool {
        matches!(self.role, Role::Identifier | Role::Text)
    }

    pub(super) fn generalised(&self) -> Option<(&Column, &Hierarchy)> {
        let (column, hierarchy) = self.generalised.as_ref()?;
        Some((column, hierarchy))
    }

    /// The column as it is released: at this level, where it is generalised, and of these rows, where some are suppressed.
    pub(super) fn released(
        &self,
        level: usize,
        kept: Option<&[u32]>,
        key: &[u8; 32],
    ) -> Arc<Column> {
        let column = match self.role {
            Role::Pseudonym => Arc::new(pseudonymise(self.column, key)),
            // At the bottom a value is what it was.
            Role::QuasiIdentifier if level > 0 => {
                let (_, hierarchy) = self.generalised().expect("quasi-identifiers have one");
                return Arc::new(generalise(
                    self.column,
                    hierarchy.level(level),
                    kept,
                    &hierarchy.positions(),
                ));
            }
            _ => Arc::clone(self.column),
        };
        match kept {
            Some(kept) => Arc::new(column.of_rows(kept)),
            None => column,
        }
    }
}

/// Writes a column at one level of its hierarchy.
fn generalise(
    column: &Column,
    Level { groups, labels, .. }: &Level,
    kept: Option<&[u32]>,
    positions: &HashMap<&str, u32>,
) -> Column {
    let group_of_code: Vec<u32> = column
        .values()
        .iter()
        .map(|value| groups[positions[&**value] as usize])
        .collect();
    let labels: Vec<Arc<str>> = labels.iter().map(|label| label.as_str().into()).collect();
    let name = Arc::clone(column.name());
    let group = |code: u32| group_of_code[code as usize];
    match kept {
        Some(kept) => {
            let codes = kept.iter().map(|&row| group(column.codes()[row as usize]));
            Column::recoded(name, codes, &labels)
        }
        None => {
            let codes = column.codes().iter().map(|&code| group(code));
            Column::recoded(name, codes, &labels)
        }
    }
}
