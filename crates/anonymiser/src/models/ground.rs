//! The earth mover's distance, which t-closeness limits.

use super::{Distance, Histogram, Model};
use crate::hierarchy::Hierarchy;
use crate::table::Column;
use crate::transform::position;

/// What the earth mover walks on.
#[derive(Debug)]
pub(super) enum Ground {
    Flat,
    /// Values in their order.
    Line(Vec<u32>),
    /// For each level above the values: group of each group below, and how many groups there are.
    Tree(Vec<(Vec<u32>, usize)>),
}

impl Ground {
    /// For the values of `column`, each of which must stand in the hierarchy where one is needed.
    pub(super) fn of(model: Model, column: &Column, hierarchy: Option<&Hierarchy>) -> Self {
        match model {
            Model::TCloseness {
                distance: Distance::Ordered,
                ..
            } => Self::Line(in_order(column)),
            Model::TCloseness {
                distance: Distance::Hierarchical,
                ..
            } => Self::Tree(tree(column, hierarchy.expect("the plan's check wants one"))),
            _ => Self::Flat,
        }
    }

    /// How far the earth is moved from the table's distribution to the class's: 0 to 1.
    pub(super) fn moved(&self, table: &[f64], class: &mut Histogram) -> f64 {
        match self {
            // What the class has too much of is what it lacks elsewhere.
            Self::Flat => class
                .shares()
                .map(|(value, share)| (share - table[value]).max(0.0))
                .sum(),
            Self::Line(order) => {
                let mut carried = 0.0_f64;
                let mut moved = 0.0;
                for &value in order {
                    carried += class.share(value as usize) - table[value as usize];
                    moved += carried.abs();
                }
                moved / (order.len().max(2) - 1) as f64
            }
            Self::Tree(levels) => {
                let mut extra = std::mem::take(&mut class.extra);
                extra.clear();
                extra.extend((0..table.len()).map(|value| class.share(value) - table[value]));
                let moved = climb(&mut extra, &mut class.sides, levels);
                class.extra = extra;
                moved
            }
        }
    }
}

/// Moves what it can within each group, level by level, and carries the rest up (Li et al., 2007, §4.2): moving within a
/// group of level h costs h of H for each share moved.
fn climb(extra: &mut Vec<f64>, sides: &mut Vec<[f64; 2]>, levels: &[(Vec<u32>, usize)]) -> f64 {
    let height = levels.len() as f64;
    let mut moved = 0.0;
    for (level, (groups, count)) in (1..).zip(levels) {
        sides.clear();
        sides.resize(*count, [0.0; 2]);
        for (&group, &extra) in groups.iter().zip(extra.iter()) {
            sides[group as usize][usize::from(extra < 0.0)] += extra.abs();
        }
        let within: f64 = sides.iter().map(|[more, less]| more.min(*less)).sum();
        moved += within * f64::from(level) / height;
        extra.clear();
        extra.extend(sides.iter().map(|[more, less]| more - less));
    }
    moved
}

/// The values in their order: as numbers where all are, otherwise by their bytes.
pub(super) fn in_order(column: &Column) -> Vec<u32> {
    let numbers: Option<Vec<f64>> = column
        .values()
        .iter()
        .map(|value| position(value))
        .collect();
    let mut order: Vec<u32> = (0..column.values().len() as u32).collect();
    match numbers {
        Some(numbers) => {
            order.sort_by(|&one, &other| numbers[one as usize].total_cmp(&numbers[other as usize]))
        }
        None => order.sort_by_key(|&value| &column.values()[value as usize]),
    }
    order
}

/// The levels above the values of a column. The values of the hierarchy that the column lacks move no earth.
fn tree(column: &Column, hierarchy: &Hierarchy) -> Vec<(Vec<u32>, usize)> {
    let positions = hierarchy.positions();
    let values = column.values().iter();
    let values: Vec<u32> = values.map(|value| positions[&**value]).collect();
    let mut below: Vec<u32> = (0..values.len() as u32).collect();
    let mut below_count = values.len();
    (1..hierarchy.levels())
        .map(|level| {
            let level = hierarchy.level(level);
            let mut groups = vec![0; below_count];
            for (&value, &below) in values.iter().zip(&below) {
                groups[below as usize] = level.groups[value as usize];
            }
            below = values
                .iter()
                .map(|&value| level.groups[value as usize])
                .collect();
            below_count = level.labels.len();
            (groups, below_count)
        })
        .collect()
}
