//! Nodes that are kept because others are grouped from them.
//!
//! Many nodes have nothing but the distinct rows below them. Where two of them agree in the columns of most values, the node that has their
//! levels in these columns, and is at the bottom in all others, is grouped as well, as a stepping stone: it has many fewer
//! classes than there are distinct rows, and there are few such nodes.

use std::cmp::Reverse;
use std::collections::HashSet;

use super::checker::Source;
use super::entries::Entries;
use super::problem::Problem;

/// Nodes that are kept at most.
const MAX_KEPT_NODES: usize = 4_096;
/// All of them together have at most so many entries, of some 12 bytes each, and cells of sensitive columns, of 12 bytes,
const MAX_KEPT_ENTRIES: usize = 1_000_000;
/// or so many times as many as the table has distinct rows.
const MAX_KEPT_SHARE: usize = 2;
/// A node is kept when it has at most so many classes for so many entries that it was grouped from.
const WORTH_KEEPING: [usize; 2] = [3, 4];

/// What is grouped from more than one in so many distinct rows wants a stepping stone.
const FAR: usize = 4;

/// Bits of a level, and one that shows a borrow: there are no more than `hierarchy::MAX_LEVELS`, 32.
const LEVEL_BITS: usize = 6;
const LEVELS_PER_WORD: usize = 10;
/// The highest bit of each level.
const BORROWS: u64 = 0x0820_8208_2082_0820;

/// The levels of a node, packed: one subtraction compares ten of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct PackedLevels(Box<[u64]>);

impl PackedLevels {
    pub(crate) fn new(levels: &[usize]) -> Self {
        let words = levels.chunks(LEVELS_PER_WORD).map(|levels| {
            let places = levels.iter().zip((0..).step_by(LEVEL_BITS));
            places.fold(0, |word, (&level, shift)| word | (level as u64) << shift)
        });
        Self(words.collect())
    }

    /// Whether no level is higher than that of the other node.
    pub(crate) fn is_below(&self, other: &Self) -> bool {
        let words = self.0.iter().zip(&other.0);
        words.fold(true, |below, (one, other)| {
            below & (((other | BORROWS) - one) & BORROWS == BORROWS)
        })
    }
}

/// A node that was checked.
pub(crate) struct Kept {
    levels: Vec<usize>,
    packed: PackedLevels,
    entries: Entries,
    /// Number of the check that it served last.
    used: usize,
}

impl Kept {
    pub(crate) fn new(levels: &[usize], entries: Entries) -> Self {
        Self {
            levels: levels.to_vec(),
            packed: PackedLevels::new(levels),
            entries,
            used: 0,
        }
    }

    pub(crate) fn source(&self) -> Source<'_> {
        Source {
            levels: &self.levels,
            entries: &self.entries,
        }
    }

    /// What it takes of the memory, in entries.
    fn size(&self) -> usize {
        let cells = self.entries.cells.iter().map(Vec::len);
        self.entries.len() + cells.sum::<usize>()
    }
}

/// Whether a node with so many classes, grouped from so many entries, is worth its memory.
pub(crate) fn is_worth_keeping(classes: usize, entries: usize) -> bool {
    classes * WORTH_KEEPING[1] <= entries * WORTH_KEEPING[0]
}

/// The nodes that are kept, those that served last.
pub(crate) struct KeptNodes {
    nodes: Vec<Kept>,
    bottom: Vec<usize>,
    /// Entries of all of them.
    size: usize,
    most: usize,
    checks: usize,
    /// Stepping stones that were wanted before.
    wanted: HashSet<PackedLevels>,
}

impl KeptNodes {
    /// For so many columns and distinct rows.
    pub(crate) fn new(columns: usize, distinct: usize) -> Self {
        Self {
            nodes: Vec::new(),
            bottom: vec![0; columns],
            size: 0,
            most: MAX_KEPT_ENTRIES.max(MAX_KEPT_SHARE * distinct),
            checks: 0,
            wanted: HashSet::new(),
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// One of them, or the distinct rows.
    pub(crate) fn source<'a>(
        &'a self,
        problem: &'a Problem<'_>,
        node: Option<usize>,
    ) -> Source<'a> {
        match node {
            Some(node) => self.nodes[node].source(),
            None => Source {
                levels: &self.bottom,
                entries: problem.entries(),
            },
        }
    }

    /// Of those below these levels, the one with the fewest classes, which so has served.
    pub(crate) fn best(&mut self, levels: &[usize]) -> Option<usize> {
        self.checks += 1;
        let levels = PackedLevels::new(levels);
        let nodes = self.nodes.iter().enumerate();
        let below = nodes.filter(|(_, node)| node.packed.is_below(&levels));
        let (best, _) = below.min_by_key(|(_, node)| node.entries.len())?;
        self.nodes[best].used = self.checks;
        Some(best)
    }

    /// The levels of a node that is to be grouped and kept before the one with these levels is grouped, if that is worth it, given
    /// what that one would be grouped from.
    pub(crate) fn stepping_stone(
        &mut self,
        problem: &Problem<'_>,
        levels: &[usize],
        source: Option<usize>,
    ) -> Option<Vec<usize>> {
        let source = self.source(problem, source);
        if source.entries.len() * FAR <= problem.entries().len() {
            return None;
        }
        let mut columns: Vec<usize> = (0..levels.len()).collect();
        columns.sort_by_key(|&column| Reverse(problem.columns()[column].levels()[0].count()));
        let mut stone = vec![0; levels.len()];
        for &column in &columns[..columns.len().div_ceil(2)] {
            stone[column] = levels[column];
        }
        let is_new = stone != source.levels && stone != levels && stone != self.bottom;
        // Only what is wanted again was worth it.
        (is_new && !self.wanted.insert(PackedLevels::new(&stone))).then_some(stone)
    }

    /// Keeps a node; those that have not served for longest go for it.
    pub(crate) fn keep(&mut self, mut node: Kept) {
        node.used = self.checks;
        self.size += node.size();
        self.nodes.push(node);
        while self.nodes.len() > MAX_KEPT_NODES || self.size > self.most {
            let nodes = self.nodes.iter().enumerate();
            let oldest = nodes.min_by_key(|(_, node)| node.used);
            let (oldest, _) = oldest.expect("more than none are kept");
            self.size -= self.nodes.swap_remove(oldest).size();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn packed_levels_compare_as_levels_do(pairs in prop::collection::vec((0_usize..32, 0_usize..32), 0..25), equal: bool) {
            let (one, mut other): (Vec<usize>, Vec<usize>) = pairs.into_iter().unzip();
            if equal {
                other.clone_from(&one);
                other.iter_mut().for_each(|level| *level = (*level + 1).min(31));
            }
            let below = one.iter().zip(&other).all(|(one, other)| one <= other);
            prop_assert_eq!(PackedLevels::new(&one).is_below(&PackedLevels::new(&other)), below);
        }
    }
}
