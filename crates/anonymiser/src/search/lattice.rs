//! The lattice of all level combinations, as numbers.
//!
//! A node is its levels read as a mixed-radix number, the first column most significant, so the
//! order of the numbers is the lexicographic order of the levels.

use super::bound::{Bounds, Partial};

/// All combinations of one level for each column.
pub(crate) struct Lattice {
    /// Levels of each column.
    sizes: Vec<usize>,
    /// What one level up in each column adds to a node's number.
    strides: Vec<usize>,
    nodes: usize,
}

impl Lattice {
    /// The lattice over columns with these numbers of levels; `Err` carries its size when that
    /// exceeds `limit` (saturated).
    pub(crate) fn new(sizes: Vec<usize>, limit: usize) -> Result<Self, usize> {
        let nodes = sizes
            .iter()
            .fold(1_usize, |product, &size| product.saturating_mul(size));
        if nodes > limit {
            return Err(nodes);
        }
        let mut strides = vec![1; sizes.len()];
        for column in (1..sizes.len()).rev() {
            strides[column - 1] = strides[column] * sizes[column];
        }
        Ok(Self {
            sizes,
            strides,
            nodes,
        })
    }

    /// Levels of a column.
    pub(crate) fn size(&self, column: usize) -> usize {
        self.sizes[column]
    }

    /// The first node whose first levels are these.
    pub(crate) fn first_with(&self, levels: &[usize]) -> usize {
        let levels = levels.iter().zip(&self.strides);
        levels.map(|(level, stride)| level * stride).sum()
    }

    pub(crate) fn nodes(&self) -> usize {
        self.nodes
    }

    pub(crate) fn dimensions(&self) -> usize {
        self.sizes.len()
    }

    fn level(&self, node: usize, column: usize) -> usize {
        node / self.strides[column] % self.sizes[column]
    }

    pub(crate) fn levels(&self, node: usize) -> Vec<usize> {
        let mut levels = vec![0; self.dimensions()];
        self.levels_into(node, &mut levels);
        levels
    }

    pub(crate) fn levels_into(&self, node: usize, levels: &mut [usize]) {
        for (column, level) in levels.iter_mut().enumerate() {
            *level = self.level(node, column);
        }
    }

    pub(crate) fn level_sum(&self, node: usize) -> usize {
        (0..self.dimensions())
            .map(|column| self.level(node, column))
            .sum()
    }

    /// Calls `take` with the number of each node that may suppress no more rows than `limit`, with what it costs, and
    /// with how many it suppresses, at least.
    pub(crate) fn within(
        &self,
        bounds: &Bounds<'_>,
        limit: usize,
        mut take: impl FnMut(usize, f64, usize),
    ) {
        let mut known = vec![Partial::default(); self.dimensions() + 1];
        let mut levels = Vec::with_capacity(self.dimensions());
        self.descend(bounds, limit, 0, &mut levels, &mut known, &mut take);
    }

    /// The same for the nodes that begin with these levels; `known` is what is known of each beginning, from none on.
    fn descend(
        &self,
        bounds: &Bounds<'_>,
        limit: usize,
        node: usize,
        levels: &mut Vec<usize>,
        known: &mut [Partial],
        take: &mut impl FnMut(usize, f64, usize),
    ) {
        let column = levels.len();
        if column == self.dimensions() {
            let (cost, suppressed) = (bounds.cost(levels, &known[0]), known[0].suppressed());
            take(node, cost, suppressed);
            return;
        }
        for level in 0..self.sizes[column] {
            levels.push(level);
            let [before, next, ..] = &mut *known else {
                unreachable!("there is one for each column, and one for none")
            };
            bounds.extended(before, levels, next);
            if next.suppressed() <= limit {
                let node = node + level * self.strides[column];
                self.descend(bounds, limit, node, levels, &mut known[1..], take);
            }
            levels.pop();
        }
    }

    /// The nodes one level up in one column.
    pub(crate) fn above(&self, node: usize) -> impl Iterator<Item = usize> {
        (0..self.dimensions())
            .filter(move |&column| self.level(node, column) + 1 < self.sizes[column])
            .map(move |column| node + self.strides[column])
    }

    /// The nodes one level down in one column.
    pub(crate) fn below(&self, node: usize) -> impl Iterator<Item = usize> {
        (0..self.dimensions())
            .filter(move |&column| self.level(node, column) > 0)
            .map(move |column| node - self.strides[column])
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_are_lexicographic() {
        let lattice = Lattice::new(vec![2, 1, 3], 6).unwrap_or_else(|_| panic!("6 nodes fit"));
        let all: Vec<Vec<usize>> = (0..lattice.nodes())
            .map(|node| lattice.levels(node))
            .collect();
        assert_eq!(all[0], [0, 0, 0]);
        assert_eq!(all[5], [1, 0, 2]);
        assert!(all.is_sorted());
        assert_eq!(lattice.level_sum(5), 3);
    }

    #[test]
    fn neighbours_differ_by_one_level() {
        let lattice = Lattice::new(vec![2, 1, 3], 6).unwrap_or_else(|_| panic!("6 nodes fit"));
        assert_eq!(lattice.above(1).collect::<Vec<_>>(), [4, 2]);
        assert_eq!(lattice.below(4).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(lattice.above(5).count() + lattice.below(0).count(), 0);
    }

    #[test]
    fn too_large_is_refused_without_overflow() {
        assert_eq!(Lattice::new(vec![2, 3], 5).err(), Some(6));
        assert_eq!(Lattice::new(vec![32; 100], 5).err(), Some(usize::MAX));
        assert_eq!(
            Lattice::new(Vec::new(), 5)
                .map(|lattice| lattice.nodes())
                .ok(),
            Some(1)
        );
    }
}
