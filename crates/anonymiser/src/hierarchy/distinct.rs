//! A hierarchy of values that are known to be distinct, as those of a column are: they need no dictionary.

use std::collections::HashMap;

use super::{Hierarchy, HierarchyError, Level, MAX_HIERARCHY_VALUES, MAX_LEVELS};

impl Hierarchy {
    /// The hierarchy of these distinct values, each with the labels between it and `*`: of so many levels with both.
    pub(crate) fn of_lines<'a>(
        levels: usize,
        lines: impl Iterator<Item = (&'a str, Vec<String>)>,
    ) -> Result<Self, HierarchyError> {
        if levels > MAX_LEVELS {
            return Err(HierarchyError::TooManyLevels { levels });
        }
        let mut values = Vec::new();
        let mut between: Vec<Between> = (2..levels).map(|_| Between::default()).collect();
        for ((value, labels), line) in lines.zip(1_u64..) {
            if values.len() >= MAX_HIERARCHY_VALUES {
                return Err(HierarchyError::TooManyValues);
            }
            let mut below = values.len() as u32;
            values.push(value.to_owned());
            for ((level, between), label) in (1..).zip(&mut between).zip(labels) {
                let group = between.place(label, below);
                below = group.ok_or(HierarchyError::NotMonotonic { line, level })?;
            }
        }
        let count = values.len() as u32;
        let bottom = Level {
            groups: (0..count).collect(),
            leaves: vec![1; values.len()],
            labels: values,
        };
        let top = Level {
            groups: vec![0; count as usize],
            labels: vec!["*".to_owned()],
            leaves: vec![count],
        };
        let between = between.into_iter().map(|between| between.level);
        let levels = std::iter::once(bottom).chain(between).chain([top]);
        Ok(Self {
            levels: levels.collect(),
        })
    }
}

/// A level that grows value by value.
struct Between {
    level: Level,
    known: HashMap<String, u32>,
    /// The group that each group of the level below lies in; those are numbered as they appear.
    parents: Vec<u32>,
}

impl Default for Between {
    fn default() -> Self {
        let level = Level {
            groups: Vec::new(),
            labels: Vec::new(),
            leaves: Vec::new(),
        };
        Self {
            level,
            known: HashMap::new(),
            parents: Vec::new(),
        }
    }
}

impl Between {
    /// Puts the next value, which is in the group `below` one level down, into the group of this label; `None` when that splits the
    /// group below.
    fn place(&mut self, label: String, below: u32) -> Option<u32> {
        let level = &mut self.level;
        let group = match self.known.get(&label) {
            Some(&group) => group,
            None => {
                let group = level.labels.len() as u32;
                level.labels.push(label.clone());
                level.leaves.push(0);
                self.known.insert(label, group);
                group
            }
        };
        level.groups.push(group);
        level.leaves[group as usize] += 1;
        match self.parents.get(below as usize) {
            None => self.parents.push(group),
            Some(&parent) if parent == group => {}
            Some(_) => return None,
        }
        Some(group)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// It is what the reader of a file makes of the same lines, faults included.
        #[test]
        fn it_is_the_hierarchy_that_a_file_would_give(labels in proptest::collection::vec("[a-c][a-b][*x]", 1..8)) {
            let values: Vec<String> = (0..labels.len()).map(|value| value.to_string()).collect();
            let between = |labels: &String| labels.chars().map(String::from).collect::<Vec<_>>();
            let lines = values.iter().zip(&labels).map(|(value, labels)| (value.as_str(), between(labels)));
            let made = Hierarchy::of_lines(5, lines.clone());
            let file = lines.map(|(value, labels)| format!("{value};{};*\n", labels.join(";")));
            prop_assert_eq!(made, Hierarchy::from_csv(file.collect::<String>().as_bytes(), b';'));
        }
    }

    #[test]
    fn limits_hold_and_nothing_has_a_hierarchy() {
        let none = || std::iter::empty::<(&str, Vec<String>)>();
        assert_eq!(
            Hierarchy::of_lines(2, none()),
            Ok(Hierarchy::identity([""; 0]))
        );
        let levels = MAX_LEVELS + 1;
        assert_eq!(
            Hierarchy::of_lines(levels, none()),
            Err(HierarchyError::TooManyLevels { levels })
        );
    }
}
