//! What nodes that were checked tell of the cost of those above them.

use super::kept::PackedLevels;

/// Levels of nodes that were checked, and what all above each of them cost at least; the highest first.
#[derive(Default)]
pub(super) struct Floors(Vec<(f64, PackedLevels)>);

impl Floors {
    pub(super) fn add(&mut self, levels: &[usize], cost: f64) {
        let place = self.0.partition_point(|(other, _)| *other >= cost);
        self.0.insert(place, (cost, PackedLevels::new(levels)));
    }

    /// What a node costs at least, when that is more than `bound`.
    pub(super) fn above(&self, bound: f64, levels: impl FnOnce() -> Vec<usize>) -> Option<f64> {
        if self.0.first().is_none_or(|(cost, _)| *cost <= bound) {
            return None;
        }
        let levels = PackedLevels::new(&levels());
        let higher = self.0.iter().take_while(|(cost, _)| *cost > bound);
        let mut below = higher.filter(|(_, floor)| floor.is_below(&levels));
        below.next().map(|(cost, _)| *cost)
    }
}
