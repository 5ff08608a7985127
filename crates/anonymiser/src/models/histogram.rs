//! The values of a class, counted.

/// How often each value of a column stands in a class. Its memory is kept from class to class.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    counts: Vec<u32>,
    present: Vec<u32>,
    pub(super) rows: u64,
    scratch: Vec<u32>,
    pub(super) extra: Vec<f64>,
    pub(super) sides: Vec<[f64; 2]>,
}

impl Histogram {
    /// Of a column with so many values.
    pub(crate) fn of(values: usize) -> Self {
        Self {
            counts: vec![0; values],
            ..Self::default()
        }
    }

    pub(crate) fn add(&mut self, value: u32, rows: u32) {
        let count = &mut self.counts[value as usize];
        if *count == 0 {
            self.present.push(value);
        }
        *count += rows;
        self.rows += u64::from(rows);
    }

    /// Before it is judged: sums are made in one order, however the rows came.
    pub(crate) fn settle(&mut self) {
        self.present.sort_unstable();
    }

    pub(crate) fn clear(&mut self) {
        for value in self.present.drain(..) {
            self.counts[value as usize] = 0;
        }
        self.rows = 0;
    }

    pub(super) fn share(&self, value: usize) -> f64 {
        f64::from(self.counts[value]) / self.rows as f64
    }

    pub(super) fn shares(&self) -> impl Iterator<Item = (usize, f64)> {
        let values = self.present.iter().map(|&value| value as usize);
        values.map(|value| (value, self.share(value)))
    }

    /// Of the values that the class has, (share in the class − share in the table) ÷ share in the table, at most: how much more
    /// likely a value gets.
    pub(crate) fn gain(&self, table: &[u64], rows: u64) -> f64 {
        let gain = |(value, share): (usize, f64)| share / (table[value] as f64 / rows as f64) - 1.0;
        self.shares().map(gain).fold(0.0, f64::max)
    }

    /// Distinct values.
    pub(crate) fn distinct(&self) -> usize {
        self.present.len()
    }

    /// Rows of the most frequent value, and of all others.
    pub(crate) fn most_and_others(&self) -> (u64, u64) {
        let counts = self
            .present
            .iter()
            .map(|&value| self.counts[value as usize]);
        let most = counts.max().map_or(0, u64::from);
        (most, self.rows - most)
    }

    /// Bits.
    pub(crate) fn entropy(&self) -> f64 {
        self.shares().map(|(_, share)| -share * share.log2()).sum()
    }

    /// Counts, the highest first.
    pub(super) fn ranked(&mut self) -> &[u32] {
        self.scratch.clear();
        let counts = self
            .present
            .iter()
            .map(|&value| self.counts[value as usize]);
        self.scratch.extend(counts);
        self.scratch.sort_unstable_by(|one, other| other.cmp(one));
        &self.scratch
    }
}
