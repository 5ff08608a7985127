//! The values of a quasi-identifier in an order in which they are cut.

use std::ops::Range;
use std::sync::Arc;

use crate::hierarchy::Hierarchy;
use crate::table::Column;

/// What stands for all values where the hierarchy has no group that does.
const ANYTHING: &str = "*";

/// A column, from its first value to its last.
pub(crate) struct Axis {
    /// Place of each code.
    place_of_code: Vec<u32>,
    /// By place: the value.
    values: Vec<Arc<str>>,
    kind: Kind,
    /// Values of the hierarchy, those that the data lacks included.
    all: u64,
}

enum Kind {
    /// In the order of size. By place: how many values of the hierarchy are smaller, and how many are not greater.
    Numbers(Vec<[u64; 2]>),
    /// By level, from the values up, and by place: the group, its label and its values. Groups of a level are side by side.
    Tree(Vec<Vec<Group>>),
}

#[derive(Clone)]
struct Group {
    number: u32,
    label: Arc<str>,
    leaves: u64,
}

impl Axis {
    /// Of a column whose values all stand in the hierarchy: by size, if all values of the hierarchy are numbers.
    pub(crate) fn new(column: &Column, hierarchy: &Hierarchy) -> Self {
        let positions = hierarchy.positions();
        let values = column.values().iter();
        let position: Vec<usize> = values.map(|value| positions[&**value] as usize).collect();
        let numbers: Option<Vec<f64>> = hierarchy
            .level(0)
            .labels
            .iter()
            .map(|label| number(label))
            .collect();
        let mut codes: Vec<usize> = (0..position.len()).collect();
        let kind = match numbers {
            Some(numbers) => {
                codes.sort_by(|&one, &other| {
                    let of = |code: usize| numbers[position[code]];
                    of(one)
                        .total_cmp(&of(other))
                        .then(position[one].cmp(&position[other]))
                });
                let mut sorted = numbers.clone();
                sorted.sort_by(f64::total_cmp);
                let bounds = codes.iter().map(|&code| {
                    let value = numbers[position[code]];
                    let below = sorted.partition_point(|number| *number < value);
                    let up_to = sorted.partition_point(|number| *number <= value);
                    [below as u64, up_to as u64]
                });
                Kind::Numbers(bounds.collect())
            }
            None => {
                let levels = 0..hierarchy.levels();
                codes.sort_by_key(|&code| -> Vec<u32> {
                    let groups = levels
                        .clone()
                        .rev()
                        .map(|level| hierarchy.level(level).groups[position[code]]);
                    groups.collect()
                });
                let level = |level: usize| {
                    let level = hierarchy.level(level);
                    let labels: Vec<Arc<str>> = level
                        .labels
                        .iter()
                        .map(|label| label.as_str().into())
                        .collect();
                    let group = |&code: &usize| {
                        let number = level.groups[position[code]];
                        Group {
                            number,
                            label: Arc::clone(&labels[number as usize]),
                            leaves: level.leaves[number as usize].into(),
                        }
                    };
                    codes.iter().map(group).collect()
                };
                Kind::Tree(levels.clone().map(level).collect())
            }
        };
        let mut place_of_code = vec![0; codes.len()];
        for (place, &code) in (0..).zip(&codes) {
            place_of_code[code] = place;
        }
        Self {
            place_of_code,
            values: codes
                .iter()
                .map(|&code| Arc::clone(&column.values()[code]))
                .collect(),
            kind,
            all: hierarchy.values() as u64,
        }
    }

    pub(super) fn places(&self, codes: &[u32]) -> Vec<u32> {
        codes
            .iter()
            .map(|&code| self.place_of_code[code as usize])
            .collect()
    }

    /// The place before which the rows at these places come nearest to halves; `None` when there is nothing to cut. Of equally near ones the
    /// first.
    pub(super) fn cut(&self, rows: impl Iterator<Item = (u32, u32)>) -> Option<u32> {
        let mut counts = std::collections::BTreeMap::<u32, u64>::new();
        for (place, rows) in rows {
            *counts.entry(place).or_default() += u64::from(rows);
        }
        counts.retain(|_, rows| *rows > 0);
        let all: u64 = counts.values().sum();
        let (&first, &last) = (counts.keys().next()?, counts.keys().next_back()?);
        let below = self.level_below(&(first..last + 1));
        let mut lower = 0;
        let mut before: Option<u32> = None;
        let mut best: Option<(u64, u32)> = None;
        for (&place, &rows) in &counts {
            let may_cut = before.is_some_and(|before| self.differ(before, place, below));
            let distance = all.abs_diff(2 * lower);
            if may_cut && best.is_none_or(|(least, _)| distance < least) {
                best = Some((distance, place));
            }
            lower += rows;
            before = Some(place);
        }
        best.map(|(_, place)| place)
    }

    /// Of a tree the highest level at which these places are not all in one group.
    fn level_below(&self, span: &Range<u32>) -> usize {
        match &self.kind {
            Kind::Numbers(_) => 0,
            Kind::Tree(levels) => {
                let differ = |level: &usize| self.differ(span.start, span.end - 1, *level);
                (0..levels.len()).rev().find(differ).unwrap_or(0)
            }
        }
    }

    /// Whether two places are not alike, in a tree at this level.
    fn differ(&self, one: u32, other: u32, level: usize) -> bool {
        let (one, other) = (one as usize, other as usize);
        match &self.kind {
            // Texts of one number, such as 1 and 1.0, stay together.
            Kind::Numbers(bounds) => bounds[one] != bounds[other],
            Kind::Tree(levels) => levels[level][one].number != levels[level][other].number,
        }
    }

    /// Of a tree the lowest group that covers these places.
    fn group(&self, span: &Range<u32>) -> Option<&Group> {
        let Kind::Tree(levels) = &self.kind else {
            return None;
        };
        let (first, last) = (span.start as usize, span.end as usize - 1);
        let covers = |level: &&Vec<Group>| level[first].number == level[last].number;
        levels.iter().find(covers).map(|level| &level[first])
    }

    /// How many values of the hierarchy a span stands for.
    pub(super) fn leaves(&self, span: &Range<u32>) -> u64 {
        match &self.kind {
            _ if span.is_empty() => 0,
            Kind::Numbers(bounds) => {
                bounds[span.end as usize - 1][1] - bounds[span.start as usize][0]
            }
            Kind::Tree(_) => self.group(span).map_or(self.all, |group| group.leaves),
        }
    }

    /// The same as a share of all of them, where more than one can be told apart.
    pub(super) fn share(&self, span: &Range<u32>) -> f64 {
        self.leaves(span) as f64 / self.all as f64
    }

    /// What a span is written as.
    pub(super) fn label(&self, span: &Range<u32>) -> Arc<str> {
        if span.is_empty() {
            return ANYTHING.into();
        }
        let first = &self.values[span.start as usize];
        let last = &self.values[span.end as usize - 1];
        match &self.kind {
            Kind::Numbers(_) if span.len() == 1 => Arc::clone(first),
            // With a sign, a dash would be hard to read.
            Kind::Numbers(_) if first.starts_with('-') => format!("[{first}, {last}]").into(),
            Kind::Numbers(_) => format!("{first}-{last}").into(),
            Kind::Tree(_) => match self.group(span) {
                Some(group) => Arc::clone(&group.label),
                None => ANYTHING.into(),
            },
        }
    }
}

fn number(label: &str) -> Option<f64> {
    label.parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::table::Table;

    fn axis(values: &str, hierarchy: &str) -> Axis {
        let table = Table::from_csv(format!("x\n{values}").as_bytes(), b',').unwrap();
        let hierarchy = Hierarchy::from_csv(hierarchy.as_bytes(), b';').unwrap();
        Axis::new(&table.columns()[0], &hierarchy)
    }

    #[test]
    fn numbers_are_cut_at_the_median_and_written_as_ranges() {
        let axis = axis("9\n10\n34\n20\n", "10;*\n20;*\n9;*\n34;*\n15;*\n");
        assert_eq!(axis.places(&[0, 1, 2, 3]), [0, 1, 3, 2]);
        assert_eq!(
            axis.cut([(0, 1), (1, 1), (2, 1), (3, 1)].into_iter()),
            Some(2)
        );
        assert_eq!(
            axis.cut([(0, 1), (1, 0), (2, 1), (3, 9)].into_iter()),
            Some(3)
        );
        assert_eq!(axis.cut([(2, 5), (3, 0)].into_iter()), None);
        assert_eq!(&*axis.label(&(1..3)), "10-20");
        assert_eq!(&*axis.label(&(3..4)), "34");
        // 15 is within the range though no row has it.
        assert_eq!(axis.leaves(&(1..3)), 3);
    }

    #[test]
    fn other_values_are_cut_between_groups_below_the_same_one() {
        let tree = "flu;lung;ill;*\nulcer;stomach;ill;*\ncold;lung;ill;*\nnone;none;well;*\n";
        let axis = axis("flu\nulcer\ncold\nnone\n", tree);
        assert_eq!(axis.places(&[0, 1, 2, 3]), [0, 2, 1, 3]);
        // Ill and well first, even where that is far from halves.
        assert_eq!(
            axis.cut([(0, 9), (1, 9), (2, 9), (3, 1)].into_iter()),
            Some(3)
        );
        assert_eq!(axis.cut([(0, 1), (1, 9), (2, 9)].into_iter()), Some(2));
        assert_eq!(axis.cut([(0, 1), (1, 9)].into_iter()), Some(1));
        let labels = [0..4, 0..3, 0..2, 1..2].map(|span| axis.label(&span).to_string());
        assert_eq!(labels, ["*", "ill", "lung", "cold"]);
        assert_eq!(
            [0..4, 0..3, 0..2, 1..2].map(|span| axis.leaves(&span)),
            [4, 3, 2, 1]
        );
    }

    #[test]
    fn a_hierarchy_without_one_top_ends_in_anything() {
        let axis = axis("a\nb\n", "a;x\nb;y\n");
        assert_eq!((&*axis.label(&(0..2)), axis.leaves(&(0..2))), ("*", 2));
        assert_eq!(axis.cut([(0, 1), (1, 1)].into_iter()), Some(1));
    }
}
