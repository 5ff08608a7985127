//! Which entries of one node are alike at the levels of a node above, and so of one class there.
//!
//! Where the groups of the node above have not too many combinations, each has a place in an array, which is several times as fast as
//! looking keys up.

use super::classes::Grouping;
use super::entries::Entries;
use super::raising::{Raising, Step};

/// Places there are at most; only those that are taken are touched.
const MAX_PLACES: usize = 1 << 20;

/// Merges entries, in memory that is kept.
#[derive(Default)]
pub(crate) struct Merging {
    raising: Raising,
    grouping: Grouping,
    places: Vec<u32>,
    /// By place: 0 but while numbering, when it is one more than the class there.
    taken: Vec<u32>,
    words: Vec<Vec<u64>>,
    /// Class of each entry, from 0 in the order of first appearance.
    class_of: Vec<u32>,
    /// The first entry of each class.
    firsts: Vec<u32>,
}

impl Merging {
    pub(crate) fn class_of(&self) -> &[u32] {
        &self.class_of
    }

    pub(crate) fn count(&self) -> usize {
        self.firsts.len()
    }

    /// Numbers the classes of these entries.
    pub(crate) fn merge(&mut self, step: Step<'_>, entries: &Entries) {
        let places = step.places();
        if places <= MAX_PLACES {
            self.raising.place(step, entries, &mut self.places);
            self.number(places);
        } else {
            self.words.resize(entries.words.len(), Vec::new());
            self.raising.raise(step, &entries.words, &mut self.words);
            self.look_up(entries.len());
        }
    }

    /// By places. Without a branch on whether a class is new, which the processor could not foretell.
    fn number(&mut self, places: usize) {
        if self.taken.len() < places {
            self.taken = vec![0; places];
        }
        self.firsts.clear();
        self.firsts.resize(self.places.len() + 1, 0);
        self.class_of.clear();
        let (taken, firsts) = (&mut self.taken[..places], &mut self.firsts[..]);
        let mut count = 0;
        let numbers = (0..).zip(&self.places).map(|(entry, &place)| {
            let before = taken[place as usize];
            let is_new = u32::from(before == 0);
            firsts[count as usize] = entry;
            count += is_new;
            let number = before + is_new * count;
            taken[place as usize] = number;
            number - 1
        });
        self.class_of.extend(numbers);
        self.firsts.truncate(count as usize);
        for &first in &self.firsts {
            self.taken[self.places[first as usize] as usize] = 0;
        }
    }

    /// By their words.
    fn look_up(&mut self, entries: usize) {
        self.grouping.clear(entries);
        self.class_of.clear();
        self.grouping.extend(&self.words, &mut self.class_of);
        self.firsts.clear();
        self.firsts.extend_from_slice(self.grouping.firsts());
    }

    /// The words of each class of the entries that were merged last.
    pub(crate) fn words_of_classes(&mut self, step: Step<'_>, entries: &Entries) -> Vec<Vec<u64>> {
        let of_firsts = |words: &Vec<u64>| {
            let firsts = self.firsts.iter();
            firsts.map(|&first| words[first as usize]).collect()
        };
        let firsts: Vec<Vec<u64>> = entries.words.iter().map(of_firsts).collect();
        let mut raised = vec![Vec::new(); firsts.len()];
        self.raising.raise(step, &firsts, &mut raised);
        raised
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::hierarchy::Hierarchy;
    use crate::metric::Metric;
    use crate::search::coded::QuasiIdentifier;
    use crate::search::problem::{Goal, Problem};
    use crate::table::Table;
    use proptest::prelude::*;

    fn numbers(merging: &Merging) -> (Vec<u32>, Vec<u32>) {
        (merging.class_of.clone(), merging.firsts.clone())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        /// Node after node, in the same memory.
        #[test]
        fn places_and_words_make_the_same_classes(
            rows in prop::collection::vec((0_u32..9, 0_u32..3, 0_u32..40), 1..200),
            nodes in prop::collection::vec([0_usize..2, 0..2, 0..3], 1..6),
        ) {
            let lines = rows.iter().map(|(a, b, c)| format!("{a},{b},{c}\n"));
            let csv = format!("a,b,c\n{}", lines.collect::<String>());
            let table = Table::from_csv(csv.as_bytes(), b',').unwrap();
            let tree: String = (0..40).map(|value| format!("{value};{}+;*\n", value / 7)).collect();
            let tree = Hierarchy::from_csv(tree.as_bytes(), b';').unwrap();
            let goal = Goal { k: 2, limit: 0, metric: Metric::Loss, risks: Vec::new() };
            let columns = table.columns().iter().map(|column| {
                QuasiIdentifier::new(column, rows.len(), &tree, goal.metric).unwrap()
            });
            let problem = Problem::new(columns.collect(), Vec::new(), rows.len(), goal);
            let entries = problem.entries();
            let (mut by_place, mut by_words) = (Merging::default(), Merging::default());
            by_words.words = vec![Vec::new()];
            for node in nodes {
                let step = Step { problem: &problem, from: &[0; 3], to: &node };
                by_place.merge(step, entries);
                by_words.raising.raise(step, &entries.words, &mut by_words.words);
                by_words.look_up(entries.len());
                prop_assert_eq!(numbers(&by_place), numbers(&by_words));
                let words = by_place.words_of_classes(step, entries);
                for (&word, &first) in words[0].iter().zip(&by_words.firsts) {
                    prop_assert_eq!(word, by_words.words[0][first as usize]);
                }
            }
        }
    }
}
