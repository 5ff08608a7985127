//! Where a path comes within the limit.

/// Steps from a guess, before it is gone on by halves.
const STEPS: usize = 3;

/// The search for the first node of a path that is within the limit, when all behind it are, too. It begins where somebody guesses it to
/// be, goes on step by step, since guesses are seldom far off, and then by halves.
#[derive(Debug, Clone)]
pub(super) struct Crossing {
    length: usize,
    /// All nodes before `low` are beyond the limit; those from `high` on are within it, or past the end.
    low: usize,
    high: usize,
    guess: Option<usize>,
    told: usize,
}

impl Crossing {
    /// On a path of so many nodes.
    pub(super) fn new(length: usize, guess: Option<usize>) -> Self {
        let guess = guess.map(|guess| guess.min(length));
        Self {
            length,
            low: 0,
            high: length,
            guess,
            told: 0,
        }
    }

    /// The node to ask of next, until it is known where the path crosses.
    pub(super) fn next(&self) -> Option<usize> {
        let middle = self.low + (self.high - self.low) / 2;
        let next = match self.guess {
            Some(guess) if self.told == 0 => guess.min(self.high.saturating_sub(1)),
            Some(_) if self.told <= STEPS && self.high < self.length => self.high.saturating_sub(1),
            Some(_) if self.told <= STEPS => self.low,
            _ => middle,
        };
        (self.low < self.high).then_some(next)
    }

    /// That the node to ask of is within the limit, or is not.
    pub(super) fn tell(&mut self, is_within: bool) {
        if let Some(next) = self.next() {
            if is_within {
                self.high = next;
            } else {
                self.low = next + 1;
            }
            self.told += 1;
        }
    }

    /// How many nodes are known to be beyond the limit.
    pub(super) fn beyond(&self) -> usize {
        self.low
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_found_wherever_it_is(length in 0_usize..70, at in 0_usize..71, guess in prop::option::of(0_usize..80)) {
            let at = at.min(length);
            let mut crossing = Crossing::new(length, guess);
            let mut asked = 0;
            while let Some(next) = crossing.next() {
                prop_assert!(next < length);
                crossing.tell(next >= at);
                asked += 1;
            }
            prop_assert_eq!(crossing.beyond(), at);
            let by_halves = length.checked_ilog2().map_or(0, |halves| halves as usize + 1);
            let before = if guess.is_some() { STEPS + 1 } else { 0 };
            prop_assert!(asked <= before + by_halves);
            if guess == Some(at) {
                prop_assert!(asked <= 2);
            }
        }
    }
}
