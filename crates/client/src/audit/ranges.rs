//! How many EVM blocks are asked for at once: as many as have about as many events as one wants to hold.

/// Events and entries of blocks that are held at once, about: some 2 MB.
const WANTED: usize = 4_096;
/// The first range. What is there is not known yet.
const FIRST_SPAN: u64 = 64;
/// The longest range: what a stretch of empty blocks grows to, and so the longest that a sudden crowd is met with.
const LONGEST_SPAN: u64 = 1_000;

/// Ranges of EVM blocks one behind the other, shorter where much happened.
#[derive(Debug)]
pub(super) struct Ranges {
    next: u64,
    last: u64,
    span: u64,
}

impl Ranges {
    /// From block 0 to `last`.
    pub(super) const fn up_to(last: u64) -> Self {
        Self {
            next: 0,
            last,
            span: FIRST_SPAN,
        }
    }

    /// First and last block of the next range; nothing behind the last one.
    pub(super) fn next(&self) -> Option<(u64, u64)> {
        let end = self.next.saturating_add(self.span - 1).min(self.last);
        (self.next <= self.last).then_some((self.next, end))
    }

    /// Notes that the range up to `end` had so many events and entries: the next one aims at [`WANTED`], and grows to
    /// twice as many blocks at most.
    pub(super) fn read(&mut self, end: u64, found: usize) {
        let blocks = end - self.next + 1;
        let fitting = blocks * WANTED as u64 / (found as u64).max(1);
        self.span = fitting.clamp(1, (2 * self.span).min(LONGEST_SPAN));
        self.next = end + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a chain with so many events a block; the most that was held at once, and how many ranges there were.
    fn reading(last: u64, density: impl Fn(u64) -> usize) -> (usize, u64) {
        let mut ranges = Ranges::up_to(last);
        let (mut most, mut count, mut expected) = (0, 0, 0);
        while let Some((begin, end)) = ranges.next() {
            assert_eq!(begin, expected, "no block is left out or read twice");
            let found = (begin..=end).map(&density).sum();
            ranges.read(end, found);
            (most, count, expected) = (most.max(found), count + 1, end + 1);
        }
        assert_eq!(expected, last + 1);
        (most, count)
    }

    #[test]
    fn a_quiet_chain_is_read_in_long_ranges() {
        let (_, count) = reading(1_000_000, |_| 0);
        assert!(count < 1_010, "{count} ranges");
    }

    #[test]
    fn a_crowded_chain_is_read_in_short_ones() {
        let (most, _) = reading(10_000, |_| 500);
        assert_eq!(
            most,
            64 * 500,
            "the first range; nothing is known before it"
        );
        let (most, _) = reading(10_000, |block| if block < 64 { 1 } else { 500 });
        assert!(most <= 128 * 500, "{most} at once");
        let (most, count) = reading(100, |_| 1_000_000);
        assert_eq!(
            (most, count),
            (64_000_000, 38),
            "one block a range in the end"
        );
    }

    #[test]
    fn a_single_block_is_a_range() {
        assert_eq!(reading(0, |_| 7), (7, 1));
    }
}
