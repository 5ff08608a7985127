//! Numbering the distinct keys of a list, which is all that grouping needs.

use super::keys::Layout;

/// The classes of a list: a number for each entry, from 0 in the order of first appearance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Classes {
    /// Class of each entry.
    pub(crate) of: Vec<u32>,
    /// How many classes there are.
    pub(crate) count: usize,
}

impl Classes {
    /// One class for all of `entries`.
    pub(crate) fn single(entries: usize) -> Self {
        Self {
            of: vec![0; entries],
            count: entries.min(1),
        }
    }

    /// The classes of entries that are alike in every one of these columns of codes.
    pub(crate) fn of_columns<'a>(
        entries: usize,
        columns: impl IntoIterator<Item = &'a [u32]>,
    ) -> Self {
        let columns: Vec<&[u32]> = columns.into_iter().collect();
        let counts = columns
            .iter()
            .map(|codes| codes.iter().max().map_or(0, |&code| code as usize + 1));
        let layout = Layout::of(counts);
        if layout.words() == 0 {
            return Self::single(entries);
        }
        let mut grouping = Grouping::default();
        let mut of = Vec::with_capacity(entries);
        layout.pack(&columns, |words| grouping.extend(words, &mut of));
        Self {
            of,
            count: grouping.count(),
        }
    }

    /// The first entry of each class.
    pub(crate) fn representatives(&self) -> Vec<usize> {
        let mut firsts = Vec::with_capacity(self.count);
        for (entry, &class) in self.of.iter().enumerate() {
            if class as usize == firsts.len() {
                firsts.push(entry);
            }
        }
        firsts
    }

    /// The number of entries of each class.
    pub(crate) fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.count];
        for &class in &self.of {
            sizes[class as usize] += 1;
        }
        sizes
    }
}

/// Numbers entries by all the words of their keys.
#[derive(Default)]
pub(crate) struct Grouping {
    words: Vec<Numbering>,
    /// Behind the first word: the number so far, with that of the next word.
    joined: Vec<Numbering>,
    numbers: Vec<u32>,
    keys: Vec<u64>,
}

impl Grouping {
    /// Makes ready for so many entries.
    pub(crate) fn clear(&mut self, entries: usize) {
        let all = self.words.iter_mut().chain(&mut self.joined);
        all.for_each(|numbering| numbering.clear(entries));
    }

    /// Appends the numbers of further entries to `classes`, the words of which are one list each; all calls must have as many
    /// words. Without words all entries are alike.
    pub(crate) fn extend<W: AsRef<[u64]>>(&mut self, words: &[W], classes: &mut Vec<u32>) {
        let Some((first, more)) = words.split_first() else {
            return;
        };
        self.words.resize_with(words.len(), Numbering::default);
        self.joined.resize_with(more.len(), Numbering::default);
        let begin = classes.len();
        self.words[0].extend(first.as_ref(), classes);
        for (word, (numbering, joined)) in more
            .iter()
            .zip(self.words[1..].iter_mut().zip(&mut self.joined))
        {
            self.numbers.clear();
            numbering.extend(word.as_ref(), &mut self.numbers);
            self.keys.clear();
            let pairs = classes[begin..].iter().zip(&self.numbers);
            self.keys
                .extend(pairs.map(|(&one, &other)| u64::from(one) << 32 | u64::from(other)));
            classes.truncate(begin);
            joined.extend(&self.keys, classes);
        }
    }

    /// For each class the first of its entries.
    pub(crate) fn firsts(&self) -> &[u32] {
        let last = self.joined.last().or(self.words.first());
        last.map_or(&[], |numbering| &numbering.firsts)
    }

    pub(crate) fn count(&self) -> usize {
        self.firsts().len()
    }
}

/// Slots to begin with; of a list of so many keys most are alike, and few slots stay in the processor's cache.
const FEW_SLOTS: usize = 1 << 10;
const MANY_KEYS: usize = 1 << 12;
/// 2^64 divided by the golden ratio: spreads packed keys over the upper bits (Knuth 6.4).
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// An open-addressing table from keys to numbers that keeps its memory between uses. It starts
/// small, so that lists with few classes stay in the processor's cache.
pub(crate) struct Numbering {
    /// 0 where free; otherwise in the lower half one more than a number, and in the upper half a *tag* of its key: other keys seldom
    /// have it.
    slots: Vec<u64>,
    slot_bits: u32,
    /// By number.
    keys: Vec<u64>,
    /// For each key the place in the list where it came first.
    firsts: Vec<u32>,
    /// Keys so far, those that came again included.
    seen: u32,
}

impl Default for Numbering {
    fn default() -> Self {
        Self {
            slots: vec![0; FEW_SLOTS],
            slot_bits: FEW_SLOTS.ilog2(),
            keys: Vec::new(),
            firsts: Vec::new(),
            seen: 0,
        }
    }
}

impl Numbering {
    /// Writes the number of each key to `numbers` and returns how many distinct keys there are.
    pub(crate) fn number(&mut self, keys: &[u64], numbers: &mut Vec<u32>) -> usize {
        self.clear(keys.len());
        numbers.clear();
        self.extend(keys, numbers);
        self.firsts.len()
    }

    /// Appends the numbers of further keys.
    fn extend(&mut self, keys: &[u64], numbers: &mut Vec<u32>) {
        numbers.extend(keys.iter().map(|&key| self.insert(key)));
    }

    /// Makes ready for so many keys, of which some may be alike.
    fn clear(&mut self, keys: usize) {
        self.keys.clear();
        self.firsts.clear();
        self.seen = 0;
        let slots = if keys > MANY_KEYS {
            FEW_SLOTS
        } else {
            keys.max(FEW_SLOTS)
        };
        self.resize(slots.next_power_of_two().ilog2());
    }

    /// For each key of the last list the place where it came first.
    pub(crate) fn firsts(&self) -> &[u32] {
        &self.firsts
    }

    #[inline]
    fn insert(&mut self, key: u64) -> u32 {
        let place = self.seen;
        self.seen += 1;
        let hash = hash(key);
        let mask = self.slots.len() - 1;
        let mut slot = self.home(hash);
        loop {
            let found = self.slots[slot & mask];
            if found == 0 {
                return self.add(slot & mask, key, place);
            }
            let number = found as u32 - 1;
            if found >> 32 == tag(hash) && self.keys[number as usize] == key {
                return number;
            }
            slot += 1;
        }
    }

    fn add(&mut self, slot: usize, key: u64, place: u32) -> u32 {
        self.firsts.push(place);
        self.keys.push(key);
        let count = self.keys.len();
        self.slots[slot] = tag(hash(key)) << 32 | count as u64;
        if count * 2 > self.slots.len() {
            self.grow();
        }
        count as u32 - 1
    }

    #[cold]
    fn grow(&mut self) {
        self.resize(self.slot_bits + 2);
        let mask = self.slots.len() - 1;
        for (count, &key) in (1..).zip(&self.keys) {
            let hash = hash(key);
            let mut slot = self.home(hash);
            while self.slots[slot & mask] != 0 {
                slot += 1;
            }
            self.slots[slot & mask] = tag(hash) << 32 | count;
        }
    }

    /// So many slots, all of them free.
    fn resize(&mut self, bits: u32) {
        self.slot_bits = bits;
        self.slots.clear();
        self.slots.resize(1 << bits, 0);
    }

    fn home(&self, hash: u64) -> usize {
        (hash >> (u64::BITS - self.slot_bits)) as usize
    }
}

fn hash(key: u64) -> u64 {
    (key ^ key >> 32).wrapping_mul(SPREAD)
}

/// The lower half: of keys of 32 bits no two have the same.
fn tag(hash: u64) -> u64 {
    hash & u64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[test]
    fn classes_of_no_column_and_of_no_entry() {
        assert_eq!(
            Classes::of_columns(3, []),
            Classes {
                of: vec![0; 3],
                count: 1
            }
        );
        let none: [&[u32]; 1] = [&[]];
        assert_eq!(Classes::of_columns(0, none).count, 0);
    }

    #[test]
    fn classes_of_two_columns() {
        let columns: [&[u32]; 2] = [&[0, 1, 0, 1], &[5, 5, 5, 6]];
        let classes = Classes::of_columns(4, columns);
        assert_eq!(classes.of, [0, 1, 0, 2]);
        assert_eq!(classes.sizes(), [2, 1, 1]);
        let mut grouping = Grouping::default();
        let mut of = Vec::new();
        for entry in 0..4 {
            grouping.extend(&columns.map(|column| [u64::from(column[entry])]), &mut of);
        }
        assert_eq!((of, grouping.firsts()), (classes.of, &[0, 1, 3][..]));
    }

    proptest! {
        #[test]
        fn numbers_agree_with_a_map(lists in proptest::collection::vec(proptest::collection::vec(prop_oneof![0_u64..2_000, any::<u64>(), (0_u64..4_000).prop_map(|upper| upper << 32)], 0..2_500), 1..4)) {
            let mut numbering = Numbering::default();
            let mut numbers = Vec::new();
            for keys in lists {
                let mut known = HashMap::new();
                let expected: Vec<u32> = keys.iter().map(|key| {
                    let next = known.len() as u32;
                    *known.entry(*key).or_insert(next)
                }).collect();
                prop_assert_eq!(numbering.number(&keys, &mut numbers), known.len());
                prop_assert_eq!(&numbers, &expected);
            }
        }
    }
}
