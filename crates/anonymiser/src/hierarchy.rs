//! Generalisation hierarchies: for each value, what it becomes at each level.

mod distinct;

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::delimited::{self, TextError};

/// The most levels of a hierarchy, the value itself included.
pub const MAX_LEVELS: usize = 32;
/// The most values of a hierarchy.
pub const MAX_HIERARCHY_VALUES: usize = 5_000_000;

/// Why something is not a hierarchy. Lines count from 1; no value is quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HierarchyError {
    /// There is no line.
    #[error("the hierarchy is empty; each line is `value;level 1;…;*`")]
    Empty,
    /// A line has another number of levels than the first.
    #[error("line {line} of the hierarchy has {found} levels where line 1 has {expected}")]
    Ragged {
        /// Line in the input.
        line: u64,
        /// Levels of the first line.
        expected: usize,
        /// Levels of this line.
        found: usize,
    },
    /// A value has two lines.
    #[error("line {line} of the hierarchy repeats the value of an earlier line; remove one")]
    DuplicateValue {
        /// Line in the input.
        line: u64,
    },
    /// Two values that are the same at one level differ at the next.
    #[error(
        "line {line} of the hierarchy splits a group: it equals an earlier line at level {} but differs at level {level}", level - 1
    )]
    NotMonotonic {
        /// Line in the input.
        line: u64,
        /// The level at which the group splits.
        level: usize,
    },
    /// There are too many levels.
    #[error("the hierarchy has {levels} levels, and {MAX_LEVELS} is the limit")]
    TooManyLevels {
        /// Levels found.
        levels: usize,
    },
    /// There are too many values.
    #[error("the hierarchy has more than {MAX_HIERARCHY_VALUES} values")]
    TooManyValues,
    /// The text cannot be read.
    #[error("the hierarchy cannot be read: {0}")]
    Text(#[from] TextError),
}

/// One level: a group for each value of the hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Level {
    /// Group of each value, by the value's position.
    pub(crate) groups: Vec<u32>,
    /// What a group is written as.
    pub(crate) labels: Vec<String>,
    /// How many values of the hierarchy a group covers.
    pub(crate) leaves: Vec<u32>,
}

/// What each value of a quasi-identifier becomes at each level; level 0 is the value itself.
///
/// Groups only merge from level to level, they never split. Serialised as the list of its lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Vec<String>>", into = "Vec<Vec<String>>")]
pub struct Hierarchy {
    levels: Vec<Level>,
}

impl Hierarchy {
    /// Reads the CSV form of ARX: a line for each value, `value;level 1;…;*`, no header.
    ///
    /// # Errors
    ///
    /// [`HierarchyError`], with the line where there is one.
    pub fn from_csv(bytes: &[u8], delimiter: u8) -> Result<Self, HierarchyError> {
        let mut growing = Growing::default();
        delimited::read(bytes, delimiter, |place, record| {
            let labels: Vec<&str> = record.iter().collect();
            growing.push(|| place.line(), &labels)
        })?;
        growing.finish()
    }

    /// The hierarchy of a quasi-identifier that has no file: the value, then `*`. A value that
    /// is given again is taken once.
    pub fn identity(values: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut seen = HashSet::new();
        let mut labels = Vec::new();
        for value in values {
            if seen.insert(value.as_ref().to_owned()) {
                labels.push(value.as_ref().to_owned());
            }
        }
        let count = labels.len() as u32;
        let bottom = Level {
            groups: (0..count).collect(),
            leaves: vec![1; labels.len()],
            labels,
        };
        let top = Level {
            groups: vec![0; count as usize],
            labels: vec!["*".to_owned()],
            leaves: vec![count],
        };
        Self {
            levels: vec![bottom, top],
        }
    }

    /// The number of levels, the value itself included: `value;*` has 2.
    pub fn levels(&self) -> usize {
        self.levels.len()
    }

    /// The number of values that have an entry.
    pub fn values(&self) -> usize {
        self.levels[0].labels.len()
    }

    pub(crate) fn level(&self, level: usize) -> &Level {
        &self.levels[level]
    }

    /// The position of each value in the hierarchy.
    pub(crate) fn positions(&self) -> HashMap<&str, u32> {
        let labels = self.levels[0].labels.iter().map(String::as_str);
        labels.zip(0..).collect()
    }
}

/// A hierarchy being read; checks each line against those before it.
#[derive(Default)]
struct Growing {
    levels: Vec<Level>,
    known: Vec<HashMap<String, u32>>,
    /// For each level but the first: the group that each group of the level below lies in.
    parents: Vec<Vec<u32>>,
}

impl Growing {
    fn push(&mut self, line: impl Fn() -> u64, labels: &[&str]) -> Result<(), HierarchyError> {
        if self.levels.is_empty() {
            self.start(labels.len())?;
        }
        if labels.len() != self.levels.len() {
            return Err(HierarchyError::Ragged {
                line: line(),
                expected: self.levels.len(),
                found: labels.len(),
            });
        }
        if self.known[0].contains_key(labels[0]) {
            return Err(HierarchyError::DuplicateValue { line: line() });
        }
        if self.levels[0].labels.len() >= MAX_HIERARCHY_VALUES {
            return Err(HierarchyError::TooManyValues);
        }
        let mut below = None;
        for (level, label) in labels.iter().enumerate() {
            let group = self.place(level, label);
            if let Some(below) = below {
                let parents = &mut self.parents[level];
                match parents.get(below as usize) {
                    None => parents.push(group),
                    Some(&parent) if parent == group => {}
                    Some(_) => {
                        return Err(HierarchyError::NotMonotonic {
                            line: line(),
                            level,
                        });
                    }
                }
            }
            below = Some(group);
        }
        Ok(())
    }

    fn start(&mut self, levels: usize) -> Result<(), HierarchyError> {
        if levels > MAX_LEVELS {
            return Err(HierarchyError::TooManyLevels { levels });
        }
        let empty = Level {
            groups: Vec::new(),
            labels: Vec::new(),
            leaves: Vec::new(),
        };
        self.levels = vec![empty; levels];
        self.known = vec![HashMap::new(); levels];
        self.parents = vec![Vec::new(); levels];
        Ok(())
    }

    /// Puts the next value into the group `label` of `level`.
    fn place(&mut self, level: usize, label: &str) -> u32 {
        let target = &mut self.levels[level];
        let group = match self.known[level].get(label) {
            Some(&group) => group,
            None => {
                let group = target.labels.len() as u32;
                self.known[level].insert(label.to_owned(), group);
                target.labels.push(label.to_owned());
                target.leaves.push(0);
                group
            }
        };
        target.groups.push(group);
        target.leaves[group as usize] += 1;
        group
    }

    fn finish(self) -> Result<Hierarchy, HierarchyError> {
        if self.levels.is_empty() {
            return Err(HierarchyError::Empty);
        }
        Ok(Hierarchy {
            levels: self.levels,
        })
    }
}

impl TryFrom<Vec<Vec<String>>> for Hierarchy {
    type Error = HierarchyError;

    fn try_from(lines: Vec<Vec<String>>) -> Result<Self, HierarchyError> {
        let mut growing = Growing::default();
        for (labels, line) in lines.iter().zip(1_u64..) {
            let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
            if labels.is_empty() {
                return Err(HierarchyError::Empty);
            }
            growing.push(|| line, &labels)?;
        }
        growing.finish()
    }
}

impl From<Hierarchy> for Vec<Vec<String>> {
    fn from(hierarchy: Hierarchy) -> Self {
        let label = |level: &Level, value: usize| {
            let group = level.groups[value];
            level.labels[group as usize].clone()
        };
        (0..hierarchy.values())
            .map(|value| {
                hierarchy
                    .levels
                    .iter()
                    .map(|level| label(level, value))
                    .collect()
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const AGES: &[u8] = b"1;0-4;*\r\n2;0-4;*\r\n7;5-9;*\r\n";

    #[test]
    fn levels_groups_and_leaves_are_counted() {
        let ages = Hierarchy::from_csv(AGES, b';').unwrap();
        assert_eq!((ages.levels(), ages.values()), (3, 3));
        assert_eq!(ages.level(1).labels, ["0-4", "5-9"]);
        assert_eq!(ages.level(1).leaves, [2, 1]);
        assert_eq!(ages.level(2).leaves, [3]);
        assert_eq!(ages.positions()["7"], 2);
    }

    #[test]
    fn each_fault_is_named() {
        let read = |bytes: &[u8]| Hierarchy::from_csv(bytes, b';').unwrap_err();
        assert_eq!(read(b""), HierarchyError::Empty);
        assert_eq!(
            read(b"1;*\n2;x;*\n"),
            HierarchyError::Ragged {
                line: 2,
                expected: 2,
                found: 3
            }
        );
        assert_eq!(
            read(b"1;*\n1;*\n"),
            HierarchyError::DuplicateValue { line: 2 }
        );
        assert_eq!(
            read(b"1;low;a\n2;low;b\n"),
            HierarchyError::NotMonotonic { line: 2, level: 2 }
        );
        let not_utf8 = TextError::NotUtf8 { line: 2, cell: 1 };
        assert_eq!(read(b"1;*\n\xFF;*\n"), HierarchyError::Text(not_utf8));
        let wide = vec!["x"; MAX_LEVELS + 1].join(";");
        assert_eq!(
            read(wide.as_bytes()),
            HierarchyError::TooManyLevels {
                levels: MAX_LEVELS + 1
            }
        );
        assert!(matches!(
            Hierarchy::from_csv(b"1;*", b'\n'),
            Err(HierarchyError::Text(TextError::BadDelimiter { .. }))
        ));
    }

    #[test]
    fn identity_is_the_value_and_a_star() {
        let sexes = Hierarchy::identity(["f", "m", "f"]);
        assert_eq!(sexes, Hierarchy::from_csv(b"f;*\nm;*", b';').unwrap());
    }

    #[test]
    fn serialised_and_back_with_the_same_checks() {
        let ages = Hierarchy::from_csv(AGES, b';').unwrap();
        let json = serde_json::to_string(&ages).unwrap();
        assert_eq!(json, r#"[["1","0-4","*"],["2","0-4","*"],["7","5-9","*"]]"#);
        assert_eq!(serde_json::from_str::<Hierarchy>(&json).unwrap(), ages);
        for bad in ["[]", "[[]]", r#"[["1","*"],["1","*"]]"#] {
            assert!(serde_json::from_str::<Hierarchy>(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_hierarchy_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200), delimiter: u8) {
            if let Ok(hierarchy) = Hierarchy::from_csv(&bytes, delimiter) {
                prop_assert!(hierarchy.levels() > 0 && hierarchy.values() > 0);
            }
        }

        #[test]
        fn groups_never_split_in_what_is_accepted(lines in proptest::collection::vec("[a-c];[a-c];[a-b];[*x]", 1..5)) {
            if let Ok(hierarchy) = Hierarchy::from_csv(lines.join("\n").as_bytes(), b';') {
                for level in 1..hierarchy.levels() {
                    let (lower, upper) = (hierarchy.level(level - 1), hierarchy.level(level));
                    for one in 0..hierarchy.values() {
                        for other in 0..hierarchy.values() {
                            prop_assert!(lower.groups[one] != lower.groups[other] || upper.groups[one] == upper.groups[other]);
                        }
                    }
                    prop_assert_eq!(upper.leaves.iter().sum::<u32>() as usize, hierarchy.values());
                }
            }
        }
    }
}
